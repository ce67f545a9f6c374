#include "store/store_update.h"

#include "base/base_mem.h"
#include "base/base_time.h"
#include "store/store_op.h"
#include "store/store_update_lane.h"
#include "store/store_update_value.h"
#include "store/store_write.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 1000u /* each of which another worker has won */
#define GROUP_MAX 1024u

/* ---- ends ---- */

/* It is called back by the next poll, or later in this one. */
static void end_update(struct rk_store_client *client, struct rk_store_update_op *update)
{
    struct rk_store_updates *updates = client->updates;

    rk_store_lane_remove(update->lane, update);
    *updates->last_ended = update;
    updates->last_ended = &update->next;
}

static void free_update(struct rk_store_client *client, struct rk_store_update_op *update)
{
    struct store_op *op = rk_store_op_find(client, update->ticket);

    rk_store_op_end(client, op);
    free(update);
}

static void call_back_ended(struct rk_store_client *client)
{
    struct rk_store_updates *updates = client->updates;
    struct rk_store_update_op *update;

    while ((update = updates->ended) != NULL) {
        struct rk_store_write_result result = update->result;
        rk_store_write_done_fn *done = update->done;
        void *context = update->context;

        updates->ended = update->next;
        if (updates->ended == NULL)
            updates->last_ended = &updates->ended;
        free_update(client, update);
        if (done != NULL)
            done(context, &result);
    }
}

/* ---- a group ---- */

/* The group is done, whatever came of it, and what waits in the lane goes on. */
static void end_group(struct rk_store_client *client, struct lane *lane)
{
    while (lane->n_group > 0)
        end_update(client, lane->first);
    lane->n_tries = 0;
    rk_store_lane_make_ready(client->updates, lane);
}

static void fail_group(struct rk_store_client *client, struct lane *lane, enum rk_err err, bool none)
{
    struct rk_store_update_op *update = lane->first;

    for (size_t i = 0; i < lane->n_group; i++, update = update->next)
        update->result = (struct rk_store_write_result){ .err = err, .none = none, .sequence = lane->sequence };
    end_group(client, lane);
}

/* What one of the group is told, where the last record of it has been written. */
static struct rk_store_write_result result_of(const struct rk_store_update_op *update,
                                              const struct rk_store_write_result *written, bool folded)
{
    struct rk_store_write_result result = { .sequence = written->sequence };

    if (update->stopped) {
        result.err = RK_ERR_PRECONDITION;
        result.none = true;
    } else if (update->write.is_delete && !update->was_there) {
        result.err = RK_ERR_NOT_FOUND;
    } else {
        result.replaced = update->was_there;
        result.synced = written->synced;
        result.folded = folded;
    }
    return result;
}

/* The last one of the group that writes. NULL: all have stopped. */
static struct rk_store_update_op *find_writer(const struct lane *lane)
{
    struct rk_store_update_op *update = lane->first, *last = NULL;

    for (size_t i = 0; i < lane->n_group; i++, update = update->next)
        if (!update->stopped)
            last = update;
    return last;
}

static void finish_group(struct rk_store_client *client, struct lane *lane, const struct rk_store_write_result *written)
{
    struct rk_store_update_op *update = lane->first, *writer = find_writer(lane);

    for (size_t i = 0; i < lane->n_group; i++, update = update->next)
        update->result = result_of(update, written, update != writer);
    end_group(client, lane);
}

/* Nobody may call them any more. */
static void drop_cancelled(struct rk_store_client *client, struct lane *lane)
{
    struct rk_store_update_op *update = lane->first, *next;

    for (size_t n = lane->n_group; n > 0; n--, update = next) {
        next = update->next;
        if (update->done != NULL)
            continue;
        rk_store_lane_remove(lane, update);
        free_update(client, update);
    }
}

