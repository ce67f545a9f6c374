/* The mechanism of the control socket, with a function of the test's that answers: lines, garbage, too much, too many,
 * too slow. */
#include "base/base_detail.h"
#include "base/base_time.h"
#include "base/base_unix.h"
#include "control/control_jobs.h"
#include "control/control_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define BIG_BYTES   (1u << 20) /* more than a socket takes by itself */

static char *dir;
static char path[512];
static struct rk_control_server *server;
static _Atomic unsigned n_answered;
static sem_t n_waiting, n_let_go; /* long requests: those that have begun, those that may end */

/* {"echo": x} -> {"ok": true, "echo": x}; {"big": true} -> a very long one; with "long": once it is let go. */
static json_t *answer(void *context, const json_t *request)
{
    static char big[BIG_BYTES + 1];

    ck_assert_ptr_eq(context, &n_answered);
    if (json_object_get(request, "long") != NULL) {
        sem_post(&n_waiting);
        sem_wait(&n_let_go);
    }
    atomic_fetch_add(&n_answered, 1);
    if (json_object_get(request, "big") != NULL) {
        memset(big, 'x', BIG_BYTES);
        return json_pack("{s:b, s:s}", "ok", 1, "big", big);
    }
    return json_pack("{s:b, s:O?}", "ok", 1, "echo", json_object_get(request, "echo"));
}

static bool may_wait(void *context, const json_t *request)
{
    ck_assert_ptr_eq(context, &n_answered);
    return json_object_get(request, "long") != NULL;
}

static struct rk_control_server_settings make_settings(uint64_t patience_ms)
{
    return (struct rk_control_server_settings){
        .path = path, .answer = answer, .may_wait = may_wait, .context = &n_answered, .patience_ms = patience_ms
    };
}

static void start(uint64_t patience_ms)
{
    struct rk_control_server_settings settings = make_settings(patience_ms);
    struct rk_detail detail = { "" };
    enum rk_err err = rk_control_server_start(&server, &settings, &detail);

    ck_assert_msg(err == RK_OK, "%s", detail.text);
}

static void set_up(void)
{
    dir = test_dir_create();
    (void)snprintf(path, sizeof path, "%s/control.sock", dir);
    atomic_store(&n_answered, 0);
    sem_init(&n_waiting, 0, 0);
    sem_init(&n_let_go, 0, 0);
    start(DEADLINE_MS);
}

static void tear_down(void)
{
    rk_control_server_stop(&server);
    test_dir_remove(&dir);
}

static int connect_client(void)
{
    struct timeval deadline = { .tv_sec = DEADLINE_MS / 1000 };
    struct rk_detail detail = { "" };
    int fd = -1;
    enum rk_err err = rk_unix_connect(path, &fd, &detail);

    ck_assert_msg(err == RK_OK, "%s", detail.text);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline), 0);
    return fd;
}

static void say_bytes(int fd, const void *bytes, size_t size)
{
    ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* One line, byte by byte so that nothing behind it is taken; "" at the end. */
static const char *hear(int fd)
{
    static char line[4096];
    size_t size = 0;

    while (size + 1 < sizeof line && recv(fd, line + size, 1, 0) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    return line;
}

static void check_alive(void)
{
    int fd = connect_client();

    say(fd, "{\"echo\": 7}\n");
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":7}");
    close(fd);
}

START_TEST(each_line_has_its_answer)
{
    int fd = connect_client();

    say(fd, "{\"echo\": [1, \"a\\nb\"]}\n");
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":[1,\"a\\nb\"]}");
    say(fd, "{\"echo\": 1}\n{\"echo\": 2}\r\n\n{\"ec");
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":1}");
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":2}");
    ck_assert_ptr_nonnull(strstr(hear(fd), "\"error\":\"usage\""));
    say(fd, "ho\": 3}\n{\"echo\": 4}");
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":3}");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0); /* the last line needs no end */
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":4}");
    ck_assert_str_eq(hear(fd), "");
    close(fd);
}
END_TEST

