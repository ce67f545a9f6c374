/* One listing on its way through the keys: entry after entry, in byte order, each once.
 *
 *   bound                     the lowest key that may still be shown: one above the last that was
 *   set  -> batch -> entry    the keys of the files, a few of them with their places, one that lives
 *
 * 1. A key is shown if the keydir has it when it is looked at, and it has not expired. What the files say of it counts
 *    only where the keydir names the very record that they mean; else that record is read.
 * 2. A key that lives all the time is shown once: it is among the keys of any set that is opened then (list_set.h), and
 *    another set goes on at the bound.
 * 3. Nothing is held between two calls that anybody waits for: no read section, no lock. What is held at all is the
 *    set's files, until rk_list_cursor_rest.
 *
 * One thread, a registered reader (grace.h) outside of a section. */
#ifndef RK_LIST_CURSOR_H
#define RK_LIST_CURSOR_H

#include "list/list_tails.h"
#include "list/list_types.h"

struct rk_list_cursor;

/* What is asked for is copied. The tails outlive the cursor. Once *is_cancelled is set, next returns RK_ERR_CLOSED. */
struct rk_list_cursor *rk_list_cursor_create(const struct rk_list_ask *ask, const struct rk_list_where *where,
                                             struct rk_list_tails *tails, const _Atomic bool *is_cancelled);
void rk_list_cursor_destroy(struct rk_list_cursor **cursor);

/* A slice begins, which is over at this time: the reader's next says so then, but not before there was something. */
void rk_list_cursor_begin_slice(struct rk_list_cursor *cursor, uint64_t until_ns);

/* Closes what is open. The next slice opens it again. */
void rk_list_cursor_rest(struct rk_list_cursor *cursor);

/* Whether something is open. */
bool rk_list_cursor_is_open(const struct rk_list_cursor *cursor);

/* The three calls of the reader in list_types.h. */
enum rk_err rk_list_cursor_next(void *cursor, struct rk_list_item *item_out);
enum rk_err rk_list_cursor_piece(void *cursor, struct rk_list_span *bytes_out);
struct rk_list_span rk_list_cursor_position(void *cursor);

#endif
