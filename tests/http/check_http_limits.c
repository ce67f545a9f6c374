/* Connections under pressure: the cap, no descriptors left, slow and idle clients, the drain. */
#include "fake_backend.h"
#include "raw_client.h"
#include "stats/stats_http.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_process.h"

#include "base/base_time.h"
#include "http/http_backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST  "Host: h\r\n"
#define LIVEZ "GET /livez HTTP/1.1\r\n" HOST "\r\n"
#define PUT_A "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"

static struct fake_server server;

static void expect(struct raw_client *client, const char *text, int status, const char *line)
{
    struct raw_answer answer;

    raw_client_exchange(client, text, &answer);
    ck_assert_msg(answer.status == status, "%s-> %s", text, answer.head);
    ck_assert_msg(line == NULL || raw_answer_has(&answer, line), "%s-> %s", text, answer.head);
    raw_answer_fini(&answer);
}

static bool has_answer(struct raw_client *client, int wait_ms)
{
    struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };

    return poll(&poll_fd, 1, wait_ms) > 0;
}

START_TEST(no_more_connections_than_the_cap)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client clients[8];

    settings.max_connections = 5;
    fake_server_start(&server, &settings, NULL);
    for (int i = 0; i < 8; i++) {
        raw_client_open(&clients[i], server.port);
        ck_assert(raw_client_send_text(&clients[i], LIVEZ));
    }
    for (int i = 0; i < 5; i++)
        ck_assert(has_answer(&clients[i], 5000));
    for (int i = 5; i < 8; i++)
        ck_assert(!has_answer(&clients[i], 50)); /* in the kernel's queue */
    ck_assert_uint_eq(server.stats->connections_open, 5);
    for (int i = 0; i < 3; i++) {
        raw_client_close(&clients[i]);
        ck_assert(has_answer(&clients[5 + i], 5000));
    }
    for (int i = 3; i < 8; i++)
        raw_client_close(&clients[i]);
    fake_server_stop(&server);
}
END_TEST

static void leave_few_descriptors(void)
{
    struct rlimit limit = { 40, 40 };

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
}

/* The listener stays readable all the time, and the loop must not turn with it. */
START_TEST(no_descriptors_left)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client clients[80];
    uint64_t pauses, turns;

    fake_server_start(&server, &settings, leave_few_descriptors);
    for (int i = 0; i < 80; i++)
        raw_client_open(&clients[i], server.port);
    fake_wait_for(&server.stats->accept_pauses, 2);
    pauses = server.stats->accept_pauses;
    turns = server.control->n_turns;
    fake_wait_for(&server.stats->accept_pauses, pauses + 4);
    ck_assert_uint_lt(server.control->n_turns - turns, 60); /* sweeps and pauses, no spinning */
    expect(&clients[0], LIVEZ, 200, NULL);                  /* those that are there are served */
    for (int i = 0; i < 60; i++)
        raw_client_close(&clients[i]);
    for (int i = 60; i < 80; i++) {
        expect(&clients[i], LIVEZ, 200, NULL);
        raw_client_close(&clients[i]);
    }
    fake_server_stop(&server);
}
END_TEST

static void start_with_times(uint64_t request_ms, uint64_t idle_ms)
{
    struct rk_http_settings settings = fake_settings();

    settings.request_timeout_ms = request_ms;
    settings.idle_timeout_ms = idle_ms;
    fake_server_start(&server, &settings, NULL);
}

START_TEST(slow_clients_are_closed)
{
    static const char *const starts[] = { "GET /livez HTTP/1.1\r\nHos", "\r", LIVEZ "P",
                                          "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\nabc",
                                          "PUT /v1/kv/a HTTP/1.1\r\n" HOST
                                          "Transfer-Encoding: chunked\r\n\r\n5\r\nab" };
    struct raw_client clients[5];
    uint64_t start_ns;

    start_with_times(300, 60000);
    start_ns = rk_time_monotonic_ns();
    for (int i = 0; i < 5; i++) {
        raw_client_open(&clients[i], server.port);
        ck_assert(raw_client_send_text(&clients[i], starts[i]));
    }
    for (int i = 0; i < 5; i++) {
        (void)raw_client_receive_end(&clients[i]);
        raw_client_close(&clients[i]);
    }
    ck_assert_uint_ge(rk_time_monotonic_ns() - start_ns, 200 * RK_NS_PER_MS);
    ck_assert_uint_eq(server.stats->connections_timed_out, 5);
    ck_assert_uint_eq(server.control->n_puts, 0);
    fake_server_stop(&server);
}
END_TEST

