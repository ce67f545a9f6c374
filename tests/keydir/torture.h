/* Torture of the keydir: one writer, and workers that read all the time, die and sleep at any moment.
 *
 * Every change of a key has a number, and a location carries key and number. Before a change the writer raises the
 * key's ceiling to it, afterwards the floor. A reader takes the floor, looks the key up, takes the ceiling: what it
 * found must lie between. Besides, readers hold on to a page for a while, as a slow lookup would, and look whether its
 * bytes are still those of that page: the writer fills what it frees with poison.
 *
 * The same code runs with threads as stand-ins for workers, where the sanitizers see everything, and with processes. */
#ifndef RK_TEST_TORTURE_H
#define RK_TEST_TORTURE_H

#include "grace/grace.h"
#include "grace/grace_region.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"

#include <stdatomic.h>
#include <stdbool.h>

#define TORTURE_N_WORKERS 4u
#define TORTURE_N_READERS 2u /* threads of a worker */
#define TORTURE_N_IDS     100000u
#define TORTURE_N_KEPT    10000u /* the first ids are never deleted */

/* A change: its number << 1, plus 1 when it deleted the key. */
struct torture_mark {
    _Atomic uint64_t floor;
    _Atomic uint64_t ceiling;
};

/* In memory that all processes share. */
struct torture_shared {
    uint64_t seed;
    _Atomic bool filled; /* every id is there */
    _Atomic bool stop;
    _Atomic bool failed;
    _Atomic uint64_t n_lookups;
    _Atomic uint64_t n_holds;
    struct torture_mark marks[TORTURE_N_IDS];
    _Alignas(64) struct rk_grace_region grace; /* the slots follow */
};

size_t torture_shared_bytes(void);

struct rk_fingerprint torture_fingerprint(uint32_t id);
uint64_t torture_random(uint64_t *state);

/* What a change of the key left in the keydir: a location, or 0. */
static inline uint64_t torture_location(uint32_t id, uint64_t mark)
{
    return (mark & 1) != 0 ? 0 : mark >> 1 << 20 | id;
}

_Static_assert(TORTURE_N_IDS <= 1u << 20, "a location has 20 bits for the id");

/* Prints what is wrong and ends the run. */
void torture_fail(struct torture_shared *shared, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A worker: an agent and its readers. `quit` may be NULL: until the run ends. */
struct torture_worker {
    struct torture_shared *shared;
    const struct rk_keydir *keydir;
    const _Atomic bool *quit;
    uint64_t seed;
    unsigned slot;
};

void torture_worker_run(const struct torture_worker *worker);

/* The writer: changes keys until the run ends, then waits until nothing waits for a grace period, and examines the
 * whole. */
struct torture_writer {
    struct torture_shared *shared;
    struct rk_keydir_writer *keydir;
    struct rk_grace_writer *grace;
    uint64_t n_changes;
    uint64_t longest_limbo_bytes;
};

void torture_writer_run(struct torture_writer *writer);

#endif