START_TEST(garbage_is_answered_and_the_connection_goes_on)
{
    static const char *const garbage[] = {
        "hello",           "{", "[1]", "7", "\"x\"", "null", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}", "{\"a\":1} {}",
        "GET / HTTP/1.1\r"
    };
    int fd = connect_client();
    char deep[20001];

    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        const char *line;

        say(fd, garbage[i]);
        say(fd, "\n");
        line = hear(fd);
        ck_assert_msg(strncmp(line, "{\"ok\":false,\"error\":\"usage\",\"detail\":\"", 38) == 0, "%s", line);
    }
    say_bytes(fd, "{\"a\0b\": 1}\n", 11);
    ck_assert_ptr_nonnull(strstr(hear(fd), "\"error\":\"usage\""));
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\n';
    say_bytes(fd, deep, sizeof deep);
    ck_assert_ptr_nonnull(strstr(hear(fd), "\"error\":\"usage\""));
    say(fd, "{\"echo\": true}\n");
    ck_assert_str_eq(hear(fd), "{\"ok\":true,\"echo\":true}");
    ck_assert_uint_eq(atomic_load(&n_answered), 1);
    close(fd);
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
    uint64_t state = 0x9e3779b97f4a7c15u;

    for (unsigned round = 0; round < 200; round++) {
        unsigned char bytes[512];
        int fd = connect_client();

        for (size_t i = 0; i < sizeof bytes; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = state % 7 == 0 ? (unsigned char)"{}\":\n[],"[state / 7 % 8] : (unsigned char)(state >> 8);
        }
        (void)send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        close(fd);
    }
    check_alive();
}
END_TEST

/* Sends all, while taking what comes; a server that closes ends it. */
static void flood(int fd, size_t size)
{
    char *bytes = malloc(size);
    size_t sent = 0;

    memset(bytes, 'x', size);
    while (sent < size) {
        ssize_t n = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    free(bytes);
}

START_TEST(a_line_too_long_is_refused_and_ends_the_connection)
{
    int fd = connect_client();

    flood(fd, RK_CONTROL_LINE_BYTES_MAX - 1);
    say(fd, "\n"); /* just short enough to be read: it is no JSON */
    ck_assert_ptr_nonnull(strstr(hear(fd), "\"error\":\"usage\""));
    flood(fd, RK_CONTROL_LINE_BYTES_MAX);
    ck_assert_ptr_nonnull(strstr(hear(fd), "\"error\":\"too_large\""));
    ck_assert_str_eq(hear(fd), "");
    close(fd);
    check_alive();
}
END_TEST

START_TEST(a_client_that_does_not_listen_holds_nobody_up)
{
    int slow = connect_client();

    for (unsigned i = 0; i < 4; i++)
        say(slow, "{\"big\": true}\n");
    for (unsigned i = 0; i < 20; i++)
        check_alive();
    ck_assert_uint_eq(atomic_load(&n_answered), 21); /* the next request waits until the answer was taken */
    close(slow);
}
END_TEST

/* Whether the other side closes, within the deadline; what comes before is dropped. */
static bool is_closed(int fd)
{
    static char bytes[65536];
    ssize_t n;

    do
        n = recv(fd, bytes, sizeof bytes, 0);
    while (n > 0);
    return n == 0;
}

START_TEST(a_client_that_does_not_listen_is_closed_in_the_end)
{
    struct pollfd gone = { .events = 0 };
    int slow;

    rk_control_server_stop(&server);
    start(50);
    slow = connect_client();
    say(slow, "{\"big\": true}\n");
    gone.fd = slow;
    ck_assert_int_eq(poll(&gone, 1, DEADLINE_MS), 1); /* POLLHUP, while it takes nothing */
    ck_assert(is_closed(slow));
    close(slow);
    check_alive();
}
END_TEST

START_TEST(silent_clients_make_room_for_new_ones)
{
    int silent[RK_CONTROL_CLIENTS_MAX + 8];

    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        silent[i] = connect_client();
        say(silent[i], "{\"echo\": 0}\n");
        ck_assert_str_eq(hear(silent[i]), "{\"ok\":true,\"echo\":0}");
    }
    check_alive();
    ck_assert(is_closed(silent[0]));
    say(silent[RK_CONTROL_CLIENTS_MAX + 7], "{\"echo\": 1}\n");
    ck_assert_str_eq(hear(silent[RK_CONTROL_CLIENTS_MAX + 7]), "{\"ok\":true,\"echo\":1}");
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        close(silent[i]);
}
END_TEST

START_TEST(a_client_that_leaves_at_once_costs_nothing)
{
    for (unsigned i = 0; i < 100; i++) {
        int fd = connect_client();

        if (i % 2 == 0)
            say(fd, "{\"big\": true}\n{\"echo\": 1}\n");
        close(fd);
    }
    check_alive();
}
END_TEST

