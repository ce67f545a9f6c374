#include "master/master_probe.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_plural.h"
#include "base/base_unix.h"
#include "conf/conf.h"
#include "keydir/keydir_writer.h"
#include "master/master_limits.h"
#include "master/master_probe_listen.h"
#include "ring/ring_messages.h"
#include "shm/shm_region.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that a path is in. */
static void folder_of(const char *path, char folder_out[PATH_MAX])
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') /* "a/b/" is b in a */
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    (void)snprintf(folder_out, PATH_MAX, "%.*s", len > 0 ? (int)len : 1, len > 0 ? path : ".");
}

/* Whether names can be made in a folder. access() tells it of all that are not made up by the kernel, as /proc is. */
static enum rk_err check_folder(const char *setting, const char *path, const char *folder, struct rk_detail *detail)
{
    struct stat status;

    if (stat(folder, &status) != 0)
        rk_detail_set(detail, "%s: %s: the folder %s: %s", setting, path, folder, strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        rk_detail_set(detail, "%s: %s: %s is not a folder", setting, path, folder);
    else if (access(folder, W_OK | X_OK) != 0)
        rk_detail_set(detail, "%s: %s: nothing can be made in %s: %s", setting, path, folder, strerror(errno));
    else
        return RK_OK;
    return RK_ERR_IO;
}

/* A folder that is to be made: one beside it is made and removed. */
static enum rk_err try_to_make(const char *path, struct rk_detail *detail)
{
    char folder[PATH_MAX], trial[PATH_MAX + 32];

    folder_of(path, folder);
    (void)snprintf(trial, sizeof trial, "%s/.rackkvd-%d", folder, (int)getpid()); /* fits */
    if (mkdir(trial, 0700) != 0) {
        rk_detail_set(detail, "server.data_dir: %s: it is not there and cannot be made in %s: %s", path, folder,
                      strerror(errno));
        return RK_ERR_IO;
    }
    (void)rmdir(trial); /* empty, and ours */
    return RK_OK;
}

static enum rk_err probe_data_dir(const char *path, struct rk_detail *detail)
{
    struct stat status;

    if (stat(path, &status) != 0 && errno == ENOENT)
        return try_to_make(path, detail);
    return check_folder("server.data_dir", path, path, detail);
}

static enum rk_err probe_pid_file(const char *path, struct rk_detail *detail)
{
    char folder[PATH_MAX];
    struct stat status;

    if (path[0] == '\0')
        return RK_OK;
    folder_of(path, folder);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        rk_detail_set(detail, "server.pid_file: %s is not a file; choose another path", path);
        return RK_ERR_INVALID;
    }
    return check_folder("server.pid_file", path, folder, detail);
}

static enum rk_err probe_control_socket(const struct rk_conf *conf, struct rk_detail *detail)
{
    char folder[PATH_MAX], *path;
    enum rk_err err = RK_OK;

    if (conf->server.control_socket[0] == '\0' && access(conf->server.data_dir, F_OK) != 0)
        return RK_OK; /* in a folder that is yet to be made */
    path = rk_conf_control_socket(conf);
    folder_of(path, folder);
    if (conf->server.control_socket[0] != '\0')
        err = check_folder("server.control_socket", path, folder, detail);
    if (err == RK_OK) {
        err = rk_unix_check_path(path, detail);
        if (err != RK_OK)
            rk_detail_wrap(detail, "server.control_socket");
    }
    free(path);
    return err;
}

/* Address space, and what a limit of the process's memory or of a file's size may refuse: sparse, so it costs nothing.
 */
static enum rk_err probe_keydir(const struct rk_conf *conf, struct rk_detail *detail)
{
    static const char *const max_bytes[] = { "keydir", "max_bytes" };
    struct rk_keydir_writer *keydir = NULL;
    enum rk_err err = rk_keydir_writer_create(&keydir, conf->keydir.max_bytes, NULL, detail);

    rk_keydir_writer_destroy(&keydir);
    if (err == RK_OK)
        return RK_OK;
    rk_detail_wrap(detail, "keydir.max_bytes: %llu MiB (limits of memory and of file size, ulimit -v and -f, cover it)",
                   (unsigned long long)conf->keydir.max_bytes >> 20);
    (void)rk_conf_refuse(conf, max_bytes, detail); /* names the place */
    return err;
}

/* All at once, as the start has them. */
static enum rk_err probe_rings(const struct rk_conf *conf, struct rk_detail *detail)
{
    static const char *const size[] = { "ring", "size" };
    size_t region_bytes = RK_RINGS_REQUESTS_OFFSET + rk_ring_bytes(conf->ring.size_bytes);
    struct rk_shm_region *rings = rk_mem_calloc(conf->server.workers, sizeof *rings);
    enum rk_err err = RK_OK;
    uint64_t n = 0;

    while (err == RK_OK && n < conf->server.workers) {
        err = rk_shm_region_create(&rings[n], RK_SHM_RINGS, "rackkv-probe", region_bytes, 0, detail);
        n += err == RK_OK;
    }
    if (err != RK_OK) {
        rk_detail_wrap(detail, "ring.size: the rings of %llu worker%s", (unsigned long long)conf->server.workers,
                       rk_plural(conf->server.workers));
        (void)rk_conf_refuse(conf, size, detail); /* names the place */
    }
    while (n > 0)
        rk_shm_region_close(&rings[--n]);
    free(rings);
    return err;
}

enum rk_err rk_master_probe(const struct rk_conf *conf, struct rk_detail *detail)
{
    enum rk_err err;

    (void)signal(SIGXFSZ, SIG_IGN); /* cannot fail for this signal */
    err = rk_master_limits_check(conf, detail);
    if (err == RK_OK)
        err = probe_data_dir(conf->server.data_dir, detail);
    if (err == RK_OK)
        err = probe_pid_file(conf->server.pid_file, detail);
    if (err == RK_OK)
        err = probe_control_socket(conf, detail);
    if (err == RK_OK)
        err = rk_master_probe_listen(conf, detail);
    if (err == RK_OK)
        err = probe_keydir(conf, detail);
    if (err == RK_OK)
        err = probe_rings(conf, detail);
    return err;
}
