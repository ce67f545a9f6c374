/* How often recovery reads the files, by how much memory there is: made-up summaries of files, and a real one that does
 * not say how many records it has. */
#include "disk/disk_hint.h"
#include "recover/recover_plan.h"
#include "recover/recover_read.h"
#include "recover_bed.h"
#include "test_main.h"

#include "log/log_store.h"
#include "log/log_writer.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static struct rk_recover_file files[2];
static struct rk_recover_reading reading;

static void setup(void)
{
    memset(files, 0, sizeof files);
    memset(&reading, 0, sizeof reading);
    reading.files = files;
    reading.n_files = 2;
    for (size_t i = 0; i < 2; i++)
        files[i].summary = (struct rk_disk_file_summary){
            .file_bytes = 3 * GIB, .has_header = true, .has_trailer = true, .trailer = { .n_records = 2500000 }
        };
}

static struct rk_recover_plan plan(uint64_t keydir_bytes, uint64_t left_bytes, uint64_t memory_bytes)
{
    struct rk_recover_hooks hooks = { .memory_left_bytes = left_bytes, .memory_bytes = memory_bytes };

    return rk_recover_plan(&reading, keydir_bytes, &hooks);
}

START_TEST(where_there_is_plenty_one_pass_is_enough)
{
    ck_assert_uint_eq(plan(12 * GIB, 0, 0).n_passes, 1); /* nobody knows: as if there were */
    ck_assert_uint_eq(plan(12 * GIB, 20 * GIB, 0).n_passes, 1);
    ck_assert_uint_eq(plan(12 * GIB, 20 * GIB, 0).n_usual, 5000000);
}
END_TEST

/* The keydir of all records, and what the passes need at a time, are less than what is left. */
START_TEST(the_less_is_left_the_more_passes)
{
    static const uint64_t lefts[] = { 512, 400, 320, 256, 224, 192, 180 };
    const uint64_t keydir_bytes = 5000000 * 25, entries_bytes = 5000000 * sizeof(struct rk_disk_hint_entry);
    uint64_t n_before = 0;

    for (size_t i = 0; i < sizeof lefts / sizeof lefts[0]; i++) {
        uint64_t n_passes = plan(12 * GIB, lefts[i] * MIB, 0).n_passes;

        ck_assert_uint_ge(n_passes, n_before);
        ck_assert_uint_le(keydir_bytes + 2 * entries_bytes / n_passes, lefts[i] * MIB);
        n_before = n_passes;
    }
    ck_assert_uint_gt(n_before, 10);
    ck_assert_uint_eq(plan(12 * GIB, 1, 0).n_passes, entries_bytes / (4 * MIB) + 1); /* and not for ever more */
}
END_TEST

/* A keydir takes no more than its limit, however many records are dead. */
START_TEST(a_small_keydir_leaves_more)
{
    ck_assert_uint_lt(plan(16 * MIB, 200 * MIB, 0).n_passes, plan(12 * GIB, 200 * MIB, 0).n_passes);
}
END_TEST

START_TEST(what_is_asked_for_counts)
{
    ck_assert_uint_eq(plan(12 * GIB, 1, 5000000 * sizeof(struct rk_disk_hint_entry) / 3).n_passes, 4);
}
END_TEST

/* A file without a trailer could hold one record for each 48 bytes; it is counted before it is read so often. */
START_TEST(the_newest_file_is_counted)
{
    static struct bed bed;

    bed_create(&bed, 1);
    bed_open_writer(&bed);
    bed_write(&bed, 20, 0);
    reading.store = bed.store;
    reading.n_files = 1;
    files[0].number = rk_log_store_file(bed.store, rk_log_store_n_files(bed.store) - 1);
    files[0].summary = (struct rk_disk_file_summary){ .file_bytes = GIB, .has_header = true };
    ck_assert_uint_eq(plan(12 * GIB, 100 * MIB, 0).n_passes, 1);
    ck_assert_uint_ge(plan(12 * GIB, 100 * MIB, 0).n_usual, 1);
    ck_assert_uint_le(plan(12 * GIB, 100 * MIB, 0).n_usual, 20);
    bed_close_writer(&bed);
    bed_destroy(&bed);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store recover plan");
    TCase *tcase = tcase_create("plan");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, where_there_is_plenty_one_pass_is_enough);
    tcase_add_test(tcase, the_less_is_left_the_more_passes);
    tcase_add_test(tcase, a_small_keydir_leaves_more);
    tcase_add_test(tcase, what_is_asked_for_counts);
    tcase_add_test(tcase, the_newest_file_is_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}
