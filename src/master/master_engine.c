#include "master/master_engine.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "compactor/compactor.h"
#include "conf/conf.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_hinter.h"
#include "log/log_store.h"
#include "log/log_syncer.h"
#include "log/log_writer.h"
#include "merge/merge_rescue.h"
#include "ring/ring_messages.h"
#include "space/space.h"
#include "space/space_entry.h"
#include "stats/stats_block.h"
#include "writer/writer.h"
#include "writer/writer_rings.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define HINT_INTERVAL_MS 1000 /* how soon a file that was rolled over gets its hint */

#define LOCK_TRIES    20
#define LOCK_RETRY_MS 50

_Static_assert(RK_HANDOVER_HASH_KEY_BYTES == RK_DISK_HASH_KEY_BYTES, "the board carries the store's hash key");

static size_t align_to_line(size_t size)
{
    return (size + RK_SHM_LINE_BYTES - 1) & ~(size_t)(RK_SHM_LINE_BYTES - 1);
}

/* The kernel kills the workers of a master that was killed, but not in the same instant, and they hold its lock: a
 * start right after a crash waits for them a little. */
static enum rk_err open_store(struct rk_master_engine *engine, const char *data_dir, struct rk_detail *detail)
{
    enum rk_err err = rk_log_store_open(&engine->store, data_dir, detail);

    for (unsigned i = 0; err == RK_ERR_BUSY && i < LOCK_TRIES; i++) {
        (void)poll(NULL, 0, LOCK_RETRY_MS); /* a pause */
        err = rk_log_store_open(&engine->store, data_dir, detail);
    }
    return err;
}

/* Each worker gets the listening sockets of the others as well, unless they would take what it needs to serve. */
static uint32_t count_other_listeners(unsigned n_slots, uint32_t n_listeners)
{
    uint32_t n_others = (n_slots - 1) * n_listeners;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && n_others > limit.rlim_cur / 4)
        return 0;
    return n_others;
}

static void set_board_settings(struct rk_board *board, const struct rk_conf *conf, uint32_t n_listeners)
{
    board->settings = (struct rk_handover_settings){
        .max_connections = conf->http.max_connections,
        .upload_memory_bytes = conf->limits.upload_memory_bytes,
        .min_rate_bytes = conf->http.min_rate_bytes,
        .request_timeout_ms = conf->http.request_timeout_ms,
        .idle_timeout_ms = conf->http.idle_timeout_ms,
        .list_time_ms = conf->limits.list_time_ms,
        .ring_bytes = conf->ring.size_bytes,
        .max_key_bytes = (uint32_t)conf->limits.max_key_bytes,
        .max_value_bytes = (uint32_t)conf->limits.max_value_bytes,
        .max_head_bytes = (uint32_t)conf->limits.max_head_bytes,
        .max_fields = (uint32_t)conf->limits.max_fields,
        .n_reader_threads = (uint32_t)conf->worker.reader_threads,
        .n_listeners = n_listeners,
        .n_other_listeners = count_other_listeners(board->n_slots, n_listeners),
        .legacy = conf->http.legacy,
    };
}

static struct rk_grace_region *grace_region_of(const struct rk_master_engine *engine)
{
    return (struct rk_grace_region *)(engine->board_region.bytes + engine->board->grace_offset);
}

static enum rk_err open_board(struct rk_master_engine *engine, const struct rk_conf *conf, uint32_t n_listeners,
                              struct rk_detail *detail)
{
    size_t grace_offset = align_to_line(sizeof *engine->board + engine->n_slots * sizeof engine->board->slots[0]);
    size_t stats_offset = align_to_line(grace_offset + rk_grace_region_bytes(engine->n_slots + 1));
    size_t size = stats_offset + rk_stats_block_bytes(engine->n_slots);
    enum rk_err err = rk_shm_region_create(&engine->board_region, RK_SHM_BOARD, "rackkv-board", size,
                                           RK_BOARD_LAYOUT(sizeof(struct rk_stats_slot)), detail);

    if (err != RK_OK)
        return err;
    engine->board = (struct rk_board *)engine->board_region.bytes;
    engine->board->n_slots = engine->n_slots;
    engine->board->grace_offset = grace_offset;
    engine->board->stats_offset = stats_offset;
    set_board_settings(engine->board, conf, n_listeners);
    memcpy(engine->board->settings.hash_key, rk_log_store_identity(engine->store)->hash_key,
           RK_HANDOVER_HASH_KEY_BYTES);
    engine->stats = (struct rk_stats_block *)(engine->board_region.bytes + stats_offset);
    rk_stats_block_init(engine->stats, engine->n_slots);
    /* One slot more: the compactor reads, too. */
    engine->grace = rk_grace_writer_create(grace_region_of(engine), engine->n_slots + 1);
    return RK_OK;
}