static void on_written(void *context, const struct rk_store_write_result *result)
{
    struct lane *lane = context;
    struct rk_store_client *client = lane->client;

    if (result->err == RK_OK || result->err == RK_ERR_NOT_FOUND) {
        finish_group(client, lane, result);
    } else if (result->err != RK_ERR_CHANGED) {
        fail_group(client, lane, result->err, result->none);
    } else if (++lane->n_tries >= TRIES_MAX) {
        fail_group(client, lane, RK_ERR_AGAIN, true);
    } else {
        drop_cancelled(client, lane);
        lane->n_group = 0;
        rk_store_lane_make_ready(client->updates, lane);
    }
}

/* ---- decisions ---- */

/* Which of two is the safer one. What is configured may be as much as either of the others. */
static enum rk_store_durability safer(enum rk_store_durability a, enum rk_store_durability b)
{
    if (a == RK_STORE_SYNCED || b == RK_STORE_SYNCED)
        return RK_STORE_SYNCED;
    return a == RK_STORE_WRITTEN && b == RK_STORE_WRITTEN ? RK_STORE_WRITTEN : RK_STORE_AS_CONFIGURED;
}

/* A state of the key. */
struct state {
    bool is_there;
    bool knows_value;
    struct rk_store_value value;
};

static bool has_expired(uint64_t expiry_ms)
{
    return expiry_ms != 0 && expiry_ms <= rk_time_wall_ms();
}

static void decide(struct rk_store_update_op *update, struct state *state)
{
    struct rk_store_write *write = &update->write;

    memset(write, 0, sizeof *write);
    update->was_there = state->is_there;
    update->stopped =
        update->what.decide(update->context, state->is_there ? &state->value : NULL, write) == RK_STORE_DECIDED_STOP;
    write->key = update->what.key;
    write->key_len = update->what.key_len;
    if (update->stopped)
        return;
    *state = (struct state){ .is_there = !write->is_delete && !has_expired(write->expiry_ms),
                             .knows_value = true,
                             .value = { .expiry_ms = write->expiry_ms,
                                        .metadata = write->metadata,
                                        .metadata_len = write->metadata_len,
                                        .value = write->value,
                                        .value_len = write->value_len } };
}

static bool joins(const struct lane *lane, const struct rk_store_update_op *update, const struct state *state)
{
    if (update == lane->first)
        return true;
    return update->what.folds && lane->first->what.folds && lane->n_group < GROUP_MAX
           && (state->knows_value || !update->what.wants_value) && update->what.key_len == lane->first->what.key_len
           && memcmp(update->what.key, lane->first->what.key, update->what.key_len) == 0;
}

/* Forms the group, and decides; how durable its record must be. */
static enum rk_store_durability decide_group(struct lane *lane, bool is_there)
{
    struct state state = { .is_there = is_there, .knows_value = lane->first->what.wants_value, .value = lane->value };
    enum rk_store_durability durability = RK_STORE_WRITTEN;

    for (struct rk_store_update_op *update = lane->first; update != NULL && joins(lane, update, &state);
         update = update->next) {
        decide(update, &state);
        if (!update->stopped)
            durability = safer(durability, update->write.durability);
        lane->n_group++;
    }
    return durability;
}

static void write_group(struct rk_store_client *client, struct lane *lane, bool is_there)
{
    enum rk_store_durability durability = decide_group(lane, is_there);
    struct rk_store_update_op *writer = find_writer(lane);
    struct rk_store_write write;
    enum rk_err err;

    /* With nothing to write, or nothing there to delete, this is what all of them have found. */
    if (writer == NULL || (writer->write.is_delete && !is_there && lane->n_group == 1)) {
        finish_group(client, lane, &(struct rk_store_write_result){ .sequence = lane->sequence });
        return;
    }
    write = writer->write;
    write.durability = durability;
    err = rk_store_write_submit(client, &write, &lane->value.location, on_written, lane, &lane->nested);
    if (err == RK_OK)
        lane->state = LANE_WRITING;
    else
        fail_group(client, lane, err, true);
}

/* What a read that failed is for a write: "full" is the keydir's there. */
static enum rk_err failure_of(enum rk_err err)
{
    return err == RK_ERR_FULL ? RK_ERR_AGAIN : err;
}

