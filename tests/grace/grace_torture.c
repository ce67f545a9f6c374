/* Torture of grace periods: a writer that replaces and poisons, workers that read, and a keeper that kills, stops and
 * replaces workers at random.
 *
 *   grace_torture [processes|threads]      both, one after the other, when neither is named
 *
 * RK_TORTURE_SECONDS (default 3) is the time of each form, RK_TORTURE_SEED repeats a run's random numbers. The workers
 * are processes of this very program, killed with SIGKILL and stopped with SIGSTOP; or, for the sanitizers, threads
 * that end or stay in their sections instead. It fails when a reader meets a reclaimed object, when a worker ends by
 * itself, or when grace periods do not go on. Slot 0 is never killed: a period that only ends because everybody was
 * replaced is seen. */
#include "torture_arena.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_time.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_READERS 2

/* For the writer time runs faster, so that periods follow one another more closely than in a server. */
#define TIME_FACTOR 16

/* No period takes this long unless something is lost, however busy the machine. */
#define STALL_NS (5 * RK_NS_PER_S)

struct reader {
    const struct worker *worker;
    uint64_t random;
    pthread_t thread;
};

/* A worker: what runs in a process of its own, or in threads of this one. */
struct worker {
    struct torture_memory memory;
    unsigned slot;
    uint64_t seed;
    struct rk_grace_agent *agent;
    struct reader readers[N_READERS];
};

struct torture {
    struct torture_memory memory;
    struct rk_grace_writer *grace;
    struct torture_writer *writer;
    pthread_t writer_thread;
    _Atomic bool ending;
    _Atomic bool failed;
    bool as_threads;
    uint64_t random;
    uint32_t last_incarnation;
    unsigned n_kills, n_stops;
    bool lives[TORTURE_N_SLOTS];
    pid_t pids[TORTURE_N_SLOTS];            /* as processes */
    struct worker workers[TORTURE_N_SLOTS]; /* as threads */
};

static void *run_reader(void *context)
{
    struct reader *self = context;
    const struct worker *worker = self->worker;
    const struct torture_slot *own = &worker->memory.arena->slots[worker->slot];
    bool whole = true;

    rk_grace_register_thread();
    while (whole && !atomic_load_explicit(&own->leave, memory_order_relaxed))
        whole = torture_read_section(worker->memory.arena, worker->slot, &self->random);
    rk_grace_unregister_thread();
    return NULL;
}

static void start_worker(struct worker *worker)
{
    struct rk_detail detail = { "" };

    if (rk_grace_agent_start(&worker->agent, worker->memory.region, worker->slot, &detail) != RK_OK) {
        (void)fprintf(stderr, "slot %u: %s\n", worker->slot, detail.text);
        abort();
    }
    for (unsigned n = 0; n < N_READERS; n++) {
        worker->readers[n] = (struct reader){ .worker = worker, .random = worker->seed + n };
        RK_ASSERT(pthread_create(&worker->readers[n].thread, NULL, run_reader, &worker->readers[n]) == 0);
    }
}

/* Returns after the readers were told to leave, or met something wrong. */
static void finish_worker(struct worker *worker)
{
    for (unsigned n = 0; n < N_READERS; n++)
        RK_ASSERT(pthread_join(worker->readers[n].thread, NULL) == 0);
    rk_grace_agent_stop(&worker->agent);
}

/* The program as a worker: "worker", descriptor, slot, seed, the parent. Ends when it is told to, in peace. */
static int run_worker(char *const argv[])
{
    struct worker worker = { .memory = torture_memory_attach((int)strtol(argv[2], NULL, 10)),
                             .slot = (unsigned)strtoul(argv[3], NULL, 10),
                             .seed = strtoull(argv[4], NULL, 10) };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* cannot fail for a valid signal */
    if (getppid() != (pid_t)strtol(argv[5], NULL, 10))
        return EXIT_FAILURE; /* it died before */
    start_worker(&worker);
    finish_worker(&worker);
    torture_memory_detach(&worker.memory);
    return EXIT_SUCCESS;
}

