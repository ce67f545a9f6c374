#include "master/master_workers.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "conf/conf.h"
#include "grace/grace_writer.h"
#include "master/master_engine.h"
#include "master/master_serving.h"
#include "master/master_worker_start.h"
#include "stats/stats_block.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_DEADLINE_NS (10 * RK_NS_PER_S)
#define STUCK_PATIENCE_NS RK_NS_PER_S /* standing still for longer is worth a diagnostic */

enum worker_state { WORKER_DOWN, WORKER_STARTING, WORKER_SERVING, WORKER_CLOSING };

struct worker {
    enum worker_state state;
    pid_t pid;
    int channel;        /* -1: none */
    bool killed;        /* SIGKILL was sent; do not send it again */
    bool told_standing; /* a diagnostic was printed, for this time */
    bool told_grace;
    uint64_t since_ns;      /* in this state */
    uint64_t not_before_ns; /* DOWN: the earliest start */
    uint64_t heartbeat;
    uint64_t heartbeat_ns; /* when it was last seen to move */
};

struct rk_master_workers {
    struct rk_master_serving serving;
    const struct rk_conf *conf;
    struct rk_master_engine *engine;
    struct rk_master_listeners *listeners;
    const char *program;
    uint32_t last_incarnation;
    uint64_t last_tick_ns;
    uint64_t awake_since_ns; /* the master itself stood still before this */
    bool stopping;
    unsigned n_slots;
    struct worker slots[];
};

static struct rk_master_workers *workers_of(struct rk_master_serving *serving)
{
    return (struct rk_master_workers *)serving; /* its first member */
}

static const struct rk_master_workers *const_workers_of(const struct rk_master_serving *serving)
{
    return (const struct rk_master_workers *)serving;
}

static void set_state(struct worker *worker, enum worker_state state, uint64_t now_ns)
{
    worker->state = state;
    worker->since_ns = now_ns;
}

/* Postpones the next start in this slot by worker.respawn_delay. */
static void delay_start(struct rk_master_workers *workers, struct worker *worker, uint64_t now_ns)
{
    worker->not_before_ns = now_ns + workers->conf->worker.respawn_delay_ms * RK_NS_PER_MS;
}

static enum rk_err spawn_worker(struct rk_master_workers *workers, unsigned slot, int channel, struct rk_detail *detail)
{
    struct rk_master_worker_start start = { .program = workers->program,
                                            .engine = workers->engine,
                                            .listeners = workers->listeners,
                                            .slot = slot,
                                            .channel = channel };

    return rk_master_worker_start(&start, &workers->slots[slot].pid, detail);
}

static void start_worker(struct rk_master_workers *workers, unsigned slot, uint64_t now_ns)
{
    struct worker *worker = &workers->slots[slot];
    struct rk_detail detail = { .text = "" };
    int channel[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, channel) != 0) {
        rk_diag(RK_DIAG_ERROR, "worker %u cannot be started: a pair of sockets: %m", slot);
        delay_start(workers, worker, now_ns);
        return;
    }
    rk_master_engine_slot_open(workers->engine, slot, ++workers->last_incarnation);
    if (spawn_worker(workers, slot, channel[1], &detail) == RK_OK) {
        worker->channel = channel[0];
        worker->killed = false;
        worker->told_standing = false;
        worker->told_grace = false;
        rk_counter_add(&workers->engine->stats->slots[slot].starts, 1);
        set_state(worker, WORKER_STARTING, now_ns);
    } else {
        rk_diag(RK_DIAG_ERROR, "worker %u cannot be started: %s", slot, detail.text);
        (void)close(channel[0]); /* nobody is at the other end */
        delay_start(workers, worker, now_ns);
        rk_master_engine_slot_close(workers->engine, slot);
        set_state(worker, WORKER_CLOSING, now_ns);
    }
    (void)close(channel[1]); /* the worker's end is the worker's */
}

static void kill_worker(struct rk_master_workers *workers, unsigned slot, const char *why)
{
    struct worker *worker = &workers->slots[slot];

    if (worker->killed)
        return;
    rk_diag(RK_DIAG_WARNING, "killing worker %u (pid %d): %s", slot, (int)worker->pid, why);
    worker->killed = true;
    (void)kill(worker->pid, SIGKILL); /* a child that we have not waited for: the pid is its own */
}

/* How long the worker's event loop has not turned. */
static uint64_t standing_ns(struct rk_master_workers *workers, unsigned slot, uint64_t now_ns)
{
    struct worker *worker = &workers->slots[slot];
    uint64_t heartbeat = atomic_load_explicit(&workers->engine->board->slots[slot].heartbeat, memory_order_relaxed);

    if (heartbeat != worker->heartbeat) {
        worker->heartbeat = heartbeat;
        worker->heartbeat_ns = now_ns;
        worker->told_standing = false;
    }
    return now_ns - (worker->heartbeat_ns > workers->awake_since_ns ? worker->heartbeat_ns : workers->awake_since_ns);
}

