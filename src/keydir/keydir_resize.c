#include "keydir/keydir_resize.h"

#include "base/base_assert.h"
#include "grace/grace_writer.h"

/* Buddies whose keys fit in so many steps become one page; two of half the largest size have just been split. */
#define MERGE_STEPS  24u
#define SWEEP_BUDGET 16u
/* Limbo that is normal: a grace period's worth of growth at full speed, but no more than an eighth of what there may
 * be. Above it, pages grow by half instead of by a step, so that what is left behind stays in proportion to what is in
 * use however long a reader sleeps. */
#define LIMBO_NORMAL_BYTES (32ull << 20)

uint64_t rk_keydir_resize_ticket(const struct rk_keydir_writer *writer)
{
    return writer->grace != NULL ? rk_grace_writer_ticket(writer->grace) : 0;
}

struct rk_keydir_page rk_keydir_resize_page(const struct rk_keydir_writer *writer, uint32_t extent_at)
{
    return (struct rk_keydir_page){ .buckets = rk_keydir_extent_buckets(&writer->region, extent_at),
                                    .free_map = writer->extents.free_maps[extent_at],
                                    .n_buckets = writer->extents.table[extent_at].steps * RK_KEYDIR_STEP_BUCKETS };
}

static uint32_t directory_depth(const struct rk_keydir_writer *writer)
{
    return atomic_load_explicit(&writer->region.header->depth, memory_order_relaxed);
}

struct rk_keydir_target rk_keydir_resize_target(struct rk_keydir_writer *writer, uint64_t high)
{
    uint64_t index = rk_keydir_directory_index(high, directory_depth(writer));
    uint64_t word = atomic_load_explicit(&writer->region.directory[index], memory_order_relaxed);
    uint32_t extent_at = rk_keydir_word_extent(word);

    return (struct rk_keydir_target){
        .page = { .buckets = rk_keydir_extent_buckets(&writer->region, extent_at),
                  .free_map = writer->extents.free_maps[extent_at],
                  .n_buckets = rk_keydir_word_buckets(word) },
        .extent = &writer->extents.table[extent_at],
        .extent_at = extent_at,
    };
}

static bool limbo_is_large(const struct rk_keydir_writer *writer)
{
    uint64_t normal_bytes = writer->max_bytes / 8 < LIMBO_NORMAL_BYTES ? writer->max_bytes / 8 : LIMBO_NORMAL_BYTES;

    return writer->extents.limbo_steps > normal_bytes / RK_KEYDIR_STEP_BYTES + writer->extents.page_steps / 8;
}

/* The smallest page that holds n keys and has room for a sixteenth more: that many inserts pay for the rebuild. */
static uint32_t steps_for(uint32_t n_keys)
{
    uint32_t room = n_keys / 16 > 32 ? n_keys / 16 : 32;

    return (n_keys + room + RK_KEYDIR_STEP_LIMIT - 1) / RK_KEYDIR_STEP_LIMIT;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Points every word of the prefix at the page; partner: the acquire load in rk_keydir_find_word. All words of a page
 * say the same before and after, and nothing changes in between, so their order does not matter. */
static void publish_page(struct rk_keydir_writer *writer, uint32_t extent_at)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    uint64_t word = rk_keydir_word_make(extent_at, extent->steps, extent->depth);

    for (uint64_t i = extent->prefix; i < 1ull << directory_depth(writer); i += 1ull << extent->depth)
        atomic_store_explicit(&writer->region.directory[i], word, memory_order_release);
    writer->n_at_depth[extent->depth]++;
}

/* The page is no longer pointed at. */
static void retire_page(struct rk_keydir_writer *writer, uint32_t extent_at)
{
    struct rk_keydir_extent *extent = &writer->extents.table[extent_at];

    writer->n_at_depth[extent->depth]--;
    writer->n_waiting -= extent->n_waiting;
    rk_keydir_extents_retire(&writer->extents, extent_at, rk_keydir_resize_ticket(writer));
    if (writer->grace == NULL)
        rk_keydir_extents_reclaim(&writer->extents, 0, 1);
}

/* What a new page is made of and for. */
struct page_plan {
    struct rk_keydir_page sources[2];
    uint32_t n_sources;
    struct rk_keydir_filter filter;
    uint32_t n_live;
    uint32_t prefix;
    uint32_t depth;
    uint32_t steps; /* or more, where keys do not find a place */
};

/* Makes the page, unpublished; RK_KEYDIR_NO_EXTENT when not even the largest one has a place for every key. */
static uint32_t build_page(struct rk_keydir_writer *writer, const struct page_plan *plan)
{
    for (uint32_t steps = plan->steps; steps <= RK_KEYDIR_MAX_STEPS; steps++) {
        uint32_t at = rk_keydir_extents_take(&writer->extents, steps);
        struct rk_keydir_page page = rk_keydir_resize_page(writer, at);
        struct rk_keydir_extent *extent = &writer->extents.table[at];

        if (rk_keydir_builder_fill(writer->builder, &page, plan->sources, plan->n_sources, plan->filter)) {
            extent->prefix = plan->prefix;
            extent->depth = (uint8_t)plan->depth;
            extent->n_live = (uint16_t)plan->n_live;
            extent->limit = (uint16_t)(steps * RK_KEYDIR_STEP_LIMIT);
            return at;
        }
        rk_keydir_extents_put_back(&writer->extents, at);
    }
    return RK_KEYDIR_NO_EXTENT;
}

