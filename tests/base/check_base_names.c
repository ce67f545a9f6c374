/* What a process takes by name and gives back: Unix sockets, PID files, the lock of starts, the log of messages; and
 * the three descriptors that it is given. */
#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_diag_file.h"
#include "base/base_path.h"
#include "base/base_pid_file.h"
#include "base/base_start_lock.h"
#include "base/base_stdio.h"
#include "base/base_unix.h"
#include "test_dir.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct rk_unix_access own = { .mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1 };

static char *dir;
static char path[512], other[512];
static struct rk_detail detail;

static void setup(void)
{
    dir = test_dir_create();
    (void)snprintf(path, sizeof path, "%s/name", dir);
    (void)snprintf(other, sizeof other, "%s/other", dir);
}

static void teardown(void)
{
    test_dir_remove(&dir);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "we");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static const char *read_file(const char *name)
{
    static char text[4096];
    FILE *file = fopen(name, "re");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static unsigned mode_of(const char *name)
{
    struct stat status;

    ck_assert_int_eq(lstat(name, &status), 0);
    return status.st_mode & 07777;
}

static ino_t inode_of(const char *name)
{
    struct stat status;

    ck_assert_int_eq(lstat(name, &status), 0);
    return status.st_ino;
}

static bool is_there(const char *name)
{
    struct stat status;

    return lstat(name, &status) == 0;
}

/* Runs the function in a child, which holds what it took until `hold` is closed; returns when it has taken it. */
struct holder {
    pid_t pid;
    int hold;
};

static struct holder start_holder(bool (*take)(void))
{
    struct holder holder;
    int hold[2], taken[2];
    char byte;

    ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(taken, O_CLOEXEC), 0);
    holder.pid = fork();
    if (holder.pid == 0) {
        close(hold[1]);
        byte = take() ? 'y' : 'n';
        (void)!write(taken[1], &byte, 1);
        (void)!read(hold[0], &byte, 1);
        _exit(0);
    }
    close(hold[0]);
    close(taken[1]);
    ck_assert_int_eq(read(taken[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    close(taken[0]);
    holder.hold = hold[1];
    return holder;
}

/* As a kill does: nothing of what it took is given back by itself. */
static void end_holder(struct holder *holder)
{
    kill(holder->pid, SIGKILL);
    ck_assert_int_eq(waitpid(holder->pid, NULL, 0), holder->pid);
    close(holder->hold);
}

/* ---- the lock of starts ---- */

static bool take_lock(void)
{
    rk_start_lock_acquire();
    return true;
}

/* Whether the name is taken, without waiting for it. */
static bool lock_is_held(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0" RK_START_LOCK_NAME };
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof RK_START_LOCK_NAME;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool held = bind(fd, (struct sockaddr *)&name, len) != 0;

    close(fd);
    return held;
}

/* Another start of another test may have it for a moment; this one waits for its turn as starts do. */
START_TEST(one_start_at_a_time)
{
    struct holder holder = start_holder(take_lock);
    pid_t second;
    int status, taken[2];
    struct pollfd end;

    ck_assert(lock_is_held());
    ck_assert_int_eq(pipe2(taken, O_CLOEXEC), 0);
    second = fork();
    if (second == 0)
        _exit(take_lock() && write(taken[1], "y", 1) == 1 ? 0 : 1);
    close(taken[1]);
    end = (struct pollfd){ .fd = taken[0], .events = POLLIN };
    ck_assert_int_eq(poll(&end, 1, 100), 0); /* it waits, however slow the machine is */
    end_holder(&holder);
    ck_assert_int_eq(waitpid(second, &status, 0), second);
    ck_assert_int_eq(status, 0);
    close(taken[0]);
}
END_TEST

/* Where nobody else starts servers, or is kept from it. */
static bool enter_own_network(void)
{
    return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

/* A name that somebody keeps keeps no server from starting. */
START_TEST(who_keeps_the_lock_is_not_waited_for_for_ever)
{
    struct holder holder;

    if (!enter_own_network()) {
        fprintf(stderr, "skipped: no network of its own\n");
        return;
    }
    holder = start_holder(take_lock);
    rk_start_lock_acquire();
    rk_start_lock_release();
    ck_assert(lock_is_held());
    end_holder(&holder);
}
END_TEST

START_TEST(the_lock_nests_in_its_process)
{
    rk_start_lock_acquire();
    rk_start_lock_acquire();
    rk_start_lock_release();
    ck_assert(lock_is_held());
    rk_start_lock_release();
    rk_start_lock_acquire();
    rk_start_lock_release();
}
END_TEST

/* ---- Unix sockets ---- */

START_TEST(the_mode_of_a_socket_is_not_the_umasks_doing)
{
    static const unsigned umasks[] = { 0, 022, 027, 077, 0777 }, modes[] = { 0600, 0660, 0666 };

    for (size_t i = 0; i < sizeof umasks / sizeof umasks[0]; i++)
        for (size_t j = 0; j < sizeof modes / sizeof modes[0]; j++) {
            struct rk_unix_access access_wanted = { .mode = modes[j], .owner = getuid(), .group = getgid() };
            struct rk_unix_listener listener;
            struct stat status;

            umask(umasks[i]);
            ck_assert_int_eq(rk_unix_listen(path, 1, &access_wanted, &listener, &detail), RK_OK);
            ck_assert_uint_eq(mode_of(path), modes[j]);
            ck_assert_int_eq(lstat(path, &status), 0);
            ck_assert_uint_eq(status.st_gid, getgid());
            rk_unix_close(path, &listener);
            ck_assert(!is_there(path));
        }
}
END_TEST

START_TEST(a_socket_is_given_to_owner_and_group)
{
    struct rk_unix_access access_wanted = { .mode = 0660, .owner = 12345, .group = 54321 };
    struct rk_unix_listener listener;
    struct stat status;

    if (geteuid() != 0) { /* it may not: then nothing stays */
        ck_assert_int_ne(rk_unix_listen(path, 1, &access_wanted, &listener, &detail), RK_OK);
        ck_assert_ptr_nonnull(strstr(detail.text, "owner and group"));
        ck_assert(!is_there(path));
        return;
    }
    ck_assert_int_eq(rk_unix_listen(path, 1, &access_wanted, &listener, &detail), RK_OK);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_uint_eq(status.st_uid, 12345);
    ck_assert_uint_eq(status.st_gid, 54321);
    ck_assert_uint_eq(mode_of(path), 0660);
    rk_unix_close(path, &listener);
}
END_TEST

static bool take_socket(void)
{
    struct rk_unix_listener listener;

    return rk_unix_listen(path, 64, &own, &listener, &detail) == RK_OK;
}

START_TEST(a_live_socket_is_kept_and_a_stale_one_taken_over)
{
    struct holder holder = start_holder(take_socket);
    struct rk_unix_listener listener;
    ino_t inode = inode_of(path);

    ck_assert_int_eq(rk_unix_listen(path, 1, &own, &listener, &detail), RK_ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(detail.text, path));
    ck_assert_uint_eq(inode_of(path), inode);
    end_holder(&holder);
    ck_assert(is_there(path));
    ck_assert_int_eq(rk_unix_listen(path, 1, &own, &listener, &detail), RK_OK);
    rk_unix_close(path, &listener);
    ck_assert(!is_there(path));
}
END_TEST

/* Who does not accept is alive as well. */
START_TEST(a_full_queue_is_a_live_socket)
{
    struct rk_unix_listener full, listener;
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fds[8];

    ck_assert_int_eq(rk_unix_listen(path, 0, &own, &full, &detail), RK_OK);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%.100s", path);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&name, sizeof name);
    }
    ck_assert_int_eq(rk_unix_listen(path, 1, &own, &listener, &detail), RK_ERR_BUSY);
    ck_assert(is_there(path));
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    rk_unix_close(path, &full);
}
END_TEST

/* Makes at the path what is no socket of ours. */
static void make_obstacle(int kind)
{
    if (kind == 0)
        write_file(path, "precious");
    else if (kind == 1)
        ck_assert_int_eq(mkdir(path, 0700), 0);
    else if (kind == 2)
        ck_assert_int_eq(symlink("/nonexistent/name", path), 0);
    else
        ck_assert_int_eq(mkfifo(path, 0600), 0);
}

#define N_OBSTACLES 4

START_TEST(what_is_no_socket_is_kept)
{
    struct rk_unix_listener listener;
    ino_t inode;

    make_obstacle(_i);
    inode = inode_of(path);
    ck_assert_int_eq(rk_unix_listen(path, 1, &own, &listener, &detail), RK_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(detail.text, "not a socket"));
    ck_assert_uint_eq(inode_of(path), inode);
}
END_TEST

START_TEST(the_name_of_another_is_not_removed)
{
    struct rk_unix_listener first, second;

    ck_assert_int_eq(rk_unix_listen(path, 1, &own, &first, &detail), RK_OK);
    ck_assert_int_eq(unlink(path), 0); /* somebody cleared it away */
    ck_assert_int_eq(rk_unix_listen(path, 1, &own, &second, &detail), RK_OK);
    rk_unix_close(path, &first);
    ck_assert(is_there(path));
    rk_unix_close(path, &second);
    ck_assert(!is_there(path));
    rk_unix_close(path, &second); /* once more: nothing */
}
END_TEST

#define N_AT_ONCE 4

/* In a child: tries once it may, says how it went, and keeps what it has. */
static pid_t start_rival(const int go[2], int answer_fd)
{
    pid_t pid = fork();
    char byte;

    if (pid != 0)
        return pid;
    close(go[1]);
    (void)!read(go[0], &byte, 1);
    byte = take_socket() ? 'y' : 'n';
    (void)!write(answer_fd, &byte, 1);
    for (;;)
        pause();
}

/* Some at once on a name that was left: how many had it. */
static int run_rivals(void)
{
    struct holder holder = start_holder(take_socket);
    int answers[2], go[2], n_taken = 0, fd;
    pid_t pids[N_AT_ONCE];
    char byte;

    end_holder(&holder);
    ck_assert_int_eq(pipe2(answers, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
    for (int i = 0; i < N_AT_ONCE; i++)
        pids[i] = start_rival(go, answers[1]);
    close(go[0]);
    close(go[1]);
    close(answers[1]);
    for (int i = 0; i < N_AT_ONCE; i++) {
        ck_assert_int_eq(read(answers[0], &byte, 1), 1);
        n_taken += byte == 'y';
    }
    close(answers[0]);
    ck_assert_int_eq(rk_unix_connect(path, &fd, &detail), RK_OK);
    close(fd);
    for (int i = 0; i < N_AT_ONCE; i++) {
        kill(pids[i], SIGKILL);
        ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
    }
    return n_taken;
}

START_TEST(of_many_at_once_one_has_the_name)
{
    for (int round = 0; round < 50; round++)
        ck_assert_int_eq(run_rivals(), 1);
}
END_TEST

/* ---- PID files ---- */

static bool take_pid_file(void)
{
    static struct rk_pid_file file;

    return rk_pid_file_open(&file, path, &detail) == RK_OK;
}

START_TEST(a_pid_file_says_who_runs_and_goes)
{
    struct rk_pid_file file, none = { .path = NULL };

    umask(0777);
    ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_OK);
    umask(022);
    ck_assert_int_eq(atoi(read_file(path)), getpid());
    ck_assert_uint_eq(mode_of(path), 0644);
    rk_pid_file_close(&file);
    ck_assert(!is_there(path));
    rk_pid_file_close(&file);
    rk_pid_file_close(&none);
}
END_TEST

START_TEST(the_pid_file_of_a_live_process_is_kept)
{
    struct holder holder = start_holder(take_pid_file);
    struct rk_pid_file file;
    char pid[32];

    (void)snprintf(pid, sizeof pid, "pid %d;", (int)holder.pid);
    ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_ERR_BUSY);
    ck_assert_msg(strstr(detail.text, pid) != NULL, "%s", detail.text);
    ck_assert_int_eq(atoi(read_file(path)), holder.pid);
    end_holder(&holder);
    ck_assert_int_eq(atoi(read_file(path)), holder.pid);
    ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_OK);
    ck_assert_int_eq(atoi(read_file(path)), getpid());
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
        write_file(path, texts[i]);
        ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_OK);
        (void)snprintf(expected, sizeof expected, "%d\n", (int)getpid());
        ck_assert_str_eq(read_file(path), expected);
        rk_pid_file_close(&file);
    }
}
END_TEST

