#include "base/base_thread.h"

#include "base/base_detail.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define NAME_BYTES 16 /* the kernel's */

/* A thread begins with the mask and the name of the one that starts it. pthread_setname_np() would name it through
 * /proc/self/task/, and what the kernel then remembers of that path has to be forgotten when the process dies: its
 * parent's waitpid() waits, turning, for the thread that is at it, and on a machine whose processors are all busy that
 * thread may not run for half a second. */
enum rk_err rk_thread_start(pthread_t *thread_out, const char *name, void *(*run)(void *), void *argument,
                            struct rk_detail *detail)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    char own_name[NAME_BYTES];
    sigset_t blocked, before;
    int errnum;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&blocked, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &blocked, &before); /* cannot fail for a valid set */
    (void)prctl(PR_GET_NAME, own_name);                    /* nor these, for a name */
    (void)prctl(PR_SET_NAME, name);
    errnum = pthread_create(thread_out, NULL, run, argument);
    (void)prctl(PR_SET_NAME, own_name);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum != 0) {
        rk_detail_set(detail, "starting the thread %s: %s", name, strerror(errnum));
        return RK_ERR_LIMIT;
    }
    return RK_OK;
}
