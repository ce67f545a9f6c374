#include "keys_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCATION_MASK ((UINT64_C(1) << 40) - 1)

uint64_t keys_model_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void fill(uint8_t *key, size_t n, unsigned n_letters, uint64_t *state)
{
    for (size_t i = 0; i < n; i++)
        key[i] = (uint8_t)(keys_model_random(state) % n_letters * (n_letters > 200 ? 1 : 85));
}

static uint16_t make_key(uint8_t *key, unsigned shape, size_t n_items, uint64_t *state)
{
    uint64_t r = keys_model_random(state);
    size_t n;

    switch (shape) {
    case 0:
        n = 1 + r % 6;
        fill(key, n, 4, state);
        return (uint16_t)n;
    case 1:
        return (uint16_t)sprintf((char *)key, "user:%08u", (unsigned)(r % (2 * n_items)));
    case 2:
        n = 1 + r % 300;
        memset(key, 'a', n);
        key[n - 1] = (uint8_t)(r >> 20);
        return (uint16_t)n;
    default:
        n = r % 8 != 0 ? 1 + (r >> 8) % 40 : RK_RECORD_KEY_MAX - (r >> 8) % 3;
        memset(key, 0xff, n);
        fill(key + (n > 100 ? n - 8 : 0), n > 100 ? 8 : n, 256, state);
        return (uint16_t)n;
    }
}

static void make_item(struct rk_log_keys_item *item, unsigned shape, size_t n_items, uint64_t *state)
{
    static const uint64_t sizes[] = { 0, 1, 127, 128, 1000000, RK_RECORD_VALUE_MAX };
    static uint8_t key[RK_RECORD_KEY_MAX];
    uint64_t r = keys_model_random(state);
    uint16_t key_len = make_key(key, shape, n_items, state);
    uint8_t *own = malloc(key_len);

    memcpy(own, key, key_len);
    *item = (struct rk_log_keys_item){ .key = { .key = own,
                                                .key_len = key_len,
                                                .value_len = (uint32_t)sizes[r % 6],
                                                .location = keys_model_random(state) & LOCATION_MASK,
                                                .expiry_ms = r % 5 == 0 ? keys_model_random(state) : 0 },
                                       .is_tombstone = r / 16 % 4 == 0 };
}

static int compare(const struct rk_disk_key *a, const struct rk_disk_key *b)
{
    int order = memcmp(a->key, b->key, a->key_len < b->key_len ? a->key_len : b->key_len);

    return order != 0 ? order : (int)a->key_len - (int)b->key_len;
}

static int compare_items(const void *a, const void *b)
{
    const struct rk_log_keys_item *left = a, *right = b;
    int order = compare(&left->key, &right->key);

    return order != 0 ? order : (left->key.sequence < right->key.sequence ? 1 : -1);
}

static void make_keys(struct keys_model *model)
{
    struct rk_log_keys_item *sorted = malloc(model->n_items * sizeof *sorted);

    memcpy(sorted, model->items, model->n_items * sizeof *sorted);
    qsort(sorted, model->n_items, sizeof *sorted, compare_items);
    model->keys = calloc(model->n_items, sizeof *model->keys);
    for (size_t i = 0; i < model->n_items; i++)
        if ((i == 0 || compare(&sorted[i - 1].key, &sorted[i].key) != 0) && !sorted[i].is_tombstone)
            model->keys[model->n_keys++] = sorted[i].key;
    free(sorted);
}

void keys_model_create(struct keys_model *model, unsigned shape, size_t n_items, uint64_t seed)
{
    uint64_t state = seed * 7919 + shape + 1;

    *model = (struct keys_model){ .items = calloc(n_items, sizeof *model->items), .n_items = n_items };
    for (size_t i = 0; i < n_items; i++) {
        size_t other = keys_model_random(&state) % (i + 1);

        make_item(&model->items[i], shape, n_items, &state);
        model->items[i].key.sequence = model->items[other].key.sequence;
        model->items[other].key.sequence = i + 1;
    }
    make_keys(model);
}

void keys_model_destroy(struct keys_model *model)
{
    for (size_t i = 0; i < model->n_items; i++)
        free((void *)(uintptr_t)model->items[i].key.key);
    free(model->items);
    free(model->keys);
    *model = (struct keys_model){ 0 };
}

size_t keys_model_find(const struct keys_model *model, const uint8_t *key, size_t key_len)
{
    struct rk_disk_key wanted = { .key = key, .key_len = (uint16_t)key_len };
    size_t i = 0;

    while (i < model->n_keys && compare(&model->keys[i], &wanted) < 0)
        i++;
    return i;
}

bool keys_model_same(const struct rk_disk_key *a, const struct rk_disk_key *b)
{
    return compare(a, b) == 0 && a->value_len == b->value_len && a->sequence == b->sequence
           && a->expiry_ms == b->expiry_ms && ((a->location ^ b->location) & LOCATION_MASK) == 0;
}
