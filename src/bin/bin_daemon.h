/* Going to the background: the process that was started waits until the server is ready, so that its exit code tells.
 */
#ifndef RK_BIN_DAEMON_H
#define RK_BIN_DAEMON_H

#include "base/base_err.h"

struct rk_detail;

/* Returns in the new background process only, in a session of its own, with standard input and output from and to
 * nowhere; standard error is still the caller's, for what goes wrong before rk_bin_daemon_ready(). The calling process
 * exits 0 when that was called; else, when the new one has ended, with its code, after naming the log. Before any
 * thread. */
enum rk_err rk_bin_daemon_start(const char *log_path, struct rk_detail *detail);

/* The server is ready: lets the waiting process go. The context is not used. */
void rk_bin_daemon_ready(void *context);

#endif
