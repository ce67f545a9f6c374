#include "keydir/keydir_writer.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "keydir/keydir_resize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECLAIM_BUDGET_EXTENTS 64u
#define RECLAIM_BUDGET_ENTRIES 256u
#define RECLAIM_BUDGET_TRIM    4u

#define MIN_EXTENT_BYTES (32ull << 10) /* address space is cheap: no mix of page sizes runs out of extents first */
#define SPARE_EXTENTS    1024ull

static uint32_t log2_up(uint64_t n)
{
    return n <= 1 ? 0 : 64 - (uint32_t)__builtin_clzll(n - 1);
}

/* What the region looks like for so many bytes of memory: four times the address space, and a directory in which one
 * page may be four times as deep as the average. */
static struct rk_keydir_header plan_header(uint64_t max_bytes)
{
    struct rk_keydir_header header = { .magic = RK_KEYDIR_MAGIC,
                                       .version = RK_KEYDIR_VERSION,
                                       .layout = RK_KEYDIR_LAYOUT,
                                       .directory_off = RK_KEYDIR_HEADER_BYTES };
    uint64_t end;

    header.n_extents = max_bytes / MIN_EXTENT_BYTES + SPARE_EXTENTS;
    header.max_depth = log2_up(header.n_extents) + 2;
    end = header.directory_off + (8ull << header.max_depth);
    header.extents_off = (end + RK_KEYDIR_EXTENT_BYTES - 1) / RK_KEYDIR_EXTENT_BYTES * RK_KEYDIR_EXTENT_BYTES;
    header.region_bytes = header.extents_off + header.n_extents * RK_KEYDIR_EXTENT_BYTES;
    return header;
}

/* The second descriptor is opened for reading only, so no map of it can ever be written: that protects the keydir from
 * its readers as F_SEAL_FUTURE_WRITE would, which cannot be had together with giving memory back (the kernel refuses
 * to punch holes into a file with that seal). Nobody but root can open the file for writing again. */
static enum rk_err open_region(struct rk_keydir_writer *writer, uint64_t region_bytes, struct rk_detail *detail)
{
    char path[64];

