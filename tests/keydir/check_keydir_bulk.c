/* The bulk builder against ordinary puts: the same keys, sound in every respect, as small, and alive afterwards. */
#include "keydir_bed.h"
#include "test_main.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "keydir/keydir_bulk_writer.h"
#include "keydir/keydir_check_writer.h"
#include "keydir/keydir_layout.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIB       (1ull << 20)
#define N_THREADS 3u

/* A filling of the bed with all of its ids, in parts. */
struct filling {
    struct keydir_bed *bed;
    struct rk_keydir_bulk *bulk;
    struct rk_keydir_entry *entries; /* of all parts */
    uint32_t n_entries;
    uint32_t depth;
    uint32_t sorted_depth;
    _Atomic uint32_t next_part;
};

struct filler {
    struct filling *filling;
    unsigned number;
    pthread_t thread;
};

/* Compares by the bits from the lowest on, as entries come that were sorted by them. */
static uint64_t reverse_bits(uint64_t x)
{
    uint64_t reversed = 0;

    for (unsigned i = 0; i < 64; i++)
        reversed |= (x >> i & 1) << (63 - i);
    return reversed;
}

static int compare_entries(const void *a, const void *b)
{
    uint64_t left = reverse_bits(((const struct rk_keydir_entry *)a)->high);
    uint64_t right = reverse_bits(((const struct rk_keydir_entry *)b)->high);

    return (left > right) - (left < right);
}

static void list_entries(struct filling *filling)
{
    const struct keydir_bed *bed = filling->bed;

    filling->entries = rk_mem_calloc(bed->n_ids, sizeof *filling->entries);
    for (uint32_t id = 0; id < bed->n_ids; id++) {
        struct rk_fingerprint fingerprint = keydir_bed_fingerprint(id);

        if (bed->expected[id] != 0)
            filling->entries[filling->n_entries++] = (struct rk_keydir_entry){ .location = bed->expected[id],
                                                                               .high = fingerprint.high,
                                                                               .low = fingerprint.low };
    }
}

static void add_part(const struct filling *filling, unsigned thread, uint32_t prefix)
{
    struct rk_keydir_bulk_part part = { .prefix = prefix,
                                        .depth = filling->depth,
                                        .sorted_depth = filling->sorted_depth };
    struct rk_keydir_entry *entries = rk_mem_calloc(filling->n_entries, sizeof *entries);
    uint32_t n_entries = 0;

    for (uint32_t i = 0; i < filling->n_entries; i++) {
        if ((filling->entries[i].high & ((1ull << filling->depth) - 1)) == prefix)
            entries[n_entries++] = filling->entries[i];
    }
    if (filling->sorted_depth > filling->depth)
        qsort(entries, n_entries, sizeof *entries, compare_entries);
    rk_keydir_bulk_add(filling->bulk, thread, &part, entries, n_entries);
    free(entries);
}

static void *run_filler(void *argument)
{
    struct filler *filler = argument;
    uint32_t prefix;

    while ((prefix = atomic_fetch_add(&filler->filling->next_part, 1)) < 1u << filler->filling->depth)
        add_part(filler->filling, filler->number, prefix);
    return NULL;
}

/* Says which ids are there: one of `every`. */
static void expect_ids(struct keydir_bed *bed, uint32_t every)
{
    for (uint32_t id = 0; id < bed->n_ids; id += every) {
        bed->expected[id] = ++bed->n_locations;
        bed->n_keys++;
    }
}

static enum rk_err fill(struct keydir_bed *bed, uint32_t depth, uint32_t sorted_depth, struct rk_detail *detail)
{
    struct filling filling = { .bed = bed, .depth = depth, .sorted_depth = sorted_depth };
    struct filler fillers[N_THREADS];
    enum rk_err err;

    list_entries(&filling);
    filling.bulk = rk_keydir_bulk_create(bed->writer, N_THREADS);
    for (unsigned i = 0; i < N_THREADS; i++) {
        fillers[i] = (struct filler){ .filling = &filling, .number = i };
        ck_assert_int_eq(pthread_create(&fillers[i].thread, NULL, run_filler, &fillers[i]), 0);
    }
    for (unsigned i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_join(fillers[i].thread, NULL), 0);
    err = rk_keydir_bulk_publish(filling.bulk, detail);
    rk_keydir_bulk_destroy(&filling.bulk);
    free(filling.entries);
    return err;
}

static uint64_t resident_bytes(const struct keydir_bed *bed)
{
    struct stat status;

    ck_assert_int_eq(fstat(rk_keydir_writer_memfd(bed->writer), &status), 0);
    return (uint64_t)status.st_blocks * 512;
}

static void churn(struct keydir_bed *bed, uint32_t n_ops, unsigned put_percent)
{
    for (uint32_t op = 0; op < n_ops; op++) {
        uint32_t id = (uint32_t)(keydir_bed_random(bed) % bed->n_ids);

        if (keydir_bed_random(bed) % 100 < put_percent)
            keydir_bed_put(bed, id);
        else
            keydir_bed_delete(bed, id);
        if (op % 512 == 0)
            keydir_bed_pass_once(bed);
    }
    keydir_bed_verify(bed);
}

static const struct {
    uint32_t n_ids, every, depth, sorted_depth;
} shapes[] = {
    { 1, 1, 0, 0 },      { 10, 20, 0, 0 },     { 5000, 1, 0, 0 },      { 5700, 1, 0, 5 },  { 6000, 1, 2, 2 },
    { 40000, 1, 0, 0 },  { 40000, 1, 0, 6 },   { 40000, 1, 1, 3 },     { 40000, 1, 4, 4 }, { 40000, 7, 3, 4 },
    { 100000, 2, 2, 4 }, { 100000, 50, 6, 8 }, { 60000, 60000, 7, 7 },
};

