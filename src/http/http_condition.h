/* The conditions of a request (RFC 9110 section 13): whether they can be understood, and what they say about the
 * present state of a key. Pure.
 *
 *  1. An entity tag of ours is a sequence in quotes, and nothing else names it: no leading zeros, no sign. Others are
 *     good tags that match nothing.
 *  2. If-Match compares strongly: a weak tag matches nothing there. If-None-Match compares weakly.
 *  3. A list that cannot be read is never taken for one that is not there.
 *  4. They are asked in the order of section 13.2.2: If-Match, or else If-Unmodified-Since; then If-None-Match, or
 * else, for a read, If-Modified-Since.
 *  5. An absent key has no tag and no date. A read, and a write that needs the key, then say that, whatever the
 *     conditions are. */
#ifndef RK_HTTP_CONDITION_H
#define RK_HTTP_CONDITION_H

#include "http/http_lines.h"

#include <stdint.h>

/* The lines of each field; NULL: it is not there. They stay the caller's. */
struct rk_http_conditions {
    const struct rk_http_line *if_match;
    const struct rk_http_line *if_none_match;
    const struct rk_http_line *if_modified_since;
    const struct rk_http_line *if_unmodified_since;
};

struct rk_http_key_state {
    bool exists; /* an expired key does not */
    uint64_t sequence;
    uint64_t write_time_ms;
};

enum rk_http_verdict {
    RK_HTTP_PROCEED,
    RK_HTTP_NOT_MODIFIED, /* 304 */
    RK_HTTP_FAILED,       /* 412 */
    RK_HTTP_ABSENT,       /* 404 */
};

/* The name of the field that cannot be understood, or NULL. A read passes over an If-Modified-Since that is no date.
 * Any thread. */
const char *rk_http_condition_malformed(const struct rk_http_conditions *conditions, enum rk_http_need need);

/* For conditions that can be understood. Any thread. */
enum rk_http_verdict rk_http_condition_evaluate(const struct rk_http_conditions *conditions, enum rk_http_need need,
                                                const struct rk_http_key_state *state);

/* Whether If-Range (RFC 9110 section 13.1.5) is one tag or one date; whether it holds. A date never does: two writes of
 * one second have the same. Any thread. */
bool rk_http_condition_is_if_range(const struct rk_http_line *lines);
bool rk_http_condition_if_range_holds(const struct rk_http_line *lines, uint64_t sequence);

#endif
