/* What a request on one key asks for beyond reading or writing it plainly: what its fields and the options of its query
 * say. Pure.
 *
 * What the row of its route does not take is refused by its name, and so is what cannot be understood: a client that
 * believes in something that is passed over would be wrong about what happened. */
#ifndef RK_HTTP_ASK_H
#define RK_HTTP_ASK_H

#include "http/http_condition.h"
#include "http/http_field.h"
#include "http/http_metadata.h"
#include "http/http_option.h"
#include "http/http_problem.h"

/* What is wrong, for the answer. */
struct rk_http_wrong {
    const char *member; /* "header" or "parameter": what `name` is; NULL: nothing is named */
    struct rk_http_span name;
    uint64_t limit; /* 0: none */
};

struct rk_http_ask {
    struct rk_http_conditions conditions;
    bool is_conditional;
    struct rk_http_expiry expiry;
    bool has_durability;
    bool is_synced; /* what it asks for */
    int64_t by;
    const struct rk_http_line *range; /* NULL: the whole value */
    const struct rk_http_line *if_range;
    struct rk_http_metadata_lines metadata;
};

/* Reads it all; what is collected stays the caller's. RK_HTTP_NO_PROBLEM, or the first thing that is wrong, but
 * for what is stored beside the value. Any thread. */
enum rk_http_problem rk_http_ask_read(const struct rk_http_fields *fields, const struct rk_http_target *target,
                                      const struct rk_http_route *route, struct rk_http_ask *ask_out,
                                      struct rk_http_wrong *wrong_out);

/* Writes what is stored beside the value; `out` has RK_HTTP_METADATA_MAX. Any thread. */
enum rk_http_problem rk_http_ask_metadata(const struct rk_http_ask *ask, uint8_t *out, size_t *len_out,
                                          struct rk_http_wrong *wrong_out);

#endif
