/* Keys in memory, in their order: a skip list. What a file without sorted keys has is collected in one.
 *
 * One thread. A node stays where it is until its key is removed. */
#ifndef RK_LIST_ORDER_H
#define RK_LIST_ORDER_H

#include "disk/disk_keys_block.h"

struct rk_list_order;

/* There may be a million of them: so when a key expires is not kept, but that it may. */
struct rk_list_node {
    uint64_t location;
    uint64_t sequence;
    uint32_t value_len;
    uint16_t key_len;
    uint8_t n_levels;
    bool may_expire : 1;
    bool is_doubtful : 1;        /* the checksum of its record does not fit: the key may be another one */
    struct rk_list_node *next[]; /* n_levels, and behind them the key's bytes */
};

/* The key's bytes. */
const uint8_t *rk_list_node_key(const struct rk_list_node *node);

struct rk_list_order *rk_list_order_create(void);
void rk_list_order_destroy(struct rk_list_order **order);

/* Adds a key, whose bytes are copied, or what it is now if it is there and not newer. */
void rk_list_order_put(struct rk_list_order *order, const struct rk_disk_key *key, bool is_doubtful);

/* Takes the key out if it is there and not newer than this sequence. */
void rk_list_order_remove(struct rk_list_order *order, const void *key, size_t key_len, uint64_t sequence);

/* The first key that is not below this one; NULL: there is none. */
const struct rk_list_node *rk_list_order_seek(const struct rk_list_order *order, const void *key, size_t key_len);

/* The highest one; NULL: there is none. */
const struct rk_list_node *rk_list_order_last(const struct rk_list_order *order);

/* The memory that it takes. */
size_t rk_list_order_bytes(const struct rk_list_order *order);

#endif
