#include "base/base_thread.h"

#include "base/base_detail.h"

#include <signal.h>
#include <string.h>

enum rk_err rk_thread_start(pthread_t *thread_out, const char *name, void *(*run)(void *), void *argument,
                            struct rk_detail *detail)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    sigset_t blocked, before;
    int errnum;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&blocked, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &blocked, &before); /* cannot fail for a valid set */
    errnum = pthread_create(thread_out, NULL, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum != 0) {
        rk_detail_set(detail, "starting the thread %s: %s", name, strerror(errnum));
        return RK_ERR_LIMIT;
    }
    (void)pthread_setname_np(*thread_out, name); /* only a name */
    return RK_OK;
}
