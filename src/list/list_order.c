#include "list/list_order.h"

#include "base/base_mem.h"
#include "base/base_time.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX     16u
#define NODE_OVERHEAD  12u /* of the allocator */
#define LEVEL_UP_MASK  3u  /* one node of four has a level more */
#define RANDOM_DEFAULT UINT64_C(0x9e3779b97f4a7c15)

struct rk_list_order {
    struct rk_list_node *first[LEVELS_MAX];
    uint64_t random; /* nobody who chooses keys can choose the levels of their nodes */
    size_t n_bytes;
};

struct rk_list_order *rk_list_order_create(void)
{
    struct rk_list_order *order = rk_mem_calloc(1, sizeof *order);

    order->random = rk_time_monotonic_ns() ^ (uintptr_t)order ^ RANDOM_DEFAULT;
    return order;
}

void rk_list_order_destroy(struct rk_list_order **order)
{
    struct rk_list_node *node;

    if (*order == NULL)
        return;
    node = (*order)->first[0];
    while (node != NULL) {
        struct rk_list_node *next = node->next[0];

        free(node);
        node = next;
    }
    free(*order);
    *order = NULL;
}

static unsigned choose_levels(struct rk_list_order *order)
{
    unsigned n_levels = 1;

    order->random ^= order->random << 13;
    order->random ^= order->random >> 7;
    order->random ^= order->random << 17;
    for (uint64_t bits = order->random; (bits & LEVEL_UP_MASK) == 0 && n_levels < LEVELS_MAX; bits >>= 2)
        n_levels++;
    return n_levels;
}

const uint8_t *rk_list_node_key(const struct rk_list_node *node)
{
    return (const uint8_t *)&node->next[node->n_levels];
}

static bool is_below(const struct rk_list_node *node, const void *key, size_t key_len)
{
    return rk_disk_keys_compare(rk_list_node_key(node), node->key_len, key, key_len) < 0;
}

/* On each level the link to the first node that is not below the key. */
static void find_links(struct rk_list_order *order, const void *key, size_t key_len,
                       struct rk_list_node **links_out[LEVELS_MAX])
{
    struct rk_list_node **level = order->first;

    for (unsigned i = LEVELS_MAX; i-- > 0;) {
        while (level[i] != NULL && is_below(level[i], key, key_len))
            level = level[i]->next;
        links_out[i] = &level[i];
    }
}

static bool is_key(const struct rk_list_node *node, const void *key, size_t key_len)
{
    return node != NULL && node->key_len == key_len && memcmp(rk_list_node_key(node), key, key_len) == 0;
}

static size_t bytes_of(const struct rk_list_node *node)
{
    return sizeof *node + node->n_levels * sizeof node->next[0] + node->key_len + NODE_OVERHEAD;
}

static void fill(struct rk_list_node *node, const struct rk_disk_key *key, bool is_doubtful)
{
    node->location = key->location;
    node->sequence = key->sequence;
    node->value_len = key->value_len;
    node->may_expire = key->expiry_ms != 0;
    node->is_doubtful = is_doubtful;
}

static struct rk_list_node *insert(struct rk_list_order *order, const struct rk_disk_key *key,
                                   struct rk_list_node **links[LEVELS_MAX])
{
    unsigned n_levels = choose_levels(order);
    struct rk_list_node *node = rk_mem_resize(NULL, 1, sizeof *node + n_levels * sizeof node->next[0] + key->key_len);

    node->key_len = key->key_len;
    node->n_levels = (uint8_t)n_levels;
    memcpy(&node->next[n_levels], key->key, key->key_len);
    for (unsigned i = 0; i < n_levels; i++) {
        node->next[i] = *links[i];
        *links[i] = node;
    }
    order->n_bytes += bytes_of(node);
    return node;
}

void rk_list_order_put(struct rk_list_order *order, const struct rk_disk_key *key, bool is_doubtful)
{
    struct rk_list_node **links[LEVELS_MAX];
    struct rk_list_node *node;

    find_links(order, key->key, key->key_len, links);
    node = *links[0];
    if (!is_key(node, key->key, key->key_len))
        node = insert(order, key, links);
    else if (node->sequence > key->sequence)
        return;
    fill(node, key, is_doubtful);
}

void rk_list_order_remove(struct rk_list_order *order, const void *key, size_t key_len, uint64_t sequence)
{
    struct rk_list_node **links[LEVELS_MAX];
    struct rk_list_node *node;

    find_links(order, key, key_len, links);
    node = *links[0];
    if (!is_key(node, key, key_len) || node->sequence > sequence)
        return;
    for (unsigned i = 0; i < node->n_levels; i++)
        *links[i] = node->next[i];
    order->n_bytes -= bytes_of(node);
    free(node);
}

const struct rk_list_node *rk_list_order_seek(const struct rk_list_order *order, const void *key, size_t key_len)
{
    struct rk_list_node *const *level = order->first;

    for (unsigned i = LEVELS_MAX; i-- > 0;)
        while (level[i] != NULL && is_below(level[i], key, key_len))
            level = level[i]->next;
    return level[0];
}

const struct rk_list_node *rk_list_order_last(const struct rk_list_order *order)
{
    struct rk_list_node *const *level = order->first;
    const struct rk_list_node *last = NULL;

    for (unsigned i = LEVELS_MAX; i-- > 0;)
        while (level[i] != NULL) {
            last = level[i];
            level = last->next;
        }
    return last;
}

size_t rk_list_order_bytes(const struct rk_list_order *order)
{
    return order->n_bytes;
}
