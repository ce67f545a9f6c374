/* A line of a batch that writes. */
#include "http/http_batch_private.h"
#include "http/http_option.h"
#include "http/http_write_problem.h"

#include "base/base_time.h"

#include <string.h>

static void take_written(struct batch_item *item, const struct rk_store_write_result *result)
{
    item->sequence = result->sequence;
    if (item->line.kind == RK_HTTP_BATCH_DELETE)
        item->status = 204;
    else {
        item->status = item->line.kind == RK_HTTP_BATCH_INCR ? 200 : result->replaced ? 204 : 201;
        item->etag = result->folded ? 0 : result->sequence;
    }
    rk_http_batch_item_end(item);
}

static void on_written(void *context, const struct rk_store_write_result *result)
{
    struct batch_item *item = context;

    item->ticket = 0;
    if (result->err == RK_OK) {
        item->problem = RK_HTTP_NO_PROBLEM;
        take_written(item, result);
    } else {
        item->unknown = !result->none;
        if (result->err != RK_ERR_PRECONDITION) /* that has said why */
            item->problem = rk_http_write_problem(result->err);
        rk_http_batch_item_end(item);
    }
    item->batch->pump(item->batch);
}

static enum rk_http_problem decide_number(struct batch_item *item, const struct rk_store_value *current,
                                          struct rk_store_write *write)
{
    int64_t number = 0;

    if (current != NULL
        && !rk_http_number_parse((struct rk_http_span){ (const char *)current->value, current->value_len }, &number))
        return RK_HTTP_PROBLEM_NOT_A_NUMBER;
    if (!rk_http_number_add(number, item->line.by, &number))
        return RK_HTTP_PROBLEM_NUMBER_OVERFLOW;
    item->value = (struct rk_http_span){ item->number, rk_http_number_format(number, item->number) };
    write->value = item->value.at;
    write->value_len = item->value.len;
    if (current != NULL) {
        write->metadata = current->metadata;
        write->metadata_len = current->metadata_len;
        write->expiry_ms = current->expiry_ms;
    }
    return RK_HTTP_NO_PROBLEM;
}

/* What a put or a delete is, whatever is there. `room` has RK_HTTP_METADATA_MAX. */
static enum rk_http_problem fill_write(const struct batch_item *item, uint8_t *room, struct rk_store_write *write)
{
    const struct rk_http_batch_line *line = &item->line;
    const struct rk_http_expiry expiry = { .ttl_ms = line->ttl_ms };
    const struct rk_http_metadata_lines lines = {
        .stored = { [RK_HTTP_CONTENT_TYPE] = line->content_type.value.at != NULL ? &line->content_type : NULL },
    };
    struct rk_http_span wrong;

    write->is_delete = line->kind == RK_HTTP_BATCH_DELETE;
    write->key = line->key.at;
    write->key_len = line->key.len;
    write->value = line->value.at;
    write->value_len = line->value.len;
    if (line->ttl_ms != 0)
        write->expiry_ms = rk_http_option_expiry_ms(&expiry, rk_time_wall_ms());
    write->metadata = room;
    return rk_http_metadata_encode(&lines, room, &write->metadata_len, &wrong) == RK_OK ? RK_HTTP_NO_PROBLEM
                                                                                        : RK_HTTP_PROBLEM_BAD_METADATA;
}

static enum rk_http_problem judge(const struct batch_item *item, const struct rk_store_value *current)
{
    bool needs = item->line.kind == RK_HTTP_BATCH_DELETE;
    struct rk_http_key_state state = { .exists = current != NULL };
    struct rk_http_conditions conditions;
    enum rk_http_verdict verdict;

    if (current != NULL) {
        state.sequence = current->sequence;
        state.write_time_ms = current->write_time_ms;
    }
    (void)rk_http_batch_line_conditions(&item->line, &conditions);
    verdict = rk_http_condition_evaluate(&conditions, needs ? RK_HTTP_NEEDS_KEY : RK_HTTP_MAKES_KEY, &state);
    return verdict == RK_HTTP_PROCEED  ? RK_HTTP_NO_PROBLEM
           : verdict == RK_HTTP_ABSENT ? RK_HTTP_PROBLEM_NOT_FOUND
                                       : RK_HTTP_PROBLEM_CONDITION;
}

static enum rk_store_decision decide(void *context, const struct rk_store_value *current, struct rk_store_write *write)
{
    struct batch_item *item = context;
    h2o_mem_pool_t *pool = &item->batch->request->req->pool;

    item->problem = judge(item, current);
    item->etag = item->problem == RK_HTTP_PROBLEM_CONDITION && current != NULL ? current->sequence : 0;
    if (item->problem == RK_HTTP_NO_PROBLEM)
        item->problem = item->line.kind == RK_HTTP_BATCH_INCR
                            ? decide_number(item, current, write)
                            : fill_write(item, h2o_mem_alloc_pool(pool, RK_HTTP_METADATA_MAX), write);
    return item->problem == RK_HTTP_NO_PROBLEM ? RK_STORE_DECIDED_WRITE : RK_STORE_DECIDED_STOP;
}

static enum rk_err start_update(struct batch_item *item, bool is_conditional)
{
    const struct rk_http_backend *backend = rk_http_batch_backend(item);
    const struct rk_store_arena arena = rk_http_batch_arena(item);
    const struct rk_store_update update = {
        .key = item->line.key.at,
        .key_len = item->line.key.len,
        .wants_value = item->line.kind == RK_HTTP_BATCH_INCR,
        .folds = item->line.kind == RK_HTTP_BATCH_INCR && !is_conditional,
        .decide = decide,
    };

    return backend->update(backend->self, &update, &arena, on_written, item, &item->ticket);
}

enum rk_err rk_http_batch_write_start(struct batch_item *item)
{
    const struct rk_http_backend *backend = rk_http_batch_backend(item);
    struct rk_store_write write = { .is_delete = false };
    uint8_t metadata[RK_HTTP_METADATA_MAX];
    struct rk_http_conditions conditions;
    bool is_conditional = rk_http_batch_line_conditions(&item->line, &conditions);

    item->problem = fill_write(item, metadata, &write);
    if (item->problem != RK_HTTP_NO_PROBLEM) {
        rk_http_batch_item_end(item);
        return RK_OK;
    }
    if (is_conditional || item->line.kind == RK_HTTP_BATCH_INCR)
        return start_update(item, is_conditional);
    return backend->write(backend->self, &write, on_written, item, &item->ticket);
}
