/* Durations on a command line, written as in the configuration: 500ms, 5s, 2m, 1h. Pure. */
#ifndef RK_CLIENT_DURATION_H
#define RK_CLIENT_DURATION_H

#include "base/base_err.h"

#include <stdint.h>

struct rk_detail;

/* Milliseconds, 1 at least and a day at most. RK_ERR_INVALID with the name of the option, what was written, and what is
 * allowed. */
enum rk_err rk_client_duration_parse(const char *option, const char *text, uint64_t *ms_out, struct rk_detail *detail);

#endif
