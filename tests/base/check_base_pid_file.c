/* PID files: who runs, whose a file is, and what is none. */
#include "base/base_detail.h"
#include "base/base_pid_file.h"
#include "base_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rk_detail detail;

/* ---- PID files ---- */

static bool take_pid_file(void)
{
    static struct rk_pid_file file;

    return rk_pid_file_open(&file, base_bed_path, &detail) == RK_OK;
}

START_TEST(a_pid_file_says_who_runs_and_goes)
{
    struct rk_pid_file file, none = { .path = NULL };

    umask(0777);
    ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_OK);
    umask(022);
    ck_assert_int_eq(atoi(base_bed_read_file(base_bed_path)), getpid());
    ck_assert_uint_eq(base_bed_mode_of(base_bed_path), 0644);
    rk_pid_file_close(&file);
    ck_assert(!base_bed_is_there(base_bed_path));
    rk_pid_file_close(&file);
    rk_pid_file_close(&none);
}
END_TEST

START_TEST(the_pid_file_of_a_live_process_is_kept)
{
    struct base_holder holder = base_bed_start_holder(take_pid_file);
    struct rk_pid_file file;
    char pid[32];

    (void)snprintf(pid, sizeof pid, "pid %d;", (int)holder.pid);
    ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_ERR_BUSY);
    ck_assert_msg(strstr(detail.text, pid) != NULL, "%s", detail.text);
    ck_assert_int_eq(atoi(base_bed_read_file(base_bed_path)), holder.pid);
    base_bed_end_holder(&holder);
    ck_assert_int_eq(atoi(base_bed_read_file(base_bed_path)), holder.pid);
    ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_OK);
    ck_assert_int_eq(atoi(base_bed_read_file(base_bed_path)), getpid());
    rk_pid_file_close(&file);
}
END_TEST

/* What may stand in one that was left: a longer id, the id of a process that runs, nothing. */
START_TEST(a_pid_file_that_was_left_is_taken_over)
{
    static const char *const texts[] = { "", "1\n", "4194303  \n", "77" };
    struct rk_pid_file file;
    char expected[32];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        base_bed_write_file(base_bed_path, texts[i]);
        ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_OK);
        (void)snprintf(expected, sizeof expected, "%d\n", (int)getpid());
        ck_assert_str_eq(base_bed_read_file(base_bed_path), expected);
        rk_pid_file_close(&file);
    }
}
END_TEST

START_TEST(a_file_that_is_no_pid_file_is_kept)
{
    static const char *const texts[] = { "precious", "12 monkeys\n", "1\n2\n", "111111111111111111111111111111" };
    struct rk_pid_file file;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        base_bed_write_file(base_bed_path, texts[i]);
        ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_ERR_INVALID);
        ck_assert_str_eq(base_bed_read_file(base_bed_path), texts[i]);
    }
}
END_TEST

START_TEST(what_is_no_file_is_no_pid_file)
{
    struct rk_pid_file file;
    ino_t inode;

    if (_i == 0)
        ck_assert_int_eq(symlink(base_bed_other, base_bed_path), 0);
    else
        base_bed_make_obstacle(_i);
    inode = base_bed_inode_of(base_bed_path);
    ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(detail.text, "not a regular file"));
    ck_assert_uint_eq(base_bed_inode_of(base_bed_path), inode);
    ck_assert(!base_bed_is_there(base_bed_other));
}
END_TEST

START_TEST(the_pid_file_of_another_is_not_removed)
{
    struct rk_pid_file file;

    ck_assert_int_eq(rk_pid_file_open(&file, base_bed_path, &detail), RK_OK);
    ck_assert_int_eq(unlink(base_bed_path), 0);
    base_bed_write_file(base_bed_path, "4711\n");
    rk_pid_file_close(&file);
    ck_assert_str_eq(base_bed_read_file(base_bed_path), "4711\n");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("base_pid_file");
    TCase *tcase = tcase_create("base_pid_file");

    tcase_add_checked_fixture(tcase, base_bed_setup, base_bed_teardown);
    tcase_add_test(tcase, a_pid_file_says_who_runs_and_goes);
    tcase_add_test(tcase, the_pid_file_of_a_live_process_is_kept);
    tcase_add_test(tcase, a_pid_file_that_was_left_is_taken_over);
    tcase_add_test(tcase, a_file_that_is_no_pid_file_is_kept);
    tcase_add_loop_test(tcase, what_is_no_file_is_no_pid_file, 0, BASE_BED_N_OBSTACLES);
    tcase_add_test(tcase, the_pid_file_of_another_is_not_removed);
    suite_add_tcase(suite, tcase);
    return suite;
}