/* A worker that stands still (stopped, swapped out, in a loop) serves nobody, and holds back the reuse of what the
 * keydir freed. Writes and the other workers go on meanwhile; it has until worker.stuck_timeout. */
static void watch_stuck(struct rk_master_workers *workers, unsigned slot, uint64_t stuck_ns, bool *told,
                        const char *what)
{
    struct worker *worker = &workers->slots[slot];
    uint64_t timeout_ms = workers->conf->worker.stuck_timeout_ms;

    if (stuck_ns >= STUCK_PATIENCE_NS && !*told) {
        rk_diag(RK_DIAG_WARNING,
                "worker %u (pid %d) %s for %" PRIu64 " ms; it is killed after worker.stuck_timeout (%" PRIu64 " ms)",
                slot, (int)worker->pid, what, stuck_ns / RK_NS_PER_MS, timeout_ms);
        *told = true;
    }
    if (stuck_ns > timeout_ms * RK_NS_PER_MS)
        kill_worker(workers, slot, "stuck for worker.stuck_timeout");
}

static void watch_worker(struct rk_master_workers *workers, unsigned slot, uint64_t now_ns)
{
    struct worker *worker = &workers->slots[slot];

    if (rk_master_engine_slot_is_broken(workers->engine, slot))
        kill_worker(workers, slot, "its requests make no sense");
    else if (worker->state == WORKER_STARTING && now_ns - worker->since_ns > READY_DEADLINE_NS)
        kill_worker(workers, slot, "not ready within 10 s");
    else if (worker->state == WORKER_SERVING)
        watch_stuck(workers, slot, standing_ns(workers, slot, now_ns), &worker->told_standing,
                    "has not turned its event loop");
}

/* The same for a reader thread: the loop turns, but a grace period does not end. */
static void watch_grace(struct rk_master_workers *workers, uint64_t now_ns)
{
    unsigned slot = 0;
    uint64_t waiting_ns = rk_grace_writer_waiting_ns(workers->engine->grace, now_ns, &slot);

    if (waiting_ns > now_ns - workers->awake_since_ns)
        waiting_ns = now_ns - workers->awake_since_ns;
    if (waiting_ns < STUCK_PATIENCE_NS || slot >= workers->n_slots) {
        for (slot = 0; slot < workers->n_slots; slot++)
            workers->slots[slot].told_grace = false;
    } else if (workers->slots[slot].state == WORKER_SERVING) {
        watch_stuck(workers, slot, waiting_ns, &workers->slots[slot].told_grace, "has kept a grace period from ending");
    }
}

static void tick(struct rk_master_serving *serving, uint64_t now_ns)
{
    struct rk_master_workers *workers = workers_of(serving);

    /* A Ctrl-Z, or a laptop that slept: all stood still, and nobody is to blame. */
    if (now_ns - workers->last_tick_ns > STUCK_PATIENCE_NS)
        workers->awake_since_ns = now_ns;
    workers->last_tick_ns = now_ns;
    for (unsigned slot = 0; slot < workers->n_slots; slot++) {
        struct worker *worker = &workers->slots[slot];

        if (worker->state == WORKER_CLOSING && rk_master_engine_slot_is_closed(workers->engine, slot))
            set_state(worker, WORKER_DOWN, now_ns);
        if (worker->state == WORKER_DOWN && !workers->stopping && now_ns >= worker->not_before_ns)
            start_worker(workers, slot, now_ns);
        else if (worker->state == WORKER_STARTING || worker->state == WORKER_SERVING)
            watch_worker(workers, slot, now_ns);
    }
    watch_grace(workers, now_ns);
}

static void report_exit(struct rk_master_workers *workers, unsigned slot, int wait_status)
{
    struct worker *worker = &workers->slots[slot];
    char how[128];

    if (workers->stopping)
        return;
    rk_master_worker_describe_exit(how, sizeof how, wait_status);
    rk_counter_add(&workers->engine->stats->slots[slot].deaths, 1);
    if (worker->state == WORKER_STARTING)
        rk_diag(RK_DIAG_ERROR, "worker %u (pid %d) %s before it was ready; trying again in %" PRIu64 " ms", slot,
                (int)worker->pid, how, workers->conf->worker.respawn_delay_ms);
    else
        rk_diag(RK_DIAG_WARNING, "worker %u (pid %d) %s; starting another", slot, (int)worker->pid, how);
}

