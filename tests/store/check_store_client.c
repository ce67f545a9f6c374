/* The worker's side of the store, without a worker and without a writer: both rings lie in plain memory, the test plays
 * the writer at their other ends, and reads go through real data files. Whether the page cache has a record is the
 * test's to say. */
#include "base/base_io.h"
#include "base/base_time.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "grace/grace.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "ring/ring_messages.h"
#include "shm/shm_doorbell.h"
#include "stats/stats_store.h"
#include "store/store_client.h"
#include "test_dir.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEYDIR_BYTES     (64u << 20)
#define SMALL_RING_BYTES 4096u
#define LARGE_BYTES      (5 * RK_STORE_PIECE_BYTES + 1000)
#define DEADLINE_MS      20000

static char *dir;
static struct rk_log_store *store;
static struct rk_log_writer *log_writer;
static struct rk_keydir_writer *keydir;
static struct rk_io_ops ops;
static bool cold;                /* the page cache has nothing */
static void (*while_read)(void); /* called once, after bytes were read and before anybody looks at them */
static struct rk_ring *requests, *completions;
static struct rk_ring_consumer taken;
static struct rk_ring_producer given;
static struct rk_doorbell writer_doorbell;
static int writer_bell, own_bell;
static int hold_bell; /* of pread_held */
static _Atomic uint64_t last_sequence;
static struct rk_stats_client stats;
static struct rk_store_client *client;
static void *allocations[4096];
static size_t n_allocations;
static _Atomic uint64_t files_edition;
static uint64_t now_ns;
static unsigned n_closed;

/* The clock is the test's. */
uint64_t __wrap_rk_time_monotonic_ns(void);
uint64_t __wrap_rk_time_monotonic_ns(void)
{
    return now_ns;
}

static int close_counted(int fd)
{
    n_closed++;
    return rk_io_kernel_ops.close(fd);
}

/* What a callback was told. */
struct told {
    unsigned n_calls;
    enum rk_err err;
    struct rk_store_value value;
    struct rk_store_write_result result;
};

static ssize_t preadv2_as_told(int fd, const struct iovec *iov, int n_iov, off_t offset, int flags)
{
    void (*then)(void) = while_read;
    ssize_t n;

    while_read = NULL;
    if (!cold) {
        n = rk_io_kernel_ops.preadv2(fd, iov, n_iov, offset, 0);
        if (then != NULL)
            then();
        return n;
    }
    errno = EAGAIN;
    return -1;
}

/* A reader thread that waits until it is let go. */
static ssize_t pread_held(int fd, void *bytes, size_t size, off_t offset)
{
    uint64_t one;

    ck_assert_int_eq(read(hold_bell, &one, sizeof one), sizeof one);
    return rk_io_kernel_ops.pread(fd, bytes, size, offset);
}

/* What is read here never has to survive a power failure. */
static int sync_nothing(int fd)
{
    return 0;
}

static void *allocate(void *arena, size_t size)
{
    ck_assert_uint_lt(n_allocations, sizeof allocations / sizeof allocations[0]);
    allocations[n_allocations] = malloc(size);
    return allocations[n_allocations++];
}

static const struct rk_store_arena arena = { allocate, NULL };

static void open_client(uint64_t ring_bytes)
{
    requests = aligned_alloc(4096, rk_ring_bytes(ring_bytes));
    completions = aligned_alloc(4096, rk_ring_bytes(RK_RING_COMPLETION_BYTES));
    rk_ring_format(requests, ring_bytes, 1);
    rk_ring_format(completions, RK_RING_COMPLETION_BYTES, 1);
    rk_ring_consumer_init(&taken, requests, ring_bytes);
    rk_ring_producer_init(&given, completions, RK_RING_COMPLETION_BYTES);
    memset(&stats, 0, sizeof stats);
    ck_assert_int_eq(rk_store_client_create(&client,
                                            &(struct rk_store_client_settings){
                                                .keydir = rk_keydir_writer_reader(keydir),
                                                .hash_key = rk_log_store_identity(store)->hash_key,
                                                .data_dir_fd = rk_log_store_dir_fd(store),
                                                .requests = requests,
                                                .completions = completions,
                                                .ring_bytes = ring_bytes,
                                                .writer_doorbell = &writer_doorbell,
                                                .writer_event_fd = writer_bell,
                                                .own_event_fd = own_bell,
                                                .last_sequence = &last_sequence,
                                                .n_reader_threads = 2,
                                                .max_open_files = 16,
                                                .files_edition = &files_edition,
                                                .stats = &stats,
                                            },
                                            NULL),
                     RK_OK);
}

