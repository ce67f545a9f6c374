/* This program links exactly what a worker links, RK_WORKER_LIBS: that it links at all is the proof that a worker needs
 * no object that only the writer may use. What it runs shows that a worker refuses what it should not attach to. */
#include "base/base_detail.h"
#include "test_main.h"
#include "worker/worker.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_worker_refuses_what_is_no_board)
{
    struct rk_handover handover = { .board_fd = memfd_create("not a board", MFD_CLOEXEC) };
    struct rk_detail detail = { .text = "" };

    ck_assert_int_eq(rk_worker_run(&handover, &detail), RK_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(detail.text, "not a region"));
    ck_assert_int_eq(ftruncate(handover.board_fd, 65536), 0);
    ck_assert_int_eq(rk_worker_run(&handover, &detail), RK_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(detail.text, "another version"));
    close(handover.board_fd);
}
END_TEST

START_TEST(a_worker_without_its_master_ends)
{
    pid_t pid = fork();
    int status = 0;

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(rk_worker_main(0, (int)getpid()) == 0 ? 0 : 2); /* its parent is somebody else */
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("worker link");
    TCase *tcase = tcase_create("link");

    tcase_add_test(tcase, a_worker_refuses_what_is_no_board);
    tcase_add_test(tcase, a_worker_without_its_master_ends);
    suite_add_tcase(suite, tcase);
    return suite;
}
