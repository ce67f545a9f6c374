#include "store/store_update_group.h"

#include "base/base_time.h"
#include "store/store_op.h"
#include "store/store_write.h"

#include <string.h>

#define TRIES_MAX 1000u /* each of which another worker has won */
#define GROUP_MAX 1024u

/* The group is done, whatever came of it, and what waits in the lane goes on. */
static void end_group(struct rk_store_client *client, struct lane *lane)
{
    while (lane->n_group > 0)
        rk_store_lane_end_update(client, lane->first);
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
        rk_store_lane_free_update(client, update);
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
        rk_store_lane_dissolve_group(lane);
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
        rk_store_lane_join_group(lane, update);
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

void rk_store_group_go_on(struct rk_store_client *client, struct lane *lane, enum rk_err err)
{
    if (err == RK_ERR_AGAIN)
        return;
    if (err == RK_OK || err == RK_ERR_NOT_FOUND) {
        write_group(client, lane, err == RK_OK);
        return;
    }
    rk_store_lane_join_group(lane, lane->first);
    fail_group(client, lane, failure_of(err), true);
}
