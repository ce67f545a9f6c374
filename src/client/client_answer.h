/* What came back from a server: whether RackKV said it, and what it means. Private to client*.c; needs libcurl.
 *
 * A RackKV server is known by its answers, since anything may listen at an address (another server, a portal that wants
 * a password, a proxy with a page of its own):
 *   1. to a request on a key that was done, or whose key is absent, the header RackKV-Seq, a number;
 *   2. to one that was refused, application/problem+json with a member "code", or to HEAD, which has no body, its type;
 *   3. to one for all keys, the type application/x-ndjson;
 *   4. a value has a length, so that a value that was cut off is never taken for a whole one, and a part of a value
 * says so (206): whoever asks for a part and gets the whole asked somebody who does not know parts. Whatever else comes
 * is RK_ERR_MISMATCH, never a value, never "absent". */
#ifndef RK_CLIENT_ANSWER_H
#define RK_CLIENT_ANSWER_H

#include "client/client.h"

#include <curl/curl.h>

#define RK_CLIENT_PROBLEM_BYTES_MAX                                                  \
    (16u * 1024) /* of an error's body; the rest is not needed to say what was wrong \
                  */

/* One request, and what comes of it. */
struct rk_client_exchange {
    const struct rk_client_request *request;
    CURL *curl;
    bool sink_failed;
    char problem[RK_CLIENT_PROBLEM_BYTES_MAX + 1];
    size_t problem_size;
};

/* Whether it changes something. */
bool rk_client_exchange_writes(const struct rk_client_exchange *exchange);

/* libcurl's write function; the context is the exchange. Only what is a value for sure goes to the sink. */
size_t rk_client_exchange_on_body(char *bytes, size_t size, size_t n, void *context);

/* What the headers say. */
void rk_client_answer_read(const struct rk_client_exchange *exchange, struct rk_client_answer *answer_out);

/* Hands the fields of the head on, if the request wants them. */
void rk_client_answer_tell_fields(const struct rk_client_exchange *exchange);

/* Of an answer that came whole, or with its head at least: RK_OK, RK_ERR_NOT_FOUND, RK_ERR_PRECONDITION, RK_ERR_DENIED,
 * RK_ERR_INVALID; RK_ERR_MISMATCH: it is not RackKV's. All but RK_OK with a detail. */
enum rk_err rk_client_answer_judge(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                                   const char *url, struct rk_detail *detail);

/* "; the write may have happened", where there was one that a broken answer leaves in doubt. */
const char *rk_client_exchange_doubt(const struct rk_client_exchange *exchange);

#endif
