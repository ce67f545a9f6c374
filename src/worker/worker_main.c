#include "base/base_detail.h"
#include "base/base_diag.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The kernel should take a worker before it takes the writer. */
#define OOM_SCORE "300"

/* Dies with the master; a master that died before this call is noticed by its pid. */
static void follow_master(int master_pid)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* cannot fail for a valid signal */
    if (getppid() != master_pid)
        _exit(1);
}

static void prefer_for_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;                                     /* no /proc: nothing that a worker needs */
    (void)!write(fd, OOM_SCORE, strlen(OOM_SCORE)); /* refused in some containers: a preference only */
    (void)close(fd);
}

/* A Ctrl-C goes to the whole process group, but only the master decides what it means. */
static void ignore_signals(void)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };
    sigset_t none;

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void)signal(ignored[i], SIG_IGN); /* cannot fail for these */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* the master blocks signals; masks survive exec */
}

int rk_worker_main(unsigned slot, int master_pid)
{
    struct rk_handover handover = { .slot = slot,
                                    .board_fd = RK_HANDOVER_FD_BOARD,
                                    .keydir_fd = RK_HANDOVER_FD_KEYDIR,
                                    .rings_fd = RK_HANDOVER_FD_RINGS,
                                    .data_dir_fd = RK_HANDOVER_FD_DATA_DIR,
                                    .writer_bell_fd = RK_HANDOVER_FD_WRITER_BELL,
                                    .worker_bell_fd = RK_HANDOVER_FD_WORKER_BELL,
                                    .channel_fd = RK_HANDOVER_FD_CHANNEL };
    struct rk_detail detail = { .text = "" };
    char role[32];
    enum rk_err err;

    follow_master(master_pid);
    ignore_signals();
    prefer_for_oom();
    (void)snprintf(role, sizeof role, "worker %u", slot);
    (void)prctl(PR_SET_NAME, "rackkvd"); /* it was executed as /proc/self/exe, and tools would show "exe" */
    rk_diag_setup("rackkvd", role);
    for (int i = 0; i < RK_HANDOVER_LISTENERS_MAX; i++)
        handover.listener_fds[i] = RK_HANDOVER_FD_LISTENERS + i;
    err = rk_worker_run(&handover, &detail);
    if (err != RK_OK)
        rk_diag(RK_DIAG_ERROR, "%s", detail.text[0] != '\0' ? detail.text : rk_err_text(err));
    return err == RK_OK ? 0 : 1;
}
