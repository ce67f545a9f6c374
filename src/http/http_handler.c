#include "http/http_internal.h"

#include "base/base_planted.h"
#include "base/base_time.h"
#include "http/http_interpose.h"

#include <string.h>

static enum rk_stats_http_op op_of(enum rk_http_endpoint endpoint, enum rk_http_method method)
{
    if (method == RK_HTTP_OPTIONS_METHOD)
        return RK_STATS_HTTP_SERVICE;
    switch (endpoint) {
    case RK_HTTP_ENDPOINT_KEY:
        return method == RK_HTTP_GET      ? RK_STATS_HTTP_GET
               : method == RK_HTTP_HEAD   ? RK_STATS_HTTP_HEAD
               : method == RK_HTTP_DELETE ? RK_STATS_HTTP_DELETE
                                          : RK_STATS_HTTP_PUT;
    case RK_HTTP_ENDPOINT_LEGACY_GET:
        return method == RK_HTTP_HEAD ? RK_STATS_HTTP_HEAD : RK_STATS_HTTP_GET;
    case RK_HTTP_ENDPOINT_LEGACY_PUT:
        return RK_STATS_HTTP_PUT;
    case RK_HTTP_ENDPOINT_LEGACY_DELETE:
        return RK_STATS_HTTP_DELETE;
    default:
        return RK_STATS_HTTP_SERVICE;
    }
}

/* ---- requests that are answered later ---- */

static void unlink_deadline(struct rk_http_request *request)
{
    if (h2o_linklist_is_linked(&request->deadline))
        h2o_linklist_unlink(&request->deadline);
}

static void on_request_end(void *slot)
{
    struct rk_http_request *request = *(struct rk_http_request **)slot;
    struct rk_http_server *server = request->server;

    if (request->ticket != 0)
        server->backend.cancel(server->backend.self, request->ticket);
    if (request->source != NULL)
        server->backend.release(server->backend.self, request->source);
    unlink_deadline(request);
    server->n_requests--;
}

void rk_http_request_hold(struct rk_http_request *request, void (*on_deadline)(struct rk_http_request *request))
{
    struct rk_http_server *server = request->server;

    if (!request->is_held) {
        struct rk_http_request **slot =
            h2o_mem_alloc_shared(&request->req->pool, sizeof(struct rk_http_request *), on_request_end);

        *slot = request;
        request->is_held = true;
        server->n_requests++;
    }
    request->on_deadline = on_deadline;
    request->deadline_ns = rk_time_monotonic_ns() + server->settings.request_timeout_ms * RK_NS_PER_MS;
    unlink_deadline(request);
    h2o_linklist_insert(&server->deadlines, &request->deadline);
}

void rk_http_request_settle(struct rk_http_request *request)
{
    request->ticket = 0;
    unlink_deadline(request);
}

void rk_http_request_expire(struct rk_http_server *server, uint64_t now_ns)
{
    while (!h2o_linklist_is_empty(&server->deadlines)) {
        struct rk_http_request *request =
            H2O_STRUCT_FROM_MEMBER(struct rk_http_request, deadline, server->deadlines.next);

        if (request->deadline_ns > now_ns)
            return;
        if (request->ticket != 0)
            server->backend.cancel(server->backend.self, request->ticket);
        rk_http_request_settle(request);
        request->on_deadline(request);
    }
}

/* ---- one request ---- */

/* Decodes in place of the escaped bytes, where there are any. */
static bool decode_span(h2o_req_t *req, struct rk_http_span *span, bool plus_is_space)
{
    return rk_http_target_is_plain(*span, plus_is_space)
           || rk_http_target_decode(span, plus_is_space, h2o_mem_alloc_pool(&req->pool, span->len));
}

static enum rk_http_problem take_key(struct rk_http_request *request, const struct rk_http_target *target)
{
    request->key = target->key;
    if (request->key.at == NULL)
        return RK_HTTP_PROBLEM_MISSING_KEY;
    if (!decode_span(request->req, &request->key, target->plus_is_space))
        return RK_HTTP_PROBLEM_BAD_ESCAPE;
    if (request->key.len == 0)
        return RK_HTTP_PROBLEM_EMPTY_KEY;
    return request->key.len > request->server->settings.max_key_bytes ? RK_HTTP_PROBLEM_KEY_TOO_LONG
                                                                      : RK_HTTP_NO_PROBLEM;
}

