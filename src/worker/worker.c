#include "worker/worker.h"

#include "base/base_detail.h"
#include "base/base_sched.h"
#include "base/base_time.h"
#include "grace/grace.h"
#include "http/http_backend.h"
#include "http/http_server.h"
#include "keydir/keydir.h"
#include "list/list_lister.h"
#include "ring/ring.h"
#include "ring/ring_messages.h"
#include "stats/stats_block.h"
#include "store/store_client.h"
#include "worker/worker_backend.h"
#include "worker/worker_descriptors.h"
#include "worker/worker_memory.h"
#include "worker/worker_takeover.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each turn of the loop is a heartbeat, so a turn may not wait long. */
#define TURN_MAX_MS 250

struct worker {
    const struct rk_handover *handover;
    struct rk_shm_region board_region;
    struct rk_shm_region rings_region;
    struct rk_board *board;
    struct rk_board_slot *slot;
    struct rk_keydir *keydir;
    struct rk_grace_agent *agent;
    struct rk_store_client *client;
    struct rk_lister *lister;
    struct rk_worker_backend backend;
    struct rk_http_server *server;
    struct rk_worker_takeover takeover;
    struct rk_worker_memory memory;
    struct rk_descriptors descriptors;
    bool draining;    /* the server has stopped listening */
    bool stopping;    /* do not wait for idle connections */
    bool master_gone; /* or has no more patience */
};

static struct rk_stats_block *stats_block_of(const struct worker *worker)
{
    return (struct rk_stats_block *)(worker->board_region.bytes + worker->board->stats_offset);
}

static struct rk_stats_slot *stats_of(const struct worker *worker)
{
    return &stats_block_of(worker)->slots[worker->handover->slot];
}

static enum rk_err attach_board(struct worker *worker, struct rk_detail *detail)
{
    enum rk_err err = rk_shm_region_attach(&worker->board_region, worker->handover->board_fd, RK_SHM_BOARD,
                                           RK_BOARD_LAYOUT(sizeof(struct rk_stats_slot)), detail);

    if (err != RK_OK)
        return err;
    worker->board = (struct rk_board *)worker->board_region.bytes;
    if (worker->handover->slot >= worker->board->n_slots) {
        rk_detail_set(detail, "worker slot %u is not one of the master's %u", worker->handover->slot,
                      worker->board->n_slots);
        return RK_ERR_MISMATCH;
    }
    worker->slot = &worker->board->slots[worker->handover->slot];
    return RK_OK;
}

static struct rk_ring *request_ring(const struct worker *worker)
{
    return (struct rk_ring *)(worker->rings_region.bytes + RK_RINGS_REQUESTS_OFFSET);
}

static struct rk_ring *completion_ring(const struct worker *worker)
{
    return (struct rk_ring *)(worker->rings_region.bytes + RK_RINGS_COMPLETIONS_OFFSET);
}

static enum rk_err attach_rings(struct worker *worker, struct rk_detail *detail)
{
    uint64_t ring_bytes = worker->board->settings.ring_bytes;
    enum rk_err err =
        rk_shm_region_attach(&worker->rings_region, worker->handover->rings_fd, RK_SHM_RINGS, ring_bytes, detail);

    if (err != RK_OK)
        return err;
    if (!rk_ring_fits(request_ring(worker), ring_bytes)
        || !rk_ring_fits(completion_ring(worker), RK_RING_COMPLETION_BYTES)) {
        rk_detail_set(detail, "the rings of slot %u are not of the size that the board says", worker->handover->slot);
        return RK_ERR_MISMATCH;
    }
    return RK_OK;
}

static enum rk_err open_client(struct worker *worker, struct rk_detail *detail)
{
    const struct rk_handover_settings *settings = &worker->board->settings;

    return rk_store_client_create(&worker->client,
                                  &(struct rk_store_client_settings){
                                      .keydir = worker->keydir,
                                      .hash_key = settings->hash_key,
                                      .data_dir_fd = worker->handover->data_dir_fd,
                                      .requests = request_ring(worker),
                                      .completions = completion_ring(worker),
                                      .ring_bytes = settings->ring_bytes,
                                      .writer_doorbell = &worker->board->writer_doorbell,
                                      .writer_event_fd = worker->handover->writer_bell_fd,
                                      .own_event_fd = worker->handover->worker_bell_fd,
                                      .last_sequence = &worker->board->last_sequence,
                                      .files_edition = &worker->board->files_edition,
                                      .n_reader_threads = settings->n_reader_threads,
                                      .max_open_files = worker->descriptors.n_files,
                                      .stats = &stats_of(worker)->client,
                                  },
                                  detail);
}

