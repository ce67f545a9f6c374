/* One line of a batch: what it is to do. Pure. */
#ifndef RK_HTTP_BATCH_LINE_H
#define RK_HTTP_BATCH_LINE_H

#include "http/http_condition.h"
#include "http/http_problem.h"

#include <stdint.h>

enum rk_http_batch_kind { RK_HTTP_BATCH_GET, RK_HTTP_BATCH_PUT, RK_HTTP_BATCH_DELETE, RK_HTTP_BATCH_INCR };

struct rk_http_batch_line {
    enum rk_http_batch_kind kind;
    struct rk_http_span key;
    struct rk_http_span value;
    struct rk_http_line content_type; /* value.at is NULL: none */
    struct rk_http_line if_match;     /* the same */
    struct rk_http_line if_none_match;
    uint64_t ttl_ms; /* 0: none */
    int64_t by;
};

/* Reads {"op":"get|put|delete|incr","key":..,...}. RK_HTTP_NO_PROBLEM, or what is wrong with it. `room` has as many
 * bytes as the text; what the line names points there, or into the text. Any thread. */
enum rk_http_problem rk_http_batch_line_read(struct rk_http_span text, char *room, uint32_t max_key_bytes,
                                             struct rk_http_batch_line *line_out);

/* Whether it says if_match or if_none_match; the conditions point into the line. */
bool rk_http_batch_line_conditions(const struct rk_http_batch_line *line, struct rk_http_conditions *conditions_out);

#endif
