/* GET and HEAD. A value up to RK_STORE_PIECE_BYTES is answered whole, from the memory that the backend read it to; a
 * larger one goes out in pieces, each read and checked when the one before has left. The first is read before the head
 * of the answer is sent, so that damage there is still a 500; later it can only cut the connection. */
#include "http/http_internal.h"

#include "http/http_metadata.h"
#include "http/http_text.h"

#define DEFAULT_CONTENT_TYPE "application/octet-stream"

static void *allocate_in_pool(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
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

static void answer_error(struct rk_http_request *request, enum rk_err err)
{
    rk_http_answer_outcome(request, problem_of_read(err), true);
}

static void answer_absent(struct rk_http_request *request, uint64_t sequence)
{
    rk_http_answer_sequence(request->req, sequence);
    rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_FOUND, 0, NULL);
}

/* A read changes nothing, in time or not. */
static void on_read_deadline(struct rk_http_request *request)
{
    rk_http_answer_outcome(request, RK_HTTP_PROBLEM_TIMEOUT, true);
}

static void add_date(h2o_req_t *req, uint64_t write_time_ms)
{
    char *date = h2o_mem_alloc_pool(&req->pool, RK_HTTP_DATE_BYTES);

    rk_http_text_date(write_time_ms, date);
    rk_http_answer_token(req, H2O_TOKEN_LAST_MODIFIED, "Last-Modified", date, RK_HTTP_DATE_BYTES);
}

static enum rk_err add_metadata(h2o_req_t *req, const struct rk_store_value *value)
{
    struct rk_http_metadata metadata = { .own = { NULL, 0 } };
    const struct rk_http_span *type = &metadata.stored[RK_HTTP_CONTENT_TYPE];
    const struct rk_http_span *encoding = &metadata.stored[RK_HTTP_CONTENT_ENCODING];

    if (value->metadata_len > 0 && rk_http_metadata_decode(value->metadata, value->metadata_len, &metadata) != RK_OK)
        return RK_ERR_CORRUPT;
    if (type->len == 0)
        rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT(DEFAULT_CONTENT_TYPE));
    else
        rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", type->at, type->len);
    if (encoding->at != NULL)
        rk_http_answer_token(req, H2O_TOKEN_CONTENT_ENCODING, "Content-Encoding", encoding->at, encoding->len);
    return RK_OK;
}

static enum rk_err add_headers(struct rk_http_request *request, const struct rk_store_value *value)
{
    static const h2o_iovec_t name_options = { H2O_STRLIT("x-content-type-options") };
    h2o_req_t *req = request->req;
    enum rk_err err = add_metadata(req, value);

    if (err != RK_OK)
        return err;
    rk_http_answer_sequence(req, value->sequence);
    rk_http_answer_etag(req, value->sequence);
    add_date(req, value->write_time_ms);
    rk_http_answer_header(req, &name_options, "X-Content-Type-Options", H2O_STRLIT("nosniff"));
    if (request->endpoint == RK_HTTP_ENDPOINT_KEY)
        rk_http_answer_token(req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-cache"));
    else
        rk_http_answer_token(req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    return RK_OK;
}

/* ---- large values ---- */

static void send_piece(struct rk_http_request *request)
{
    h2o_iovec_t piece = h2o_iovec_init(request->piece, request->piece_len);
    bool is_last = request->offset + request->piece_len == request->value_len;

    h2o_send(request->req, &piece, 1, is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

/* Too late for a status: the connection ends before the promised length, which every client takes for a failure. */
static void cut_value(struct rk_http_request *request)
{
    h2o_send(request->req, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void on_piece_deadline(struct rk_http_request *request)
{
    cut_value(request);
}

static void on_next_piece(void *context, enum rk_err err)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    if (err == RK_OK)
        send_piece(request);
    else
        cut_value(request);
}

static enum rk_err read_piece(struct rk_http_request *request, rk_store_piece_done_fn *done)
{
    const struct rk_http_backend *backend = &request->server->backend;
    size_t left = request->value_len - request->offset;

    request->piece_len = left < RK_STORE_PIECE_BYTES ? left : RK_STORE_PIECE_BYTES;
    return backend->read_piece(backend->self, request->source, request->offset, request->piece, request->piece_len,
                               done, request, &request->ticket);
}

/* libh2o has written the piece: its memory is free for the next. */
static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct rk_http_request *request = H2O_STRUCT_FROM_MEMBER(struct rk_http_request, generator, generator);
    enum rk_err err;

    request->offset += request->piece_len;
    err = read_piece(request, on_next_piece);
    if (err == RK_OK)
        send_piece(request);
    else if (err == RK_ERR_AGAIN)
        rk_http_request_hold(request, on_piece_deadline);
    else
        cut_value(request);
}

static void start_value(struct rk_http_request *request)
{
    request->generator.proceed = on_proceed;
    rk_http_answer_status(request, 200, "OK");
    request->req->res.content_length = request->value_len;
    h2o_start_response(request->req, &request->generator);
    send_piece(request);
}

static void drop_headers(h2o_req_t *req)
{
    req->res.headers.size = 0;
}

static void on_first_piece(void *context, enum rk_err err)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    if (err == RK_OK) {
        start_value(request);
        return;
    }
    drop_headers(request->req);
    answer_error(request, err);
}

static void on_first_piece_deadline(struct rk_http_request *request)
{
    drop_headers(request->req);
    on_read_deadline(request);
}

/* The source is the request's from here on. */
static void answer_pieces(struct rk_http_request *request, const struct rk_store_value *value)
{
    enum rk_err err;

    request->source = value->source;
    request->value_len = value->value_len;
    request->piece = h2o_mem_alloc_pool(&request->req->pool, RK_STORE_PIECE_BYTES);
    rk_http_request_hold(request, on_first_piece_deadline);
    err = read_piece(request, on_first_piece);
    if (err != RK_ERR_AGAIN)
        on_first_piece(request, err);
}

/* ---- the answer to a read, at once or later ---- */

static void answer_head_only(struct rk_http_request *request, const struct rk_store_value *value)
{
    const struct rk_http_backend *backend = &request->server->backend;

    if (value->source != NULL)
        backend->release(backend->self, value->source);
    rk_http_answer_body(request, 200, NULL, value->value_len);
}

static void answer_read(struct rk_http_request *request, enum rk_err err, const struct rk_store_value *value)
{
    const struct rk_http_backend *backend = &request->server->backend;

    if (err == RK_OK && (err = add_headers(request, value)) != RK_OK) {
        drop_headers(request->req);
        if (value->source != NULL)
            backend->release(backend->self, value->source);
    }
    if (err == RK_ERR_NOT_FOUND)
        answer_absent(request, value->sequence);
    else if (err != RK_OK)
        answer_error(request, err);
    else if (request->op == RK_STATS_HTTP_HEAD)
        answer_head_only(request, value);
    else if (value->source != NULL)
        answer_pieces(request, value);
    else
        rk_http_answer_body(request, 200, (const char *)value->value, value->value_len);
}

static void on_get_done(void *context, enum rk_err err, const struct rk_store_value *value)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    answer_read(request, err, value);
}

void rk_http_read_start(struct rk_http_request *request)
{
    const struct rk_http_backend *backend = &request->server->backend;
    struct rk_store_arena arena = { allocate_in_pool, &request->req->pool };
    struct rk_store_value value;
    enum rk_err err = backend->get(backend->self, request->key.at, request->key.len, &arena, &value, on_get_done,
                                   request, &request->ticket);

    if (err == RK_ERR_AGAIN)
        rk_http_request_hold(request, on_read_deadline);
    else
        answer_read(request, err, &value);
}
