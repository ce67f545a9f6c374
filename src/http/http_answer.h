/* Answers: statuses, headers and bodies. Each function that sends one ends the handling of its request. For src/http
 * alone. */
#ifndef RK_HTTP_ANSWER_H
#define RK_HTTP_ANSWER_H

#include "http/http_request.h"

#define RK_HTTP_RETRY_AFTER "1" /* seconds, of every 503 */

/* Adds a header; name and value live as long as the request. */
void rk_http_answer_header(h2o_req_t *req, const h2o_iovec_t *name, const char *printed, const char *value, size_t len);

static inline void rk_http_answer_token(h2o_req_t *req, const h2o_token_t *token, const char *printed,
                                        const char *value, size_t len)
{
    rk_http_answer_header(req, &token->buf, printed, value, len);
}

/* Adds `name: number` or, quoted, an ETag. */
void rk_http_answer_sequence(h2o_req_t *req, uint64_t sequence);
void rk_http_answer_etag(h2o_req_t *req, uint64_t sequence);

/* 200, 201, 206 with a body in memory that lives as long as the request (HEAD: only its length); 204, 304 without one.
 */
void rk_http_answer_body(struct rk_http_request *request, int status, const char *body, size_t len);
void rk_http_answer_empty(struct rk_http_request *request, int status);

/* The words beside 200, 201, 204, 206, 304. */
const char *rk_http_answer_reason(int status);

/* A problem, with its body; headers that are there stay. */
void rk_http_answer_problem(struct rk_http_request *request, enum rk_http_problem problem, uint64_t limit,
                            const char *members);

/* A problem of an operation on the store: it did not happen (certain), or it may have. */
void rk_http_answer_outcome(struct rk_http_request *request, enum rk_http_problem problem, bool none);

/* A read that failed, or that came too late, of which nothing was sent: headers that are there are taken back. */
void rk_http_answer_failed_read(struct rk_http_request *request, enum rk_err err);
void rk_http_answer_late_read(struct rk_http_request *request);

/* The answer that follows is the last of its connection: what comes behind the request cannot be trusted. */
void rk_http_answer_last(struct rk_http_request *request);

/* Sets status and reason. */
void rk_http_answer_status(struct rk_http_request *request, int status, const char *reason);

#endif
