/* The checker of counters and lists, checked: by hand-made histories, and by random ones that are right because they
 * were made so, with and without one thing changed. */
#include "linear_count.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OPS_MAX 400
#define N_RANDOM  2000

static struct linear_count_op ops[N_OPS_MAX];
static size_t n_ops;
static char why[LINEAR_COUNT_WHY_BYTES];

static const struct {
    bool good;
    const char *what;
    uint64_t last;
    const char *history; /* w POSITION@START-END, r ...; w0: without an answer */
} table[] = {
    { true, "nothing", 0, "" },
    { true, "two in order", 2, "w1@1-2 w2@3-4 r2@5-6" },
    { true, "two at once, either way", 2, "w2@1-9 w1@1-9" },
    { false, "in the wrong order", 2, "w2@1-2 w1@3-4" },
    { false, "one position for two", 2, "w1@1-9 w1@1-9" },
    { false, "a lost one", 1, "w1@1-2 w1@3-4" },
    { false, "lost at the end", 1, "w1@1-2 w2@3-4" },
    { false, "nobody wrote one", 2, "w1@1-2" },
    { true, "one without an answer was done", 2, "w1@1-2 w0@3-99" },
    { true, "one without an answer was not done", 1, "w1@1-2 w0@3-99" },
    { false, "one without an answer was done twice", 3, "w1@1-2 w0@3-99" },
    { false, "one without an answer came too late", 2, "w0@5-99 r1@3-4 w2@3-9" },
    { false, "seen before it began", 1, "r1@1-2 w1@3-4" },
    { false, "back again", 2, "w1@1-2 w2@3-4 r1@5-6" },
    { true, "a read while it is written", 2, "w1@1-2 w2@3-9 r1@4-5 r2@6-7" },
    { false, "seen and gone", 2, "w1@1-2 w2@3-9 r2@4-5 r1@6-7" },
    { true, "read from nothing", 1, "r0@1-2 w1@1-4" },
    { false, "nothing after something", 1, "w1@1-2 r0@3-4" },
};

START_TEST(histories_by_hand)
{
    const char *text = table[_i].history;
    bool good;

    n_ops = 0;
    while (*text != '\0') {
        unsigned long long position, start, end;
        int used = 0;

        ck_assert_int_eq(sscanf(text + 1, "%llu@%llu-%llu%n", &position, &start, &end, &used), 3);
        ops[n_ops++] = (struct linear_count_op){
            .is_write = *text == 'w', .position = position, .start_ns = start, .end_ns = end
        };
        text += 1 + used + strspn(text + 1 + used, " ");
    }
    good = linear_count_check_one(ops, n_ops, table[_i].last, why);
    ck_assert_msg(good == table[_i].good, "%s: %s", table[_i].what, good ? "accepted" : why);
}
END_TEST

static uint32_t random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 10) % n;
}

/* Each operation happens at an instant between its start and its end; some writes get no answer, and half of those
 * never happen. Returns the last position. */
static uint64_t simulate(bool loses)
{
    uint64_t last = 0;

    n_ops = 5 + random_below(N_OPS_MAX - 5);
    for (uint64_t i = 0; i < n_ops; i++) {
        uint64_t now = 1000 + i * 10;
        bool is_lost = random_below(10) == 0 && loses;
        struct linear_count_op *op = &ops[i];

        *op = (struct linear_count_op){ .is_write = random_below(3) > 0,
                                        .start_ns = now - random_below(60),
                                        .end_ns = now + random_below(60) };
        if (!op->is_write || !is_lost) {
            last += op->is_write;
            op->position = last;
            continue;
        }
        last += random_below(2);
        op->end_ns = UINT64_MAX;
    }
    return last;
}

START_TEST(random_right_histories_are_accepted)
{
    for (unsigned i = 0; i < N_RANDOM; i++) {
        uint64_t last;

        random_state = i;
        last = simulate(true);
        ck_assert_msg(linear_count_check_one(ops, n_ops, last, why), "seed %u: %s", i, why);
    }
}
END_TEST

/* A write that was answered, and that the end does not know: of two the later has the position of the other, and all
 * behind it one less. */
START_TEST(a_lost_write_is_refused)
{
    unsigned n_tried = 0;

    for (unsigned i = 0; i < N_RANDOM; i++) {
        uint64_t last;
        size_t lost;

        random_state = i;
        last = simulate(false);
        lost = random_below((unsigned)n_ops);
        if (!ops[lost].is_write || ops[lost].position == 0)
            continue;
        n_tried++;
        for (size_t at = 0; at < n_ops; at++)
            if (at != lost && ops[at].position >= ops[lost].position)
                ops[at].position--;
        ck_assert_msg(!linear_count_check_one(ops, n_ops, last - 1, why), "seed %u", i);
    }
    ck_assert_uint_gt(n_tried, N_RANDOM / 4);
}
END_TEST

START_TEST(things_are_checked_each_by_itself)
{
    struct linear_count_op two[] = { { true, 1, 1, 2, 1 }, { true, 0, 3, 4, 1 }, { true, 1, 5, 6, 2 } };
    const uint64_t lasts[] = { 1, 2 }, other[] = { 1, 1 };

    ck_assert_msg(linear_count_check(two, 3, lasts, 2, why), "%s", why);
    ck_assert(!linear_count_check(two, 3, other, 2, why));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("linear count");
    TCase *tcase = tcase_create("count");

    tcase_add_loop_test(tcase, histories_by_hand, 0, (int)(sizeof table / sizeof table[0]));
    tcase_add_test(tcase, random_right_histories_are_accepted);
    tcase_add_test(tcase, a_lost_write_is_refused);
    tcase_add_test(tcase, things_are_checked_each_by_itself);
    suite_add_tcase(suite, tcase);
    return suite;
}
