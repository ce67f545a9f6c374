#include "master/master_pid_file.h"

static enum rk_err take(void *owner, struct rk_detail *detail)
{
    struct rk_master_pid_file *pid_file = owner;
    enum rk_err err = rk_pid_file_open(&pid_file->file, pid_file->path, detail);

    if (err != RK_OK)
        rk_detail_wrap(detail, "server.pid_file");
    return err;
}

enum rk_err rk_master_pid_file_open(struct rk_master_pid_file *pid_file, const char *path, struct rk_detail *detail)
{
    *pid_file = (struct rk_master_pid_file){ .path = path,
                                             .late = { .what = "the PID file", .take = take, .owner = pid_file } };
    return path[0] != '\0' ? rk_master_late_start(&pid_file->late, detail) : RK_OK;
}

void rk_master_pid_file_close(struct rk_master_pid_file *pid_file)
{
    rk_pid_file_close(&pid_file->file);
}