static bool rebuild_page(struct rk_keydir_writer *writer, uint32_t extent_at, uint32_t steps)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    struct page_plan plan = { .sources = { rk_keydir_resize_page(writer, extent_at) },
                              .n_sources = 1,
                              .n_live = extent->n_live,
                              .prefix = extent->prefix,
                              .depth = extent->depth,
                              .steps = steps };
    uint32_t at = build_page(writer, &plan);

    if (at == RK_KEYDIR_NO_EXTENT)
        return false;
    publish_page(writer, at);
    retire_page(writer, extent_at);
    return true;
}

/* The upper half first, the depth last (guarantee 7); the words mean the same before and after. */
static void double_directory(struct rk_keydir_writer *writer)
{
    uint32_t depth = directory_depth(writer);
    uint64_t n_words = 1ull << depth;

    RK_ASSERT(depth < writer->region.header->max_depth);
    for (uint64_t i = 0; i < n_words; i++) {
        uint64_t word = atomic_load_explicit(&writer->region.directory[i], memory_order_relaxed);

        atomic_store_explicit(&writer->region.directory[n_words + i], word, memory_order_release);
    }
    atomic_store_explicit(&writer->region.header->depth, depth + 1, memory_order_release);
    if (depth + 1 > writer->top_depth)
        writer->top_depth = depth + 1;
}

static void halve_directory(struct rk_keydir_writer *writer)
{
    uint32_t depth = directory_depth(writer);

    while (depth > 0 && writer->n_at_depth[depth] == 0)
        depth--;
    atomic_store_explicit(&writer->region.header->depth, depth, memory_order_release);
}

/* With limbo large the halves get half as much room again. */
static uint32_t steps_of_half(const struct rk_keydir_writer *writer, uint32_t n_keys)
{
    uint32_t steps = steps_for(n_keys);

    return min_u32(limbo_is_large(writer) ? steps + steps / 2 : steps, RK_KEYDIR_MAX_STEPS);
}

static uint32_t build_half(struct rk_keydir_writer *writer, uint32_t extent_at, uint32_t half)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    struct page_plan plan = { .sources = { rk_keydir_resize_page(writer, extent_at) },
                              .n_sources = 1,
                              .filter = { .mask = 1ull << extent->depth, .value = (uint64_t)half << extent->depth },
                              .prefix = extent->prefix | half << extent->depth,
                              .depth = extent->depth + 1u };
    uint32_t at;

    plan.n_live = rk_keydir_page_count(&plan.sources[0], plan.filter);
    plan.steps = steps_of_half(writer, plan.n_live);
    at = build_page(writer, &plan);
    RK_ASSERT(at != RK_KEYDIR_NO_EXTENT); /* a largest page for half of a page's keys: fingerprints are not random */
    return at;
}

static void split_page(struct rk_keydir_writer *writer, uint32_t extent_at)
{
    uint32_t low_half, high_half;

    if (writer->extents.table[extent_at].depth == directory_depth(writer))
        double_directory(writer);
    low_half = build_half(writer, extent_at, 0);
    high_half = build_half(writer, extent_at, 1);
    publish_page(writer, low_half);
    publish_page(writer, high_half);
    retire_page(writer, extent_at);
}

void rk_keydir_resize_make_room(struct rk_keydir_writer *writer, uint32_t extent_at, bool crowded)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    uint32_t steps = steps_for(extent->n_live + 1u);

    if (crowded && steps <= extent->steps && extent->n_waiting < extent->n_live / 16)
        steps = extent->steps + 1u; /* otherwise dropping the deleted ones makes room enough */
    if (limbo_is_large(writer) && extent->steps < RK_KEYDIR_MAX_STEPS) {
        uint32_t half_more = min_u32(extent->steps + extent->steps / 2u + 1u, RK_KEYDIR_MAX_STEPS);

        steps = steps > half_more ? steps : half_more;
    }
    if (steps > RK_KEYDIR_MAX_STEPS || !rebuild_page(writer, extent_at, steps))
        split_page(writer, extent_at);
}

/* The extent of the page that differs in the last bit of the prefix only; RK_KEYDIR_NO_EXTENT if that is split. */
static uint32_t find_buddy(const struct rk_keydir_writer *writer, const struct rk_keydir_extent *extent)
{
    uint64_t word;

    if (extent->depth == 0)
        return RK_KEYDIR_NO_EXTENT;
    word = atomic_load_explicit(&writer->region.directory[extent->prefix ^ 1u << (extent->depth - 1)],
                                memory_order_relaxed);
    return rk_keydir_word_depth(word) == extent->depth ? rk_keydir_word_extent(word) : RK_KEYDIR_NO_EXTENT;
}

