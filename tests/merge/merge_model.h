/* A store beside a model of it: random writes, restarts, crashes, merges of any files, and time that passes. After each
 * step the store must hold exactly what the model does, and the space table what a scan of all files finds. */
#ifndef RK_TEST_MERGE_MODEL_H
#define RK_TEST_MERGE_MODEL_H

#include "base/base_detail.h"
#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_KEYS       50
#define MODEL_FILE_BYTES 8192
#define MODEL_BEGIN_S    1700000000u

struct model_key {
    bool exists;        /* it was put, and not deleted since; a client finds it until it expires, and may find it
                           again by a clock that was set back */
    uint64_t expiry_ms; /* 0: none */
    uint64_t sequence;
    uint32_t value; /* what the value is made from */
    uint32_t value_len;
};

struct model {
    char *path;
    uint64_t random;
    uint64_t now_s; /* since 1970; the clock may be set back: */
    uint64_t latest_s;
    struct model_key keys[MODEL_KEYS];
    struct rk_log_store *store;
    struct rk_log_writer *log;
    struct rk_keydir_writer *keydir;
    struct rk_space *space;
    struct rk_writer_batch *batch;
    struct rk_stats_writer *stats;
    uint32_t n_values;
    size_t n_merges;
    uint64_t n_reclaimed;
    uint64_t n_holes;     /* of records, so far; what merges took since is counted, too */
    uint64_t n_expired;   /* found by looks */
    struct rk_detail why; /* the last look failed */

    /* how the next merge ends: 0 by itself */
    unsigned calls_left; /* the writer thread is gone at this call */
    unsigned turns_left; /* cancelled at this turn */
    unsigned n_halfway;  /* turns, of all merges, that said more than nothing and less than all */

    /* what clients do before the writer thread comes to the call of this number; NULL: nothing */
    void (*meanwhile)(struct model *model);
    unsigned meanwhile_left;
};

void model_create(struct model *model, uint64_t seed);
void model_destroy(struct model *model);
unsigned model_random(struct model *model, unsigned below);

/* A put, or a delete. The expiry: 0 for none, and one that is past is of a value that nobody will see. */
void model_put(struct model *model, unsigned key, uint32_t value_len, uint64_t expiry_ms);
void model_delete(struct model *model, unsigned key);

/* None, past, soon, or farther away than a hint can say. */
uint64_t model_random_expiry(struct model *model);

void model_roll(struct model *model);

/* Ends as a crash does when `crash`, then starts again. */
void model_restart(struct model *model, bool crash, bool drop_hints);

/* Merges these files; every sealed one when n_files is 0. */
enum rk_err model_merge(struct model *model, const uint32_t *files, size_t n_files);

/* Punches holes over what is dead, in all files; the disk's blocks are of 64 bytes. */
enum rk_err model_punch(struct model *model);

/* Looks for what has expired: of that the keydir names nothing afterwards. */
enum rk_err model_expire(struct model *model);

/* Each sealed file with one chance in two; returns how many. At most `max`. */
size_t model_choose(struct model *model, uint32_t *files, size_t max);

/* The bytes of all data files. */
uint64_t model_disk_bytes(const struct model *model);

void model_check(struct model *model);

#endif
