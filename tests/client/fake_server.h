/* A server of canned answers in a thread of the test: it records each request's bytes as they came. */
#ifndef RK_TEST_FAKE_SERVER_H
#define RK_TEST_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct fake_server;

/* On 127.0.0.1 at a port of the kernel's choice, or on a Unix socket. Aborts when it can't. */
struct fake_server *fake_server_start(const char *socket_path);
void fake_server_stop(struct fake_server **server);

/* "http://127.0.0.1:port", or "unix:/path". */
const char *fake_server_url(const struct fake_server *server);

/* Queues the answer to the next request; the bytes are copied. An empty one closes the connection without a word. Once
 * there are none left, each request is answered 500. */
void fake_server_answer(struct fake_server *server, const void *bytes, size_t size);

/* The same for an answer behind which the connection is reset, not closed. */
void fake_server_answer_and_reset(struct fake_server *server, const void *bytes, size_t size);

/* "HTTP/1.1 <status>", Content-Length, the headers (each with its line end), and the body. */
void fake_server_answer_text(struct fake_server *server, const char *status, const char *headers, const char *body);

/* The n-th request (from 0), head and body, with a zero byte behind; aborts if it never came. */
const char *fake_server_request(struct fake_server *server, size_t n, size_t *size_out);
size_t fake_server_n_requests(struct fake_server *server);
size_t fake_server_n_connections(struct fake_server *server);

#endif
