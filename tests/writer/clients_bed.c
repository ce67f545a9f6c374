#include "clients_bed.h"

#include "base/base_io.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "grace/grace.h"
#include "grace/grace_region.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "ring/ring_messages.h"
#include "shm/shm_doorbell.h"
#include "space/space.h"
#include "space/space_moves.h"
#include "test_dir.h"
#include "test_main.h"
#include "writer/writer.h"
#include "writer/writer_rings.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEYDIR_BYTES (64u << 20)
#define N_ALLOCATED  65536u
#define TURN_MAX_MS  10

struct client {
    struct rk_store_client *client;
    struct rk_ring *requests, *completions;
    struct rk_doorbell doorbell;
    struct rk_stats_client stats;
    int bell;
};

static char *dir;
static struct rk_log_store *store;
static struct rk_log_writer *log_writer;
static struct rk_grace_region *region;
static struct rk_grace_writer *grace;
static struct rk_grace_agent *agent;
static struct rk_keydir_writer *keydir;
static struct rk_space *space;
static struct rk_stats_writer *stats;
static struct rk_writer_rings *rings;
static struct rk_writer *writer;
static struct rk_doorbell writer_doorbell;
static _Atomic uint64_t last_sequence;
static int writer_bell, notice_bell;
static struct rk_io_ops ops;
static struct client clients[BED_CLIENTS];
static pthread_mutex_t allocated_lock = PTHREAD_MUTEX_INITIALIZER;
static void *allocated[N_ALLOCATED];
static size_t n_allocated;
struct bed_disk bed_disk;

static void *allocate(void *arena, size_t size)
{
    void *bytes = malloc(size);

    pthread_mutex_lock(&allocated_lock);
    ck_assert(n_allocated < N_ALLOCATED);
    allocated[n_allocated++] = bytes;
    pthread_mutex_unlock(&allocated_lock);
    return bytes;
}

const struct rk_store_arena bed_arena = { allocate, NULL };

static ssize_t counted_preadv2(int fd, const struct iovec *iov, int n_iov, off_t offset, int flags)
{
    atomic_fetch_add(&bed_disk.n_reads, 1);
    if (!atomic_load(&bed_disk.cold))
        return rk_io_kernel_ops.preadv2(fd, iov, n_iov, offset, 0);
    errno = EAGAIN;
    return -1;
}

/* What is synced here never has to survive a power failure. */
static int steered_fdatasync(int fd)
{
    struct pollfd nothing = { .fd = -1 };

    atomic_fetch_add(&bed_disk.n_syncs, 1);
    atomic_fetch_add(&bed_disk.n_held, 1);
    while (atomic_load(&bed_disk.hold_syncs))
        (void)poll(&nothing, 1, 1);
    if (!atomic_load(&bed_disk.fail_syncs))
        return 0;
    errno = EIO;
    return -1;
}

static int sync_nothing(int fd)
{
    return 0;
}

static void open_log(void)
{
    ck_assert_int_eq(rk_log_store_open(&store, dir, NULL), RK_OK);
    ck_assert_int_eq(
        rk_log_writer_open(&log_writer, store,
                           &(struct rk_log_writer_settings){ .file_size_bytes = 64 << 20, .next_sequence = 1 }, NULL),
        RK_OK);
}

static void open_shared(void)
{
    region = aligned_alloc(64, rk_grace_region_bytes(1));
    memset(region, 0, rk_grace_region_bytes(1));
    grace = rk_grace_writer_create(region, 1);
    rk_grace_writer_slot_open(grace, 0, 1);
    ck_assert_int_eq(rk_grace_agent_start(&agent, region, 0, NULL), RK_OK);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, grace, NULL), RK_OK);
    space = rk_space_create();
    stats = aligned_alloc(64, (sizeof *stats + 63) / 64 * 64);
    memset(stats, 0, sizeof *stats);
    writer_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    notice_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_store(&last_sequence, 0);
}