static pid_t spawn_worker(const struct torture *torture, unsigned slot, uint64_t seed)
{
    char fd_text[12], slot_text[12], seed_text[24], parent_text[12];
    char *argv[] = { "grace_torture", "worker", fd_text, slot_text, seed_text, parent_text, NULL };
    pid_t pid;

    (void)snprintf(fd_text, sizeof fd_text, "%d", torture->memory.memfd);
    (void)snprintf(slot_text, sizeof slot_text, "%u", slot);
    (void)snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    (void)snprintf(parent_text, sizeof parent_text, "%d", (int)getpid());
    pid = fork();
    if (pid == 0) {
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
    RK_ASSERT(pid > 0);
    return pid;
}

static void open_slot(struct torture *torture, unsigned slot)
{
    uint64_t seed = torture_random(&torture->random);

    atomic_store_explicit(&torture->memory.arena->slots[slot].leave, false, memory_order_relaxed);
    rk_grace_writer_slot_open(torture->grace, slot, ++torture->last_incarnation);
    if (torture->as_threads) {
        torture->workers[slot] = (struct worker){ .memory = torture->memory, .slot = slot, .seed = seed };
        start_worker(&torture->workers[slot]);
    } else {
        torture->pids[slot] = spawn_worker(torture, slot, seed);
    }
    torture->lives[slot] = true;
}

static void fail(struct torture *torture, const char *what, unsigned slot)
{
    (void)fprintf(stderr, "FAILED: %s (slot %u)\n", what, slot);
    atomic_store_explicit(&torture->failed, true, memory_order_relaxed);
}

/* waitpid, which must say that the process ended as it was to end. */
static void reap_process(struct torture *torture, unsigned slot, int expected_signal)
{
    int status = 0;

    while (waitpid(torture->pids[slot], &status, 0) < 0)
        RK_ASSERT(errno == EINTR);
    if (expected_signal != 0 ? !WIFSIGNALED(status) || WTERMSIG(status) != expected_signal
                             : !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail(torture, "a worker ended by itself", slot);
}

/* Ends the worker, by force or in peace, and clears its slot. */
static void close_slot(struct torture *torture, unsigned slot, bool by_force)
{
    bool kills = by_force && !torture->as_threads;

    atomic_store_explicit(&torture->memory.arena->slots[slot].leave, !kills, memory_order_relaxed);
    if (kills)
        RK_ASSERT(kill(torture->pids[slot], SIGKILL) == 0);
    if (torture->as_threads)
        finish_worker(&torture->workers[slot]);
    else
        reap_process(torture, slot, kills ? SIGKILL : 0);
    rk_grace_writer_slot_clear(torture->grace, slot);
    torture->lives[slot] = false;
}

static void pause_worker(struct torture *torture, unsigned slot, bool pauses)
{
    if (torture->as_threads)
        atomic_store_explicit(&torture->memory.arena->slots[slot].pause, pauses, memory_order_relaxed);
    else
        RK_ASSERT(kill(torture->pids[slot], pauses ? SIGSTOP : SIGCONT) == 0);
}

static void *run_writer(void *context)
{
    struct torture *torture = context;

    while (!atomic_load_explicit(&torture->ending, memory_order_relaxed))
        torture_writer_step(torture->writer, rk_time_monotonic_ns() * TIME_FACTOR);
    return NULL;
}

static bool is_over(const struct torture *torture)
{
    return atomic_load_explicit(&torture->failed, memory_order_relaxed)
           || atomic_load_explicit(&torture->memory.arena->n_findings, memory_order_relaxed) > 0;
}

/* Lets the others run for up to most_ms. */
static void rest(struct torture *torture, unsigned most_ms)
{
    uint64_t ns = torture_random(&torture->random) % (most_ms * RK_NS_PER_MS);
    struct timespec while_ns = { .tv_nsec = (long)ns };

    (void)nanosleep(&while_ns, NULL); /* cut short is as good */
}

/* A period that starts from now on has ended, or it is a failure. */
static void require_period(struct torture *torture, unsigned slot)
{
    uint64_t deadline_ns = rk_time_monotonic_ns() + STALL_NS;
    uint64_t n_periods = rk_grace_writer_figures(torture->grace).n_periods;

    while (rk_grace_writer_figures(torture->grace).n_periods < n_periods + 2) {
        if (is_over(torture))
            return;
        if (rk_time_monotonic_ns() > deadline_ns) {
            fail(torture, "grace periods do not go on", slot);
            return;
        }
        rest(torture, 2);
    }
}

static void stop_for_a_while(struct torture *torture, unsigned slot)
{
    torture->n_stops++;
    pause_worker(torture, slot, true);
    rest(torture, 30);
    pause_worker(torture, slot, false);
}

/* Kills a worker, out of a pause or of full life, and replaces it at once or after a while. */
static void kill_and_replace(struct torture *torture, unsigned slot)
{
    torture->n_kills++;
    if (!torture->as_threads && torture_random(&torture->random) % 4 == 0) {
        pause_worker(torture, slot, true);
        rest(torture, 10);
    }
    close_slot(torture, slot, true);
    if (torture_random(&torture->random) % 2 == 0)
        require_period(torture, slot);
    if (!is_over(torture))
        open_slot(torture, slot);
}

static void keep_workers(struct torture *torture, uint64_t deadline_ns)
{
    while (!is_over(torture) && rk_time_monotonic_ns() < deadline_ns) {
        unsigned slot = torture_random(&torture->random) % TORTURE_N_SLOTS;
        unsigned chance = torture_random(&torture->random) % 16;

        rest(torture, 10);
        if (chance < 6 && slot != 0)
            kill_and_replace(torture, slot);
        else if (chance < 10)
            stop_for_a_while(torture, slot);
        else if (chance == 15)
            require_period(torture, slot);
    }
    if (!is_over(torture))
        require_period(torture, 0);
}

static void print_figures(const struct torture *torture, const char *form, uint64_t seed)
{
    struct torture_writer_figures figures = torture_writer_figures(torture->writer);
    struct rk_grace_figures periods = rk_grace_writer_figures(torture->grace);
    uint64_t n_sections = 0;

    for (unsigned slot = 0; slot < TORTURE_N_SLOTS; slot++)
        n_sections += atomic_load(&torture->memory.arena->slots[slot].n_sections);
    (void)printf("%s, seed %llu: %llu sections, %llu published, %llu reclaimed, at most %u in limbo, %llu periods "
                 "(longest %llu ms), %u kills, %u stops: %s\n",
                 form, (unsigned long long)seed, (unsigned long long)n_sections,
                 (unsigned long long)figures.n_published, (unsigned long long)figures.n_reclaimed, figures.n_limbo_most,
                 (unsigned long long)periods.n_periods,
                 (unsigned long long)(periods.longest_ns / TIME_FACTOR / RK_NS_PER_MS), torture->n_kills,
                 torture->n_stops, is_over(torture) ? "FAILED" : "ok");
}

/* One form of the torture; whether it went well. */
static bool run_torture(bool as_threads, uint64_t seed, unsigned seconds)
{
    struct torture torture = { .memory = torture_memory_create(), .as_threads = as_threads, .random = seed };
    bool well;

    torture.grace = rk_grace_writer_create(torture.memory.region, TORTURE_N_SLOTS);
    torture.writer = torture_writer_create(torture.memory.arena, torture.grace, seed + 1);
    for (unsigned slot = 0; slot < TORTURE_N_SLOTS; slot++)
        open_slot(&torture, slot);
    RK_ASSERT(pthread_create(&torture.writer_thread, NULL, run_writer, &torture) == 0);
    keep_workers(&torture, rk_time_monotonic_ns() + seconds * RK_NS_PER_S);

    for (unsigned slot = 0; slot < TORTURE_N_SLOTS; slot++)
        if (torture.lives[slot])
            close_slot(&torture, slot, is_over(&torture));
    atomic_store_explicit(&torture.ending, true, memory_order_relaxed);
    RK_ASSERT(pthread_join(torture.writer_thread, NULL) == 0);
    print_figures(&torture, as_threads ? "threads" : "processes", seed);
    well = !is_over(&torture) && torture_writer_figures(torture.writer).n_reclaimed > 0
           && (seconds == 0 || torture.n_kills > 0);
    torture_writer_destroy(&torture.writer);
    rk_grace_writer_destroy(&torture.grace);
    torture_memory_detach(&torture.memory);
    return well;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char *argv[])
{
    uint64_t seed = number_from("RK_TORTURE_SEED", rk_time_wall_ms() % 1000000);
    unsigned seconds = (unsigned)number_from("RK_TORTURE_SECONDS", 3);
    bool well = true;

    if (argc == 6 && strcmp(argv[1], "worker") == 0)
        return run_worker(argv);
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "processes") != 0 && strcmp(argv[1], "threads") != 0)) {
        (void)fprintf(stderr, "usage: grace_torture [processes|threads]\n");
        return EXIT_FAILURE;
    }
    if (argc == 1 || strcmp(argv[1], "processes") == 0)
        well = run_torture(false, seed, seconds);
    if (well && (argc == 1 || strcmp(argv[1], "threads") == 0))
        well = run_torture(true, seed, seconds);
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
