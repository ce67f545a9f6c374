#include "client/client_server.h"

#include "base/base_detail.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The directory of this program, without a slash at its end; "" if the kernel does not tell. */
static void find_own_dir(char dir_out[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", dir_out, PATH_MAX - 1);
    char *slash;

    dir_out[size > 0 ? size : 0] = '\0';
    slash = strrchr(dir_out, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* Returns if there is none; what is there and can't be started ends the search. */
static enum rk_err exec_in(const char *dir, const char *below, char **argv, struct rk_detail *detail)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s/rackkvd", dir, below);

    if (dir[0] == '\0' || len < 0 || (size_t)len >= sizeof path)
        return RK_ERR_NOT_FOUND;
    argv[0] = path;
    execv(path, argv);
    if (errno == ENOENT || errno == ENOTDIR)
        return RK_ERR_NOT_FOUND;
    rk_detail_set(detail, "%s can't be started: %s", path, strerror(errno));
    return RK_ERR_IO;
}

enum rk_err rk_client_server_exec(char **argv, struct rk_detail *detail)
{
    static char name[] = "rackkvd";
    char dir[PATH_MAX];
    enum rk_err err;

    find_own_dir(dir);
    err = exec_in(dir, "", argv, detail);
    if (err == RK_ERR_NOT_FOUND)
        err = exec_in(dir, "/../sbin", argv, detail);
    if (err != RK_ERR_NOT_FOUND)
        return err;
    argv[0] = name;
    execvp(name, argv);
    rk_detail_set(detail, "the server rackkvd was not found beside this program (%s), in ../sbin of it, or in PATH: %s",
                  dir, strerror(errno));
    return RK_ERR_NOT_FOUND;
}
