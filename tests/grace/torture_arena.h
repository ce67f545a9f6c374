/* What the torture of grace periods shares between its processes: pointers that the writer changes, objects that they
 * name, and what the readers have to say.
 *
 *      0  grace region       (grace_region.h)
 *      .  struct torture_arena
 *
 * An object is whole when all its words hold one number, and may be looked at by readers who found it under a pointer;
 * the writer fills it with poison when its ticket has passed. Its words are plain memory, so that the thread sanitizer
 * has its say as well. */
#ifndef RK_TORTURE_ARENA_H
#define RK_TORTURE_ARENA_H

#include "grace/grace.h"
#include "grace/grace_region.h"
#include "grace/grace_writer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TORTURE_N_SLOTS      5
#define TORTURE_N_POINTERS   8
#define TORTURE_N_OBJECTS    512
#define TORTURE_OBJECT_WORDS 8
#define TORTURE_POISON       0xdeaddeaddeaddeadull

struct torture_object {
    uint64_t words[TORTURE_OBJECT_WORDS];
};

/* One line a slot: the worker stores the counter, the master the flags. */
struct torture_slot {
    _Alignas(64) _Atomic uint64_t n_sections;
    _Atomic bool leave; /* the readers are to end */
    _Atomic bool pause; /* the readers are to stay in their sections: the stand-in for SIGSTOP among threads */
};

struct torture_arena {
    _Atomic uint32_t pointers[TORTURE_N_POINTERS]; /* index of an object; 0: none */
    _Atomic uint32_t n_findings;
    struct torture_slot slots[TORTURE_N_SLOTS];
    struct torture_object objects[TORTURE_N_OBJECTS];
};

struct torture_memory {
    struct rk_grace_region *region;
    struct torture_arena *arena;
    int memfd;
};

/* A new region and arena, all zero, in a memfd that is inherited. */
struct torture_memory torture_memory_create(void);

/* The same memory in another process. */
struct torture_memory torture_memory_attach(int memfd);

void torture_memory_detach(struct torture_memory *memory);

/* Numbers that follow from the seed. */
static inline uint32_t torture_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

/* One read section of the calling (registered) thread: some pointers, each object looked at twice. Whether all was as
 * it must be; if not, says what on standard error and counts a finding. */
bool torture_read_section(struct torture_arena *arena, unsigned slot, uint64_t *random);

/* The writer: objects are published, replaced, and poisoned when nobody can see them. */
struct torture_writer;

struct torture_writer *torture_writer_create(struct torture_arena *arena, struct rk_grace_writer *grace, uint64_t seed);
void torture_writer_destroy(struct torture_writer **writer);

/* Replaces one object, polls, and poisons what may go. */
void torture_writer_step(struct torture_writer *writer, uint64_t now_ns);

struct torture_writer_figures {
    uint64_t n_published;
    uint64_t n_reclaimed;
    uint32_t n_limbo_most;
};

struct torture_writer_figures torture_writer_figures(const struct torture_writer *writer);

#endif
