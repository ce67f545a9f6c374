/* Random keys, and what must come of them when they are sorted: each key once, by its newest record, in order. */
#ifndef RK_TEST_KEYS_MODEL_H
#define RK_TEST_KEYS_MODEL_H

#include "log/log_keys_run.h"

#define KEYS_MODEL_SHAPES 4 /* few and short, numbered, deep common beginnings, some as long as keys may be */

struct keys_model {
    struct rk_log_keys_item *items; /* as they were made: sequences 1..n, in another order */
    size_t n_items;
    struct rk_disk_key *keys; /* what must come */
    size_t n_keys;
};

void keys_model_create(struct keys_model *model, unsigned shape, size_t n_items, uint64_t seed);
void keys_model_destroy(struct keys_model *model);

/* The number of the first key that is not below this one; n_keys: there is none. */
size_t keys_model_find(const struct keys_model *model, const uint8_t *key, size_t key_len);

/* Whether they say the same. */
bool keys_model_same(const struct rk_disk_key *a, const struct rk_disk_key *b);

uint64_t keys_model_random(uint64_t *state);

#endif
