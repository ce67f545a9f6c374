/* When a worker gives memory back: after a wave, at most once a second, and not for what comes and goes all the time.
 */
#include "test_main.h"
#include "worker/worker_memory.h"

#define MIB ((uint64_t)1 << 20)

static struct rk_worker_memory memory;
static uint64_t now_ns;

static void setup(void)
{
    memory = (struct rk_worker_memory){ 0 };
    now_ns = 5 * RK_WORKER_TRIM_NS;
}

/* A turn, in which so much is buffered. */
static bool turn(uint64_t buffered_bytes)
{
    now_ns += 1000;
    return rk_worker_memory_is_over(&memory, buffered_bytes, now_ns);
}

START_TEST(a_wave_is_given_back_when_it_is_over)
{
    for (uint64_t n = 0; n <= 100; n++)
        ck_assert(!turn(n * MIB));
    ck_assert(!turn(93 * MIB));
    ck_assert(turn(92 * MIB)); /* not more at once than once a second, */
    for (uint64_t n = 92; n > 0; n--)
        ck_assert(!turn(n * MIB));
    now_ns += RK_WORKER_TRIM_NS;
    ck_assert(turn(0)); /* and the rest all the same */
    for (int i = 0; i < 10; i++) {
        now_ns += RK_WORKER_TRIM_NS;
        ck_assert(!turn(0));
    }
}
END_TEST

START_TEST(what_comes_and_goes_is_kept)
{
    for (int i = 0; i < 1000; i++) {
        now_ns += RK_WORKER_TRIM_NS;
        ck_assert(!turn(i % 2 == 0 ? RK_WORKER_TRIM_BYTES - 1 : 0));
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("worker memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_wave_is_given_back_when_it_is_over);
    tcase_add_test(tcase, what_comes_and_goes_is_kept);
    suite_add_tcase(suite, tcase);
    return suite;
}
