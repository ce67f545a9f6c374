/* The commands on one key, as the program and its shell run them: they ask the server, print what came, and return the
 * exit code. */
#ifndef RK_CLIENT_COMMAND_H
#define RK_CLIENT_COMMAND_H

#include "client/client_options.h"
#include "client/client_report.h"

/* What stood behind the command's name. */
struct rk_client_words {
    struct rk_client_bytes key;   /* its first operand: a key for most */
    struct rk_client_bytes value; /* its second: a value for some; bytes NULL: it was not given */
    const struct rk_client_options *options;
};

typedef enum rk_client_exit rk_client_command_fn(const struct rk_client_session *session,
                                                 const struct rk_client_words *words);

/* client_command_read.c */
rk_client_command_fn rk_client_command_get, rk_client_command_exists;

/* client_command_write.c */
rk_client_command_fn rk_client_command_put, rk_client_command_delete, rk_client_command_incr;
rk_client_command_fn rk_client_command_append, rk_client_command_touch;

/* client_import.c, client_export.c, client_list.c: many keys, one a line in JSON (NDJSON). */
rk_client_command_fn rk_client_command_import, rk_client_command_export, rk_client_command_list;

/* Of the shell: says whether the server is there, and where. */
enum rk_client_exit rk_client_command_open(const struct rk_client_session *session);

#endif
