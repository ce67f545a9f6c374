#include "http/http_update.h"

#include "base/base_time.h"
#include "http/http_ask.h"

#include <string.h>

struct rk_http_operation {
    /* What becomes of the value: fills in the write, or says why not. */
    enum rk_http_problem (*decide)(struct rk_http_request *request, const struct rk_store_value *current,
                                   struct rk_store_write *out);
    bool depends; /* on the value that is there, whether or not there are conditions */
    bool folds;
};

static void *allocate_in_pool(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

uint64_t rk_http_update_expiry_ms(const struct rk_http_request *request)
{
    const struct rk_http_ask *ask = request->ask;

    if (ask == NULL || (ask->expiry.ttl_ms == 0 && ask->expiry.expires_ms == 0))
        return 0;
    return rk_http_option_expiry_ms(&ask->expiry, rk_time_wall_ms());
}

enum rk_store_durability rk_http_update_durability(const struct rk_http_request *request)
{
    if (request->ask == NULL || !request->ask->has_durability)
        return RK_STORE_AS_CONFIGURED;
    return request->ask->is_synced ? RK_STORE_SYNCED : RK_STORE_WRITTEN;
}

/* ---- what becomes of the value ---- */

static enum rk_http_problem decide_put(struct rk_http_request *request, const struct rk_store_value *current,
                                       struct rk_store_write *out)
{
    *out = request->update->put;
    out->expiry_ms = rk_http_update_expiry_ms(request);
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem decide_delete(struct rk_http_request *request, const struct rk_store_value *current,
                                          struct rk_store_write *out)
{
    out->is_delete = true;
    return RK_HTTP_NO_PROBLEM;
}

/* Whatever else it has, it keeps. */
static void keep(const struct rk_store_value *current, struct rk_store_write *out)
{
    if (current == NULL)
        return;
    out->metadata = current->metadata;
    out->metadata_len = current->metadata_len;
    out->expiry_ms = current->expiry_ms;
}

static enum rk_http_problem decide_incr(struct rk_http_request *request, const struct rk_store_value *current,
                                        struct rk_store_write *out)
{
    struct rk_http_update *update = request->update;
    int64_t number = 0;

    if (current != NULL
        && !rk_http_number_parse((struct rk_http_span){ (const char *)current->value, current->value_len }, &number))
        return RK_HTTP_PROBLEM_NOT_A_NUMBER;
    if (!rk_http_number_add(number, request->ask->by, &number))
        return RK_HTTP_PROBLEM_NUMBER_OVERFLOW;
    update->number_len = rk_http_number_format(number, update->number);
    keep(current, out);
    out->value = update->number;
    out->value_len = update->number_len;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem decide_append(struct rk_http_request *request, const struct rk_store_value *current,
                                          struct rk_store_write *out)
{
    struct rk_http_update *update = request->update;
    size_t before = current != NULL ? current->value_len : 0;
    size_t len = before + request->value.len;

    if (len > request->server->settings.max_value_bytes)
        return RK_HTTP_PROBLEM_VALUE_TOO_LARGE;
    if (len > update->grown_room) { /* twice as much: others may make it longer each time, and the pool keeps all */
        update->grown_room = len > 2 * update->grown_room ? len : 2 * update->grown_room;
        update->grown = h2o_mem_alloc_pool(&request->req->pool, update->grown_room);
    }
    if (before > 0)
        memcpy(update->grown, current->value, before);
    if (request->value.len > 0)
        memcpy(update->grown + before, request->value.at, request->value.len);
    keep(current, out);
    out->value = update->grown;
    out->value_len = len;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem decide_touch(struct rk_http_request *request, const struct rk_store_value *current,
                                         struct rk_store_write *out)
{
    keep(current, out);
    out->value = current->value;
    out->value_len = current->value_len;
    out->expiry_ms = rk_http_update_expiry_ms(request);
    return RK_HTTP_NO_PROBLEM;
}

const struct rk_http_operation rk_http_put = { decide_put, false, false };
const struct rk_http_operation rk_http_delete = { decide_delete, false, false };
const struct rk_http_operation rk_http_incr = { decide_incr, true, true };
const struct rk_http_operation rk_http_append = { decide_append, true, false };
const struct rk_http_operation rk_http_touch = { decide_touch, true, false };

/* ---- the conditions ---- */

static enum rk_http_problem judge(const struct rk_http_request *request, const struct rk_store_value *current)
{
    const struct rk_http_conditions none = { .if_match = NULL };
    struct rk_http_key_state state = { .exists = current != NULL };
    enum rk_http_verdict verdict;

    if (current != NULL) {
        state.sequence = current->sequence;
        state.write_time_ms = current->write_time_ms;
    }
    verdict = rk_http_condition_evaluate(request->ask != NULL ? &request->ask->conditions : &none, request->route->need,
                                         &state);
    return verdict == RK_HTTP_PROCEED  ? RK_HTTP_NO_PROBLEM
           : verdict == RK_HTTP_ABSENT ? RK_HTTP_PROBLEM_NOT_FOUND
                                       : RK_HTTP_PROBLEM_CONDITION;
}

static enum rk_store_decision decide(void *context, const struct rk_store_value *current,
                                     struct rk_store_write *write_out)
{
    struct rk_http_request *request = context;
    struct rk_http_update *update = request->update;

    update->sequence = current != NULL ? current->sequence : 0;
    update->problem = judge(request, current);
    if (update->problem == RK_HTTP_NO_PROBLEM)
        update->problem = request->operation->decide(request, current, write_out);
    write_out->durability = rk_http_update_durability(request);
    return update->problem == RK_HTTP_NO_PROBLEM ? RK_STORE_DECIDED_WRITE : RK_STORE_DECIDED_STOP;
}

bool rk_http_update_is_needed(const struct rk_http_request *request)
{
    return request->operation->depends || (request->ask != NULL && request->ask->is_conditional);
}

enum rk_err rk_http_update_start(struct rk_http_request *request, const struct rk_store_write *put,
                                 rk_store_write_done_fn *done)
{
    const struct rk_http_backend *backend = &request->server->backend;
    struct rk_store_arena arena = { allocate_in_pool, &request->req->pool };
    bool is_conditional = request->ask != NULL && request->ask->is_conditional;
    const struct rk_store_update update = {
        .key = request->key.at,
        .key_len = request->key.len,
        .wants_value = request->operation->depends,
        .folds = request->operation->folds && !is_conditional, /* what is folded upon has no tag */
        .decide = decide,
    };

    request->update = h2o_mem_alloc_pool(&request->req->pool, sizeof *request->update);
    *request->update = (struct rk_http_update){ .put = *put };
    return backend->update(backend->self, &update, &arena, done, request, &request->ticket);
}
