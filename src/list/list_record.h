/* Records that a listing has to look at: where a write or a merge has moved the key since its file was asked for its
 * keys, and where the values are wanted. One a cursor; one thread, a registered reader (grace.h) outside of a section.
 */
#ifndef RK_LIST_RECORD_H
#define RK_LIST_RECORD_H

#include "list/list_types.h"
#include "list/list_where.h"

#define RK_LIST_RECORD_FILES 8u

struct rk_list_record {
    const struct rk_list_where *where;
    struct {
        uint32_t number; /* 0: none */
        int fd;
    } files[RK_LIST_RECORD_FILES]; /* open, each in the place of its number */
    struct rk_list_buffer bytes;   /* of the record that was read last */
    struct rk_record_header header;
    uint64_t location;
    int large_fd; /* of a value that comes in pieces; -1: there is none */
    size_t n_blocks_read;
    struct rk_list_buffer block;
};

void rk_list_record_init(struct rk_list_record *record, const struct rk_list_where *where);
void rk_list_record_fini(struct rk_list_record *record);

/* Closes the files, but for that of a value that comes in pieces. */
void rk_list_record_close_files(struct rk_list_record *record);

/* Reads the record that the keydir names for the key, and fills in all of the item but the key; with its value, or, if
 * that is large, so that rk_list_record_piece follows. RK_OK; RK_ERR_NOT_FOUND: there is no such key, or it has
 * expired; RK_ERR_CORRUPT, RK_ERR_IO, RK_ERR_LIMIT; RK_ERR_AGAIN: others write it all the time. */
enum rk_err rk_list_record_find(struct rk_list_record *record, struct rk_list_span key, struct rk_list_item *item);

/* The next bytes of a large value: RK_OK; RK_ERR_NOT_FOUND: that was all; RK_ERR_CORRUPT, RK_ERR_IO. */
enum rk_err rk_list_record_piece(struct rk_list_record *record, struct rk_list_span *bytes_out);

#endif
