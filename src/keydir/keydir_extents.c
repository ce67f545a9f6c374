#include "keydir/keydir_extents.h"

#include "base/base_assert.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define RK_KEYDIR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RK_KEYDIR_ASAN 1
#endif
#endif
#ifdef RK_KEYDIR_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* So many extents are worth keeping when nothing grows: the next page to grow finds its memory. Without grace periods
 * it is the one that the last page left. */
static uint32_t pool_at_rest(const struct rk_keydir_extents *extents)
{
    return extents->n_pages / 512 + (extents->keeps_for_grace ? 0 : 1);
}

/* Under the address sanitizer nobody may touch an extent between limbo and the next page, not even a reader that came
 * too late. Readers of the same process and mapping only: the shadow is the process's own. */
static void forbid_access(struct rk_keydir_extents *extents, uint32_t at, bool forbid)
{
#ifdef RK_KEYDIR_ASAN
    void *bytes = rk_keydir_extent_buckets(extents->region, at);

    if (forbid)
        __asan_poison_memory_region(bytes, RK_KEYDIR_EXTENT_BYTES);
    else
        __asan_unpoison_memory_region(bytes, RK_KEYDIR_EXTENT_BYTES);
#else
    (void)extents;
    (void)at;
    (void)forbid;
#endif
}

/* Plain stores: after the grace period nobody else looks at these bytes. The thread sanitizer reports it if someone
 * does. */
static void fill_steps(struct rk_keydir_extents *extents, uint32_t at, uint32_t steps, int byte)
{
    memset(rk_keydir_extent_buckets(extents->region, at), byte, steps * RK_KEYDIR_STEP_BYTES);
}

/* Gives the memory of the steps from `keep` on back to the system. Where that is refused the memory stays, and the
 * next page in this extent finds it: the figures count what was asked for. */
static void punch_steps(struct rk_keydir_extents *extents, uint32_t at, uint32_t keep)
{
    uint64_t off = (uint64_t)at * RK_KEYDIR_EXTENT_BYTES + keep * RK_KEYDIR_STEP_BYTES;

    (void)fallocate(extents->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    (off_t)(extents->region->header->extents_off + off),
                    (off_t)(RK_KEYDIR_EXTENT_BYTES - keep * RK_KEYDIR_STEP_BYTES));
}

/* One call instead of a fault for each step; without it the faults come. */
void rk_keydir_extents_populate(const struct rk_keydir_extents *extents, uint32_t at, uint32_t from, uint32_t to)
{
    uint8_t *bytes = (uint8_t *)rk_keydir_extent_buckets(extents->region, at);

    if (to > from + 1)
        (void)madvise(bytes + from * RK_KEYDIR_STEP_BYTES, (to - from) * RK_KEYDIR_STEP_BYTES, MADV_POPULATE_WRITE);
}

/* Zeros that cost memory only where something is stored: room for all extents of the address space, of which few are
 * ever used. NULL when not even the addresses can be had. */
static void *map_table(uint64_t n, size_t size)
{
    void *table = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return table != MAP_FAILED ? table : NULL;
}

static void unmap_table(void *table, uint64_t n, size_t size)
{
    if (table != NULL)
        (void)munmap(table, n * size); /* the range that mmap returned */
}

enum rk_err rk_keydir_extents_init(struct rk_keydir_extents *extents, const struct rk_keydir *region, int fd,
                                   bool keeps_for_grace)
{
    uint64_t n = region->header->n_extents;

    *extents = (struct rk_keydir_extents){
        .table = map_table(n, sizeof *extents->table),
        .free_maps = map_table(n, sizeof *extents->free_maps),
        .region = region,
        .fd = fd,
        .keeps_for_grace = keeps_for_grace,
        .bare = RK_KEYDIR_NO_EXTENT,
        .limbo_head = RK_KEYDIR_NO_EXTENT,
        .limbo_tail = RK_KEYDIR_NO_EXTENT,
    };
    for (uint32_t steps = 0; steps <= RK_KEYDIR_MAX_STEPS; steps++)
        extents->pool[steps] = RK_KEYDIR_NO_EXTENT;
    return extents->table != NULL && extents->free_maps != NULL ? RK_OK : RK_ERR_NO_MEMORY;
}

