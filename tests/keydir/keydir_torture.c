/* keydir_torture [SECONDS [threads|processes [SEED]]]: see torture.h. Without arguments a short run of each form. */
#include "torture.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_time.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHORT_SECONDS 2.0
#define MAX_BYTES     (1ull << 30)

#define CALM_EVERY_NS    (5 * RK_NS_PER_S)
#define CALM_DEADLINE_NS (10 * RK_NS_PER_S)

/* What a worker process gets from its parent: descriptors at these numbers. */
#define SHARED_FD 10
#define KEYDIR_FD 11

size_t torture_shared_bytes(void)
{
    return offsetof(struct torture_shared, grace) + rk_grace_region_bytes(TORTURE_N_WORKERS);
}

struct rk_fingerprint torture_fingerprint(uint32_t id)
{
    static const uint8_t hash_key[RK_KEYDIR_HASH_KEY_BYTES] = "keydir torture";

    return rk_keydir_fingerprint(&id, sizeof id, hash_key);
}

uint64_t torture_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1dull;
}

void torture_fail(struct torture_shared *shared, const char *format, ...)
{
    va_list args;

    if (atomic_exchange(&shared->failed, true))
        return; /* the first finding is the one to read */
    va_start(args, format);
    fprintf(stderr, "keydir torture, seed %llu: ", (unsigned long long)shared->seed);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    atomic_store(&shared->stop, true);
}

/* A run: what the main thread knows. */
struct run {
    struct torture_shared *shared;
    struct torture_writer writer;
    int shared_fd;
    uint64_t random;
    uint64_t until_ns;
    uint64_t calm_at_ns;
    uint32_t n_started; /* workers, in all */
    uint32_t n_killed;
    uint32_t n_stopped;
};

static void *run_writer(void *arg)
{
    torture_writer_run(arg);
    return NULL;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec time = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * RK_NS_PER_MS) };

    (void)nanosleep(&time, NULL); /* shorter is fine */
}

/* While nobody dies or sleeps, grace periods come and go; else the deaths alone would keep them going. */
static void expect_periods(struct run *run)
{
    uint64_t until_ns = rk_time_monotonic_ns() + CALM_DEADLINE_NS;
    uint64_t n_wanted = rk_grace_writer_figures(run->writer.grace).n_periods + 3;

    while (rk_grace_writer_figures(run->writer.grace).n_periods < n_wanted && !atomic_load(&run->shared->stop)) {
        if (rk_time_monotonic_ns() > until_ns)
            torture_fail(run->shared, "no grace period ends while all workers are awake");
        sleep_ms(1);
    }
    run->calm_at_ns = rk_time_monotonic_ns() + CALM_EVERY_NS;
}

/* Whether there is time for another blow; now and then after a calm. */
static bool goes_on(struct run *run)
{
    if (rk_time_monotonic_ns() > run->calm_at_ns || rk_time_monotonic_ns() >= run->until_ns)
        expect_periods(run);
    return !atomic_load(&run->shared->stop) && rk_time_monotonic_ns() < run->until_ns;
}

/* Workers are threads. */
struct thread_worker {
    struct torture_worker worker;
    _Atomic bool quit;
    pthread_t thread;
};

static void *run_thread_worker(void *arg)
{
    torture_worker_run(arg);
    return NULL;
}

static void start_thread_worker(struct run *run, struct thread_worker *worker, unsigned slot)
{
    atomic_store(&worker->quit, false);
    worker->worker = (struct torture_worker){ .shared = run->shared,
                                              .keydir = rk_keydir_writer_reader(run->writer.keydir),
                                              .quit = &worker->quit,
                                              .seed = torture_random(&run->random) | 1,
                                              .slot = slot };
    rk_grace_writer_slot_open(run->writer.grace, slot, ++run->n_started);
    RK_ASSERT(pthread_create(&worker->thread, NULL, run_thread_worker, &worker->worker) == 0);
}

static void end_thread_worker(struct run *run, struct thread_worker *worker, unsigned slot)
{
    atomic_store(&worker->quit, true);
    RK_ASSERT(pthread_join(worker->thread, NULL) == 0);
    rk_grace_writer_slot_clear(run->writer.grace, slot);
    run->n_killed++;
}

static void run_threads(struct run *run)
{
    struct thread_worker workers[TORTURE_N_WORKERS];

    for (unsigned slot = 0; slot < TORTURE_N_WORKERS; slot++)
        start_thread_worker(run, &workers[slot], slot);
    while (goes_on(run)) {
        unsigned slot = (unsigned)(torture_random(&run->random) % TORTURE_N_WORKERS);

        sleep_ms(torture_random(&run->random) % 64);
        end_thread_worker(run, &workers[slot], slot);
        start_thread_worker(run, &workers[slot], slot);
    }
    atomic_store(&run->shared->stop, true);
    for (unsigned slot = 0; slot < TORTURE_N_WORKERS; slot++)
        end_thread_worker(run, &workers[slot], slot);
}

