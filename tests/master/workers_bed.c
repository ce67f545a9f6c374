#include "workers_bed.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "master/master_listeners.h"
#include "stats/stats_block.h"
#include "writer/writer.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PID    50000000 /* above what the kernel gives to processes */
#define FIRST_MS     1000000
#define FD_KEYDIR    1001
#define FD_DATA_DIR  1002
#define FD_LOCK      1003
#define FD_LISTENERS 1100

struct bed bed;

/* --- what master_workers.c calls; the libraries' own are not linked, or wrapped (local.mk) */

uint64_t __wrap_rk_time_monotonic_ns(void);
void __wrap_rk_diag(enum rk_diag_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);
int __real_socketpair(int domain, int type, int protocol, int fds[2]);
int __wrap_socketpair(int domain, int type, int protocol, int fds[2]);

uint64_t __wrap_rk_time_monotonic_ns(void)
{
    return bed.now_ms * RK_NS_PER_MS;
}

void __wrap_rk_diag(enum rk_diag_level level, const char *format, ...)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    char *line = bed.lines[bed.n_lines];
    int used = snprintf(line, sizeof bed.lines[0], "%s: ", names[level]);
    va_list args;

    ck_assert_uint_lt(bed.n_lines++, BED_EVENTS_MAX - 1);
    va_start(args, format);
    (void)vsnprintf(line + used, sizeof bed.lines[0] - (size_t)used, format, args);
    va_end(args);
}

/* libcheck has processes of its own to end. */
int __wrap_kill(pid_t pid, int signal)
{
    if (pid > 0 && pid < FIRST_PID)
        return __real_kill(pid, signal);
    ck_assert_msg(pid > 0, "kill(%d)", (int)pid);
    ck_assert_uint_lt(bed.n_kills, BED_EVENTS_MAX);
    bed.kills[bed.n_kills++] = (struct bed_kill){ .at_ms = bed.now_ms, .pid = pid, .signal = signal };
    return 0;
}

int __wrap_socketpair(int domain, int type, int protocol, int fds[2])
{
    if (!bed.no_sockets)
        return __real_socketpair(domain, type, protocol, fds);
    errno = EMFILE;
    return -1;
}

static bool is_alive(unsigned slot)
{
    struct bed_start *last = bed_last(slot);

    return last != NULL && last->channel >= 0;
}

void rk_master_engine_slot_open(struct rk_master_engine *engine, unsigned slot, uint32_t incarnation)
{
    ck_assert_ptr_eq(engine, &bed.engine);
    ck_assert_uint_lt(slot, BED_SLOTS);
    ck_assert_msg(!is_alive(slot), "slot %u is opened while its process lives", slot);
    ck_assert_msg(bed.rings[slot] == BED_RINGS_CLOSED, "slot %u is opened before the writer let go", slot);
    ck_assert_msg(!bed.grace_is_open[slot], "slot %u is opened, its grace slot was not cleared", slot);
    for (unsigned other = 0; other < BED_SLOTS; other++)
        ck_assert_uint_gt(incarnation, bed.incarnations[other]);
    bed.incarnations[slot] = incarnation;
    bed.rings[slot] = BED_RINGS_OPEN;
    bed.grace_is_open[slot] = true;
    atomic_store(&engine->board->slots[slot].heartbeat, 0);
}

static int take_channel(const struct rk_master_spawn *spawn)
{
    int fd = dup(spawn->fds[RK_HANDOVER_FD_CHANNEL - 3]);

    ck_assert_int_ge(fd, 0);
    return fd;
}

enum rk_err rk_master_spawn(const struct rk_master_spawn *spawn, pid_t *pid_out, struct rk_detail *detail)
{
    struct bed_start *start = &bed.starts[bed.n_starts];

    if (bed.no_process) {
        rk_detail_set(detail, "no processes today");
        return RK_ERR_LIMIT;
    }
    ck_assert_uint_lt(bed.n_starts, BED_EVENTS_MAX);
    ck_assert_str_eq(spawn->program, "/the/program");
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(start->arguments[i], sizeof start->arguments[i], "%s", spawn->arguments[i]);
    ck_assert_ptr_null(spawn->arguments[4]);
    start->at_ms = bed.now_ms;
    start->slot = (unsigned)atoi(start->arguments[2]);
    start->incarnation = bed.incarnations[start->slot];
    start->pid = FIRST_PID + (pid_t)bed.n_starts++;
    memcpy(start->fds, spawn->fds, sizeof start->fds);
    start->n_fds = spawn->n_fds;
    start->channel = take_channel(spawn);
    *pid_out = start->pid;
    return RK_OK;
}

void rk_master_engine_slot_close(struct rk_master_engine *engine, unsigned slot)
{
    ck_assert_msg(bed.grace_is_open[slot], "slot %u is closed, but its grace slot is not open", slot);
    bed.grace_is_open[slot] = false;
    ck_assert_msg(!is_alive(slot), "the rings of slot %u are closed while its process lives", slot);
    ck_assert_msg(bed.rings[slot] == BED_RINGS_OPEN, "slot %u is closed, but not open", slot);
    bed.rings[slot] = bed.writer_is_slow ? BED_RINGS_CLOSING : BED_RINGS_CLOSED;
}

bool rk_master_engine_slot_is_closed(const struct rk_master_engine *engine, unsigned slot)
{
    return bed.rings[slot] == BED_RINGS_CLOSED;
}

bool rk_master_engine_slot_is_broken(const struct rk_master_engine *engine, unsigned slot)
{
    return bed.broken[slot];
}

