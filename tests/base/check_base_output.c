/* What a program prints, and where: descriptors that are closed, output that is lost, messages in a file. */
#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_diag_file.h"
#include "base/base_path.h"
#include "base/base_stdio.h"
#include "base_bed.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rk_detail detail;

/* ---- messages ---- */

START_TEST(messages_go_to_the_file_and_errors_to_the_terminal_until_it_is_left)
{
    int terminal = open(base_bed_other, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    ck_assert_int_eq(dup2(terminal, STDERR_FILENO), STDERR_FILENO);
    rk_diag_setup("prog", "role");
    ck_assert(!rk_diag_file_is_open());
    umask(0);
    base_bed_write_file(base_bed_path, "before\n");
    ck_assert_int_eq(rk_diag_file_open(base_bed_path, &detail), RK_OK);
    ck_assert_str_eq(rk_diag_file_path(), base_bed_path);
    rk_diag(RK_DIAG_INFO, "an info");
    rk_diag(RK_DIAG_WARNING, "a warning");
    rk_diag(RK_DIAG_ERROR, "the reason");
    rk_diag_file_leave();
    rk_diag(RK_DIAG_ERROR, "an error");
    ck_assert_str_eq(base_bed_read_file(base_bed_other), "prog: warning: a warning\nprog: the reason\n");
    ck_assert_ptr_eq(strstr(base_bed_read_file(base_bed_path), "before\n"), base_bed_read_file(base_bed_path));
    ck_assert_ptr_nonnull(strstr(base_bed_read_file(base_bed_path), "info: an info\n"));
    ck_assert_ptr_nonnull(strstr(base_bed_read_file(base_bed_path), "warning: a warning\n"));
    ck_assert_ptr_nonnull(strstr(base_bed_read_file(base_bed_path), "error: an error\n"));
}
END_TEST

START_TEST(a_log_that_was_moved_is_begun_anew)
{
    umask(0);
    ck_assert_int_eq(rk_diag_file_open(base_bed_path, &detail), RK_OK);
    rk_diag_file_leave();
    rk_diag(RK_DIAG_INFO, "the first");
    ck_assert_int_eq(rename(base_bed_path, base_bed_other), 0);
    rk_diag(RK_DIAG_INFO, "the second");
    ck_assert_int_eq(rk_diag_file_reopen(&detail), RK_OK);
    rk_diag(RK_DIAG_INFO, "the third");
    ck_assert_ptr_nonnull(strstr(base_bed_read_file(base_bed_other), "the second\n"));
    ck_assert_ptr_null(strstr(base_bed_read_file(base_bed_other), "the third\n"));
    ck_assert_ptr_nonnull(strstr(base_bed_read_file(base_bed_path), "the third\n"));
    ck_assert_uint_eq(base_bed_mode_of(base_bed_path), 0600);
    ck_assert_int_eq(unlink(base_bed_path), 0);
    ck_assert_int_eq(mkdir(base_bed_path, 0700), 0);
    ck_assert_int_ne(rk_diag_file_reopen(&detail), RK_OK);
    ck_assert_int_eq(rmdir(base_bed_path), 0);
    ck_assert_int_eq(mkfifo(base_bed_path, 0600), 0);
    ck_assert_int_eq(rk_diag_file_reopen(&detail), RK_ERR_INVALID); /* without a reader: an open could wait for one */
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFD), 0);
}
END_TEST

/* ---- 0, 1, 2 ---- */

/* Which of the three are closed: the bits of _i. */
START_TEST(closed_descriptors_are_taken_by_nothing)
{
    int before = open(base_bed_other, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fds[3], after;
    char byte;

    for (int fd = 0; fd < 3; fd++) {
        ck_assert_int_eq(dup2(before, fd), fd);
        if ((_i & 1 << fd) != 0)
            close(fd);
    }
    ck_assert(rk_stdio_open());
    after = open(base_bed_other, O_RDONLY | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        fds[fd] = fcntl(fd, F_GETFD);
    ck_assert_int_gt(after, 2);
    for (int fd = 0; fd < 3; fd++) {
        bool was_closed = (_i & 1 << fd) != 0;
        ssize_t n = fd == 0 ? read(fd, &byte, 1) : write(fd, "", 0);

        ck_assert_int_eq(fds[fd], 0);
        ck_assert_int_eq(n, was_closed ? -1 : 0); /* reading and writing go on being errors */
    }
}
END_TEST

START_TEST(output_that_did_not_arrive_is_a_failure)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC),
        good = open(base_bed_other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert(rk_stdio_finish());
    ck_assert_int_eq(dup2(good, STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    ck_assert(rk_stdio_finish()); /* nothing was to be printed */
    printf("x");
    if (_i == 1)
        ck_assert_int_ne(fflush(stdout), 0); /* earlier on, as a prompt does */
    ck_assert(!rk_stdio_finish());
    (void)rk_stdio_finish();
    ck_assert_ptr_nonnull(strstr(base_bed_read_file(base_bed_other), "standard output cannot be written"));
    ck_assert_ptr_null(strstr(strchr(base_bed_read_file(base_bed_other), '\n') + 1, "\n")); /* told once */
}
END_TEST

START_TEST(a_path_is_told_from_the_root)
{
    char folder[] = "/proc", *absolute, *real = realpath(folder, NULL);

    ck_assert_int_eq(chdir(folder), 0);
    absolute = rk_path_absolute(".");
    ck_assert_str_eq(absolute, real);
    free(absolute);
    absolute = rk_path_absolute("./absent");
    ck_assert_str_eq(absolute, "./absent");
    free(absolute);
    free(real);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("base_output");
    TCase *tcase = tcase_create("base_output");

    tcase_add_checked_fixture(tcase, base_bed_setup, base_bed_teardown);
    tcase_add_test(tcase, messages_go_to_the_file_and_errors_to_the_terminal_until_it_is_left);
    tcase_add_test(tcase, a_log_that_was_moved_is_begun_anew);
    tcase_add_loop_test(tcase, closed_descriptors_are_taken_by_nothing, 0, 8);
    tcase_add_loop_test(tcase, output_that_did_not_arrive_is_a_failure, 0, 2);
    tcase_add_test(tcase, a_path_is_told_from_the_root);
    suite_add_tcase(suite, tcase);
    return suite;
}
