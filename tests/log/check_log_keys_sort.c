/* Keys that are sorted in runs, beside a model. */
#include "keys_model.h"
#include "log/log_keys_sort.h"
#include "test_dir.h"
#include "test_io.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define N_ITEMS 4000u
#define TMP     "0000000007.keys.tmp"

static char *dir;
static int dir_fd;

static void setup(void)
{
    dir = test_dir_create();
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void teardown(void)
{
    (void)close(dir_fd);
    test_dir_remove(&dir);
}

static enum rk_err add_all(struct rk_log_keys_sort *sort, const struct keys_model *model)
{
    enum rk_err err = RK_OK;

    for (size_t i = 0; i < model->n_items && err == RK_OK; i++)
        err = rk_log_keys_sort_add(sort, &model->items[i]);
    return err == RK_OK ? rk_log_keys_sort_begin(sort) : err;
}

/* How it ends; what came until then is right. */
static enum rk_err check_order(struct rk_log_keys_sort *sort, const struct keys_model *model)
{
    struct rk_disk_key key;
    size_t n = 0;
    enum rk_err err;

    while ((err = rk_log_keys_sort_next(sort, &key)) == RK_OK) {
        ck_assert_uint_lt(n, model->n_keys);
        ck_assert(keys_model_same(&key, &model->keys[n]));
        n++;
    }
    ck_assert(err != RK_ERR_NOT_FOUND || n == model->n_keys);
    return err;
}

/* In one run, in a few, in hundreds, in one for each item. */
START_TEST(any_keys_in_any_number_of_runs)
{
    static const size_t bounds[] = { RK_LOG_KEYS_SORT_BYTES, 100000, 5000, 1 };

    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        size_t n_items = bounds[i] == 1 ? 100 : N_ITEMS / (_i == 3 ? 10 : 1);
        struct rk_log_keys_sort *sort = rk_log_keys_sort_create(dir_fd, 7, bounds[i]);
        struct keys_model model;

        keys_model_create(&model, (unsigned)_i, n_items, i + 1);
        ck_assert_uint_gt(model.n_keys, 0);
        ck_assert_int_eq(add_all(sort, &model), RK_OK);
        ck_assert_int_ne(faccessat(dir_fd, TMP, F_OK, 0), 0);
        ck_assert_int_eq(check_order(sort, &model), RK_ERR_NOT_FOUND);
        rk_log_keys_sort_destroy(&sort);
        keys_model_destroy(&model);
    }
}
END_TEST

START_TEST(no_keys_at_all)
{
    struct rk_log_keys_sort *sort = rk_log_keys_sort_create(dir_fd, 7, 1000);
    struct rk_disk_key key;

    ck_assert_int_eq(rk_log_keys_sort_begin(sort), RK_OK);
    ck_assert_int_eq(rk_log_keys_sort_next(sort, &key), RK_ERR_NOT_FOUND);
    rk_log_keys_sort_destroy(&sort);
}
END_TEST

/* What fits needs no file. */
START_TEST(one_run_needs_no_file)
{
    struct rk_log_keys_sort *sort = rk_log_keys_sort_create(dir_fd, 7, RK_LOG_KEYS_SORT_BYTES);
    struct keys_model model;

    keys_model_create(&model, 1, 100, 1);
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_ALL, .nth = 1, .errnum = EIO });
    ck_assert_int_eq(add_all(sort, &model), RK_OK);
    ck_assert_int_eq(check_order(sort, &model), RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(test_io_n_calls(), 0);
    test_io_remove();
    rk_log_keys_sort_destroy(&sort);
    keys_model_destroy(&model);
}
END_TEST

/* Each operation fails once: it is said, and no key is wrong or left out without a word. */
START_TEST(the_file_may_fail_anywhere)
{
    struct keys_model model;
    bool failed = true;

    keys_model_create(&model, 0, 300, 1);
    for (unsigned nth = 1; failed; nth++) {
        struct rk_log_keys_sort *sort = rk_log_keys_sort_create(dir_fd, 7, 4000);
        enum rk_err err;

        test_io_install(&(struct test_io_fault){
            .calls = TEST_IO_OPEN | TEST_IO_PREAD | TEST_IO_PWRITEV, .nth = nth, .errnum = EIO });
        err = add_all(sort, &model);
        if (err == RK_OK)
            err = check_order(sort, &model);
        failed = test_io_n_calls() >= nth;
        test_io_remove();
        ck_assert_int_eq(err, failed ? RK_ERR_IO : RK_ERR_NOT_FOUND);
        ck_assert(!failed || nth < 1000);
        rk_log_keys_sort_destroy(&sort);
        ck_assert_int_ne(faccessat(dir_fd, TMP, F_OK, 0), 0);
    }
    keys_model_destroy(&model);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_keys_sort");
    TCase *tcase = tcase_create("sort");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, any_keys_in_any_number_of_runs, 0, KEYS_MODEL_SHAPES);
    tcase_add_test(tcase, no_keys_at_all);
    tcase_add_test(tcase, one_run_needs_no_file);
    tcase_add_test(tcase, the_file_may_fail_anywhere);
    suite_add_tcase(suite, tcase);
    return suite;
}
