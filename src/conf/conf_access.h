/* Who may connect to a Unix socket, as http.socket_mode, socket_owner and socket_group say it. Private to src/conf. */
#ifndef RK_CONF_ACCESS_H
#define RK_CONF_ACCESS_H

#include <stdbool.h>

/* Checks of conf_table.c. Owner and group are looked up, so that a name that is not there is found by a test of the
 * configuration, and not by the start. */
bool rk_conf_access_check_mode(const char *text, const char **problem_out);
bool rk_conf_access_check_owner(const char *text, const char **problem_out);
bool rk_conf_access_check_group(const char *text, const char **problem_out);

#endif