/* A drip of bytes does not win time: the limit is for the whole request. */
START_TEST(dripping_clients_are_closed)
{
    struct raw_client client;
    bool taken = true;

    start_with_times(300, 60000);
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, "GET /livez HTTP/1.1\r\nX: "));
    for (int i = 0; i < 500 && taken; i++) {
        taken = raw_client_send_text(&client, "y");
        if (has_answer(&client, 10)) /* the end */
            break;
    }
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    ck_assert_uint_eq(server.stats->connections_timed_out, 1);
    raw_client_close(&client);
    fake_server_stop(&server);
}
END_TEST

START_TEST(idle_connections_are_closed_and_busy_ones_are_not)
{
    struct raw_client idle, busy;

    start_with_times(60000, 300);
    raw_client_open(&idle, server.port);
    raw_client_open(&busy, server.port);
    expect(&idle, LIVEZ, 200, NULL);
    while (!has_answer(&idle, 20))
        expect(&busy, LIVEZ, 200, NULL);
    ck_assert_uint_eq(raw_client_receive_end(&idle), 0);
    expect(&busy, LIVEZ, 200, NULL);
    ck_assert_uint_eq(server.stats->connections_timed_out, 1);
    raw_client_close(&idle);
    raw_client_close(&busy);
    fake_server_stop(&server);
}
END_TEST

/* A request that waits for the writer is neither idle nor slow. */
START_TEST(held_requests_are_not_swept)
{
    struct raw_client client, other;

    start_with_times(2000, 100);
    raw_client_open(&client, server.port);
    server.control->hold = true;
    ck_assert(raw_client_send_text(&client, PUT_A));
    fake_wait_for(&server.control->n_puts, 1);
    raw_client_open(&other, server.port);
    ck_assert_uint_eq(raw_client_receive_end(&other), 0); /* idle: gone, and sweeps have passed */
    server.control->hold = false;
    fake_server_wake(&server);
    expect(&client, "", 201, NULL);
    raw_client_close(&client);
    raw_client_close(&other);
    fake_server_stop(&server);
}
END_TEST

static bool can_connect(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)port),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

    (void)close(fd);
    return connected;
}

START_TEST(drain_ends_what_was_begun_and_no_more)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client idle, active, held;

    fake_server_start(&server, &settings, NULL);
    raw_client_open(&idle, server.port);
    raw_client_open(&active, server.port);
    raw_client_open(&held, server.port);
    expect(&idle, LIVEZ, 200, "Connection: keep-alive");
    expect(&active, LIVEZ, 200, "Connection: keep-alive");
    server.control->hold = true;
    ck_assert(raw_client_send_text(&held, PUT_A));
    fake_wait_for(&server.control->n_requests, 1);
    server.control->drain = true;
    fake_server_wake(&server);
    expect(&active, LIVEZ, 200, NULL); /* it may come before the drain or after it */
    ck_assert_uint_eq(raw_client_receive_end(&idle), 0);
    (void)raw_client_receive_end(&active);
    ck_assert(!can_connect(server.port));
    ck_assert(!has_answer(&held, 0));
    server.control->hold = false;
    fake_server_wake(&server);
    expect(&held, "", 201, NULL);
    raw_client_close(&idle);
    raw_client_close(&active);
    raw_client_close(&held);
    fake_server_stop(&server);
}
END_TEST

