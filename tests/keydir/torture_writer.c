#include "torture.h"

#include "base/base_detail.h"
#include "base/base_time.h"
#include "keydir/keydir_check_writer.h"
#include "keydir/keydir_resize.h"

#include <stdio.h>

#define DEADLINE_NS     (15 * RK_NS_PER_S) /* a grace period that takes longer never ends */
#define LIMBO_MAX_BYTES (128ull << 20)     /* what is normal, and what four sleeping readers add to it in proportion */
#define PHASE_NS        (400 * RK_NS_PER_MS)

static void change_key(struct torture_writer *writer, uint32_t id, bool delete)
{
    struct torture_mark *mark = &writer->shared->marks[id];
    uint64_t before = atomic_load_explicit(&mark->floor, memory_order_relaxed);
    uint64_t after = ((before >> 1) + 1) << 1 | (delete ? 1 : 0);
    struct rk_fingerprint fingerprint = torture_fingerprint(id);
    uint64_t previous;

    atomic_store_explicit(&mark->ceiling, after, memory_order_release);
    previous = delete ? rk_keydir_writer_delete(writer->keydir, fingerprint)
                      : rk_keydir_writer_put(writer->keydir, fingerprint, torture_location(id, after));
    atomic_store_explicit(&mark->floor, after, memory_order_release);
    writer->n_changes++;
    if (previous != (before == 0 ? 0 : torture_location(id, before)))
        torture_fail(writer->shared, "id %u: the writer found %llx", id, (unsigned long long)previous);
}

/* The compactor's change: the same key elsewhere. */
static void relocate_key(struct torture_writer *writer, uint32_t id)
{
    struct torture_mark *mark = &writer->shared->marks[id];
    uint64_t before = atomic_load_explicit(&mark->floor, memory_order_relaxed);
    uint64_t after = before + 2;

    if ((before & 1) != 0)
        return;
    atomic_store_explicit(&mark->ceiling, after, memory_order_release);
    if (!rk_keydir_writer_relocate(writer->keydir, torture_fingerprint(id), torture_location(id, before),
                                   torture_location(id, after)))
        torture_fail(writer->shared, "id %u: relocation refused", id);
    atomic_store_explicit(&mark->floor, after, memory_order_release);
    writer->n_changes++;
}

static void reclaim(struct torture_writer *writer)
{
    bool wanted = rk_keydir_writer_wants_grace(writer->keydir);
    uint64_t limbo_bytes;

    rk_keydir_writer_reclaim(writer->keydir, rk_grace_writer_poll(writer->grace, wanted, rk_time_monotonic_ns()));
    limbo_bytes = rk_keydir_writer_usage(writer->keydir).limbo_bytes;
    if (limbo_bytes > writer->longest_limbo_bytes)
        writer->longest_limbo_bytes = limbo_bytes;
    if (limbo_bytes > LIMBO_MAX_BYTES)
        torture_fail(writer->shared, "%llu bytes in limbo", (unsigned long long)limbo_bytes);
    if (rk_grace_writer_waiting_ns(writer->grace, rk_time_monotonic_ns(), NULL) > DEADLINE_NS)
        torture_fail(writer->shared, "a grace period does not end");
}

/* Phases that grow, keep and shrink the keydir; in each a few ids get most of the changes. */
static void change_keys(struct torture_writer *writer, uint64_t *random)
{
    static const unsigned delete_percent[] = { 5, 50, 95, 50, 90 };
    unsigned phase = (unsigned)(rk_time_monotonic_ns() / PHASE_NS % 5);

    for (int i = 0; i < 64; i++) {
        uint64_t dice = torture_random(random);
        uint32_t id = (uint32_t)(dice >> 32) % ((dice & 7) == 0 ? TORTURE_N_KEPT * 2 : TORTURE_N_IDS);

        if ((dice >> 8) % 100 < 10)
            relocate_key(writer, id);
        else
            change_key(writer, id, id >= TORTURE_N_KEPT && (dice >> 16) % 100 < delete_percent[phase]);
    }
}

/* What waits must pass, however the workers died and slept. */
static void drain(struct torture_writer *writer)
{
    uint64_t until_ns = rk_time_monotonic_ns() + DEADLINE_NS;

    while (rk_keydir_writer_wants_grace(writer->keydir) && !atomic_load(&writer->shared->failed)) {
        reclaim(writer);
        if (rk_time_monotonic_ns() > until_ns)
            torture_fail(writer->shared, "limbo does not become empty");
    }
}

static void examine(struct torture_writer *writer)
{
    struct rk_detail detail = { .text = "" };

    if (rk_keydir_check_writer(writer->keydir, &detail) != RK_OK)
        torture_fail(writer->shared, "%s", detail.text);
    for (uint32_t id = 0; id < TORTURE_N_IDS; id++) {
        uint64_t mark = atomic_load(&writer->shared->marks[id].floor);

        if (rk_keydir_writer_lookup(writer->keydir, torture_fingerprint(id)) != torture_location(id, mark))
            torture_fail(writer->shared, "id %u: not as it was left", id);
    }
}

void torture_writer_run(struct torture_writer *writer)
{
    uint64_t random = writer->shared->seed * 2 + 1;

    writer->keydir->extents.poisons = true;
    for (uint32_t id = 0; id < TORTURE_N_IDS; id++)
        change_key(writer, id, false);
    atomic_store(&writer->shared->filled, true);
    while (!atomic_load(&writer->shared->stop)) {
        change_keys(writer, &random);
        reclaim(writer);
    }
    drain(writer);
    if (!atomic_load(&writer->shared->failed))
        examine(writer);
}
