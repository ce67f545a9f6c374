#include "master/master_recovery.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_io.h"
#include "base/base_machine.h"
#include "base/base_mem.h"
#include "base/base_path.h"
#include "base/base_plural.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "conf/conf.h"
#include "log/log_salvage.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "master/master.h"
#include "master/master_engine.h"
#include "merge/merge_rescue.h"
#include "recover/recover.h"
#include "space/space.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL_AFTER_NS (RK_NS_PER_S / 2) /* a shorter recovery is not worth a word */
#define BAR_EVERY_NS  (100 * RK_NS_PER_MS)
#define LINE_EVERY_NS (2 * RK_NS_PER_S)
#define BAR_CELLS     40

#define SALVAGE_HINT                                                                                          \
    "; or rackkvd --salvage: it lists this store's newer files, moves what is damaged or another store's to " \
    "quarantine/, "                                                                                           \
    "and goes on with the records that are whole"

struct rk_master_recovery {
    struct rk_master_engine *engine;
    const struct rk_master_options *options;
    pthread_t thread;
    _Atomic bool ended;

    /* the thread's, until it is joined */
    enum rk_err err;
    struct rk_detail detail;
    struct rk_recovery result;

    /* the main thread's */
    bool is_new; /* nothing was ever written to the store */
    bool on_terminal;
    bool bar_is_shown;
    uint64_t told_ns;
};

static void note_progress(void *context, const struct rk_recover_progress *progress)
{
    struct rk_board_recovery *board = &((struct rk_master_recovery *)context)->engine->board->recovery;

    atomic_store_explicit(&board->total_bytes, progress->total_bytes, memory_order_relaxed);
    atomic_store_explicit(&board->n_records, progress->n_records, memory_order_relaxed);
    atomic_store_explicit(&board->done_bytes, progress->done_bytes, memory_order_relaxed);
}

static void tell_lost(void *context, const struct rk_log_salvage_loss *loss)
{
    char records[64] = "an unknown number of records";

    if (loss->n_records != RK_LOG_SALVAGE_UNKNOWN)
        (void)snprintf(records, sizeof records, "%" PRIu64 " record%s", loss->n_records, rk_plural(loss->n_records));
    rk_diag(RK_DIAG_WARNING, "salvage: data file %u: lost %" PRIu64 " byte%s at offset %" PRIu64 " with %s: %s",
            loss->file_number, loss->size_bytes, rk_plural(loss->size_bytes), loss->offset_bytes, records, loss->what);
}

static void tell_replaced(void *context, const struct rk_log_salvage_file *file)
{
    rk_diag(RK_DIAG_WARNING,
            "salvage: data file %u is in quarantine/; kept in data file %u: %" PRIu64 " whole record%s",
            file->file_number, file->new_number, file->n_kept, rk_plural(file->n_kept));
}

static void tell_dropped(void *context, const struct rk_log_salvage_dropped *dropped)
{
    char range[96];

    if (dropped->last_sequence == 0)
        (void)snprintf(range, sizeof range, "from %" PRIu64 " on", dropped->first_sequence);
    else
        (void)snprintf(range, sizeof range, "%" PRIu64 " to %" PRIu64, dropped->first_sequence, dropped->last_sequence);
    rk_diag(
        RK_DIAG_WARNING,
        "salvage: data file %u is %s (%s): what it held is lost, by its place at most the sequences %s, and older ones "
        "if a merge wrote it",
        dropped->file_number, dropped->is_missing ? "missing" : "in quarantine/", dropped->why, range);
}

static void tell_listed(void *context, uint32_t file_number, uint64_t first_sequence, uint64_t last_sequence)
{
    rk_diag(RK_DIAG_WARNING,
            "salvage: data file %u, sequences %" PRIu64 " to %" PRIu64 ", was not in the MANIFEST, and is now",
            file_number, first_sequence, last_sequence);
}

static void tell_moved(void *context, uint32_t file_number)
{
    rk_diag(RK_DIAG_WARNING, "salvage: data file %u, which is not in the MANIFEST, is in quarantine/", file_number);
}

static void tell_removed(void *context, uint32_t file_number)
{
    rk_diag(
        RK_DIAG_INFO,
        "data file %u is not in the MANIFEST: removed, as what a crash leaves; it has no record that is not elsewhere",
        file_number);
}