START_TEST(a_file_that_is_no_pid_file_is_kept)
{
    static const char *const texts[] = { "precious", "12 monkeys\n", "1\n2\n", "111111111111111111111111111111" };
    struct rk_pid_file file;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(path, texts[i]);
        ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_ERR_INVALID);
        ck_assert_str_eq(read_file(path), texts[i]);
    }
}
END_TEST

START_TEST(what_is_no_file_is_no_pid_file)
{
    struct rk_pid_file file;
    ino_t inode;

    if (_i == 0)
        ck_assert_int_eq(symlink(other, path), 0);
    else
        make_obstacle(_i);
    inode = inode_of(path);
    ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(detail.text, "not a regular file"));
    ck_assert_uint_eq(inode_of(path), inode);
    ck_assert(!is_there(other));
}
END_TEST

START_TEST(the_pid_file_of_another_is_not_removed)
{
    struct rk_pid_file file;

    ck_assert_int_eq(rk_pid_file_open(&file, path, &detail), RK_OK);
    ck_assert_int_eq(unlink(path), 0);
    write_file(path, "4711\n");
    rk_pid_file_close(&file);
    ck_assert_str_eq(read_file(path), "4711\n");
}
END_TEST

/* ---- messages ---- */

START_TEST(messages_go_to_the_file_and_errors_to_the_terminal_until_it_is_left)
{
    int terminal = open(other, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    ck_assert_int_eq(dup2(terminal, STDERR_FILENO), STDERR_FILENO);
    rk_diag_setup("prog", "role");
    ck_assert(!rk_diag_file_is_open());
    umask(0);
    write_file(path, "before\n");
    ck_assert_int_eq(rk_diag_file_open(path, &detail), RK_OK);
    ck_assert_str_eq(rk_diag_file_path(), path);
    rk_diag(RK_DIAG_INFO, "an info");
    rk_diag(RK_DIAG_WARNING, "a warning");
    rk_diag(RK_DIAG_ERROR, "the reason");
    rk_diag_file_leave();
    rk_diag(RK_DIAG_ERROR, "an error");
    ck_assert_str_eq(read_file(other), "prog: warning: a warning\nprog: the reason\n");
    ck_assert_ptr_eq(strstr(read_file(path), "before\n"), read_file(path));
    ck_assert_ptr_nonnull(strstr(read_file(path), "info: an info\n"));
    ck_assert_ptr_nonnull(strstr(read_file(path), "warning: a warning\n"));
    ck_assert_ptr_nonnull(strstr(read_file(path), "error: an error\n"));
}
END_TEST

START_TEST(a_log_that_was_moved_is_begun_anew)
{
    umask(0);
    ck_assert_int_eq(rk_diag_file_open(path, &detail), RK_OK);
    rk_diag_file_leave();
    rk_diag(RK_DIAG_INFO, "the first");
    ck_assert_int_eq(rename(path, other), 0);
    rk_diag(RK_DIAG_INFO, "the second");
    ck_assert_int_eq(rk_diag_file_reopen(&detail), RK_OK);
    rk_diag(RK_DIAG_INFO, "the third");
    ck_assert_ptr_nonnull(strstr(read_file(other), "the second\n"));
    ck_assert_ptr_null(strstr(read_file(other), "the third\n"));
    ck_assert_ptr_nonnull(strstr(read_file(path), "the third\n"));
    ck_assert_uint_eq(mode_of(path), 0600);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_ne(rk_diag_file_reopen(&detail), RK_OK);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(rk_diag_file_reopen(&detail), RK_ERR_INVALID); /* without a reader: an open could wait for one */
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFD), 0);
}
END_TEST

