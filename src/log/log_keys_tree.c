#include "log/log_keys_tree.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <stdlib.h>
#include <string.h>

/* The block of a level that is not full yet. */
struct level {
    uint8_t *block;
    size_t capacity;
    size_t used; /* head included */
    unsigned n_entries;
    bool has_blocks; /* some were written before */
    uint8_t *first;  /* what its parent calls it: see (3) in disk_keys_block.h */
    size_t first_len;
    uint8_t *last; /* the key that was added last, also to the block before it */
    size_t last_len;
};

struct rk_log_keys_tree {
    rk_log_keys_write_fn *write;
    void *context;
    uint64_t n_written;
    unsigned n_levels;
    struct level levels[RK_DISK_KEYS_LEVELS_MAX];
};

struct rk_log_keys_tree *rk_log_keys_tree_create(rk_log_keys_write_fn *write, void *context)
{
    struct rk_log_keys_tree *tree = rk_mem_calloc(1, sizeof *tree);

    tree->write = write;
    tree->context = context;
    return tree;
}

static struct level *level_at(struct rk_log_keys_tree *tree, unsigned number)
{
    struct level *level;

    RK_ASSERT(number < RK_DISK_KEYS_LEVELS_MAX); /* each has a quarter of the blocks of the one below, or fewer */
    level = &tree->levels[number];
    if (number == tree->n_levels) {
        level->first = rk_mem_calloc(1, RK_RECORD_KEY_MAX);
        level->last = rk_mem_calloc(1, RK_RECORD_KEY_MAX);
        level->used = RK_DISK_KEYS_HEAD_BYTES;
        tree->n_levels++;
    }
    return level;
}

static uint8_t *room_for_entry(struct level *level, size_t size)
{
    if (level->capacity < level->used + size) {
        level->capacity = level->used + size + RK_DISK_KEYS_TARGET_BYTES;
        level->block = rk_mem_resize(level->block, level->capacity, 1);
    }
    return level->block + level->used;
}

/* A block begins with this key. Its parent has to tell it from what is before, and no more. */
static void begin_block(struct level *level, unsigned number, const uint8_t *key, size_t key_len)
{
    size_t n = key_len;

    if (number == 0) {
        n = level->has_blocks ? rk_disk_keys_shared(level->last, level->last_len, key, key_len) + 1 : 0;
        RK_ASSERT(n <= key_len);
    }
    memcpy(level->first, key, n);
    level->first_len = n;
}

static bool write_block(struct rk_log_keys_tree *tree, unsigned number, uint64_t *at_out)
{
    struct level *level = &tree->levels[number];

    rk_disk_keys_block_seal(level->block, level->used, number, level->n_entries);
    if (!tree->write(tree->context, level->block, level->used))
        return false;
    *at_out = tree->n_written;
    tree->n_written += level->used;
    level->used = RK_DISK_KEYS_HEAD_BYTES;
    level->n_entries = 0;
    level->has_blocks = true;
    return true;
}

/* Whether an entry of so many bytes more would make the block too long. */
static bool is_full(const struct level *level, unsigned number, size_t size)
{
    return level->n_entries >= (number == 0 ? 1 : RK_DISK_KEYS_INNER_MIN)
           && level->used + size > RK_DISK_KEYS_TARGET_BYTES;
}

static bool add_child(struct rk_log_keys_tree *tree, unsigned number, uint64_t at);

/* Behind the key that was added to the level before. */
static bool add_entry(struct rk_log_keys_tree *tree, unsigned number, const uint8_t *key, size_t key_len,
                      struct rk_disk_keys_entry *entry)
{
    struct level *level = level_at(tree, number);
    uint64_t at;

    entry->n_shared = rk_disk_keys_shared(level->last, level->last_len, key, key_len);
    if (is_full(level, number, key_len - entry->n_shared + RK_DISK_KEYS_ENTRY_MAX - RK_RECORD_KEY_MAX)
        && (!write_block(tree, number, &at) || !add_child(tree, number, at)))
        return false;
    if (level->n_entries == 0) {
        begin_block(level, number, key, key_len);
        entry->n_shared = 0;
    }
    entry->n_rest = key_len - entry->n_shared;
    entry->rest = key + entry->n_shared;
    level->used += rk_disk_keys_entry_encode(room_for_entry(level, RK_DISK_KEYS_ENTRY_MAX), number, entry);
    level->n_entries++;
    memcpy(level->last, key, key_len);
    level->last_len = key_len;
    return true;
}

/* Tells the next level of the block of this level that was just written. */
static bool add_child(struct rk_log_keys_tree *tree, unsigned number, uint64_t at)
{
    const struct level *level = &tree->levels[number];

    return add_entry(tree, number + 1, level->first, level->first_len, &(struct rk_disk_keys_entry){ .child = at });
}

bool rk_log_keys_tree_add(struct rk_log_keys_tree *tree, const struct rk_disk_key *key)
{
    return add_entry(tree, 0, key->key, key->key_len, &(struct rk_disk_keys_entry){ .key = *key });
}

bool rk_log_keys_tree_finish(struct rk_log_keys_tree *tree, uint64_t *root_out)
{
    *root_out = 0;
    for (unsigned number = 0; number < tree->n_levels; number++) {
        bool is_root = !tree->levels[number].has_blocks;

        if (!write_block(tree, number, root_out) || (!is_root && !add_child(tree, number, *root_out)))
            return false;
        if (is_root)
            break;
    }
    return true;
}

void rk_log_keys_tree_destroy(struct rk_log_keys_tree **tree)
{
    if (*tree == NULL)
        return;
    for (unsigned i = 0; i < (*tree)->n_levels; i++) {
        free((*tree)->levels[i].block);
        free((*tree)->levels[i].first);
        free((*tree)->levels[i].last);
    }
    free(*tree);
    *tree = NULL;
}
