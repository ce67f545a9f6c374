/* The compactor beside a real writer thread: what it is asked for, what it does by itself, and how it stops. Readers
 * read all the time: whatever they find in the keydir must be there. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "grace/grace.h"
#include "grace/grace_region.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "list_source.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "ring/ring_messages.h"
#include "shm/shm_doorbell.h"
#include "space/space.h"
#include "stats/stats_block.h"
#include "test_dir.h"
#include "test_main.h"
#include "writer/writer.h"
#include "writer/writer_batch.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define N_KEYS       200u
#define VALUE_BYTES  1000u
#define FILE_BYTES   65536u
#define KEYDIR_BYTES (8u << 20)
#define DEADLINE_NS  (20 * RK_NS_PER_S)
#define N_SLOTS      1u

static char *dir;
static struct rk_log_store *store;
static struct rk_log_writer *log_writer;
static struct rk_keydir_writer *keydir;
static struct rk_space *space;
static struct rk_grace_region *region;
static struct rk_grace_writer *grace;
static struct rk_writer_batch *batch;
static struct rk_writer *writer;
static struct rk_compactor *compactor;
static struct rk_stats_block *stats;
static struct rk_doorbell doorbell;
static int writer_bell, notice_bell;
static _Atomic uint64_t last_sequence, files_edition;
static _Atomic bool stopping;
static pthread_t reader;
static struct rk_grace_agent *reader_agent;
static struct list_source *source;
static unsigned round_number;
static uint64_t expiry_ms; /* of what is put; 0: none */

static void on_answer(void *context, unsigned slot, const struct rk_ring_completion *completion)
{
    ck_assert_int_eq(completion->err, RK_OK);
}

static void on_published(void *context, uint64_t sequence)
{
}

static void make_key(char key[16], unsigned number)
{
    snprintf(key, 16, "key-%u", number);
}

static void put(unsigned number)
{
    static _Alignas(16) uint8_t message[2048];
    char key[16], value[VALUE_BYTES];
    struct rk_record_parts parts = {
        .type = RK_RECORD_PUT, .key = key, .value = value, .value_len = VALUE_BYTES, .expiry_ms = expiry_ms
    };
    uint64_t record_bytes;

    make_key(key, number);
    memset(value, (int)('a' + round_number % 26), sizeof value);
    parts.key_len = (uint16_t)strlen(key);
    record_bytes = rk_record_size(parts.key_len, 0, parts.value_len, expiry_ms != 0);
    memset(message, 0, sizeof message);
    *(struct rk_ring_request *)(void *)message = (struct rk_ring_request){ .ticket = 1, .record_bytes = record_bytes };
    (void)rk_record_build(message + sizeof(struct rk_ring_request), &parts);
    ck_assert_int_eq(rk_writer_batch_add(batch, 0, message, sizeof(struct rk_ring_request) + record_bytes, 1), RK_OK);
    rk_writer_batch_commit(batch);
}

/* Writer thread, as all that changes the store. */
static void put_all(void *unused)
{
    round_number++;
    for (unsigned i = 0; i < N_KEYS; i++)
        put(i);
}

static void write_rounds(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(rk_writer_call(writer, put_all, NULL), RK_OK);
}

/* Keys that nobody reads, new ones each time, whose expiry is past. */
static void put_expired(void *unused)
{
    static unsigned n_rounds;

    n_rounds++;
    expiry_ms = 1;
    for (unsigned i = 0; i < N_KEYS; i++)
        put(n_rounds * N_KEYS + i);
    expiry_ms = 0;
}

static void write_expired(void)
{
    ck_assert_int_eq(rk_writer_call(writer, put_expired, NULL), RK_OK);
}

