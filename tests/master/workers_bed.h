/* Workers without processes: master_workers.c over a clock, a writer, a grace region and a kill() of the test's own.
 * What it calls is written down; what it must never do (open a slot whose process lives or whose rings are not let go,
 * give an incarnation twice, close what is not open) fails the test at once. */
#ifndef RK_TEST_WORKERS_BED_H
#define RK_TEST_WORKERS_BED_H

#include "conf/conf.h"
#include "master/master_engine.h"
#include "master/master_serving.h"
#include "master/master_spawn.h"
#include "master/master_workers.h"
#include "shm/shm_handover.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BED_SLOTS      3
#define BED_LISTENERS  2
#define BED_EVENTS_MAX 256

/* Of the settings; neither is its default. */
#define BED_RESPAWN_MS 700
#define BED_STUCK_MS   5000

struct bed_start {
    uint64_t at_ms;
    unsigned slot;
    uint32_t incarnation;
    pid_t pid; /* of no process */
    char arguments[4][16];
    int fds[RK_MASTER_SPAWN_FDS_MAX];
    size_t n_fds;
    int channel; /* the worker's end; -1: it is gone */
};

struct bed_kill {
    uint64_t at_ms;
    pid_t pid;
    int signal;
};

enum bed_rings { BED_RINGS_CLOSED, BED_RINGS_OPEN, BED_RINGS_CLOSING };

struct bed {
    struct rk_conf conf;
    struct rk_master_engine engine;
    struct rk_master_serving *workers;
    uint64_t now_ms; /* of rk_time_monotonic_ns, too */

    /* What the test decides. */
    bool beats[BED_SLOTS];   /* the heartbeat goes up with each tick */
    bool broken[BED_SLOTS];  /* the writer says so */
    bool writer_is_slow;     /* slots stay CLOSING until bed_let_go */
    bool no_process;         /* fork() fails */
    bool no_sockets;         /* socketpair() fails */
    uint64_t grace_since_ms; /* a grace period waits since then; 0: none */
    unsigned grace_slot;

    /* What happened. */
    struct bed_start starts[BED_EVENTS_MAX];
    size_t n_starts;
    struct bed_kill kills[BED_EVENTS_MAX];
    size_t n_kills;
    char lines[BED_EVENTS_MAX][256]; /* "warning: worker 1 ..." */
    size_t n_lines;
    enum bed_rings rings[BED_SLOTS];
    bool grace_is_open[BED_SLOTS];
    uint32_t incarnations[BED_SLOTS];
};

extern struct bed bed;

void bed_create(void);
void bed_destroy(void);

/* One tick at this moment; ticks with a pause before each. */
void bed_tick(void);
void bed_run(uint64_t for_ms, uint64_t step_ms);

/* The last start in a slot. */
struct bed_start *bed_last(unsigned slot);

/* The worker in the slot says one byte; is ready; ends. */
void bed_say(unsigned slot, char message);
void bed_ready(unsigned slot);
void bed_exit(unsigned slot, int wait_status);

/* All slots serve. */
void bed_serve(void);

/* The writer lets go of all rings that are to be closed. */
void bed_let_go(void);

/* How many lines have this text; the descriptors that this process has open. */
unsigned bed_n_told(const char *text);
unsigned bed_n_open_fds(void);

#endif
