#include "bin/bin_daemon.h"

#include "base/base_detail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1;

static enum rk_err fail(struct rk_detail *detail)
{
    rk_detail_set(detail, "going to the background: %s", strerror(errno));
    return RK_ERR_LIMIT;
}

/* Why it could not start was said by itself. */
static int explain_end(int wait_status, const char *log_path)
{
    char how[96] = "could not start";

    if (WIFSIGNALED(wait_status))
        (void)snprintf(how, sizeof how, "was killed by signal %d (%s) before it was ready", WTERMSIG(wait_status),
                       strsignal(WTERMSIG(wait_status)));
    else if (WEXITSTATUS(wait_status) == EXIT_SUCCESS)
        (void)snprintf(how, sizeof how, "was told to stop before it was ready");
    (void)fprintf(stderr, "rackkvd: the server %s; its log is %s\n", how, log_path);
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) != EXIT_SUCCESS ? WEXITSTATUS(wait_status) : EXIT_FAILURE;
}

/* The process that a person started: its exit code is the answer to "does it run?". */
static void wait_for_ready(int fd, pid_t pid, const char *log_path)
{
    int wait_status = 0;
    char byte;
    ssize_t n;

    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        exit(EXIT_SUCCESS);
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        ;
    exit(explain_end(wait_status, log_path));
}

/* In the child. It was started by somebody who goes away: a SIGHUP is not about their terminal, nohup or not. */
static enum rk_err leave_session(struct rk_detail *detail)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setsid(); /* a fresh child leads no group: cannot fail */
    (void)signal(SIGHUP, SIG_DFL);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
        return fail(detail);
    (void)close(null_fd); /* its copies are in use */
    return RK_OK;
}

enum rk_err rk_bin_daemon_start(const char *log_path, struct rk_detail *detail)
{
    int ready[2];
    pid_t pid;

    if (pipe2(ready, O_CLOEXEC) != 0 || (pid = fork()) < 0)
        return fail(detail);
    if (pid > 0) {
        (void)close(ready[1]); /* the child's end is the child's */
        wait_for_ready(ready[0], pid, log_path);
    }
    (void)close(ready[0]); /* the parent's */
    ready_fd = ready[1];
    return leave_session(detail);
}

void rk_bin_daemon_ready(void *context)
{
    if (ready_fd < 0)
        return;
    (void)!write(ready_fd, "r", 1); /* nobody waits any more: fine */
    (void)close(ready_fd);
    ready_fd = -1;
}
