/* The next keys of a set, with what each file says of them, and where the keydir says that they are: a few at a time,
 * so that one look at the keydir is for many. One thread, a registered reader (grace.h) outside of a section. */
#ifndef RK_LIST_BATCH_H
#define RK_LIST_BATCH_H

#include "keydir/keydir.h"
#include "list/list_set.h"
#include "list/list_types.h"

/* A key, once. */
struct rk_list_group {
    size_t key_at;
    size_t key_len;
    size_t first; /* of what the files say */
    size_t n;
};

/* Zeroed: empty. */
struct rk_list_batch {
    struct rk_list_group groups[RK_KEYDIR_MANY];
    uint64_t words[RK_KEYDIR_MANY]; /* locations; 0: the key is not there */
    size_t n;
    size_t next; /* that nobody has taken yet */
    struct rk_list_buffer keys;
    struct rk_list_candidate *entries; /* without their keys */
    size_t n_entries;
    size_t capacity;
    bool is_last; /* behind it there are no more that begin with the prefix */
};

void rk_list_batch_fini(struct rk_list_batch *batch);

/* In place of what it has: the next keys of the set that begin with the prefix. The errors of rk_list_set_advance. */
enum rk_err rk_list_batch_fill(struct rk_list_batch *batch, struct rk_list_set *set, struct rk_list_span prefix);

/* Asks the keydir where those that are left are now. */
void rk_list_batch_look_up(struct rk_list_batch *batch, const struct rk_list_where *where);

struct rk_list_span rk_list_batch_key(const struct rk_list_batch *batch, size_t i);

/* What the file that has the record of this key says of it; NULL: none of those that were asked has it, or it does not
 * say all. */
const struct rk_list_candidate *rk_list_batch_entry(const struct rk_list_batch *batch, size_t i);

/* Whether a file is in doubt of this key (list_order.h). */
bool rk_list_batch_is_doubtful(const struct rk_list_batch *batch, size_t i);

#endif