static void take_exit(struct rk_master_serving *serving, pid_t pid, int wait_status)
{
    struct rk_master_workers *workers = workers_of(serving);
    uint64_t now_ns = rk_time_monotonic_ns();

    for (unsigned slot = 0; slot < workers->n_slots; slot++) {
        struct worker *worker = &workers->slots[slot];

        if (worker->pid != pid || (worker->state != WORKER_STARTING && worker->state != WORKER_SERVING))
            continue;
        report_exit(workers, slot, wait_status);
        worker->not_before_ns = now_ns;
        if (worker->state == WORKER_STARTING)
            delay_start(workers, worker, now_ns);
        (void)close(worker->channel); /* nobody is at the other end */
        worker->channel = -1;
        worker->pid = 0;
        rk_master_engine_slot_clear_gauges(workers->engine, slot);
        rk_master_engine_slot_close(workers->engine, slot);
        set_state(worker, WORKER_CLOSING, now_ns);
    }
}

static void list_poll_fds(const struct rk_master_serving *serving, struct pollfd *fds)
{
    const struct rk_master_workers *workers = const_workers_of(serving);

    for (unsigned slot = 0; slot < workers->n_slots; slot++) {
        bool listen = workers->slots[slot].state == WORKER_STARTING;

        fds[slot] = (struct pollfd){ .fd = listen ? workers->slots[slot].channel : -1, .events = POLLIN };
    }
}

static void on_readable(struct rk_master_serving *serving, unsigned slot)
{
    struct worker *worker = &workers_of(serving)->slots[slot];
    uint64_t now_ns = rk_time_monotonic_ns();
    char message;

    if (worker->channel < 0 || recv(worker->channel, &message, 1, MSG_DONTWAIT) != 1)
        return; /* its end: waitpid() will say more */
    if (message == RK_HANDOVER_READY && worker->state == WORKER_STARTING) {
        worker->heartbeat_ns = now_ns;
        set_state(worker, WORKER_SERVING, now_ns);
    }
}

static void stop(struct rk_master_serving *serving, bool drain)
{
    struct rk_master_workers *workers = workers_of(serving);
    char message = drain ? RK_HANDOVER_DRAIN : RK_HANDOVER_STOP;

    workers->stopping = true;
    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        if (workers->slots[slot].channel >= 0)
            (void)send(workers->slots[slot].channel, &message, 1, MSG_NOSIGNAL); /* fails only if it is gone already */
}

static void end_now(struct rk_master_serving *serving, const char *why)
{
    struct rk_master_workers *workers = workers_of(serving);

    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        if (workers->slots[slot].pid > 0)
            kill_worker(workers, slot, why);
}

static void give_log(struct rk_master_serving *serving, int fd)
{
    struct rk_master_workers *workers = workers_of(serving);

    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        if (workers->slots[slot].channel >= 0 && workers->slots[slot].pid > 0)
            (void)rk_handover_send_fd(workers->slots[slot].channel, RK_HANDOVER_LOG, fd); /* fails if it is gone */
}

unsigned rk_master_workers_n_alive(const struct rk_master_serving *serving)
{
    const struct rk_master_workers *workers = const_workers_of(serving);
    unsigned n = 0;

    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        n += workers->slots[slot].pid > 0;
    return n;
}

unsigned rk_master_workers_n_serving(const struct rk_master_serving *serving)
{
    const struct rk_master_workers *workers = const_workers_of(serving);
    unsigned n = 0;

    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        n += workers->slots[slot].state == WORKER_SERVING;
    return n;
}

static bool is_ready(const struct rk_master_serving *serving)
{
    return rk_master_workers_n_serving(serving) == const_workers_of(serving)->n_slots;
}

static bool is_over(const struct rk_master_serving *serving)
{
    return const_workers_of(serving)->stopping && rk_master_workers_n_alive(serving) == 0;
}

static enum rk_err close_workers(struct rk_master_serving *serving, struct rk_detail *detail)
{
    struct rk_master_workers *workers = workers_of(serving);

    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        if (workers->slots[slot].channel >= 0)
            (void)close(workers->slots[slot].channel); /* nobody is at the other end */
    free(workers);
    return RK_OK;
}

struct rk_master_serving *rk_master_workers_create(const struct rk_conf *conf, struct rk_master_engine *engine,
                                                   struct rk_master_listeners *listeners, const char *program)
{
    static const struct rk_master_serving_kind kind = { .tick = tick,
                                                        .on_exit = take_exit,
                                                        .poll_fds = list_poll_fds,
                                                        .on_readable = on_readable,
                                                        .give_log = give_log,
                                                        .stop = stop,
                                                        .end_now = end_now,
                                                        .is_ready = is_ready,
                                                        .is_over = is_over,
                                                        .close = close_workers };
    struct rk_master_workers *workers = rk_mem_calloc(1, sizeof *workers + engine->n_slots * sizeof workers->slots[0]);

    workers->serving.kind = &kind;
    workers->conf = conf;
    workers->engine = engine;
    workers->listeners = listeners;
    workers->program = program;
    workers->n_slots = engine->n_slots;
    for (unsigned slot = 0; slot < workers->n_slots; slot++)
        workers->slots[slot].channel = -1;
    return &workers->serving;
}