static void open_lister(struct worker *worker)
{
    worker->lister = rk_lister_create(&(struct rk_lister_settings){
        .keydir = worker->keydir,
        .hash_key = worker->board->settings.hash_key,
        .data_dir_fd = worker->handover->data_dir_fd,
        .event_fd = worker->handover->worker_bell_fd,
        .last_sequence = &worker->board->last_sequence,
        .stats = &stats_of(worker)->client,
    });
}

static void on_awake(void *context)
{
    rk_doorbell_disarm(context);
}

/* The loop is awake now, which is all that was asked for: completions are taken at every turn. */
static void on_bell(void *context)
{
}

static void start_drain(struct worker *worker)
{
    if (!worker->draining)
        rk_http_server_drain(worker->server);
    worker->draining = true;
    worker->backend.draining = true;
}

/* What was standard error is in a file that was moved away. Printing goes on in the new one. */
static void take_log(int fd)
{
    if (fd < 0)
        return;                    /* no descriptor was free: the old file stays in use */
    (void)dup2(fd, STDERR_FILENO); /* fails for no two open descriptors */
    (void)close(fd);               /* its copy is in use */
}

static void on_channel(void *context)
{
    struct worker *worker = context;
    char message;
    ssize_t n;
    int fd;

    while ((n = rk_handover_receive(worker->handover->channel_fd, &message, &fd)) == 1) {
        take_log(fd);
        worker->stopping |= message == RK_HANDOVER_STOP;
        worker->master_gone |= message == RK_HANDOVER_ABANDON;
        if (message == RK_HANDOVER_STOP || message == RK_HANDOVER_DRAIN)
            start_drain(worker);
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        worker->master_gone = true;
}

/* The sockets of the next slot come first. */
static void take_listeners(void *context, unsigned n_slots_on, bool taking)
{
    struct worker *worker = context;
    size_t n = worker->board->settings.n_listeners;

    rk_http_server_take_over(worker->server, n_slots_on * n, n, taking);
}

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* How many listening sockets of others there are, and which descriptors they have: those behind our own. A worker that
 * is a thread is the only one. */
static size_t list_other_listeners(const struct worker *worker, int *fds)
{
    const struct rk_handover_settings *settings = &worker->board->settings;
    size_t n = smaller(settings->n_other_listeners, RK_HANDOVER_FDS_MAX);

    for (size_t i = 0; i < n; i++)
        fds[i] = RK_HANDOVER_FD_LISTENERS + (int)(settings->n_listeners + i);
    return n;
}

static struct rk_http_settings http_settings(const struct worker *worker, int *other_fds)
{
    const struct rk_handover_settings *settings = &worker->board->settings;
    size_t n_connections = smaller(settings->max_connections, worker->descriptors.n_connections);
    struct rk_http_settings http = {
        .n_listeners = settings->n_listeners,
        .other_listener_fds = other_fds,
        .n_other_listeners = list_other_listeners(worker, other_fds),
        .legacy = settings->legacy != 0,
        .max_connections = n_connections,
        .max_linger_fds = worker->descriptors.n_connections - n_connections + RK_DESCRIPTORS_SPARE / 2,
        .max_key_bytes = settings->max_key_bytes,
        .max_value_bytes = settings->max_value_bytes,
        .max_head_bytes = settings->max_head_bytes,
        .max_fields = settings->max_fields,
        .upload_memory_bytes = settings->upload_memory_bytes,
        .min_rate_bytes = settings->min_rate_bytes,
        .request_timeout_ms = settings->request_timeout_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .list_time_ms = settings->list_time_ms,
    };

    for (size_t i = 0; i < http.n_listeners; i++)
        http.listener_fds[i] = worker->handover->listener_fds[i];
    return http;
}

static enum rk_err open_server(struct worker *worker, struct rk_detail *detail)
{
    int other_fds[RK_HANDOVER_FDS_MAX];
    struct rk_http_settings http = http_settings(worker, other_fds);
    struct rk_http_backend table;
    enum rk_err err;

    worker->backend = (struct rk_worker_backend){ .client = worker->client,
                                                  .lister = worker->lister,
                                                  .stats = stats_block_of(worker),
                                                  .slot = worker->handover->slot,
                                                  .board = worker->board };
    rk_worker_backend_init(&table, &worker->backend);
    err = rk_http_server_create(&worker->server, &http, &table, &stats_of(worker)->http, detail);
    if (err != RK_OK)
        return err;
    rk_http_server_set_awake_hook(worker->server, on_awake, &worker->slot->doorbell);
    err = rk_http_server_watch_eventfd(worker->server, worker->handover->worker_bell_fd, on_bell, worker);
    if (err != RK_OK)
        return err;
    return rk_http_server_watch_readable(worker->server, worker->handover->channel_fd, on_channel, worker);
}

static enum rk_err open_worker(struct worker *worker, struct rk_detail *detail)
{
    enum rk_err err = attach_board(worker, detail);

    if (err == RK_OK)
        err = attach_rings(worker, detail);
    if (err == RK_OK)
        err = rk_keydir_attach(&worker->keydir, worker->handover->keydir_fd, detail);
    if (err == RK_OK)
        err = rk_grace_agent_start(&worker->agent,
                                   (struct rk_grace_region *)(worker->board_region.bytes + worker->board->grace_offset),
                                   worker->handover->slot, detail);
    if (err != RK_OK)
        return err;
    worker->descriptors =
        rk_worker_descriptors(worker->board->settings.n_listeners + worker->board->settings.n_other_listeners);
    worker->takeover = (struct rk_worker_takeover){
        .board = worker->board, .slot = worker->handover->slot, .take = take_listeners, .context = worker
    };
    err = open_client(worker, detail);
    if (err != RK_OK)
        return err;
    open_lister(worker);
    return open_server(worker, detail);
}

static void close_worker(struct worker *worker)
{
    rk_http_server_destroy(&worker->server); /* turns the loop once more: still a reader */
    rk_lister_destroy(&worker->lister);
    rk_grace_unregister_thread();
    rk_store_client_destroy(&worker->client);
    rk_grace_agent_stop(&worker->agent);
    rk_keydir_detach(&worker->keydir);
    rk_shm_region_close(&worker->rings_region);
    rk_shm_region_close(&worker->board_region);
}

static bool is_done(const struct worker *worker)
{
    if (worker->master_gone)
        return true;
    if (!worker->draining || rk_http_server_n_requests(worker->server) > 0)
        return false;
    return worker->stopping || rk_http_server_n_connections(worker->server) == 0;
}

/* What is not of a request. */
static void look_around(struct worker *worker)
{
    uint64_t now_ns = rk_time_monotonic_ns();
    uint64_t buffered = atomic_load_explicit(&stats_of(worker)->http.upload_bytes, memory_order_relaxed);

    atomic_store_explicit(&worker->slot->is_full, !rk_http_server_is_accepting(worker->server), memory_order_relaxed);
    rk_worker_takeover_look(&worker->takeover, now_ns);
    if (rk_worker_memory_is_over(&worker->memory, buffered, now_ns))
        (void)malloc_trim(0); /* says whether there was anything */
}

static enum rk_err turn(struct worker *worker)
{
    enum rk_err err;
    bool waiting;

    rk_store_client_flush(worker->client);
    err = rk_store_client_poll(worker->client);
    if (err != RK_OK)
        return err;
    rk_lister_poll(worker->lister);
    rk_store_client_flush(worker->client); /* what the callbacks asked for */
    rk_doorbell_arm(&worker->slot->doorbell);
    waiting = rk_store_client_waiting(worker->client);
    err = rk_http_server_turn(worker->server, waiting ? 0 : TURN_MAX_MS);
    rk_doorbell_disarm(&worker->slot->doorbell);
    look_around(worker);
    atomic_fetch_add_explicit(&worker->slot->heartbeat, 1, memory_order_relaxed);
    return err;
}

static enum rk_err serve(struct worker *worker, struct rk_detail *detail)
{
    char ready = RK_HANDOVER_READY;
    enum rk_err err = RK_OK;

    if (send(worker->handover->channel_fd, &ready, 1, MSG_NOSIGNAL) != 1) {
        rk_detail_set(detail, "telling the master that worker %u is ready: %s", worker->handover->slot,
                      strerror(errno));
        return RK_ERR_CLOSED;
    }
    while (err == RK_OK && !is_done(worker))
        err = turn(worker);
    if (err != RK_OK)
        rk_detail_set(detail, "the event loop of worker %u failed: %s", worker->handover->slot, rk_err_text(err));
    return err;
}

enum rk_err rk_worker_run(const struct rk_handover *handover, struct rk_detail *detail)
{
    struct worker worker = { .handover = handover };
    enum rk_err err;

    rk_sched_serve(); /* and so will the threads that it starts */
    rk_grace_register_thread();
    err = open_worker(&worker, detail);
    if (err == RK_OK)
        err = serve(&worker, detail);
    close_worker(&worker);
    return err;
}
