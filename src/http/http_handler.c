#include "http/http_handler.h"

#include "base/base_planted.h"
#include "http/http_answer.h"
#include "http/http_ask.h"
#include "http/http_connection.h"
#include "http/http_interpose.h"
#include "http/http_watch.h"

#include <string.h>

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
    if (!decode_span(request->req, &request->key, target->path->is_legacy))
        return RK_HTTP_PROBLEM_BAD_ESCAPE;
    if (request->key.len == 0)
        return RK_HTTP_PROBLEM_EMPTY_KEY;
    return request->key.len > request->server->settings.max_key_bytes ? RK_HTTP_PROBLEM_KEY_TOO_LONG
                                                                      : RK_HTTP_NO_PROBLEM;
}

/* The value of a put: the body, or for the original's endpoint a parameter. */
static enum rk_http_problem take_value(struct rk_http_request *request, const struct rk_http_target *target)
{
    if (request->route->operand == RK_HTTP_TAKES_BODY) {
        request->value = (struct rk_http_span){ request->req->entity.base, request->req->entity.len };
    } else {
        request->value = target->value;
        if (request->value.at == NULL)
            return RK_HTTP_PROBLEM_MISSING_VALUE;
        if (!decode_span(request->req, &request->value, target->path->is_legacy))
            return RK_HTTP_PROBLEM_BAD_ESCAPE;
    }
    return request->value.len > request->server->settings.max_value_bytes ? RK_HTTP_PROBLEM_VALUE_TOO_LARGE
                                                                          : RK_HTTP_NO_PROBLEM;
}

/* The key and the value that the endpoint takes. */
static enum rk_http_problem take_operands(struct rk_http_request *request, const struct rk_http_target *target)
{
    enum rk_http_problem problem;

    if (request->route->operand == RK_HTTP_TAKES_NOTHING)
        return RK_HTTP_NO_PROBLEM;
    problem = take_key(request, target);
    if (problem == RK_HTTP_NO_PROBLEM && request->route->operand != RK_HTTP_TAKES_KEY)
        problem = take_value(request, target);
    return problem;
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
    return rk_http_ask_read(&fields, target, request->route, ask, &wrong);
}

/* Nearly always there is nothing, but for the type of a value. */
static enum rk_http_problem take_ask(struct rk_http_request *request, const struct rk_http_target *target)
{
    const h2o_headers_t *headers = &request->req->headers;

    if ((target->parameters & RK_HTTP_OPTIONS) != 0)
        return read_ask(request, target);
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_iovec_t *name = headers->entries[i].name;

        if (name == &H2O_TOKEN_CONTENT_TYPE->buf && request->type.at == NULL)
            request->type = (struct rk_http_span){ headers->entries[i].value.base, headers->entries[i].value.len };
        else if (rk_http_field_find(name->base, name->len) != RK_HTTP_FIELD_OTHER)
            return read_ask(request, target);
    }
    return RK_HTTP_NO_PROBLEM;
}

static void start_operation(struct rk_http_request *request, const struct rk_http_found *found)
{
    enum rk_http_problem problem = take_operands(request, &found->target);

    if (problem == RK_HTTP_NO_PROBLEM && found->asks_more && request->route->operand != RK_HTTP_TAKES_NOTHING)
        problem = take_ask(request, &found->target);
    if (problem == RK_HTTP_NO_PROBLEM)
        request->route->start(request);
    else
        rk_http_answer_problem(request, problem, rk_http_route_limit(problem, &request->server->bounds), NULL);
}

static void answer_options(struct rk_http_request *request, const struct rk_http_route *path)
{
    char *allow = h2o_mem_alloc_pool(&request->req->pool, RK_HTTP_ALLOW_BYTES);

    rk_http_route_allow(path, allow);
    rk_http_answer_token(request->req, H2O_TOKEN_ALLOW, "Allow", allow, strlen(allow));
    rk_http_answer_empty(request, 204);
}

/* What the head was found to ask for, or looked up again. */
static enum rk_http_problem find(const struct rk_http_request *request, struct rk_http_found *room,
                                 const struct rk_http_found **found_out)
{
    const h2o_req_t *req = request->req;
    h2o_iovec_t path = RK_PLANTED(normalised_key) ? req->path_normalized : req->path;
    enum rk_http_problem problem;

    *found_out = rk_http_interpose_found(path.base);
    if (*found_out != NULL)
        return RK_HTTP_NO_PROBLEM;
    *found_out = room;
    problem = rk_http_route_look_up((struct rk_http_span){ path.base, path.len },
                                    rk_http_method_of((struct rk_http_span){ req->method.base, req->method.len }),
                                    &request->server->bounds, room);
    room->asks_more = true; /* perhaps */
    return problem;
}

/* A request that its head does not refuse. */
static void route_request(struct rk_http_request *request)
{
    struct rk_http_found room;
    const struct rk_http_found *found;
    enum rk_http_problem problem = find(request, &room, &found);

    if (problem != RK_HTTP_NO_PROBLEM) {
        rk_http_answer_problem(request, problem, 0, NULL);
        return;
    }
    request->op = RK_STATS_HTTP_SERVICE;
    if (found->route == NULL) {
        answer_options(request, found->target.path);
        return;
    }
    request->route = found->route;
    request->op = request->route->op;
    start_operation(request, found);
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

    if (refusal->allow[0] != '\0')
        rk_http_answer_token(request->req, H2O_TOKEN_ALLOW, "Allow", refusal->allow, strlen(refusal->allow));
    request->route = refusal->route;
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

    rk_http_watch_note_awake(server);
    rk_http_connection_note_request(req);
    *request = (struct rk_http_request){ .server = server, .req = req, .op = RK_STATS_HTTP_REFUSED };
    if (refusal != NULL) {
        answer_refused(request, refusal);
        return 0;
    }
    if (!req->http1_is_persistent && req->entity.base != NULL)
        rk_http_connection_linger(req); /* what is behind its body may be on its way */
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
