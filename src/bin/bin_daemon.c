#include "bin/bin_daemon.h"

#include "base/base_detail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIAG_FILE "rackkvd.diag"

static int ready_fd = -1;

static enum rk_err open_diag(const char *data_dir, int *fd_out, struct rk_detail *detail)
{
    char path[4096];

    (void)mkdir(data_dir, 0700); /* there already, or the open below says what is wrong */
    (void)snprintf(path, sizeof path, "%s/%s", data_dir, DIAG_FILE);
    *fd_out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (*fd_out >= 0)
        return RK_OK;
    rk_detail_set(detail, "%s: %s", path, strerror(errno));
    return RK_ERR_IO;
}

/* The process that a person started: its exit code is the answer to "does it run?". */
static void wait_for_ready(int fd, const char *data_dir)
{
    char byte;

    if (read(fd, &byte, 1) == 1)
        exit(EXIT_SUCCESS);
    (void)fprintf(stderr, "rackkvd: the server could not start; %s/%s says why\n", data_dir, DIAG_FILE);
    exit(EXIT_FAILURE);
}

enum rk_err rk_bin_daemon_start(const char *data_dir, struct rk_detail *detail)
{
    int ready[2], diag_fd, null_fd;
    enum rk_err err = open_diag(data_dir, &diag_fd, detail);
    pid_t pid;

    if (err != RK_OK)
        return err;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || pipe2(ready, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        rk_detail_set(detail, "going to the background: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    if (pid > 0) {
        (void)close(ready[1]); /* the child's end is the child's */
        wait_for_ready(ready[0], data_dir);
    }
    (void)setsid(); /* a fresh child leads no group: cannot fail */
    (void)close(ready[0]);
    ready_fd = ready[1];
    if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 || dup2(diag_fd, STDERR_FILENO) < 0) {
        rk_detail_set(detail, "going to the background: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    (void)close(null_fd); /* their copies are in use */
    (void)close(diag_fd);
    return RK_OK;
}

void rk_bin_daemon_ready(void *context)
{
    if (ready_fd < 0)
        return;
    (void)!write(ready_fd, "r", 1); /* nobody waits any more: fine */
    (void)close(ready_fd);
    ready_fd = -1;
}
