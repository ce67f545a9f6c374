/* A wall clock that a test sets, for a server that is started with this library in LD_PRELOAD: what the kernel says, and
 * the nanoseconds that are at the beginning of the file RK_CLOCK_FILE names (int64_t, of the machine's order), which
 * whoever has that file mapped may change at any moment. The clock of time spans stays as it is. Asks the kernel
 * directly: it must work before anything else in the process does. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static const _Atomic int64_t *ahead_ns;

__attribute__((constructor)) static void map_clock(void)
{
    const char *path = getenv("RK_CLOCK_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *map;

    if (fd < 0)
        return;
    map = mmap(NULL, sizeof *ahead_ns, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        ahead_ns = map;
    (void)close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, clock, now);
    int64_t ns;

    if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) || ahead_ns == NULL)
        return (int)result;
    ns = now->tv_sec * NS_PER_S + now->tv_nsec + atomic_load_explicit(ahead_ns, memory_order_relaxed);
    now->tv_sec = ns / NS_PER_S;
    now->tv_nsec = ns % NS_PER_S;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now_out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (now_out != NULL)
        *now_out = now.tv_sec;
    return now.tv_sec;
}
