/* quarantine/: where files go that the store can do without and that may still be wanted. Nothing there is ever opened,
 * overwritten or removed again. */
#ifndef RK_LOG_QUARANTINE_H
#define RK_LOG_QUARANTINE_H

#include "base/base_err.h"

#include <stdbool.h>

#define RK_LOG_QUARANTINE "quarantine"

struct rk_detail;

/* Gives the file, whatever it is, a second name there, durably: its own or, where that is taken, its own with ".1",
 * ".2", ... RK_OK, also when it has one already; RK_ERR_NOT_FOUND, RK_ERR_NO_SPACE, RK_ERR_IO. */
enum rk_err rk_log_quarantine_link(int dir_fd, const char *name, struct rk_detail *detail);

/* The same, and takes the name in the store away. */
enum rk_err rk_log_quarantine_move(int dir_fd, const char *name, struct rk_detail *detail);

/* Whether the file of that name has one there. */
bool rk_log_quarantine_has(int dir_fd, const char *name);

#endif
