/* PUT, POST and DELETE: handed to the writer, answered when it has said what became of them. */
#include "http/http_internal.h"

#include "http/http_metadata.h"

#include <string.h>

static enum rk_http_problem problem_of_write(enum rk_err err)
{
    switch (err) {
    case RK_ERR_NOT_FOUND:
        return RK_HTTP_PROBLEM_NOT_FOUND;
    case RK_ERR_NO_SPACE:
        return RK_HTTP_PROBLEM_NO_SPACE;
    case RK_ERR_FULL:
        return RK_HTTP_PROBLEM_KEYDIR_FULL;
    case RK_ERR_READ_ONLY:
        return RK_HTTP_PROBLEM_READ_ONLY;
    case RK_ERR_TIMEOUT:
        return RK_HTTP_PROBLEM_TIMEOUT;
    case RK_ERR_BUSY:
        return RK_HTTP_PROBLEM_NOT_READY;
    case RK_ERR_AGAIN:
    case RK_ERR_LIMIT:
        return RK_HTTP_PROBLEM_BUSY;
    default:
        return RK_HTTP_PROBLEM_WRITE_ERROR;
    }
}

/* The original answers 200 and OK to whatever worked. */
static void answer_legacy_done(struct rk_http_request *request)
{
    rk_http_answer_token(request->req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("text/plain"));
    rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    rk_http_answer_body(request, 200, H2O_STRLIT("OK"));
}

static void answer_done(struct rk_http_request *request, const struct rk_store_write_result *result)
{
    h2o_req_t *req = request->req;
    bool is_delete = request->op == RK_STATS_HTTP_DELETE;

    rk_http_answer_sequence(req, result->sequence);
    if (!is_delete)
        rk_http_answer_etag(req, result->sequence);
    if (request->endpoint != RK_HTTP_ENDPOINT_KEY)
        answer_legacy_done(request);
    else if (is_delete || result->replaced)
        rk_http_answer_no_content(request);
    else
        rk_http_answer_body(request, 201, NULL, 0);
}

static void on_write_done(void *context, const struct rk_store_write_result *result)
{
    struct rk_http_request *request = context;
    enum rk_http_problem problem = problem_of_write(result->err);

    rk_http_request_settle(request);
    if (result->err == RK_OK) {
        answer_done(request, result);
        return;
    }
    if (result->err == RK_ERR_NOT_FOUND) {
        rk_http_answer_sequence(request->req, result->sequence);
        rk_http_answer_problem(request, problem, 0, NULL);
        return;
    }
    rk_http_answer_outcome(request, problem, result->none || rk_http_problem_text(problem)->status == 507);
}

/* What was submitted may still happen. */
static void on_write_deadline(struct rk_http_request *request)
{
    rk_http_answer_outcome(request, RK_HTTP_PROBLEM_TIMEOUT, false);
}

static void submit(struct rk_http_request *request, const struct rk_store_write *write)
{
    const struct rk_http_backend *backend = &request->server->backend;
    enum rk_err err = backend->write(backend->self, write, on_write_done, request, &request->ticket);

    if (err == RK_OK)
        rk_http_request_hold(request, on_write_deadline);
    else if (err == RK_ERR_TOO_LARGE)
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_VALUE_TOO_LARGE, request->server->settings.max_value_bytes,
                               NULL);
    else
        rk_http_answer_outcome(request, problem_of_write(err), true);
}

/* Conditions and options that this server does not know yet: to write as if they were not there would break what the
 * client relies on (RFC 9110 section 13.1: no write when the condition is false). */
static bool has_unknown_condition(const h2o_headers_t *headers)
{
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_iovec_t *name = headers->entries[i].name;

        if (name == &H2O_TOKEN_IF_MATCH->buf || name == &H2O_TOKEN_IF_NONE_MATCH->buf
            || name == &H2O_TOKEN_IF_UNMODIFIED_SINCE->buf || name == &H2O_TOKEN_CONTENT_RANGE->buf)
            return true;
        if (name->len >= strlen("rackkv-") && memcmp(name->base, "rackkv-", strlen("rackkv-")) == 0)
            return true;
    }
    return false;
}

static const struct rk_http_line *take_header(const h2o_headers_t *headers, const h2o_token_t *token,
                                              struct rk_http_line *line)
{
    ssize_t at = h2o_find_header(headers, token, -1);

    if (at < 0)
        return NULL;
    line->value = (struct rk_http_span){ headers->entries[at].value.base, headers->entries[at].value.len };
    line->next = NULL;
    return line;
}

/* The original's clients say nothing about the value: what they send is form data to them. */
static enum rk_err encode_metadata(const struct rk_http_request *request, uint8_t *encoded, size_t *len_out)
{
    const h2o_headers_t *headers = &request->req->headers;
    struct rk_http_metadata_lines lines = { .own = NULL };
    struct rk_http_line type, encoding;
    struct rk_http_span wrong;

    *len_out = 0;
    if (request->endpoint != RK_HTTP_ENDPOINT_KEY)
        return RK_OK;
    lines.stored[RK_HTTP_CONTENT_TYPE] = take_header(headers, H2O_TOKEN_CONTENT_TYPE, &type);
    lines.stored[RK_HTTP_CONTENT_ENCODING] = take_header(headers, H2O_TOKEN_CONTENT_ENCODING, &encoding);
    return rk_http_metadata_encode(&lines, encoded, len_out, &wrong);
}

void rk_http_put_start(struct rk_http_request *request)
{
    uint8_t metadata[RK_HTTP_METADATA_MAX];
    struct rk_store_write write = {
        .key = request->key.at,
        .key_len = request->key.len,
        .metadata = metadata,
        .value = request->value.at,
        .value_len = request->value.len,
    };

    if (has_unknown_condition(&request->req->headers))
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_IMPLEMENTED, 0, NULL);
    else if (encode_metadata(request, metadata, &write.metadata_len) != RK_OK)
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_BAD_METADATA, RK_HTTP_METADATA_VALUE_MAX, NULL);
    else
        submit(request, &write);
}

void rk_http_delete_start(struct rk_http_request *request)
{
    struct rk_store_write write = { .is_delete = true, .key = request->key.at, .key_len = request->key.len };

    if (has_unknown_condition(&request->req->headers))
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_IMPLEMENTED, 0, NULL);
    else
        submit(request, &write);
}
