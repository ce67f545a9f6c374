#include "master/master.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_time.h"
#include "conf/conf.h"
#include "control/control.h"
#include "log/log_writer.h"
#include "master/master_control.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"
#include "master/master_recovery.h"
#include "master/master_single.h"
#include "master/master_workers.h"
#include "stats/stats_block.h"
#include "store/store_compactor_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS      100
#define FAST_STOP_NS (5 * RK_NS_PER_S)

/* Write errors may come with every request: so often are they told. */
#define WRITE_ERRORS_EVERY_NS (10 * RK_NS_PER_S)

enum poll_index { POLL_SIGNALS, POLL_NOTICE, POLL_WORKERS };

struct master {
    const struct rk_master_options *options;
    struct rk_master_engine engine;
    struct rk_master_listeners *listeners;
    struct rk_master_workers *workers; /* NULL with --single */
    struct rk_master_single *single;
    struct rk_master_recovery *recovery; /* while it runs */
    struct rk_control *control;
    int signal_fd;
    int exit_code;
    bool single_is_ready;
    bool ready_told;
    uint64_t refused_told;      /* the writer's counters, as they were last told */
    uint64_t write_errors_told; /* and when: */
    uint64_t write_errors_told_ns;
    bool stopping;
    bool drain;
    uint64_t stop_deadline_ns;
};

/* One core serves what one event loop can: the writer and the kernel take the rest. */
static unsigned count_slots(const struct rk_master_options *options)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t n = options->conf->server.workers;

    if (options->run_worker != NULL)
        return 1;
    if (n == 0)
        n = n_cores > 0 ? (uint64_t)n_cores : 1;
    return n < RK_HANDOVER_SLOTS_MAX ? (unsigned)n : RK_HANDOVER_SLOTS_MAX;
}