static void read_key(unsigned number)
{
    char key[16], name[RK_DISK_FILE_NAME_BYTES];
    struct rk_location location;
    struct rk_record_view view;
    uint8_t bytes[2048];
    uint64_t word;
    int fd;

    make_key(key, number);
    rk_grace_read_lock();
    word = rk_keydir_lookup_rcu(rk_keydir_writer_reader(keydir),
                                rk_keydir_fingerprint(key, strlen(key), rk_log_store_identity(store)->hash_key));
    if (word == 0) {
        rk_grace_read_unlock();
        ck_assert_msg(round_number == 0, "key %u is gone", number);
        return;
    }
    location = rk_disk_location_decode(word);
    rk_disk_file_name(name, location.file_number);
    fd = openat(rk_log_store_dir_fd(store), name, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s is gone inside of a read section", name);
    rk_grace_read_unlock();
    ck_assert_int_eq(pread(fd, bytes, location.size_bytes, (off_t)location.offset_bytes), location.size_bytes);
    close(fd);
    ck_assert_int_eq(rk_record_decode(bytes, location.size_bytes, &rk_log_store_identity(store)->secret, &view), RK_OK);
    ck_assert(view.header.key_len == strlen(key) && memcmp(view.key, key, strlen(key)) == 0);
}

static void *read_all(void *unused)
{
    uint32_t random = 1;

    rk_grace_register_thread();
    while (!atomic_load(&stopping)) {
        random = random * 1664525 + 1013904223;
        read_key((random >> 8) % N_KEYS);
    }
    rk_grace_unregister_thread();
    return NULL;
}

static void open_writer(void)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES, .next_sequence = 1 };

    ck_assert_int_eq(rk_log_store_open(&store, dir, NULL), RK_OK);
    ck_assert_int_eq(rk_log_writer_open(&log_writer, store, &settings, NULL), RK_OK);
    region = aligned_alloc(64, rk_grace_region_bytes(N_SLOTS + 1));
    memset(region, 0, rk_grace_region_bytes(N_SLOTS + 1));
    grace = rk_grace_writer_create(region, N_SLOTS + 1);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, grace, NULL), RK_OK);
    space = rk_space_create();
    stats = aligned_alloc(64, rk_stats_block_bytes(N_SLOTS));
    memset(stats, 0, rk_stats_block_bytes(N_SLOTS));
    batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = log_writer,
        .keydir = keydir,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .space = space,
        .stats = &stats->writer,
        .answer = on_answer,
        .published = on_published,
    });
    writer_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    source = list_source_create(writer_bell);
    writer = rk_writer_create(&(struct rk_writer_settings){
        .keydir = keydir,
        .grace = grace,
        .space = space,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .doorbell = &doorbell,
        .event_fd = writer_bell,
        .notice_event_fd = notice_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .last_sequence = &last_sequence,
        .stats = &stats->writer,
        .source = list_source_of(source),
    });
    ck_assert_int_eq(rk_writer_start(writer, log_writer, NULL), RK_OK);
    ck_assert_uint_gt(rk_counter_get(&stats->writer.keydir_max_bytes), 0); /* figures are there from the begin */
}

static void start_compactor(uint32_t check_interval_ms, uint64_t rate_bytes_per_s)
{
    struct rk_compactor_settings settings = {
        .store = store,
        .log = log_writer,
        .writer = writer,
        .keydir = keydir,
        .space = space,
        .grace = grace,
        .grace_region = region,
        .grace_slot = N_SLOTS,
        .files_edition = &files_edition,
        .stats = &stats->merge,
        .block = stats,
        .n_slots = N_SLOTS,
        .policy = { .enabled = true,
                    .trigger_fragmentation = 60,
                    .trigger_dead_bytes = 1u << 20,
                    .threshold_fragmentation = 40,
                    .threshold_dead_bytes = 1u << 20 },
        .check_interval_ms = check_interval_ms,
        .jitter_percent = 30,
        .rate_bytes_per_s = rate_bytes_per_s,
        .file_size_bytes = FILE_BYTES,
    };
    struct rk_detail detail = { "" };

    ck_assert_msg(rk_compactor_start(&compactor, &settings, &detail) == RK_OK, "%s", detail.text);
}

static void setup(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* every merge syncs */
    dir = test_dir_create();
    round_number = 0;
    open_writer();
    atomic_store(&stopping, false);
    rk_grace_writer_slot_open(grace, 0, 1);
    ck_assert_int_eq(rk_grace_agent_start(&reader_agent, region, 0, NULL), RK_OK);
    write_rounds(1);
    ck_assert_int_eq(pthread_create(&reader, NULL, read_all, NULL), 0);
}