static void close_client(void)
{
    rk_store_client_destroy(&client);
    free(requests);
    free(completions);
}

static void setup(void)
{
    rk_grace_register_thread();
    ops = rk_io_kernel_ops;
    ops.preadv2 = preadv2_as_told;
    ops.fdatasync = ops.fsync = sync_nothing;
    ops.close = close_counted;
    rk_io = &ops;
    cold = false;
    now_ns = RK_NS_PER_S;
    atomic_store(&files_edition, 0);
    while_read = NULL;
    dir = test_dir_create();
    ck_assert_int_eq(rk_log_store_open(&store, dir, NULL), RK_OK);
    ck_assert_int_eq(
        rk_log_writer_open(&log_writer, store,
                           &(struct rk_log_writer_settings){ .file_size_bytes = 64 << 20, .next_sequence = 1 }, NULL),
        RK_OK);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    writer_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    own_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    last_sequence = 0;
    n_allocations = 0;
    open_client(1 << 20);
}

static void teardown(void)
{
    close_client();
    close(writer_bell);
    close(own_bell);
    rk_keydir_writer_destroy(&keydir);
    ck_assert_int_eq(rk_log_writer_close(&log_writer), RK_OK);
    rk_log_store_close(&store);
    test_dir_remove(&dir);
    while (n_allocations > 0)
        free(allocations[--n_allocations]);
    rk_io = &rk_io_kernel_ops;
    rk_grace_unregister_thread();
}

/* ---- the writer, played ---- */

static void on_write(void *context, const struct rk_store_write_result *result)
{
    struct told *told = context;

    told->n_calls++;
    told->result = *result;
}

static enum rk_err submit(const char *key, const char *value, struct told *told, rk_store_ticket *ticket_out)
{
    struct rk_store_write write = { .is_delete = value == NULL,
                                    .key = key,
                                    .key_len = strlen(key),
                                    .value = value,
                                    .value_len = value != NULL ? strlen(value) : 0 };

    return rk_store_client_write(client, &write, on_write, told, ticket_out);
}

static rk_store_ticket submit_ok(const char *key, const char *value, struct told *told)
{
    rk_store_ticket ticket = 0;

    ck_assert_int_eq(submit(key, value, told, &ticket), RK_OK);
    return ticket;
}

/* Takes the next request; its ticket, 0 when there is none. */
static rk_store_ticket take(void)
{
    struct rk_ring_request request;
    uint8_t *message;
    uint64_t size;

    if (rk_ring_next(&taken, &message, &size) != RK_OK)
        return 0;
    ck_assert_uint_ge(size, sizeof request);
    memcpy(&request, message, sizeof request);
    ck_assert_uint_eq(size, sizeof request + request.record_bytes);
    return request.ticket;
}

static void complete(const struct rk_ring_completion *completion)
{
    void *message = rk_ring_reserve(&given, sizeof *completion);

    ck_assert_ptr_nonnull(message);
    memcpy(message, completion, sizeof *completion);
    rk_ring_commit(&given);
    ck_assert(rk_ring_publish(&given));
    ck_assert(rk_store_client_waiting(client));
}

static void complete_and_poll(rk_store_ticket ticket, uint64_t sequence)
{
    complete(&(struct rk_ring_completion){ .ticket = ticket, .sequence = sequence });
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
}

START_TEST(a_write_reaches_the_writer_as_it_was_given)
{
    struct told told = { 0 };
    struct rk_store_write write = { .key = "key",
                                    .key_len = 3,
                                    .metadata = "meta",
                                    .metadata_len = 4,
                                    .value = "value",
                                    .value_len = 5,
                                    .expiry_ms = 1700000000000 };
    struct rk_record_header header;
    struct rk_ring_request request;
    rk_store_ticket ticket;
    const uint8_t *record;
    uint8_t *message;
    uint64_t size;

    ck_assert_int_eq(rk_store_client_write(client, &write, on_write, &told, &ticket), RK_OK);
    ck_assert_uint_ne(ticket, 0);
    ck_assert_int_eq(rk_ring_next(&taken, &message, &size), RK_ERR_NOT_FOUND); /* not before the flush */
    rk_store_client_flush(client);
    ck_assert_int_eq(rk_ring_next(&taken, &message, &size), RK_OK);
    memcpy(&request, message, sizeof request);
    ck_assert_uint_eq(request.ticket, ticket);
    record = message + sizeof request;
    ck_assert_int_eq(rk_record_decode_unstamped_header(record, &header), RK_OK);
    ck_assert_int_eq(header.type, RK_RECORD_PUT);
    ck_assert_int_eq(rk_record_check_body(&header, record, true), RK_OK);
    ck_assert_mem_eq(record + rk_record_key_offset(&header), "keymetavalue", 12);
    ck_assert_uint_eq(told.n_calls, 0);
    complete(&(struct rk_ring_completion){ .ticket = ticket, .sequence = 77, .flags = RK_RING_REPLACED });
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    ck_assert_uint_eq(told.n_calls, 1);
    ck_assert_int_eq(told.result.err, RK_OK);
    ck_assert(told.result.replaced && !told.result.none);
    ck_assert_uint_eq(told.result.sequence, 77);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 0);
}
END_TEST

