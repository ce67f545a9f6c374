/* A value as it stands on a command line. */
#ifndef RK_CLIENT_VALUE_H
#define RK_CLIENT_VALUE_H

#include "client/client_buffer.h"

/* "-" is standard input, "@FILE" that file, "@@TEXT" the text @TEXT, and anything else itself. The errors of
 * rk_client_buffer_read; RK_ERR_IO for a file that cannot be opened. */
enum rk_err rk_client_value_read(const char *text, struct rk_client_buffer *value, struct rk_detail *detail);

#endif
