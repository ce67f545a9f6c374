#include "store/store_update_lane.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "store/store_op.h"

#include <stdlib.h>

static struct lane **find(struct rk_store_updates *updates, struct rk_fingerprint fingerprint)
{
    struct lane **link = &updates->chains[fingerprint.low % RK_STORE_LANE_CHAINS];

    while (*link != NULL
           && ((*link)->fingerprint.high != fingerprint.high || (*link)->fingerprint.low != fingerprint.low))
        link = &(*link)->next;
    return link;
}

struct lane *rk_store_lane_get(struct rk_store_client *client, struct rk_fingerprint fingerprint)
{
    struct lane **link = find(client->updates, fingerprint);

    if (*link != NULL)
        return *link;
    *link = rk_mem_calloc(1, sizeof **link);
    client->n_lanes++;
    (*link)->client = client;
    (*link)->fingerprint = fingerprint;
    (*link)->last = &(*link)->first;
    return *link;
}

void rk_store_lane_destroy(struct lane *lane)
{
    struct lane **link = find(lane->client->updates, lane->fingerprint);

    RK_ASSERT(*link == lane && lane->first == NULL && !lane->is_ready);
    *link = lane->next;
    lane->client->n_lanes--;
    free(lane);
}

void rk_store_lane_append(struct lane *lane, struct rk_store_update_op *update)
{
    update->lane = lane;
    update->next = NULL;
    update->link = lane->last;
    *lane->last = update;
    lane->last = &update->next;
}

void rk_store_lane_remove(struct lane *lane, struct rk_store_update_op *update)
{
    lane->n_group -= update->is_in_group;
    update->is_in_group = false;
    *update->link = update->next;
    if (update->next == NULL)
        lane->last = update->link;
    else
        update->next->link = update->link;
    update->lane = NULL;
    update->next = NULL;
}

void rk_store_lane_join_group(struct lane *lane, struct rk_store_update_op *update)
{
    update->is_in_group = true;
    lane->n_group++;
}

void rk_store_lane_dissolve_group(struct lane *lane)
{
    struct rk_store_update_op *update = lane->first;

    for (; lane->n_group > 0; lane->n_group--, update = update->next)
        update->is_in_group = false;
}

void rk_store_lane_make_ready(struct rk_store_updates *updates, struct lane *lane)
{
    lane->state = LANE_WAITING;
    if (lane->is_ready)
        return;
    lane->is_ready = true;
    lane->next_ready = NULL;
    *updates->last_ready = lane;
    updates->last_ready = &lane->next_ready;
}

void rk_store_lane_end_update(struct rk_store_client *client, struct rk_store_update_op *update)
{
    struct rk_store_updates *updates = client->updates;

    rk_store_lane_remove(update->lane, update);
    *updates->last_ended = update;
    updates->last_ended = &update->next;
}

void rk_store_lane_free_update(struct rk_store_client *client, struct rk_store_update_op *update)
{
    struct store_op *op = rk_store_op_find(client, update->ticket);

    rk_store_op_end(client, op);
    free(update);
}