static void teardown(void)
{
    atomic_store(&stopping, true);
    pthread_join(reader, NULL);
    rk_compactor_stop(&compactor);
    rk_writer_destroy(&writer);
    list_source_destroy(&source);
    rk_grace_agent_stop(&reader_agent);
    rk_writer_batch_destroy(&batch);
    ck_assert_int_eq(rk_log_writer_close(&log_writer), RK_OK);
    rk_keydir_writer_destroy(&keydir);
    rk_grace_writer_destroy(&grace);
    rk_space_destroy(&space);
    rk_log_store_close(&store);
    free(region);
    free(stats);
    close(writer_bell);
    close(notice_bell);
    test_dir_remove(&dir);
}

static void wait_until_idle(void)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    while (rk_compactor_status(compactor).current.id != 0) {
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "the merge does not end");
        (void)poll(NULL, 0, 1); /* a pause */
    }
}

static enum rk_err request(const uint32_t *files, size_t n_files, bool all, uint64_t *id_out)
{
    struct rk_compactor_merge_request merge = { .files = files, .n_files = n_files, .all = all };
    struct rk_detail detail = { "" };
    enum rk_err err = rk_compactor_request(compactor, &merge, id_out, &detail);

    ck_assert(err == RK_OK || detail.text[0] != '\0');
    return err;
}

static struct rk_compactor_merge_report last_merge(void)
{
    struct rk_compactor_merge_report reports[RK_COMPACTOR_MERGE_HISTORY];

    ck_assert_uint_ge(rk_compactor_history(compactor, reports), 1);
    return reports[0];
}

/* Each file's columns, frame and preallocated bytes are its size. */
static void check_files(uint64_t *dead_out)
{
    struct rk_compactor_file_report *files = NULL;
    size_t n_files = 0;

    *dead_out = 0;
    ck_assert_int_eq(rk_compactor_files(compactor, &files, &n_files, NULL), RK_OK);
    for (size_t i = 0; i < n_files; i++) {
        uint64_t sum = files[i].frame_bytes + files[i].preallocated_bytes;

        for (size_t column = 0; column < 5; column++)
            sum += files[i].bytes[column];
        ck_assert_uint_eq(sum, files[i].file.file_bytes);
        ck_assert_int_eq(files[i].file.is_active, i == n_files - 1);
        *dead_out += files[i].file.dead_bytes;
    }
    free(files);
}

START_TEST(everything_is_merged_when_asked_for)
{
    struct rk_compactor_merge_report report;
    uint64_t id = 0, dead = 0, edition = atomic_load(&files_edition);

    start_compactor(3600000, 0);
    write_rounds(4);
    check_files(&dead);
    ck_assert_uint_gt(dead, 0);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    ck_assert_uint_eq(id, 1);
    wait_until_idle();
    report = last_merge();
    ck_assert_msg(report.state == RK_COMPACTOR_MERGE_DONE, "%s", report.why);
    ck_assert_uint_eq(report.n_records, N_KEYS);
    ck_assert_uint_eq(report.n_dropped, 4 * N_KEYS);
    ck_assert_uint_gt(report.reclaimed_bytes, 0);
    ck_assert_uint_eq(report.read_bytes, report.total_bytes);
    ck_assert_uint_gt(atomic_load(&files_edition), edition);
    check_files(&dead);
    ck_assert_uint_eq(dead, 0);
    ck_assert_uint_eq(rk_counter_get(&stats->merge.done), 1);
    ck_assert_uint_eq(rk_counter_get(&stats->merge.running), 0);
    ck_assert_int_eq(request(NULL, 0, false, &id), RK_ERR_NOT_FOUND);
}
END_TEST

START_TEST(it_merges_by_itself_what_the_policy_finds)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    start_compactor(10, 0);
    for (uint64_t n = 1; n <= 5; n++) {
        write_rounds(3);
        while (rk_counter_get(&stats->merge.done) < n) {
            ck_assert_msg(rk_time_monotonic_ns() < deadline, "nothing is merged");
            (void)poll(NULL, 0, 1); /* a pause */
        }
        ck_assert_uint_eq(rk_counter_get(&stats->merge.failed), 0);
    }
    wait_until_idle();
    ck_assert(last_merge().by_policy);
}
END_TEST

