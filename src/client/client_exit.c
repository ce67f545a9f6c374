#include "client/client_exit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum rk_client_exit rk_client_finish(enum rk_client_exit code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "%s: standard output: %s\n", program_invocation_short_name, strerror(errno));
    return RK_CLIENT_EXIT_FAILED;
}
