/* Few descriptors: clients that only connect keep no value from being read, and a store of more data files than a
 * process may have open is served all the same. */
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT  100
#define N_IDLE      (FILE_LIMIT + 50)
#define N_VALUES    20
#define VALUE_BYTES 60000
#define N_MANY      150 /* data files */
#define MANY_BYTES  600000

static char *dir;
static struct system_server *server;
static struct system_client client;

static void setup(void)
{
    dir = test_dir_create();
    client.fd = -1;
}

static void teardown(void)
{
    system_client_close(&client);
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static void leave_few_descriptors(void)
{
    struct rlimit limit = { FILE_LIMIT, FILE_LIMIT };

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
}

static void start_server(const char *workers)
{
    const char *arguments[] = { "-o", workers,         "-o", "log.file_size=1MiB", "-o", "limits.max_value=640KiB",
                                "-o", "log.sync=none", "-o", "merge.policy=never", NULL };

    server = system_server_launch(dir, arguments, leave_few_descriptors);
    ck_assert(system_server_wait_serving(server));
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static void put(const char *name, int i, size_t size)
{
    char target[64], *body = calloc(1, size);

    snprintf(target, sizeof target, "/v1/kv/%s%d", name, i);
    snprintf(body, size, "value of %s%d.", name, i);
    ck_assert_int_eq(system_client_status(&client, "PUT", target, body, size), 201);
    free(body);
}

static void check(const char *name, int i)
{
    char target[64], text[64];

    snprintf(target, sizeof target, "/v1/kv/%s%d", name, i);
    snprintf(text, sizeof text, "value of %s%d.", name, i);
    system_client_check(&client, target, 200, text);
}

static json_int_t worker_figure(const char *name)
{
    json_t *root = json_loads(system_ctl(dir, "stats"), 0, NULL);
    json_int_t sum = 0;
    json_t *worker;
    size_t i;

    ck_assert_ptr_nonnull(root);
    json_array_foreach(json_object_get(root, "workers"), i, worker) sum +=
        json_integer_value(json_object_get(worker, name));
    json_decref(root);
    return sum;
}

START_TEST(idle_connections_leave_descriptors_for_data_files)
{
    struct system_client idle[N_IDLE];
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    start_server("server.workers=1");
    system_server_wait_line(server, "the limit of open files, 100, is too small for http.max_connections (10000)");
    for (int i = 0; i < N_VALUES; i++)
        put("k", i, VALUE_BYTES);
    system_client_close(&client); /* its files are those of this store, and none is open in a new worker */
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    start_server("server.workers=1");
    system_client_check(&client, "/livez", 200, "alive");
    for (int i = 0; i < N_IDLE; i++)
        ck_assert(system_client_open(&idle[i], system_server_port(server)));
    while (worker_figure("accept_pauses") == 0)
        ck_assert(system_now_ms() < deadline);
    for (int i = 0; i < N_VALUES; i++)
        check("k", i);
    for (int i = 0; i < N_IDLE; i++)
        system_client_close(&idle[i]);
    check("k", 0);
}
END_TEST

#define N_EACH   10
#define N_OTHERS 40

/* As many as both workers may have, however the kernel shares them out: nobody waits while one has room. */
START_TEST(no_connection_waits_at_a_full_worker)
{
    const char *arguments[] = { "-o", "server.workers=2", "-o", "http.max_connections=10", NULL };
    struct system_client clients[2 * N_EACH];

    server = system_server_start(dir, arguments);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 2 * N_EACH; i++)
            ck_assert(system_client_open(&clients[i], system_server_port(server)));
        for (int i = 0; i < 2 * N_EACH; i++)
            ck_assert_int_eq(system_client_status(&clients[i], "GET", "/livez", NULL, 0), 200);
        for (int i = 0; i < 2 * N_EACH; i++)
            system_client_close(&clients[i]);
        while (worker_figure("connections_open") > 0)
            usleep(1000);
    }
}
END_TEST

START_TEST(more_data_files_than_descriptors)
{
    struct system_client others[N_OTHERS];

    start_server("server.workers=1");
    for (int i = 0; i < N_MANY; i++)
        put("m", i, MANY_BYTES);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N_MANY; i++)
            check("m", i);
    for (int i = 0; i < N_OTHERS; i++) { /* the files have left room for them */
        ck_assert(system_client_open(&others[i], system_server_port(server)));
        ck_assert_int_eq(system_client_status(&others[i], "GET", "/livez", NULL, 0), 200);
    }
    ck_assert_int_eq(worker_figure("accept_pauses"), 0);
    for (int i = 0; i < N_OTHERS; i++)
        system_client_close(&others[i]);
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    start_server("server.workers=2"); /* recovery, too */
    for (int i = 0; i < N_MANY; i++)
        check("m", i);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system descriptors");
    TCase *tcase = tcase_create("descriptors");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, idle_connections_leave_descriptors_for_data_files);
    tcase_add_test(tcase, no_connection_waits_at_a_full_worker);
    tcase_add_test(tcase, more_data_files_than_descriptors);
    suite_add_tcase(suite, tcase);
    return suite;
}