static bool merge_page(struct rk_keydir_writer *writer, uint32_t extent_at)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    uint32_t buddy_at = find_buddy(writer, extent);
    struct page_plan plan;
    uint32_t at;

    if (buddy_at == RK_KEYDIR_NO_EXTENT)
        return false;
    plan = (struct page_plan){ .sources = { rk_keydir_resize_page(writer, extent_at),
                                            rk_keydir_resize_page(writer, buddy_at) },
                               .n_sources = 2,
                               .n_live = extent->n_live + (uint32_t)writer->extents.table[buddy_at].n_live,
                               .prefix = extent->prefix & ~(1u << (extent->depth - 1)),
                               .depth = extent->depth - 1u };
    plan.steps = steps_for(plan.n_live);
    if (plan.steps > MERGE_STEPS)
        return false;
    at = build_page(writer, &plan);
    if (at == RK_KEYDIR_NO_EXTENT)
        return false;
    publish_page(writer, at);
    retire_page(writer, extent_at);
    retire_page(writer, buddy_at);
    halve_directory(writer);
    return true;
}

/* Two steps, or an eighth, of slack: a page at the border does not go back and forth. */
static bool shrink_page(struct rk_keydir_writer *writer, uint32_t extent_at)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    uint32_t steps = steps_for(extent->n_live);
    uint32_t slack = extent->steps / 8u > 2u ? extent->steps / 8u : 2u;

    return steps + slack <= extent->steps && rebuild_page(writer, extent_at, steps);
}

void rk_keydir_resize_after_delete(struct rk_keydir_writer *writer, uint32_t extent_at)
{
    if (limbo_is_large(writer))
        return;
    if (writer->extents.table[extent_at].n_live % 32 == 0 && merge_page(writer, extent_at))
        return;
    (void)shrink_page(writer, extent_at); /* not worth it is fine */
}

void rk_keydir_resize_sweep(struct rk_keydir_writer *writer)
{
    for (uint32_t budget = SWEEP_BUDGET; budget > 0 && !limbo_is_large(writer); budget--) {
        uint32_t at = writer->sweep_at;

        writer->sweep_at = at + 1 < writer->extents.n_fresh ? at + 1 : 0;
        if (writer->extents.table[at].state == RK_KEYDIR_PAGE && shrink_page(writer, at))
            return;
    }
}

/* A reader that still has depth 0 finds the old page at word 0 until that is the last to change; one that has the new
 * depth and the old word finds the same page (guarantees 6 and 7). */
void rk_keydir_resize_replace_all(struct rk_keydir_writer *writer, uint32_t first, uint32_t depth)
{
    _Atomic uint64_t *directory = writer->region.directory;
    uint32_t old_at = rk_keydir_word_extent(atomic_load_explicit(&directory[0], memory_order_relaxed));
    uint64_t first_word = 0;

    RK_ASSERT(directory_depth(writer) == 0 && depth <= writer->region.header->max_depth);
    for (uint32_t at = first; at < writer->extents.n_fresh; at++) {
        const struct rk_keydir_extent *extent = &writer->extents.table[at];
        uint64_t word = rk_keydir_word_make(at, extent->steps, extent->depth);

        if (extent->state != RK_KEYDIR_PAGE)
            continue;
        for (uint64_t i = extent->prefix; i < 1ull << depth; i += 1ull << extent->depth) {
            if (i == 0)
                first_word = word;
            else
                atomic_store_explicit(&directory[i], word, memory_order_release);
        }
        writer->n_at_depth[extent->depth]++;
        writer->n_keys += extent->n_live;
    }
    RK_ASSERT(first_word != 0);
    atomic_store_explicit(&writer->region.header->depth, depth, memory_order_release);
    atomic_store_explicit(&directory[0], first_word, memory_order_release);
    writer->top_depth = depth;
    retire_page(writer, old_at);
}

void rk_keydir_resize_merge_all(struct rk_keydir_writer *writer)
{
    bool merged;

    do {
        merged = false;
        for (uint32_t at = 0; at < writer->extents.n_fresh; at++)
            merged |= writer->extents.table[at].state == RK_KEYDIR_PAGE && merge_page(writer, at);
    } while (merged);
}

uint64_t rk_keydir_resize_bytes_of_depth(uint32_t depth)
{
    uint64_t words = 8ull << depth;

    return RK_KEYDIR_HEADER_BYTES + (words + RK_KEYDIR_STEP_BYTES - 1) / RK_KEYDIR_STEP_BYTES * RK_KEYDIR_STEP_BYTES;
}

uint64_t rk_keydir_resize_directory_bytes(const struct rk_keydir_writer *writer)
{
    return rk_keydir_resize_bytes_of_depth(writer->top_depth);
}

void rk_keydir_resize_init(struct rk_keydir_writer *writer)
{
    struct page_plan plan = { .steps = 1 };

    publish_page(writer, build_page(writer, &plan));
}