START_TEST(the_socket_is_for_its_user_alone)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    rk_control_server_stop(&server);
    ck_assert_int_ne(stat(path, &status), 0);
}
END_TEST

/* What somebody left at the path. */
START_TEST(a_stale_name_is_replaced_and_others_are_not)
{
    struct rk_control_server_settings settings = make_settings(0);
    struct rk_control_server *second = NULL;
    struct rk_detail detail = { "" };
    struct rk_unix_access access_all = { .mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1 };
    struct rk_unix_listener left;
    int stale;

    ck_assert_int_eq(rk_control_server_start(&second, &settings, &detail), RK_ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(detail.text, "is in use by another program"));
    check_alive();
    rk_control_server_stop(&server);
    ck_assert_int_eq(rk_unix_listen(path, 1, &access_all, &left, &detail), RK_OK);
    close(left.fd); /* the name stays */
    ck_assert_int_eq(access(path, F_OK), 0);
    start(DEADLINE_MS);
    check_alive();
    rk_control_server_stop(&server);
    fclose(fopen(path, "we"));
    ck_assert_int_eq(rk_control_server_start(&second, &settings, &detail), RK_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(detail.text, "exists and is not a socket"));
    ck_assert_int_eq(rk_unix_connect(path, &stale, &detail), RK_ERR_INVALID);
    unlink(path);
    ck_assert_int_eq(rk_unix_connect(path, &stale, &detail), RK_ERR_NOT_FOUND);
    ck_assert_ptr_null(second);
}
END_TEST

START_TEST(a_path_may_be_longer_than_an_address)
{
    struct rk_control_server_settings settings = make_settings(0);
    struct rk_detail detail = { "" };

    rk_control_server_stop(&server);
    (void)snprintf(path, sizeof path, "%s/%0150d", dir, 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    strcat(path, "/control.sock");
    start(DEADLINE_MS);
    check_alive();
    rk_control_server_stop(&server);
    ck_assert_int_ne(access(path, F_OK), 0);
    (void)snprintf(path, sizeof path, "%s/%0150d", dir, 0);
    ck_assert_int_eq(rk_control_server_start(&server, &settings, &detail), RK_ERR_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(detail.text, "at most 80 bytes"));
    (void)snprintf(path, sizeof path, "%s/absent/%0150d", dir, 0);
    ck_assert_int_eq(rk_control_server_start(&server, &settings, &detail), RK_ERR_NOT_FOUND);
}
END_TEST

static void wait_for(sem_t *semaphore)
{
    struct timespec deadline;

    ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &deadline), 0);
    deadline.tv_sec += DEADLINE_MS / 1000;
    ck_assert_int_eq(sem_timedwait(semaphore, &deadline), 0);
}

static void let_go(size_t n)
{
    for (size_t i = 0; i < n; i++)
        sem_post(&n_let_go);
}

/* A client whose request has begun to be answered, and waits. */
static int connect_long(void)
{
    int fd = connect_client();

    say(fd, "{\"long\": 1, \"echo\": 1}\n{\"echo\": 2}\n");
    wait_for(&n_waiting);
    return fd;
}

START_TEST(a_long_request_holds_nobody_up)
{
    int slow = connect_long(), other = connect_long();

    for (unsigned i = 0; i < 20; i++)
        check_alive();
    ck_assert_uint_eq(atomic_load(&n_answered), 20);
    let_go(2);
    ck_assert_str_eq(hear(slow), "{\"ok\":true,\"echo\":1}"); /* those of one connection keep their order */
    ck_assert_str_eq(hear(slow), "{\"ok\":true,\"echo\":2}");
    ck_assert_str_eq(hear(other), "{\"ok\":true,\"echo\":1}");
    ck_assert_str_eq(hear(other), "{\"ok\":true,\"echo\":2}");
    close(slow);
    close(other);
}
END_TEST

/* Twelve at a time: eight are begun, the others wait for them, and short ones go on. */
START_TEST(many_long_requests_wait_for_each_other_only)
{
    int fds[RK_CONTROL_JOBS_MAX + 4];

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        fds[i] = connect_client();
        say(fds[i], "{\"long\": 1, \"echo\": 1}\n");
        if (i < RK_CONTROL_JOBS_MAX)
            wait_for(&n_waiting);
    }
    for (unsigned i = 0; i < 2 * RK_CONTROL_CLIENTS_MAX; i++)
        check_alive(); /* and those whose requests are being answered are not closed for them */
    ck_assert_int_ne(sem_trywait(&n_waiting), 0);
    let_go(sizeof fds / sizeof fds[0]);
    for (size_t i = 0; i < RK_CONTROL_JOBS_MAX + 4; i++) {
        ck_assert_str_eq(hear(fds[i]), "{\"ok\":true,\"echo\":1}");
        close(fds[i]);
    }
}
END_TEST

