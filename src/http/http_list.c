/* A listing on its way out. A slice of its body is asked for when the one before has left: a client that reads slowly
 * makes nobody work, and one that has gone ends it. A page that is short enough comes whole and has a length; of
 * anything longer the length is not known, and what goes wrong can only cut it. */
#include "http/http_list.h"

#include "base/base_time.h"
#include "http/http_answer.h"
#include "http/http_list_ask.h"
#include "http/http_list_page.h"

#include <stdio.h>

#define MEMBERS_BYTES 64

static const h2o_iovec_t name_options = { H2O_STRLIT("x-content-type-options") };
static const h2o_iovec_t name_vary = { H2O_STRLIT("vary") };

static rk_list_done_fn on_slice;

/* ---- the answer ---- */

static void add_headers(struct rk_http_request *request)
{
    h2o_req_t *req = request->req;

    if (request->is_stream)
        rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("application/x-ndjson"));
    else
        rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("application/json"));
    rk_http_answer_sequence(req, request->sequence);
    rk_http_answer_header(req, &name_options, "X-Content-Type-Options", H2O_STRLIT("nosniff"));
    rk_http_answer_header(req, &name_vary, "Vary", H2O_STRLIT("Accept"));
    rk_http_answer_token(req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
}

static void cut(struct rk_http_request *request)
{
    h2o_send(request->req, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void ask_for_more(struct rk_http_request *request)
{
    const struct rk_http_backend *backend = &request->server->backend;

    rk_http_request_hold(request, request->has_head ? cut : rk_http_answer_late_read);
    backend->list_more(backend->self, request->listing, on_slice, request);
}

/* libh2o has written the slice: its memory is free for the next. */
static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    ask_for_more(H2O_STRUCT_FROM_MEMBER(struct rk_http_request, generator, generator));
}

static void send_head(struct rk_http_request *request, size_t content_length)
{
    add_headers(request);
    rk_http_answer_status(request, 200, rk_http_answer_reason(200));
    request->req->res.content_length = content_length;
    request->generator.proceed = on_proceed;
    request->has_head = true;
    h2o_start_response(request->req, &request->generator);
}

static void send_slice(struct rk_http_request *request, enum rk_err err, struct rk_list_span bytes)
{
    h2o_iovec_t slice = h2o_iovec_init(bytes.at, bytes.len);
    bool is_last = err == RK_ERR_NOT_FOUND;

    if (!request->has_head)
        send_head(request, is_last ? bytes.len : SIZE_MAX);
    h2o_send(request->req, &slice, bytes.len > 0, is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void on_slice(void *context, enum rk_err err, struct rk_list_span bytes)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    if (err == RK_OK && bytes.len == 0)
        ask_for_more(request);
    else if (err == RK_OK || err == RK_ERR_NOT_FOUND)
        send_slice(request, err, bytes);
    else if (request->has_head)
        cut(request);
    else
        rk_http_answer_failed_read(request, err);
}

/* ---- the request ---- */

/* What is wrong, by the name of its parameter. */
static void refuse(struct rk_http_request *request, enum rk_http_problem problem, enum rk_http_parameter parameter)
{
    char *members = h2o_mem_alloc_pool(&request->req->pool, MEMBERS_BYTES);
    uint64_t limit = problem == RK_HTTP_PROBLEM_KEY_TOO_LONG ? request->server->settings.max_key_bytes : 0;

    (void)snprintf(members, MEMBERS_BYTES, "\"parameter\":\"%s\"", rk_http_parameter_name(parameter));
    rk_http_answer_problem(request, problem, limit, members);
}

/* The head alone: whether there would be an answer. */
static void answer_head(struct rk_http_request *request)
{
    add_headers(request);
    rk_http_answer_status(request, 200, rk_http_answer_reason(200));
    request->req->res.content_length = SIZE_MAX;
    request->has_head = true;
    h2o_start_response(request->req, &request->generator);
    h2o_send(request->req, NULL, 0, H2O_SEND_STATE_FINAL);
}

static void start(struct rk_http_request *request, const struct rk_http_list_ask *ask)
{
    const struct rk_http_backend *backend = &request->server->backend;
    const struct rk_http_list_settings settings = {
        .is_stream = request->is_stream,
        .with_values = ask->keys.with_values,
        .limit = ask->limit,
        .time_ns = request->server->settings.list_time_ms * RK_NS_PER_MS,
    };
    struct rk_list_fill fill = rk_http_list_page(&settings);
    struct rk_listing *listing;
    enum rk_err err;

    request->sequence = backend->last_sequence(backend->self);
    err = backend->list(backend->self, &ask->keys, &fill, &listing);
    if (err != RK_OK) {
        fill.destroy(fill.state);
        rk_http_answer_failed_read(request, err);
        return;
    }
    rk_http_request_hold(request, rk_http_answer_late_read);
    request->listing = listing; /* from now on the end of the request ends it */
    if (h2o_memis(request->req->method.base, request->req->method.len, H2O_STRLIT("HEAD"))) {
        rk_http_request_settle(request);
        answer_head(request);
    } else
        ask_for_more(request);
}

void rk_http_list_start(struct rk_http_request *request)
{
    const struct rk_http_server *server = request->server;
    h2o_req_t *req = request->req;
    struct rk_http_list_ask ask = { .limit = 0 };
    enum rk_http_parameter wrong = RK_HTTP_PARAMETER_PREFIX;
    struct rk_http_target target;
    enum rk_http_problem problem =
        rk_http_target_parse(req->path.base, req->path.len, server->bounds.routes, server->settings.legacy, &target);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = rk_http_list_ask_read(&target, server->settings.max_key_bytes,
                                        h2o_mem_alloc_pool(&req->pool, req->path.len), &ask, &wrong);
    if (problem != RK_HTTP_NO_PROBLEM) {
        refuse(request, problem, wrong);
        return;
    }
    request->is_stream =
        rk_http_request_weight(req, "application/x-ndjson") > rk_http_request_weight(req, "application/json");
    start(request, &ask);
}