/* The value of a put, or what is appended: the body, or for the original's endpoint a parameter. */
static enum rk_http_problem take_value(struct rk_http_request *request, const struct rk_http_target *target)
{
    if (request->kind != RK_HTTP_KIND_LEGACY_PUT) {
        request->value = (struct rk_http_span){ request->req->entity.base, request->req->entity.len };
    } else {
        request->value = target->value;
        if (request->value.at == NULL)
            return RK_HTTP_PROBLEM_MISSING_VALUE;
        if (!decode_span(request->req, &request->value, target->plus_is_space))
            return RK_HTTP_PROBLEM_BAD_ESCAPE;
    }
    return request->value.len > request->server->settings.max_value_bytes ? RK_HTTP_PROBLEM_VALUE_TOO_LARGE
                                                                          : RK_HTTP_NO_PROBLEM;
}

/* ---- what else it asks for ---- */

static enum rk_http_problem read_ask(struct rk_http_request *request, const struct rk_http_target *target)
{
    const h2o_headers_t *headers = &request->req->headers;
    h2o_mem_pool_t *pool = &request->req->pool;
    struct rk_http_line *line = NULL;
    struct rk_http_fields fields = { .given = 0 };
    struct rk_http_ask *ask = h2o_mem_alloc_pool(pool, sizeof *ask);
    struct rk_http_wrong wrong;

    for (size_t i = 0; i < headers->size; i++) {
        const h2o_header_t *header = &headers->entries[i];

        if (line == NULL)
            line = h2o_mem_alloc_pool(pool, sizeof *line);
        if (rk_http_field_take(&fields, (struct rk_http_span){ header->name->base, header->name->len },
                               (struct rk_http_span){ header->value.base, header->value.len }, line))
            line = NULL;
    }
    request->ask = ask;
    return rk_http_ask_read(&fields, target, request->kind, ask, &wrong);
}

/* Nearly always there is nothing. */
static enum rk_http_problem take_ask(struct rk_http_request *request, const struct rk_http_target *target)
{
    const h2o_headers_t *headers = &request->req->headers;

    if ((target->parameters & RK_HTTP_OPTIONS) != 0)
        return read_ask(request, target);
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_iovec_t *name = headers->entries[i].name;

        if (rk_http_field_find(name->base, name->len) != RK_HTTP_FIELD_OTHER)
            return read_ask(request, target);
    }
    return RK_HTTP_NO_PROBLEM;
}

static void answer_text(struct rk_http_request *request, const char *text)
{
    rk_http_answer_token(request->req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("text/plain"));
    rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    rk_http_answer_body(request, 200, text, strlen(text));
}

static void answer_readyz(struct rk_http_request *request)
{
    const struct rk_http_backend *backend = &request->server->backend;
    const char *why = NULL;

    if (backend->ready(backend->self, &why))
        answer_text(request, why != NULL ? why : "ready\n");
    else
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_READY, 0, why != NULL ? why : "");
}

static void start_store_operation(struct rk_http_request *request, const struct rk_http_target *target)
{
    enum rk_http_problem problem = take_key(request, target);
    bool is_read = rk_http_ask_need(request->kind) == RK_HTTP_READS;

    if (problem == RK_HTTP_NO_PROBLEM && rk_http_ask_need(request->kind) == RK_HTTP_MAKES_KEY)
        problem = take_value(request, target);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = take_ask(request, target);
    if (problem == RK_HTTP_PROBLEM_KEY_TOO_LONG)
        rk_http_answer_problem(request, problem, request->server->settings.max_key_bytes, NULL);
    else if (problem == RK_HTTP_PROBLEM_VALUE_TOO_LARGE)
        rk_http_answer_problem(request, problem, request->server->settings.max_value_bytes, NULL);
    else if (problem != RK_HTTP_NO_PROBLEM)
        rk_http_answer_problem(request, problem, 0, NULL);
    else if (is_read)
        rk_http_read_start(request);
    else
        rk_http_write_start(request);
}