START_TEST(files_that_cannot_be_merged_are_refused)
{
    uint32_t active = rk_log_writer_file_number(log_writer), unknown = 4711, first = rk_log_store_file(store, 0);
    uint32_t twice[2] = { first, first };
    uint64_t id = 0;

    start_compactor(3600000, 0);
    ck_assert_int_eq(request(&active, 1, false, &id), RK_ERR_INVALID);
    ck_assert_int_eq(request(&unknown, 1, false, &id), RK_ERR_INVALID);
    ck_assert_int_eq(rk_compactor_cancel(compactor), RK_ERR_NOT_FOUND);
    ck_assert_int_eq(request(twice, 2, false, &id), RK_OK);
    wait_until_idle();
    ck_assert_int_eq(last_merge().state, RK_COMPACTOR_MERGE_DONE);
}
END_TEST

START_TEST(a_paused_compactor_starts_nothing)
{
    uint64_t id = 0;

    start_compactor(3600000, 0);
    write_rounds(2);
    rk_compactor_pause(compactor);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_ERR_BUSY);
    ck_assert_int_eq(rk_compactor_status(compactor).current.state, RK_COMPACTOR_MERGE_WAITING);
    ck_assert(rk_compactor_status(compactor).paused);
    rk_compactor_resume(compactor);
    wait_until_idle();
    ck_assert_int_eq(last_merge().state, RK_COMPACTOR_MERGE_DONE);
}
END_TEST

START_TEST(a_slow_merge_is_cancelled_and_another_one_finishes)
{
    uint64_t id = 0, deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    start_compactor(3600000, 1000); /* bytes a second: it takes half a minute */
    write_rounds(3);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    while (rk_compactor_status(compactor).current.state != RK_COMPACTOR_MERGE_RUNNING)
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "the merge does not start");
    ck_assert_int_eq(rk_compactor_cancel(compactor), RK_OK);
    wait_until_idle();
    ck_assert_int_eq(last_merge().state, RK_COMPACTOR_MERGE_CANCELLED);
    rk_compactor_set_rate(compactor, 0, false);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    wait_until_idle();
    ck_assert_int_eq(last_merge().state, RK_COMPACTOR_MERGE_DONE);
    ck_assert_uint_eq(last_merge().id, 2);
}
END_TEST

START_TEST(it_ends_in_the_middle_of_a_merge)
{
    uint64_t id = 0;

    start_compactor(3600000, 5000);
    write_rounds(10);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    rk_compactor_stop(&compactor); /* must not wait for the rate */
    start_compactor(3600000, 0);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    wait_until_idle();
    ck_assert_int_eq(last_merge().state, RK_COMPACTOR_MERGE_DONE);
}
END_TEST

/* For the policy each is as much of a tombstone as may have to stay in its place. */
static uint64_t expired_records(struct rk_detail *note_out)
{
    struct rk_compactor_file_report *files = NULL;
    size_t n_files = 0;
    uint64_t n = 0, dead;

    check_files(&dead);
    ck_assert_int_eq(rk_compactor_files(compactor, &files, &n_files, note_out), RK_OK);
    for (size_t i = 0; i < n_files; i++) {
        n += files[i].n_records[RK_SPACE_EXPIRED];
        ck_assert_uint_eq(files[i].file.tombstone_bytes, files[i].n_records[RK_SPACE_EXPIRED] * 48);
    }
    free(files);
    return n;
}

static void check_expired(uint64_t n_expected, const char *note_expected)
{
    struct rk_detail note = { "?" };

    ck_assert_uint_eq(expired_records(&note), n_expected);
    if (note_expected[0] == '\0')
        ck_assert_str_eq(note.text, "");
    else
        ck_assert_msg(strstr(note.text, note_expected) != NULL, "%s", note.text);
}

