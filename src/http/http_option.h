/* What a write asks for beside its value: when it expires, how durable it is when it is answered, which operation it
 * is. Pure. */
#ifndef RK_HTTP_OPTION_H
#define RK_HTTP_OPTION_H

#include "http/http_target.h"

#include <stdint.h>

/* The latest time that an expiry may name, and the longest time to live: the end of the year 9999 is the last second
 * that a header can say. */
#define RK_HTTP_EXPIRES_MAX_S UINT64_C(253402300799)
#define RK_HTTP_TTL_MAX_MS    (RK_HTTP_EXPIRES_MAX_S * 1000)

/* When a value expires, as the request says it. */
struct rk_http_expiry {
    uint64_t ttl_ms;     /* from the write on; 0: not given, and then the other counts */
    uint64_t expires_ms; /* since 1970; 0: not given */
};

/* 60 and 60s, 500ms, 10m, 2h, 7d: at least a millisecond, at most RK_HTTP_TTL_MAX_MS. False, and nothing set, for
 * anything else. Any thread. */
bool rk_http_option_ttl(struct rk_http_span text, uint64_t *ttl_ms_out);

/* Seconds since 1970: at least 1, at most RK_HTTP_EXPIRES_MAX_S. Any thread. */
bool rk_http_option_expires(struct rk_http_span text, uint64_t *expires_ms_out);

/* The moment, in ms since 1970, for a write at now_ms: the relative time wins; 0: never. Any thread. */
uint64_t rk_http_option_expiry_ms(const struct rk_http_expiry *expiry, uint64_t now_ms);

/* "written" or "synced". Any thread. */
bool rk_http_option_durability(struct rk_http_span text, bool *is_synced_out);

/* The other way round, for a write that was durable when it was answered, or not. Any thread. */
const char *rk_http_option_durability_name(bool is_synced);

#define RK_HTTP_OPTION_BYTES_MAX 96 /* of a parameter, with its escapes: whatever makes sense is shorter */

/* A parameter, decoded into `room`: the empty text when it cannot be, or is too long. Any thread. */
struct rk_http_span rk_http_option_decode(struct rk_http_span text, bool plus_is_space,
                                          char room[RK_HTTP_OPTION_BYTES_MAX]);

/* Whether the parameter, still escaped, is this name. Any thread. */
bool rk_http_option_is(struct rk_http_span text, const char *name);

#endif
