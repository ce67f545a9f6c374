#include "list/list_batch.h"

#include "base/base_planted.h"
#include "grace/grace.h"

void rk_list_batch_fini(struct rk_list_batch *batch)
{
    rk_list_buffer_fini(&batch->keys);
    free(batch->entries);
    *batch = (struct rk_list_batch){ .n = 0 };
}

struct rk_list_span rk_list_batch_key(const struct rk_list_batch *batch, size_t i)
{
    return (struct rk_list_span){ batch->keys.bytes + batch->groups[i].key_at, batch->groups[i].key_len };
}

static bool is_last_key(const struct rk_list_batch *batch, const struct rk_disk_key *key)
{
    struct rk_list_span last;

    if (batch->n == 0)
        return false;
    last = rk_list_batch_key(batch, batch->n - 1);
    return last.len == key->key_len && memcmp(last.at, key->key, key->key_len) == 0;
}

static void add_group(struct rk_list_batch *batch, const struct rk_disk_key *key)
{
    batch->groups[batch->n++] =
        (struct rk_list_group){ .key_at = batch->keys.len, .key_len = key->key_len, .first = batch->n_entries };
    rk_list_buffer_append(&batch->keys, key->key, key->key_len);
}

static void add_entry(struct rk_list_batch *batch, const struct rk_list_candidate *candidate)
{
    if (batch->n_entries == batch->capacity) {
        batch->capacity = 2 * batch->capacity + RK_KEYDIR_MANY;
        batch->entries = rk_mem_resize(batch->entries, batch->capacity, sizeof *batch->entries);
    }
    batch->entries[batch->n_entries++] = *candidate;
    batch->groups[batch->n - 1].n++;
}

static bool begins_with(const struct rk_disk_key *key, struct rk_list_span prefix)
{
    return key->key_len >= prefix.len && memcmp(key->key, prefix.at, prefix.len) == 0;
}

enum rk_err rk_list_batch_fill(struct rk_list_batch *batch, struct rk_list_set *set, struct rk_list_span prefix)
{
    const struct rk_list_candidate *candidate;
    enum rk_err err = RK_OK;

    batch->n = batch->next = batch->n_entries = batch->keys.len = 0;
    while (err == RK_OK && (candidate = rk_list_set_first(set)) != NULL) {
        bool is_new = !is_last_key(batch, &candidate->key);

        if (!begins_with(&candidate->key, prefix) || (is_new && batch->n == RK_KEYDIR_MANY))
            break;
        if (is_new)
            add_group(batch, &candidate->key);
        add_entry(batch, candidate);
        err = rk_list_set_advance(set);
    }
    candidate = rk_list_set_first(set);
    batch->is_last = candidate == NULL || !begins_with(&candidate->key, prefix);
    return err;
}

void rk_list_batch_look_up(struct rk_list_batch *batch, const struct rk_list_where *where)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];

    for (size_t i = batch->next; i < batch->n; i++) {
        struct rk_list_span key = rk_list_batch_key(batch, i);

        fingerprints[i] = rk_keydir_fingerprint(key.at, key.len, where->hash_key);
    }
    if (batch->next == batch->n)
        return;
    rk_grace_read_lock();
    rk_keydir_lookup_many_rcu(where->keydir, fingerprints + batch->next, batch->n - batch->next,
                              batch->words + batch->next);
    rk_grace_read_unlock();
    for (size_t i = batch->next; RK_PLANTED(listing_trusts_hint) && i < batch->n; i++)
        batch->words[i] = batch->entries[batch->groups[i].first].key.location;
}

const struct rk_list_candidate *rk_list_batch_entry(const struct rk_list_batch *batch, size_t i)
{
    const struct rk_list_group *group = &batch->groups[i];

    for (size_t at = group->first; at < group->first + group->n; at++)
        if (batch->entries[at].key.location == batch->words[i] && !batch->entries[at].is_doubtful
            && !batch->entries[at].may_expire)
            return &batch->entries[at];
    return NULL;
}

bool rk_list_batch_is_doubtful(const struct rk_list_batch *batch, size_t i)
{
    const struct rk_list_group *group = &batch->groups[i];

    for (size_t at = group->first; at < group->first + group->n; at++)
        if (batch->entries[at].is_doubtful)
            return true;
    return false;
}
