/* What a user sees of a server that nothing happens to: every byte and every size comes back, workers see each other's
 * writes, a restart keeps everything, stopping is clean, a second server is refused. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_CLIENTS 16

static char *dir;
static struct system_server *server;
static struct system_client client;

static void start(const char *const *arguments)
{
    server = system_server_start(dir, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static void restart(const char *const *arguments)
{
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    start(arguments);
}

static void setup(void)
{
    dir = test_dir_create();
    start(NULL);
}

static void teardown(void)
{
    system_client_close(&client);
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static void fill(unsigned char *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(seed >> 24);
    }
}

static void expect_value(const char *target, const void *value, size_t size)
{
    struct system_response response;

    system_client_request(&client, "GET", target, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_uint_eq(response.body_len, size);
    ck_assert(memcmp(response.body, value, size) == 0);
    system_response_fini(&response);
}

START_TEST(the_original_endpoints_answer)
{
    struct system_response response;

    system_client_request(&client, "GET", "/put?key=a&val=1", NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.body, "OK");
    system_response_fini(&response);
    expect_value("/get?key=a", "1", 1);
    ck_assert_int_eq(system_client_status(&client, "GET", "/put?key=b&value=two+words", NULL, 0), 200);
    expect_value("/get?b", "two words", 9);
    ck_assert_int_eq(system_client_status(&client, "GET", "/delete?key=a", NULL, 0), 200);
    ck_assert_int_eq(system_client_status(&client, "GET", "/get?key=a", NULL, 0), 404);
    ck_assert_int_eq(system_client_status(&client, "GET", "/delete?key=a", NULL, 0), 404);
    ck_assert_int_eq(system_client_status(&client, "GET", "/open?rw=1&syn=1", NULL, 0), 200);
}
END_TEST

START_TEST(one_key_through_its_life)
{
    struct system_response response;
    char etag[64];

    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/k", NULL, 0), 404);
    ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/k", NULL, 0), 404);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/k", "one", 3), 201);
    system_client_request(&client, "PUT", "/v1/kv/k", "two", 3, &response);
    ck_assert_int_eq(response.status, 204);
    ck_assert_ptr_nonnull(system_response_header(&response, "etag"));
    snprintf(etag, sizeof etag, "%s", system_response_header(&response, "etag"));
    system_response_fini(&response);
    system_client_request(&client, "HEAD", "/v1/kv/k", NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(system_response_header(&response, "content-length"), "3");
    ck_assert_str_eq(system_response_header(&response, "etag"), etag);
    system_response_fini(&response);
    expect_value("/v1/kv/k", "two", 3);
    ck_assert_int_eq(system_client_status(&client, "POST", "/v1/kv/k", "", 0), 204);
    expect_value("/v1/kv/k", "", 0);
    ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/k", NULL, 0), 204);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/k", NULL, 0), 404);
    ck_assert_int_eq(system_client_status(&client, "PATCH", "/v1/kv/k", NULL, 0), 405);
    ck_assert_int_eq(system_client_status(&client, "GET", "/livez", NULL, 0), 200);
    ck_assert_int_eq(system_client_status(&client, "GET", "/readyz", NULL, 0), 200);
}
END_TEST

START_TEST(every_byte_round_trips_in_keys_and_values)
{
    unsigned char all[256];

    for (unsigned i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    for (unsigned i = 0; i < 256; i++) {
        char *target = system_key_target(&all[i], 1);

        ck_assert_int_eq(system_client_status(&client, "PUT", target, all, i + 1), 201);
        free(target);
    }
    for (unsigned i = 0; i < 256; i++) {
        char *target = system_key_target(&all[i], 1);

        expect_value(target, all, i + 1);
        free(target);
    }
    restart(NULL);
    for (unsigned i = 0; i < 256; i++) {
        char *target = system_key_target(&all[i], 1);

        expect_value(target, all, i + 1);
        free(target);
    }
}
END_TEST

START_TEST(every_size_round_trips)
{
    static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (8 << 20) - 1, 8 << 20 };
    static const char *const small[] = { "-o", "limits.max_value=8MiB", NULL };
    unsigned char *value = malloc((8 << 20) + 1);
    char target[64];

    restart(small);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            snprintf(target, sizeof target, "/v1/kv/size-%zu", sizes[i]);
            fill(value, sizes[i], (unsigned)i);
            if (round == 0)
                ck_assert_int_eq(system_client_status(&client, "PUT", target, value, sizes[i]), 201);
            expect_value(target, value, sizes[i]);
        }
        restart(small);
    }
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/over", value, (8 << 20) + 1), 413);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/over", NULL, 0), 404);
    free(value);
}
END_TEST

START_TEST(keys_up_to_the_limit_and_not_beyond)
{
    char key[4097];
    char *target;

    memset(key, 'k', sizeof key);
    target = system_key_target(key, 4096);
    ck_assert_int_eq(system_client_status(&client, "PUT", target, "v", 1), 201);
    expect_value(target, "v", 1);
    free(target);
    target = system_key_target(key, 4097);
    ck_assert_int_eq(system_client_status(&client, "PUT", target, "v", 1), 414);
    free(target);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/", "v", 1), 400);
}
END_TEST

/* SO_REUSEPORT spreads connections over the workers by a hash of their ports: sixteen meet both of two but once in
 * 32,768 runs, and a write answered on one connection must be seen on all others, whichever worker has them. */
