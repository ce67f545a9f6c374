/* A small HTTP/1.1 client over one raw socket, which sends exactly what it is told. */
#ifndef RK_SYSTEM_CLIENT_H
#define RK_SYSTEM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct system_client {
    int fd; /* -1: not connected */
    int port;
};

struct system_response {
    int status; /* 0: the connection broke before a whole answer came */
    char head[4096];
    char *body; /* with a NUL behind it */
    size_t body_len;
};

/* Connects to 127.0.0.1; whether it could. Reads and writes end after SYSTEM_DEADLINE_MS. */
bool system_client_open(struct system_client *client, int port);
void system_client_close(struct system_client *client);

/* One request, one answer; connects again if need be. Free the answer with system_response_fini. */
void system_client_request(struct system_client *client, const char *method, const char *target, const void *body,
                           size_t body_len, struct system_response *response);

/* The same, with further header lines, each with its CR LF. */
void system_client_request_with(struct system_client *client, const char *method, const char *target,
                                const char *headers, const void *body, size_t body_len,
                                struct system_response *response);

/* As system_client_request, when only the status matters. */
int system_client_status(struct system_client *client, const char *method, const char *target, const void *body,
                         size_t body_len);

/* GETs the target: an answer of another status, or without the text in its body, is a failed assertion. */
void system_client_check(struct system_client *client, const char *target, int status, const char *text);

/* The status, once more on a new connection when the old one broke. */
int system_client_status_retry(struct system_client *client, const char *method, const char *target, const void *body,
                               size_t body_len);

/* The halves of a request that is put together by hand. */
bool system_client_send(struct system_client *client, const char *text);
bool system_client_send_bytes(struct system_client *client, const void *bytes, size_t size);
bool system_client_receive(struct system_client *client, const char *method, struct system_response *response);
int system_client_receive_status(struct system_client *client, const char *method);

/* The value of a header, or NULL: name in its canonical case; valid until the next call. */
const char *system_response_header(const struct system_response *response, const char *name);
void system_response_fini(struct system_response *response);

/* "/v1/kv/" and the key, every byte that is not a letter or digit percent-encoded; to free. */
char *system_key_target(const void *key, size_t key_len);

#endif