void rk_keydir_extents_fini(struct rk_keydir_extents *extents)
{
    if (extents->region == NULL)
        return;
    for (uint32_t at = 0; at < extents->n_fresh; at++)
        forbid_access(extents, at, false);
    unmap_table(extents->free_maps, extents->region->header->n_extents, sizeof *extents->free_maps);
    unmap_table(extents->table, extents->region->header->n_extents, sizeof *extents->table);
    extents->free_maps = NULL;
    extents->table = NULL;
}

static void add_to_pool(struct rk_keydir_extents *extents, uint32_t at)
{
    struct rk_keydir_extent *extent = &extents->table[at];

    if (extents->poisons)
        fill_steps(extents, at, extent->steps, RK_KEYDIR_POISON_BYTE);
    forbid_access(extents, at, true);
    extent->state = RK_KEYDIR_POOL;
    extent->next = extents->pool[extent->steps];
    extents->pool[extent->steps] = at;
    extents->pool_mask |= 1ull << extent->steps;
    extents->n_pool++;
    extents->pool_steps += extent->steps;
}

static uint32_t take_from_list(struct rk_keydir_extents *extents, uint32_t steps)
{
    uint32_t at = extents->pool[steps];

    RK_ASSERT(at != RK_KEYDIR_NO_EXTENT);
    extents->pool[steps] = extents->table[at].next;
    if (extents->pool[steps] == RK_KEYDIR_NO_EXTENT)
        extents->pool_mask &= ~(1ull << steps);
    extents->n_pool--;
    extents->pool_steps -= steps;
    if (extents->n_pool < extents->pool_low)
        extents->pool_low = extents->n_pool;
    forbid_access(extents, at, false);
    return at;
}

/* The one whose memory is most of what is wanted; one with more loses the rest. */
static uint32_t take_from_pool(struct rk_keydir_extents *extents, uint32_t steps)
{
    uint64_t at_most = extents->pool_mask & ((2ull << steps) - 1);
    uint32_t at;

    if (at_most != 0)
        return take_from_list(extents, 63 - (uint32_t)__builtin_clzll(at_most));
    at = take_from_list(extents, (uint32_t)__builtin_ctzll(extents->pool_mask));
    punch_steps(extents, at, steps);
    extents->table[at].steps = (uint8_t)steps;
    return at;
}

static uint32_t take_bare(struct rk_keydir_extents *extents)
{
    uint32_t at = extents->bare;

    if (at == RK_KEYDIR_NO_EXTENT) {
        RK_ASSERT(extents->n_fresh < extents->region->header->n_extents);
        return extents->n_fresh++;
    }
    extents->bare = extents->table[at].next;
    extents->n_bare--;
    return at;
}

uint32_t rk_keydir_extents_take(struct rk_keydir_extents *extents, uint32_t steps)
{
    uint32_t at = extents->pool_mask != 0 ? take_from_pool(extents, steps) : take_bare(extents);
    struct rk_keydir_extent *extent = &extents->table[at];

    rk_keydir_extents_populate(extents, at, extent->steps, steps);
    fill_steps(extents, at, extent->steps, 0);
    *extent = (struct rk_keydir_extent){ .generation = extent->generation + 1,
                                         .steps = (uint8_t)steps,
                                         .state = RK_KEYDIR_PAGE };
    extents->n_pages++;
    extents->page_steps += steps;
    return at;
}

void rk_keydir_extents_renounce(struct rk_keydir_extents *extents, uint32_t end)
{
    for (uint32_t at = extents->n_fresh; at < end; at++) {
        punch_steps(extents, at, 0);
        extents->table[at] = (struct rk_keydir_extent){ .state = RK_KEYDIR_BARE };
    }
}

