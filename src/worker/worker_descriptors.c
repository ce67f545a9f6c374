#include "worker/worker_descriptors.h"

#include <dirent.h>
#include <sys/resource.h>

/* As a thread of the master (--single) a worker has its descriptors as well, and they are counted, not guessed. Without
 * /proc it is what a process of its own has. */
static size_t count_open(void)
{
    DIR *list = opendir("/proc/self/fd");
    size_t n = 0;

    if (list == NULL)
        return 0;
    while (readdir(list) != NULL)
        n++;
    (void)closedir(list); /* only read */
    return n - 3;         /* ".", ".." and the list's own */
}

struct rk_descriptors rk_worker_descriptors(size_t n_listeners)
{
    size_t n_own = RK_DESCRIPTORS_OF_A_WORKER + n_listeners;
    size_t n_open = count_open();
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = 1024; /* cannot happen */
    return rk_descriptors_share(limit.rlim_cur, n_open > n_own ? n_open : n_own);
}
