#include "torture_arena.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static size_t memory_bytes(void)
{
    return rk_grace_region_bytes(TORTURE_N_SLOTS) + sizeof(struct torture_arena);
}

struct torture_memory torture_memory_attach(int memfd)
{
    void *region = mmap(NULL, memory_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);

    RK_ASSERT(region != MAP_FAILED);
    return (struct torture_memory){ .region = region,
                                    .arena = (void *)((char *)region + rk_grace_region_bytes(TORTURE_N_SLOTS)),
                                    .memfd = memfd };
}

struct torture_memory torture_memory_create(void)
{
    int memfd = memfd_create("rackkv-torture", 0);

    RK_ASSERT(memfd >= 0 && ftruncate(memfd, (off_t)memory_bytes()) == 0);
    return torture_memory_attach(memfd);
}

void torture_memory_detach(struct torture_memory *memory)
{
    RK_ASSERT(munmap(memory->region, memory_bytes()) == 0 && close(memory->memfd) == 0);
    *memory = (struct torture_memory){ .memfd = -1 };
}

/* Whether the object is whole. */
static bool check_object(struct torture_arena *arena, unsigned slot, uint32_t index)
{
    const struct torture_object *object = &arena->objects[index];
    uint64_t first = object->words[0];

    for (unsigned n = 0; n < TORTURE_OBJECT_WORDS; n++) {
        if (object->words[n] == first && first != TORTURE_POISON)
            continue;
        (void)fprintf(stderr, "slot %u: object %u has %#llx at word %u and %#llx at its head: %s\n", slot, index,
                      (unsigned long long)object->words[n], n, (unsigned long long)first,
                      first == TORTURE_POISON || object->words[n] == TORTURE_POISON ? "reclaimed under a reader"
                                                                                    : "torn");
        atomic_fetch_add_explicit(&arena->n_findings, 1, memory_order_relaxed);
        return false;
    }
    return true;
}

/* Stays in the section for a while: mostly not at all, sometimes for some periods' time. */
static void dwell(const struct torture_slot *own, uint64_t *random)
{
    uint32_t number = torture_random(random) % 256;
    struct timespec while_ns = { .tv_nsec = (long)(torture_random(random) % 4000000) };

    if (number == 0)
        (void)nanosleep(&while_ns, NULL); /* cut short is as good */
    else if (number < 16)
        (void)sched_yield();
    while (atomic_load_explicit(&own->pause, memory_order_relaxed))
        (void)sched_yield();
}

bool torture_read_section(struct torture_arena *arena, unsigned slot, uint64_t *random)
{
    struct torture_slot *own = &arena->slots[slot];
    bool whole = true;

    rk_grace_read_lock();
    for (unsigned n = 0; n < 2 && whole; n++) {
        _Atomic uint32_t *pointer = &arena->pointers[torture_random(random) % TORTURE_N_POINTERS];
        uint32_t index = atomic_load_explicit(pointer, memory_order_acquire); /* pair: torture_writer_step */

        if (index == 0)
            continue;
        whole = check_object(arena, slot, index);
        dwell(own, random);
        whole = whole && check_object(arena, slot, index);
    }
    rk_grace_read_unlock();
    atomic_fetch_add_explicit(&own->n_sections, 1, memory_order_relaxed);
    return whole;
}

struct torture_writer {
    struct torture_arena *arena;
    struct rk_grace_writer *grace;
    uint64_t random;
    struct torture_writer_figures figures;
    uint32_t n_free;
    uint32_t limbo_head, n_limbo; /* a ring */
    uint32_t free[TORTURE_N_OBJECTS];
    uint32_t limbo[TORTURE_N_OBJECTS];
    uint64_t tickets[TORTURE_N_OBJECTS]; /* of those in limbo */
};

static void fill_object(struct torture_object *object, uint64_t number)
{
    for (unsigned n = 0; n < TORTURE_OBJECT_WORDS; n++)
        object->words[n] = number;
}

struct torture_writer *torture_writer_create(struct torture_arena *arena, struct rk_grace_writer *grace, uint64_t seed)
{
    struct torture_writer *writer = rk_mem_calloc(1, sizeof *writer);

    writer->arena = arena;
    writer->grace = grace;
    writer->random = seed;
    for (uint32_t index = 1; index < TORTURE_N_OBJECTS; index++) {
        fill_object(&arena->objects[index], TORTURE_POISON);
        writer->free[writer->n_free++] = index;
    }
    return writer;
}

void torture_writer_destroy(struct torture_writer **writer)
{
    free(*writer);
    *writer = NULL;
}

static void retire_object(struct torture_writer *writer, uint32_t index)
{
    uint32_t at = (writer->limbo_head + writer->n_limbo++) % TORTURE_N_OBJECTS;

    writer->limbo[at] = index;
    writer->tickets[at] = rk_grace_writer_ticket(writer->grace);
    if (writer->n_limbo > writer->figures.n_limbo_most)
        writer->figures.n_limbo_most = writer->n_limbo;
}

static void reclaim_objects(struct torture_writer *writer, uint64_t passed)
{
    while (writer->n_limbo > 0 && writer->tickets[writer->limbo_head] <= passed) {
        uint32_t index = writer->limbo[writer->limbo_head];

        fill_object(&writer->arena->objects[index], TORTURE_POISON);
        writer->free[writer->n_free++] = index;
        writer->limbo_head = (writer->limbo_head + 1) % TORTURE_N_OBJECTS;
        writer->n_limbo--;
        writer->figures.n_reclaimed++;
    }
}

void torture_writer_step(struct torture_writer *writer, uint64_t now_ns)
{
    uint32_t index, old;

    if (writer->n_free > 0) {
        index = writer->free[--writer->n_free];
        fill_object(&writer->arena->objects[index], ++writer->figures.n_published);
        old = atomic_exchange_explicit(&writer->arena->pointers[torture_random(&writer->random) % TORTURE_N_POINTERS],
                                       index, memory_order_release); /* pair: torture_read_section */
        if (old != 0)
            retire_object(writer, old);
    } else {
        (void)sched_yield(); /* everything waits for a period */
    }
    reclaim_objects(writer, rk_grace_writer_poll(writer->grace, writer->n_limbo > 0, now_ns));
}

struct torture_writer_figures torture_writer_figures(const struct torture_writer *writer)
{
    return writer->figures;
}
