/* Whose new connections a worker takes: those of slots whose heartbeat has not moved for four looks, until it does. */
#include "test_main.h"
#include "worker/worker_takeover.h"

#include <stdlib.h>
#include <string.h>

#define N_SLOTS 4u
#define OWN     2u

static struct rk_board *board;
static struct rk_worker_takeover takeover;
static bool taken[N_SLOTS]; /* by how many slots on */
static unsigned n_calls;
static uint64_t now_ns;

static void take(void *context, unsigned n_slots_on, bool taking)
{
    ck_assert_ptr_eq(context, &takeover);
    ck_assert_uint_lt(n_slots_on, N_SLOTS - 1);
    ck_assert(taken[n_slots_on] != taking);
    taken[n_slots_on] = taking;
    n_calls++;
}

static void setup(void)
{
    size_t size = sizeof *board + N_SLOTS * sizeof board->slots[0];

    board = aligned_alloc(64, (size + 63) / 64 * 64);
    memset(board, 0, size);
    board->n_slots = N_SLOTS;
    memset(taken, 0, sizeof taken);
    n_calls = 0;
    now_ns = 1000;
    takeover = (struct rk_worker_takeover){ .board = board, .slot = OWN, .take = take, .context = &takeover };
}

static void teardown(void)
{
    free(board);
}

/* One look, before which these slots gave a sign of life. */
static void look(const char *alive)
{
    for (; *alive != '\0'; alive++)
        board->slots[*alive - '0'].heartbeat++;
    now_ns += RK_WORKER_LOOK_NS;
    rk_worker_takeover_look(&takeover, now_ns);
}

static void look_times(const char *alive, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        look(alive);
}

START_TEST(nobody_is_taken_from_who_lives)
{
    look_times("0123", 20);
    look_times("013", 20); /* our own does not count */
    ck_assert_uint_eq(n_calls, 0);
}
END_TEST

START_TEST(who_stands_still_is_taken_from_until_it_goes_on)
{
    look_times("013", 10);
    look_times("03", RK_WORKER_LOOKS_MISSED - 1);
    ck_assert_uint_eq(n_calls, 0);
    look("03");
    ck_assert_uint_eq(n_calls, 1);
    ck_assert(taken[2]); /* slots 3, 0, 1 come after ours */
    look_times("03", 20);
    ck_assert_uint_eq(n_calls, 1);
    look("013");
    ck_assert(!taken[2]);
    look_times("03", RK_WORKER_LOOKS_MISSED - 1);
    ck_assert(!taken[2]);
    look("03");
    ck_assert(taken[2]);
}
END_TEST

START_TEST(all_others_may_stand_still)
{
    look_times("", RK_WORKER_LOOKS_MISSED);
    ck_assert(taken[0] && taken[1] && taken[2]);
    look("0");
    ck_assert(taken[0] && !taken[1] && taken[2]);
}
END_TEST

START_TEST(who_has_as_many_as_may_be_is_taken_from_at_once)
{
    look_times("013", 3);
    board->slots[3].is_full = 1;
    look("013");
    ck_assert(!taken[1] && !taken[2] && taken[0]);
    look_times("01", 20); /* it may stand still as well */
    board->slots[3].is_full = 0;
    look("01");
    ck_assert(taken[0]);
    look("013");
    ck_assert(!taken[0]);
    ck_assert_uint_eq(n_calls, 2);
}
END_TEST

/* The clock may jump as far as it likes: we stood still ourselves, and say nothing of others. */
START_TEST(looks_count_and_not_the_time)
{
    look_times("013", 3);
    now_ns += 1000 * RK_WORKER_LOOK_NS;
    look("");
    ck_assert_uint_eq(n_calls, 0);
    for (unsigned i = 0; i < 100; i++) /* a busy loop: turns that are no looks */
        rk_worker_takeover_look(&takeover, now_ns + i);
    ck_assert_uint_eq(n_calls, 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("worker takeover");
    TCase *tcase = tcase_create("takeover");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nobody_is_taken_from_who_lives);
    tcase_add_test(tcase, who_stands_still_is_taken_from_until_it_goes_on);
    tcase_add_test(tcase, who_has_as_many_as_may_be_is_taken_from_at_once);
    tcase_add_test(tcase, all_others_may_stand_still);
    tcase_add_test(tcase, looks_count_and_not_the_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
