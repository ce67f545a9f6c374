/* What is pending in a batch, beside a list that is searched from its end. */
#include "test_main.h"
#include "writer/writer_pending.h"

#include <stdlib.h>

#define N_MAX 64u

static struct rk_writer_pending *pending;

static void setup(void)
{
    pending = rk_writer_pending_create(N_MAX);
}

static void teardown(void)
{
    rk_writer_pending_destroy(&pending);
}

/* Few different low words: chains of the table get long, and wrap around at its end. */
static struct rk_fingerprint fingerprint_of(unsigned number)
{
    return (struct rk_fingerprint){ .high = number / 4, .low = 0xfffffffe + number % 4 };
}

/* Every third location waits. */
static struct rk_writer_pending_state state_of(uint64_t location)
{
    return (struct rk_writer_pending_state){ .location = location, .waits = location % 3 == 0 };
}

static void set(unsigned number, uint64_t location)
{
    rk_writer_pending_set(pending, fingerprint_of(number), state_of(location));
}

static void expect(unsigned number, bool is_pending, uint64_t location)
{
    struct rk_writer_pending_state found = { .location = 0 };

    ck_assert_int_eq(rk_writer_pending_lookup(pending, fingerprint_of(number), &found), is_pending);
    ck_assert_uint_eq(found.location, is_pending ? location : 0);
    ck_assert_int_eq(found.waits, is_pending && state_of(location).waits);
}

START_TEST(the_last_word_on_a_key_counts)
{
    expect(1, false, 0);
    set(1, 10);
    expect(1, true, 10);
    set(1, 0);
    expect(1, true, 0);
    expect(2, false, 0);
}
END_TEST

START_TEST(it_takes_as_many_keys_as_it_says)
{
    for (unsigned i = 0; i < N_MAX; i++)
        set(i, i + 1);
    for (unsigned i = 0; i < N_MAX; i++)
        set(i, i + 100);
    for (unsigned i = 0; i < N_MAX; i++)
        expect(i, true, i + 100);
    expect(N_MAX, false, 0);
}
END_TEST

START_TEST(nothing_outlives_a_clear)
{
    for (unsigned round = 0; round < 1000; round++) {
        unsigned first = round % 7;

        for (unsigned i = first; i < first + N_MAX / 2; i++)
            set(i, round * 1000 + i);
        for (unsigned i = 0; i < N_MAX; i++)
            expect(i, i >= first && i < first + N_MAX / 2, round * 1000 + i);
        rk_writer_pending_clear(pending);
        for (unsigned i = 0; i < N_MAX; i++)
            expect(i, false, 0);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("writer pending");
    TCase *tcase = tcase_create("pending");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_last_word_on_a_key_counts);
    tcase_add_test(tcase, it_takes_as_many_keys_as_it_says);
    tcase_add_test(tcase, nothing_outlives_a_clear);
    suite_add_tcase(suite, tcase);
    return suite;
}
