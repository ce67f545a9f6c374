#include "torture.h"

#include "base/base_assert.h"
#include "base/base_time.h"
#include "keydir/keydir_extents.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

struct reader {
    const struct torture_worker *worker;
    uint64_t random;
    pthread_t thread;
};

/* Whether the key may have been gone at some time between the two marks. Where two changes or more lie between, one of
 * them may have deleted it. */
static bool may_be_absent(uint32_t id, uint64_t floor, uint64_t ceiling)
{
    return id >= TORTURE_N_KEPT && ((floor & 1) != 0 || (ceiling & 1) != 0 || (ceiling >> 1) - (floor >> 1) >= 2);
}

static uint32_t choose_id(struct reader *reader)
{
    uint64_t random = torture_random(&reader->random);

    return (uint32_t)(random >> 8) % ((random & 3) == 0 ? TORTURE_N_KEPT : TORTURE_N_IDS);
}

static uint64_t load_floor(const struct reader *reader, uint32_t id)
{
    return atomic_load_explicit(&reader->worker->shared->marks[id].floor, memory_order_acquire);
}

/* What a lookup found that began after the floor was read, and has ended. */
static void check_found(const struct reader *reader, uint32_t id, uint64_t floor, uint64_t location)
{
    struct torture_shared *shared = reader->worker->shared;
    uint64_t ceiling = atomic_load_explicit(&shared->marks[id].ceiling, memory_order_acquire);
    uint64_t number = location >> 20;

    if (location == 0 ? may_be_absent(id, floor, ceiling)
                      : (location & 0xfffff) == id && number >= floor >> 1 && number <= ceiling >> 1)
        return;
    torture_fail(shared, "id %u: found %llx, between changes %llu%s and %llu%s", id, (unsigned long long)location,
                 (unsigned long long)(floor >> 1), floor & 1 ? " (deleted)" : "", (unsigned long long)(ceiling >> 1),
                 ceiling & 1 ? " (deleted)" : "");
}

static void look_up(struct reader *reader)
{
    uint32_t id = choose_id(reader);
    uint64_t floor = load_floor(reader, id);

    check_found(reader, id, floor, rk_keydir_lookup_rcu(reader->worker->keydir, torture_fingerprint(id)));
}

static void look_up_many(struct reader *reader)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];
    uint64_t floors[RK_KEYDIR_MANY], locations[RK_KEYDIR_MANY];
    uint32_t ids[RK_KEYDIR_MANY];

    for (unsigned i = 0; i < RK_KEYDIR_MANY; i++) {
        ids[i] = choose_id(reader);
        floors[i] = load_floor(reader, ids[i]);
        fingerprints[i] = torture_fingerprint(ids[i]);
    }
    rk_keydir_lookup_many_rcu(reader->worker->keydir, fingerprints, RK_KEYDIR_MANY, locations);
    for (unsigned i = 0; i < RK_KEYDIR_MANY; i++)
        check_found(reader, ids[i], floors[i], locations[i]);
}

static bool page_is_sound(struct rk_keydir_bucket *buckets, uint64_t word, uint64_t index)
{
    uint64_t mask = (1ull << rk_keydir_word_depth(word)) - 1;
    uint64_t n_live = 0;
    uint64_t poison;

    memset(&poison, RK_KEYDIR_POISON_BYTE, sizeof poison);
    for (uint32_t at = 0; at < rk_keydir_word_buckets(word); at++) {
        for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
            uint64_t location = atomic_load_explicit(&buckets[at].location[i], memory_order_acquire);
            uint64_t high = atomic_load_explicit(&buckets[at].high[i], memory_order_relaxed);

            if (location == poison || (location != 0 && ((high ^ index) & mask) != 0))
                return false;
            n_live += location != 0;
        }
    }
    return n_live > 0; /* an eleventh of each page's keys is never deleted */
}

/* What a slow lookup does: it has the word, and comes to the page much later. */
static void hold_page(struct reader *reader)
{
    const struct rk_keydir *keydir = reader->worker->keydir;
    uint64_t high = torture_random(&reader->random);
    uint64_t word = rk_keydir_find_word(keydir, high);
    uint64_t until_ns = rk_time_monotonic_ns() + high % 16 * RK_NS_PER_MS / 4;

    while (rk_time_monotonic_ns() < until_ns)
        sched_yield();
    if (!page_is_sound(rk_keydir_extent_buckets(keydir, rk_keydir_word_extent(word)), word, high))
        torture_fail(reader->worker->shared, "the page of word %llx was freed under a reader",
                     (unsigned long long)word);
}

static bool must_end(const struct torture_worker *worker)
{
    return atomic_load(&worker->shared->stop) || (worker->quit != NULL && atomic_load(worker->quit));
}

static void *run_reader(void *arg)
{
    struct reader *reader = arg;
    struct torture_shared *shared = reader->worker->shared;

    rk_grace_register_thread();
    while (!must_end(reader->worker)) {
        for (int i = 0; i < 200; i++) {
            rk_grace_read_lock();
            look_up(reader);
            rk_grace_read_unlock();
        }
        rk_grace_read_lock();
        look_up_many(reader);
        rk_grace_read_unlock();
        rk_grace_read_lock();
        hold_page(reader);
        rk_grace_read_unlock();
        atomic_fetch_add_explicit(&shared->n_lookups, 200 + RK_KEYDIR_MANY, memory_order_relaxed);
        atomic_fetch_add_explicit(&shared->n_holds, 1, memory_order_relaxed);
    }
    rk_grace_unregister_thread();
    return NULL;
}

void torture_worker_run(const struct torture_worker *worker)
{
    struct reader readers[TORTURE_N_READERS];
    struct rk_grace_agent *agent = NULL;

    RK_ASSERT(rk_grace_agent_start(&agent, &worker->shared->grace, worker->slot, NULL) == RK_OK);
    for (unsigned i = 0; i < TORTURE_N_READERS; i++) {
        readers[i] = (struct reader){ .worker = worker, .random = worker->seed * 31 + i + 1 };
        RK_ASSERT(pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]) == 0);
    }
    for (unsigned i = 0; i < TORTURE_N_READERS; i++)
        RK_ASSERT(pthread_join(readers[i].thread, NULL) == 0);
    rk_grace_agent_stop(&agent);
}