/* What the kernel had accepted before the drain is served, once. */
START_TEST(drain_serves_the_queue)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client client;

    fake_server_start(&server, &settings, NULL);
    ck_assert(test_process_stop(server.pid));
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, LIVEZ));
    server.control->drain = true;
    fake_server_wake(&server);
    ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    expect(&client, "", 200, NULL);
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    raw_client_close(&client);
    fake_server_stop(&server);
}
END_TEST

START_TEST(several_listeners_one_of_them_a_unix_socket)
{
    struct rk_http_settings settings = fake_settings();
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct raw_client over_unix, over_tcp;
    char *dir = test_dir_create();
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_lt(snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", dir),
                     (int)sizeof address.sun_path);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    settings.listener_fds[settings.n_listeners++] = listener;
    fake_server_start(&server, &settings, NULL);
    over_unix = (struct raw_client){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    ck_assert_int_eq(connect(over_unix.fd, (struct sockaddr *)&address, sizeof address), 0);
    raw_client_open(&over_tcp, server.port);
    expect(&over_unix, PUT_A, 201, NULL);
    expect(&over_tcp, PUT_A, 204, NULL);
    expect(&over_unix, "PATCH /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 405, "Connection: close"); /* and lingers */
    ck_assert_uint_eq(raw_client_receive_end(&over_unix), 0);
    raw_client_close(&over_unix);
    raw_client_close(&over_tcp);
    fake_server_stop(&server);
    test_dir_remove(&dir);
}
END_TEST

/* ---- the server in this process: what cannot be seen from outside ---- */

static int listen_on(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    ck_assert_int_eq(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &len), 0);
    return fd;
}

START_TEST(accepted_sockets_inherit_their_options)
{
    static const struct rk_http_backend no_backend = { .self = NULL };
    struct rk_http_settings settings = fake_settings();
    struct rk_http_server *own;
    struct sockaddr_in address;
    int listener = listen_on(&address), client, accepted;
    int no_delay = 0;
    socklen_t len = sizeof no_delay;

    settings.listener_fds[0] = dup(listener);
    settings.n_listeners = 1;
    ck_assert_int_eq(rk_http_server_create(&own, &settings, &no_backend, NULL, NULL), RK_OK);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    accepted = accept(listener, NULL, NULL);
    ck_assert_int_eq(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &no_delay, &len), 0);
    ck_assert_int_ne(no_delay, 0);
    (void)close(accepted);
    (void)close(client);
    (void)close(listener);
    rk_http_server_destroy(&own);
    ck_assert_ptr_null(own);
    rk_http_server_destroy(&own);
}
END_TEST

/* Whether the server takes a connection from this listener in the next turns; else it waits there. */
static bool is_taken(struct rk_http_server *own, int listener, const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t before = rk_http_server_n_connections(own);
    bool taken;

    ck_assert_int_eq(connect(client, (const struct sockaddr *)address, sizeof *address), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rk_http_server_turn(own, 0), RK_OK);
    taken = rk_http_server_n_connections(own) > before;
    if (!taken)
        ck_assert_int_eq(close(accept(listener, NULL, NULL)), 0);
    (void)close(client);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rk_http_server_turn(own, 0), RK_OK);
    return taken;
}

START_TEST(listeners_of_others_are_accepted_from_when_asked)
{
    static const struct rk_http_backend no_backend = { .self = NULL };
    struct rk_http_settings settings = fake_settings();
    struct rk_http_server *own;
    struct sockaddr_in addresses[3];
    int listeners[3], others[2];

    for (int i = 0; i < 3; i++)
        listeners[i] = listen_on(&addresses[i]);
    settings.listener_fds[0] = dup(listeners[0]);
    settings.n_listeners = 1;
    others[0] = dup(listeners[1]);
    others[1] = dup(listeners[2]);
    settings.other_listener_fds = others;
    settings.n_other_listeners = 2;
    ck_assert_int_eq(rk_http_server_create(&own, &settings, &no_backend, NULL, NULL), RK_OK);
    ck_assert(is_taken(own, listeners[0], &addresses[0]));
    for (int round = 0; round < 2; round++) {
        ck_assert(!is_taken(own, listeners[1], &addresses[1]));
        ck_assert(!is_taken(own, listeners[2], &addresses[2]));
        rk_http_server_take_over(own, 1, 1, true);
        ck_assert(!is_taken(own, listeners[1], &addresses[1]));
        ck_assert(is_taken(own, listeners[2], &addresses[2]));
        rk_http_server_take_over(own, 1, 1, false);
    }
    for (int i = 0; i < 3; i++)
        (void)close(listeners[i]);
    rk_http_server_destroy(&own);
    ck_assert_ptr_null(own);
}
END_TEST