static enum rk_err open_signals(struct master *master, struct rk_detail *detail)
{
    static const int handled[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        sigaddset(&set, handled[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail for a valid set */
    (void)signal(SIGPIPE, SIG_IGN);           /* nor this */
    (void)signal(SIGXFSZ, SIG_IGN);           /* a write past the limit of a file's size is an error like others */
    master->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (master->signal_fd < 0) {
        rk_detail_set(detail, "making a signalfd: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    return RK_OK;
}

/* Connections, data files and listeners all need descriptors; the soft limit is often 1024. Workers inherit this. */
static void raise_file_limit(const struct rk_conf *conf)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return; /* cannot happen; the limit stays */
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < conf->http.max_connections + 256)
        rk_diag(RK_DIAG_WARNING,
                "the limit of open files, %llu, is too small for http.max_connections (%llu) in each worker; raise it "
                "(ulimit -n) or lower http.max_connections",
                (unsigned long long)limit.rlim_cur, (unsigned long long)conf->http.max_connections);
}

static enum rk_err write_pid_file(const char *path, struct rk_detail *detail)
{
    FILE *file;
    int failed;

    if (path[0] == '\0')
        return RK_OK;
    file = fopen(path, "we");
    if (file == NULL) {
        rk_detail_set(detail, "server.pid_file: %s: %s", path, strerror(errno));
        return RK_ERR_IO;
    }
    failed = fprintf(file, "%d\n", (int)getpid()) < 0;
    failed |= fclose(file) != 0;
    if (failed)
        rk_detail_set(detail, "server.pid_file: %s: cannot be written", path);
    return failed ? RK_ERR_IO : RK_OK;
}

static void remove_pid_file(const char *path)
{
    if (path[0] != '\0')
        (void)unlink(path); /* gone already: as it should be */
}

static enum rk_err open_master(struct master *master, struct rk_detail *detail)
{
    const struct rk_conf *conf = master->options->conf;
    unsigned n_slots = count_slots(master->options);
    enum rk_err err = open_signals(master, detail);

    raise_file_limit(conf);
    if (err == RK_OK)
        err = rk_master_engine_lock(&master->engine, conf, n_slots, detail);
    if (err == RK_OK)
        err = rk_master_listeners_open(&master->listeners, conf->http.listen, conf->http.n_listen, n_slots, detail);
    if (err == RK_OK)
        err = rk_master_engine_open(&master->engine, conf, (uint32_t)conf->http.n_listen, detail);
    if (err == RK_OK)
        err = write_pid_file(conf->server.pid_file, detail);
    if (err == RK_OK)
        err = rk_master_control_start(&master->control, conf, &master->engine, master->listeners, detail);
    if (err != RK_OK)
        return err;
    if (master->options->run_worker == NULL)
        master->workers = rk_master_workers_create(conf, &master->engine, master->listeners, master->options->program);
    else
        err = rk_master_single_start(&master->single, master->options, &master->engine, master->listeners, detail);
    if (err == RK_OK)
        err = rk_master_recovery_start(&master->recovery, &master->engine, master->options, detail);
    return err;
}

static void tell_ready(struct master *master)
{
    char urls[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < rk_master_listeners_count(master->listeners) && used < sizeof urls; i++)
        used += (size_t)snprintf(urls + used, sizeof urls - used, "%s%s", i > 0 ? ", " : "",
                                 rk_master_listeners_url(master->listeners, i));
    rk_diag(RK_DIAG_INFO, "serving on %s with %u worker%s; data in %s", urls, master->engine.n_slots,
            master->engine.n_slots == 1 ? "" : "s", master->options->conf->server.data_dir);
    master->ready_told = true;
    if (master->options->on_ready != NULL)
        master->options->on_ready(master->options->context);
}

static void begin_stop(struct master *master, bool drain)
{
    uint64_t patience_ns = drain ? master->options->conf->server.drain_timeout_ms * RK_NS_PER_MS : FAST_STOP_NS;

    if (master->stopping && (drain || !master->drain)) {
        if (!drain && master->workers != NULL)
            rk_master_workers_kill(master->workers, "asked to stop once more");
        else if (!drain)
            rk_master_single_abandon(master->single);
        return;
    }
    master->stopping = true;
    master->drain = drain;
    master->stop_deadline_ns = rk_time_monotonic_ns() + patience_ns;
    rk_master_listeners_close(&master->listeners); /* once the workers have closed theirs, connections are refused */
    if (master->exit_code == 0)
        rk_diag(RK_DIAG_INFO, drain ? "draining: answering what is connected, then stopping" : "stopping");
    if (master->workers != NULL)
        rk_master_workers_stop(master->workers, drain);
    else
        rk_master_single_stop(master->single, drain);
}

static void reap_children(struct master *master)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
        if (master->workers != NULL)
            rk_master_workers_on_exit(master->workers, pid, wait_status);
}

static void on_signals(struct master *master)
{
    struct signalfd_siginfo info;

    while (read(master->signal_fd, &info, sizeof info) == sizeof info) {
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            begin_stop(master, false);
            break;
        case SIGQUIT:
            begin_stop(master, true);
            break;
        case SIGHUP:
            rk_diag(RK_DIAG_WARNING, "SIGHUP: no setting can be changed without a restart; nothing was reloaded");
            break;
        default:
            break; /* SIGCHLD is looked at below; SIGUSR1, SIGUSR2: no files to reopen, no upgrade to do */
        }
    }
    reap_children(master);
}

/* One line when it begins, and when it ends; none for each request that meets it. */
static void tell_refused(struct master *master)
{
    uint64_t refused = rk_counter_get(&master->engine.stats->writer.refused);
    const char *data_dir = master->options->conf->server.data_dir;
    struct rk_detail why;

    if (refused == master->refused_told)
        return;
    master->refused_told = refused;
    rk_store_compactor_hurry(master->engine.compactor);
    if (refused == 0) {
        rk_diag(RK_DIAG_INFO, "%s: there is space on the disk again: puts go on", data_dir);
    } else if (refused == (uint64_t)-RK_ERR_NO_SPACE) {
        rk_diag(RK_DIAG_ERROR, "%s: the disk is full: puts are refused until there is space, deletes and reads go on",
                data_dir);
    } else {
        rk_log_writer_why(master->engine.log, &why);
        rk_diag(RK_DIAG_ERROR, "%s: writes are refused until a restart, reads go on", why.text);
    }
}

static void tell_write_errors(struct master *master, uint64_t now_ns)
{
    uint64_t n = rk_counter_get(&master->engine.stats->writer.write_errors);
    bool is_first = master->write_errors_told == 0;
    struct rk_detail why;

    if (n == master->write_errors_told || (!is_first && now_ns - master->write_errors_told_ns < WRITE_ERRORS_EVERY_NS))
        return;
    rk_log_writer_why(master->engine.log, &why);
    rk_diag(RK_DIAG_ERROR, "%s: nothing of it was kept; %llu failed writes so far", why.text, (unsigned long long)n);
    master->write_errors_told = n;
    master->write_errors_told_ns = now_ns;
}

/* Serves, or stops because it cannot. */
static void end_recovery(struct master *master)
{
    struct rk_detail detail = { .text = "" };
    enum rk_err err = rk_master_recovery_join(&master->recovery, &detail);

    if (err == RK_OK)
        err = rk_master_engine_serve(&master->engine, master->options->conf, &detail);
    if (err == RK_OK) {
        rk_control_serve(master->control, master->engine.log, master->engine.compactor);
        return;
    }
    rk_diag(RK_DIAG_ERROR, "cannot start: %s", detail.text);
    master->exit_code = 1;
    begin_stop(master, false);
}

/* Another thread wants to be looked at: recovery is over, the writer has let a slot go (the tick sees it), or writes
 * are refused, or no longer. */
static void on_notice(struct master *master)
{
    rk_doorbell_drain(master->engine.notice_fd);
    if (master->recovery != NULL && rk_master_recovery_has_ended(master->recovery))
        end_recovery(master);
    tell_refused(master);
}

static void on_worker_messages(struct master *master, const struct pollfd *fds)
{
    for (unsigned slot = 0; slot < master->engine.n_slots; slot++) {
        if (fds[slot].revents == 0)
            continue;
        if (master->workers != NULL)
            rk_master_workers_on_readable(master->workers, slot);
        else if (rk_master_single_take_ready(master->single))
            master->single_is_ready = true;
    }
}

static void poll_once(struct master *master)
{
    struct pollfd fds[POLL_WORKERS + RK_HANDOVER_SLOTS_MAX];

    fds[POLL_SIGNALS] = (struct pollfd){ .fd = master->signal_fd, .events = POLLIN };
    fds[POLL_NOTICE] = (struct pollfd){ .fd = master->engine.notice_fd, .events = POLLIN };
    if (master->workers != NULL)
        rk_master_workers_poll_fds(master->workers, fds + POLL_WORKERS);
    else
        fds[POLL_WORKERS] = (struct pollfd){ .fd = rk_master_single_channel(master->single), .events = POLLIN };
    if (poll(fds, POLL_WORKERS + master->engine.n_slots, TICK_MS) <= 0)
        return;
    if (fds[POLL_SIGNALS].revents != 0)
        on_signals(master);
    if (fds[POLL_NOTICE].revents != 0)
        on_notice(master);
    on_worker_messages(master, fds + POLL_WORKERS);
}

static bool workers_are_gone(const struct master *master)
{
    return master->workers != NULL ? rk_master_workers_n_alive(master->workers) == 0
                                   : rk_master_single_has_ended(master->single);
}

static bool is_ready(const struct master *master)
{
    if (master->recovery != NULL || master->stopping)
        return false;
    return master->workers != NULL ? rk_master_workers_n_serving(master->workers) == master->engine.n_slots
                                   : master->single_is_ready;
}

static void run_loop(struct master *master)
{
    while (!(master->stopping && workers_are_gone(master))) {
        uint64_t now_ns = rk_time_monotonic_ns();

        tell_write_errors(master, now_ns);
        if (master->recovery != NULL)
            rk_master_recovery_tell(master->recovery, now_ns);
        if (!master->ready_told && is_ready(master))
            tell_ready(master);
        if (master->workers != NULL) {
            rk_master_workers_tick(master->workers, now_ns);
            if (master->stopping && now_ns >= master->stop_deadline_ns)
                rk_master_workers_kill(master->workers, "it did not stop in time");
        } else if (rk_master_single_has_ended(master->single)) {
            break; /* it could not go on; the join says why */
        } else if (master->stopping && now_ns >= master->stop_deadline_ns) {
            rk_master_single_abandon(master->single);
        }
        poll_once(master);
    }
}

static int close_master(struct master *master)
{
    struct rk_detail detail;
    int exit_code = 0;
    enum rk_err err;

    if (master->single != NULL) {
        rk_master_single_stop(master->single, false); /* when it was not told: the start failed */
        if (rk_master_single_join(&master->single, &detail) != RK_OK) {
            rk_diag(RK_DIAG_ERROR, "%s", detail.text);
            exit_code = 1;
        }
    }
    rk_master_workers_destroy(&master->workers);
    rk_control_stop(&master->control); /* nobody calls on the engine's threads any more */
    err = rk_master_engine_close(&master->engine);
    if (err != RK_OK) {
        rk_diag(RK_DIAG_ERROR,
                "the data log could not be closed cleanly: %s; what was acknowledged is recovered at the next start",
                rk_err_text(err));
        exit_code = 1;
    }
    rk_master_listeners_close(&master->listeners);
    if (master->signal_fd >= 0)
        (void)close(master->signal_fd); /* nothing to lose */
    return exit_code;
}

/* Recovery need not come to its end: the next start does it again. Nothing waits for a thread that reads a large store,
 * and nothing under it may be freed. */
static void leave_recovery(struct master *master)
{
    if (master->recovery == NULL)
        return;
    rk_control_stop(&master->control);
    remove_pid_file(master->options->conf->server.pid_file);
    rk_diag(RK_DIAG_INFO, "stopped before recovery was over");
    _exit(master->exit_code);
}

int rk_master_run(const struct rk_master_options *options)
{
    struct master master = { .options = options, .signal_fd = -1, .engine = { .writer_bell = -1, .notice_fd = -1 } };
    struct rk_detail detail = { .text = "" };
    enum rk_err err;
    int exit_code;

    rk_diag_setup("rackkvd", options->run_worker != NULL ? "single" : "master");
    err = open_master(&master, &detail);
    if (err != RK_OK) {
        rk_diag(RK_DIAG_ERROR, "cannot start: %s", detail.text[0] != '\0' ? detail.text : rk_err_text(err));
        (void)close_master(&master); /* the first reason is the one to tell */
        return 1;
    }
    run_loop(&master);
    leave_recovery(&master);
    exit_code = close_master(&master);
    remove_pid_file(options->conf->server.pid_file);
    if (master.exit_code == 0)
        rk_diag(RK_DIAG_INFO, "stopped");
    return master.exit_code != 0 ? master.exit_code : exit_code;
}
