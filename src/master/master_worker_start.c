#include "master/master_worker_start.h"

#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"
#include "master/master_spawn.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptors in the order of enum rk_handover_fd. */
static void list_fds(const struct rk_master_worker_start *start, struct rk_master_spawn *spawn)
{
    const struct rk_master_engine *engine = start->engine;
    unsigned slot = start->slot, n_slots = engine->n_slots;
    size_t n_listeners = rk_master_listeners_count(start->listeners);

    spawn->fds[RK_HANDOVER_FD_BOARD - 3] = engine->board_region.fd;
    spawn->fds[RK_HANDOVER_FD_KEYDIR - 3] = rk_keydir_writer_memfd(engine->keydir);
    spawn->fds[RK_HANDOVER_FD_RINGS - 3] = engine->rings[slot].fd;
    spawn->fds[RK_HANDOVER_FD_DATA_DIR - 3] = rk_log_store_dir_fd(engine->store);
    spawn->fds[RK_HANDOVER_FD_LOCK - 3] = rk_log_store_lock_fd(engine->store);
    spawn->fds[RK_HANDOVER_FD_WRITER_BELL - 3] = engine->writer_bell;
    spawn->fds[RK_HANDOVER_FD_WORKER_BELL - 3] = engine->worker_bells[slot];
    spawn->fds[RK_HANDOVER_FD_CHANNEL - 3] = start->channel;
    for (size_t i = 0; i < n_listeners; i++)
        spawn->fds[RK_HANDOVER_FD_LISTENERS - 3 + i] = rk_master_listeners_fd(start->listeners, i, slot);
    spawn->n_fds = RK_HANDOVER_FD_LISTENERS - 3 + n_listeners;
    for (unsigned next = 1; next < n_slots && engine->board->settings.n_other_listeners > 0; next++)
        for (size_t i = 0; i < n_listeners; i++)
            spawn->fds[spawn->n_fds++] = rk_master_listeners_fd(start->listeners, i, (slot + next) % n_slots);
}

enum rk_err rk_master_worker_start(const struct rk_master_worker_start *start, pid_t *pid_out, struct rk_detail *detail)
{
    char slot_text[16], pid_text[16];
    char *arguments[] = { "rackkvd", "--worker", slot_text, pid_text, NULL };
    struct rk_master_spawn spawn = { .program = start->program, .arguments = arguments };

    (void)snprintf(slot_text, sizeof slot_text, "%u", start->slot);
    (void)snprintf(pid_text, sizeof pid_text, "%d", (int)getpid());
    list_fds(start, &spawn);
    return rk_master_spawn(&spawn, pid_out, detail);
}

void rk_master_worker_describe_exit(char *text_out, size_t size, int wait_status)
{
    if (WIFSIGNALED(wait_status))
        (void)snprintf(text_out, size, "was killed by signal %d (%s)", WTERMSIG(wait_status),
                       strsignal(WTERMSIG(wait_status)));
    else if (WEXITSTATUS(wait_status) == RK_MASTER_SPAWN_NO_EXEC)
        (void)snprintf(text_out, size, "could not be executed");
    else if (WEXITSTATUS(wait_status) == RK_MASTER_SPAWN_NO_FDS)
        (void)snprintf(text_out, size,
                       "could not get its descriptors: the limit of open files is too small (ulimit -n)");
    else
        (void)snprintf(text_out, size, "ended with exit code %d", WEXITSTATUS(wait_status));
}
