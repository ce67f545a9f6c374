/* What a start goes on without on a full disk: it is said once, tried again at its time, and said once more. */
#include "base/base_diag.h"
#include "base/base_time.h"
#include "master/master_late.h"
#include "test_main.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define START_NS (1000 * RK_NS_PER_S)
#define EVERY_NS (RK_MASTER_LATE_EVERY_S * RK_NS_PER_S)

void __wrap_rk_diag(enum rk_diag_level level, const char *format, ...);
uint64_t __wrap_rk_time_monotonic_ns(void);

static unsigned n_taken, n_lines;
static enum rk_err answer;
static const char *reason;
static char line[1024];
static struct rk_detail detail;

uint64_t __wrap_rk_time_monotonic_ns(void)
{
    return START_NS;
}

void __wrap_rk_diag(enum rk_diag_level level, const char *format, ...)
{
    va_list args;

    (void)level;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    n_lines++;
}

static enum rk_err take(void *owner, struct rk_detail *detail_out)
{
    ck_assert_ptr_eq(owner, &n_taken);
    n_taken++;
    if (answer != RK_OK)
        rk_detail_set(detail_out, "%s", reason);
    return answer;
}

static struct rk_master_late start(enum rk_err err, const char *text, enum rk_err expected)
{
    struct rk_master_late late = { .what = "the thing", .take = take, .owner = &n_taken };

    n_taken = n_lines = 0;
    line[0] = detail.text[0] = '\0';
    answer = err;
    reason = text;
    ck_assert_int_eq(rk_master_late_start(&late, &detail), expected);
    ck_assert_uint_eq(n_taken, 1);
    return late;
}

static void check_tick(struct rk_master_late *late, uint64_t now_ns, unsigned taken, unsigned lines)
{
    rk_master_late_tick(late, now_ns);
    ck_assert_uint_eq(n_taken, taken);
    ck_assert_uint_eq(n_lines, lines);
}

START_TEST(what_is_there_at_once_is_no_news)
{
    struct rk_master_late late = start(RK_OK, "", RK_OK);

    check_tick(&late, START_NS + 10 * EVERY_NS, 1, 0);
}
END_TEST

START_TEST(another_error_is_the_starts)
{
    struct rk_master_late late = start(RK_ERR_BUSY, "in use", RK_ERR_BUSY);

    ck_assert_str_eq(detail.text, "in use");
    check_tick(&late, START_NS + 10 * EVERY_NS, 1, 0);
}
END_TEST

START_TEST(it_comes_when_there_is_room)
{
    struct rk_master_late late = start(RK_ERR_NO_SPACE, "no room", RK_OK);

    ck_assert_str_eq(detail.text, ""); /* whatever ends the start later has other reasons */
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(line, "no room: the server starts without the thing, and tries again every 2 s until there is "
                           "room");
    check_tick(&late, START_NS + EVERY_NS - 1, 1, 1);
    check_tick(&late, START_NS + EVERY_NS, 2, 1);
    check_tick(&late, START_NS + 2 * EVERY_NS - 1, 2, 1);
    answer = RK_OK;
    check_tick(&late, START_NS + 2 * EVERY_NS, 3, 2);
    ck_assert_str_eq(line, "there is room again for the thing: it is there now");
    check_tick(&late, START_NS + 20 * EVERY_NS, 3, 2);
}
END_TEST

/* By then others may have taken the name: no reason to end a server that serves. */
START_TEST(what_else_is_in_its_way_is_said_once)
{
    struct rk_master_late late = start(RK_ERR_NO_SPACE, "no room", RK_OK);

    answer = RK_ERR_BUSY;
    reason = "in use";
    check_tick(&late, START_NS + EVERY_NS, 2, 2);
    ck_assert_str_eq(line, "in use: the server goes on without the thing, and tries again every 2 s");
    check_tick(&late, START_NS + 2 * EVERY_NS, 3, 2);
    answer = RK_OK;
    check_tick(&late, START_NS + 3 * EVERY_NS, 4, 3);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master late");
    TCase *tcase = tcase_create("late");

    tcase_add_test(tcase, what_is_there_at_once_is_no_news);
    tcase_add_test(tcase, another_error_is_the_starts);
    tcase_add_test(tcase, it_comes_when_there_is_room);
    tcase_add_test(tcase, what_else_is_in_its_way_is_said_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
