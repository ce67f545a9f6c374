/* Where the control socket of a server is: said, or in its configuration. */
#ifndef RK_BIN_SOCKET_H
#define RK_BIN_SOCKET_H

#include <stddef.h>

struct rk_detail;

/* What was said on the command line. */
struct rk_bin_socket_words {
    const char *socket;           /* NULL: not said */
    const char *conf_file;        /* NULL: not said */
    const char *const *overrides; /* section.key=value */
    size_t n_overrides;
};

/* The path, allocated: the socket that was said; that of the configuration, if any of it was said; $RACKKV_SOCKET; that
 * of a server without a configuration. NULL with a detail that says what is wrong with the configuration. */
char *rk_bin_socket_find(const struct rk_bin_socket_words *words, struct rk_detail *detail);

#endif
