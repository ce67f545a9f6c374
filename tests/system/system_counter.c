#include "system_counter.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD marks it so */

/* Shared by the test, who asks, and the tracer, who counts. */
struct counter {
    unsigned nth;
    atomic_uint n_calls;
    atomic_bool has_killed;
    atomic_long call;
};

static struct counter *counter;

void system_counter_arm(unsigned nth)
{
    if (counter == NULL) {
        counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(counter, MAP_FAILED);
    }
    counter->nth = nth;
    counter->n_calls = 0;
    counter->has_killed = false;
}

bool system_counter_has_killed(long *call_out)
{
    *call_out = counter->call;
    return counter->has_killed;
}

/* A thread stands before a call or behind it. */
static void count_call(pid_t program, pid_t thread)
{
    struct __ptrace_syscall_info info; /* the name that the C library has for it */

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    if (++counter->n_calls != counter->nth)
        return;
    counter->call = (long)info.entry.nr;
    counter->has_killed = true;
    kill(program, SIGKILL);
}

/* Until the program has ended. */
static void follow(pid_t program)
{
    int status;
    pid_t thread;

    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        int deliver = 0;

        if (!WIFSTOPPED(status))
            continue;
        if (WSTOPSIG(status) == SYSCALL_STOP)
            count_call(program, thread);
        else if (status >> 16 == 0) /* no event of ptrace's own: a signal on its way to the thread */
            deliver = WSTOPSIG(status);
        (void)ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(intptr_t)deliver); /* fails when it is dead meanwhile */
    }
}

static void trace(pid_t program, int ready_fd)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    char is_traced = ptrace(PTRACE_SEIZE, program, NULL, (void *)options) == 0;

    (void)!write(ready_fd, &is_traced, 1); /* else the program ends at once */
    (void)close_range(0, ~0u, 0);          /* the output of the program ends when the program does */
    if (is_traced)
        follow(program);
    _exit(0);
}

void system_counter_attach(void)
{
    pid_t program = getpid(), between;
    char is_traced = 0;
    int fds[2];

    (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where there is no Yama, nobody has to be permitted */
    if (pipe2(fds, O_CLOEXEC) != 0 || (between = fork()) < 0)
        _exit(SYSTEM_COUNTER_REFUSED);
    if (between == 0) {
        if (fork() == 0)
            trace(program, fds[1]);
        _exit(0); /* the tracer is no child of the program's */
    }
    close(fds[1]); /* a tracer that dies is the end of the pipe */
    (void)waitpid(between, NULL, 0);
    if (read(fds[0], &is_traced, 1) != 1 || !is_traced)
        _exit(SYSTEM_COUNTER_REFUSED);
    close(fds[0]);
}