START_TEST(what_was_filled_is_a_keydir)
{
    uint32_t n_ids = shapes[_i].n_ids;
    struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, true, 1);
    uint64_t n_keys;

    expect_ids(bed, shapes[_i].every);
    n_keys = bed->n_keys;
    ck_assert_int_eq(fill(bed, shapes[_i].depth, shapes[_i].sorted_depth, NULL), RK_OK);
    keydir_bed_verify(bed);
    ck_assert(rk_keydir_writer_has_room(bed->writer, 1000));
    keydir_bed_pass(bed);
    keydir_bed_verify(bed);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).n_pages, 1 + n_keys / 1500);
    ck_assert_uint_eq(resident_bytes(bed), rk_keydir_writer_usage(bed->writer).used_bytes);
    churn(bed, 10000, 80);
    churn(bed, 10000, 20);
    for (uint32_t id = 0; id < n_ids; id++)
        keydir_bed_delete(bed, id);
    keydir_bed_pass(bed);
    keydir_bed_verify(bed);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).n_pages, 8);
    keydir_bed_destroy(&bed);
}
END_TEST

/* At any population, and with the memory that an ordinary filling needs. */
START_TEST(bytes_a_key)
{
    for (uint32_t n_ids = 100000; n_ids <= 400000; n_ids += n_ids / 5) {
        struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, false, 1);
        double bytes;

        expect_ids(bed, 1);
        ck_assert_int_eq(fill(bed, 3, 3, NULL), RK_OK);
        bytes = (double)rk_keydir_writer_usage(bed->writer).used_bytes / n_ids;
        ck_assert_msg(bytes <= 25.0, "%.2f bytes a key at %u", bytes, n_ids);
        keydir_bed_destroy(&bed);
    }
}
END_TEST

/* What ordinary puts fill to the limit fits again. */
START_TEST(as_many_keys_fit_as_one_by_one)
{
    struct keydir_bed *bed = keydir_bed_create(8 * MIB, 400000, false, 1), *again;
    uint32_t id = 0, max_depth;
    struct rk_keydir_bulk *bulk;

    while (rk_keydir_writer_has_room(bed->writer, 1))
        keydir_bed_put(bed, id++);
    again = keydir_bed_create(8 * MIB, id, false, 1);
    expect_ids(again, 1);
    bulk = rk_keydir_bulk_create(again->writer, 1);
    max_depth = rk_keydir_bulk_max_depth(bulk);
    rk_keydir_bulk_destroy(&bulk);
    ck_assert_int_eq(fill(again, max_depth, max_depth, NULL), RK_OK);
    keydir_bed_verify(again);
    keydir_bed_destroy(&again);
    keydir_bed_destroy(&bed);
}
END_TEST

/* Too much: said with figures, and nothing is left of it. */
START_TEST(full_leaves_nothing_behind)
{
    struct keydir_bed *bed = keydir_bed_create(2 * MIB, 100000, true, 1);
    uint64_t bytes_before = resident_bytes(bed);
    struct rk_detail detail = { .text = "" };

    expect_ids(bed, 1);
    ck_assert_int_eq(fill(bed, 2, 2, &detail), RK_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(detail.text, "100000 keys need 24"));
    ck_assert_ptr_nonnull(strstr(detail.text, "keydir.max_bytes is 2097152"));
    ck_assert_uint_eq(resident_bytes(bed), bytes_before);
    memset(bed->expected, 0, bed->n_ids * sizeof *bed->expected);
    bed->n_keys = 0;
    keydir_bed_verify(bed);
    for (uint32_t id = 0; id < 20000; id++)
        keydir_bed_put(bed, id);
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}
END_TEST

/* Fingerprints that crowd around one home: a larger page, or two, must take them. */
START_TEST(crowded_homes_find_a_place)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 1, false, 1);
    struct rk_keydir_bulk *bulk = rk_keydir_bulk_create(bed->writer, 1);
    struct rk_keydir_bulk_part part = { .prefix = 0 };
    struct rk_keydir_entry entries[1200];
    struct rk_detail detail = { .text = "" };

    for (uint32_t i = 0; i < 1200; i++)
        entries[i] = (struct rk_keydir_entry){ .location = i + 1,
                                               .high = (uint64_t)(i % 6) << 61 | reverse_bits(i) >> 44 | 1u << 20,
                                               .low = i + 1 };
    rk_keydir_bulk_add(bulk, 0, &part, entries, 1200);
    ck_assert_int_eq(rk_keydir_bulk_publish(bulk, NULL), RK_OK);
    rk_keydir_bulk_destroy(&bulk);
    ck_assert_msg(rk_keydir_check_writer(bed->writer, &detail) == RK_OK, "%s", detail.text);
    ck_assert_uint_eq(rk_keydir_writer_usage(bed->writer).n_keys, 1200);
    for (uint32_t i = 0; i < 1200; i++)
        ck_assert_uint_eq(
            rk_keydir_writer_lookup(bed->writer, (struct rk_fingerprint){ entries[i].high, entries[i].low }),
            entries[i].location);
    keydir_bed_destroy(&bed);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("keydir_bulk");
    TCase *tcase = tcase_create("bulk");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, what_was_filled_is_a_keydir, 0, sizeof shapes / sizeof shapes[0]);
    tcase_add_test(tcase, bytes_a_key);
    tcase_add_test(tcase, as_many_keys_fit_as_one_by_one);
    tcase_add_test(tcase, full_leaves_nothing_behind);
    tcase_add_test(tcase, crowded_homes_find_a_place);
    suite_add_tcase(suite, tcase);
    return suite;
}
