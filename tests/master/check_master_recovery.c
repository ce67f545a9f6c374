/* Recovery beside the main thread: what the board and standard error say of it, how it ends, and what is left when the
 * process ends in the middle. */
#include "start_bed.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct rk_recover_progress steps[] = {
    { .done_bytes = 0, .total_bytes = 1000, .n_records = 0 },
    { .done_bytes = 10, .total_bytes = 1000, .n_records = 1 },
    { .done_bytes = 559, .total_bytes = 1000, .n_records = 20 },
    { .done_bytes = 1000, .total_bytes = 1000, .n_records = 25 },
};

#define N_STEPS (sizeof steps / sizeof steps[0])

static void start_play(void)
{
    bed.play.is_played = true;
    bed.play.steps = steps;
    bed.play.n_steps = N_STEPS;
    bed_start();
}

/* Lets the played part come to its end. */
static void end_play(void)
{
    sem_post(&bed.play.go);
    ck_assert_int_eq(bed_end(), RK_OK);
    ck_assert_int_eq(rk_master_engine_close(&bed.engine), RK_OK);
}

START_TEST(a_start_goes_from_recovering_to_serving)
{
    bed_start();
    ck_assert_msg(bed_end() == RK_OK, "%s", bed.detail.text);
    ck_assert_uint_eq(bed_n_told("info: recovered 0 keys from 0 records"), 1);
    ck_assert_uint_eq(bed_state(), RK_BOARD_RECOVERING);
    ck_assert_msg(rk_master_engine_serve(&bed.engine, &bed.conf, &bed.detail) == RK_OK, "%s", bed.detail.text);
    ck_assert_uint_eq(bed_state(), RK_BOARD_SERVING);
    ck_assert_int_eq(rk_master_engine_close(&bed.engine), RK_OK);
}
END_TEST

START_TEST(what_was_written_is_recovered)
{
    bed_fill();
    bed_check_filled();
}
END_TEST

START_TEST(progress_is_on_the_board)
{
    start_play();
    ck_assert_uint_eq(atomic_load(&bed.engine.board->recovery.total_bytes), 0); /* not known yet */
    for (size_t i = 0; i < N_STEPS; i++) {
        bed_next_step();
        ck_assert_uint_eq(atomic_load(&bed.engine.board->recovery.done_bytes), steps[i].done_bytes);
        ck_assert_uint_eq(atomic_load(&bed.engine.board->recovery.total_bytes), steps[i].total_bytes);
        ck_assert_uint_eq(atomic_load(&bed.engine.board->recovery.n_records), steps[i].n_records);
        ck_assert_uint_eq(bed_state(), RK_BOARD_RECOVERING);
        ck_assert(!rk_master_recovery_has_ended(bed.recovery));
        ck_assert(!bed_is_noticed(0));
    }
    end_play();
}
END_TEST

/* A line every two seconds, when there is something to say. */
START_TEST(a_long_recovery_is_told_in_lines)
{
    ck_assert_int_ge(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO), 0);
    start_play();
    bed_tell_after(5000);
    ck_assert_uint_eq(bed.n_lines, 0); /* its size is not known yet */
    bed_next_step();
    bed_next_step();
    bed_tell_after(1999);
    ck_assert_uint_eq(bed.n_lines, 0);
    bed_tell_after(2000);
    ck_assert_uint_eq(bed.n_lines, 1);
    ck_assert_str_eq(bed.lines[0], "info: recovering: 1 %, 1 record so far");
    bed_next_step();
    bed_tell_after(3999);
    ck_assert_uint_eq(bed.n_lines, 1);
    bed_tell_after(4000);
    ck_assert_str_eq(bed.lines[1], "info: recovering: 55 %, 20 records so far");
    bed_next_step();
    bed_tell_after(6000);
    ck_assert_str_eq(bed.lines[2], "info: recovering: 100 %, 25 records so far");
    end_play();
}
END_TEST

