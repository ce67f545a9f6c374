/* Going to the background: the process that was started waits until the server is ready, so that its exit code tells.
 */
#ifndef RK_BIN_BIN_DAEMON_H
#define RK_BIN_BIN_DAEMON_H

#include "base/base_err.h"

struct rk_detail;

/* Returns in the new background process only, with diagnostics appended to `rackkvd.diag` in the data directory; the
 * calling process exits 0 when rk_bin_daemon_ready() was called, 1 when the new one ended before. Before any thread. */
enum rk_err rk_bin_daemon_start(const char *data_dir, struct rk_detail *detail);

/* The server is ready: lets the waiting process go. The context is not used. */
void rk_bin_daemon_ready(void *context);

#endif
