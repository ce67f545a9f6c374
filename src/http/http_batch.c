/* A batch: each line is an operation of its own, as a request on one key is. Lines of different keys are under way
 * together, so that many writes are a few commits; a line waits for the one before it that has the same key.
 *
 *   ready -> under way -> done       a line is ready at once, or when the one before it on its key is done
 *
 * 1. Nothing is begun before all lines were read: a batch that is too large does nothing.
 * 2. Answers are sent together, in the order of the lines.
 * 3. Values that are answered have limits.max_value together; a get beyond that is told so in its line. */
#include "http/http_batch.h"

#include "http/http_answer.h"
#include "http/http_batch_private.h"

#include "base/base_time.h"
#include "http/http_option.h"
#include "http/http_write_problem.h"

#include <string.h>

static void *allocate_in_pool(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

static const struct rk_http_backend *backend_of(const struct batch_item *item)
{
    return &item->batch->request->server->backend;
}

static struct rk_store_arena arena_of(const struct batch_item *item)
{
    return (struct rk_store_arena){ allocate_in_pool, &item->batch->request->req->pool };
}

/* ---- who is next ---- */

static void make_ready(struct rk_http_batch *batch, struct batch_item *item)
{
    item->next_ready = NULL;
    *batch->last_ready = item;
    batch->last_ready = &item->next_ready;
}

static void release(struct batch_item *item)
{
    if (item->source != NULL)
        backend_of(item)->release(backend_of(item)->self, item->source);
    item->source = NULL;
}

static void end_item(struct batch_item *item)
{
    struct rk_http_batch *batch = item->batch;

    batch->n_under_way -= item->state == BATCH_UNDER_WAY;
    item->state = BATCH_DONE;
    item->ticket = 0;
    batch->n_done++;
    release(item);
    if (item->next_same != NULL)
        make_ready(batch, item->next_same);
}

static void fail_item(struct batch_item *item, enum rk_http_problem problem)
{
    item->problem = problem;
    end_item(item);
}

static void pump(struct rk_http_batch *batch);

/* ---- gets ---- */

static enum rk_http_problem problem_of_get(enum rk_err err)
{
    return err == RK_ERR_CORRUPT                                              ? RK_HTTP_PROBLEM_DAMAGED
           : err == RK_ERR_IO                                                 ? RK_HTTP_PROBLEM_READ_ERROR
           : err == RK_ERR_BUSY                                               ? RK_HTTP_PROBLEM_NOT_READY
           : err == RK_ERR_FULL || err == RK_ERR_LIMIT || err == RK_ERR_AGAIN ? RK_HTTP_PROBLEM_BUSY
                                                                              : rk_http_write_problem(err);
}

static void on_piece(void *context, enum rk_err err);

/* Goes on with a large value until it is there, or has to be waited for. */
static void read_pieces(struct batch_item *item)
{
    const struct rk_http_backend *backend = backend_of(item);
    enum rk_err err = RK_OK;

    while (err == RK_OK && item->offset < item->value.len) {
        size_t left = item->value.len - item->offset;
        size_t size = left < RK_STORE_PIECE_BYTES ? left : RK_STORE_PIECE_BYTES;
        uint8_t *bytes = (uint8_t *)(uintptr_t)item->value.at + item->offset;

        err =
            backend->read_piece(backend->self, item->source, item->offset, bytes, size, on_piece, item, &item->ticket);
        item->offset += size;
    }
    if (err == RK_ERR_AGAIN)
        return;
    if (err == RK_OK)
        end_item(item);
    else
        fail_item(item, problem_of_get(err));
}

static void on_piece(void *context, enum rk_err err)
{
    struct batch_item *item = context;

    item->ticket = 0;
    if (err == RK_OK)
        read_pieces(item);
    else
        fail_item(item, problem_of_get(err));
    pump(item->batch);
}

/* What the store gives need not last until the answer, in which a later line may have replaced it. */
static void take_type(struct batch_item *item, struct rk_http_span type)
{
    h2o_iovec_t own;

    if (type.at == NULL)
        return;
    own = h2o_strdup(&item->batch->request->req->pool, type.at, type.len);
    item->content_type = (struct rk_http_span){ own.base, own.len };
}

static void take_found(struct batch_item *item, const struct rk_store_value *value)
{
    struct rk_http_batch *batch = item->batch;
    struct rk_http_metadata metadata = { .own = { NULL, 0 } };

    item->source = value->source;
    if (value->metadata_len > 0 && rk_http_metadata_decode(value->metadata, value->metadata_len, &metadata) != RK_OK) {
        fail_item(item, RK_HTTP_PROBLEM_DAMAGED);
        return;
    }
    if (batch->answer_bytes + value->value_len > batch->request->server->settings.max_value_bytes) {
        fail_item(item, RK_HTTP_PROBLEM_VALUE_TOO_LARGE);
        return;
    }
    batch->answer_bytes += value->value_len;
    item->status = 200;
    item->sequence = item->etag = value->sequence;
    take_type(item, metadata.stored[RK_HTTP_CONTENT_TYPE]);
    item->value = (struct rk_http_span){ (const char *)value->value, value->value_len };
    if (value->source != NULL)
        item->value.at = h2o_mem_alloc_pool(&batch->request->req->pool, value->value_len);
    item->offset = value->source != NULL ? 0 : value->value_len;
    read_pieces(item);
}

static void take_get(struct batch_item *item, enum rk_err err, const struct rk_store_value *value)
{
    if (err == RK_OK)
        take_found(item, value);
    else
        fail_item(item, err == RK_ERR_NOT_FOUND ? RK_HTTP_PROBLEM_NOT_FOUND : problem_of_get(err));
}

static void on_get(void *context, enum rk_err err, const struct rk_store_value *value)
{
    struct batch_item *item = context;

    item->ticket = 0;
    take_get(item, err, value);
    pump(item->batch);
}

static enum rk_err start_get(struct batch_item *item)
{
    const struct rk_http_backend *backend = backend_of(item);
    const struct rk_store_arena arena = arena_of(item);
    struct rk_store_value value;
    enum rk_err err =
        backend->get(backend->self, item->line.key.at, item->line.key.len, &arena, &value, on_get, item, &item->ticket);

    if (err != RK_ERR_AGAIN)
        take_get(item, err, &value);
    return RK_OK;
}

/* ---- writes ---- */

static void take_written(struct batch_item *item, const struct rk_store_write_result *result)
{
    item->sequence = result->sequence;
    if (item->line.kind == RK_HTTP_BATCH_DELETE)
        item->status = 204;
    else {
        item->status = item->line.kind == RK_HTTP_BATCH_INCR ? 200 : result->replaced ? 204 : 201;
        item->etag = result->folded ? 0 : result->sequence;
    }
    end_item(item);
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
        end_item(item);
    }
    pump(item->batch);
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
    const struct rk_http_backend *backend = backend_of(item);
    const struct rk_store_arena arena = arena_of(item);
    const struct rk_store_update update = {
        .key = item->line.key.at,
        .key_len = item->line.key.len,
        .wants_value = item->line.kind == RK_HTTP_BATCH_INCR,
        .folds = item->line.kind == RK_HTTP_BATCH_INCR && !is_conditional,
        .decide = decide,
    };

    return backend->update(backend->self, &update, &arena, on_written, item, &item->ticket);
}