START_TEST(the_writer_is_woken_when_it_sleeps_and_only_then)
{
    struct told told = { 0 };
    uint64_t count;

    submit_ok("a", "1", &told);
    rk_store_client_flush(client);
    ck_assert_int_eq(read(writer_bell, &count, sizeof count), -1);
    rk_doorbell_arm(&writer_doorbell);
    rk_store_client_flush(client); /* nothing new */
    ck_assert_int_eq(read(writer_bell, &count, sizeof count), -1);
    submit_ok("a", "2", &told);
    rk_store_client_flush(client);
    ck_assert_int_eq(read(writer_bell, &count, sizeof count), sizeof count);
}
END_TEST

START_TEST(errors_come_back_with_what_is_known)
{
    struct told told = { 0 };

    submit_ok("a", NULL, &told);
    rk_store_client_flush(client);
    complete(
        &(struct rk_ring_completion){ .ticket = take(), .sequence = 5, .err = RK_ERR_NO_SPACE, .flags = RK_RING_NONE });
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    ck_assert_int_eq(told.result.err, RK_ERR_NO_SPACE);
    ck_assert(told.result.none && !told.result.replaced);
}
END_TEST

START_TEST(a_completion_of_an_old_operation_is_ignored)
{
    struct told first = { 0 }, second = { 0 };
    rk_store_ticket old = submit_ok("a", "1", &first), now;

    complete_and_poll(old, 1);
    ck_assert_uint_eq(first.n_calls, 1);
    now = submit_ok("b", "2", &second);
    ck_assert_uint_eq((uint32_t)now, (uint32_t)old); /* the same place, or this test shows nothing */
    ck_assert_uint_ne(now, old);
    complete_and_poll(old, 1);
    ck_assert_uint_eq(second.n_calls, 0);
    ck_assert_uint_eq(first.n_calls, 1);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 1);
    rk_store_client_cancel(client, old); /* nor does an old ticket cancel it */
    complete_and_poll(now, 2);
    ck_assert_uint_eq(second.n_calls, 1);
    ck_assert_uint_eq(second.result.sequence, 2);
    complete_and_poll(now, 2); /* twice */
    ck_assert_uint_eq(second.n_calls, 1);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 0);
}
END_TEST

START_TEST(a_cancelled_write_calls_nobody_and_keeps_its_place_until_it_is_done)
{
    struct told cancelled = { 0 }, other = { 0 };
    rk_store_ticket ticket = submit_ok("a", "1", &cancelled), next;

    rk_store_client_cancel(client, ticket);
    rk_store_client_cancel(client, ticket);
    rk_store_client_cancel(client, 0);
    next = submit_ok("b", "2", &other);
    ck_assert_uint_ne((uint32_t)next, (uint32_t)ticket); /* its completion is still to come */
    ck_assert_uint_eq(rk_store_client_n_pending(client), 2);
    complete_and_poll(ticket, 1);
    complete_and_poll(next, 2);
    ck_assert_uint_eq(cancelled.n_calls, 0);
    ck_assert_uint_eq(other.n_calls, 1);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 0);
}
END_TEST

START_TEST(completions_that_name_nothing_are_ignored)
{
    struct told told = { 0 };
    rk_store_ticket ticket = submit_ok("a", "1", &told);

    complete_and_poll(0, 1);
    complete_and_poll(ticket + (1ull << 32), 1);
    complete_and_poll(RK_RING_PENDING_MAX, 1);
    complete_and_poll(RK_RING_PENDING_MAX + 1, 1);
    complete_and_poll(UINT64_MAX, 1);
    ck_assert_uint_eq(told.n_calls, 0);
    complete_and_poll(ticket, 1);
    ck_assert_uint_eq(told.n_calls, 1);
}
END_TEST

START_TEST(completions_of_another_size_are_refused)
{
    memset(rk_ring_reserve(&given, 16), 0, 16);
    rk_ring_commit(&given);
    ck_assert(rk_ring_publish(&given));
    ck_assert_int_eq(rk_store_client_poll(client), RK_ERR_CORRUPT);
}
END_TEST