static enum rk_err salvage(struct rk_master_recovery *recovery)
{
    struct rk_log_salvage_hooks hooks = { .lost = tell_lost,
                                          .replaced = tell_replaced,
                                          .dropped = tell_dropped,
                                          .listed = tell_listed,
                                          .moved = tell_moved };

    return rk_log_salvage(recovery->engine->store, &hooks, &recovery->detail);
}

static uint64_t disk_bytes(const struct rk_log_store *store)
{
    uint64_t free_bytes, disk_bytes;

    return rk_io_disk(rk_log_store_dir_fd(store), &free_bytes, &disk_bytes) ? disk_bytes : 0;
}

static uint64_t stored_bytes(const struct rk_space *space)
{
    struct rk_space_file total = rk_space_total(space);
    uint64_t bytes = 0;

    for (size_t i = 0; i < RK_SPACE_N_COLUMNS; i++)
        bytes += total.bytes[i];
    return bytes;
}

static enum rk_err open_log(struct rk_master_recovery *recovery, const struct rk_conf *conf)
{
    struct rk_master_engine *engine = recovery->engine;
    uint64_t disk = disk_bytes(engine->store);
    struct rk_log_writer_settings settings = {
        .file_size_bytes = rk_merge_rescue_file_size(conf->log.file_size_bytes, disk),
        .reserve_bytes = conf->log.reserve_bytes,
        .spare_bytes = rk_merge_rescue_spare(conf->log.file_size_bytes, disk),
        .stored_bytes = stored_bytes(engine->space),
        .next_sequence = recovery->result.next_sequence,
        .newest = &recovery->result.newest,
    };

    engine->file_size_bytes = settings.file_size_bytes;
    return rk_log_writer_open(&engine->log, engine->store, &settings, &recovery->detail);
}

static enum rk_err recover(struct rk_master_recovery *recovery)
{
    struct rk_master_engine *engine = recovery->engine;
    struct rk_recover_hooks hooks = { .space = engine->space,
                                      .context = recovery,
                                      .progress = note_progress,
                                      .memory_left_bytes = rk_machine_memory_left(""),
                                      .removed = tell_removed };
    const struct rk_conf *conf = recovery->options->conf;
    enum rk_err err = recovery->options->salvage ? salvage(recovery) : RK_OK;

    if (err == RK_OK)
        err = rk_recover_store(engine->store, engine->keydir, &hooks, &recovery->result, &recovery->detail);
    if (err != RK_OK)
        return err;
    atomic_store_explicit(&engine->board->last_sequence, recovery->result.last_sequence, memory_order_relaxed);
    return open_log(recovery, conf);
}

static void *recovery_main(void *argument)
{
    struct rk_master_recovery *recovery = argument;
    recovery->err = recover(recovery);
    atomic_store(&recovery->ended, true);
    rk_doorbell_wake(recovery->engine->notice_fd);
    return NULL;
}

enum rk_err rk_master_recovery_start(struct rk_master_recovery **recovery_out, struct rk_master_engine *engine,
                                     const struct rk_master_options *options, struct rk_detail *detail)
{
    struct rk_master_recovery *recovery = rk_mem_calloc(1, sizeof *recovery);
    enum rk_err err;

    recovery->engine = engine;
    recovery->options = options;
    recovery->is_new = rk_log_store_edition(engine->store) == 1;
    recovery->on_terminal = isatty(STDERR_FILENO) == 1;
    recovery->told_ns = rk_time_monotonic_ns();
    err = rk_thread_start(&recovery->thread, "rk-recovery", recovery_main, recovery, detail);
    if (err != RK_OK) {
        free(recovery);
        return err;
    }
    *recovery_out = recovery;
    return RK_OK;
}

bool rk_master_recovery_has_ended(const struct rk_master_recovery *recovery)
{
    return atomic_load(&recovery->ended);
}

/* recovering [############----------------------------]  31 %, 1200345 records */
static void show_bar(struct rk_master_recovery *recovery, unsigned percent, uint64_t n_records)
{
    char cells[BAR_CELLS + 1];
    unsigned n_full = percent * BAR_CELLS / 100;

    memset(cells, '-', BAR_CELLS);
    memset(cells, '#', n_full < BAR_CELLS ? n_full : BAR_CELLS);
    cells[BAR_CELLS] = '\0';
    (void)fprintf(stderr, "\rrecovering [%s] %3u %%, %" PRIu64 " record%s", cells, percent, n_records,
                  rk_plural(n_records));
    recovery->bar_is_shown = true;
}