START_TEST(workers_see_each_others_writes_at_once)
{
    static const char *const two[] = { "-o", "server.workers=2", NULL };
    struct system_client clients[N_CLIENTS];
    char value[32];

    restart(two);
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert(system_client_open(&clients[i], system_server_port(server)));
    for (int round = 0; round < 100; round++) {
        int len = snprintf(value, sizeof value, "%d", round);

        ck_assert_int_ge(system_client_status(&clients[round % N_CLIENTS], "PUT", "/v1/kv/shared", value, (size_t)len),
                         201);
        for (int i = 0; i < N_CLIENTS; i++) {
            struct system_response response;

            system_client_request(&clients[i], "GET", "/v1/kv/shared", NULL, 0, &response);
            ck_assert_int_eq(response.status, 200);
            ck_assert_str_eq(response.body, value);
            system_response_fini(&response);
        }
    }
    for (int i = 0; i < N_CLIENTS; i++)
        system_client_close(&clients[i]);
}
END_TEST

START_TEST(every_sync_mode_keeps_its_writes_over_a_restart)
{
    static const char *const modes[][5] = { { "-o", "log.sync=interval", "-o", "log.sync_interval=20ms", NULL },
                                            { "-o", "log.sync=none", NULL },
                                            { "-o", "log.sync=always", NULL } };

    for (int mode = 0; mode < 3; mode++) {
        char target[32];

        restart(modes[mode]);
        snprintf(target, sizeof target, "/v1/kv/mode-%d", mode);
        ck_assert_int_eq(system_client_status(&client, "PUT", target, target, strlen(target)), 201);
        ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/gone", "x", 1), 201);
        ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/gone", NULL, 0), 204);
    }
    restart(NULL);
    for (int mode = 0; mode < 3; mode++) {
        char target[32];

        snprintf(target, sizeof target, "/v1/kv/mode-%d", mode);
        expect_value(target, target, strlen(target));
    }
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/gone", NULL, 0), 404);
}
END_TEST

START_TEST(files_roll_over_and_all_are_read)
{
    static const char *const small_files[] = { "-o", "log.file_size=1MiB", "-o", "limits.max_value=256KiB",
                                               "-o", "log.sync=none",      NULL };
    static unsigned char value[100000];
    char target[32];
    unsigned n_data_files = 0;
    struct dirent *entry;
    DIR *listing;

    restart(small_files);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 60; i++) {
            snprintf(target, sizeof target, "/v1/kv/roll-%u", i);
            fill(value, sizeof value, i);
            if (round == 0)
                ck_assert_int_eq(system_client_status(&client, "PUT", target, value, sizeof value), 201);
            expect_value(target, value, sizeof value);
        }
        restart(small_files);
    }
    listing = opendir(dir);
    while ((entry = readdir(listing)) != NULL)
        n_data_files += strstr(entry->d_name, ".data") != NULL;
    closedir(listing);
    ck_assert_uint_ge(n_data_files, 6);
}
END_TEST

