/* The one way to open a file by a name that somebody else may have put there. An open of a FIFO waits for its other
 * end, one of a device for whatever it likes, and a socket or a folder fails in words that nobody understands: here all
 * of them are refused at once, each by what it is. A symbolic link to a file is as good as the file, unless the file
 * would have to be made; one that leads nowhere is an error, and not a file that is missing. */
#ifndef RK_BASE_OPEN_H
#define RK_BASE_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

/* The descriptor of a regular file, through rk_io; or -1 with errno, which rk_open_text puts into words. Never waits.
 * Any thread. */
int rk_open_file(int dir_fd, const char *name, int flags, mode_t mode);

/* Whether that says that it is something else than a file: rk_err_from_errno makes RK_ERR_MISMATCH of it. */
bool rk_open_is_no_file(int errnum);

/* What strerror says, and what it does not know: "is a FIFO, not a file". */
const char *rk_open_text(int errnum);

#endif
