/* The keys of all data files in one order: a merge of the sorted keys of each, and of the tails of those that have
 * none.
 *
 *   open -> seek -> { first -> advance }* -> close
 *
 * 1. The files are those that the MANIFEST lists at one moment of the call to open. The keydir names no record of
 *    another file at that moment, so every key that lives then is among those of the set, and stays so however the
 * keydir changes and whatever files a merge removes: the set has them open.
 * 2. A key that is in several files comes once from each, one after the other.
 * 3. A file of the set takes a descriptor and some 10 KiB. Whoever has a set does not keep it for long. */
#ifndef RK_LIST_SET_H
#define RK_LIST_SET_H

#include "list/list_tails.h"

struct rk_list_set;

/* A key of one of the files. */
struct rk_list_candidate {
    struct rk_disk_key key;
    bool may_expire;  /* and when is not said */
    bool is_doubtful; /* list_order.h */
};

/* RK_OK, before the first key of all. RK_ERR_LIMIT: too many files are open; RK_ERR_CORRUPT, RK_ERR_IO; RK_ERR_AGAIN:
 * the files change all the time; RK_ERR_CLOSED: the lister ends. The tails outlive the set. */
enum rk_err rk_list_set_open(struct rk_list_set **set_out, const struct rk_list_where *where,
                             struct rk_list_tails *tails);
void rk_list_set_close(struct rk_list_set **set);

/* Goes before the first key that is not below this one. RK_OK; RK_ERR_AGAIN: another set is to be
 * opened, since a file is gone that has to be read again, or one has turned out to be damaged; RK_ERR_CORRUPT,
 * RK_ERR_IO, RK_ERR_LIMIT, RK_ERR_CLOSED. */
enum rk_err rk_list_set_seek(struct rk_list_set *set, const void *key, size_t key_len);

/* The lowest key that is left; its bytes stay until the set is asked for another. NULL: there is none. */
const struct rk_list_candidate *rk_list_set_first(const struct rk_list_set *set);

/* Leaves it behind. The errors of seek. */
enum rk_err rk_list_set_advance(struct rk_list_set *set);

/* When it was opened. */
uint64_t rk_list_set_opened_ns(const struct rk_list_set *set);

#endif
