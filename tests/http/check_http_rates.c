/* One rule for bodies that are sent and answers that are taken: so many bytes a second, over each request_timeout. */
#include "fake_backend.h"
#include "raw_client.h"
#include "stats/stats_http.h"
#include "test_dir.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HOST        "Host: h\r\n"
#define VALUE_BYTES (12u << 20) /* more than the kernel buffers */
#define WINDOW_MS   1000
#define MIN_RATE    2000u
#define N_WINDOWS   3

static struct fake_server server;
static char *value, *dir;
static struct sockaddr_un unix_address = { .sun_family = AF_UNIX };

static void setup(void)
{
    struct rk_http_settings settings = fake_settings();
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    dir = test_dir_create();
    ck_assert_int_lt(snprintf(unix_address.sun_path, sizeof unix_address.sun_path, "%s/socket", dir),
                     (int)sizeof unix_address.sun_path);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&unix_address, sizeof unix_address), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    settings.listener_fds[settings.n_listeners++] = listener;
    settings.max_value_bytes = VALUE_BYTES;
    settings.request_timeout_ms = WINDOW_MS;
    settings.idle_timeout_ms = 60000;
    settings.min_rate_bytes = MIN_RATE;
    fake_server_start(&server, &settings, NULL);
    value = calloc(1, VALUE_BYTES);
}

static void teardown(void)
{
    fake_server_stop(&server);
    free(value);
    test_dir_remove(&dir);
}

static void open_client(struct raw_client *client, bool over_unix)
{
    int small = 4096;

    if (over_unix) {
        *client = (struct raw_client){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
        ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&unix_address, sizeof unix_address), 0);
    } else {
        raw_client_open(client, server.port);
        (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); /* so that it is felt at once */
    }
}

static long now_ms(void)
{
    struct timespec now;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put_value(bool over_unix)
{
    struct raw_client client;
    struct raw_answer answer;
    char head[128];

    open_client(&client, over_unix);
    snprintf(head, sizeof head, "PUT /v1/kv/v HTTP/1.1\r\n" HOST "Content-Length: %u\r\n\r\n", VALUE_BYTES);
    ck_assert(raw_client_send_text(&client, head) && raw_client_send(&client, value, VALUE_BYTES));
    raw_client_exchange(&client, "", &answer);
    ck_assert_int_eq(answer.status, 201);
    raw_answer_fini(&answer);
    raw_client_close(&client);
}

static const struct {
    const char *head, *piece, *end;
} bodies[] = {
    { "PUT /v1/kv/b HTTP/1.1\r\n" HOST "Content-Length: 300000\r\n\r\n", "", "" },
    { "PUT /v1/kv/b HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "5dc\r\n", "\r\n" },
};

static bool send_piece(struct raw_client *client, int form, size_t size)
{
    return raw_client_send_text(client, bodies[form].piece) && raw_client_send(client, value, size)
           && raw_client_send_text(client, bodies[form].end);
}

/* Three times as long as a request had before there was a rate. */
START_TEST(a_body_takes_as_long_as_it_needs)
{
    struct raw_client client;
    struct raw_answer answer;
    long end_ms;
    size_t n = 0;

    open_client(&client, false);
    ck_assert(raw_client_send_text(&client, bodies[_i].head));
    for (end_ms = now_ms() + N_WINDOWS * WINDOW_MS; now_ms() < end_ms; n++) {
        ck_assert(send_piece(&client, _i, 1500));
        usleep(50000);
    }
    if (_i == 1)
        ck_assert(raw_client_send_text(&client, "0\r\n\r\n"));
    else
        ck_assert(raw_client_send(&client, value, 300000 - 1500 * n));
    raw_client_exchange(&client, "", &answer);
    ck_assert_int_eq(answer.status, 201);
    ck_assert_uint_eq(server.stats->connections_timed_out, 0);
    raw_answer_fini(&answer);
    raw_client_close(&client);
}
END_TEST

/* A byte now and then is not enough. */
START_TEST(a_slower_body_is_cut)
{
    struct raw_client client;
    bool taken;

    open_client(&client, false);
    taken = raw_client_send_text(&client, bodies[0].head);
    for (int i = 0; i < 800 && taken && server.stats->connections_timed_out == 0; i++) {
        taken = raw_client_send(&client, value, 10);
        usleep(10000);
    }
    ck_assert_uint_eq(server.stats->connections_timed_out, 1);
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    ck_assert_uint_eq(server.control->n_puts, 0);
    raw_client_close(&client);
}
END_TEST

/* Reads `size` bytes every 20 ms, until the windows are over or it is cut; whether it was. */
static bool read_slowly(struct raw_client *client, size_t size)
{
    char *bytes = malloc(size);
    long end_ms = now_ms() + N_WINDOWS * WINDOW_MS;

    while (now_ms() < end_ms && server.stats->connections_timed_out == 0) {
        if (recv(client->fd, bytes, size, MSG_DONTWAIT) == 0)
            break;
        usleep(20000);
    }
    free(bytes);
    return server.stats->connections_timed_out != 0;
}

START_TEST(an_answer_takes_as_long_as_it_needs)
{
    struct raw_client client;

    put_value(_i);
    if (_i == 1)
        open_client(&client, true);
    else
        raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, "GET /v1/kv/v HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    ck_assert(!read_slowly(&client, 20000));
    ck_assert_uint_gt(raw_client_receive_end(&client), VALUE_BYTES / 4); /* all that was left */
    ck_assert_uint_eq(server.stats->connections_timed_out, 0);
    raw_client_close(&client);
}
END_TEST

START_TEST(an_answer_that_is_taken_more_slowly_is_cut)
{
    struct raw_client client;

    put_value(_i);
    open_client(&client, _i);
    ck_assert(raw_client_send_text(&client, "GET /v1/kv/v HTTP/1.1\r\n" HOST "\r\n"));
    for (int i = 0; i < 10 && !read_slowly(&client, 8); i++)
        continue;
    ck_assert_uint_eq(server.stats->connections_timed_out, 1);
    fake_wait_for(&server.control->n_released, 1); /* its value is not kept any more */
    raw_client_close(&client);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_rates");
    TCase *tcase = tcase_create("rates");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_body_takes_as_long_as_it_needs, 0, 2);
    tcase_add_test(tcase, a_slower_body_is_cut);
    tcase_add_loop_test(tcase, an_answer_takes_as_long_as_it_needs, 0, 2);
    tcase_add_loop_test(tcase, an_answer_that_is_taken_more_slowly_is_cut, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
