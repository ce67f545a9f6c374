/* A start as far as recovery: the real engine in a folder of its own. Where a test asks for it, the reading of the
 * files is played, step by step. */
#ifndef RK_TEST_START_BED_H
#define RK_TEST_START_BED_H

#include "base/base_detail.h"
#include "conf/conf.h"
#include "master/master.h"
#include "master/master_engine.h"
#include "master/master_recovery.h"
#include "recover/recover.h"

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BED_DEADLINE_MS 60000
#define BED_LINES_MAX   32

/* Each post of `go` is one report of progress, the last one the end. */
struct start_play {
    const struct rk_recover_progress *steps;
    size_t n_steps;
    enum rk_err err;
    const char *why; /* NULL: none is given */
    bool is_played;
    bool leaves; /* the process ends when all has been read, before the log is open */
    sem_t go, done;
};

struct start_bed {
    char *dir;
    struct rk_conf conf;
    struct rk_master_engine engine;
    struct rk_master_options options;
    struct rk_master_recovery *recovery;
    struct rk_detail detail;
    struct start_play play;
    char lines[BED_LINES_MAX][256]; /* "info: recovered ..." */
    size_t n_lines;
};

extern struct start_bed bed;

void bed_create(void);
void bed_destroy(void);

/* Opens the engine and starts recovery; waits for its end. */
void bed_start(void);
enum rk_err bed_end(void);

/* Recovery is played: one step more. */
void bed_next_step(void);

/* Has recovery tell what there is to tell, so long after its begin. */
void bed_tell_after(uint64_t ms);

uint32_t bed_state(void);
bool bed_is_noticed(int timeout_ms);
unsigned bed_n_told(const char *text);

/* Makes a store with three records of two keys; recovers them. */
void bed_fill(void);
void bed_check_filled(void);

#endif
