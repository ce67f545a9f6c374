/* The lanes of the keys that have updates (store_update.h): who waits for whom.
 *
 *   lane    update update update | update update
 *           <------ group -----> : what is decided and being written together; none while the key is read
 *
 * A lane is there as long as it has updates. Two keys with one fingerprint share a lane, which costs them time only.
 *
 * Nobody but the files of the client includes this. */
#ifndef RK_STORE_UPDATE_LANE_H
#define RK_STORE_UPDATE_LANE_H

#include "keydir/keydir.h"
#include "store/store_client.h"

/* One update. */
struct rk_store_update_op {
    struct rk_store_update_op *next;  /* of its lane, or of those that have ended */
    struct rk_store_update_op **link; /* that names it, in its lane */
    struct lane *lane;
    rk_store_ticket ticket;
    struct rk_store_update what; /* with a key of our own */
    struct rk_store_arena arena;
    rk_store_write_done_fn *done; /* NULL: cancelled */
    void *context;
    struct rk_store_write write; /* what it has decided */
    struct rk_store_write_result result;
    bool was_there; /* the key, when it decided */
    bool stopped;   /* it did */
    bool is_in_group;
    uint8_t *room; /* for what is read: in the arena, used again by each try */
    size_t room_bytes;
    size_t room_used;
    uint8_t key[];
};

enum lane_state {
    LANE_WAITING, /* goes on at the next poll */
    LANE_READING,
    LANE_WRITING,
};

struct lane {
    struct rk_store_client *client;
    struct lane *next;       /* of its chain */
    struct lane *next_ready; /* goes on at the next poll, as this one does */
    struct rk_fingerprint fingerprint;
    struct rk_store_update_op *first;
    struct rk_store_update_op **last;
    enum lane_state state;
    bool is_ready;
    size_t n_group;
    unsigned n_tries;            /* of the group, or the first one */
    rk_store_ticket nested;      /* what is under way for it */
    uint64_t sequence;           /* was the last one published when the key was read, or before */
    struct rk_store_value value; /* a large value, as far as it is known */
    uint8_t *value_bytes;        /* of it */
    size_t value_done;           /* bytes that have been read */
};

#define RK_STORE_LANE_CHAINS 1024u

struct rk_store_updates {
    /* What a lane has read has come: err as rk_store_update_read says. */
    void (*read_done)(struct rk_store_client *client, struct lane *lane, enum rk_err err);
    struct lane *chains[RK_STORE_LANE_CHAINS];
    struct lane *ready; /* in the order in which they became so */
    struct lane **last_ready;
    struct rk_store_update_op *ended; /* to be called back */
    struct rk_store_update_op **last_ended;
};

/* The lane of the fingerprint, made if there is none. */
struct lane *rk_store_lane_get(struct rk_store_client *client, struct rk_fingerprint fingerprint);

/* It has no update any more, and is not ready. */
void rk_store_lane_destroy(struct lane *lane);

void rk_store_lane_append(struct lane *lane, struct rk_store_update_op *update);

/* Takes it out of its lane, wherever it is there, in constant time: a client with thousands of them may leave. */
void rk_store_lane_remove(struct lane *lane, struct rk_store_update_op *update);

/* Takes it out of its lane, too: it is called back by the next poll, or later in this one. */
void rk_store_lane_end_update(struct rk_store_client *client, struct rk_store_update_op *update);

/* It is in no lane any more. */
void rk_store_lane_free_update(struct rk_store_client *client, struct rk_store_update_op *update);

/* The next one of the lane joins the group: the first one, if there is none yet. */
void rk_store_lane_join_group(struct lane *lane, struct rk_store_update_op *update);

/* There is no group any more; those that were in it stay in the lane. */
void rk_store_lane_dissolve_group(struct lane *lane);

/* It goes on at the next poll. */
void rk_store_lane_make_ready(struct rk_store_updates *updates, struct lane *lane);

#endif
