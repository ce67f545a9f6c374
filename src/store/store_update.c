#include "store/store_update.h"

#include "base/base_mem.h"
#include "store/store_op.h"
#include "store/store_update_group.h"
#include "store/store_update_lane.h"
#include "store/store_update_value.h"

#include <stdlib.h>
#include <string.h>

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
        rk_store_lane_free_update(client, update);
        if (done != NULL)
            done(context, &result);
    }
}

static void go_on(struct rk_store_client *client, struct lane *lane)
{
    if (lane->first == NULL)
        rk_store_lane_destroy(lane);
    else
        rk_store_group_go_on(client, lane, rk_store_update_read(client, lane));
}

struct rk_store_updates *rk_store_updates_create(void)
{
    struct rk_store_updates *updates = rk_mem_calloc(1, sizeof *updates);

    updates->read_done = rk_store_group_go_on;
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

    if (lane == NULL || update->is_in_group) { /* it has ended, or is being written */
        update->done = NULL;
        return;
    }
    if (update == lane->first) {
        rk_store_update_read_stop(client, lane);
        lane->n_tries = 0;
        rk_store_lane_make_ready(client->updates, lane);
    }
    rk_store_lane_remove(lane, update);
    rk_store_lane_free_update(client, update);
}