static void start_operation(struct rk_http_request *request, const struct rk_http_target *target)
{
    switch (target->endpoint) {
    case RK_HTTP_ENDPOINT_LIVEZ:
        answer_text(request, "alive\n");
        return;
    case RK_HTTP_ENDPOINT_READYZ:
        answer_readyz(request);
        return;
    case RK_HTTP_ENDPOINT_LEGACY_OPEN: /* the store is open; rw= and syn= change nothing */
        answer_text(request, "OK");
        return;
    default:
        start_store_operation(request, target);
    }
}

static void answer_options(struct rk_http_request *request, enum rk_http_endpoint endpoint)
{
    const char *allow = rk_http_route_allow(endpoint);

    rk_http_answer_token(request->req, H2O_TOKEN_ALLOW, "Allow", allow, strlen(allow));
    rk_http_answer_empty(request, 204);
}

/* A request that its head does not refuse. */
static void route_request(struct rk_http_request *request)
{
    h2o_req_t *req = request->req;
    enum rk_http_method method = rk_http_method_of((struct rk_http_span){ req->method.base, req->method.len });
    h2o_iovec_t path = RK_PLANTED(normalised_key) ? req->path_normalized : req->path;
    struct rk_http_target target;
    enum rk_http_problem problem = rk_http_target_parse(path.base, path.len, request->server->settings.legacy, &target);

    if (problem == RK_HTTP_NO_PROBLEM && target.endpoint == RK_HTTP_ENDPOINT_NONE)
        problem = RK_HTTP_PROBLEM_NO_ENDPOINT;
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = rk_http_route_kind(&target, method, &request->kind);
    if (problem != RK_HTTP_NO_PROBLEM) {
        rk_http_answer_problem(request, problem, 0, NULL);
        return;
    }
    request->op = op_of(target.endpoint, method);
    if (method == RK_HTTP_OPTIONS_METHOD)
        answer_options(request, target.endpoint);
    else
        start_operation(request, &target);
}

/* The mark of a refused head is its last field. */
static const struct rk_http_refusal *refusal_of(const h2o_req_t *req)
{
    const h2o_headers_t *headers = &req->headers;

    return headers->size > 0 ? rk_http_interpose_refusal(headers->entries[headers->size - 1].name->base) : NULL;
}

static void answer_refused(struct rk_http_request *request, const struct rk_http_refusal *refusal)
{
    const char *members = refusal->members[0] != '\0' ? refusal->members : NULL;

    request->kind = refusal->kind;
    if (refusal->allow != NULL)
        rk_http_answer_token(request->req, H2O_TOKEN_ALLOW, "Allow", refusal->allow, strlen(refusal->allow));
    if (refusal->sequence != 0)
        rk_http_answer_sequence(request->req, refusal->sequence);
    if (refusal->etag != 0)
        rk_http_answer_etag(request->req, refusal->etag);
    if (refusal->closes)
        rk_http_answer_last(request);
    if (rk_http_problem_text(refusal->problem)->status == 503)
        rk_http_answer_outcome(request, refusal->problem, true);
    else
        rk_http_answer_problem(request, refusal->problem, refusal->limit, members);
}

struct handler {
    h2o_handler_t super;
    struct rk_http_server *server;
};

static int on_req(h2o_handler_t *super, h2o_req_t *req)
{
    struct rk_http_server *server = ((struct handler *)super)->server;
    struct rk_http_request *request = h2o_mem_alloc_pool(&req->pool, sizeof *request);
    const struct rk_http_refusal *refusal = refusal_of(req);

    rk_http_server_note_awake(server);
    rk_http_connection_note_request(req);
    *request = (struct rk_http_request){ .server = server, .req = req, .op = RK_STATS_HTTP_REFUSED };
    if (refusal != NULL)
        answer_refused(request, refusal);
    else
        route_request(request);
    return 0;
}

void rk_http_handler_register(struct rk_http_server *server, h2o_hostconf_t *host)
{
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler = (struct handler *)h2o_create_handler(path, sizeof *handler);

    handler->super.on_req = on_req;
    handler->server = server;
}
