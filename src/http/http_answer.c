#include "http/http_answer.h"

#include "http/http_connection.h"
#include "http/http_routes.h"
#include "http/http_text.h"

#include <string.h>

static const h2o_iovec_t name_sequence = { H2O_STRLIT("rackkv-seq") };
static const h2o_iovec_t name_outcome = { H2O_STRLIT("rackkv-outcome") };

#define HEADERS_LIKELY 12

/* The whole answer is handed over at once: there is nothing to ask this generator for. */
static h2o_generator_t whole_generator;

void rk_http_answer_header(h2o_req_t *req, const h2o_iovec_t *name, const char *printed, const char *value, size_t len)
{
    h2o_headers_t *headers = &req->res.headers;

    if (headers->size == headers->capacity)
        h2o_vector_reserve(&req->pool, headers, headers->size + HEADERS_LIKELY);
    /* The name is a token's or ours, never written to: only its type is not const. */
    headers->entries[headers->size++] = (h2o_header_t){ .name = (h2o_iovec_t *)(uintptr_t)name,
                                                        .orig_name = printed,
                                                        .value = h2o_iovec_init(value, len) };
}

void rk_http_answer_sequence(h2o_req_t *req, uint64_t sequence)
{
    char *text = h2o_mem_alloc_pool(&req->pool, RK_HTTP_DECIMAL_BYTES);

    rk_http_answer_header(req, &name_sequence, "RackKV-Seq", text, rk_http_text_decimal(sequence, text));
}

void rk_http_answer_etag(h2o_req_t *req, uint64_t sequence)
{
    char *text = h2o_mem_alloc_pool(&req->pool, RK_HTTP_DECIMAL_BYTES + 2);
    size_t len = 1;

    text[0] = '"';
    len += rk_http_text_decimal(sequence, text + len);
    text[len++] = '"';
    rk_http_answer_token(req, H2O_TOKEN_ETAG, "ETag", text, len);
}

void rk_http_answer_status(struct rk_http_request *request, int status, const char *reason)
{
    h2o_req_t *req = request->req;

    req->res.status = status;
    req->res.reason = reason;
    req->res.original.status = status; /* libh2o keeps a copy of the headers for its logger unless this is set */
    rk_counter_add(&request->server->stats->requests[request->op][rk_stats_http_status_index(status)], 1);
}

/* Sends without a copy. No piece at all for an empty body: libh2o would wait for the socket to take nothing. */
static void send_whole(h2o_req_t *req, const char *body, size_t len)
{
    h2o_iovec_t piece = h2o_iovec_init(body, len);
    bool is_head = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));

    h2o_start_response(req, &whole_generator);
    h2o_send(req, &piece, len > 0 && !is_head ? 1 : 0, H2O_SEND_STATE_FINAL);
}

const char *rk_http_answer_reason(int status)
{
    return status == 200   ? "OK"
           : status == 201 ? "Created"
           : status == 204 ? "No Content"
           : status == 206 ? "Partial Content"
                           : "Not Modified";
}

void rk_http_answer_body(struct rk_http_request *request, int status, const char *body, size_t len)
{
    rk_http_answer_status(request, status, rk_http_answer_reason(status));
    request->req->res.content_length = len;
    send_whole(request->req, body, len);
}

/* RFC 9110 section 8.6: a 204 has no Content-Length; libh2o's "unknown" is none, and no chunks for a 204 or a 304. */
void rk_http_answer_empty(struct rk_http_request *request, int status)
{
    rk_http_answer_status(request, status, rk_http_answer_reason(status));
    request->req->res.content_length = SIZE_MAX;
    send_whole(request->req, NULL, 0);
}

void rk_http_answer_problem(struct rk_http_request *request, enum rk_http_problem problem, uint64_t limit,
                            const char *members)
{
    const struct rk_http_problem_text *text = rk_http_problem_text(problem);
    h2o_req_t *req = request->req;
    const char *body = text->body;
    size_t len = text->body_len;

    rk_http_answer_status(request, text->status, text->reason);
    rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT(RK_HTTP_PROBLEM_TYPE));
    if (request->route != NULL && request->route->is_legacy)
        rk_http_answer_token(req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    if (text->status == 503)
        rk_http_answer_token(req, H2O_TOKEN_RETRY_AFTER, "Retry-After", H2O_STRLIT(RK_HTTP_RETRY_AFTER));
    if (limit != 0 || members != NULL) {
        size_t room = RK_HTTP_PROBLEM_BYTES + (members != NULL ? strlen(members) : 0);
        char *own = h2o_mem_alloc_pool(&req->pool, room);

        len = rk_http_problem_format(problem, limit, members, own);
        body = own;
    }
    req->res.content_length = len;
    send_whole(req, body, len);
}

void rk_http_answer_outcome(struct rk_http_request *request, enum rk_http_problem problem, bool none)
{
    if (none)
        rk_http_answer_header(request->req, &name_outcome, "RackKV-Outcome", H2O_STRLIT("none"));
    else
        rk_http_answer_header(request->req, &name_outcome, "RackKV-Outcome", H2O_STRLIT("unknown"));
    rk_http_answer_problem(request, problem, 0, NULL);
}

static enum rk_http_problem problem_of_read(enum rk_err err)
{
    switch (err) {
    case RK_ERR_NOT_FOUND:
        return RK_HTTP_PROBLEM_NOT_FOUND;
    case RK_ERR_CORRUPT:
        return RK_HTTP_PROBLEM_DAMAGED;
    case RK_ERR_IO:
        return RK_HTTP_PROBLEM_READ_ERROR;
    case RK_ERR_FULL:
    case RK_ERR_AGAIN:
    case RK_ERR_LIMIT:
    case RK_ERR_NO_MEMORY:
        return RK_HTTP_PROBLEM_BUSY;
    case RK_ERR_BUSY:
        return RK_HTTP_PROBLEM_NOT_READY;
    default:
        return RK_HTTP_PROBLEM_INTERNAL;
    }
}

static void drop_headers(h2o_req_t *req)
{
    req->res.headers.size = 0;
}

void rk_http_answer_failed_read(struct rk_http_request *request, enum rk_err err)
{
    drop_headers(request->req);
    rk_http_answer_outcome(request, problem_of_read(err), true);
}

/* A read changes nothing, in time or not. */
void rk_http_answer_late_read(struct rk_http_request *request)
{
    drop_headers(request->req);
    rk_http_answer_outcome(request, RK_HTTP_PROBLEM_TIMEOUT, true);
}

void rk_http_answer_last(struct rk_http_request *request)
{
    request->req->http1_is_persistent = 0;
    rk_http_connection_linger(request->req);
}
