#include "client/client_exit.h"

#include "base/base_stdio.h"

enum rk_client_exit rk_client_finish(enum rk_client_exit code)
{
    return rk_stdio_finish() ? code : RK_CLIENT_EXIT_FAILED;
}
