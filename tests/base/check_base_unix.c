/* Unix sockets, and the lock under which starts take names: whose they are, who may connect, and that one of many has
 * them. */
#include "base/base_detail.h"
#include "base/base_start_lock.h"
#include "base/base_unix.h"
#include "base_bed.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int __real_bind(int fd, const struct sockaddr *name, socklen_t name_len);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t name_len);

static int bind_error; /* 0: as the kernel says */

static const struct rk_unix_access own = { .mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1 };
static struct rk_detail detail;

/* Names in the file system alone can be without room. */
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t name_len)
{
    if (bind_error == 0 || name->sa_data[0] == '\0')
        return __real_bind(fd, name, name_len);
    errno = bind_error;
    return -1;
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
    struct base_holder holder = base_bed_start_holder(take_lock);
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
    base_bed_end_holder(&holder);
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
    struct base_holder holder;

    if (!enter_own_network()) {
        fprintf(stderr, "skipped: no network of its own\n");
        return;
    }
    holder = base_bed_start_holder(take_lock);
    rk_start_lock_acquire();
    rk_start_lock_release();
    ck_assert(lock_is_held());
    base_bed_end_holder(&holder);
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
            ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &access_wanted, &listener, &detail), RK_OK);
            ck_assert_uint_eq(base_bed_mode_of(base_bed_path), modes[j]);
            ck_assert_int_eq(lstat(base_bed_path, &status), 0);
            ck_assert_uint_eq(status.st_gid, getgid());
            rk_unix_close(base_bed_path, &listener);
            ck_assert(!base_bed_is_there(base_bed_path));
        }
}
END_TEST

START_TEST(a_socket_is_given_to_owner_and_group)
{
    struct rk_unix_access access_wanted = { .mode = 0660, .owner = 12345, .group = 54321 };
    struct rk_unix_listener listener;
    struct stat status;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &access_wanted, &listener, &detail), RK_OK);
    ck_assert_int_eq(lstat(base_bed_path, &status), 0);
    ck_assert_uint_eq(status.st_uid, 12345);
    ck_assert_uint_eq(status.st_gid, 54321);
    ck_assert_uint_eq(base_bed_mode_of(base_bed_path), 0660);
    rk_unix_close(base_bed_path, &listener);
}
END_TEST

/* Nobody but root gives files away. */
START_TEST(a_socket_that_cannot_be_given_is_not_left)
{
    struct rk_unix_access access_wanted = { .mode = 0660, .owner = 12345, .group = (gid_t)-1 };
    struct rk_unix_listener listener;
    bool is_root = geteuid() == 0;
    enum rk_err err;

    strrchr(base_bed_path, '/')[0] = '\0'; /* the folder */
    ck_assert_int_eq(chmod(base_bed_path, 0777), 0);
    base_bed_path[strlen(base_bed_path)] = '/';
    ck_assert(!is_root || seteuid(54321) == 0);
    err = rk_unix_listen(base_bed_path, 1, &access_wanted, &listener, &detail);
    ck_assert(!is_root || seteuid(0) == 0);
    ck_assert_int_ne(err, RK_OK);
    ck_assert_msg(strstr(detail.text, "owner and group") != NULL, "%s", detail.text);
    ck_assert(!base_bed_is_there(base_bed_path));
}
END_TEST

START_TEST(a_name_that_has_no_room_is_told_from_other_failures)
{
    static const struct {
        int errnum;
        enum rk_err err;
    } cases[] = { { ENOSPC, RK_ERR_NO_SPACE }, { EDQUOT, RK_ERR_NO_SPACE }, { EACCES, RK_ERR_IO } };
    struct rk_unix_listener listener;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bind_error = cases[i].errnum;
        ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &listener, &detail), cases[i].err);
        ck_assert_ptr_nonnull(strstr(detail.text, base_bed_path));
        ck_assert_ptr_nonnull(strstr(detail.text, strerror(cases[i].errnum)));
    }
    bind_error = 0;
    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &listener, &detail), RK_OK);
    rk_unix_close(base_bed_path, &listener);
}
END_TEST