static enum rk_err open_bell(int *fd_out, struct rk_detail *detail)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        rk_detail_set(detail, "making an eventfd: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    *fd_out = fd;
    return RK_OK;
}

static enum rk_err open_rings(struct rk_master_engine *engine, struct rk_detail *detail)
{
    size_t size = RK_RINGS_REQUESTS_OFFSET + rk_ring_bytes(engine->ring_bytes);
    enum rk_err err = open_bell(&engine->writer_bell, detail);

    if (err == RK_OK)
        err = open_bell(&engine->notice_fd, detail);
    for (unsigned slot = 0; err == RK_OK && slot < engine->n_slots; slot++) {
        err =
            rk_shm_region_create(&engine->rings[slot], RK_SHM_RINGS, "rackkv-rings", size, engine->ring_bytes, detail);
        if (err == RK_OK)
            err = open_bell(&engine->worker_bells[slot], detail);
    }
    return err;
}

static void create_writer(struct rk_master_engine *engine, const struct rk_conf *conf)
{
    engine->space = rk_space_create();
    engine->writer_rings = rk_writer_rings_create(engine->n_slots, engine->writer_bell, engine->notice_fd);
    engine->writer = rk_writer_create(&(struct rk_writer_settings){
        .keydir = engine->keydir,
        .grace = engine->grace,
        .space = engine->space,
        .hash_key = rk_log_store_identity(engine->store)->hash_key, /* the board's is for the workers */
        .sync_before_publish = conf->log.sync == RK_CONF_SYNC_ALWAYS,
        .doorbell = &engine->board->writer_doorbell,
        .event_fd = engine->writer_bell,
        .notice_event_fd = engine->notice_fd,
        .last_sequence = &engine->board->last_sequence,
        .stats = &engine->stats->writer,
        .source = rk_writer_rings_source(engine->writer_rings),
    });
}

enum rk_err rk_master_engine_lock(struct rk_master_engine *engine, const struct rk_conf *conf, unsigned n_slots,
                                  struct rk_detail *detail)
{
    *engine = (struct rk_master_engine){ .n_slots = n_slots,
                                         .ring_bytes = conf->ring.size_bytes,
                                         .rings = rk_mem_calloc(n_slots, sizeof *engine->rings),
                                         .worker_bells = rk_mem_calloc(n_slots, sizeof *engine->worker_bells),
                                         .writer_bell = -1,
                                         .notice_fd = -1 };
    memset(engine->worker_bells, -1, n_slots * sizeof *engine->worker_bells);
    return open_store(engine, conf->server.data_dir, detail);
}

enum rk_err rk_master_engine_open(struct rk_master_engine *engine, const struct rk_conf *conf, uint32_t n_listeners,
                                  struct rk_detail *detail)
{
    enum rk_err err = open_board(engine, conf, n_listeners, detail);

    if (err == RK_OK)
        err = open_rings(engine, detail);
    if (err == RK_OK)
        err = rk_keydir_writer_create(&engine->keydir, conf->keydir.max_bytes, engine->grace, detail);
    if (err == RK_OK)
        create_writer(engine, conf);
    return err;
}

static struct rk_merge_policy_settings merge_policy(const struct rk_master_engine *engine, const struct rk_conf *conf)
{
    return (struct rk_merge_policy_settings){
        .enabled = conf->merge.policy != RK_CONF_POLICY_NEVER,
        .trigger_fragmentation = (unsigned)conf->merge.trigger.fragmentation_percent,
        .trigger_dead_bytes = conf->merge.trigger.dead_bytes,
        .threshold_fragmentation = (unsigned)conf->merge.threshold.fragmentation_percent,
        .threshold_dead_bytes = conf->merge.threshold.dead_bytes,
        .threshold_small_file_bytes =
            rk_merge_rescue_small_file(conf->merge.threshold.small_file_bytes, engine->file_size_bytes),
    };
}

static enum rk_err start_compactor(struct rk_master_engine *engine, const struct rk_conf *conf,
                                   struct rk_detail *detail)
{
    struct rk_compactor_settings settings = {
        .store = engine->store,
        .log = engine->log,
        .writer = engine->writer,
        .keydir = engine->keydir,
        .space = engine->space,
        .grace = engine->grace,
        .grace_region = grace_region_of(engine),
        .grace_slot = engine->n_slots,
        .files_edition = &engine->board->files_edition,
        .stats = &engine->stats->merge,
        .block = engine->stats,
        .n_slots = engine->n_slots,
        .policy = merge_policy(engine, conf),
        .has_window = conf->merge.policy == RK_CONF_POLICY_WINDOW,
        .check_interval_ms = (uint32_t)conf->merge.check_interval_ms,
        .jitter_percent = (unsigned)conf->merge.jitter_percent,
        .rate_bytes_per_s = conf->merge.rate_bytes,
        .min_free_bytes = conf->merge.min_free_bytes,
        .file_size_bytes = engine->file_size_bytes,
    };

