/* A server over the fake backend and one connection to it, for tests of what requests are answered with. */
#ifndef RK_TEST_HTTP_BED_H
#define RK_TEST_HTTP_BED_H

#include "fake_backend.h"
#include "raw_client.h"

#define HOST     "Host: h\r\n"
#define PUT_A    "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
#define GET_A    "GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n"
#define DELETE_A "DELETE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n"

struct http_bed {
    struct fake_server server;
    struct raw_client client;
};

extern struct http_bed bed;

void bed_start(void);
void bed_start_with(const struct rk_http_settings *settings);
void bed_stop(void);

/* Sends one request on the connection and checks the status. Free the answer. */
struct raw_answer bed_ask(const char *text, int status);

/* The same, with a header line that the answer has to have (NULL: none). */
void bed_expect(const char *text, int status, const char *line);

/* The same, with a problem of this code. */
void bed_expect_code(const char *text, int status, const char *code);

/* The same, a 200 with this body. */
void bed_expect_body(const char *text, const char *body);

#endif
