/* Writes sorted keys as the blocks of a hint (disk/disk_keys.h), in one pass: of each level the block that is not full
 * yet is in memory, and no more.
 *
 * create, add for each key, ascending, finish; destroy in any case. One thread. */
#ifndef RK_LOG_KEYS_TREE_H
#define RK_LOG_KEYS_TREE_H

#include "disk/disk_keys_block.h"

struct rk_log_keys_tree;

/* Takes bytes that follow those before; false: they could not be written. */
typedef bool rk_log_keys_write_fn(void *context, const uint8_t *bytes, size_t size);

struct rk_log_keys_tree *rk_log_keys_tree_create(rk_log_keys_write_fn *write, void *context);

/* A key above all before it; false: could not be written, and only destroy is left. */
bool rk_log_keys_tree_add(struct rk_log_keys_tree *tree, const struct rk_disk_key *key);

/* Writes what is left. Where the root begins, counted from the first byte that was written; 0 without keys. */
bool rk_log_keys_tree_finish(struct rk_log_keys_tree *tree, uint64_t *root_out);

/* NULL inside is fine. */
void rk_log_keys_tree_destroy(struct rk_log_keys_tree **tree);

#endif