static enum rk_err start_write(struct batch_item *item)
{
    const struct rk_http_backend *backend = backend_of(item);
    struct rk_store_write write = { .is_delete = false };
    uint8_t metadata[RK_HTTP_METADATA_MAX];
    struct rk_http_conditions conditions;
    bool is_conditional = rk_http_batch_line_conditions(&item->line, &conditions);

    item->problem = fill_write(item, metadata, &write);
    if (item->problem != RK_HTTP_NO_PROBLEM) {
        end_item(item);
        return RK_OK;
    }
    if (is_conditional || item->line.kind == RK_HTTP_BATCH_INCR)
        return start_update(item, is_conditional);
    return backend->write(backend->self, &write, on_written, item, &item->ticket);
}

/* ---- the lines ---- */

/* RK_ERR_AGAIN: it cannot begin before others of the batch are done. */
static enum rk_err start_item(struct batch_item *item)
{
    struct rk_http_batch *batch = item->batch;
    enum rk_err err;

    if (item->problem != RK_HTTP_NO_PROBLEM) {
        end_item(item);
        return RK_OK;
    }
    item->state = BATCH_UNDER_WAY;
    batch->n_under_way++;
    err = item->line.kind == RK_HTTP_BATCH_GET ? start_get(item) : start_write(item);
    if (err == RK_OK)
        return RK_OK;
    if (err == RK_ERR_AGAIN && batch->n_under_way > 1) {
        item->state = BATCH_WAITING;
        batch->n_under_way--;
        return err;
    }
    fail_item(item, rk_http_write_problem(err));
    return RK_OK;
}

/* Of one batch: the ring is everybody's. */
#define UNDER_WAY_MAX 1024u

static void answer(struct rk_http_batch *batch)
{
    batch->is_answered = true;
    rk_http_request_settle(batch->request);
    rk_http_batch_answer(batch);
}

