/* The shell: the commands on a key, and OPEN, HELP, EXIT, QUIT, from a person at a terminal or from a pipe. */
#ifndef RK_CLIENT_SHELL_H
#define RK_CLIENT_SHELL_H

#include "client/client_report.h"

/* Runs until EXIT or the end of standard input. At a terminal: a prompt, and 0 in the end. From a pipe: no prompt; 1 if
 * any command failed, and an end with 4 at the first one that finds no server. */
enum rk_client_exit rk_client_shell_run(struct rk_client *client, bool json);

#endif
