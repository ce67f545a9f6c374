/* A store that is written to by the real writer, through batches as workers send them, while the disk is recorded.
 *
 *   create | resume -> { open -> batches* -> close | die }* -> destroy */
#ifndef RK_TEST_SIM_SCRIPT_H
#define RK_TEST_SIM_SCRIPT_H

#include "sim_history.h"
#include "sim_trace.h"

struct sim_script_settings {
    bool sync_always; /* the mode; otherwise nothing is synced but by sim_script_sync and by rolling over */
    uint64_t file_size_bytes;
    uint64_t seed;
    unsigned batch_max;   /* writes in a batch */
    uint32_t value_max;   /* mostly small; now and then up to this */
    unsigned large_odds;  /* one value in so many */
    bool merges;          /* sim_script_merge is called */
    bool expires;         /* some writes have an expiry: past, soon, or never to come */
    uint64_t spare_bytes; /* of writers; a file where the table says that it copies on write */
    bool full_starts;     /* the disk is full at each start but the first */
};

struct rk_log_store;
struct sim_script;

struct sim_script *sim_script_create(const char *root, const struct sim_script_settings *settings);

/* Goes on, from the clock that it has, with a store that is there: the one after the writes of this history. Nothing is
 * recorded. */
struct sim_script *sim_script_resume(const char *root, const struct sim_script_settings *settings,
                                     const struct sim_history *history);
void sim_script_destroy(struct sim_script **script);

/* Opens the store, recovers it (everything must be there), and opens a writer. */
void sim_script_open(struct sim_script *script);
void sim_script_batches(struct sim_script *script, size_t n);
void sim_script_sync(struct sim_script *script);
void sim_script_roll(struct sim_script *script);
void sim_script_hints(struct sim_script *script); /* of all files that are sealed */
/* Merges all sealed files, or some of them. */
void sim_script_merge(struct sim_script *script);

/* Punches holes over what is dead, in all files, in blocks of 64 bytes. */
void sim_script_punch(struct sim_script *script);

/* Gives the spare up, and makes it again with a merge in between; or leaves it given up: for who dies then. */
void sim_script_spare(struct sim_script *script);
void sim_script_give_up_spare(struct sim_script *script);

/* The clock goes on, or is set back. It stands still otherwise. */
void sim_script_wait(struct sim_script *script, int seconds);
/* Looks for what has expired. */
void sim_script_look(struct sim_script *script);
void sim_script_close(struct sim_script *script);

/* The process is killed: what it did is there, and nothing more happens. */
void sim_script_die(struct sim_script *script);

/* Makes the hints that are missing, all of them, and returns. */
void sim_hints_make(struct rk_log_store *store);

/* A number below the limit, from the script's seed. */
unsigned sim_script_random(struct sim_script *script, unsigned below);

const struct sim_history *sim_script_history(const struct sim_script *script);
const struct sim_trace *sim_script_trace(const struct sim_script *script);
uint64_t sim_script_n_expired(const struct sim_script *script); /* found by looks */

#endif