static void go_on_with(struct rk_store_client *client, struct lane *lane, enum rk_err err)
{
    if (err == RK_ERR_AGAIN)
        return;
    if (err == RK_OK || err == RK_ERR_NOT_FOUND) {
        write_group(client, lane, err == RK_OK);
        return;
    }
    lane->n_group = 1;
    fail_group(client, lane, failure_of(err), true);
}

static void go_on(struct rk_store_client *client, struct lane *lane)
{
    if (lane->first == NULL)
        rk_store_lane_destroy(lane);
    else
        go_on_with(client, lane, rk_store_update_read(client, lane));
}

/* ---- what others call ---- */

struct rk_store_updates *rk_store_updates_create(void)
{
    struct rk_store_updates *updates = rk_mem_calloc(1, sizeof *updates);

    updates->read_done = go_on_with;
    updates->last_ready = &updates->ready;
    updates->last_ended = &updates->ended;
    return updates;
}

static void free_all(struct rk_store_update_op *first)
{
    while (first != NULL) {
        struct rk_store_update_op *next = first->next;

        free(first);
        first = next;
    }
}

void rk_store_updates_destroy(struct rk_store_updates **updates)
{
    if (*updates == NULL)
        return;
    for (size_t i = 0; i < RK_STORE_LANE_CHAINS; i++) {
        struct lane *lane;

        while ((lane = (*updates)->chains[i]) != NULL) {
            (*updates)->chains[i] = lane->next;
            free_all(lane->first);
            free(lane);
        }
    }
    free_all((*updates)->ended);
    free(*updates);
    *updates = NULL;
}

enum rk_err rk_store_client_update(struct rk_store_client *client, const struct rk_store_update *update,
                                   const struct rk_store_arena *arena, rk_store_write_done_fn *done, void *context,
                                   rk_store_ticket *ticket_out)
{
    struct rk_store_update_op *added;
    struct store_op *op;
    struct lane *lane;

    if (update->key_len == 0 || update->key_len > RK_RECORD_KEY_MAX)
        return RK_ERR_TOO_LARGE;
    op = rk_store_op_start(client, OP_UPDATE);
    if (op == NULL)
        return RK_ERR_AGAIN;
    added = rk_mem_calloc(1, sizeof *added + update->key_len);
    op->update = added;
    memcpy(added->key, update->key, update->key_len);
    added->what = *update;
    added->what.key = added->key;
    added->arena = *arena;
    added->done = done;
    added->context = context;
    added->ticket = *ticket_out = rk_store_op_ticket(client, op);
    lane = rk_store_lane_get(client, rk_keydir_fingerprint(update->key, update->key_len, client->settings.hash_key));
    rk_store_lane_append(lane, added);
    if (added == lane->first)
        rk_store_lane_make_ready(client->updates, lane);
    return RK_OK;
}

void rk_store_updates_poll(struct rk_store_client *client)
{
    struct rk_store_updates *updates = client->updates;
    struct lane *lane, *next;

    call_back_ended(client);
    lane = updates->ready;
    updates->ready = NULL;
    updates->last_ready = &updates->ready;
    for (; lane != NULL; lane = next) {
        next = lane->next_ready;
        lane->is_ready = false;
        go_on(client, lane);
    }
    call_back_ended(client);
}

bool rk_store_updates_waiting(const struct rk_store_client *client)
{
    return client->updates->ready != NULL || client->updates->ended != NULL;
}

void rk_store_update_cancel(struct rk_store_client *client, struct store_op *op)
{
    struct rk_store_update_op *update = op->update;
    struct lane *lane = update->lane;

    if (lane == NULL || rk_store_lane_has_in_group(lane, update)) { /* it has ended, or is being written */
        update->done = NULL;
        return;
    }
    if (update == lane->first) {
        rk_store_update_read_stop(client, lane);
        lane->n_tries = 0;
        rk_store_lane_make_ready(client->updates, lane);
    }
    rk_store_lane_remove(lane, update);
    free_update(client, update);
}
