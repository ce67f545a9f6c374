#include "base/base_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool rk_stdio_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* The lowest number that is free is this one: those below it are open by now. */
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

/* Quotas and network file systems tell of a failed write when a descriptor is closed: any one of the file will do. */
static bool close_a_copy(void)
{
    int copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    return copy < 0 || close(copy) == 0;
}

bool rk_stdio_finish(void)
{
    static bool told;
    bool failed_before = ferror(stdout) != 0;

    if (fflush(stdout) == 0 && !failed_before && close_a_copy())
        return true;
    if (!told)
        (void)fprintf(stderr, "%s: standard output cannot be written: %s\n", program_invocation_short_name,
                      failed_before ? "what was printed is lost" : strerror(errno));
    told = true;
    return false;
}