void rk_master_engine_slot_clear_gauges(struct rk_master_engine *engine, unsigned slot)
{
    ck_assert_msg(!is_alive(slot), "the gauges of slot %u are cleared while its process lives", slot);
}

uint64_t rk_grace_writer_waiting_ns(const struct rk_grace_writer *grace, uint64_t now_ns, unsigned *slot_out)
{
    if (bed.grace_since_ms == 0)
        return 0;
    *slot_out = bed.grace_slot;
    return now_ns - bed.grace_since_ms * RK_NS_PER_MS;
}

int rk_keydir_writer_memfd(const struct rk_keydir_writer *keydir)
{
    return FD_KEYDIR;
}

int rk_log_store_dir_fd(const struct rk_log_store *store)
{
    return FD_DATA_DIR;
}

int rk_log_store_lock_fd(const struct rk_log_store *store)
{
    return FD_LOCK;
}

size_t rk_master_listeners_count(const struct rk_master_listeners *listeners)
{
    return BED_LISTENERS;
}

int rk_master_listeners_fd(const struct rk_master_listeners *listeners, size_t address, unsigned slot)
{
    return FD_LISTENERS + (int)(10 * address + slot);
}

/* --- what the tests call */

static void create_engine(struct rk_master_engine *engine)
{
    size_t board_bytes = (sizeof *engine->board + BED_SLOTS * sizeof engine->board->slots[0] + 63) / 64 * 64;
    size_t stats_bytes = (rk_stats_block_bytes(BED_SLOTS) + 63) / 64 * 64;

    engine->n_slots = BED_SLOTS;
    engine->board = aligned_alloc(64, board_bytes);
    engine->stats = aligned_alloc(64, stats_bytes);
    memset(engine->board, 0, board_bytes);
    memset(engine->stats, 0, stats_bytes);
    engine->board_region.fd = 1000;
    engine->writer_bell = 1004;
    engine->rings = calloc(BED_SLOTS, sizeof *engine->rings);
    engine->worker_bells = calloc(BED_SLOTS, sizeof *engine->worker_bells);
    for (unsigned slot = 0; slot < BED_SLOTS; slot++) {
        engine->rings[slot].fd = 1010 + (int)slot;
        engine->worker_bells[slot] = 1020 + (int)slot;
    }
}

void bed_create(void)
{
    memset(&bed, 0, sizeof bed);
    bed.now_ms = FIRST_MS;
    bed.conf.worker.respawn_delay_ms = BED_RESPAWN_MS;
    bed.conf.worker.stuck_timeout_ms = BED_STUCK_MS;
    create_engine(&bed.engine);
    for (unsigned slot = 0; slot < BED_SLOTS; slot++)
        bed.beats[slot] = true;
    bed.workers = rk_master_workers_create(&bed.conf, &bed.engine, NULL, "/the/program");
}

void bed_destroy(void)
{
    struct rk_detail detail;

    for (size_t i = 0; i < bed.n_starts; i++)
        if (bed.starts[i].channel >= 0)
            close(bed.starts[i].channel);
    ck_assert_int_eq(rk_master_serving_close(&bed.workers, &detail), RK_OK);
    ck_assert_ptr_null(bed.workers);
    ck_assert_int_eq(rk_master_serving_close(&bed.workers, &detail), RK_OK); /* of none */
    free(bed.engine.board);
    free(bed.engine.stats);
    free(bed.engine.rings);
    free(bed.engine.worker_bells);
}

void bed_tick(void)
{
    for (unsigned slot = 0; slot < BED_SLOTS; slot++)
        if (bed.beats[slot])
            atomic_fetch_add(&bed.engine.board->slots[slot].heartbeat, 1);
    rk_master_serving_tick(bed.workers, bed.now_ms * RK_NS_PER_MS);
}

void bed_run(uint64_t for_ms, uint64_t step_ms)
{
    for (uint64_t end_ms = bed.now_ms + for_ms; bed.now_ms < end_ms;) {
        bed.now_ms += step_ms;
        bed_tick();
    }
}

struct bed_start *bed_last(unsigned slot)
{
    for (size_t i = bed.n_starts; i > 0; i--)
        if (bed.starts[i - 1].slot == slot)
            return &bed.starts[i - 1];
    return NULL;
}

void bed_say(unsigned slot, char message)
{
    ck_assert_int_eq(send(bed_last(slot)->channel, &message, 1, MSG_NOSIGNAL), 1);
    rk_master_serving_on_readable(bed.workers, slot);
}

void bed_ready(unsigned slot)
{
    bed_say(slot, RK_HANDOVER_READY);
}

void bed_exit(unsigned slot, int wait_status)
{
    struct bed_start *last = bed_last(slot);

    ck_assert_msg(is_alive(slot), "there is no process in slot %u", slot);
    close(last->channel);
    last->channel = -1;
    rk_master_serving_on_exit(bed.workers, last->pid, wait_status);
}

void bed_serve(void)
{
    bed_tick();
    for (unsigned slot = 0; slot < BED_SLOTS; slot++)
        bed_ready(slot);
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), BED_SLOTS);
    ck_assert(rk_master_serving_is_ready(bed.workers));
}

void bed_let_go(void)
{
    for (unsigned slot = 0; slot < BED_SLOTS; slot++)
        if (bed.rings[slot] == BED_RINGS_CLOSING)
            bed.rings[slot] = BED_RINGS_CLOSED;
}

unsigned bed_n_told(const char *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < bed.n_lines; i++)
        n += strstr(bed.lines[i], text) != NULL;
    return n;
}

unsigned bed_n_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}
