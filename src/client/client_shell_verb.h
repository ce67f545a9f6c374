/* The commands on a key, as lines of the shell: PUT --ttl 10m k v. */
#ifndef RK_CLIENT_SHELL_VERB_H
#define RK_CLIENT_SHELL_VERB_H

#include "client/client_line.h"
#include "client/client_verbs.h"

#define RK_CLIENT_SHELL_NAME_BYTES 16 /* more than any name has */

/* A command's name in capitals, as the shell writes it. */
const char *rk_client_shell_name(const char *name, char name_out[RK_CLIENT_SHELL_NAME_BYTES]);

/* NULL: it is none of a command on a key. In any case of letters. */
const struct rk_client_verb *rk_client_shell_verb_lookup(struct rk_client_bytes name);

void rk_client_shell_verb_print_help(const struct rk_client_verb *verb);

/* Runs a line whose first word is the command's name. */
enum rk_client_exit rk_client_shell_verb_run(const struct rk_client_session *session, const struct rk_client_verb *verb,
                                             const struct rk_client_line *line);

#endif
