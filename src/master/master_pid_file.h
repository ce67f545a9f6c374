/* The PID file of this master. On a full disk it comes later (master_late.h). */
#ifndef RK_MASTER_PID_FILE_H
#define RK_MASTER_PID_FILE_H

#include "base/base_pid_file.h"
#include "master/master_late.h"

struct rk_master_pid_file {
    const char *path; /* the configuration's */
    struct rk_pid_file file;
    struct rk_master_late late;
};

/* Main thread, all. `path` stays until close; "": no file is wanted. The errors of rk_pid_file_open, but for
 * RK_ERR_NO_SPACE: then `late` is missing it. */
enum rk_err rk_master_pid_file_open(struct rk_master_pid_file *pid_file, const char *path, struct rk_detail *detail);

/* Removes it. One that was never opened (zeroed) is fine. */
void rk_master_pid_file_close(struct rk_master_pid_file *pid_file);

#endif