static void wipe_bar(struct rk_master_recovery *recovery)
{
    if (recovery->bar_is_shown)
        (void)fputs("\r\033[K", stderr);
    recovery->bar_is_shown = false;
}

void rk_master_recovery_tell(struct rk_master_recovery *recovery, uint64_t now_ns)
{
    const struct rk_board_recovery *board = &recovery->engine->board->recovery;
    uint64_t done_bytes = atomic_load_explicit(&board->done_bytes, memory_order_relaxed);
    uint64_t total_bytes = atomic_load_explicit(&board->total_bytes, memory_order_relaxed);
    uint64_t n_records = atomic_load_explicit(&board->n_records, memory_order_relaxed);
    uint64_t every_ns = !recovery->on_terminal ? LINE_EVERY_NS : recovery->bar_is_shown ? BAR_EVERY_NS : TELL_AFTER_NS;
    unsigned percent = total_bytes == 0 ? 0 : (unsigned)(done_bytes * 100 / total_bytes);

    if (now_ns - recovery->told_ns < every_ns || total_bytes == 0)
        return;
    recovery->told_ns = now_ns;
    if (recovery->on_terminal)
        show_bar(recovery, percent, n_records);
    else
        rk_diag(RK_DIAG_INFO, "recovering: %u %%, %" PRIu64 " record%s so far", percent, n_records,
                rk_plural(n_records));
}

static void report(const struct rk_recovery *result)
{
    char passes[80] = "";

    if (result->n_passes > 1)
        (void)snprintf(passes, sizeof passes, "; the files were read %" PRIu64 " times, for lack of memory",
                       result->n_passes);
    if (result->cut_file != 0)
        rk_diag(RK_DIAG_WARNING,
                "data file %u ends as a crash leaves it: cut %" PRIu64 " byte%s at offset %" PRIu64
                ", a record that is not whole (whole ones behind it: %" PRIu64
                "); nothing of it was known to be durable",
                result->cut_file, result->cut_bytes, rk_plural(result->cut_bytes), result->cut_at_bytes,
                result->cut_records);
    if (result->lost_trailer)
        rk_diag(RK_DIAG_WARNING,
                "data file %u had been closed, and its trailer is missing or damaged; all of its records are there",
                result->newest.file_number);
    rk_diag(RK_DIAG_INFO,
            "recovered %" PRIu64 " key%s from %" PRIu64 " record%s in %" PRIu64 " file%s, last sequence %" PRIu64 "%s",
            result->n_keys, rk_plural(result->n_keys), result->n_records, rk_plural(result->n_records), result->n_files,
            rk_plural(result->n_files), result->last_sequence, passes);
}

/* A server that was started in another folder than the last time has an empty store, and says so. */
static void tell_store(const struct rk_master_recovery *recovery)
{
    char *path = rk_path_absolute(rk_log_store_path(recovery->engine->store));

    if (recovery->is_new)
        rk_diag(RK_DIAG_INFO, "made a new, empty store in %s", path);
    else
        rk_diag(RK_DIAG_INFO, "opened the store in %s: %" PRIu64 " key%s", path, recovery->result.n_keys,
                rk_plural(recovery->result.n_keys));
    free(path);
}

static void warn_if_full(const struct rk_master_recovery *recovery)
{
    if (recovery->result.newest.file_number == rk_log_writer_file_number(recovery->engine->log))
        rk_diag(
            RK_DIAG_WARNING,
            "the disk has no room for a new data file: writing goes on in the newest data file, %u, as far as it can",
            recovery->result.newest.file_number);
}

/* A file that is damaged, missing, or another store's. */
static bool can_salvage(enum rk_err err)
{
    return err == RK_ERR_CORRUPT || err == RK_ERR_NOT_FOUND || err == RK_ERR_MISMATCH;
}

enum rk_err rk_master_recovery_join(struct rk_master_recovery **recovery, struct rk_detail *detail)
{
    struct rk_master_recovery *self = *recovery;
    enum rk_err err;

    pthread_join(self->thread, NULL);
    wipe_bar(self);
    err = self->err;
    if (err == RK_OK) {
        report(&self->result);
        tell_store(self);
        warn_if_full(self);
    } else {
        rk_detail_set(detail, "%s%s", self->detail.text[0] != '\0' ? self->detail.text : rk_err_text(err),
                      can_salvage(err) ? SALVAGE_HINT : "");
    }
    free(self);
    *recovery = NULL;
    return err;
}
