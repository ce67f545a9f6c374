/* What rackkv says of itself, from the tables of its commands and options. */
#ifndef RK_BIN_HELP_H
#define RK_BIN_HELP_H

#include "client/client_exit.h"
#include "client/client_verbs.h"

/* All commands; one of them. */
void rk_bin_help_print(void);
void rk_bin_help_print_verb(const struct rk_client_verb *verb);

/* A script for bash that completes commands and options. */
void rk_bin_help_print_completion(void);

/* Say on standard error what is wrong, and return RK_CLIENT_EXIT_USAGE. */
enum rk_client_exit rk_bin_help_refuse(const char *what, const char *value);
enum rk_client_exit rk_bin_help_refuse_unknown(const char *name);
enum rk_client_exit rk_bin_help_refuse_operands(const struct rk_client_verb *verb);

#endif
