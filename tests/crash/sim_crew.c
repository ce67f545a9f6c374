#include "sim_crew.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMBERS_MAX 64

unsigned sim_crew_size(void)
{
    const char *fork_mode = getenv("CK_FORK");
    const char *wanted = getenv("RK_CRASH_PROCESSES");
    long n = wanted != NULL ? atol(wanted) : sysconf(_SC_NPROCESSORS_ONLN);

    if (n < 1 || (fork_mode != NULL && strcmp(fork_mode, "no") == 0))
        return 1;
    return n < MEMBERS_MAX ? (unsigned)n : MEMBERS_MAX;
}

/* Without libcheck's own end: that is the parent's. */
static pid_t start_member(void (*run)(void *context, struct sim_crew_member *member), void *context,
                          struct sim_crew_member *member)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is ended from outside leaves nobody behind */
    if (getppid() != parent)
        _exit(1);
    run(context, member);
    _exit(0);
}

static void end_members(pid_t *pids, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (pids[i] > 0) {
            (void)kill(pids[i], SIGKILL); /* it may be gone */
            (void)waitpid(pids[i], NULL, 0);
        }
}

/* What a member has to say of a failure it has told libcheck, and the first word counts. */
static void wait_for_members(pid_t *pids, const struct sim_crew_member *members, unsigned n)
{
    for (unsigned n_left = n; n_left > 0; n_left--) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, 0);
        unsigned at = 0;

        while (at < n && pids[at] != pid)
            at++;
        if (at == n)
            ck_abort_msg("a process that is nobody's");
        pids[at] = 0;
        if (status == 0)
            continue;
        end_members(pids, n);
        ck_abort_msg("process %u of %u died in round %llu (status 0x%x)", at, n, (unsigned long long)members[at].round,
                     (unsigned)status);
    }
}

void sim_crew_run(void (*run)(void *context, struct sim_crew_member *member), void *context,
                  uint64_t figures_out[SIM_CREW_FIGURES])
{
    unsigned n = sim_crew_size();
    size_t size = n * sizeof(struct sim_crew_member);
    struct sim_crew_member *members = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[MEMBERS_MAX] = { 0 };

    ck_assert(members != MAP_FAILED);
    for (unsigned i = 0; i < n; i++) {
        members[i].index = i;
        members[i].n_members = n;
        if (n > 1)
            pids[i] = start_member(run, context, &members[i]);
    }
    if (n == 1)
        run(context, &members[0]);
    else
        wait_for_members(pids, members, n);
    memset(figures_out, 0, SIM_CREW_FIGURES * sizeof *figures_out);
    for (unsigned i = 0; i < n; i++)
        for (unsigned figure = 0; figure < SIM_CREW_FIGURES; figure++)
            figures_out[figure] += members[i].figures[figure];
    (void)munmap(members, size); /* the range that mmap returned */
}
