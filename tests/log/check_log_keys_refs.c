/* References in the order of their prefixes, and of equal ones in the order in which they came. */
#include "log/log_keys_refs.h"
#include "test_main.h"

#include <stdbool.h>

#define N_MAX 3000u

static struct rk_log_keys_ref refs[N_MAX], scratch[N_MAX];
static uint64_t prefix_of[N_MAX]; /* as they were */

static uint64_t next_random(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return *random ^ *random >> 29;
}

/* Only the bits of the mask differ. */
static void check_sorted(size_t n, uint64_t mask)
{
    uint64_t random = n + mask;
    bool is_there[N_MAX] = { false };

    for (size_t i = 0; i < n; i++) {
        prefix_of[i] = (next_random(&random) & mask) | (UINT64_C(0x4141414141414141) & ~mask);
        refs[i] = (struct rk_log_keys_ref){ .prefix = prefix_of[i], .at = i };
    }
    rk_log_keys_refs_sort(refs, scratch, n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_lt(refs[i].at, n);
        ck_assert_uint_eq(refs[i].prefix, prefix_of[refs[i].at]);
        ck_assert(!is_there[refs[i].at]);
        is_there[refs[i].at] = true;
        if (i > 0)
            ck_assert(refs[i - 1].prefix < refs[i].prefix
                      || (refs[i - 1].prefix == refs[i].prefix && refs[i - 1].at < refs[i].at));
    }
}

START_TEST(any_number_that_differs_anywhere)
{
    static const uint64_t masks[] = { 0,          1,          0x80,           0xff,          0xff00,
                                      UINT64_MAX, 0xff0000ff, UINT64_MAX - 1, 0xffull << 56, 0x0101010101010101 };
    static const size_t numbers[] = { 1, 2, 3, 255, 256, 257, N_MAX };

    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++)
        for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
            check_sorted(numbers[j], masks[i]);
}
END_TEST

START_TEST(none_at_all)
{
    rk_log_keys_refs_sort(refs, scratch, 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_keys_refs");
    TCase *tcase = tcase_create("refs");

    tcase_add_test(tcase, any_number_that_differs_anywhere);
    tcase_add_test(tcase, none_at_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