static void count(void *context)
{
    ++*(int *)context;
}

static void read_and_count(void *context)
{
    int *fds = context;
    char byte;

    while (read(fds[0], &byte, 1) == 1)
        fds[2]++;
}

START_TEST(watched_descriptors_stay_the_callers)
{
    static const struct rk_http_backend no_backend = { .self = NULL };
    struct rk_http_settings settings = fake_settings();
    struct rk_http_server *own;
    uint64_t one = 1;
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int n_events = 0;
    int fds[3] = { 0 };

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(rk_http_server_create(&own, &settings, &no_backend, NULL, NULL), RK_OK);
    ck_assert_int_eq(rk_http_server_watch_eventfd(own, event_fd, count, &n_events), RK_OK);
    ck_assert_int_eq(rk_http_server_watch_readable(own, fds[0], read_and_count, fds), RK_OK);
    ck_assert_int_eq(rk_http_server_turn(own, 0), RK_OK);
    ck_assert_int_eq(n_events, 0);
    ck_assert_int_eq(write(event_fd, &one, sizeof one), sizeof one);
    ck_assert_int_eq(write(event_fd, &one, sizeof one), sizeof one);
    ck_assert_int_eq(write(fds[1], "abc", 3), 3);
    ck_assert_int_eq(rk_http_server_turn(own, 5000), RK_OK);
    ck_assert_int_eq(rk_http_server_turn(own, 0), RK_OK);
    ck_assert_int_eq(n_events, 1);
    ck_assert_int_eq(fds[2], 3);
    rk_http_server_destroy(&own);
    ck_assert_int_eq(write(event_fd, &one, sizeof one), sizeof one);
    ck_assert_int_eq(read(event_fd, &one, sizeof one), sizeof one);

    (void)close(event_fd);
    (void)close(fds[0]);
    (void)close(fds[1]);
}
END_TEST

START_TEST(settings_that_cannot_be)
{
    static const struct rk_http_backend no_backend = { .self = NULL };
    struct rk_http_settings settings = fake_settings();
    struct rk_http_server *own = NULL;

    settings.max_connections = 0;
    ck_assert_int_eq(rk_http_server_create(&own, &settings, &no_backend, NULL, NULL), RK_ERR_INVALID);
    settings = fake_settings();
    settings.n_listeners = RK_HTTP_LISTENERS_MAX + 1;
    ck_assert_int_eq(rk_http_server_create(&own, &settings, &no_backend, NULL, NULL), RK_ERR_INVALID);
    ck_assert_ptr_null(own);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_limits");
    TCase *tcase = tcase_create("limits");

    tcase_add_test(tcase, no_more_connections_than_the_cap);
    tcase_add_test(tcase, no_descriptors_left);
    tcase_add_test(tcase, slow_clients_are_closed);
    tcase_add_test(tcase, dripping_clients_are_closed);
    tcase_add_test(tcase, idle_connections_are_closed_and_busy_ones_are_not);
    tcase_add_test(tcase, held_requests_are_not_swept);
    tcase_add_test(tcase, drain_ends_what_was_begun_and_no_more);
    tcase_add_test(tcase, drain_serves_the_queue);
    tcase_add_test(tcase, several_listeners_one_of_them_a_unix_socket);
    tcase_add_test(tcase, accepted_sockets_inherit_their_options);
    tcase_add_test(tcase, listeners_of_others_are_accepted_from_when_asked);
    tcase_add_test(tcase, watched_descriptors_stay_the_callers);
    tcase_add_test(tcase, settings_that_cannot_be);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    return suite;
}
