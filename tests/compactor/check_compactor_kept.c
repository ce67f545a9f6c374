/* Files that were unlinked are kept open for a moment, and the gate at which merges wait. */
#include "base/base_io.h"
#include "base/base_time.h"
#include "compactor/compactor_gate.h"
#include "compactor/compactor_kept.h"
#include "test_main.h"

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

static struct rk_compactor_kept kept;

static int open_something(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

static void setup(void)
{
    kept = (struct rk_compactor_kept){ .n = 0 };
}

START_TEST(each_is_closed_when_its_time_has_come)
{
    int first = open_something(), second = open_something();

    ck_assert_uint_eq(rk_compactor_kept_close(&kept, 100), UINT64_MAX);
    rk_compactor_kept_add(&kept, first, 100);
    rk_compactor_kept_add(&kept, second, 200);
    ck_assert_uint_eq(rk_compactor_kept_close(&kept, 99 + RK_COMPACTOR_KEPT_NS), 100 + (uint64_t)RK_COMPACTOR_KEPT_NS);
    ck_assert(is_open(first) && is_open(second));
    ck_assert_uint_eq(rk_compactor_kept_close(&kept, 100 + RK_COMPACTOR_KEPT_NS), 200 + (uint64_t)RK_COMPACTOR_KEPT_NS);
    ck_assert(!is_open(first) && is_open(second));
    ck_assert_uint_eq(rk_compactor_kept_close(&kept, UINT64_MAX), UINT64_MAX);
    ck_assert(!is_open(second));
}
END_TEST

static struct {
    int fd;
    off_t offset;
} advices[8];
static unsigned n_advices;

static int note_advice(int fd, off_t offset, off_t size, int advice)
{
    ck_assert_uint_lt(n_advices, sizeof advices / sizeof *advices);
    ck_assert_int_eq(advice, POSIX_FADV_DONTNEED);
    ck_assert_int_eq(size, RK_COMPACTOR_KEPT_DROP_BYTES);
    ck_assert(is_open(fd));
    advices[n_advices].fd = fd;
    advices[n_advices++].offset = offset;
    return 0;
}

START_TEST(pages_go_from_the_cache_before_the_file_is_closed)
{
    struct rk_io_ops ops = *rk_io;
    int files[] = { memfd_create("kept", MFD_CLOEXEC), memfd_create("kept", MFD_CLOEXEC) };

    ops.fadvise = note_advice;
    rk_io = &ops;
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_ge(files[i], 0);
        ck_assert_int_eq(ftruncate(files[i], 2 * RK_COMPACTOR_KEPT_DROP_BYTES + (off_t)i), 0);
        rk_compactor_kept_add(&kept, files[i], 0);
    }
    ck_assert_uint_eq(rk_compactor_kept_close(&kept, RK_COMPACTOR_KEPT_NS),
                      UINT64_MAX); /* all that are due, in one call */
    rk_io = &rk_io_kernel_ops;
    ck_assert(!is_open(files[0]) && !is_open(files[1]));
    ck_assert_uint_eq(n_advices, 2 + 3);
    for (unsigned i = 0; i < n_advices; i++) {
        ck_assert_int_eq(advices[i].fd, files[i >= 2]);
        ck_assert_int_eq(advices[i].offset, (i < 2 ? i : i - 2) * (off_t)RK_COMPACTOR_KEPT_DROP_BYTES);
    }
}
END_TEST

START_TEST(all_are_closed_at_once_when_asked)
{
    int fd = memfd_create("kept", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, 2 * RK_COMPACTOR_KEPT_DROP_BYTES), 0);
    rk_compactor_kept_add(&kept, fd, 0);
    ck_assert_uint_eq(rk_compactor_kept_close(&kept, UINT64_MAX), UINT64_MAX);
    ck_assert(!is_open(fd));
}
END_TEST

START_TEST(with_too_many_the_first_goes_early)
{
    int first = open_something(), second = open_something();

    rk_compactor_kept_add(&kept, first, 1);
    rk_compactor_kept_add(&kept, second, 1);
    for (unsigned i = 2; i <= RK_COMPACTOR_KEPT_MAX; i++)
        rk_compactor_kept_add(&kept, open_something(), 1);
    ck_assert(!is_open(first) && is_open(second));
    ck_assert_uint_eq(kept.n, RK_COMPACTOR_KEPT_MAX);
    (void)rk_compactor_kept_close(&kept, UINT64_MAX);
    ck_assert_uint_eq(kept.n, 0);
}
END_TEST

#define N_PASSES 20

START_TEST(the_gate_opens_when_a_processor_is_free)
{
    struct rk_compactor_gate *gate = NULL;

    ck_assert_int_eq(rk_compactor_gate_create(&gate, NULL), RK_OK);
    for (unsigned i = 0; i < N_PASSES; i++)
        ck_assert(rk_compactor_gate_wait(gate, 100 * RK_NS_PER_S));
    rk_compactor_gate_destroy(&gate);
    ck_assert_ptr_null(gate);
    rk_compactor_gate_destroy(&gate); /* NULL is fine */
}
END_TEST

/* Whether it opens at once is the machine's matter; who did not wait for an answer gets it the next time. */
START_TEST(nobody_has_to_wait_at_the_gate)
{
    struct rk_compactor_gate *gate = NULL;

    ck_assert_int_eq(rk_compactor_gate_create(&gate, NULL), RK_OK);
    for (unsigned i = 0; i < N_PASSES; i++)
        (void)rk_compactor_gate_wait(gate, 0);
    ck_assert(rk_compactor_gate_wait(gate, 100 * RK_NS_PER_S));
    rk_compactor_gate_destroy(&gate);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store kept, gate");
    TCase *tcase = tcase_create("kept");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, each_is_closed_when_its_time_has_come);
    tcase_add_test(tcase, pages_go_from_the_cache_before_the_file_is_closed);
    tcase_add_test(tcase, all_are_closed_at_once_when_asked);
    tcase_add_test(tcase, with_too_many_the_first_goes_early);
    tcase_add_test(tcase, the_gate_opens_when_a_processor_is_free);
    tcase_add_test(tcase, nobody_has_to_wait_at_the_gate);
    suite_add_tcase(suite, tcase);
    return suite;
}
