/* Stores checked values into a struct rk_conf, together with where they came from. Private to src/conf. */
#ifndef RK_CONF_SET_H
#define RK_CONF_SET_H

#include "conf/conf_table.h"

/* Where a value was read. Line 0: not in a file. */
struct rk_conf_origin {
    char *source; /* NULL: the default */
    size_t line;
    size_t column;
};

/* Parses text for this row and stores it; a list is never given as one text. RK_ERR_INVALID with what is wrong and what
 * is allowed (no position); conf is unchanged then. */
enum rk_err rk_conf_set_scalar(struct rk_conf *conf, const struct rk_conf_key *key, const char *text,
                               struct rk_detail *detail);

/* The same for a list. On an item's failure its index is in *bad_item_out; n_items means the list as a whole. */
enum rk_err rk_conf_set_list(struct rk_conf *conf, const struct rk_conf_key *key, const char *const *items,
                             size_t n_items, size_t *bad_item_out, struct rk_detail *detail);

/* The same for the form after -o: a list's items are separated by commas. */
enum rk_err rk_conf_set_text(struct rk_conf *conf, const struct rk_conf_key *key, const char *text,
                             struct rk_detail *detail);

/* The number that is stored for a row that is not a string or a list. */
uint64_t rk_conf_get_number(const struct rk_conf *conf, const struct rk_conf_key *key);

/* Notes where the row's value came from. */
void rk_conf_set_origin(struct rk_conf *conf, const struct rk_conf_key *key, const char *source, size_t line,
                        size_t column);

#endif
