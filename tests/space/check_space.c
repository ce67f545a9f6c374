/* The table of live and dead bytes: sums, moves, files that go, tables that are added up. */
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "space/space.h"
#include "test_main.h"

#include <string.h>

static struct rk_space *space;

static void setup(void)
{
    space = rk_space_create();
}

static void teardown(void)
{
    rk_space_destroy(&space);
}

static uint64_t at(uint32_t file_number, uint64_t offset_bytes, uint32_t size_bytes)
{
    return rk_disk_location_encode(
        (struct rk_location){ .file_number = file_number, .offset_bytes = offset_bytes, .size_bytes = size_bytes });
}

START_TEST(a_record_is_counted_in_one_column_of_its_file)
{
    struct rk_space_file file;

    rk_space_add(space, at(7, 80, 48), RK_SPACE_LIVE);
    rk_space_add(space, at(7, 128, 4096), RK_SPACE_LIVE);
    rk_space_add(space, at(RK_DISK_FILE_NUMBER_MAX, 80, 48), RK_SPACE_TOMBSTONE);
    rk_space_move(space, at(7, 128, 4096), RK_SPACE_LIVE, RK_SPACE_DELETED);
    file = rk_space_file(space, 7);
    ck_assert_uint_eq(file.file_number, 7);
    ck_assert_uint_eq(file.n_records[RK_SPACE_LIVE], 1);
    ck_assert_uint_eq(file.bytes[RK_SPACE_LIVE], 48);
    ck_assert_uint_eq(file.n_records[RK_SPACE_DELETED], 1);
    ck_assert_uint_eq(file.bytes[RK_SPACE_DELETED], 4096);
    ck_assert_uint_eq(rk_space_file(space, RK_DISK_FILE_NUMBER_MAX).bytes[RK_SPACE_TOMBSTONE], 48);
    ck_assert_uint_eq(rk_space_file(space, 8).bytes[RK_SPACE_LIVE], 0);
    ck_assert_uint_eq(rk_space_total(space).n_records[RK_SPACE_TOMBSTONE], 1);
    ck_assert_uint_eq(rk_space_total(space).bytes[RK_SPACE_DELETED], 4096);
}
END_TEST

START_TEST(a_file_that_is_gone_leaves_nothing)
{
    static const struct rk_space_file nothing;
    struct rk_space_file total;

    rk_space_add(space, at(1, 80, 64), RK_SPACE_LIVE);
    rk_space_add(space, at(2, 80, 32), RK_SPACE_OVERWRITTEN);
    rk_space_forget(space, 1);
    rk_space_forget(space, 3);
    ck_assert_uint_eq(rk_space_file(space, 1).n_records[RK_SPACE_LIVE], 0);
    ck_assert_uint_eq(rk_space_total(space).bytes[RK_SPACE_OVERWRITTEN], 32);
    rk_space_forget(space, 2);
    total = rk_space_total(space);
    ck_assert_mem_eq(&total, &nothing, sizeof total);
}
END_TEST

START_TEST(tables_of_several_owners_add_up)
{
    struct rk_space *other = rk_space_create();

    rk_space_add(space, at(1, 80, 64), RK_SPACE_LIVE);
    rk_space_add(other, at(1, 144, 64), RK_SPACE_LIVE);
    rk_space_add(other, at(70000, 80, 16 * 200), RK_SPACE_EXPIRED);
    rk_space_note_expiry(space, 1, 300);
    rk_space_note_expiry(other, 1, 200);
    rk_space_note_expiry(other, 70000, 400);
    rk_space_add_all(space, other);
    rk_space_destroy(&other);
    ck_assert_uint_eq(rk_space_file(space, 1).bytes[RK_SPACE_LIVE], 128);
    ck_assert_uint_eq(rk_space_file(space, 70000).bytes[RK_SPACE_EXPIRED], 3200);
    ck_assert_uint_eq(rk_space_total(space).n_records[RK_SPACE_LIVE], 2);
    ck_assert_uint_eq(rk_space_total(space).bytes[RK_SPACE_EXPIRED], 3200);
    ck_assert_uint_eq(rk_space_file(space, 1).first_expiry_s, 200);
    ck_assert_uint_eq(rk_space_file(space, 70000).first_expiry_s, 400);
}
END_TEST

START_TEST(a_file_knows_its_first_expiry)
{
    struct rk_space *other = rk_space_create();

    ck_assert_uint_eq(rk_space_file(space, 1).first_expiry_s, 0);
    rk_space_note_expiry(space, 1, RK_DISK_EXPIRY_NONE);
    rk_space_note_expiry(space, 1, RK_DISK_EXPIRY_TOMBSTONE);
    rk_space_note_expiry(space, 1, RK_DISK_EXPIRY_FAR);
    ck_assert_uint_eq(rk_space_file(space, 1).first_expiry_s, 0);
    rk_space_note_expiry(space, 1, 500);
    rk_space_note_expiry(space, 1, 400);
    rk_space_note_expiry(space, 1, 600);
    ck_assert_uint_eq(rk_space_file(space, 1).first_expiry_s, 400);
    rk_space_note_expiry(other, 1, 300);
    rk_space_note_expiry(other, 2, 700);
    rk_space_add_all(space, other);
    ck_assert_uint_eq(rk_space_file(space, 2).first_expiry_s, 700);
    ck_assert_uint_eq(rk_space_take_expiry(space, 1), 300);
    ck_assert_uint_eq(rk_space_file(space, 1).first_expiry_s, 0);
    rk_space_forget(space, 2);
    ck_assert_uint_eq(rk_space_take_expiry(space, 2), 0);
    rk_space_destroy(&other);
}
END_TEST

/* Seconds are rounded up: at 399,001 ms a record whose second is 400 may have expired. */
START_TEST(a_look_at_a_file_does_not_hide_that_something_has_expired)
{
    uint64_t in_1 = at(1, 80, 64), in_2 = at(2, 80, 64);

    ck_assert(!rk_space_may_have_expired(space, in_1, UINT64_MAX));
    rk_space_note_expiry(space, 1, 400);
    ck_assert(!rk_space_may_have_expired(space, in_1, 399000));
    ck_assert(rk_space_may_have_expired(space, in_1, 399001));
    ck_assert(!rk_space_may_have_expired(space, in_2, 399001));
    ck_assert_uint_eq(rk_space_take_expiry(space, 1), 400);
    ck_assert(!rk_space_may_have_expired(space, in_1, 399000));
    ck_assert(rk_space_may_have_expired(space, in_1, 399001));
    rk_space_note_expiry(space, 1, 300); /* a write meanwhile */
    ck_assert(rk_space_may_have_expired(space, in_1, 299001));
    rk_space_give_expiry(space, 1, 500);
    ck_assert(rk_space_may_have_expired(space, in_1, 299001));
    ck_assert_uint_eq(rk_space_take_expiry(space, 1), 300);
    rk_space_give_expiry(space, 1, 500);
    ck_assert(!rk_space_may_have_expired(space, in_1, 499000));
    ck_assert(rk_space_may_have_expired(space, in_1, 499001));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store space");
    TCase *tcase = tcase_create("space");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_record_is_counted_in_one_column_of_its_file);
    tcase_add_test(tcase, a_file_that_is_gone_leaves_nothing);
    tcase_add_test(tcase, a_file_knows_its_first_expiry);
    tcase_add_test(tcase, a_look_at_a_file_does_not_hide_that_something_has_expired);
    tcase_add_test(tcase, tables_of_several_owners_add_up);
    suite_add_tcase(suite, tcase);
    return suite;
}