/* A terminal of the test's own as standard error; returns its other end. */
static int open_terminal(void)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    ck_assert_int_ge(dup2(open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC), STDERR_FILENO), 0);
    return terminal;
}

static void check_shown(int terminal, const char *expected)
{
    char text[256];
    ssize_t n = read(terminal, text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    ck_assert_str_eq(text, expected);
}

START_TEST(a_terminal_gets_a_bar)
{
    int terminal = open_terminal();

    start_play();
    bed_next_step();
    bed_next_step();
    bed_tell_after(499);
    check_shown(terminal, "");
    bed_tell_after(500);
    check_shown(terminal, "\rrecovering [----------------------------------------]   1 %, 1 record");
    bed_next_step();
    bed_tell_after(599);
    check_shown(terminal, "");
    bed_tell_after(600);
    check_shown(terminal, "\rrecovering [######################------------------]  55 %, 20 records");
    bed_next_step();
    bed_tell_after(700);
    check_shown(terminal, "\rrecovering [########################################] 100 %, 25 records");
    ck_assert_uint_eq(bed.n_lines, 0);
    end_play();
    check_shown(terminal, "\r\033[K"); /* gone, before anything else is said */
}
END_TEST

static const struct {
    enum rk_err err;
    const char *why;
    const char *begin; /* NULL: the error's own text */
    bool has_hint;
} failures[] = {
    { RK_ERR_CORRUPT, "data file 3: a bad record", "data file 3: a bad record; ", true },
    { RK_ERR_IO, "data file 3: reading: no luck", "data file 3: reading: no luck", false },
    { RK_ERR_FULL, NULL, NULL, false },
};

START_TEST(a_failure_is_told_with_its_detail)
{
    const char *begin = failures[_i].begin != NULL ? failures[_i].begin : rk_err_text(failures[_i].err);

    bed.play.err = failures[_i].err;
    bed.play.why = failures[_i].why;
    start_play();
    for (size_t i = 0; i < N_STEPS; i++)
        bed_next_step();
    sem_post(&bed.play.go);
    ck_assert_int_eq(bed_end(), failures[_i].err);
    ck_assert_msg(strncmp(bed.detail.text, begin, strlen(begin)) == 0, "%s", bed.detail.text);
    ck_assert_int_eq(strstr(bed.detail.text, "--salvage") != NULL, failures[_i].has_hint);
    ck_assert_uint_eq(bed_n_told("recovered"), 0);
    ck_assert_ptr_null(bed.engine.log);
    ck_assert_uint_eq(bed_state(), RK_BOARD_RECOVERING);
    ck_assert_int_eq(rk_master_engine_close(&bed.engine), RK_OK);
}
END_TEST

/* Asked to stop before it was over, the master leaves with whatever the thread is at: the next start recovers all. */
START_TEST(a_stop_in_the_middle_leaves_the_store_whole)
{
    int wait_status;
    pid_t pid;

    bed_fill();
    pid = fork();
    if (pid == 0) {
        bed.play.leaves = true;
        bed_start();
        (void)bed_is_noticed(BED_DEADLINE_MS); /* never: the thread ends the process */
        _exit(1);
    }
    ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
    ck_assert_int_eq(wait_status, 0);
    bed_check_filled();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master_recovery");
    TCase *tcase = tcase_create("recovery");

    tcase_add_checked_fixture(tcase, bed_create, bed_destroy);
    tcase_add_test(tcase, a_start_goes_from_recovering_to_serving);
    tcase_add_test(tcase, what_was_written_is_recovered);
    tcase_add_test(tcase, progress_is_on_the_board);
    tcase_add_test(tcase, a_long_recovery_is_told_in_lines);
    tcase_add_test(tcase, a_terminal_gets_a_bar);
    tcase_add_loop_test(tcase, a_failure_is_told_with_its_detail, 0, sizeof failures / sizeof failures[0]);
    tcase_add_test(tcase, a_stop_in_the_middle_leaves_the_store_whole);
    suite_add_tcase(suite, tcase);
    return suite;
}
