#include "store/store_update_value.h"

#include "store/store_op.h"

/* A large value is checked on the event loop: so much of it a turn is some hundred microseconds. */
#define PIECES_A_TURN 16u
#define ROOM_ALIGN    16u

/* Room in the request's arena, which nobody can give back: so each try uses what the one before it had, and more is
 * asked for in steps that double. */
static void *allocate(void *arena, size_t size)
{
    struct rk_store_update_op *update = arena;
    uint8_t *at;

    size = (size + ROOM_ALIGN - 1) / ROOM_ALIGN * ROOM_ALIGN;
    if (update->room_used + size > update->room_bytes) {
        update->room_bytes = size > 2 * update->room_bytes ? size : 2 * update->room_bytes;
        update->room = update->arena.allocate(update->arena.arena, update->room_bytes);
        update->room_used = 0;
    }
    at = update->room + update->room_used;
    update->room_used += size;
    return at;
}

static void release_source(struct rk_store_client *client, struct lane *lane)
{
    if (lane->value.source != NULL)
        rk_store_client_release(client, lane->value.source);
    lane->value.source = NULL;
}

static void on_piece(void *context, enum rk_err err);

static size_t next_piece_bytes(const struct lane *lane)
{
    size_t left = lane->value.value_len - lane->value_done;

    return left < RK_STORE_PIECE_BYTES ? left : RK_STORE_PIECE_BYTES;
}

static enum rk_err read_pieces(struct rk_store_client *client, struct lane *lane)
{
    for (unsigned n = 0; lane->value_done < lane->value.value_len; n++) {
        enum rk_err err;

        if (n == PIECES_A_TURN) {
            rk_store_lane_make_ready(client->updates, lane);
            return RK_ERR_AGAIN;
        }
        err = rk_store_client_read_piece(client, lane->value.source, lane->value_done,
                                         lane->value_bytes + lane->value_done, next_piece_bytes(lane), on_piece, lane,
                                         &lane->nested);
        if (err == RK_ERR_AGAIN)
            lane->state = LANE_READING;
        else if (err != RK_OK)
            release_source(client, lane);
        if (err != RK_OK)
            return err;
        lane->value_done += next_piece_bytes(lane);
    }
    release_source(client, lane);
    lane->value.value = lane->value_bytes;
    return RK_OK;
}

static void on_piece(void *context, enum rk_err err)
{
    struct lane *lane = context;
    struct rk_store_client *client = lane->client;

    if (err == RK_OK) {
        lane->value_done += next_piece_bytes(lane);
        err = read_pieces(client, lane);
    } else {
        release_source(client, lane);
    }
    client->updates->read_done(client, lane, err);
}

/* The record is known, but for a large value. */
static enum rk_err take(struct rk_store_client *client, struct lane *lane)
{
    struct rk_store_update_op *update = lane->first;

    if (lane->value.source == NULL)
        return RK_OK;
    if (!update->what.wants_value) {
        release_source(client, lane);
        return RK_OK;
    }
    lane->value_bytes = allocate(update, lane->value.value_len);
    lane->value_done = 0;
    return read_pieces(client, lane);
}

static void on_read(void *context, enum rk_err err, const struct rk_store_value *value)
{
    struct lane *lane = context;

    lane->value = *value;
    lane->client->updates->read_done(lane->client, lane, err == RK_OK ? take(lane->client, lane) : err);
}

enum rk_err rk_store_update_read(struct rk_store_client *client, struct lane *lane)
{
    struct rk_store_update_op *update = lane->first;
    struct rk_store_arena arena = { allocate, update };
    enum rk_err err;

    if (lane->value.source != NULL)
        return read_pieces(client, lane);
    update->room_used = 0;
    lane->value = (struct rk_store_value){ .location = 0 };
    lane->sequence = atomic_load_explicit(client->settings.last_sequence, memory_order_acquire);
    err = rk_store_client_get(client, update->what.key, update->what.key_len, &arena, &lane->value, on_read, lane,
                              &lane->nested);
    if (err == RK_ERR_AGAIN)
        lane->state = LANE_READING;
    return err == RK_OK ? take(client, lane) : err;
}

void rk_store_update_read_stop(struct rk_store_client *client, struct lane *lane)
{
    if (lane->state == LANE_READING)
        rk_store_op_cancel(client, lane->nested);
    release_source(client, lane);
}