/* It is the one that was silent the longest, and yet the last to be closed for another. */
START_TEST(who_waits_for_an_answer_keeps_its_place)
{
    int slow = connect_long(), silent[RK_CONTROL_CLIENTS_MAX + 4];

    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        silent[i] = connect_client();
        say(silent[i], "{\"echo\": 0}\n");
        ck_assert_str_eq(hear(silent[i]), "{\"ok\":true,\"echo\":0}");
    }
    let_go(1);
    ck_assert_str_eq(hear(slow), "{\"ok\":true,\"echo\":1}");
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        close(silent[i]);
    close(slow);
}
END_TEST

START_TEST(who_leaves_while_it_waits_is_forgotten)
{
    int gone = connect_long(), next;

    close(gone);
    check_alive();
    next = connect_client(); /* perhaps at the same place: it gets its own answers */
    say(next, "{\"echo\": 7}\n");
    ck_assert_str_eq(hear(next), "{\"ok\":true,\"echo\":7}");
    let_go(1);
    say(next, "{\"long\": 1, \"echo\": 8}\n");
    wait_for(&n_waiting);
    let_go(1);
    ck_assert_str_eq(hear(next), "{\"ok\":true,\"echo\":8}");
    close(next);
}
END_TEST

START_TEST(the_end_waits_for_what_is_being_answered)
{
    int slow = connect_client();

    say(slow, "{\"long\": 1, \"echo\": 1}\n");
    wait_for(&n_waiting);
    let_go(1);
    rk_control_server_stop(&server);
    ck_assert_str_eq(hear(slow), "{\"ok\":true,\"echo\":1}");
    ck_assert_str_eq(hear(slow), "");
    ck_assert_uint_eq(atomic_load(&n_answered), 1);
    close(slow);
}
END_TEST

/* However long the answer took: the client's patience is not ours. */
START_TEST(who_waited_long_has_time_to_take_the_answer)
{
    struct pollfd pause = { .events = 0 };
    int slow;

    rk_control_server_stop(&server);
    start(1);
    slow = connect_client();
    say(slow, "{\"long\": 1, \"echo\": 1}\n");
    wait_for(&n_waiting);
    pause.fd = slow;
    ck_assert_int_eq(poll(&pause, 1, 50), 0); /* fifty times the patience with those who do not take theirs */
    let_go(1);
    ck_assert_str_eq(hear(slow), "{\"ok\":true,\"echo\":1}");
    close(slow);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("control_server");
    TCase *tcase = tcase_create("control_server");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, each_line_has_its_answer);
    tcase_add_test(tcase, garbage_is_answered_and_the_connection_goes_on);
    tcase_add_test(tcase, random_bytes_do_no_harm);
    tcase_add_test(tcase, a_line_too_long_is_refused_and_ends_the_connection);
    tcase_add_test(tcase, a_client_that_does_not_listen_holds_nobody_up);
    tcase_add_test(tcase, a_client_that_does_not_listen_is_closed_in_the_end);
    tcase_add_test(tcase, silent_clients_make_room_for_new_ones);
    tcase_add_test(tcase, a_client_that_leaves_at_once_costs_nothing);
    tcase_add_test(tcase, a_long_request_holds_nobody_up);
    tcase_add_test(tcase, many_long_requests_wait_for_each_other_only);
    tcase_add_test(tcase, who_waits_for_an_answer_keeps_its_place);
    tcase_add_test(tcase, who_leaves_while_it_waits_is_forgotten);
    tcase_add_test(tcase, the_end_waits_for_what_is_being_answered);
    tcase_add_test(tcase, who_waited_long_has_time_to_take_the_answer);
    tcase_add_test(tcase, the_socket_is_for_its_user_alone);
    tcase_add_test(tcase, a_stale_name_is_replaced_and_others_are_not);
    tcase_add_test(tcase, a_path_may_be_longer_than_an_address);
    suite_add_tcase(suite, tcase);
    return suite;
}