static bool take_socket(void)
{
    struct rk_unix_listener listener;

    return rk_unix_listen(base_bed_path, 64, &own, &listener, &detail) == RK_OK;
}

START_TEST(a_live_socket_is_kept_and_a_stale_one_taken_over)
{
    struct base_holder holder = base_bed_start_holder(take_socket);
    struct rk_unix_listener listener;
    ino_t inode = base_bed_inode_of(base_bed_path);

    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &listener, &detail), RK_ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(detail.text, base_bed_path));
    ck_assert_uint_eq(base_bed_inode_of(base_bed_path), inode);
    base_bed_end_holder(&holder);
    ck_assert(base_bed_is_there(base_bed_path));
    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &listener, &detail), RK_OK);
    rk_unix_close(base_bed_path, &listener);
    ck_assert(!base_bed_is_there(base_bed_path));
}
END_TEST

/* Who does not accept is alive as well. */
START_TEST(a_full_queue_is_a_live_socket)
{
    struct rk_unix_listener full, listener;
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fds[8];

    ck_assert_int_eq(rk_unix_listen(base_bed_path, 0, &own, &full, &detail), RK_OK);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%.100s", base_bed_path);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&name, sizeof name);
    }
    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &listener, &detail), RK_ERR_BUSY);
    ck_assert(base_bed_is_there(base_bed_path));
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    rk_unix_close(base_bed_path, &full);
}
END_TEST

START_TEST(what_is_no_socket_is_kept)
{
    struct rk_unix_listener listener;
    ino_t inode;

    base_bed_make_obstacle(_i);
    inode = base_bed_inode_of(base_bed_path);
    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &listener, &detail), RK_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(detail.text, "not a socket"));
    ck_assert_uint_eq(base_bed_inode_of(base_bed_path), inode);
}
END_TEST

START_TEST(the_name_of_another_is_not_removed)
{
    struct rk_unix_listener first, second;

    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &first, &detail), RK_OK);
    ck_assert_int_eq(unlink(base_bed_path), 0); /* somebody cleared it away */
    ck_assert_int_eq(rk_unix_listen(base_bed_path, 1, &own, &second, &detail), RK_OK);
    rk_unix_close(base_bed_path, &first);
    ck_assert(base_bed_is_there(base_bed_path));
    rk_unix_close(base_bed_path, &second);
    ck_assert(!base_bed_is_there(base_bed_path));
    rk_unix_close(base_bed_path, &second); /* once more: nothing */
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
    struct base_holder holder = base_bed_start_holder(take_socket);
    int answers[2], go[2], n_taken = 0, fd;
    pid_t pids[N_AT_ONCE];
    char byte;

    base_bed_end_holder(&holder);
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
    ck_assert_int_eq(rk_unix_connect(base_bed_path, &fd, &detail), RK_OK);
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

Suite *test_suite(void)
{
    Suite *suite = suite_create("base_unix");
    TCase *tcase = tcase_create("base_unix");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, base_bed_setup, base_bed_teardown);
    tcase_add_test(tcase, one_start_at_a_time);
    tcase_add_test(tcase, who_keeps_the_lock_is_not_waited_for_for_ever);
    tcase_add_test(tcase, the_lock_nests_in_its_process);
    tcase_add_test(tcase, the_mode_of_a_socket_is_not_the_umasks_doing);
    tcase_add_test(tcase, a_socket_is_given_to_owner_and_group);
    tcase_add_test(tcase, a_socket_that_cannot_be_given_is_not_left);
    tcase_add_test(tcase, a_name_that_has_no_room_is_told_from_other_failures);
    tcase_add_test(tcase, a_live_socket_is_kept_and_a_stale_one_taken_over);
    tcase_add_test(tcase, a_full_queue_is_a_live_socket);
    tcase_add_loop_test(tcase, what_is_no_socket_is_kept, 0, BASE_BED_N_OBSTACLES);
    tcase_add_test(tcase, the_name_of_another_is_not_removed);
    tcase_add_test(tcase, of_many_at_once_one_has_the_name);
    suite_add_tcase(suite, tcase);
    return suite;
}
