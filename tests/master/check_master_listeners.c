/* The listening sockets of one start beside those of another: what is taken, what is refused, what a failure leaves. */
#include "base/base_detail.h"
#include "master/master_listeners.h"
#include "test_dir.h"
#include "test_main.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_SLOTS       3
#define N_CONNECTIONS 200 /* that one of three slots gets none of these is no accident */

static char *dir;
static char unix_address[256];
static struct rk_detail detail;

static void setup(void)
{
    dir = test_dir_create();
    (void)snprintf(unix_address, sizeof unix_address, "unix:%s/sock", dir);
}

static void teardown(void)
{
    test_dir_remove(&dir);
}

static unsigned n_slots = N_SLOTS;

/* One or two addresses; NULL: none. */
static enum rk_err open_listeners(struct rk_master_listeners **listeners, const char *first, const char *second)
{
    char *addresses[] = { (char *)(uintptr_t)first, (char *)(uintptr_t)second };
    struct rk_master_listen listen = { .addresses = addresses,
                                       .n_addresses = second != NULL ? 2 : 1,
                                       .n_slots = n_slots,
                                       .unix_access = { .mode = 0660, .owner = (uid_t)-1, .group = (gid_t)-1 } };

    return rk_master_listeners_open(listeners, &listen, &detail);
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                            : ((struct sockaddr_in *)&name)->sin_port);
}

START_TEST(all_slots_have_the_port_that_the_kernel_chose)
{
    struct rk_master_listeners *listeners;
    unsigned port;

    ck_assert_int_eq(open_listeners(&listeners, "127.0.0.1:0", NULL), RK_OK);
    port = port_of(rk_master_listeners_fd(listeners, 0, 0));
    ck_assert_uint_gt(port, 0);
    for (unsigned slot = 1; slot < N_SLOTS; slot++) {
        ck_assert_uint_eq(port_of(rk_master_listeners_fd(listeners, 0, slot)), port);
        ck_assert_int_ne(rk_master_listeners_fd(listeners, 0, slot), rk_master_listeners_fd(listeners, 0, 0));
    }
    rk_master_listeners_close(&listeners);
    ck_assert_ptr_null(listeners);
    rk_master_listeners_close(&listeners);
}
END_TEST

/* The first one, too, which joined the others last. */
START_TEST(connections_go_to_all_slots)
{
    struct rk_master_listeners *listeners;
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    int fds[N_CONNECTIONS], n_accepted = 0;

    ck_assert_int_eq(open_listeners(&listeners, "127.0.0.1:0", NULL), RK_OK);
    ck_assert_int_eq(getsockname(rk_master_listeners_fd(listeners, 0, 0), (struct sockaddr *)&name, &len), 0);
    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&name, sizeof name), 0);
    }
    for (unsigned slot = 0; slot < N_SLOTS; slot++) {
        int n = 0, fd;

        while ((fd = accept(rk_master_listeners_fd(listeners, 0, slot), NULL, NULL)) >= 0 && ++n > 0)
            close(fd);
        ck_assert_msg(n > 0, "slot %u has no connection", slot);
        n_accepted += n;
    }
    ck_assert_int_eq(n_accepted, N_CONNECTIONS);
    for (size_t i = 0; i < N_CONNECTIONS; i++)
        close(fds[i]);
    rk_master_listeners_close(&listeners);
}
END_TEST

/* Whether a second start may have the second address while the first has the first one, on one port. */
static const struct {
    const char *first;
    const char *second;
    enum rk_err expected;
} pairs[] = {
    { "127.0.0.1", "127.0.0.1", RK_ERR_BUSY },
    { "127.0.0.1", "0.0.0.0", RK_ERR_BUSY },
    { "0.0.0.0", "127.0.0.1", RK_ERR_BUSY },
    { "127.0.0.1", "127.0.0.2", RK_OK },
    { "127.0.0.1", "[::1]", RK_OK },
    { "[::1]", "[::]", RK_ERR_BUSY },
    { "[::]", "0.0.0.0", RK_OK },
    { "[::]", "[::1]", RK_ERR_BUSY },
};

