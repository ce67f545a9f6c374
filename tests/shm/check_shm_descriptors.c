/* The sum of a worker's descriptors: nothing is given away twice, and both sides get something. */
#include "shm/shm_descriptors.h"
#include "test_main.h"

static const struct {
    uint64_t limit, in_use;
    size_t n_connections, n_files;
} shares[] = {
    { 1024, 18, 743, 247 }, { 100, 18, 50, 16 },        { 64, 18, 15, 15 },
    { 40, 18, 3, 3 },       { 34, 18, 1, 1 },           { 10, 18, 1, 1 },
    { 0, 0, 1, 1 },         { 20000, 18, 18942, 1024 }, { 1 << 20, 1050, 1046486, 1024 },
};

START_TEST(descriptors_are_shared_out)
{
    struct rk_descriptors share = rk_descriptors_share(shares[_i].limit, shares[_i].in_use);

    ck_assert_uint_eq(share.n_connections, shares[_i].n_connections);
    ck_assert_uint_eq(share.n_files, shares[_i].n_files);
}
END_TEST

START_TEST(never_more_than_there_are)
{
    for (uint64_t limit = 0; limit < 6000; limit++) {
        struct rk_descriptors share = rk_descriptors_share(limit, 18);

        ck_assert_uint_ge(share.n_connections, 1);
        ck_assert_uint_ge(share.n_files, 1);
        if (limit >= 18 + RK_DESCRIPTORS_SPARE + 2)
            ck_assert_uint_eq(share.n_connections + share.n_files + RK_DESCRIPTORS_SPARE + 18, limit);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("shm descriptors");
    TCase *tcase = tcase_create("descriptors");

    tcase_add_loop_test(tcase, descriptors_are_shared_out, 0, sizeof shares / sizeof shares[0]);
    tcase_add_test(tcase, never_more_than_there_are);
    suite_add_tcase(suite, tcase);
    return suite;
}