static void open_client(struct client *client, unsigned slot, uint64_t ring_bytes)
{
    client->requests = aligned_alloc(4096, rk_ring_bytes(ring_bytes));
    client->completions = aligned_alloc(4096, rk_ring_bytes(RK_RING_COMPLETION_BYTES));
    client->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    memset(&client->stats, 0, sizeof client->stats);
    rk_writer_rings_open(rings, slot,
                         &(struct rk_writer_slot){ .requests = client->requests,
                                                   .completions = client->completions,
                                                   .ring_bytes = ring_bytes,
                                                   .doorbell = &client->doorbell,
                                                   .event_fd = client->bell },
                         1);
    ck_assert_int_eq(rk_store_client_create(&client->client,
                                            &(struct rk_store_client_settings){
                                                .keydir = rk_keydir_writer_reader(keydir),
                                                .hash_key = rk_log_store_identity(store)->hash_key,
                                                .data_dir_fd = rk_log_store_dir_fd(store),
                                                .requests = client->requests,
                                                .completions = client->completions,
                                                .ring_bytes = ring_bytes,
                                                .writer_doorbell = &writer_doorbell,
                                                .writer_event_fd = writer_bell,
                                                .own_event_fd = client->bell,
                                                .last_sequence = &last_sequence,
                                                .n_reader_threads = 2,
                                                .max_open_files = 16,
                                                .stats = &client->stats,
                                            },
                                            NULL),
                     RK_OK);
}

static void start_writer(bool sync_before_publish)
{
    writer = rk_writer_create(&(struct rk_writer_settings){
        .keydir = keydir,
        .grace = grace,
        .space = space,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .sync_before_publish = sync_before_publish,
        .doorbell = &writer_doorbell,
        .event_fd = writer_bell,
        .notice_event_fd = notice_bell,
        .last_sequence = &last_sequence,
        .stats = stats,
        .source = rk_writer_rings_source(rings),
    });
    ck_assert_int_eq(rk_writer_start(writer, log_writer, NULL), RK_OK);
}

void bed_setup(const struct bed_settings *settings)
{
    uint64_t ring_bytes = settings->ring_bytes != 0 ? settings->ring_bytes : 1 << 20;

    rk_grace_register_thread();
    memset(&bed_disk, 0, sizeof bed_disk);
    ops = rk_io_kernel_ops;
    ops.preadv2 = counted_preadv2;
    if (!settings->really_syncs) {
        ops.fdatasync = steered_fdatasync;
        ops.fsync = sync_nothing;
    }
    rk_io = &ops;
    dir = test_dir_create();
    open_log();
    open_shared();
    rings = rk_writer_rings_create(BED_CLIENTS, writer_bell, notice_bell);
    for (unsigned i = 0; i < BED_CLIENTS; i++)
        open_client(&clients[i], i, ring_bytes);
    start_writer(settings->sync_before_publish);
    atomic_store(&bed_disk.n_syncs, 0);
}

static void close_client(struct client *client)
{
    rk_store_client_destroy(&client->client);
    free(client->requests);
    free(client->completions);
    close(client->bell);
}

void bed_teardown(void)
{
    atomic_store(&bed_disk.hold_syncs, false);
    rk_writer_destroy(&writer);
    for (unsigned i = 0; i < BED_CLIENTS; i++)
        close_client(&clients[i]);
    rk_writer_rings_destroy(&rings);
    rk_keydir_writer_destroy(&keydir);
    rk_grace_unregister_thread();
    rk_grace_agent_stop(&agent);
    rk_grace_writer_destroy(&grace);
    rk_space_destroy(&space);
    (void)rk_log_writer_close(&log_writer); /* a test may have broken it */
    rk_log_store_close(&store);
    rk_io = &rk_io_kernel_ops;
    free(region);
    free(stats);
    close(writer_bell);
    close(notice_bell);
    test_dir_remove(&dir);
    while (n_allocated > 0)
        free(allocated[--n_allocated]);
}

struct rk_store_client *bed_client(unsigned number)
{
    return clients[number].client;
}

struct rk_stats_client *bed_client_stats(unsigned number)
{
    return &clients[number].stats;
}

struct rk_stats_writer *bed_writer_stats(void)
{
    return stats;
}

