#include "master/master.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_diag_file.h"
#include "base/base_path.h"
#include "base/base_time.h"
#include "conf/conf.h"
#include "master/master_control.h"
#include "master/master_engine.h"
#include "master/master_limits.h"
#include "master/master_listeners.h"
#include "master/master_pid_file.h"
#include "master/master_recovery.h"
#include "master/master_serving.h"
#include "master/master_signals.h"
#include "master/master_single.h"
#include "master/master_state.h"
#include "master/master_workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS      100
#define FAST_STOP_NS (5 * RK_NS_PER_S)

enum poll_index { POLL_SIGNALS, POLL_NOTICE, POLL_WORKERS };

struct master {
    const struct rk_master_options *options;
    struct rk_master_engine engine;
    struct rk_master_listeners *listeners;
    struct rk_master_serving *serving;
    struct rk_master_recovery *recovery; /* while it runs */
    struct rk_master_control control;
    struct rk_master_pid_file pid_file;
    struct rk_master_signals signals;
    int exit_code;
    bool ready_told;
    struct rk_master_state state; /* what was told of the store */
    bool stopping;
    bool drain;
    uint64_t stop_deadline_ns;
};

static unsigned count_slots(const struct rk_master_options *options)
{
    return options->run_worker != NULL ? 1 : (unsigned)options->conf->server.workers;
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

/* The one place that knows which kind it is. */
static enum rk_err start_serving(struct master *master, struct rk_detail *detail)
{
    const struct rk_master_options *options = master->options;

    if (options->run_worker != NULL)
        return rk_master_single_start(&master->serving, options, &master->engine, master->listeners, detail);
    master->serving = rk_master_workers_create(options->conf, &master->engine, master->listeners, options->program);
    return RK_OK;
}

static enum rk_err open_master(struct master *master, struct rk_detail *detail)
{
    const struct rk_conf *conf = master->options->conf;
    unsigned n_slots = count_slots(master->options);
    enum rk_err err = rk_master_signals_open(&master->signals, detail);

    rk_master_limits_raise(conf, n_slots);
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
    err = start_serving(master, detail);
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
        if (!drain)
            rk_master_serving_end_now(master->serving, "asked to stop once more");
        return;
    }
    master->stopping = true;
    master->drain = drain;
    master->stop_deadline_ns = rk_time_monotonic_ns() + patience_ns;
    rk_master_listeners_close(&master->listeners); /* once the workers have closed theirs, connections are refused */
    if (master->exit_code == 0)
        rk_diag(RK_DIAG_INFO, drain ? "draining: answering what is connected, then stopping" : "stopping");
    rk_master_serving_stop(master->serving, drain);
}

static void reap_children(struct master *master)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
        rk_master_serving_on_exit(master->serving, pid, wait_status);
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
    rk_master_serving_give_log(master->serving, STDERR_FILENO);
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
    rk_master_state_tell_refused(&master->state, &master->engine);
}

static void poll_once(struct master *master)
{
    struct pollfd fds[POLL_WORKERS + RK_HANDOVER_SLOTS_MAX];

    fds[POLL_SIGNALS] = (struct pollfd){ .fd = master->signals.fd, .events = POLLIN };
    fds[POLL_NOTICE] = (struct pollfd){ .fd = master->engine.notice_fd, .events = POLLIN };
    rk_master_serving_poll_fds(master->serving, fds + POLL_WORKERS);
    if (poll(fds, POLL_WORKERS + master->engine.n_slots, TICK_MS) <= 0)
        return;
    if (fds[POLL_SIGNALS].revents != 0)
        on_signals(master);
    if (fds[POLL_NOTICE].revents != 0)
        on_notice(master);
    for (unsigned slot = 0; slot < master->engine.n_slots; slot++)
        if (fds[POLL_WORKERS + slot].revents != 0)
            rk_master_serving_on_readable(master->serving, slot);
}

static bool is_ready(const struct master *master)
{
    return master->recovery == NULL && !master->stopping && rk_master_serving_is_ready(master->serving);
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
    while (!rk_master_serving_is_over(master->serving)) {
        uint64_t now_ns = rk_time_monotonic_ns();

        rk_master_state_tell_write_errors(&master->state, &master->engine, now_ns);
        on_hangup(master, now_ns);
        if (!master->stopping)
            rk_master_state_watch(&master->state, &master->engine, now_ns);
        take_late(master, now_ns);
        if (master->recovery != NULL)
            rk_master_recovery_tell(master->recovery, now_ns);
        if (!master->ready_told && is_ready(master))
            tell_ready(master);
        rk_master_serving_tick(master->serving, now_ns);
        if (master->stopping && now_ns >= master->stop_deadline_ns)
            rk_master_serving_end_now(master->serving, "it did not stop in time");
        poll_once(master);
    }
}

static int close_master(struct master *master)
{
    struct rk_detail detail;
    int exit_code = 0;
    enum rk_err err;

    if (rk_master_serving_close(&master->serving, &detail) != RK_OK) {
        rk_diag(RK_DIAG_ERROR, "%s", detail.text);
        exit_code = 1;
    }
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
