/* How a command says what came of it, and ends: the words, JSON and exit codes that all commands share. */
#ifndef RK_CLIENT_REPORT_H
#define RK_CLIENT_REPORT_H

#include "client/client.h"
#include "client/client_exit.h"

#include <jansson.h>
#include <stdio.h>

struct rk_client_session {
    struct rk_client *client;
    bool json;     /* one JSON object a command on standard output, errors as well */
    bool terminal; /* standard output is one: bytes that are no text are escaped */
    bool shell;    /* say OK, and end each value with a line end */
    size_t line;   /* of the shell's input, for errors; 0: somebody types it */
};

/* Prints why something failed, and returns the exit code for it. The answer may be NULL; its ETag is for programs. */
enum rk_client_exit rk_client_report(const struct rk_client_session *session, enum rk_err err,
                                     const struct rk_client_answer *answer, const struct rk_detail *detail);

/* The same of a mistake in what was asked for, which no server has seen. */
enum rk_client_exit rk_client_refuse(const struct rk_client_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line on standard output; the object is taken over. */
void rk_client_report_json(json_t *object);

/* {"key":..., "seq":..., "etag":...}: what every answer in JSON begins with. A new reference. */
json_t *rk_client_report_begin(struct rk_client_bytes key, const struct rk_client_answer *answer);

/* "OK", where somebody waits for a word. */
void rk_client_report_ok(const struct rk_client_session *session);

/* A rk_client_field_fn: prints the field as it came, or as it can be shown on a terminal. The context is the session.
 */
void rk_client_report_field(void *session, const char *name, const char *value);

#endif
