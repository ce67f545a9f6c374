/* GET and HEAD: what is found is asked for its conditions and its range, in the order of RFC 9110 section 13.2.2, and
 * answered whole from the memory that the backend read it to, or, where it is large, in pieces. */
#include "http/http_read.h"

#include "http/http_answer.h"
#include "http/http_ask.h"
#include "http/http_pieces.h"
#include "http/http_range.h"
#include "http/http_text.h"

#define DEFAULT_CONTENT_TYPE  "application/octet-stream"
#define DEFAULT_CACHE_CONTROL "no-cache"

static const h2o_iovec_t name_options = { H2O_STRLIT("x-content-type-options") };
static const h2o_iovec_t name_expires = { H2O_STRLIT("rackkv-expires") };

static void *allocate_in_pool(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

static void release(struct rk_http_request *request, const struct rk_store_value *value)
{
    const struct rk_http_backend *backend = &request->server->backend;

    if (value->source != NULL)
        backend->release(backend->self, value->source);
}

/* ---- headers ---- */

static void add_date(h2o_req_t *req, uint64_t write_time_ms)
{
    char *date = h2o_mem_alloc_pool(&req->pool, RK_HTTP_DATE_BYTES);

    rk_http_text_date(write_time_ms, date);
    rk_http_answer_token(req, H2O_TOKEN_LAST_MODIFIED, "Last-Modified", date, RK_HTTP_DATE_BYTES);
}

/* In whole seconds: the first at which the value is surely gone. */
static void add_expiry(h2o_req_t *req, uint64_t expiry_ms)
{
    char *text;

    if (expiry_ms == 0)
        return;
    text = h2o_mem_alloc_pool(&req->pool, RK_HTTP_DECIMAL_BYTES);
    rk_http_answer_header(req, &name_expires, "RackKV-Expires", text,
                          rk_http_text_decimal((expiry_ms + 999) / 1000, text));
}

static void add_stored(h2o_req_t *req, const struct rk_http_metadata *metadata, enum rk_http_stored field,
                       const h2o_token_t *token)
{
    const struct rk_http_span *value = &metadata->stored[field];

    if (value->at != NULL)
        rk_http_answer_token(req, token, rk_http_metadata_name(field), value->at, value->len);
}

/* RackKV-Meta-*, as they were spelled. */
static void add_own(h2o_req_t *req, struct rk_http_span own)
{
    struct rk_http_span name, value;

    while (rk_http_metadata_next_own(&own, &name, &value)) {
        h2o_iovec_t *own_name = h2o_mem_alloc_pool(&req->pool, sizeof *own_name);

        *own_name = h2o_iovec_init(name.at, name.len);
        rk_http_answer_header(req, own_name, name.at, value.at, value.len);
    }
}

static void add_cache_control(struct rk_http_request *request, const struct rk_http_metadata *metadata)
{
    if (request->route->is_legacy)
        rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    else if (metadata == NULL || metadata->stored[RK_HTTP_CACHE_CONTROL].at == NULL)
        rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT(DEFAULT_CACHE_CONTROL));
    else
        add_stored(request->req, metadata, RK_HTTP_CACHE_CONTROL, H2O_TOKEN_CACHE_CONTROL);
}

static void add_metadata(h2o_req_t *req, const struct rk_http_metadata *metadata)
{
    if (metadata == NULL || metadata->stored[RK_HTTP_CONTENT_TYPE].len == 0)
        rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT(DEFAULT_CONTENT_TYPE));
    if (metadata == NULL)
        return;
    if (metadata->stored[RK_HTTP_CONTENT_TYPE].len > 0)
        add_stored(req, metadata, RK_HTTP_CONTENT_TYPE, H2O_TOKEN_CONTENT_TYPE);
    add_stored(req, metadata, RK_HTTP_CONTENT_ENCODING, H2O_TOKEN_CONTENT_ENCODING);
    add_stored(req, metadata, RK_HTTP_CONTENT_DISPOSITION, H2O_TOKEN_CONTENT_DISPOSITION);
    add_stored(req, metadata, RK_HTTP_CONTENT_LANGUAGE, H2O_TOKEN_CONTENT_LANGUAGE);
    add_own(req, metadata->own);
}

static void add_headers(struct rk_http_request *request, const struct rk_store_value *value,
                        const struct rk_http_metadata *metadata)
{
    h2o_req_t *req = request->req;

    add_metadata(req, metadata);
    rk_http_answer_sequence(req, value->sequence);
    rk_http_answer_etag(req, value->sequence);
    add_date(req, value->write_time_ms);
    add_expiry(req, value->expiry_ms);
    rk_http_answer_token(req, H2O_TOKEN_ACCEPT_RANGES, "Accept-Ranges", H2O_STRLIT("bytes"));
    rk_http_answer_header(req, &name_options, "X-Content-Type-Options", H2O_STRLIT("nosniff"));
    add_cache_control(request, metadata);
}

static void add_content_range(h2o_req_t *req, uint64_t first, uint64_t len, uint64_t size)
{
    char *text = h2o_mem_alloc_pool(&req->pool, RK_HTTP_CONTENT_RANGE_BYTES);

    rk_http_answer_token(req, H2O_TOKEN_CONTENT_RANGE, "Content-Range", text,
                         rk_http_range_format(first, len, size, text));
}

