/* When the compactor looks whether to merge, by a clock of the test's own: inside of the window, and spread in time. */
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "test_main.h"

#include <stdlib.h>
#include <time.h>

#define DAY_MINUTES (24u * 60)
#define MINUTE_MS   60000u

static uint64_t now_ns;

uint64_t __wrap_rk_time_monotonic_ns(void);
uint64_t __wrap_rk_time_monotonic_ns(void)
{
    return now_ns;
}

/* Local time is seven hours before UTC, so that whoever takes one for the other is found out. */
static void setup(void)
{
    ck_assert_int_eq(setenv("TZ", "XXX7", 1), 0);
    tzset();
    now_ns = 0;
}

/* So many milliseconds after a local midnight. */
static uint64_t local_ms(uint64_t ms)
{
    return (uint64_t)19700 * DAY_MINUTES * MINUTE_MS + 7 * 60 * (uint64_t)MINUTE_MS + ms;
}

/* Each minute of two days: in the window or not, in its first and its last millisecond. */
static void check_window(unsigned begin, unsigned end)
{
    struct rk_compactor_settings settings = { .has_window = true,
                                              .window_begin_minute = begin,
                                              .window_end_minute = end };
    unsigned length = (end + DAY_MINUTES - begin) % DAY_MINUTES;

    for (unsigned i = 0; i < 2 * DAY_MINUTES; i++) {
        bool expected = (i + DAY_MINUTES - begin) % DAY_MINUTES < length;
        uint64_t at_ms = local_ms((uint64_t)i * MINUTE_MS);

        ck_assert_msg(rk_compactor_is_in_window(&settings, at_ms) == expected, "minute %u of %u-%u", i, begin, end);
        ck_assert(rk_compactor_is_in_window(&settings, at_ms + MINUTE_MS - 1) == expected);
    }
}

START_TEST(a_window_has_its_first_minute_and_not_its_last)
{
    check_window(120, 360);
    check_window(120, 121);
    check_window(0, 1);
    check_window(0, DAY_MINUTES - 1);
}
END_TEST

START_TEST(a_window_goes_past_midnight)
{
    check_window(22 * 60, 6 * 60);
    check_window(DAY_MINUTES - 1, 0);
    check_window(DAY_MINUTES - 1, 1);
    check_window(1, 0);
}
END_TEST

START_TEST(without_a_window_any_time_will_do)
{
    struct rk_compactor_settings settings = { .window_begin_minute = 60, .window_end_minute = 61 };

    for (unsigned i = 0; i < DAY_MINUTES; i++)
        ck_assert(rk_compactor_is_in_window(&settings, local_ms((uint64_t)i * MINUTE_MS)));
}
END_TEST

/* Within the jitter of the interval, never outside of it, and all over it: of ten equal parts each has its share. */
static void check_draws(uint64_t interval_ms, unsigned percent)
{
    struct rk_compactor compactor = { .settings = { .check_interval_ms = interval_ms, .jitter_percent = percent } };
    uint64_t interval_ns = interval_ms * RK_NS_PER_MS, spread_ns = interval_ns / 100 * percent;
    unsigned n_in[10] = { 0 }, n_draws = 10000;

    for (unsigned i = 0; i < n_draws; i++) {
        uint64_t after_ns;

        now_ns += interval_ns + 12345 * (uint64_t)(i % 7);
        compactor.last_id = i / 3;
        after_ns = rk_compactor_next_due_ns(&compactor) - now_ns;
        ck_assert_uint_ge(after_ns, interval_ns - spread_ns);
        ck_assert_uint_lt(after_ns, interval_ns + spread_ns);
        n_in[(after_ns - (interval_ns - spread_ns)) * 10 / (2 * spread_ns)]++;
    }
    for (unsigned i = 0; i < 10; i++)
        ck_assert_msg(n_in[i] >= n_draws / 20 && n_in[i] <= n_draws / 5, "part %u: %u of %u", i, n_in[i], n_draws);
}

START_TEST(jitter_spreads_the_looks)
{
    check_draws(180000, 30);
    check_draws(1000, 1);
    check_draws(3600000, 100);
}
END_TEST

START_TEST(without_jitter_the_interval_is_exact)
{
    struct rk_compactor compactor = { .settings = { .check_interval_ms = 1234 } };

    now_ns = 77;
    ck_assert_uint_eq(rk_compactor_next_due_ns(&compactor), 77 + 1234 * RK_NS_PER_MS);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("compactor due");
    TCase *tcase = tcase_create("due");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_window_has_its_first_minute_and_not_its_last);
    tcase_add_test(tcase, a_window_goes_past_midnight);
    tcase_add_test(tcase, without_a_window_any_time_will_do);
    tcase_add_test(tcase, jitter_spreads_the_looks);
    tcase_add_test(tcase, without_jitter_the_interval_is_exact);
    suite_add_tcase(suite, tcase);
    return suite;
}
