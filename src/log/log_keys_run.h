/* Keys in memory, as many as fit, to be sorted: one run of a sort that has more than one (log_keys_sort.h).
 *
 * An item is a head of RK_LOG_KEYS_ITEM_BYTES and the key; items lie one behind the other in the order in which they
 * came, and a reference to each, with the first bytes in which keys of this run can differ, is what is sorted.
 *
 * Order: keys ascend; of the same key the highest sequence comes first. */
#ifndef RK_LOG_KEYS_RUN_H
#define RK_LOG_KEYS_RUN_H

#include "disk/disk_keys_block.h"
#include "log/log_keys_refs.h"

#define RK_LOG_KEYS_ITEM_BYTES 32u

struct rk_log_keys_run {
    size_t bytes_max; /* of items, references and what it takes to sort them */
    uint8_t *items;
    size_t n_bytes;
    size_t capacity;
    struct rk_log_keys_ref *refs;
    struct rk_log_keys_ref *scratch; /* as many, while they are sorted */
    size_t n_items;
    size_t refs_capacity;
    size_t n_shared; /* that all keys begin with */
};

struct rk_log_keys_item {
    struct rk_disk_key key;
    bool is_tombstone;
};

void rk_log_keys_run_init(struct rk_log_keys_run *run, size_t bytes_max);
void rk_log_keys_run_fini(struct rk_log_keys_run *run);

/* false: it does not fit any more. It always fits into an empty run. The key is copied. */
bool rk_log_keys_run_add(struct rk_log_keys_run *run, const struct rk_log_keys_item *item);

void rk_log_keys_run_sort(struct rk_log_keys_run *run);
void rk_log_keys_run_clear(struct rk_log_keys_run *run);

/* The bytes of item number i in the order that the last sort made. */
const uint8_t *rk_log_keys_run_item(const struct rk_log_keys_run *run, size_t i);

/* How many bytes the item has whose first RK_LOG_KEYS_ITEM_BYTES these are; and what all of it says. */
size_t rk_log_keys_item_bytes(const uint8_t *bytes);
void rk_log_keys_item_decode(const uint8_t *bytes, struct rk_log_keys_item *item_out);
int rk_log_keys_item_compare(const uint8_t *a, const uint8_t *b);

#endif
