/* What the server does with what it reads: deep pipelines have their share of a turn and no more, bodies that are only
 * half sent take bounded memory, and a client that left is noticed while its request waits, which costs no epoll_ctl.
 */
#include "fake_backend.h"
#include "raw_client.h"
#include "stats/stats_http.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_process.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST   "Host: h\r\n"
#define LIVEZ  "GET /livez HTTP/1.1\r\n" HOST "\r\n"
#define PUT_A  "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
#define N_DEEP 5000u
#define KIB    1024u

static struct fake_server server;
static char *dir;
static struct sockaddr_un unix_address = { .sun_family = AF_UNIX };
static _Atomic uint64_t *n_epoll_ctl; /* of all processes of this test */

/* libh2o's calls come here. */
int epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    static int (*real)(int epoll_fd, int op, int fd, struct epoll_event *event);

    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "epoll_ctl");

        memcpy(&real, &found, sizeof found);
    }
    if (n_epoll_ctl != NULL)
        ++*n_epoll_ctl;
    return real(epoll_fd, op, fd, event);
}

static int listen_on_unix(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    dir = test_dir_create();
    ck_assert_int_lt(snprintf(unix_address.sun_path, sizeof unix_address.sun_path, "%s/socket", dir),
                     (int)sizeof unix_address.sun_path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&unix_address, sizeof unix_address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

static void setup(void)
{
    struct rk_http_settings settings = fake_settings();

    n_epoll_ctl = mmap(NULL, sizeof *n_epoll_ctl, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne((void *)n_epoll_ctl, MAP_FAILED);
    settings.upload_memory_bytes = 2048 * KIB;
    settings.listener_fds[settings.n_listeners++] = listen_on_unix();
    fake_server_start(&server, &settings, NULL);
}

static void teardown(void)
{
    fake_server_stop(&server);
    munmap((void *)n_epoll_ctl, sizeof *n_epoll_ctl);
    n_epoll_ctl = NULL;
    test_dir_remove(&dir);
}

static void expect(struct raw_client *client, const char *text, int status)
{
    struct raw_answer answer;

    raw_client_exchange(client, text, &answer);
    ck_assert_msg(answer.status == status, "%s-> %s", text, answer.head);
    raw_answer_fini(&answer);
}

static void wait_until_gone(void)
{
    for (int i = 0; i < 10000 && server.stats->connections_open > 0; i++)
        usleep(1000);
    ck_assert_uint_eq(server.stats->connections_open, 0);
}

/* ---- shares ---- */

/* The server stands still while they send, so it finds all of it at once. */
START_TEST(a_deep_pipeline_takes_many_turns)
{
    struct raw_client deep, other;
    uint64_t n_turns;

    raw_client_open(&deep, server.port);
    raw_client_open(&other, server.port);
    expect(&deep, LIVEZ, 200);
    expect(&other, LIVEZ, 200);
    n_turns = server.control->n_turns;
    ck_assert(test_process_stop(server.pid));
    for (unsigned i = 0; i < N_DEEP; i++)
        ck_assert(raw_client_send_text(&deep, LIVEZ));
    ck_assert(raw_client_send_text(&other, LIVEZ));
    ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    expect(&other, "", 200);
    for (unsigned i = 0; i < N_DEEP; i++)
        expect(&deep, "", 200);
    /* 33 in the first turn, then 16 of them in each */
    ck_assert_uint_ge(server.control->n_turns - n_turns, (N_DEEP - 33) / 16 - 5);
    raw_client_close(&deep);
    raw_client_close(&other);
}
END_TEST

/* Reads, writes, answers without bodies, and a body that is larger than what is read at once. */
static size_t mixed_request(unsigned i, char *text, size_t size)
{
    static const char *const forms[] = { LIVEZ, "PUT /v1/kv/k%u HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nvalue",
                                         "GET /v1/kv/k%u HTTP/1.1\r\n" HOST "\r\n",
                                         "DELETE /v1/kv/k%u HTTP/1.1\r\n" HOST "\r\n" };

    return (size_t)snprintf(text, size, forms[i % 4], i / 4);
}

START_TEST(pipelines_are_answered_in_their_order)
{
    static const int statuses[] = { 200, 201, 200, 204 };
    struct raw_client deep[4];
    char text[256];

    for (int c = 0; c < 4; c++)
        raw_client_open(&deep[c], server.port);
    for (unsigned i = 0; i < 800; i++)
        for (unsigned c = 0; c < 4; c++) /* keys of its own for each */
            ck_assert(raw_client_send(&deep[c], text, mixed_request(i + 800 * c, text, sizeof text)));
    for (unsigned i = 0; i < 800; i++)
        for (int c = 0; c < 4; c++)
            expect(&deep[c], "", statuses[i % 4]);
    for (int c = 0; c < 4; c++)
        raw_client_close(&deep[c]);
}
END_TEST

/* In pieces that end anywhere: what waits for the end of the turn and what is read later are one stream. */
START_TEST(pipelines_may_come_in_any_pieces)
{
    static const int statuses[] = { 200, 201, 200, 204 };
    struct raw_client deep;
    char *text = calloc(400, 128);
    size_t len = 0;

    raw_client_open(&deep, server.port);
    for (unsigned i = 0; i < 400; i++)
        len += mixed_request(i, text + len, 128);
    for (size_t at = 0; at < len; at += 997)
        ck_assert(raw_client_send(&deep, text + at, len - at < 997 ? len - at : 997));
    for (unsigned i = 0; i < 400; i++)
        expect(&deep, "", statuses[i % 4]);
    raw_client_close(&deep);
    free(text);
}
END_TEST

START_TEST(a_pipeline_may_end_anywhere)
{
    for (int round = 0; round < 40; round++) {
        struct raw_client deep;

        raw_client_open(&deep, server.port);
        for (unsigned i = 0; i < 300; i++)
            (void)raw_client_send_text(&deep, i % 3 == 0 ? PUT_A : LIVEZ);
        if (round % 2 == 0)
            expect(&deep, "", 201 + (round > 0) * 3);
        raw_client_close(&deep); /* with what was not read: a reset */
    }
    wait_until_gone();
    ck_assert_uint_eq(server.stats->upload_bytes, 0);
}
END_TEST

/* ---- uploads ---- */

#define HALF_PUT "PUT /v1/kv/u HTTP/1.1\r\n" HOST "Content-Length: 600000\r\n\r\n"

static const char *const half_heads[] = {
    HALF_PUT, "PUT /v1/kv/u HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n927c0\r\n",
    "PUT /v1/kv/u HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 600000\r\n\r\n"
};

static void send_half(struct raw_client *client, const char *head)
{
    char *half = calloc(1, 300000);

    raw_client_open(client, server.port);
    (void)(raw_client_send_text(client, head) && raw_client_send(client, half, 300000)); /* or it is refused by then */
    free(half);
}

static void expect_refused(struct raw_client *client)
{
    struct raw_answer answer;

    do
        ck_assert(raw_client_receive(client, false, &answer));
    while (answer.status == 100 && (raw_answer_fini(&answer), true));
    ck_assert_int_eq(answer.status, 503);
    ck_assert(raw_answer_has(&answer, "Retry-After: 1"));
    ck_assert(raw_answer_has(&answer, "Connection: close"));
    ck_assert_ptr_nonnull(strstr(answer.body, "\"upload-memory\""));
    raw_answer_fini(&answer);
    ck_assert_uint_eq(raw_client_receive_end(client), 0);
}

/* Each takes 512 KiB: four of them are all that there may be. */
START_TEST(half_sent_bodies_take_bounded_memory)
{
    struct raw_client half[4], more, small;

    for (unsigned i = 0; i < 4; i++) {
        send_half(&half[i], half_heads[_i]);
        fake_wait_for(&server.stats->upload_bytes, (i + 1) * 512 * KIB);
    }
    for (unsigned i = 0; i < 10; i++) {
        send_half(&more, half_heads[_i]);
        expect_refused(&more);
        raw_client_close(&more);
        ck_assert_uint_le(server.stats->upload_bytes, 5 * 512 * KIB);
    }
    raw_client_open(&small, server.port); /* goes on, also when it comes in pieces */
    ck_assert(raw_client_send(&small, PUT_A, strlen(PUT_A) - 1));
    fake_wait_for(&server.stats->upload_bytes, 4 * 512 * KIB + 1);
    expect(&small, "x", 201);
    expect(&small, "GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    for (unsigned i = 0; i < 4; i++)
        raw_client_close(&half[i]);
    raw_client_close(&small);
    wait_until_gone();
    ck_assert_uint_eq(server.stats->upload_bytes, 0);
    ck_assert_uint_eq(server.stats->requests[RK_STATS_HTTP_REFUSED][RK_STATS_HTTP_503], 10);
}
END_TEST

/* All of it is read at once, and "100 Continue" is on its way when the body turns out to be too much. */
START_TEST(a_body_beside_its_100_continue_is_bounded_too)
{
    struct raw_client half[4], client = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    char *body = calloc(1, 100000);

    for (unsigned i = 0; i < 4; i++)
        send_half(&half[i], half_heads[0]);
    fake_wait_for(&server.stats->upload_bytes, 2048 * KIB);
    ck_assert(test_process_stop(server.pid));
    ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&unix_address, sizeof unix_address), 0);
    ck_assert(raw_client_send_text(&client, half_heads[2]) && raw_client_send(&client, body, 100000));
    ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    expect_refused(&client);
    raw_client_close(&client);
    for (unsigned i = 0; i < 4; i++)
        raw_client_close(&half[i]);
    free(body);
}
END_TEST

START_TEST(what_was_sent_whole_is_free_again)
{
    struct raw_client client;
    char *body = calloc(1, 600000);

    raw_client_open(&client, server.port);
    for (int i = 0; i < 20; i++) { /* far more than the limit, one after the other */
        ck_assert(raw_client_send_text(&client, HALF_PUT));
        ck_assert(raw_client_send(&client, body, 600000));
        expect(&client, "", i == 0 ? 201 : 204);
    }
    expect(&client, LIVEZ, 200);
    ck_assert_uint_le(server.stats->upload_bytes, 64 * KIB);
    raw_client_close(&client);
    free(body);
}
END_TEST

/* ---- clients that leave ---- */

START_TEST(a_client_that_left_is_noticed_while_its_request_waits)
{
    struct linger reset = { 1, 0 };
    struct raw_client client;

    server.control->hold = true;
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, PUT_A));
    fake_wait_for(&server.control->n_requests, 1);
    if (_i == 1)
        ck_assert_int_eq(setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    raw_client_close(&client);
    fake_wait_for(&server.control->n_cancelled, 1);
    wait_until_gone();
    ck_assert_uint_eq(server.stats->connections_left, 1);
    ck_assert_uint_eq(server.stats->connections_timed_out, 0);
    server.control->hold = false;
}
END_TEST

/* It has only said that it sends nothing more. */
START_TEST(a_client_that_still_reads_is_answered)
{
    struct raw_client client;
    uint64_t before;

    server.control->hold = true;
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, PUT_A));
    fake_wait_for(&server.control->n_requests, 1);
    before = *n_epoll_ctl;
    ck_assert_int_eq(shutdown(client.fd, SHUT_WR), 0);
    fake_wait_for(n_epoll_ctl, before + 1); /* it was seen: nothing more is read */
    server.control->hold = false;
    fake_server_wake(&server);
    expect(&client, "", 201);
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    raw_client_close(&client);
    ck_assert_uint_eq(server.stats->connections_left, 0);
}
END_TEST

