/* What http needs of the store, handed in as a table, so that tests fake it. The worker fills it in with store_client's
 * functions; nothing here knows libh2o, rings or files.
 *
 * All calls are made on the event-loop thread of a worker, and `done` callbacks come on it too, never from inside the
 * call that started the operation. */
#ifndef RK_HTTP_BACKEND_H
#define RK_HTTP_BACKEND_H

#include "list/list_types.h"
#include "store/store_types.h"

struct rk_stats_block;

struct rk_http_backend {
    void *self;

    /* RK_OK with *value_out; RK_ERR_NOT_FOUND with value_out->sequence set; RK_ERR_CORRUPT, RK_ERR_IO; RK_ERR_BUSY: the
     * store is not open yet; RK_ERR_FULL: too many reads wait; RK_ERR_LIMIT, RK_ERR_NO_MEMORY: none can be made now.
     * RK_ERR_AGAIN: the disk must be asked: *ticket_out is set, and `done` comes later, unless the ticket is cancelled.
     * The key is copied. */
    enum rk_err (*get)(void *self, const void *key, size_t key_len, const struct rk_store_arena *arena,
                       struct rk_store_value *value_out, rk_store_get_done_fn *done, void *context,
                       rk_store_ticket *ticket_out);

    /* Reads and checks the bytes [offset, offset + size) of a large value; offset is a multiple of
     * RK_STORE_PIECE_BYTES, size is that, or less for the last piece. Results as get: RK_OK, RK_ERR_CORRUPT, RK_ERR_IO
     * at once, or RK_ERR_AGAIN and `done` later. `bytes` stays until then, or until cancel returned. */
    enum rk_err (*read_piece)(void *self, struct rk_store_source *source, size_t offset, uint8_t *bytes, size_t size,
                              rk_store_piece_done_fn *done, void *context, rk_store_ticket *ticket_out);
    void (*release)(void *self, struct rk_store_source *source);

    /* RK_OK: submitted, *ticket_out is set and `done` comes later. RK_ERR_AGAIN: the ring is full (503, none);
     * RK_ERR_BUSY: the store is not open yet (the same); RK_ERR_TOO_LARGE. Everything is copied. */
    enum rk_err (*write)(void *self, const struct rk_store_write *write, rk_store_write_done_fn *done, void *context,
                         rk_store_ticket *ticket_out);

    /* Reads a key, has it decided what it is to become, and writes that, as one step among all that anybody does to it.
     * RK_OK: begun, *ticket_out is set and `done` comes later. RK_ERR_AGAIN, RK_ERR_BUSY, RK_ERR_TOO_LARGE as write.
     * The key is copied; `arena` is used until `done` or cancel. */
    enum rk_err (*update)(void *self, const struct rk_store_update *update, const struct rk_store_arena *arena,
                          rk_store_write_done_fn *done, void *context, rk_store_ticket *ticket_out);

    /* Begins a listing: RK_OK, and the fill is the listing's from then on, but nothing has happened yet. RK_ERR_BUSY:
     * the store is not open yet; RK_ERR_FULL, RK_ERR_LIMIT: not another one now. */
    enum rk_err (*list)(void *self, const struct rk_list_ask *ask, const struct rk_list_fill *fill,
                        struct rk_listing **listing_out);

    /* Asks for the next slice, after the one before was there: `done` comes later, unless the listing is ended first.
     */
    void (*list_more)(void *self, struct rk_listing *listing, rk_list_done_fn *done, void *context);
    void (*list_end)(void *self, struct rk_listing *listing);

    /* `done` of this ticket is not called any more; what it started may still happen. */
    void (*cancel)(void *self, rk_store_ticket ticket);

    /* The last sequence that was published: what a read finds from now on is at least as new. */
    uint64_t (*last_sequence)(void *self);

    /* Whether a put would be tried now: RK_OK; RK_ERR_NO_SPACE while the disk is full, RK_ERR_READ_ONLY. */
    enum rk_err (*accepts)(void *self);

    /* /readyz: whether to answer 200. If not, *why_out says why (JSON members, such as "\"state\":\"draining\""). If
     * so, it is NULL, or one line of text for the body: what does not work although reads do. */
    bool (*ready)(void *self, const char **why_out);

    /* All numbers of the server that the store belongs to, for whoever asks for them. */
    const struct rk_stats_block *stats;

    /* What other servers buffer under the same limit, in bytes. NULL: there are no others. */
    uint64_t (*uploads_elsewhere)(void *self);
};

#endif