/* ---- the answers ---- */

static void answer_absent(struct rk_http_request *request, uint64_t sequence)
{
    rk_http_answer_sequence(request->req, sequence);
    rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_FOUND, 0, NULL);
}

/* What a cache needs to go on with what it has (RFC 9110 section 15.4.5). */
static void answer_not_modified(struct rk_http_request *request, const struct rk_store_value *value,
                                const struct rk_http_metadata *metadata)
{
    release(request, value);
    rk_http_answer_sequence(request->req, value->sequence);
    rk_http_answer_etag(request->req, value->sequence);
    add_expiry(request->req, value->expiry_ms);
    add_cache_control(request, metadata);
    rk_http_answer_empty(request, 304);
}

/* The sequence is that of the store when the key was looked up. */
static void answer_failed(struct rk_http_request *request, const struct rk_store_value *value)
{
    release(request, value);
    rk_http_answer_sequence(request->req, request->sequence);
    rk_http_answer_etag(request->req, value->sequence);
    rk_http_answer_problem(request, RK_HTTP_PROBLEM_CONDITION, 0, NULL);
}

static void answer_no_range(struct rk_http_request *request, const struct rk_store_value *value)
{
    release(request, value);
    rk_http_answer_sequence(request->req, value->sequence);
    rk_http_answer_etag(request->req, value->sequence);
    add_content_range(request->req, 0, 0, value->value_len);
    rk_http_answer_problem(request, RK_HTTP_PROBLEM_RANGE, 0, NULL);
}

static void answer_bytes(struct rk_http_request *request, const struct rk_store_value *value, size_t first, size_t len)
{
    if (value->source != NULL)
        rk_http_pieces_start(request, value, first, len);
    else
        rk_http_answer_body(request, request->status, (const char *)value->value + first, len);
}

/* A range means something to GET alone, and If-Range says of which value it is meant to be. */
static enum rk_http_range find_range(const struct rk_http_request *request, const struct rk_store_value *value,
                                     uint64_t *first_out, uint64_t *len_out)
{
    const struct rk_http_ask *ask = request->ask;

    if (ask == NULL || ask->range == NULL || request->op == RK_STATS_HTTP_HEAD)
        return RK_HTTP_RANGE_WHOLE;
    if (ask->if_range != NULL && !rk_http_condition_if_range_holds(ask->if_range, value->sequence))
        return RK_HTTP_RANGE_WHOLE;
    return rk_http_range_find(ask->range, value->value_len, first_out, len_out);
}

static void answer_value(struct rk_http_request *request, const struct rk_store_value *value,
                         const struct rk_http_metadata *metadata)
{
    uint64_t first = 0, len = value->value_len;
    enum rk_http_range range = find_range(request, value, &first, &len);

    if (range == RK_HTTP_RANGE_NONE) {
        answer_no_range(request, value);
        return;
    }
    add_headers(request, value, metadata);
    request->status = range == RK_HTTP_RANGE_PART ? 206 : 200;
    if (range == RK_HTTP_RANGE_PART)
        add_content_range(request->req, first, len, value->value_len);
    if (request->op == RK_STATS_HTTP_HEAD) {
        release(request, value);
        rk_http_answer_body(request, 200, NULL, value->value_len);
    } else
        answer_bytes(request, value, (size_t)first, (size_t)len);
}

/* `metadata` NULL: there is none, as usual. */
static void answer_by_conditions(struct rk_http_request *request, const struct rk_store_value *value,
                                 const struct rk_http_metadata *metadata)
{
    const struct rk_http_key_state state = { true, value->sequence, value->write_time_ms };
    enum rk_http_verdict verdict = RK_HTTP_PROCEED;

    if (request->ask != NULL && request->ask->is_conditional)
        verdict = rk_http_condition_evaluate(&request->ask->conditions, RK_HTTP_READS, &state);
    if (verdict == RK_HTTP_NOT_MODIFIED)
        answer_not_modified(request, value, metadata);
    else if (verdict == RK_HTTP_FAILED)
        answer_failed(request, value);
    else
        answer_value(request, value, metadata);
}

static void answer_found(struct rk_http_request *request, const struct rk_store_value *value)
{
    struct rk_http_metadata metadata;

    if (value->metadata_len == 0)
        answer_by_conditions(request, value, NULL);
    else if (rk_http_metadata_decode(value->metadata, value->metadata_len, &metadata) == RK_OK)
        answer_by_conditions(request, value, &metadata);
    else {
        release(request, value);
        rk_http_answer_failed_read(request, RK_ERR_CORRUPT);
    }
}

static void answer_read(struct rk_http_request *request, enum rk_err err, const struct rk_store_value *value)
{
    if (err == RK_OK)
        answer_found(request, value);
    else if (err == RK_ERR_NOT_FOUND)
        answer_absent(request, value->sequence);
    else
        rk_http_answer_failed_read(request, err);
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
    enum rk_err err;

    if (request->ask != NULL && request->ask->is_conditional)
        request->sequence = backend->last_sequence(backend->self);
    err = backend->get(backend->self, request->key.at, request->key.len, &arena, &value, on_get_done, request,
                       &request->ticket);
    if (err == RK_ERR_AGAIN)
        rk_http_request_hold(request, rk_http_answer_late_read);
    else
        answer_read(request, err, &value);
}