/* Begins what can begin; answers when all is done. */
static void pump(struct rk_http_batch *batch)
{
    while (batch->ready != NULL && batch->n_under_way < UNDER_WAY_MAX) {
        struct batch_item *item = batch->ready;

        if (start_item(item) == RK_ERR_AGAIN)
            return;
        batch->ready = item->next_ready;
        if (batch->ready == NULL)
            batch->last_ready = &batch->ready;
    }
    if (batch->n_done == batch->n_items && !batch->is_answered)
        answer(batch);
}

/* Of what is under way nobody hears any more. */
static void cancel_all(struct rk_http_batch *batch)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];

        if (item->ticket != 0)
            backend_of(item)->cancel(backend_of(item)->self, item->ticket);
        item->ticket = 0;
        release(item);
    }
}

static void on_batch_end(void *slot)
{
    cancel_all(*(struct rk_http_batch **)slot);
}

static void on_batch_deadline(struct rk_http_request *request)
{
    struct rk_http_batch *batch = request->batch;

    cancel_all(batch);
    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];

        if (item->state == BATCH_DONE)
            continue;
        item->problem = RK_HTTP_PROBLEM_TIMEOUT;
        item->etag = 0;
        item->unknown = item->state == BATCH_UNDER_WAY && item->line.kind != RK_HTTP_BATCH_GET;
    }
    answer(batch);
}

/* ---- reading them ---- */

static size_t count_lines(h2o_iovec_t body)
{
    size_t n = 0;

    for (size_t i = 0; i < body.len; i++)
        n += body.base[i] == '\n';
    return n + (body.len > 0 && body.base[body.len - 1] != '\n');
}

static void read_lines(struct rk_http_batch *batch, h2o_iovec_t body)
{
    struct rk_http_request *request = batch->request;
    char *room = h2o_mem_alloc_pool(&request->req->pool, body.len + 1);
    const char *at = body.base, *end = at + body.len;

    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        struct rk_http_span text = { at, (size_t)((line_end != NULL ? line_end : end) - at) };

        *item = (struct batch_item){ .batch = batch };
        item->problem = rk_http_batch_line_read(text, room, request->server->settings.max_key_bytes, &item->line);
        room += text.len;
        at += text.len + 1;
    }
}

static uint64_t hash_key(struct rk_http_span key)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

static bool is_same_key(const struct batch_item *a, const struct batch_item *b)
{
    return a->line.key.len == b->line.key.len && memcmp(a->line.key.at, b->line.key.at, a->line.key.len) == 0;
}

#define PLACES 32768u /* more than three for each line */

/* Each line behind the one before it with its key; who has none before it is ready. */
static void order_lines(struct rk_http_batch *batch)
{
    struct batch_item **places = h2o_mem_alloc(PLACES * sizeof(struct batch_item *));

    memset(places, 0, PLACES * sizeof(struct batch_item *));
    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];
        size_t place;

        if (item->problem != RK_HTTP_NO_PROBLEM) {
            make_ready(batch, item);
            continue;
        }
        place = hash_key(item->line.key) % PLACES;
        while (places[place] != NULL && !is_same_key(places[place], item))
            place = (place + 1) % PLACES;
        if (places[place] != NULL)
            places[place]->next_same = item;
        else
            make_ready(batch, item);
        places[place] = item;
    }
    free(places);
}

static void start_batch(struct rk_http_request *request, size_t n_lines)
{
    h2o_mem_pool_t *pool = &request->req->pool;
    struct rk_http_batch *batch = h2o_mem_alloc_pool(pool, sizeof *batch);
    struct rk_http_batch **slot;

    *batch = (struct rk_http_batch){ .request = request, .n_items = n_lines };
    batch->items = h2o_mem_alloc_pool(pool, (n_lines + 1) * sizeof *batch->items);
    batch->last_ready = &batch->ready;
    request->batch = batch;
    read_lines(batch, request->req->entity);
    order_lines(batch);
    slot = h2o_mem_alloc_shared(pool, sizeof(struct rk_http_batch *), on_batch_end);
    *slot = batch;
    rk_http_request_hold(request, on_batch_deadline);
    pump(batch);
}

void rk_http_batch_start(struct rk_http_request *request)
{
    uint64_t max_bytes = request->server->settings.max_value_bytes;
    size_t n_lines = count_lines(request->req->entity);

    if (request->req->entity.len > max_bytes)
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_VALUE_TOO_LARGE, max_bytes, NULL);
    else if (n_lines > RK_HTTP_BATCH_LINES_MAX)
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_BATCH_TOO_LONG, RK_HTTP_BATCH_LINES_MAX, NULL);
    else
        start_batch(request, n_lines);
}