START_TEST(a_full_ring_says_so_and_takes_nothing)
{
    struct told told = { 0 };
    rk_store_ticket ticket;
    size_t n = 0, n_taken = 0;

    close_client();
    open_client(SMALL_RING_BYTES);
    while (submit("key", "value", &told, &ticket) == RK_OK)
        n++;
    ck_assert_uint_gt(n, SMALL_RING_BYTES / 256);
    ck_assert_int_eq(submit("key", "value", &told, &ticket), RK_ERR_AGAIN);
    ck_assert_uint_eq(rk_store_client_n_pending(client), n);
    ck_assert_uint_eq(rk_counter_get(&stats.ring_full), 2);
    rk_store_client_flush(client);
    while ((ticket = take()) != 0) {
        n_taken++;
        complete_and_poll(ticket, n_taken);
    }
    rk_ring_release(&taken);
    ck_assert_uint_eq(n_taken, n);
    ck_assert_uint_eq(told.n_calls, n);
    ck_assert_int_eq(submit("key", "value", &told, &ticket), RK_OK);
}
END_TEST

START_TEST(no_more_operations_than_completions_have_room_for)
{
    struct told told = { 0 };
    rk_store_ticket ticket;

    close_client();
    open_client(16 << 20);
    for (size_t i = 0; i < RK_RING_PENDING_MAX; i++)
        if (submit("k", "v", &told, &ticket) != RK_OK)
            ck_abort_msg("operation %zu was refused", i);
    ck_assert_int_eq(submit("k", "v", &told, &ticket), RK_ERR_AGAIN);
    rk_store_client_flush(client);
    while ((ticket = take()) != 0) { /* all at once: the ring of completions takes them */
        struct rk_ring_completion *completion = rk_ring_reserve(&given, sizeof *completion);

        if (completion == NULL)
            ck_abort_msg("the ring of completions is full");
        *completion = (struct rk_ring_completion){ .ticket = ticket };
        rk_ring_commit(&given);
    }
    ck_assert(rk_ring_publish(&given));
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    ck_assert_uint_eq(told.n_calls, RK_RING_PENDING_MAX);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 0);
}
END_TEST

START_TEST(what_no_ring_takes_is_too_large)
{
    static char bytes[SMALL_RING_BYTES * 2];
    struct rk_store_write write = { .key = "k", .key_len = 1, .value = bytes, .value_len = sizeof bytes };
    struct told told = { 0 };
    rk_store_ticket ticket;

    close_client();
    open_client(SMALL_RING_BYTES);
    ck_assert_int_eq(rk_store_client_write(client, &write, on_write, &told, &ticket), RK_ERR_TOO_LARGE);
    write.value_len = 1;
    write.key_len = 0;
    ck_assert_int_eq(rk_store_client_write(client, &write, on_write, &told, &ticket), RK_ERR_TOO_LARGE);
    write.key_len = RK_RECORD_KEY_MAX + 1;
    ck_assert_int_eq(rk_store_client_write(client, &write, on_write, &told, &ticket), RK_ERR_TOO_LARGE);
    write.key_len = 1;
    ck_assert_int_eq(rk_store_client_write(client, &write, on_write, &told, &ticket), RK_OK);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 1);
}
END_TEST

/* ---- reads ---- */

static struct rk_fingerprint fingerprint_of(const char *key)
{
    return rk_keydir_fingerprint(key, strlen(key), rk_log_store_identity(store)->hash_key);
}

/* Appends a record, as the writer would, and publishes it; its location. */
static struct rk_location put_record(const struct rk_record_parts *parts)
{
    uint64_t size = rk_record_size(parts->key_len, parts->metadata_len, parts->value_len, parts->expiry_ms != 0);
    uint8_t *record = calloc(1, size);
    uint64_t location, sequence;

    rk_record_build(record, parts);
    ck_assert_int_eq(rk_log_writer_stage(log_writer, record, record + RK_RECORD_HEADER_BYTES, size, 1700000000000,
                                         &location, &sequence),
                     RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(log_writer), RK_OK);
    free(record);
    rk_keydir_writer_put(keydir, fingerprint_of(parts->key), location);
    last_sequence = sequence;
    return rk_disk_location_decode(location);
}

static struct rk_location put(const char *key, const char *value)
{
    return put_record(&(struct rk_record_parts){ .type = RK_RECORD_PUT,
                                                 .key = key,
                                                 .key_len = (uint16_t)strlen(key),
                                                 .value = value,
                                                 .value_len = (uint32_t)strlen(value) });
}

static void put_new(void)
{
    put("k", "new");
}

