/* Puts the parser of this server (http_parser.h) into libh2o's place for its own.
 *
 * libh2o calls the three functions of its parser by name through the dynamic linker, and a program that defines them
 * gets the calls: http_interpose.c does. Nothing else of libh2o is changed, and whether it works is checked at every
 * start (http_probe.c): with a libh2o that is built otherwise there is no server.
 *
 * A request that the head refuses never becomes an answer of libh2o's own, and its body is not waited for: libh2o is
 * given a request without a body and with a mark, by which the handler knows it. */
#ifndef RK_HTTP_INTERPOSE_H
#define RK_HTTP_INTERPOSE_H

#include "base/base_err.h"
#include "http/http_route.h"

struct rk_detail;

/* The bounds of what this thread parses from now on; they stay the caller's. */
void rk_http_interpose_use(const struct rk_http_bounds *bounds);

/* Who decides more about a good head with a body whose client waits to be told to go on, on this thread: a problem is
 * said in *refusal, whose closes and problem need not be set. NULL: nobody. */
typedef enum rk_http_problem rk_http_judge_fn(void *context, const struct rk_http_head *head,
                                              const struct rk_http_found *found, struct rk_http_refusal *refusal);
void rk_http_interpose_judge(rk_http_judge_fn *judge, void *context);

/* What was found for the good head that was parsed last on this thread, if this is its target, where it was parsed.
 * NULL otherwise: then the request has a body, for which libh2o has copied the target and gone on with other heads. (A
 * copy is made while the target is still there, and the last head's target is there when it is parsed: two that live at
 * once are never at the same place.) */
const struct rk_http_found *rk_http_interpose_found(const char *target);

/* Why the request is refused that was parsed last on this thread, if this field is the mark; or NULL. */
const struct rk_http_refusal *rk_http_interpose_refusal(const char *field_name);

/* Whether the chunks that were refused last on this thread are so for their size, and not for their framing. */
bool rk_http_interpose_chunk_is_too_large(void);

/* How often libh2o has called the parser of heads, and that of chunks, on this thread. */
struct rk_http_interpose_calls {
    uint64_t n_heads;
    uint64_t n_chunks;
};

struct rk_http_interpose_calls rk_http_interpose_calls(void);

/* Whether the dynamic linker finds the functions of this program under the names that libh2o calls. */
enum rk_err rk_http_interpose_check_names(struct rk_detail *detail);

#endif
