/* The counters of one worker's HTTP face. They live in shared memory, zeroed before the worker starts, and survive it.
 *
 * One thread writes (a relaxed load and store, no locked instruction: rk_stats_add); anyone reads. Each worker has its
 * own block on cache lines of its own, so that counting costs a request no shared line. */
#ifndef RK_STATS_HTTP_H
#define RK_STATS_HTTP_H

#include <stdatomic.h>
#include <stdint.h>

enum rk_stats_http_op {
    RK_STATS_HTTP_GET,
    RK_STATS_HTTP_HEAD,
    RK_STATS_HTTP_PUT,
    RK_STATS_HTTP_DELETE,
    RK_STATS_HTTP_SERVICE, /* /livez, /readyz, /open, OPTIONS */
    RK_STATS_HTTP_REFUSED, /* before an operation was known */
    RK_STATS_HTTP_N_OPS
};

/* The statuses that are answered; the last entry counts all others. */
#define RK_STATS_HTTP_STATUSES(X) \
    X(200)                        \
    X(201)                        \
    X(204)                        \
    X(206)                        \
    X(304)                        \
    X(400)                        \
    X(404)                        \
    X(405)                        \
    X(409)                        \
    X(412)                        \
    X(413)                        \
    X(414)                        \
    X(416)                        \
    X(417)                        \
    X(431)                        \
    X(500)                        \
    X(501)                        \
    X(503)                        \
    X(505)                        \
    X(507)

enum rk_stats_http_status {
#define RK_STATS_HTTP_ENUM(status) RK_STATS_HTTP_##status,
    RK_STATS_HTTP_STATUSES(RK_STATS_HTTP_ENUM)
#undef RK_STATS_HTTP_ENUM
        RK_STATS_HTTP_OTHER,
    RK_STATS_HTTP_N_STATUSES
};

struct rk_stats_http {
    _Atomic uint64_t requests[RK_STATS_HTTP_N_OPS][RK_STATS_HTTP_N_STATUSES]; /* answered */
    _Atomic uint64_t connections_accepted;
    _Atomic uint64_t connections_open;      /* now */
    _Atomic uint64_t connections_left;      /* the client was gone before the answer */
    _Atomic uint64_t upload_bytes;          /* buffered now, of requests that are not answered */
    _Atomic uint64_t connections_timed_out; /* closed for being idle or slow */
    _Atomic uint64_t accept_pauses;         /* accepting stopped: as many as may be, or no descriptor, no memory */
};

static inline void rk_stats_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline enum rk_stats_http_status rk_stats_http_status_index(int status)
{
    switch (status) {
#define RK_STATS_HTTP_CASE(number) \
    case number:                   \
        return RK_STATS_HTTP_##number;
        RK_STATS_HTTP_STATUSES(RK_STATS_HTTP_CASE)
#undef RK_STATS_HTTP_CASE
    default:
        return RK_STATS_HTTP_OTHER;
    }
}

#endif
