/* The names in a directory, one after the other. */
#ifndef RK_LOG_NAMES_H
#define RK_LOG_NAMES_H

#include "base/base_err.h"

struct rk_detail;

/* What is done for a name; an error ends the round. */
typedef enum rk_err rk_log_names_visit_fn(void *context, const char *name, struct rk_detail *detail);

enum rk_err rk_log_names_visit(int dir_fd, rk_log_names_visit_fn *visit, void *context, struct rk_detail *detail);

#endif