static uint8_t *make_large(void)
{
    uint8_t *bytes = allocate(NULL, LARGE_BYTES);

    for (size_t i = 0; i < LARGE_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    return bytes;
}

static struct rk_location put_large(const char *key, const uint8_t *value)
{
    return put_record(&(struct rk_record_parts){ .type = RK_RECORD_PUT,
                                                 .key = key,
                                                 .key_len = (uint16_t)strlen(key),
                                                 .metadata = "type",
                                                 .metadata_len = 4,
                                                 .value = value,
                                                 .value_len = LARGE_BYTES });
}

static void flip(struct rk_location location, uint64_t at)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    off_t offset = (off_t)(location.offset_bytes + at);
    uint8_t byte;
    int fd;

    rk_disk_file_name(name, location.file_number);
    fd = openat(rk_log_store_dir_fd(store), name, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    ck_assert_int_eq(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void on_get(void *context, enum rk_err err, const struct rk_store_value *value)
{
    struct told *told = context;

    told->n_calls++;
    told->err = err;
    told->value = *value;
}

static void on_piece(void *context, enum rk_err err)
{
    struct told *told = context;

    told->n_calls++;
    told->err = err;
}

/* Turns, as an event loop would, until the callback was called. */
static void wait_for(const struct told *told)
{
    while (told->n_calls == 0) {
        struct pollfd bell = { .fd = own_bell, .events = POLLIN };

        ck_assert_msg(poll(&bell, 1, DEADLINE_MS) == 1, "no reader thread rang");
        rk_doorbell_drain(own_bell);
        ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    }
    ck_assert_uint_eq(told->n_calls, 1);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 0);
}

/* Reads, at once or later, as the page cache is. */
static enum rk_err get(const char *key, struct rk_store_value *value_out)
{
    struct told told = { 0 };
    rk_store_ticket ticket = 0;
    enum rk_err err = rk_store_client_get(client, key, strlen(key), &arena, value_out, on_get, &told, &ticket);

    if (err != RK_ERR_AGAIN)
        return err;
    ck_assert_uint_eq(told.n_calls, 0);
    wait_for(&told);
    *value_out = told.value;
    return told.err;
}

static enum rk_err read_piece(struct rk_store_source *source, size_t offset, uint8_t *bytes, size_t size)
{
    struct told told = { 0 };
    rk_store_ticket ticket = 0;
    enum rk_err err = rk_store_client_read_piece(client, source, offset, bytes, size, on_piece, &told, &ticket);

    if (err != RK_ERR_AGAIN)
        return err;
    wait_for(&told);
    return told.err;
}

static size_t piece_size(size_t offset)
{
    return LARGE_BYTES - offset < RK_STORE_PIECE_BYTES ? LARGE_BYTES - offset : RK_STORE_PIECE_BYTES;
}

static void expect_value(const char *key, const char *expected)
{
    struct rk_store_value value;

    ck_assert_int_eq(get(key, &value), RK_OK);
    ck_assert_ptr_null(value.source);
    ck_assert_uint_eq(value.value_len, strlen(expected));
    ck_assert_mem_eq(value.value, expected, strlen(expected));
}

/* Each of the following runs warm and cold. */

START_TEST(what_is_there_is_read)
{
    struct rk_store_value value;

    cold = _i != 0;
    put("a", "first");
    put("b", "");
    put("a", "second");
    expect_value("a", "second");
    expect_value("b", "");
    put_record(&(struct rk_record_parts){ .type = RK_RECORD_PUT,
                                          .key = "with all",
                                          .key_len = 8,
                                          .metadata = "meta",
                                          .metadata_len = 4,
                                          .value = "v",
                                          .value_len = 1,
                                          .expiry_ms = UINT64_MAX / 2 });
    ck_assert_int_eq(get("with all", &value), RK_OK);
    ck_assert_uint_eq(value.sequence, 4);
    ck_assert_uint_eq(value.write_time_ms, 1700000000000);
    ck_assert_uint_eq(value.expiry_ms, UINT64_MAX / 2);
    ck_assert_uint_eq(value.metadata_len, 4);
    ck_assert_mem_eq(value.metadata, "meta", 4);
    ck_assert_uint_eq(rk_counter_get(&stats.hits), 3);
    ck_assert_uint_eq(rk_counter_get(&stats.disk_reads), cold ? 3 : 0);
}
END_TEST

START_TEST(what_is_absent_comes_with_a_sequence)
{
    struct rk_store_value value;

    cold = _i != 0;
    put("a", "1");
    ck_assert_int_eq(get("b", &value), RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(value.sequence, 1);
    put_record(&(struct rk_record_parts){
        .type = RK_RECORD_PUT, .key = "expired", .key_len = 7, .value = "v", .value_len = 1, .expiry_ms = 1 });
    ck_assert_int_eq(get("expired", &value), RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(value.sequence, 2);
    rk_keydir_writer_delete(keydir, fingerprint_of("a"));
    last_sequence = 3;
    ck_assert_int_eq(get("a", &value), RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(value.sequence, 3);
    ck_assert_uint_eq(rk_counter_get(&stats.misses), 3);
    ck_assert_uint_eq(rk_counter_get(&stats.corrupt), 0);
}
END_TEST

static void put_expired(const char *key)
{
    put_record(&(struct rk_record_parts){ .type = RK_RECORD_PUT,
                                          .key = key,
                                          .key_len = (uint16_t)strlen(key),
                                          .value = "old",
                                          .value_len = 3,
                                          .expiry_ms = 1 });
}

/* What came while the expired one was read: the sequence that is told may be the new one's, so the value must be. */
START_TEST(an_expired_value_that_is_replaced_meanwhile_is_read_again)
{
    struct told told = { 0 };
    struct rk_store_value value;
    rk_store_ticket ticket = 0;
    enum rk_err err;

    cold = _i != 0;
    put_expired("k");
    while_read = cold ? NULL : put_new;
    err = rk_store_client_get(client, "k", 1, &arena, &value, on_get, &told, &ticket);
    if (cold) {
        ck_assert_int_eq(err, RK_ERR_AGAIN);
        put_new(); /* a cancel by the same ticket still finds the operation */
        wait_for(&told);
        err = told.err;
        value = told.value;
    }
    ck_assert_int_eq(err, RK_OK);
    ck_assert_uint_eq(value.sequence, 2);
    ck_assert_mem_eq(value.value, "new", 3);
    ck_assert_uint_eq(rk_counter_get(&stats.misses), 0);
}
END_TEST

/* Turns until so many reads of reader threads have come back. */
static void wait_for_reads(uint64_t n)
{
    while (rk_counter_get(&stats.disk_reads) < n) {
        struct pollfd bell = { .fd = own_bell, .events = POLLIN };

        ck_assert_msg(poll(&bell, 1, DEADLINE_MS) == 1, "no reader thread rang");
        rk_doorbell_drain(own_bell);
        ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    }
}

static void let_go(void)
{
    ck_assert_int_eq(write(hold_bell, &(uint64_t){ 1 }, sizeof(uint64_t)), sizeof(uint64_t));
}

START_TEST(a_read_that_begins_again_can_be_cancelled)
{
    struct told told = { 0 };
    struct rk_store_value value;
    rk_store_ticket ticket = 0;
    long deadline = DEADLINE_MS;

    hold_bell = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    ops.pread = pread_held;
    cold = true;
    put_expired("k");
    ck_assert_int_eq(rk_store_client_get(client, "k", 1, &arena, &value, on_get, &told, &ticket), RK_ERR_AGAIN);
    put_new();
    let_go();
    wait_for_reads(2); /* as many were asked for */
    ck_assert_uint_eq(told.n_calls, 0);
    ck_assert_uint_eq(rk_store_client_n_pending(client), 1);
    rk_store_client_cancel(client, ticket);
    let_go();
    for (; rk_store_client_n_pending(client) > 0 && deadline > 0; deadline--) {
        struct pollfd bell = { .fd = own_bell, .events = POLLIN };

        (void)poll(&bell, 1, 1);
        rk_doorbell_drain(own_bell);
        ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    }
    ck_assert_uint_eq(rk_store_client_n_pending(client), 0);
    ck_assert_uint_eq(told.n_calls, 0);
    close(hold_bell);
}
END_TEST

/* Two keys with one fingerprint: who finds the other's record finds nothing of its own. */
START_TEST(a_record_of_another_key_is_nothing)
{
    struct rk_store_value value;

    cold = _i != 0;
    rk_keydir_writer_put(keydir, fingerprint_of("mine"), rk_disk_location_encode(put("theirs", "secret")));
    rk_keydir_writer_put(keydir, fingerprint_of("large"), rk_disk_location_encode(put_large("their", make_large())));
    ck_assert_int_eq(get("mine", &value), RK_ERR_NOT_FOUND);
    ck_assert_int_eq(get("large", &value), RK_ERR_NOT_FOUND);
    expect_value("theirs", "secret");
}
END_TEST

/* Every byte of the record but its padding, one bit each; the neighbours stay readable. */
START_TEST(damage_is_found_and_harms_nobody_else)
{
    struct rk_location location;
    uint64_t record_bytes = RK_RECORD_HEADER_BYTES + 1 + 5;

    cold = _i != 0;
    put("before", "before");
    location = put("k", "value");
    put("after", "after");
    for (uint64_t at = 0; at < record_bytes; at++) {
        struct rk_store_value value;

        flip(location, at);
        ck_assert_msg(get("k", &value) == RK_ERR_CORRUPT, "byte %u of the record", (unsigned)at);
        expect_value("before", "before");
        expect_value("after", "after");
        flip(location, at);
    }
    expect_value("k", "value");
    ck_assert_uint_eq(rk_counter_get(&stats.corrupt), record_bytes);
    ck_assert_uint_eq(rk_counter_get(&stats.read_errors), 0);
}
END_TEST

START_TEST(a_large_value_comes_in_pieces)
{
    uint8_t *large = make_large(), *bytes = allocate(NULL, RK_STORE_PIECE_BYTES);
    struct rk_store_value value;

    cold = _i != 0;
    put_large("large", large);
    ck_assert_int_eq(get("large", &value), RK_OK);
    ck_assert_ptr_nonnull(value.source);
    ck_assert_ptr_null(value.value);
    ck_assert_uint_eq(value.value_len, LARGE_BYTES);
    ck_assert_uint_eq(value.sequence, 1);
    ck_assert_mem_eq(value.metadata, "type", 4);
    put("large", "overwritten"); /* who reads it goes on to read what it found */
    for (size_t offset = 0; offset < LARGE_BYTES; offset += RK_STORE_PIECE_BYTES) {
        memset(bytes, 0, RK_STORE_PIECE_BYTES);
        ck_assert_int_eq(read_piece(value.source, offset, bytes, piece_size(offset)), RK_OK);
        ck_assert_mem_eq(bytes, large + offset, piece_size(offset));
    }
    rk_store_client_release(client, value.source);
    expect_value("large", "overwritten");
}
END_TEST

START_TEST(damage_in_a_large_value_is_found_in_its_piece)
{
    uint8_t *bytes = allocate(NULL, RK_STORE_PIECE_BYTES);
    struct rk_location location = put_large("large", make_large());
    struct rk_store_value value;
    unsigned n_damaged = 0;

    cold = _i != 0;
    flip(location, location.size_bytes - LARGE_BYTES / 2);
    ck_assert_int_eq(get("large", &value), RK_OK);
    ck_assert_int_eq(read_piece(value.source, 0, bytes, RK_STORE_PIECE_BYTES), RK_OK);
    for (size_t offset = 0; offset < LARGE_BYTES; offset += RK_STORE_PIECE_BYTES)
        n_damaged += read_piece(value.source, offset, bytes, piece_size(offset)) == RK_ERR_CORRUPT;
    ck_assert_uint_eq(n_damaged, 1);
    ck_assert_uint_eq(rk_counter_get(&stats.corrupt), 1);
    rk_store_client_release(client, value.source);
    for (uint64_t at = 0; at < RK_RECORD_HEADER_BYTES + 21; at++) { /* header, block CRCs, key, metadata */
        flip(location, at);
        ck_assert_msg(get("large", &value) == RK_ERR_CORRUPT, "byte %u of the record", (unsigned)at);
        flip(location, at);
    }
}
END_TEST

START_TEST(a_file_that_is_short_or_gone_is_an_error_of_this_read_alone)
{
    struct rk_location gone = { .file_number = 4711, .offset_bytes = 4096, .size_bytes = 64 };
    struct rk_location beyond = put("here", "1");
    struct rk_store_value value;

    cold = _i != 0;
    rk_keydir_writer_put(keydir, fingerprint_of("gone"), rk_disk_location_encode(gone));
    beyond.offset_bytes = 1ull << 30;
    rk_keydir_writer_put(keydir, fingerprint_of("beyond"), rk_disk_location_encode(beyond));
    ck_assert_int_eq(get("gone", &value), RK_ERR_IO);
    ck_assert_int_eq(get("beyond", &value), RK_ERR_CORRUPT);
    expect_value("here", "1");
}
END_TEST

/* A file that is unlinked while somebody reads from it is closed when that has ended, though the files do not change
 * again; and until then it is looked at now and then, not at every turn of the event loop. */
START_TEST(a_file_that_is_gone_is_closed_after_its_last_read)
{
    struct rk_location location = put_large("large", make_large());
    uint8_t *bytes = allocate(NULL, RK_STORE_PIECE_BYTES);
    char name[RK_DISK_FILE_NAME_BYTES];
    struct rk_store_value value;

    ck_assert_int_eq(get("large", &value), RK_OK);
    rk_disk_file_name(name, location.file_number);
    ck_assert_int_eq(unlinkat(rk_log_store_dir_fd(store), name, 0), 0);
    n_closed = 0;
    atomic_store(&files_edition, 1);
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    ck_assert_int_eq(read_piece(value.source, 0, bytes, RK_STORE_PIECE_BYTES), RK_OK);
    ck_assert_uint_eq(n_closed, 0);
    rk_store_client_release(client, value.source);
    now_ns += 100 * RK_NS_PER_MS - 1;
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    ck_assert_uint_eq(n_closed, 0);
    now_ns += 1;
    ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    ck_assert_uint_eq(n_closed, 1);
}
END_TEST

START_TEST(a_cancelled_read_calls_nobody)
{
    struct told told = { 0 }, other = { 0 };
    struct rk_store_value value;
    rk_store_ticket ticket, other_ticket;

    cold = true;
    put("a", "1");
    put("b", "2");
    ck_assert_int_eq(rk_store_client_get(client, "a", 1, &arena, &value, on_get, &told, &ticket), RK_ERR_AGAIN);
    rk_store_client_cancel(client, ticket);
    ck_assert_int_eq(rk_store_client_get(client, "b", 1, &arena, &value, on_get, &other, &other_ticket), RK_ERR_AGAIN);
    while (rk_store_client_n_pending(client) > 0) {
        struct pollfd bell = { .fd = own_bell, .events = POLLIN };

        ck_assert_int_eq(poll(&bell, 1, DEADLINE_MS), 1);
        rk_doorbell_drain(own_bell);
        ck_assert_int_eq(rk_store_client_poll(client), RK_OK);
    }
    ck_assert_uint_eq(told.n_calls, 0);
    ck_assert_uint_eq(other.n_calls, 1);
    ck_assert_mem_eq(other.value.value, "2", 1);
}
END_TEST

START_TEST(what_is_under_way_at_the_end_is_forgotten)
{
    struct told told = { 0 };
    struct rk_store_value value;
    rk_store_ticket ticket;

    cold = true;
    put("a", "1");
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(rk_store_client_get(client, "a", 1, &arena, &value, on_get, &told, &ticket), RK_ERR_AGAIN);
    submit_ok("b", "2", &told);
    close_client();
    ck_assert_uint_eq(told.n_calls, 0);
    open_client(1 << 20);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store client");
    TCase *writes = tcase_create("writes"), *reads = tcase_create("reads");

    tcase_add_checked_fixture(writes, setup, teardown);
    tcase_add_test(writes, a_write_reaches_the_writer_as_it_was_given);
    tcase_add_test(writes, the_writer_is_woken_when_it_sleeps_and_only_then);
    tcase_add_test(writes, errors_come_back_with_what_is_known);
    tcase_add_test(writes, a_completion_of_an_old_operation_is_ignored);
    tcase_add_test(writes, a_cancelled_write_calls_nobody_and_keeps_its_place_until_it_is_done);
    tcase_add_test(writes, completions_that_name_nothing_are_ignored);
    tcase_add_test(writes, completions_of_another_size_are_refused);
    tcase_add_test(writes, a_full_ring_says_so_and_takes_nothing);
    tcase_add_test(writes, no_more_operations_than_completions_have_room_for);
    tcase_add_test(writes, what_no_ring_takes_is_too_large);
    suite_add_tcase(suite, writes);
    tcase_add_checked_fixture(reads, setup, teardown);
    tcase_set_timeout(reads, 60);
    tcase_add_loop_test(reads, what_is_there_is_read, 0, 2);
    tcase_add_loop_test(reads, what_is_absent_comes_with_a_sequence, 0, 2);
    tcase_add_loop_test(reads, an_expired_value_that_is_replaced_meanwhile_is_read_again, 0, 2);
    tcase_add_test(reads, a_read_that_begins_again_can_be_cancelled);
    tcase_add_loop_test(reads, a_record_of_another_key_is_nothing, 0, 2);
    tcase_add_loop_test(reads, damage_is_found_and_harms_nobody_else, 0, 2);
    tcase_add_loop_test(reads, a_large_value_comes_in_pieces, 0, 2);
    tcase_add_loop_test(reads, damage_in_a_large_value_is_found_in_its_piece, 0, 2);
    tcase_add_loop_test(reads, a_file_that_is_short_or_gone_is_an_error_of_this_read_alone, 0, 2);
    tcase_add_test(reads, a_file_that_is_gone_is_closed_after_its_last_read);
    tcase_add_test(reads, a_cancelled_read_calls_nobody);
    tcase_add_test(reads, what_is_under_way_at_the_end_is_forgotten);
    suite_add_tcase(suite, reads);
    return suite;
}