/* Workers are processes: this program again, with nothing but two descriptors. */
static int be_worker(unsigned slot, uint64_t seed)
{
    struct rk_keydir *keydir = NULL;
    struct torture_worker worker = { .slot = slot, .seed = seed };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the parent may be killed, too: leave nobody behind */
    worker.shared = mmap(NULL, torture_shared_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
    RK_ASSERT(worker.shared != MAP_FAILED);
    RK_ASSERT(rk_keydir_attach(&keydir, KEYDIR_FD, NULL) == RK_OK);
    worker.keydir = keydir;
    torture_worker_run(&worker);
    rk_keydir_detach(&keydir);
    return atomic_load(&worker.shared->failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static pid_t start_process_worker(struct run *run, unsigned slot)
{
    char slot_text[16], seed_text[32];
    pid_t pid;

    snprintf(slot_text, sizeof slot_text, "%u", slot);
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)torture_random(&run->random) | 1);
    rk_grace_writer_slot_open(run->writer.grace, slot, ++run->n_started);
    pid = fork();
    RK_ASSERT(pid >= 0);
    if (pid == 0) {
        if (dup2(run->shared_fd, SHARED_FD) == SHARED_FD
            && dup2(rk_keydir_writer_memfd(run->writer.keydir), KEYDIR_FD) == KEYDIR_FD)
            execl("/proc/self/exe", "keydir_torture", "--worker", slot_text, seed_text, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* A worker ends by our kill, or by itself when the run is over. */
static void await_process_worker(struct run *run, pid_t pid, unsigned slot)
{
    int status;

    RK_ASSERT(waitpid(pid, &status, 0) == pid);
    rk_grace_writer_slot_clear(run->writer.grace, slot);
    if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        torture_fail(run->shared, "worker %u ended with status %x", slot, (unsigned)status);
}

static void hurt_process_worker(struct run *run, pid_t *pid, unsigned slot)
{
    uint64_t dice = torture_random(&run->random);

    if (dice % 2 == 0) {
        (void)kill(*pid, SIGSTOP);
        sleep_ms((dice >> 8) % 300);
        (void)kill(*pid, SIGCONT);
        run->n_stopped++;
        return;
    }
    (void)kill(*pid, SIGKILL);
    await_process_worker(run, *pid, slot);
    *pid = start_process_worker(run, slot);
    run->n_killed++;
}

static void run_processes(struct run *run)
{
    pid_t pids[TORTURE_N_WORKERS];

    for (unsigned slot = 0; slot < TORTURE_N_WORKERS; slot++)
        pids[slot] = start_process_worker(run, slot);
    while (goes_on(run)) {
        unsigned slot = (unsigned)(torture_random(&run->random) % TORTURE_N_WORKERS);

        sleep_ms(torture_random(&run->random) % 64);
        hurt_process_worker(run, &pids[slot], slot);
    }
    atomic_store(&run->shared->stop, true);
    for (unsigned slot = 0; slot < TORTURE_N_WORKERS; slot++)
        await_process_worker(run, pids[slot], slot);
}

static void set_up(struct run *run, uint64_t seed)
{
    run->shared_fd = memfd_create("keydir-torture", MFD_CLOEXEC);
    RK_ASSERT(run->shared_fd >= 0 && ftruncate(run->shared_fd, (off_t)torture_shared_bytes()) == 0);
    run->shared = mmap(NULL, torture_shared_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, run->shared_fd, 0);
    RK_ASSERT(run->shared != MAP_FAILED);
    run->shared->seed = seed;
    run->random = seed * 0x9e3779b97f4a7c15ull | 1;
    run->writer.shared = run->shared;
    run->writer.grace = rk_grace_writer_create(&run->shared->grace, TORTURE_N_WORKERS);
    RK_ASSERT(rk_keydir_writer_create(&run->writer.keydir, MAX_BYTES, run->writer.grace, NULL) == RK_OK);
}

static void report(const struct run *run, const char *form)
{
    printf("keydir torture with %s: %s; seed %llu, %llu lookups, %llu held pages, %llu changes, %u ended, %u stopped, "
           "%llu KiB in limbo at most\n",
           form, atomic_load(&run->shared->failed) ? "FAILED" : "ok", (unsigned long long)run->shared->seed,
           (unsigned long long)run->shared->n_lookups, (unsigned long long)run->shared->n_holds,
           (unsigned long long)run->writer.n_changes, run->n_killed, run->n_stopped,
           (unsigned long long)run->writer.longest_limbo_bytes >> 10);
    fflush(stdout);
}

static bool run_form(const char *form, double seconds, uint64_t seed)
{
    struct run run = { .n_started = 0 };
    pthread_t thread;
    bool ok;

    set_up(&run, seed);
    RK_ASSERT(pthread_create(&thread, NULL, run_writer, &run.writer) == 0);
    while (!atomic_load(&run.shared->filled) && !atomic_load(&run.shared->stop))
        sleep_ms(1);
    run.until_ns = rk_time_monotonic_ns() + (uint64_t)(seconds * 1e9);
    if (strcmp(form, "threads") == 0)
        run_threads(&run);
    else
        run_processes(&run);
    RK_ASSERT(pthread_join(thread, NULL) == 0);
    report(&run, form);
    ok = !atomic_load(&run.shared->failed);
    rk_keydir_writer_destroy(&run.writer.keydir);
    rk_grace_writer_destroy(&run.writer.grace);
    (void)munmap(run.shared, torture_shared_bytes());
    (void)close(run.shared_fd);
    return ok;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : SHORT_SECONDS;
    const char *form = argc > 2 ? argv[2] : "";
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : rk_time_wall_ms();
    bool ok = true;

    if (argc == 4 && strcmp(argv[1], "--worker") == 0)
        return be_worker((unsigned)atoi(argv[2]), strtoull(argv[3], NULL, 10));
    if (strcmp(form, "processes") != 0)
        ok = run_form("threads", seconds, seed);
    if (ok && strcmp(form, "threads") != 0)
        ok = run_form("processes", seconds, seed);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
