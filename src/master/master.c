#include "master/master.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_diag_file.h"
#include "base/base_path.h"
#include "base/base_plural.h"
#include "base/base_time.h"
#include "compactor/compactor.h"
#include "conf/conf.h"
#include "log/log_watch.h"
#include "log/log_writer.h"
#include "master/master_control.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"
#include "master/master_pid_file.h"
#include "master/master_recovery.h"
#include "master/master_signals.h"
#include "master/master_single.h"
#include "master/master_workers.h"
#include "shm/shm_descriptors.h"
#include "stats/stats_block.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS      100
#define FAST_STOP_NS (5 * RK_NS_PER_S)

/* Write errors may come with every request: so often are they told. */
#define WRITE_ERRORS_EVERY_NS (10 * RK_NS_PER_S)

/* A name that the store has lost is no matter of milliseconds. */
#define WATCH_EVERY_NS (2 * RK_NS_PER_S)

enum poll_index { POLL_SIGNALS, POLL_NOTICE, POLL_WORKERS };

struct master {
    const struct rk_master_options *options;
    struct rk_master_engine engine;
    struct rk_master_listeners *listeners;
    struct rk_master_workers *workers; /* NULL with --single */
    struct rk_master_single *single;
    struct rk_master_recovery *recovery; /* while it runs */
    struct rk_master_control control;
    struct rk_master_pid_file pid_file;
    struct rk_master_signals signals;
    int exit_code;
    bool single_is_ready;
    bool ready_told;
    enum rk_stats_accepted accepted_told; /* the writer's words, as they were last told */
    uint64_t write_errors_told;           /* and when: */
    uint64_t write_errors_told_ns;
    unsigned lost_told; /* names of the store that led nowhere */
    uint64_t watched_ns;
    bool stopping;
    bool drain;
    uint64_t stop_deadline_ns;
};

static unsigned count_slots(const struct rk_master_options *options)
{
    return options->run_worker != NULL ? 1 : (unsigned)options->conf->server.workers;
}

/* Connections, data files and listeners all need descriptors; the soft limit is often 1024. Workers inherit this. */
static void raise_file_limit(const struct rk_conf *conf, unsigned n_slots)
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

static enum rk_err open_listeners(struct master *master, unsigned n_slots, struct rk_detail *detail)
{
    const struct rk_conf *conf = master->options->conf;
    struct rk_master_listen listen = { .addresses = conf->http.listen,
                                       .n_addresses = conf->http.n_listen,
                                       .n_slots = n_slots };

    rk_conf_socket_access(conf, &listen.unix_access);
    return rk_master_listeners_open(&master->listeners, &listen, detail);
}

static enum rk_err open_master(struct master *master, struct rk_detail *detail)
{
    const struct rk_conf *conf = master->options->conf;
    unsigned n_slots = count_slots(master->options);
    enum rk_err err = rk_master_signals_open(&master->signals, detail);

    raise_file_limit(conf, n_slots);
    if (err == RK_OK)
        err = rk_master_engine_lock(&master->engine, conf, n_slots, detail);
    if (err == RK_OK)
        err = rk_master_pid_file_open(&master->pid_file, conf->server.pid_file, detail);
    if (err == RK_OK)
        err = open_listeners(master, n_slots, detail);
    if (err == RK_OK)
        err = rk_master_engine_open(&master->engine, conf, (uint32_t)conf->http.n_listen, detail);
    if (err == RK_OK)
        err = rk_master_control_start(&master->control, detail);
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
    char urls[512] = "", *data_dir = rk_path_absolute(master->options->conf->server.data_dir);
    size_t used = 0;

