/* PUT, POST and DELETE: handed to the writer, answered when it has said what became of them. */
#include "http/http_write.h"

#include "http/http_answer.h"
#include "http/http_ask.h"
#include "http/http_update.h"

#include <string.h>

static const h2o_iovec_t name_durability = { H2O_STRLIT("rackkv-durability") };

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
    case RK_ERR_TOO_LARGE:
        return RK_HTTP_PROBLEM_VALUE_TOO_LARGE;
    case RK_ERR_CORRUPT:
        return RK_HTTP_PROBLEM_DAMAGED;
    case RK_ERR_AGAIN:
    case RK_ERR_LIMIT:
    case RK_ERR_NO_MEMORY:
        return RK_HTTP_PROBLEM_BUSY;
    default:
        return RK_HTTP_PROBLEM_WRITE_ERROR;
    }
}

/* ---- what was done ---- */

/* The original answers 200 and OK to whatever worked. */
static void answer_legacy_done(struct rk_http_request *request)
{
    rk_http_answer_token(request->req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("text/plain"));
    rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    rk_http_answer_body(request, 200, H2O_STRLIT("OK"));
}

static void answer_number(struct rk_http_request *request)
{
    rk_http_answer_token(request->req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("text/plain"));
    rk_http_answer_body(request, 200, request->update->number, request->update->number_len);
}

static void answer_by_operation(struct rk_http_request *request, bool replaced)
{
    if (request->route->is_legacy)
        answer_legacy_done(request);
    else if (request->operation == &rk_http_incr)
        answer_number(request);
    else if (request->operation == &rk_http_append)
        rk_http_answer_body(request, replaced ? 200 : 201, NULL, 0);
    else if (request->operation == &rk_http_put && !replaced)
        rk_http_answer_body(request, 201, NULL, 0);
    else
        rk_http_answer_empty(request, 204);
}

static void answer_done(struct rk_http_request *request, const struct rk_store_write_result *result)
{
    rk_http_answer_sequence(request->req, result->sequence);
    if (request->operation != &rk_http_delete && !result->folded)
        rk_http_answer_etag(request->req, result->sequence);
    if (request->ask != NULL && request->ask->has_durability) {
        const char *name = rk_http_option_durability_name(result->synced);

        rk_http_answer_header(request->req, &name_durability, "RackKV-Durability", name, strlen(name));
    }
    answer_by_operation(request, result->replaced);
}

/* ---- what was not ---- */

static void answer_too_large(struct rk_http_request *request)
{
    rk_http_answer_problem(request, RK_HTTP_PROBLEM_VALUE_TOO_LARGE, request->server->settings.max_value_bytes, NULL);
}

/* What the key is did not allow it. */
static void answer_stopped(struct rk_http_request *request, uint64_t sequence)
{
    const struct rk_http_update *update = request->update;

    if (update->problem == RK_HTTP_PROBLEM_VALUE_TOO_LARGE) {
        answer_too_large(request);
        return;
    }
    rk_http_answer_sequence(request->req, sequence);
    if (update->problem == RK_HTTP_PROBLEM_CONDITION && update->sequence != 0)
        rk_http_answer_etag(request->req, update->sequence);
    rk_http_answer_problem(request, update->problem, 0, NULL);
}

static void answer_not_done(struct rk_http_request *request, enum rk_err err, bool none)
{
    enum rk_http_problem problem = problem_of_write(err);

    if (problem == RK_HTTP_PROBLEM_VALUE_TOO_LARGE)
        answer_too_large(request);
    else
        rk_http_answer_outcome(request, problem, none || rk_http_problem_text(problem)->status == 507);
}

static void on_write_done(void *context, const struct rk_store_write_result *result)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    if (result->err == RK_OK)
        answer_done(request, result);
    else if (result->err == RK_ERR_PRECONDITION)
        answer_stopped(request, result->sequence);
    else if (result->err == RK_ERR_NOT_FOUND) {
        rk_http_answer_sequence(request->req, result->sequence);
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_FOUND, 0, NULL);
    } else
        answer_not_done(request, result->err, result->none);
}

/* What was submitted may still happen. */
static void on_write_deadline(struct rk_http_request *request)
{
    rk_http_answer_outcome(request, RK_HTTP_PROBLEM_TIMEOUT, false);
}

/* ---- submitting it ---- */

/* The metadata go to the writer's ring with the rest; an update needs them as long as the request. */
static enum rk_err submit(struct rk_http_request *request, struct rk_store_write *write)
{
    const struct rk_http_backend *backend = &request->server->backend;

    if (rk_http_update_is_needed(request)) {
        if (write->metadata_len > 0)
            write->metadata = h2o_strdup(&request->req->pool, write->metadata, write->metadata_len).base;
        return rk_http_update_start(request, write, on_write_done);
    }
    write->expiry_ms = rk_http_update_expiry_ms(request);
    write->durability = rk_http_update_durability(request);
    return backend->write(backend->self, write, on_write_done, request, &request->ticket);
}

static void start(struct rk_http_request *request, struct rk_store_write *write)
{
    enum rk_err err = submit(request, write);

    if (err == RK_OK)
        rk_http_request_hold(request, on_write_deadline);
    else
        answer_not_done(request, err, true);
}

static void start_with_metadata(struct rk_http_request *request, struct rk_store_write *write)
{
    uint8_t metadata[RK_HTTP_METADATA_MAX];
    struct rk_http_wrong wrong;
    enum rk_http_problem problem = rk_http_ask_metadata(request->ask, metadata, &write->metadata_len, &wrong);

    write->metadata = metadata;
    if (problem == RK_HTTP_NO_PROBLEM)
        start(request, write);
    else
        rk_http_answer_problem(request, problem, wrong.limit, NULL); /* of a head that was judged good: never */
}

static void start_with_type(struct rk_http_request *request, struct rk_store_write *write)
{
    uint8_t metadata[RK_HTTP_METADATA_TYPE_MAX];

    write->metadata = metadata;
    if (rk_http_metadata_encode_type(request->type, metadata, &write->metadata_len) == RK_OK)
        start(request, write);
    else
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_BAD_METADATA, RK_HTTP_METADATA_VALUE_MAX, NULL); /* as above */
}

static void start_operation(struct rk_http_request *request, const struct rk_http_operation *operation)
{
    struct rk_store_write write = {
        .is_delete = operation == &rk_http_delete,
        .key = request->key.at,
        .key_len = request->key.len,
        .value = request->value.at,
        .value_len = request->value.len,
    };

    request->operation = operation;
    if (request->route->stores_headers && request->ask != NULL)
        start_with_metadata(request, &write);
    else if (request->route->stores_headers && request->type.at != NULL)
        start_with_type(request, &write);
    else
        start(request, &write);
}

void rk_http_put_start(struct rk_http_request *request)
{
    start_operation(request, &rk_http_put);
}

void rk_http_delete_start(struct rk_http_request *request)
{
    start_operation(request, &rk_http_delete);
}

void rk_http_incr_start(struct rk_http_request *request)
{
    start_operation(request, &rk_http_incr);
}

void rk_http_append_start(struct rk_http_request *request)
{
    start_operation(request, &rk_http_append);
}

void rk_http_touch_start(struct rk_http_request *request)
{
    start_operation(request, &rk_http_touch);
}