    if (settings.has_window)
        rk_conf_merge_window(conf, &settings.window_begin_minute, &settings.window_end_minute);
    return rk_compactor_start(&engine->compactor, &settings, detail);
}

enum rk_err rk_master_engine_serve(struct rk_master_engine *engine, const struct rk_conf *conf,
                                   struct rk_detail *detail)
{
    enum rk_err err = rk_writer_start(engine->writer, engine->log, detail);

    if (err != RK_OK)
        return err;
    err = rk_log_hinter_start(&engine->hinter, engine->store, rk_space_fingerprint, HINT_INTERVAL_MS, detail);
    if (err == RK_OK && conf->log.sync == RK_CONF_SYNC_INTERVAL)
        err = rk_log_syncer_start(&engine->syncer, engine->log, (uint32_t)conf->log.sync_interval_ms, detail);
    if (err == RK_OK)
        err = start_compactor(engine, conf, detail);
    if (err != RK_OK)
        return err;
    /* After all that recovery stored. Partner: the acquire load of a worker that was asked for something. */
    atomic_store_explicit(&engine->board->state, RK_BOARD_SERVING, memory_order_release);
    return RK_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* an eventfd has nothing to lose */
}

enum rk_err rk_master_engine_close(struct rk_master_engine *engine)
{
    enum rk_err err = RK_OK;

    rk_compactor_stop(&engine->compactor);
    rk_writer_destroy(&engine->writer);
    rk_writer_rings_destroy(&engine->writer_rings);
    rk_log_hinter_stop(&engine->hinter);
    rk_log_syncer_stop(&engine->syncer);
    if (engine->log != NULL)
        err = rk_log_writer_close(&engine->log);
    rk_space_destroy(&engine->space);
    rk_keydir_writer_destroy(&engine->keydir);
    rk_grace_writer_destroy(&engine->grace);
    rk_log_store_close(&engine->store);
    for (unsigned slot = 0; slot < engine->n_slots; slot++) {
        rk_shm_region_close(&engine->rings[slot]);
        close_fd(engine->worker_bells[slot]);
    }
    rk_shm_region_close(&engine->board_region);
    close_fd(engine->writer_bell);
    close_fd(engine->notice_fd);
    free(engine->rings);
    free(engine->worker_bells);
    *engine = (struct rk_master_engine){ .writer_bell = -1, .notice_fd = -1 };
    return err;
}

void rk_master_engine_slot_clear_gauges(struct rk_master_engine *engine, unsigned slot)
{
    struct rk_stats_http *http = &engine->stats->slots[slot].http;

    atomic_store_explicit(&http->connections_open, 0, memory_order_relaxed);
    atomic_store_explicit(&http->upload_bytes, 0, memory_order_relaxed);
}

void rk_master_engine_slot_open(struct rk_master_engine *engine, unsigned slot, uint32_t incarnation)
{
    uint8_t *bytes = engine->rings[slot].bytes;
    struct rk_writer_slot rings = { .requests = (struct rk_ring *)(bytes + RK_RINGS_REQUESTS_OFFSET),
                                    .completions = (struct rk_ring *)(bytes + RK_RINGS_COMPLETIONS_OFFSET),
                                    .ring_bytes = engine->ring_bytes,
                                    .doorbell = &engine->board->slots[slot].doorbell,
                                    .event_fd = engine->worker_bells[slot] };

    atomic_store_explicit(&engine->board->slots[slot].heartbeat, 0, memory_order_relaxed);
    atomic_store_explicit(&engine->board->slots[slot].is_full, 0, memory_order_relaxed);
    rk_grace_writer_slot_open(engine->grace, slot, incarnation);
    rk_writer_rings_open(engine->writer_rings, slot, &rings, incarnation);
}

void rk_master_engine_slot_close(struct rk_master_engine *engine, unsigned slot)
{
    rk_grace_writer_slot_clear(engine->grace, slot);
    rk_writer_rings_close(engine->writer_rings, slot, !rk_writer_is_running(engine->writer));
}

bool rk_master_engine_slot_is_closed(const struct rk_master_engine *engine, unsigned slot)
{
    return rk_writer_rings_is_closed(engine->writer_rings, slot);
}

bool rk_master_engine_slot_is_broken(const struct rk_master_engine *engine, unsigned slot)
{
    return rk_writer_rings_is_broken(engine->writer_rings, slot);
}
