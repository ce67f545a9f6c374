/* Calls that the writer thread makes for others. A thread stands in for the writer. */
#include "test_main.h"
#include "writer/writer_calls.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>

#define N_CALLERS 4
#define N_CALLS   2000

static struct rk_writer_calls *calls;
static sem_t bell;
static unsigned counter; /* only the stand-in writes it: the sanitizer and the sum tell */
static _Atomic bool stopping;

static void ring(void *context)
{
    (void)context;
    ck_assert_int_eq(sem_post(&bell), 0);
}

static void count_one(void *context)
{
    counter++;
    (*(unsigned *)context)++;
}

static void *stand_in(void *unused)
{
    (void)unused;
    while (!atomic_load(&stopping)) {
        ck_assert_int_eq(sem_wait(&bell), 0);
        if (rk_writer_calls_are_waiting(calls))
            rk_writer_calls_run(calls);
    }
    rk_writer_calls_close(calls);
    return NULL;
}

static void *caller(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < N_CALLS; i++) {
        unsigned called = 0;

        ck_assert_int_eq(rk_writer_calls_make(calls, count_one, &called, ring, NULL), RK_OK);
        ck_assert_uint_eq(called, 1);
    }
    return NULL;
}

static void setup(void)
{
    calls = rk_writer_calls_create();
    ck_assert_int_eq(sem_init(&bell, 0, 0), 0);
    counter = 0;
    atomic_store(&stopping, false);
}

static void teardown(void)
{
    rk_writer_calls_destroy(&calls);
    ck_assert_int_eq(sem_destroy(&bell), 0);
}

START_TEST(every_call_is_made_once_and_has_returned)
{
    pthread_t writer, callers[N_CALLERS];

    rk_writer_calls_open(calls);
    ck_assert_int_eq(pthread_create(&writer, NULL, stand_in, NULL), 0);
    for (unsigned i = 0; i < N_CALLERS; i++)
        ck_assert_int_eq(pthread_create(&callers[i], NULL, caller, NULL), 0);
    for (unsigned i = 0; i < N_CALLERS; i++)
        ck_assert_int_eq(pthread_join(callers[i], NULL), 0);
    atomic_store(&stopping, true);
    ring(NULL);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    ck_assert_uint_eq(counter, N_CALLERS * N_CALLS);
}
END_TEST

START_TEST(without_a_writer_nothing_is_called)
{
    unsigned called = 0;

    ck_assert_int_eq(rk_writer_calls_make(calls, count_one, &called, ring, NULL), RK_ERR_CLOSED);
    rk_writer_calls_open(calls);
    rk_writer_calls_close(calls);
    ck_assert_int_eq(rk_writer_calls_make(calls, count_one, &called, ring, NULL), RK_ERR_CLOSED);
    ck_assert_uint_eq(called, 0);
    ck_assert(!rk_writer_calls_are_waiting(calls));
}
END_TEST

static void *call_once(void *result)
{
    unsigned called = 0;

    *(enum rk_err *)result = rk_writer_calls_make(calls, count_one, &called, ring, NULL);
    ck_assert_uint_eq(called, 0);
    return NULL;
}

START_TEST(who_waits_when_it_closes_is_refused)
{
    enum rk_err result = RK_OK;
    pthread_t waiting;

    rk_writer_calls_open(calls);
    ck_assert_int_eq(pthread_create(&waiting, NULL, call_once, &result), 0);
    ck_assert_int_eq(sem_wait(&bell), 0); /* it is in line */
    rk_writer_calls_close(calls);
    ck_assert_int_eq(pthread_join(waiting, NULL), 0);
    ck_assert_int_eq(result, RK_ERR_CLOSED);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store_calls");
    TCase *tcase = tcase_create("calls");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_call_is_made_once_and_has_returned);
    tcase_add_test(tcase, without_a_writer_nothing_is_called);
    tcase_add_test(tcase, who_waits_when_it_closes_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
