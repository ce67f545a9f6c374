/* What a request on one key asks for beyond reading or writing it plainly: which fields and parameters each operation
 * takes, in one table, and what they say. Pure.
 *
 * What an operation does not take is refused by its name, and so is what cannot be understood: a client that believes
 * in something that is passed over would be wrong about what happened. */
#ifndef RK_HTTP_ASK_H
#define RK_HTTP_ASK_H

#include "http/http_condition.h"
#include "http/http_field.h"
#include "http/http_metadata.h"
#include "http/http_option.h"
#include "http/http_problem.h"

enum rk_http_kind {
    RK_HTTP_KIND_NONE, /* no operation on a key */
    RK_HTTP_KIND_READ,
    RK_HTTP_KIND_PUT,
    RK_HTTP_KIND_DELETE,
    RK_HTTP_KIND_INCR,
    RK_HTTP_KIND_APPEND,
    RK_HTTP_KIND_TOUCH,
    RK_HTTP_KIND_LEGACY_READ, /* of the original's endpoints */
    RK_HTTP_KIND_LEGACY_PUT,
    RK_HTTP_KIND_LEGACY_DELETE,
    RK_HTTP_N_KINDS
};

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

/* What the operation needs of its key. Any thread. */
enum rk_http_need rk_http_ask_need(enum rk_http_kind kind);

/* Bits of enum rk_http_parameter: what the operation takes. Any thread. */
unsigned rk_http_ask_parameters(enum rk_http_kind kind);

/* Reads it all; what is collected stays the caller's. RK_HTTP_NO_PROBLEM, or the first thing that is wrong, but
 * for what is stored beside the value. Any thread. */
enum rk_http_problem rk_http_ask_read(const struct rk_http_fields *fields, const struct rk_http_target *target,
                                      enum rk_http_kind kind, struct rk_http_ask *ask_out,
                                      struct rk_http_wrong *wrong_out);

/* Writes what is stored beside the value; `out` has RK_HTTP_METADATA_MAX. Any thread. */
enum rk_http_problem rk_http_ask_metadata(const struct rk_http_ask *ask, uint8_t *out, size_t *len_out,
                                          struct rk_http_wrong *wrong_out);

/* Which operation op= names (RK_HTTP_KIND_PUT without it): false for a name that is none. Any thread. */
bool rk_http_ask_kind_of_op(const struct rk_http_target *target, enum rk_http_kind *kind_out);

#endif