void bed_turn(unsigned number)
{
    struct client *client = &clients[number];
    struct pollfd bell = { .fd = client->bell, .events = POLLIN };

    rk_store_client_flush(client->client);
    rk_doorbell_arm(&client->doorbell);
    if (!rk_store_client_waiting(client->client) && poll(&bell, 1, TURN_MAX_MS) > 0)
        rk_doorbell_drain(client->bell);
    rk_doorbell_disarm(&client->doorbell);
    ck_assert_int_eq(rk_store_client_poll(client->client), RK_OK);
    rk_store_client_flush(client->client);
}

void bed_on_done(void *context, const struct rk_store_write_result *result)
{
    struct bed_told *told = context;

    told->result = *result;
    atomic_fetch_add(&told->n_calls, 1);
}

void bed_wait(unsigned number, struct bed_told *told)
{
    while (atomic_load(&told->n_calls) == 0) /* the test's own limit ends it */
        bed_turn(number);
}

struct rk_store_write_result bed_write(unsigned number, const char *key, const char *value, uint64_t expiry_ms)
{
    struct rk_store_write write = { .is_delete = value == NULL,
                                    .key = key,
                                    .key_len = strlen(key),
                                    .value = value,
                                    .value_len = value != NULL ? strlen(value) : 0,
                                    .expiry_ms = expiry_ms };
    struct bed_told told = { 0 };
    rk_store_ticket ticket;

    ck_assert_int_eq(rk_store_client_write(clients[number].client, &write, bed_on_done, &told, &ticket), RK_OK);
    bed_wait(number, &told);
    return told.result;
}

struct got {
    unsigned n_calls;
    enum rk_err err;
    struct rk_store_value value;
};

static void on_got(void *context, enum rk_err err, const struct rk_store_value *value)
{
    struct got *got = context;

    *got = (struct got){ .n_calls = got->n_calls + 1, .err = err, .value = *value };
}

const char *bed_get(unsigned number, const char *key, struct rk_store_value *value_out)
{
    struct got got = { .n_calls = 0 };
    rk_store_ticket ticket;
    char *text;

    got.err =
        rk_store_client_get(clients[number].client, key, strlen(key), &bed_arena, &got.value, on_got, &got, &ticket);
    while (got.err == RK_ERR_AGAIN)
        bed_turn(number);
    if (value_out != NULL)
        *value_out = got.value;
    if (got.err == RK_ERR_NOT_FOUND)
        return NULL;
    ck_assert_int_eq(got.err, RK_OK);
    if (got.value.source != NULL)
        return "";
    text = allocate(NULL, got.value.value_len + 1);
    memcpy(text, got.value.value, got.value.value_len);
    text[got.value.value_len] = '\0';
    return text;
}

struct move {
    const char *key;
    bool was_there;
};

/* A second name for the file is a copy of it that reads the same. */
static void move_key(void *context)
{
    struct move *move = context;
    struct rk_fingerprint fingerprint =
        rk_keydir_fingerprint(move->key, strlen(move->key), rk_log_store_identity(store)->hash_key);
    uint64_t from = rk_keydir_writer_lookup(keydir, fingerprint);
    struct rk_location place = rk_disk_location_decode(from);
    char name[RK_DISK_FILE_NAME_BYTES], copy_name[RK_DISK_FILE_NAME_BYTES];
    struct rk_space_moves_entry entry = { .fingerprint_high = fingerprint.high,
                                          .fingerprint_low = fingerprint.low,
                                          .kind = RK_SPACE_MOVES_RECORD,
                                          .from = from };

    move->was_there = from != 0;
    if (from == 0)
        return;
    rk_disk_file_name(name, place.file_number);
    place.file_number += BED_MOVED_BY;
    rk_disk_file_name(copy_name, place.file_number);
    (void)linkat(rk_log_store_dir_fd(store), name, rk_log_store_dir_fd(store), copy_name, 0); /* or it is there */
    rk_space_note_expiry(space, place.file_number,
                         rk_space_file(space, place.file_number - BED_MOVED_BY).first_expiry_s);
    entry.to = rk_disk_location_encode(place);
    rk_space_moves_apply(&entry, 1, keydir, space);
}

bool bed_move(const char *key)
{
    struct move move = { .key = key };

    ck_assert_int_eq(rk_writer_call(writer, move_key, &move), RK_OK);
    return move.was_there;
}
