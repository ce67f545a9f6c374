#include "master/master_single.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_thread.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "master/master.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"
#include "master/master_serving.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SINGLE_SLOT 0

struct single {
    struct rk_master_serving serving;
    const struct rk_master_options *options;
    struct rk_master_engine *engine;
    struct rk_handover handover;
    pthread_t thread;
    int channel;
    bool ready;
    enum rk_err err;
    struct rk_detail detail;
    _Atomic bool ended;
};

static struct single *single_of(struct rk_master_serving *serving)
{
    return (struct single *)serving; /* its first member */
}

static const struct single *const_single_of(const struct rk_master_serving *serving)
{
    return (const struct single *)serving;
}

static void *single_main(void *argument)
{
    struct single *single = argument;

    single->err = single->options->run_worker(&single->handover, &single->detail);
    atomic_store(&single->ended, true);
    (void)shutdown(single->handover.channel_fd, SHUT_WR); /* wakes the main thread */
    return NULL;
}

/* The worker takes its listeners over; the master keeps its own. */
static enum rk_err dup_listeners(struct rk_handover *handover, const struct rk_master_listeners *listeners,
                                 struct rk_detail *detail)
{
    for (size_t i = 0; i < rk_master_listeners_count(listeners); i++) {
        handover->listener_fds[i] = fcntl(rk_master_listeners_fd(listeners, i, SINGLE_SLOT), F_DUPFD_CLOEXEC, 3);
        if (handover->listener_fds[i] < 0) {
            rk_detail_set(detail, "a listener for the worker: %s", strerror(errno));
            return RK_ERR_LIMIT;
        }
    }
    return RK_OK;
}

static void fill_handover(struct rk_handover *handover, const struct rk_master_engine *engine, int channel)
{
    *handover = (struct rk_handover){ .slot = SINGLE_SLOT,
                                      .board_fd = engine->board_region.fd,
                                      .keydir_fd = rk_keydir_writer_memfd(engine->keydir),
                                      .rings_fd = engine->rings[SINGLE_SLOT].fd,
                                      .data_dir_fd = rk_log_store_dir_fd(engine->store),
                                      .writer_bell_fd = engine->writer_bell,
                                      .worker_bell_fd = engine->worker_bells[SINGLE_SLOT],
                                      .channel_fd = channel };
}

static void tell(struct rk_master_serving *serving, enum rk_handover_message message)
{
    char byte = (char)message;

    (void)send(single_of(serving)->channel, &byte, 1, MSG_NOSIGNAL); /* fails only if the worker has ended */
}

static void stop(struct rk_master_serving *serving, bool drain)
{
    tell(serving, drain ? RK_HANDOVER_DRAIN : RK_HANDOVER_STOP);
}

/* A thread cannot be killed: it is told to drop what it has. */
static void end_now(struct rk_master_serving *serving, const char *why)
{
    tell(serving, RK_HANDOVER_ABANDON);
}

static void list_poll_fds(const struct rk_master_serving *serving, struct pollfd *fds)
{
    fds[SINGLE_SLOT] = (struct pollfd){ .fd = const_single_of(serving)->channel, .events = POLLIN };
}

static void on_readable(struct rk_master_serving *serving, unsigned slot)
{
    struct single *single = single_of(serving);
    char message = '\0';

    if (recv(single->channel, &message, 1, MSG_DONTWAIT) == 1 && message == RK_HANDOVER_READY)
        single->ready = true;
}

static bool is_ready(const struct rk_master_serving *serving)
{
    return const_single_of(serving)->ready;
}

static bool is_over(const struct rk_master_serving *serving)
{
    return atomic_load(&const_single_of(serving)->ended);
}

static enum rk_err close_single(struct rk_master_serving *serving, struct rk_detail *detail)
{
    struct single *single = single_of(serving);
    enum rk_err err;

    stop(serving, false); /* when it was not told: the start failed */
    pthread_join(single->thread, NULL);
    rk_grace_writer_slot_clear(single->engine->grace, SINGLE_SLOT);
    err = single->err;
    if (err != RK_OK)
        rk_detail_set(detail, "%s", single->detail.text);
    (void)close(single->channel); /* nobody is at the other end */
    (void)close(single->handover.channel_fd);
    free(single);
    return err;
}

static const struct rk_master_serving_kind single_kind = { .poll_fds = list_poll_fds,
                                                           .on_readable = on_readable,
                                                           .stop = stop,
                                                           .end_now = end_now,
                                                           .is_ready = is_ready,
                                                           .is_over = is_over,
                                                           .close = close_single };

enum rk_err rk_master_single_start(struct rk_master_serving **serving_out, const struct rk_master_options *options,
                                   struct rk_master_engine *engine, struct rk_master_listeners *listeners,
                                   struct rk_detail *detail)
{
    struct single *single;
    int channel[2];
    enum rk_err err;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, channel) != 0) {
        rk_detail_set(detail, "a pair of sockets: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    single = rk_mem_calloc(1, sizeof *single);
    single->serving.kind = &single_kind;
    single->options = options;
    single->engine = engine;
    single->channel = channel[0];
    fill_handover(&single->handover, engine, channel[1]);
    err = dup_listeners(&single->handover, listeners, detail);
    if (err == RK_OK) {
        rk_master_engine_slot_open(engine, SINGLE_SLOT, 1);
        err = rk_thread_start(&single->thread, "rk-worker", single_main, single, detail);
    }
    if (err != RK_OK) {
        (void)close(channel[0]); /* nobody is at the other end */
        (void)close(channel[1]);
        free(single);
        return err;
    }
    *serving_out = &single->serving;
    return RK_OK;
}