    for (size_t i = 0; i < rk_master_listeners_count(master->listeners) && used < sizeof urls; i++)
        used += (size_t)snprintf(urls + used, sizeof urls - used, "%s%s", i > 0 ? ", " : "",
                                 rk_master_listeners_url(master->listeners, i));
    rk_diag(RK_DIAG_INFO, "serving on %s with %u worker%s; data in %s", urls, master->engine.n_slots,
            master->engine.n_slots == 1 ? "" : "s", data_dir);
    free(data_dir);
    master->ready_told = true;
    rk_diag_file_leave();
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

static void reopen_log(struct master *master)
{
    struct rk_detail detail;

    if (!rk_diag_file_is_open()) {
        rk_diag(RK_DIAG_INFO, "SIGUSR1: messages go to standard error (server.log_file); nothing was reopened");
        return;
    }
    if (rk_diag_file_reopen(&detail) != RK_OK) {
        rk_diag(RK_DIAG_ERROR, "SIGUSR1: %s; messages go on in the file that was open", detail.text);
        return;
    }
    if (master->workers != NULL)
        rk_master_workers_give_log(master->workers, STDERR_FILENO);
    rk_diag(RK_DIAG_INFO, "SIGUSR1: %s was opened again", rk_diag_file_path());
}

static void on_hangup(struct master *master, uint64_t now_ns)
{
    switch (rk_master_signals_hangup(&master->signals, now_ns)) {
    case RK_MASTER_HANGUP_TERMINAL:
        rk_diag(RK_DIAG_INFO, "SIGHUP: the terminal that this was started from is gone (--daemon needs none)");
        begin_stop(master, false);
        break;
    case RK_MASTER_HANGUP_RELOAD:
        rk_diag(RK_DIAG_WARNING, "SIGHUP: no setting can be changed while the server runs; nothing was reloaded: "
                                 "restart it for a new configuration, or send SIGUSR1 for a new log file");
        break;
    default:
        break;
    }
}

static void on_signals(struct master *master)
{
    int signal_number;

    while ((signal_number = rk_master_signals_take(&master->signals)) != 0) {
        switch (signal_number) {
        case SIGTERM:
        case SIGINT:
            begin_stop(master, false);
            break;
        case SIGQUIT:
            begin_stop(master, true);
            break;
        case SIGHUP:
            rk_master_signals_on_hangup(&master->signals, rk_time_monotonic_ns());
            break;
        case SIGUSR1:
            reopen_log(master);
            break;
        default:
            break; /* SIGCHLD is looked at below; SIGUSR2: no upgrade to do */
        }
    }
    reap_children(master);
}

/* One line when it begins, and when it ends; none for each request that meets it. */
static void tell_refused(struct master *master)
{
    enum rk_stats_accepted accepted = rk_stats_accepted(&master->engine.stats->writer);
    const char *data_dir = master->options->conf->server.data_dir;
    struct rk_detail why;

    if (accepted == master->accepted_told)
        return;
    master->accepted_told = accepted;
    rk_compactor_hurry(master->engine.compactor);
    if (accepted == RK_STATS_ACCEPTS_ALL) {
        rk_diag(RK_DIAG_INFO, "%s: there is space on the disk again: puts go on", data_dir);
    } else if (accepted == RK_STATS_ACCEPTS_DELETES) {
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
    rk_diag(RK_DIAG_ERROR, "%s: nothing of it was kept; %llu failed write%s so far", why.text, (unsigned long long)n,
            rk_plural(n));
    master->write_errors_told = n;
    master->write_errors_told_ns = now_ns;
}

/* One line when a name of the store is lost, and one when it is back. */
static void watch_store(struct master *master, uint64_t now_ns)
{
    const char *data_dir = master->options->conf->server.data_dir;
    unsigned lost;

    if (master->engine.store == NULL || master->stopping || now_ns - master->watched_ns < WATCH_EVERY_NS)
        return;
    master->watched_ns = now_ns;
    lost = rk_log_watch_look(master->engine.store);
    for (unsigned i = 0; i < RK_LOG_N_WATCHED; i++) {
        bool is_lost = (lost >> i & 1) != 0;

        if (is_lost == ((master->lost_told >> i & 1) != 0))
            continue;
        if (is_lost)
            rk_diag(RK_DIAG_ERROR, "%s: %s was removed or replaced while this server uses it: %s", data_dir,
                    rk_log_watch_name(i), rk_log_watch_means(i));
        else
            rk_diag(RK_DIAG_INFO, "%s: %s is there again", data_dir, rk_log_watch_name(i));
    }
    master->lost_told = lost;
}

/* Serves, or stops because it cannot. */
static void end_recovery(struct master *master)
{
    struct rk_detail detail = { .text = "" };
    enum rk_err err = rk_master_recovery_join(&master->recovery, &detail);

    if (err == RK_OK)
        err = rk_master_engine_serve(&master->engine, master->options->conf, &detail);
    if (err == RK_OK) {
        rk_master_control_serve(&master->control);
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

    fds[POLL_SIGNALS] = (struct pollfd){ .fd = master->signals.fd, .events = POLLIN };
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

static void take_late(struct master *master, uint64_t now_ns)
{
    if (master->stopping)
        return;
    rk_master_late_tick(&master->pid_file.late, now_ns);
    rk_master_late_tick(&master->control.late, now_ns);
}

static void run_loop(struct master *master)
{
    while (!(master->stopping && workers_are_gone(master))) {
        uint64_t now_ns = rk_time_monotonic_ns();

        tell_write_errors(master, now_ns);
        on_hangup(master, now_ns);
        watch_store(master, now_ns);
        take_late(master, now_ns);
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
    rk_master_control_stop(&master->control); /* nobody calls on the engine's threads any more */
    err = rk_master_engine_close(&master->engine);
    if (err != RK_OK) {
        rk_diag(RK_DIAG_ERROR,
                "the data log could not be closed cleanly: %s; what was acknowledged is recovered at the next start",
                rk_err_text(err));
        exit_code = 1;
    }
    rk_master_listeners_close(&master->listeners);
    rk_master_pid_file_close(&master->pid_file);
    rk_master_signals_close(&master->signals);
    return exit_code;
}

/* Recovery need not come to its end: the next start does it again. Nothing waits for a thread that reads a large store,
 * and nothing under it may be freed. */
static void leave_recovery(struct master *master)
{
    if (master->recovery == NULL)
        return;
    rk_master_control_stop(&master->control);
    rk_master_pid_file_close(&master->pid_file);
    rk_diag(RK_DIAG_INFO, "stopped before recovery was over");
    _exit(master->exit_code);
}

int rk_master_run(const struct rk_master_options *options)
{
    struct master master = { .options = options,
                             .signals = { .fd = -1 },
                             .engine = { .writer_bell = -1, .notice_fd = -1 },
                             .control = {
                                 .conf = options->conf, .engine = &master.engine, .listeners = &master.listeners } };
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
    if (master.exit_code == 0)
        rk_diag(RK_DIAG_INFO, "stopped");
    return master.exit_code != 0 ? master.exit_code : exit_code;
}