void rk_keydir_extents_adopt(struct rk_keydir_extents *extents, uint32_t end)
{
    for (; extents->n_fresh < end; extents->n_fresh++) {
        const struct rk_keydir_extent *extent = &extents->table[extents->n_fresh];

        RK_ASSERT(extent->state == RK_KEYDIR_PAGE);
        extents->n_pages++;
        extents->page_steps += extent->steps;
    }
}

static void leave_pages(struct rk_keydir_extents *extents, struct rk_keydir_extent *extent)
{
    RK_ASSERT(extent->state == RK_KEYDIR_PAGE);
    extents->n_pages--;
    extents->page_steps -= extent->steps;
    extent->generation++;
}

/* Without grace periods there are no bursts to keep memory for. */
static void trim_without_grace(struct rk_keydir_extents *extents)
{
    if (extents->keeps_for_grace)
        return;
    extents->n_trim = extents->n_pool;
    rk_keydir_extents_trim(extents, 1);
}

void rk_keydir_extents_put_back(struct rk_keydir_extents *extents, uint32_t at)
{
    leave_pages(extents, &extents->table[at]);
    add_to_pool(extents, at);
    trim_without_grace(extents);
}

void rk_keydir_extents_retire(struct rk_keydir_extents *extents, uint32_t at, uint64_t ticket)
{
    struct rk_keydir_extent *extent = &extents->table[at];

    leave_pages(extents, extent);
    extent->state = RK_KEYDIR_LIMBO;
    extent->ticket = ticket;
    extent->next = RK_KEYDIR_NO_EXTENT;
    if (extents->limbo_tail != RK_KEYDIR_NO_EXTENT)
        extents->table[extents->limbo_tail].next = at;
    else
        extents->limbo_head = at;
    extents->limbo_tail = at;
    extents->n_limbo++;
    extents->limbo_steps += extent->steps;
}

void rk_keydir_extents_reclaim(struct rk_keydir_extents *extents, uint64_t passed, uint32_t budget)
{
    for (; budget > 0 && extents->n_limbo > 0; budget--) {
        uint32_t at = extents->limbo_head;
        struct rk_keydir_extent *extent = &extents->table[at];

        if (extent->ticket > passed)
            return;
        extents->limbo_head = extent->next;
        if (extents->limbo_head == RK_KEYDIR_NO_EXTENT)
            extents->limbo_tail = RK_KEYDIR_NO_EXTENT;
        extents->n_limbo--;
        extents->limbo_steps -= extent->steps;
        add_to_pool(extents, at);
        trim_without_grace(extents);
    }
}

void rk_keydir_extents_note_period(struct rk_keydir_extents *extents)
{
    extents->n_trim = extents->pool_low;
    extents->pool_low = extents->n_pool;
}

void rk_keydir_extents_trim(struct rk_keydir_extents *extents, uint32_t budget)
{
    for (; budget > 0 && extents->n_trim > 0 && extents->n_pool > pool_at_rest(extents); budget--) {
        uint32_t at = take_from_list(extents, 63 - (uint32_t)__builtin_clzll(extents->pool_mask));
        struct rk_keydir_extent *extent = &extents->table[at];

        punch_steps(extents, at, 0);
        extent->steps = 0;
        extent->state = RK_KEYDIR_BARE;
        extent->next = extents->bare;
        extents->bare = at;
        extents->n_bare++;
        extents->n_trim--;
    }
}

bool rk_keydir_extents_above_rest(const struct rk_keydir_extents *extents)
{
    return extents->n_pool > pool_at_rest(extents);
}

uint64_t rk_keydir_extents_n_free(const struct rk_keydir_extents *extents)
{
    return extents->region->header->n_extents - extents->n_fresh + extents->n_bare + extents->n_pool;
}