#define N_PAIRS (int)(sizeof pairs / sizeof pairs[0])

START_TEST(what_is_taken_is_refused)
{
    struct rk_master_listeners *first, *second = NULL;
    char address[64];
    unsigned port;

    (void)snprintf(address, sizeof address, "%s:0", pairs[_i].first);
    if (open_listeners(&first, address, NULL) != RK_OK && pairs[_i].first[0] == '[')
        return; /* a machine without IPv6 */
    port = port_of(rk_master_listeners_fd(first, 0, 0));
    (void)snprintf(address, sizeof address, "%s:%u", pairs[_i].second, port);
    if (pairs[_i].expected == RK_OK) {
        enum rk_err err = open_listeners(&second, address, NULL); /* somebody else may have that one */

        ck_assert_msg(err == RK_OK || strstr(detail.text, address) != NULL, "%s", detail.text);
        rk_master_listeners_close(&second);
    } else {
        ck_assert_int_eq(open_listeners(&second, address, NULL), RK_ERR_BUSY);
        ck_assert_msg(strstr(detail.text, address) != NULL, "%s", detail.text);
        ck_assert_ptr_null(second);
    }
    rk_master_listeners_close(&first);
}
END_TEST

/* With one worker there is nobody to share the port with. */
START_TEST(the_port_of_one_slot_is_not_shared)
{
    struct rk_master_listeners *listeners;
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    n_slots = 1;
    ck_assert_int_eq(open_listeners(&listeners, "127.0.0.1:0", NULL), RK_OK);
    ck_assert_int_eq(getsockname(rk_master_listeners_fd(listeners, 0, 0), (struct sockaddr *)&name, &len), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), -1);
    close(fd);
    rk_master_listeners_close(&listeners);
}
END_TEST

START_TEST(a_unix_socket_is_one_for_all_slots_and_goes)
{
    struct rk_master_listeners *listeners;
    struct stat status;

    umask(0);
    ck_assert_int_eq(open_listeners(&listeners, unix_address, NULL), RK_OK);
    ck_assert_int_eq(lstat(unix_address + 5, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0660);
    ck_assert_str_eq(rk_master_listeners_url(listeners, 0), unix_address);
    for (unsigned slot = 1; slot < N_SLOTS; slot++)
        ck_assert_int_eq(rk_master_listeners_fd(listeners, 0, slot), rk_master_listeners_fd(listeners, 0, 0));
    rk_master_listeners_close(&listeners);
    ck_assert_int_ne(lstat(unix_address + 5, &status), 0);
}
END_TEST

START_TEST(a_failure_leaves_nothing)
{
    struct rk_master_listeners *taken, *listeners = NULL, *again;
    char address[64];
    struct stat status;

    ck_assert_int_eq(open_listeners(&taken, "127.0.0.1:0", NULL), RK_OK);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", port_of(rk_master_listeners_fd(taken, 0, 0)));
    ck_assert_int_eq(open_listeners(&listeners, unix_address, address), RK_ERR_BUSY);
    ck_assert_ptr_null(listeners);
    ck_assert_int_ne(lstat(unix_address + 5, &status), 0);
    ck_assert_int_eq(open_listeners(&again, unix_address, NULL), RK_OK); /* the lock of starts is free, too */
    rk_master_listeners_close(&again);
    rk_master_listeners_close(&taken);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master_listeners");
    TCase *tcase = tcase_create("listeners");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, all_slots_have_the_port_that_the_kernel_chose);
    tcase_add_test(tcase, connections_go_to_all_slots);
    tcase_add_loop_test(tcase, what_is_taken_is_refused, 0, N_PAIRS);
    tcase_add_test(tcase, the_port_of_one_slot_is_not_shared);
    tcase_add_test(tcase, a_unix_socket_is_one_for_all_slots_and_goes);
    tcase_add_test(tcase, a_failure_leaves_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
