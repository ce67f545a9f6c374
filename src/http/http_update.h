/* What a write makes of a key, from what the key is: conditions, increments, what is appended, a new expiry. For
 * src/http alone.
 *
 * The store calls back with the present state, and again when another was faster; the last time counts. Whatever the
 * decision was made of, and why it was to stop, stands here until the answer. */
#ifndef RK_HTTP_UPDATE_H
#define RK_HTTP_UPDATE_H

#include "http/http_number.h"
#include "http/http_request.h"

/* One for each kind of write. */
extern const struct rk_http_operation rk_http_put, rk_http_delete, rk_http_incr, rk_http_append, rk_http_touch;

struct rk_http_update {
    struct rk_store_write put;    /* of a put: what the request says */
    enum rk_http_problem problem; /* why it was to stop; none: it was not */
    uint64_t sequence;            /* of the value that was there; 0: none, or one that is not written yet */
    char number[RK_HTTP_NUMBER_BYTES];
    size_t number_len;
    uint8_t *grown; /* by append */
    size_t grown_room;
};

/* Whether request->operation depends on what the key is. */
bool rk_http_update_is_needed(const struct rk_http_request *request);

/* Begins it: results as backend.update. `put`, without its expiry, is for a put; it is copied, and what it points to
 * lives as long as the request. */
enum rk_err rk_http_update_start(struct rk_http_request *request, const struct rk_store_write *put,
                                 rk_store_write_done_fn *done);

/* For a write that is submitted now. */
uint64_t rk_http_update_expiry_ms(const struct rk_http_request *request);
enum rk_store_durability rk_http_update_durability(const struct rk_http_request *request);

#endif
