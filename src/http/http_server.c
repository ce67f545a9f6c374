#include "http/http_server.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "http/http_expect.h"
#include "http/http_fallback.h"
#include "http/http_handler.h"
#include "http/http_interpose.h"
#include "http/http_listeners.h"
#include "http/http_probe.h"
#include "http/http_reading.h"
#include "http/http_request.h"
#include "http/http_sweep.h"
#include "http/http_watch.h"

#include <errno.h>
#include <signal.h>

#define NO_TIMEOUT_MS      ((uint64_t)365 * 24 * 3600 * 1000) /* times are http_sweep.c's */
#define DESTROY_TURNS      100
#define DESTROY_TURN_MS    10
#define NO_TEMPORARY_FILES SIZE_MAX
#define FIELDS_MIN         2 /* what the parser itself tells libh2o */

static void set_bounds(struct rk_http_server *server)
{
    const struct rk_http_settings *settings = &server->settings;

    server->bounds = (struct rk_http_bounds){
        .max_head_bytes = settings->max_head_bytes,
        .max_fields = settings->max_fields,
        .max_value_bytes = settings->max_value_bytes,
        .max_key_bytes = settings->max_key_bytes,
        .legacy = settings->legacy,
        .routes = rk_http_routes,
    };
    rk_http_interpose_use(&server->bounds);
    rk_http_interpose_judge(rk_http_expect_judge, server);
}

/* A chunked body must be smaller than libh2o's limit, one with a length may equal it: one more lets values of exactly
 * max_value pass either way, and the handler refuses the one that is left. */
static void configure(struct rk_http_server *server)
{
    const struct rk_http_settings *settings = &server->settings;
    h2o_globalconf_t *config = &server->config;
    h2o_hostconf_t *host;

    h2o_config_init(config);
    config->server_name = h2o_iovec_init(NULL, 0);
    config->max_request_entity_size = (size_t)settings->max_value_bytes + 1;
    config->http1.upgrade_to_http2 = 0;
    config->http1.req_timeout = NO_TIMEOUT_MS;
    config->http2.callbacks.request_shutdown = NULL; /* would leave a timer behind, for connections there are not */
    host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    rk_http_handler_register(server, host);
    rk_http_fallback_register(server, host);
    /* A body belongs into memory: past this size libh2o would write it to a file under /tmp. */
    h2o_socket_buffer_mmap_settings.threshold = NO_TEMPORARY_FILES;
}

static enum rk_err check_settings(const struct rk_http_settings *settings, struct rk_detail *detail)
{
    if (settings->n_listeners <= RK_HTTP_LISTENERS_MAX && settings->max_connections > 0
        && settings->max_fields >= FIELDS_MIN && settings->max_fields <= RK_HTTP_FIELDS_MAX)
        return RK_OK;
    rk_detail_set(detail, "listeners: %zu, connections: %zu, fields: %u; at most %d; at least 1; %d to %d",
                  settings->n_listeners, settings->max_connections, settings->max_fields, RK_HTTP_LISTENERS_MAX,
                  FIELDS_MIN, RK_HTTP_FIELDS_MAX);
    return RK_ERR_INVALID;
}

/* Without libh2o's calls nothing can be served. */
static enum rk_err check_interposing(struct rk_detail *detail)
{
    enum rk_err err = rk_http_reading_bind(detail);

    return err == RK_OK ? rk_http_interpose_check_names(detail) : err;
}

static void open_loop(struct rk_http_server *server)
{
    configure(server);
    server->loop = h2o_evloop_create();
    h2o_context_init(&server->context, server->loop, &server->config);
    server->accept = (h2o_accept_ctx_t){ .ctx = &server->context, .hosts = server->config.hosts };
}

enum rk_err rk_http_server_create(struct rk_http_server **server_out, const struct rk_http_settings *settings,
                                  const struct rk_http_backend *backend, struct rk_stats_http *stats,
                                  struct rk_detail *detail)
{
    struct rk_http_server *server;
    enum rk_err err = check_settings(settings, detail);

    if (err == RK_OK)
        err = check_interposing(detail);
    if (err != RK_OK)
        return err;
    (void)signal(SIGPIPE, SIG_IGN); /* libh2o writes with writev: a client that is gone must not end the process */
    server = rk_mem_calloc(1, sizeof *server);
    server->settings = *settings;
    server->backend = *backend;
    server->stats = stats != NULL ? stats : &server->own_stats;
    h2o_linklist_init_anchor(&server->watches);
    h2o_linklist_init_anchor(&server->connections);
    h2o_linklist_init_anchor(&server->deadlines);
    open_loop(server);
    set_bounds(server);
    err = rk_http_reading_setup(server, detail);
    if (err == RK_OK)
        err = rk_http_probe(server, detail);
    if (err != RK_OK)
        return err; /* the process ends */
    rk_http_listeners_open(server);
    *server_out = server;
    return RK_OK;
}