/* ---- 0, 1, 2 ---- */

/* Which of the three are closed: the bits of _i. */
START_TEST(closed_descriptors_are_taken_by_nothing)
{
    int before = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fds[3], after;
    char byte;

    for (int fd = 0; fd < 3; fd++) {
        ck_assert_int_eq(dup2(before, fd), fd);
        if ((_i & 1 << fd) != 0)
            close(fd);
    }
    ck_assert(rk_stdio_open());
    after = open(other, O_RDONLY | O_CLOEXEC);
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
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), good = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert(rk_stdio_finish());
    ck_assert_int_eq(dup2(good, STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    ck_assert(rk_stdio_finish()); /* nothing was to be printed */
    printf("x");
    if (_i == 1)
        ck_assert_int_ne(fflush(stdout), 0); /* earlier on, as a prompt does */
    ck_assert(!rk_stdio_finish());
    (void)rk_stdio_finish();
    ck_assert_ptr_nonnull(strstr(read_file(other), "standard output cannot be written"));
    ck_assert_ptr_null(strstr(strchr(read_file(other), '\n') + 1, "\n")); /* told once */
}
END_TEST

START_TEST(a_path_is_told_from_the_root)
{
    char *absolute, *real = realpath(dir, NULL);

    ck_assert_int_eq(chdir(dir), 0);
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
    Suite *suite = suite_create("base_names");
    TCase *tcase = tcase_create("names");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_start_at_a_time);
    tcase_add_test(tcase, who_keeps_the_lock_is_not_waited_for_for_ever);
    tcase_add_test(tcase, the_lock_nests_in_its_process);
    tcase_add_test(tcase, the_mode_of_a_socket_is_not_the_umasks_doing);
    tcase_add_test(tcase, a_socket_is_given_to_owner_and_group);
    tcase_add_test(tcase, a_live_socket_is_kept_and_a_stale_one_taken_over);
    tcase_add_test(tcase, a_full_queue_is_a_live_socket);
    tcase_add_loop_test(tcase, what_is_no_socket_is_kept, 0, N_OBSTACLES);
    tcase_add_test(tcase, the_name_of_another_is_not_removed);
    tcase_add_test(tcase, of_many_at_once_one_has_the_name);
    tcase_add_test(tcase, a_pid_file_says_who_runs_and_goes);
    tcase_add_test(tcase, the_pid_file_of_a_live_process_is_kept);
    tcase_add_test(tcase, a_pid_file_that_was_left_is_taken_over);
    tcase_add_test(tcase, a_file_that_is_no_pid_file_is_kept);
    tcase_add_loop_test(tcase, what_is_no_file_is_no_pid_file, 0, N_OBSTACLES);
    tcase_add_test(tcase, the_pid_file_of_another_is_not_removed);
    tcase_add_test(tcase, messages_go_to_the_file_and_errors_to_the_terminal_until_it_is_left);
    tcase_add_test(tcase, a_log_that_was_moved_is_begun_anew);
    tcase_add_loop_test(tcase, closed_descriptors_are_taken_by_nothing, 0, 8);
    tcase_add_loop_test(tcase, output_that_did_not_arrive_is_a_failure, 0, 2);
    tcase_add_test(tcase, a_path_is_told_from_the_root);
    suite_add_tcase(suite, tcase);
    return suite;
}
