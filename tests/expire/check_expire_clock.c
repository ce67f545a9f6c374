/* The clock for expiries: what it believes, and when. */
#include "base/base_time.h"
#include "expire/expire_clock.h"
#include "test_main.h"

#define BEGIN_S 1700000000u
#define HOUR_S  3600u

static struct rk_expire_clock under_test;
static uint64_t monotonic_s; /* as long as it runs */
static int64_t ahead_s;      /* of what the wall clock should say */

static void setup(void)
{
    monotonic_s = 5;
    ahead_s = 0;
    rk_expire_clock_start(&under_test, BEGIN_S * UINT64_C(1000), monotonic_s * RK_NS_PER_S);
}

/* Seconds since the begin, by the clock that is tested. */
static uint64_t look_after(uint64_t seconds)
{
    monotonic_s += seconds;
    return rk_expire_clock_now_s(&under_test, (BEGIN_S + monotonic_s - 5 + (uint64_t)ahead_s) * 1000,
                                 monotonic_s * RK_NS_PER_S)
           - BEGIN_S;
}

START_TEST(a_clock_that_is_right_is_believed)
{
    ck_assert_uint_eq(look_after(0), 0);
    ck_assert_uint_eq(look_after(7), 7);
    ck_assert_uint_eq(look_after(100 * HOUR_S), 100 * HOUR_S + 7);
}
END_TEST

/* Again and again, as a bad clock is. */
START_TEST(small_corrections_are_believed)
{
    for (unsigned i = 1; i <= 100; i++) {
        ahead_s += RK_EXPIRE_CLOCK_SLACK_MS / 1000;
        ck_assert_uint_eq(look_after(1), i + (uint64_t)ahead_s);
    }
}
END_TEST

START_TEST(a_jump_ahead_that_is_undone_was_never_believed)
{
    ahead_s = 2 * HOUR_S;
    ck_assert_uint_eq(look_after(10), 10);
    ck_assert_uint_eq(look_after(100), 110);
    ahead_s = 0;
    ck_assert_uint_eq(look_after(1), 111);
    ahead_s = 2 * HOUR_S; /* a second one, long after the first was seen */
    ck_assert_uint_eq(look_after(RK_EXPIRE_CLOCK_DOUBT_NS / RK_NS_PER_S), RK_EXPIRE_CLOCK_DOUBT_NS / RK_NS_PER_S + 111);
}
END_TEST

START_TEST(a_jump_ahead_that_lasts_is_believed)
{
    uint64_t doubt_s = RK_EXPIRE_CLOCK_DOUBT_NS / RK_NS_PER_S;

    ahead_s = 2 * HOUR_S;
    ck_assert_uint_eq(look_after(10), 10);
    ck_assert_uint_eq(look_after(doubt_s - 1), doubt_s + 9);
    ck_assert_uint_eq(look_after(1), doubt_s + 10 + 2 * HOUR_S);
    ck_assert_uint_eq(look_after(1), doubt_s + 11 + 2 * HOUR_S);
}
END_TEST

START_TEST(a_clock_that_is_set_back_is_believed)
{
    ck_assert_uint_eq(look_after(HOUR_S), HOUR_S);
    ahead_s = -600;
    ck_assert_uint_eq(look_after(1), HOUR_S + 1 - 600);
    ck_assert_uint_eq(look_after(1), HOUR_S + 2 - 600);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store clock");
    TCase *tcase = tcase_create("clock");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_clock_that_is_right_is_believed);
    tcase_add_test(tcase, small_corrections_are_believed);
    tcase_add_test(tcase, a_jump_ahead_that_is_undone_was_never_believed);
    tcase_add_test(tcase, a_jump_ahead_that_lasts_is_believed);
    tcase_add_test(tcase, a_clock_that_is_set_back_is_believed);
    suite_add_tcase(suite, tcase);
    return suite;
}