START_TEST(who_asks_for_the_files_is_told_what_has_expired)
{
    start_compactor(3600000, 0);
    check_expired(0, "");
    for (unsigned i = 1; i <= 3; i++) {
        if (i == 3) /* a pause is of merges */
            rk_compactor_pause(compactor);
        write_expired();
        check_expired(i * N_KEYS, "");
        ck_assert_uint_eq(rk_counter_get(&stats->merge.expired_records), i * N_KEYS);
    }
}
END_TEST

/* What a look finds is dead, as what a flood of writes has overwritten; that makes merges hurry. */
START_TEST(a_look_does_not_hurry_for_what_it_finds)
{
    uint64_t dead;

    start_compactor(3600000, 0);
    for (unsigned i = 0; i < 10; i++)
        write_expired();
    check_files(&dead); /* looks once */
    ck_assert_uint_gt(dead, 5 * N_KEYS * VALUE_BYTES);
    ck_assert_uint_eq(compactor->pace.patience_percent, 100);
}
END_TEST

START_TEST(a_paused_compactor_looks_all_the_same)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    start_compactor(10, 0);
    rk_compactor_pause(compactor);
    write_expired();
    while (rk_counter_get(&stats->merge.expired_records) < N_KEYS) {
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "nobody looks");
        (void)poll(NULL, 0, 1); /* a pause */
    }
    ck_assert_uint_eq(rk_counter_get(&stats->merge.done), 0);
}
END_TEST

START_TEST(what_expires_is_merged_without_being_asked)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;
    uint64_t live_bytes = rk_space_total(space).bytes[RK_SPACE_LIVE];

    write_expired();
    write_expired();
    start_compactor(10, 0);
    while (rk_counter_get(&stats->merge.reclaimed_bytes) < live_bytes) {
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "nothing is merged");
        (void)poll(NULL, 0, 1); /* a pause */
    }
    wait_until_idle();
    ck_assert(last_merge().by_policy);
    ck_assert_uint_eq(rk_counter_get(&stats->merge.failed), 0);
}
END_TEST

/* It has looked up what it copies: what goes meanwhile would be wrong. */
START_TEST(nobody_waits_for_a_look_while_a_merge_runs)
{
    uint64_t id = 0, deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    start_compactor(3600000, 1000); /* bytes a second: it takes minutes */
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    while (rk_compactor_status(compactor).current.state != RK_COMPACTOR_MERGE_RUNNING)
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "the merge does not start");
    write_expired();
    check_expired(0, "a merge runs");
    ck_assert_int_eq(rk_compactor_status(compactor).current.state, RK_COMPACTOR_MERGE_RUNNING);
    ck_assert_int_eq(rk_compactor_cancel(compactor), RK_OK);
    wait_until_idle();
    check_expired(N_KEYS, "");
}
END_TEST

/* The writer thread does nothing else until the test lets it go on. */
static sem_t writer_stands, writer_may_go_on;

static void hold_writer(void *unused)
{
    (void)sem_post(&writer_stands); /* cannot fail: it is the first */
    while (sem_wait(&writer_may_go_on) != 0)
        ;
}

static void *have_writer_held(void *unused)
{
    return (void *)(intptr_t)rk_writer_call(writer, hold_writer, NULL);
}

/* The note. */
static void *ask_for_files(void *note)
{
    struct rk_compactor_file_report *files = NULL;
    size_t n_files = 0;
    enum rk_err err = rk_compactor_files(compactor, &files, &n_files, note);

    free(files);
    return (void *)(intptr_t)err;
}

START_TEST(at_the_end_nobody_waits_for_a_look)
{
    struct rk_detail note = { "" };
    pthread_t holder, asker;
    void *held, *asked;

    start_compactor(3600000, 0);
    write_expired();
    ck_assert_int_eq(sem_init(&writer_stands, 0, 0), 0);
    ck_assert_int_eq(sem_init(&writer_may_go_on, 0, 0), 0);
    ck_assert_int_eq(pthread_create(&holder, NULL, have_writer_held, NULL), 0);
    ck_assert_int_eq(sem_wait(&writer_stands), 0);
    ck_assert_int_eq(pthread_create(&asker, NULL, ask_for_files, &note), 0);
    rk_compactor_dismiss(compactor);
    ck_assert_int_eq(sem_post(&writer_may_go_on), 0);
    ck_assert_int_eq(pthread_join(holder, &held), 0);
    ck_assert_int_eq(pthread_join(asker, &asked), 0);
    ck_assert_ptr_null(held); /* RK_OK */
    ck_assert_ptr_null(asked);
    ck_assert_str_eq(note.text, "the server ends");
    (void)sem_destroy(&writer_stands); /* nobody waits */
    (void)sem_destroy(&writer_may_go_on);
}
END_TEST

