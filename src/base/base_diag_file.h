/* Diagnostics in a file: standard error becomes the file, so that everything that this process prints there is in it.
 */
#ifndef RK_BASE_DIAG_FILE_H
#define RK_BASE_DIAG_FILE_H

#include "base/base_err.h"

#include <stdbool.h>

struct rk_detail;

/* Appends to the file, which is made with mode 0600, from now on. Errors and warnings go to what was standard error as
 * well, until rk_diag_file_leave. RK_ERR_INVALID when it is no regular file or device; RK_ERR_IO and so on. The path is
 * copied. Main thread. */
enum rk_err rk_diag_file_open(const char *path, struct rk_detail *detail);

/* Whether there is a file, and its path. Any thread, once other threads run. */
bool rk_diag_file_is_open(void);
const char *rk_diag_file_path(void);

/* Lets go of what was standard error: who waits for its end goes on. Main thread. */
void rk_diag_file_leave(void);

/* Opens the path again, as after the file was moved away; on failure the one that is open stays in use. Main thread. */
enum rk_err rk_diag_file_reopen(struct rk_detail *detail);

#endif
