/* What the halves of a batch share: http_batch.c runs its lines, http_batch_answer.c writes what became of them. */
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
};

/* Sends an answer a line. All lines are done. */
void rk_http_batch_answer(struct rk_http_batch *batch);

#endif
