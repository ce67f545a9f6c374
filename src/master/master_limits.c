#include "master/master_limits.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "conf/conf.h"
#include "shm/shm_descriptors.h"
#include "shm/shm_handover.h"

#include <string.h>
#include <sys/resource.h>

/* What the master has open whatever the configuration: the standard three, the folder and its lock, the board, the
 * keydir (twice), two bells, signals, the control socket and its loop, the active file; and what comes and goes: files
 * that are recovered, hinted and merged, the other end of a worker that is started, whoever asks by the control socket.
 */
#define MASTER_FDS       16u
#define MASTER_SPARE_FDS 32u

/* Of each slot: its rings, its bell, its channel; and a listening socket for each address. */
#define SLOT_FDS 3u

/* Of a worker: the standard three, what it is handed besides listeners, its event loop's and readers' own; and what it
 * needs to be of use: some data files, some connections. */
#define WORKER_OWN_FDS   8u
#define WORKER_SPARE_FDS 32u

/* A Unix socket is one for all slots. */
static uint64_t count_unix(const struct rk_conf *conf)
{
    uint64_t n = 0;

    for (size_t i = 0; i < conf->http.n_listen; i++)
        n += strncmp(conf->http.listen[i], "unix:", strlen("unix:")) == 0;
    return n;
}

uint64_t rk_master_limits_master_fds(const struct rk_conf *conf)
{
    uint64_t n_unix = count_unix(conf);
    uint64_t n_tcp = conf->http.n_listen - n_unix;

    return MASTER_FDS + conf->server.workers * (SLOT_FDS + n_tcp) + n_unix + MASTER_SPARE_FDS;
}

/* As if each had the listening sockets of all slots. */
uint64_t rk_master_limits_worker_fds(const struct rk_conf *conf)
{
    return RK_HANDOVER_FD_LISTENERS + WORKER_OWN_FDS + conf->server.workers * conf->http.n_listen + WORKER_SPARE_FDS;
}

static enum rk_err check_descriptors(const struct rk_conf *conf, struct rk_detail *detail)
{
    uint64_t master = rk_master_limits_master_fds(conf), worker = rk_master_limits_worker_fds(conf);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return RK_OK; /* cannot happen; the start goes on with what there is */
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* up to the hard limit: cannot fail */
    if (limit.rlim_cur >= master && limit.rlim_cur >= worker)
        return RK_OK;
    rk_detail_set(
        detail,
        "the limit of open files (ulimit -n) is %llu; with %llu worker%s and %zu address%s the master needs at "
        "least %llu and each worker %llu: raise it to %llu, or lower server.workers",
        (unsigned long long)limit.rlim_cur, (unsigned long long)conf->server.workers,
        conf->server.workers == 1 ? "" : "s", conf->http.n_listen, conf->http.n_listen == 1 ? "" : "es",
        (unsigned long long)master, (unsigned long long)worker,
        (unsigned long long)(master > worker ? master : worker));
    return RK_ERR_LIMIT;
}

static enum rk_err check_file_size(const struct rk_conf *conf, struct rk_detail *detail)
{
    static const char *const file_size[] = { "log", "file_size" };
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY
        || limit.rlim_cur >= conf->log.file_size_bytes)
        return RK_OK;
    rk_detail_set(detail,
                  "the limit of a file's size (ulimit -f) is %llu KiB; log.file_size is %llu KiB: raise the limit, or "
                  "lower log.file_size",
                  (unsigned long long)limit.rlim_cur >> 10, (unsigned long long)conf->log.file_size_bytes >> 10);
    (void)rk_conf_refuse(conf, file_size, detail); /* names the place */
    return RK_ERR_LIMIT;
}

enum rk_err rk_master_limits_check(const struct rk_conf *conf, struct rk_detail *detail)
{
    enum rk_err err = check_descriptors(conf, detail);

    return err == RK_OK ? check_file_size(conf, detail) : err;
}

/* Connections, data files and listeners all need descriptors; the soft limit is often 1024. Workers inherit this. */
void rk_master_limits_raise(const struct rk_conf *conf, unsigned n_slots)
{
    struct rk_descriptors shares;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return; /* cannot happen; the limit stays */
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return; /* cannot happen either */
    shares = rk_descriptors_share(limit.rlim_cur, RK_DESCRIPTORS_OF_A_WORKER + n_slots * conf->http.n_listen);
    if (shares.n_connections < conf->http.max_connections)
        rk_diag(RK_DIAG_WARNING,
                "the limit of open files, %llu, is too small for http.max_connections (%llu): each worker takes %zu "
                "connections at most, and keeps %zu descriptors for data files; raise it (ulimit -n) or lower "
                "http.max_connections",
                (unsigned long long)limit.rlim_cur, (unsigned long long)conf->http.max_connections,
                shares.n_connections, shares.n_files);
}