void rk_http_server_drain(struct rk_http_server *server)
{
    if (server->draining)
        return;
    server->draining = true;
    server->next_sweep_ns = 0;
    h2o_context_request_shutdown(&server->context);
    rk_http_listeners_drain(server);
    rk_http_listeners_close(server);
}

size_t rk_http_server_n_connections(const struct rk_http_server *server)
{
    return server->n_connections;
}

size_t rk_http_server_n_requests(const struct rk_http_server *server)
{
    return server->n_requests;
}

/* libh2o's contexts can only be freed without connections. Those that do not end in time are left to the process. */
void rk_http_server_destroy(struct rk_http_server **server_ref)
{
    struct rk_http_server *server = *server_ref;

    *server_ref = NULL;
    if (server == NULL)
        return;
    rk_http_listeners_close(server);
    rk_http_watch_close_all(server);
    for (int i = 0; i < DESTROY_TURNS && server->n_connections > 0; i++) {
        rk_http_request_expire(server, UINT64_MAX);
        rk_http_connection_cut_all(server);
        if (rk_http_server_turn(server, DESTROY_TURN_MS) != RK_OK)
            return;
    }
    if (server->n_connections > 0)
        return;
    h2o_context_dispose(&server->context);
    h2o_config_dispose(&server->config);
    h2o_evloop_destroy(server->loop);
    free(server);
}

/* ---- the turn ---- */

static void run_timers(struct rk_http_server *server)
{
    uint64_t now_ns = rk_time_monotonic_ns();

    rk_http_request_expire(server, now_ns);
    if (server->n_connections > 0 && now_ns >= server->next_sweep_ns) {
        rk_http_connection_sweep(server, now_ns);
        server->next_sweep_ns = now_ns + rk_http_connection_sweep_interval_ns(server);
    }
    if (server->accept_again_ns != 0 && now_ns >= server->accept_again_ns)
        server->accept_again_ns = 0;
    rk_http_listeners_update(server);
}

static uint64_t next_timer_ns(const struct rk_http_server *server)
{
    uint64_t next_ns = server->n_connections > 0 ? server->next_sweep_ns : UINT64_MAX;

    if (server->accept_again_ns != 0 && server->accept_again_ns < next_ns)
        next_ns = server->accept_again_ns;
    if (server->deadlines.next != &server->deadlines) {
        uint64_t deadline_ns =
            H2O_STRUCT_FROM_MEMBER(struct rk_http_request, deadline, server->deadlines.next)->deadline_ns;

        next_ns = deadline_ns < next_ns ? deadline_ns : next_ns;
    }
    return next_ns;
}

/* An answer that was sent between two turns (by a timer, or by the caller) waits in libh2o's lists for its callback,
 * and no event of the kernel would end the wait for it. */
static bool has_callbacks_waiting(const h2o_evloop_t *loop)
{
    return loop->_pending_as_client != NULL || loop->_pending_as_server != NULL;
}

static int wait_ms(const struct rk_http_server *server, int max_wait_ms)
{
    uint64_t next_ns = next_timer_ns(server);
    uint64_t now_ns;
    uint64_t left_ms;

    if (max_wait_ms <= 0 || has_callbacks_waiting(server->loop))
        return 0;
    if (next_ns == UINT64_MAX)
        return max_wait_ms;
    now_ns = rk_time_monotonic_ns();
    left_ms = next_ns > now_ns ? (next_ns - now_ns + RK_NS_PER_MS - 1) / RK_NS_PER_MS : 0;
    return left_ms < (uint64_t)max_wait_ms ? (int)left_ms : max_wait_ms;
}

enum rk_err rk_http_server_turn(struct rk_http_server *server, int max_wait_ms)
{
    int wait = wait_ms(server, max_wait_ms);

    server->is_awake = false;
    rk_http_interpose_use(&server->bounds); /* the thread may turn more than one */
    rk_http_interpose_judge(rk_http_expect_judge, server);
    if (h2o_evloop_run(server->loop, wait) != 0 && errno != EINTR) /* a signal is a turn in which nothing came */
        return RK_ERR_IO;
    rk_http_reading_turn(server);
    run_timers(server);
    return RK_OK;
}
