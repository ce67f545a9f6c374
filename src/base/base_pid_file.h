/* A file that holds the id of a process while it runs. It is locked for so long: a file that nobody has locked was left
 * by a process that was killed, whatever runs under its id by now. */
#ifndef RK_BASE_PID_FILE_H
#define RK_BASE_PID_FILE_H

#include "base/base_err.h"

struct rk_detail;

struct rk_pid_file {
    const char *path; /* the caller's; NULL: none */
    int fd;
};

/* Writes this process's id, mode 0644 whatever the umask. RK_ERR_BUSY when a process that runs has the file (the detail
 * names its id); RK_ERR_INVALID when it is no file, a link, or holds anything else than an id: it is kept then. */
enum rk_err rk_pid_file_open(struct rk_pid_file *file_out, const char *path, struct rk_detail *detail);

/* Removes the file, if the name still is that of ours. One that was never opened (path NULL) is fine. */
void rk_pid_file_close(struct rk_pid_file *file);

#endif
