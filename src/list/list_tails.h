/* The tails of a lister: its listings share them. One thread, the lister's. */
#ifndef RK_LIST_TAILS_H
#define RK_LIST_TAILS_H

#include "list/list_tail.h"

/* What all tails may take in memory. */
#define RK_LIST_TAILS_BYTES_MAX (56u << 20)

struct rk_list_tails {
    struct rk_list_tail **tails;
    size_t n;
    size_t bytes_max;
};

void rk_list_tails_init(struct rk_list_tails *tails, size_t bytes_max);
void rk_list_tails_fini(struct rk_list_tails *tails);

/* The tail of this file, made if need be; it stays until it was given back as often. */
struct rk_list_tail *rk_list_tails_take(struct rk_list_tails *tails, uint32_t file_number, bool is_sealed);
void rk_list_tails_give_back(struct rk_list_tails *tails, struct rk_list_tail *tail);

/* The sorted keys of the file are damaged: from now on it is read. */
void rk_list_tails_distrust(struct rk_list_tails *tails, uint32_t file_number);
bool rk_list_tails_distrusts(const struct rk_list_tails *tails, uint32_t file_number);

/* Forgets the tails that nobody uses; of these files, those whose sorted keys are damaged stay. */
void rk_list_tails_forget(struct rk_list_tails *tails, const uint32_t *files, size_t n_files);

#endif
