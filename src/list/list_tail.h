/* The keys of a data file that has no sorted keys yet: the file that is written to, and one whose hint is not made yet.
 * They are read from its records, in the order of the file, and kept in memory in theirs.
 *
 *   low                                  high
 *    [ a a a b b c d d e e e f g ... w x )          a window of the keys; all of them, unless they do not fit
 *
 * 1. What was published before rk_list_tail_read was called, and lies in the window, is in memory after it.
 * 2. The window is as wide as bytes_max allows. Who asks for a key behind it has another window made, which reads the
 *    file again: with a file whose keys do not fit that is slow, but it ends, and takes no more memory.
 * 3. The file may get holes over dead records while it is read, and where the last reading ended there may be the
 * inside of one. So a reading that ends before what was published begins once more, at the begin of the file.
 * 4. A key is here if some record of the file puts it, and no later one of the file deletes it. Whether it lives, the
 *    keydir says. */
#ifndef RK_LIST_TAIL_H
#define RK_LIST_TAIL_H

#include "list/list_buffer.h"
#include "list/list_order.h"
#include "list/list_where.h"

struct rk_list_tail {
    uint32_t file_number;
    bool is_sealed;    /* it ends with a trailer */
    bool has_bad_keys; /* its sorted keys turned out to be damaged: they are not asked again */
    unsigned n_users;
    size_t bytes_max;
    uint64_t offset;       /* all records before it were read */
    uint64_t max_sequence; /* of these */
    uint64_t read_again;   /* the last published sequence at which nothing more was found in this way */
    struct rk_list_order *order;
    struct rk_list_buffer low;
    struct rk_list_buffer high;
    bool has_high;
};

/* A tail of which nothing was read. */
struct rk_list_tail *rk_list_tail_create(uint32_t file_number, size_t bytes_max);
void rk_list_tail_destroy(struct rk_list_tail **tail);

/* Reads what came to the file since the last time. RK_OK; RK_ERR_NOT_FOUND: the file is gone; RK_ERR_CORRUPT,
 * RK_ERR_IO, RK_ERR_LIMIT; RK_ERR_CLOSED: the lister ends. */
enum rk_err rk_list_tail_read(struct rk_list_tail *tail, const struct rk_list_where *where);

/* The first key that is not below this one; *node_out is NULL when there is none. It stays until the tail is asked or
 * read again. The errors of read. */
enum rk_err rk_list_tail_seek(struct rk_list_tail *tail, const struct rk_list_where *where, const void *key,
                              size_t key_len, const struct rk_list_node **node_out);

#endif