static void roll(void *unused)
{
    ck_assert_int_eq(rk_log_writer_roll(log_writer), RK_OK);
}

/* A file of its own with keys that have expired, whose first record is damaged: each look begins with it again. */
static void write_damaged(void)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    int fd;

    ck_assert_int_eq(rk_writer_call(writer, roll, NULL), RK_OK); /* nobody reads the next one */
    rk_disk_file_name(name, rk_log_writer_file_number(log_writer));
    write_expired();
    fd = openat(rk_log_store_dir_fd(store), name, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "?", 1, 2 * RK_DISK_FILE_FRAME_BYTES), 1);
    close(fd);
}

START_TEST(a_file_that_cannot_be_looked_at_is_told)
{
    struct rk_detail note = { "" };

    start_compactor(3600000, 0);
    write_damaged();
    ck_assert_uint_lt(expired_records(&note), N_KEYS);
    ck_assert_msg(strstr(note.text, "damaged at byte 80") != NULL, "%s", note.text);
}
END_TEST

/* While a look is under way somebody asks for the next one, and does not wait for it. */
static int ask_and_open(int dir_fd, const char *name, int flags, mode_t mode)
{
    if (compactor != NULL) {
        rk_compactor_lock(compactor);
        compactor->looks_wanted++;
        rk_compactor_unlock(compactor);
    }
    return rk_io_kernel_ops.open_at(dir_fd, name, flags, mode);
}

START_TEST(who_asks_all_the_time_keeps_no_merge_away)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;
    const struct rk_io_ops *before = rk_io;
    struct rk_io_ops ops = *rk_io;
    uint64_t dead;

    write_rounds(4);
    write_damaged();
    ops.open_at = ask_and_open;
    rk_io = &ops;
    start_compactor(300, 0);
    check_files(&dead); /* the first one */
    while (rk_counter_get(&stats->merge.done) == 0 && rk_time_monotonic_ns() < deadline)
        (void)poll(NULL, 0, 1); /* a pause */
    rk_compactor_stop(&compactor);
    rk_io = before;
    ck_assert_uint_gt(rk_counter_get(&stats->merge.done), 0);
}
END_TEST

/* How many of our descriptors are of data files that are unlinked. */
static unsigned count_gone_files(void)
{
    char link[64], path[512];
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++) {
        ssize_t length;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        length = readlink(link, path, sizeof path - 1);
        if (length <= 0)
            continue;
        path[length] = '\0';
        n += strstr(path, ".data (deleted)") != NULL;
    }
    return n;
}

START_TEST(it_closes_the_inputs_after_everybody_else)
{
    uint64_t id = 0, deadline = rk_time_monotonic_ns() + DEADLINE_NS, edition = atomic_load(&files_edition);

    start_compactor(3600000, 0);
    write_rounds(2);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    while (atomic_load(&files_edition) == edition)
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "no file goes");
    ck_assert_uint_gt(count_gone_files(), 0); /* workers close theirs now, which costs them nothing */
    wait_until_idle();
    while (count_gone_files() > 0) {
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "they stay open");
        (void)poll(NULL, 0, 10); /* a pause */
    }
}
END_TEST

/* A disk that is full of what is unlinked and still open. */
static int fstatvfs_of_full_disk(int fd, struct statvfs *status_out)
{
    memset(status_out, 0, sizeof *status_out);
    status_out->f_frsize = 4096;
    status_out->f_bavail = count_gone_files() > 0 ? 0 : 1u << 20;
    return 0;
}

