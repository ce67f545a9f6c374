/* A client of one server: one connection that is kept alive, one request at a time. One thread; the calls block. */
#ifndef RK_CLIENT_H
#define RK_CLIENT_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_client;

#define RK_CLIENT_URL_DEFAULT "http://127.0.0.1:8080"

struct rk_client_bytes {
    const void *bytes;
    size_t size;
};

/* What the server said besides the value. */
struct rk_client_answer {
    int status;        /* of HTTP; 0: there was no answer */
    uint64_t sequence; /* RackKV-Seq; 0: not said */
    char etag[64];     /* "": not said */
    char content_type[256];
};

/* Takes pieces of a value in their order; false ends the transfer. */
typedef bool rk_client_sink_fn(void *context, const void *bytes, size_t size);

/* Takes a field of an answer's head, in their order. */
typedef void rk_client_field_fn(void *context, const char *name, const char *value);

struct rk_client_fields;

/* A request on a key, or with an empty one on all of them. */
struct rk_client_request {
    const char *method; /* "GET", "HEAD", "PUT", "DELETE", "POST" */
    struct rk_client_bytes key;
    const char *query;                     /* percent-encoded, as "op=incr&by=5"; NULL: none */
    const struct rk_client_fields *fields; /* NULL: none */
    struct rk_client_bytes body;           /* of PUT and POST */
    rk_client_sink_fn *sink;               /* of GET and POST; NULL: what comes is not wanted */
    rk_client_field_fn *on_field;          /* once it is known that it was done; NULL: not wanted */
    void *context;                         /* of both */
};

/* "http://host:port" or "unix:/path". RK_ERR_INVALID with what is wrong with the URL. Nothing is connected yet. */
enum rk_err rk_client_create(struct rk_client **client_out, const char *url, struct rk_detail *detail);
void rk_client_destroy(struct rk_client **client);

/* The URL that it was created with. */
const char *rk_client_url(const struct rk_client *client);

/* How long each request may take, from its beginning to the end of its answer. 0, as in the beginning: five seconds to
 * connect, and then as long as a minute does not pass without a byte. */
void rk_client_set_timeout(struct rk_client *client, uint64_t timeout_ms);

/* Asks, and waits for the end of the answer. RK_OK, or with a detail:
 *   RK_ERR_NOT_FOUND    the key is absent
 *   RK_ERR_CLOSED       nobody answered: no server, or the connection ended before the end of its answer
 *   RK_ERR_TIMEOUT      rk_client_set_timeout
 *   RK_ERR_MISMATCH     what answered is no RackKV server (client_answer.h)
 *   RK_ERR_IO           the sink did not take the value
 *   RK_ERR_PRECONDITION a condition of the request does not hold; answer_out->etag is the current one, "" without any
 *   RK_ERR_DENIED       the server does not allow it
 *   RK_ERR_INVALID      the server refused the request; the detail has its status and its words
 * answer_out is always filled in. */
enum rk_err rk_client_ask(struct rk_client *client, const struct rk_client_request *request,
                          struct rk_client_answer *answer_out, struct rk_detail *detail);

/* Changes nothing, and shows that a RackKV server answers. The errors above but for RK_ERR_NOT_FOUND. */
enum rk_err rk_client_open(struct rk_client *client, struct rk_client_answer *answer_out, struct rk_detail *detail);

#endif