/* A client that sent its next request already waits, and is answered both. */
START_TEST(more_requests_are_no_leaving)
{
    struct raw_client client;

    server.control->hold = true;
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, PUT_A));
    fake_wait_for(&server.control->n_requests, 1);
    ck_assert(raw_client_send_text(&client, LIVEZ PUT_A));
    usleep(20000); /* whether it comes before or after the answer: both are right */
    server.control->hold = false;
    fake_server_wake(&server);
    expect(&client, "", 201);
    expect(&client, "", 200);
    expect(&client, "", 204);
    raw_client_close(&client);
}
END_TEST

#define N_PUTS 200u

START_TEST(a_request_that_waits_costs_no_epoll_ctl)
{
    struct raw_client client;
    uint64_t before;

    raw_client_open(&client, server.port);
    expect(&client, PUT_A, 201);
    before = *n_epoll_ctl;
    for (unsigned i = 0; i < N_PUTS; i++)
        expect(&client, PUT_A, 204);
    ck_assert_uint_le(*n_epoll_ctl - before, N_PUTS / 20);
    raw_client_close(&client);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_reading");
    TCase *tcase = tcase_create("reading");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_deep_pipeline_takes_many_turns);
    tcase_add_test(tcase, pipelines_are_answered_in_their_order);
    tcase_add_test(tcase, pipelines_may_come_in_any_pieces);
    tcase_add_test(tcase, a_pipeline_may_end_anywhere);
    tcase_add_loop_test(tcase, half_sent_bodies_take_bounded_memory, 0, 3);
    tcase_add_test(tcase, a_body_beside_its_100_continue_is_bounded_too);
    tcase_add_test(tcase, what_was_sent_whole_is_free_again);
    tcase_add_loop_test(tcase, a_client_that_left_is_noticed_while_its_request_waits, 0, 2);
    tcase_add_test(tcase, a_client_that_still_reads_is_answered);
    tcase_add_test(tcase, more_requests_are_no_leaving);
    tcase_add_test(tcase, a_request_that_waits_costs_no_epoll_ctl);
    suite_add_tcase(suite, tcase);
    return suite;
}
