/* The commands on one key, as the program and its shell run them: they ask the server, print what came, and return the
 * exit code. */
#ifndef RK_CLIENT_COMMAND_H
#define RK_CLIENT_COMMAND_H

#include "client/client.h"
#include "client/client_exit.h"

#include <stdio.h>

struct rk_client_session {
    struct rk_client *client;
    bool json;     /* one JSON object a command on standard output, errors as well */
    bool terminal; /* standard output is one: bytes that are no text are escaped */
    bool shell;    /* say OK, and end each value with a line end */
    size_t line;   /* of the shell's input, for errors; 0: somebody types it */
};

enum rk_client_exit rk_client_command_put(const struct rk_client_session *session, struct rk_client_bytes key,
                                          struct rk_client_bytes value);
enum rk_client_exit rk_client_command_get(const struct rk_client_session *session, struct rk_client_bytes key);
enum rk_client_exit rk_client_command_delete(const struct rk_client_session *session, struct rk_client_bytes key);
enum rk_client_exit rk_client_command_exists(const struct rk_client_session *session, struct rk_client_bytes key);
enum rk_client_exit rk_client_command_open(const struct rk_client_session *session);

/* Prints why something failed, and returns the exit code for it. */
enum rk_client_exit rk_client_report(const struct rk_client_session *session, enum rk_err err,
                                     const struct rk_detail *detail);

#endif