START_TEST(what_is_kept_open_is_room_for_the_next_file)
{
    const struct rk_io_ops *before = rk_io;
    struct rk_io_ops ops = *rk_io;
    uint64_t id = 0;

    ops.fstatvfs = fstatvfs_of_full_disk;
    start_compactor(3600000, 0);
    write_rounds(2);
    rk_io = &ops;
    for (unsigned i = 0; i < 2; i++) { /* the second one finds what the first one keeps */
        ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
        wait_until_idle();
        ck_assert_msg(last_merge().state == RK_COMPACTOR_MERGE_DONE, "%s", last_merge().why);
        ck_assert_uint_gt(last_merge().n_records, 0);
        if (i == 0)
            write_rounds(1);
    }
    rk_io = before;
}
END_TEST

/* The scheduling class of the thread of that name; -1: there is none. */
static int class_of_thread(const char *wanted)
{
    DIR *tasks = opendir("/proc/self/task");
    int class = -1;

    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], name[32] = "";
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%31s", name) == 1 && strcmp(name, wanted) == 0)
            class = sched_getscheduler((pid_t)strtol(entry->d_name, NULL, 10));
        fclose(file);
    }
    closedir(tasks);
    return class;
}

START_TEST(only_the_gate_is_of_the_idle_class)
{
    uint64_t id = 0, deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    start_compactor(3600000, 0);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    wait_until_idle();
    while (class_of_thread("rk-gate") != SCHED_IDLE) { /* it says so itself, when it has begun */
        ck_assert_msg(rk_time_monotonic_ns() < deadline, "class %d", class_of_thread("rk-gate"));
        (void)poll(NULL, 0, 10); /* a pause */
    }
    ck_assert_int_eq(class_of_thread("rk-compactor"), SCHED_BATCH); /* it has locks that the writer waits for */
    ck_assert_int_eq(class_of_thread("rk-writer"), SCHED_OTHER);
}
END_TEST

static void merge_among_requests(bool paced)
{
    uint64_t id = 0;

    rk_compactor_set_rate(compactor, 0, paced);
    write_rounds(20);
    ck_assert_int_eq(request(NULL, 0, true, &id), RK_OK);
    while (rk_compactor_status(compactor).current.id != 0) {
        rk_counter_add(&stats->slots[0].client.hits, 1);
        (void)poll(NULL, 0, 1); /* a request each millisecond */
    }
    ck_assert_int_eq(last_merge().state, RK_COMPACTOR_MERGE_DONE);
}

START_TEST(merges_end_whatever_the_pace)
{
    start_compactor(3600000, 0);
    merge_among_requests(true);
    merge_among_requests(false);
    ck_assert_uint_eq(rk_counter_get(&stats->merge.done), 2);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store compactor");
    TCase *tcase = tcase_create("compactor");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, everything_is_merged_when_asked_for);
    tcase_add_test(tcase, it_merges_by_itself_what_the_policy_finds);
    tcase_add_test(tcase, files_that_cannot_be_merged_are_refused);
    tcase_add_test(tcase, a_paused_compactor_starts_nothing);
    tcase_add_test(tcase, a_slow_merge_is_cancelled_and_another_one_finishes);
    tcase_add_test(tcase, who_asks_for_the_files_is_told_what_has_expired);
    tcase_add_test(tcase, a_look_does_not_hurry_for_what_it_finds);
    tcase_add_test(tcase, who_asks_all_the_time_keeps_no_merge_away);
    tcase_add_test(tcase, a_paused_compactor_looks_all_the_same);
    tcase_add_test(tcase, what_expires_is_merged_without_being_asked);
    tcase_add_test(tcase, nobody_waits_for_a_look_while_a_merge_runs);
    tcase_add_test(tcase, at_the_end_nobody_waits_for_a_look);
    tcase_add_test(tcase, a_file_that_cannot_be_looked_at_is_told);
    tcase_add_test(tcase, it_closes_the_inputs_after_everybody_else);
    tcase_add_test(tcase, what_is_kept_open_is_room_for_the_next_file);
    tcase_add_test(tcase, only_the_gate_is_of_the_idle_class);
    tcase_add_test(tcase, merges_end_whatever_the_pace);
    tcase_add_test(tcase, it_ends_in_the_middle_of_a_merge);
    suite_add_tcase(suite, tcase);
    return suite;
}
