/* What the files of a batch share, from the floor up: http_batch_lines.c reads them and puts them in order,
 * http_batch_item.c ends one, http_batch_get.c and http_batch_write.c do what one says, http_batch_answer.c writes what
 * became of them, and http_batch.c runs them all. */
#ifndef RK_HTTP_BATCH_PRIVATE_H
#define RK_HTTP_BATCH_PRIVATE_H

#include "http/http_batch_line.h"
#include "http/http_metadata.h"
#include "http/http_number.h"
#include "http/http_request.h"

enum batch_state { BATCH_WAITING, BATCH_UNDER_WAY, BATCH_DONE };

struct batch_item {
    struct rk_http_batch *batch;
    struct batch_item *next_same;  /* the next line with this key */
    struct batch_item *next_ready; /* of those that can begin */
    enum batch_state state;
    struct rk_http_batch_line line;
    rk_store_ticket ticket; /* under way */

    /* What became of it: */
    enum rk_http_problem problem;
    bool unknown; /* it failed, and may have happened */
    int status;
    uint64_t sequence;
    uint64_t etag; /* 0: none */
    struct rk_http_span content_type;
    struct rk_http_span value;
    char number[RK_HTTP_NUMBER_BYTES];

    /* A large value that is being read: */
    struct rk_store_source *source;
    size_t offset;
};

struct rk_http_batch {
    struct rk_http_request *request;
    struct batch_item *items;
    size_t n_items;
    size_t n_done;
    size_t n_under_way;
    struct batch_item *ready;
    struct batch_item **last_ready;
    uint64_t answer_bytes; /* of values */
    bool is_answered;
    void (*pump)(struct rk_http_batch *batch); /* one has ended by itself: begins what can begin */
};

/* Sends an answer a line. All lines are done. */
void rk_http_batch_answer(struct rk_http_batch *batch);

/* ---- http_batch_lines.c ---- */

size_t rk_http_batch_count_lines(h2o_iovec_t body);
void rk_http_batch_read_lines(struct rk_http_batch *batch, h2o_iovec_t body);

/* Each line behind the one before it with its key; who has none before it is ready. */
void rk_http_batch_order_lines(struct rk_http_batch *batch);
void rk_http_batch_make_ready(struct rk_http_batch *batch, struct batch_item *item);

/* ---- http_batch_item.c ---- */

const struct rk_http_backend *rk_http_batch_backend(const struct batch_item *item);
struct rk_store_arena rk_http_batch_arena(const struct batch_item *item);

/* The line is done; the next one with its key is ready. */
void rk_http_batch_item_end(struct batch_item *item);
void rk_http_batch_item_fail(struct batch_item *item, enum rk_http_problem problem);
void rk_http_batch_item_release(struct batch_item *item);

/* ---- http_batch_get.c, http_batch_write.c: RK_OK, done or under way; or the store's error: it did not begin ---- */

enum rk_err rk_http_batch_get_start(struct batch_item *item);
enum rk_err rk_http_batch_write_start(struct batch_item *item);

#endif
