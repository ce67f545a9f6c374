#include "log/log_keys_run.h"

#include "base/base_mem.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_BEGIN 4096u /* bytes, and a few references, that a run begins with */
#define PREFIX      8u
#define REF_BYTES   (2 * sizeof(struct rk_log_keys_ref)) /* a reference, and its place while they are sorted */

/* In memory, or in a file that nobody else reads. */
struct item_head {
    uint64_t location;
    uint64_t sequence;
    uint64_t expiry_ms;
    uint32_t value_len;
    uint16_t key_len;
    uint16_t is_tombstone;
};

_Static_assert(sizeof(struct item_head) == RK_LOG_KEYS_ITEM_BYTES, "head of an item");

void rk_log_keys_run_init(struct rk_log_keys_run *run, size_t bytes_max)
{
    *run = (struct rk_log_keys_run){ .bytes_max = bytes_max };
}

void rk_log_keys_run_fini(struct rk_log_keys_run *run)
{
    free(run->items);
    free(run->refs);
    free(run->scratch);
    *run = (struct rk_log_keys_run){ 0 };
}

static void make_room(struct rk_log_keys_run *run, size_t size)
{
    if (run->n_bytes + size > run->capacity) {
        run->capacity = 2 * (run->n_bytes + size) + ITEMS_BEGIN;
        run->items = rk_mem_resize(run->items, run->capacity, 1);
    }
    if (run->n_items == run->refs_capacity) {
        run->refs_capacity = 2 * run->n_items + ITEMS_BEGIN / sizeof *run->refs;
        run->refs = rk_mem_resize(run->refs, run->refs_capacity, sizeof *run->refs);
        run->scratch = rk_mem_resize(run->scratch, run->refs_capacity, sizeof *run->scratch);
    }
}

static void note_shared(struct rk_log_keys_run *run, const struct rk_disk_key *key)
{
    const uint8_t *first = run->items + sizeof(struct item_head);

    if (run->n_items == 0)
        run->n_shared = key->key_len;
    else
        run->n_shared = rk_disk_keys_shared(first, run->n_shared, key->key, key->key_len);
}

bool rk_log_keys_run_add(struct rk_log_keys_run *run, const struct rk_log_keys_item *item)
{
    struct item_head head = { .location = item->key.location,
                              .sequence = item->key.sequence,
                              .expiry_ms = item->key.expiry_ms,
                              .value_len = item->key.value_len,
                              .key_len = item->key.key_len,
                              .is_tombstone = item->is_tombstone };
    size_t size = sizeof head + head.key_len;

    if (run->n_items > 0 && run->n_bytes + size + (run->n_items + 1) * REF_BYTES > run->bytes_max)
        return false;
    make_room(run, size);
    note_shared(run, &item->key);
    memcpy(run->items + run->n_bytes, &head, sizeof head);
    memcpy(run->items + run->n_bytes + sizeof head, item->key.key, head.key_len);
    run->refs[run->n_items++].at = run->n_bytes;
    run->n_bytes += size;
    return true;
}

static uint64_t prefix_of(const uint8_t *item, size_t n_shared)
{
    size_t rest = rk_log_keys_item_bytes(item) - sizeof(struct item_head) - n_shared;
    uint64_t prefix = 0;

    memcpy(&prefix, item + sizeof(struct item_head) + n_shared, rest < PREFIX ? rest : PREFIX);
    return be64toh(prefix);
}

static int compare_items(const void *a, const void *b, void *items)
{
    const struct rk_log_keys_ref *left = a, *right = b;

    return rk_log_keys_item_compare((uint8_t *)items + left->at, (uint8_t *)items + right->at);
}

/* Those with the same prefix differ behind it, or by their sequence. */
static void sort_alike(struct rk_log_keys_run *run)
{
    size_t begin = 0;

    for (size_t i = 1; i <= run->n_items; i++) {
        if (i < run->n_items && run->refs[i].prefix == run->refs[begin].prefix)
            continue;
        if (i - begin > 1)
            qsort_r(run->refs + begin, i - begin, sizeof *run->refs, compare_items, run->items);
        begin = i;
    }
}

void rk_log_keys_run_sort(struct rk_log_keys_run *run)
{
    for (size_t i = 0; i < run->n_items; i++)
        run->refs[i].prefix = prefix_of(run->items + run->refs[i].at, run->n_shared);
    rk_log_keys_refs_sort(run->refs, run->scratch, run->n_items);
    sort_alike(run);
}

void rk_log_keys_run_clear(struct rk_log_keys_run *run)
{
    run->n_bytes = 0;
    run->n_items = 0;
}

const uint8_t *rk_log_keys_run_item(const struct rk_log_keys_run *run, size_t i)
{
    return run->items + run->refs[i].at;
}

static struct item_head head_of(const uint8_t *bytes)
{
    struct item_head head;

    memcpy(&head, bytes, sizeof head);
    return head;
}

size_t rk_log_keys_item_bytes(const uint8_t *bytes)
{
    return sizeof(struct item_head) + head_of(bytes).key_len;
}

void rk_log_keys_item_decode(const uint8_t *bytes, struct rk_log_keys_item *item_out)
{
    struct item_head head = head_of(bytes);

    *item_out = (struct rk_log_keys_item){ .key = { .key = bytes + sizeof head,
                                                    .key_len = head.key_len,
                                                    .value_len = head.value_len,
                                                    .location = head.location,
                                                    .sequence = head.sequence,
                                                    .expiry_ms = head.expiry_ms },
                                           .is_tombstone = head.is_tombstone != 0 };
}

int rk_log_keys_item_compare(const uint8_t *a, const uint8_t *b)
{
    struct item_head left = head_of(a), right = head_of(b);
    int order = rk_disk_keys_compare(a + sizeof left, left.key_len, b + sizeof right, right.key_len);

    return order != 0 ? order : (left.sequence < right.sequence) - (left.sequence > right.sequence);
}