START_TEST(a_second_server_on_the_same_data_is_refused)
{
    char *output;

    ck_assert_int_eq(system_server_run(dir, NULL, &output), 1);
    ck_assert_msg(strstr(output, "in use") != NULL && strstr(output, dir) != NULL, "%s", output);
    free(output);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/still", "here", 4), 201);
}
END_TEST

START_TEST(a_port_in_use_is_refused_by_name)
{
    char *other = test_dir_create();
    char option[64];
    const char *arguments[] = { "-o", option, NULL };
    char *output;

    snprintf(option, sizeof option, "http.listen=127.0.0.1:%d", system_server_port(server));
    ck_assert_int_eq(system_server_run(other, arguments, &output), 1);
    ck_assert_msg(strstr(output, strchr(option, '=') + 1) != NULL && strstr(output, "in use") != NULL, "%s", output);
    free(output);
    test_dir_remove(&other);
}
END_TEST

START_TEST(a_bad_option_is_a_usage_error)
{
    static const char *const bad[] = { "-o", "log.sync=sometimes", NULL };
    char *output;

    ck_assert_int_eq(system_server_run(dir, bad, &output), 2);
    ck_assert_msg(strstr(output, "log.sync") != NULL && strstr(output, "always") != NULL, "%s", output);
    free(output);
}
END_TEST

START_TEST(signals_stop_it_cleanly)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGQUIT };

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        /* With a connection that idles: a stop does not wait for it, nor does a drain wait beyond its time. */
        ck_assert_int_ge(system_client_status(&client, "PUT", "/v1/kv/signal", "v", 1), 201);
        ck_assert_int_eq(system_server_stop(&server, signals[i]), 0);
        system_client_close(&client);
        start(NULL);
        expect_value("/v1/kv/signal", "v", 1);
    }
}
END_TEST

START_TEST(a_drain_answers_who_is_there_and_refuses_who_comes)
{
    static const char *const patient[] = { "-o", "server.drain_timeout=30s", NULL };
    struct system_client late = { .fd = -1 };
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    char body[100];

    restart(patient);
    memset(body, 'b', sizeof body);
    /* A request whose body is not whole yet: the drain waits for it. */
    ck_assert(system_client_send(&client, "PUT /v1/kv/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"));
    ck_assert_int_eq(kill(system_server_pid(server), SIGQUIT), 0);
    system_server_wait_line(server, "draining");
    while (system_client_open(&late, system_server_port(server))) {
        system_client_close(&late);
        ck_assert_int_lt(system_now_ms(), deadline);
    }
    ck_assert(system_client_send_bytes(&client, body, sizeof body));
    ck_assert_int_eq(system_client_receive_status(&client, "PUT"), 201);
    ck_assert_int_eq(system_server_stop(&server, SIGQUIT), 0);
    start(NULL);
    expect_value("/v1/kv/slow", body, sizeof body);
}
END_TEST

START_TEST(one_process_serves_as_well)
{
    static const char *const single[] = { "--single", NULL };
    pid_t pids[4];

    restart(single);
    ck_assert_uint_eq(system_server_workers(server, pids, 4), 0);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/single", "v", 1), 201);
    expect_value("/v1/kv/single", "v", 1);
    restart(NULL);
    expect_value("/v1/kv/single", "v", 1);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system basic");
    TCase *tcase = tcase_create("basic");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_original_endpoints_answer);
    tcase_add_test(tcase, one_key_through_its_life);
    tcase_add_test(tcase, every_byte_round_trips_in_keys_and_values);
    tcase_add_test(tcase, every_size_round_trips);
    tcase_add_test(tcase, keys_up_to_the_limit_and_not_beyond);
    tcase_add_test(tcase, workers_see_each_others_writes_at_once);
    tcase_add_test(tcase, every_sync_mode_keeps_its_writes_over_a_restart);
    tcase_add_test(tcase, files_roll_over_and_all_are_read);
    tcase_add_test(tcase, a_second_server_on_the_same_data_is_refused);
    tcase_add_test(tcase, a_port_in_use_is_refused_by_name);
    tcase_add_test(tcase, a_bad_option_is_a_usage_error);
    tcase_add_test(tcase, signals_stop_it_cleanly);
    tcase_add_test(tcase, a_drain_answers_who_is_there_and_refuses_who_comes);
    tcase_add_test(tcase, one_process_serves_as_well);
    suite_add_tcase(suite, tcase);
    return suite;
}