    writer->fd = memfd_create("rackkv-keydir", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (writer->fd < 0 || ftruncate(writer->fd, (off_t)region_bytes) != 0 || fchmod(writer->fd, S_IRUSR) != 0
        || fcntl(writer->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        rk_detail_set(detail, "keydir: shared memory of %llu bytes of address space: %s",
                      (unsigned long long)region_bytes, strerror(errno));
        return rk_err_from_errno(errno);
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", writer->fd); /* fits any int */
    writer->reader_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (writer->reader_fd < 0) {
        rk_detail_set(detail, "keydir: %s, to open it for reading only: %s", path, strerror(errno));
        return rk_err_from_errno(errno);
    }
    return RK_OK;
}

static enum rk_err map_region(struct rk_keydir_writer *writer, const struct rk_keydir_header *header,
                              struct rk_detail *detail)
{
    uint8_t *map =
        mmap(NULL, (size_t)header->region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, writer->fd, 0);

    if (map == MAP_FAILED) {
        rk_detail_set(detail, "keydir: mapping %llu bytes: %s", (unsigned long long)header->region_bytes,
                      strerror(errno));
        return rk_err_from_errno(errno);
    }
    (void)madvise(map, (size_t)header->region_bytes, MADV_DONTDUMP); /* a core needs no keydir */
    *(struct rk_keydir_header *)(void *)map = *header;
    writer->region = (struct rk_keydir){ .header = (struct rk_keydir_header *)(void *)map,
                                         .directory = (_Atomic uint64_t *)(void *)(map + header->directory_off),
                                         .extents = map + header->extents_off,
                                         .region_bytes = (size_t)header->region_bytes };
    return RK_OK;
}

enum rk_err rk_keydir_writer_create(struct rk_keydir_writer **writer_out, uint64_t max_bytes,
                                    struct rk_grace_writer *grace, struct rk_detail *detail)
{
    struct rk_keydir_header header = plan_header(max_bytes);
    struct rk_keydir_writer *writer = rk_mem_calloc(1, sizeof *writer);
    enum rk_err err;

    writer->fd = writer->reader_fd = -1;
    writer->max_bytes = max_bytes;
    writer->grace = grace;
    if (header.max_depth >= 32) {
        rk_detail_set(detail, "keydir: %llu bytes are more than a keydir can have", (unsigned long long)max_bytes);
        err = RK_ERR_TOO_LARGE;
        goto fail;
    }
    err = open_region(writer, header.region_bytes, detail);
    if (err != RK_OK)
        goto fail;
    err = map_region(writer, &header, detail);
    if (err != RK_OK)
        goto fail;
    err = rk_keydir_extents_init(&writer->extents, &writer->region, writer->fd, grace != NULL);
    if (err != RK_OK) {
        rk_detail_set(detail, "keydir: no room in the address space for the tables of %llu extents",
                      (unsigned long long)header.n_extents);
        goto fail;
    }
    rk_keydir_waiting_init(&writer->waiting);
    writer->builder = rk_keydir_builder_create();
    rk_keydir_resize_init(writer);
    *writer_out = writer;
    return RK_OK;
fail:
    rk_keydir_writer_destroy(&writer);
    return err;
}

void rk_keydir_writer_destroy(struct rk_keydir_writer **writer_at)
{
    struct rk_keydir_writer *writer = *writer_at;

    if (writer == NULL)
        return;
    rk_keydir_extents_fini(&writer->extents);
    rk_keydir_waiting_fini(&writer->waiting);
    rk_keydir_builder_destroy(&writer->builder);
    if (writer->region.header != NULL)
        (void)munmap(writer->region.header, writer->region.region_bytes); /* the range that mmap returned */
    if (writer->reader_fd >= 0)
        (void)close(writer->reader_fd); /* memory: nothing to lose */
    if (writer->fd >= 0)
        (void)close(writer->fd);
    free(writer);
    *writer_at = NULL;
}

int rk_keydir_writer_memfd(const struct rk_keydir_writer *writer)
{
    return writer->reader_fd;
}

const struct rk_keydir *rk_keydir_writer_reader(const struct rk_keydir_writer *writer)
{
    return &writer->region;
}

/* Bytes that n new keys may cost beyond what is in use now. Besides their share of the pages: a page that is replaced
 * is there twice until its grace period has passed, and a number of them may be replaced before one passes. */
static uint64_t bytes_for_new_keys(const struct rk_keydir_writer *writer, uint64_t n_new_keys)
{
    uint64_t n_rebuilds = writer->grace != NULL ? 2 + n_new_keys / 64 : 2;
    uint64_t steps = 2;

    if (n_rebuilds > 64)
        n_rebuilds = 64;
    if (writer->extents.n_pages > 1)
        steps += RK_KEYDIR_MAX_STEPS;
    else
        steps += writer->extents.page_steps;
    return writer->max_bytes / 64 + n_new_keys * 25 + n_rebuilds * steps * RK_KEYDIR_STEP_BYTES;
}

static uint64_t committed_bytes(const struct rk_keydir_writer *writer)
{
    return rk_keydir_resize_directory_bytes(writer)
           + (writer->extents.page_steps + writer->extents.limbo_steps) * RK_KEYDIR_STEP_BYTES;
}

/* Either there are bytes, or keys were deleted since the bytes ran out: the pages that held them then can hold as many
 * again, without waiting for pages to shrink. A yes is a promise because nothing below this call looks at max_bytes:
 * should chance fill some pages more than others, the keydir is a little larger than max_bytes for a while. */
bool rk_keydir_writer_has_room(struct rk_keydir_writer *writer, uint64_t n_new_keys)
{
    if (n_new_keys > writer->max_bytes / 16 || rk_keydir_extents_n_free(&writer->extents) < n_new_keys / 64 + 64)
        return false;
    if (committed_bytes(writer) + bytes_for_new_keys(writer, n_new_keys) > writer->max_bytes)
        return writer->n_keys + n_new_keys <= writer->n_keys_that_fit;
    writer->n_keys_that_fit = writer->n_keys + n_new_keys;
    return true;
}

uint64_t rk_keydir_writer_lookup(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint)
{
    struct rk_keydir_target target = rk_keydir_resize_target(writer, fingerprint.high);

    return rk_keydir_page_lookup(target.page.buckets, target.page.n_buckets, fingerprint);
}

/* A deleted entry is given back to its own key: readers that remember the old location have the right fingerprint. The
 * note in the queue must not free it now; the generation voids it, with those of the page's other deleted entries. */
static void revive_entry(struct rk_keydir_writer *writer, struct rk_keydir_target *target,
                         _Atomic uint64_t *location_at, uint64_t location)
{
    target->extent->generation++;
    target->extent->n_waiting--;
    writer->n_waiting--;
    atomic_store_explicit(location_at, location, memory_order_release);
}

static void insert_key(struct rk_keydir_writer *writer, struct rk_keydir_target target,
                       struct rk_fingerprint fingerprint, uint64_t location)
{
    for (;;) {
        bool full = (uint32_t)target.extent->n_live + target.extent->n_waiting >= target.extent->limit;

        if (!full && rk_keydir_page_insert(&target.page, fingerprint, location))
            break;
        rk_keydir_resize_make_room(writer, target.extent_at, !full);
        target = rk_keydir_resize_target(writer, fingerprint.high);
    }
    target.extent->n_live++;
    writer->n_keys++;
}

uint64_t rk_keydir_writer_put(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint, uint64_t location)
{
    struct rk_keydir_target target = rk_keydir_resize_target(writer, fingerprint.high);
    struct rk_keydir_place place;
    _Atomic uint64_t *location_at;
    uint64_t previous;

    RK_ASSERT(location != 0 && (fingerprint.high != 0 || fingerprint.low != 0));
    if (!rk_keydir_page_find(&target.page, fingerprint, &place)) {
        insert_key(writer, target, fingerprint, location);
        return 0;
    }
    location_at = rk_keydir_page_location(&target.page, place);
    previous = atomic_load_explicit(location_at, memory_order_relaxed);
    if (previous != 0) {
        atomic_store_explicit(location_at, location, memory_order_release);
        return previous;
    }
    revive_entry(writer, &target, location_at, location);
    target.extent->n_live++;
    writer->n_keys++;
    return 0;
}

/* Not free before its ticket has passed, for a reader may remember its location and compare its fingerprint late. */
static void wait_for_grace(struct rk_keydir_writer *writer, struct rk_keydir_target *target,
                           struct rk_keydir_place place)
{
    struct rk_keydir_waiting_note note = { .ticket = rk_keydir_resize_ticket(writer),
                                           .extent = target->extent_at,
                                           .generation = target->extent->generation,
                                           .place = place };

    if (writer->grace == NULL) {
        rk_keydir_page_release(&target->page, place);
        return;
    }
    target->extent->n_waiting++;
    writer->n_waiting++;
    (void)rk_keydir_waiting_push(&writer->waiting, note); /* without a note it waits for the page's next rebuild */
}

uint64_t rk_keydir_writer_delete(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint)
{
    struct rk_keydir_target target = rk_keydir_resize_target(writer, fingerprint.high);
    struct rk_keydir_place place;
    _Atomic uint64_t *location_at;
    uint64_t previous;

    if (!rk_keydir_page_find(&target.page, fingerprint, &place))
        return 0;
    location_at = rk_keydir_page_location(&target.page, place);
    previous = atomic_load_explicit(location_at, memory_order_relaxed);
    if (previous == 0)
        return 0;
    atomic_store_explicit(location_at, 0, memory_order_release);
    target.extent->n_live--;
    writer->n_keys--;
    wait_for_grace(writer, &target, place);
    rk_keydir_resize_after_delete(writer, target.extent_at);
    return previous;
}

bool rk_keydir_writer_relocate(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint, uint64_t expected,
                               uint64_t location)
{
    struct rk_keydir_target target = rk_keydir_resize_target(writer, fingerprint.high);
    struct rk_keydir_place place;
    _Atomic uint64_t *location_at;

    RK_ASSERT(location != 0 && expected != 0);
    if (!rk_keydir_page_find(&target.page, fingerprint, &place))
        return false;
    location_at = rk_keydir_page_location(&target.page, place);
    if (atomic_load_explicit(location_at, memory_order_relaxed) != expected)
        return false;
    atomic_store_explicit(location_at, location, memory_order_release);
    return true;
}

void rk_keydir_writer_prefetch(const struct rk_keydir_writer *writer, const struct rk_fingerprint *fingerprints,
                               size_t n)
{
    struct rk_keydir_spot spots[RK_KEYDIR_MANY];

    RK_ASSERT(n <= RK_KEYDIR_MANY);
    for (size_t i = 0; i < n; i++)
        spots[i] = rk_keydir_prefetch_home(&writer->region, fingerprints[i]);
    for (size_t i = 0; i < n; i++)
        if (rk_keydir_bucket_match(&spots[i].buckets[spots[i].home], fingerprints[i].low) == 0)
            rk_keydir_prefetch_neighbours(&spots[i]);
}

static void free_waiting_entries(struct rk_keydir_writer *writer)
{
    struct rk_keydir_waiting_note note;

    for (uint32_t budget = RECLAIM_BUDGET_ENTRIES; budget > 0; budget--) {
        struct rk_keydir_extent *extent;
        struct rk_keydir_page page;

        if (!rk_keydir_waiting_pop(&writer->waiting, writer->passed, &note))
            return;
        extent = &writer->extents.table[note.extent];
        if (extent->generation != note.generation)
            continue;
        page = rk_keydir_resize_page(writer, note.extent);
        rk_keydir_page_release(&page, note.place);
        extent->n_waiting--;
        writer->n_waiting--;
    }
}

void rk_keydir_writer_reclaim(struct rk_keydir_writer *writer, uint64_t passed)
{
    if (passed > writer->passed) {
        writer->passed = passed;
        rk_keydir_extents_note_period(&writer->extents);
    }
    rk_keydir_extents_reclaim(&writer->extents, writer->passed, RECLAIM_BUDGET_EXTENTS);
    free_waiting_entries(writer);
    rk_keydir_extents_trim(&writer->extents, RECLAIM_BUDGET_TRIM);
    rk_keydir_resize_sweep(writer);
}

bool rk_keydir_writer_wants_grace(const struct rk_keydir_writer *writer)
{
    return writer->grace != NULL
           && (writer->extents.n_limbo > 0 || !rk_keydir_waiting_is_empty(&writer->waiting)
               || rk_keydir_extents_above_rest(&writer->extents));
}

struct rk_keydir_usage rk_keydir_writer_usage(const struct rk_keydir_writer *writer)
{
    const struct rk_keydir_extents *extents = &writer->extents;

    return (struct rk_keydir_usage){
        .n_keys = writer->n_keys,
        .used_bytes = committed_bytes(writer) + extents->pool_steps * RK_KEYDIR_STEP_BYTES,
        .limbo_bytes = extents->limbo_steps * RK_KEYDIR_STEP_BYTES,
        .max_bytes = writer->max_bytes,
        .n_pages = extents->n_pages,
    };
}
