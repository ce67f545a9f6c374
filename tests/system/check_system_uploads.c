/* Bodies that are only half sent: their memory is bounded over all workers, small requests go on, and what they had
 * goes back to the system with them. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_UPLOADS  200
#define HALF_BYTES (700u << 10) /* for which the buffer is 1 MiB */
#define MIB        1048576ul

static char *dir;
static struct system_server *server;
static struct system_client uploads[N_UPLOADS];

static void setup(void)
{
    dir = test_dir_create();
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static void start_server(const char *upload_memory)
{
    const char *arguments[] = { "-o", "server.workers=2", "-o", "limits.max_value=2MiB", "-o", "log.sync=none",
                                "-o", upload_memory,      NULL };

    server = system_server_start(dir, arguments);
}

/* Anonymous memory of all workers, in bytes: not the store's, which they share. */
static unsigned long workers_bytes(void)
{
    pid_t pids[8];
    unsigned n = system_server_workers(server, pids, 8);
    unsigned long sum = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned long resident = 0, shared = 0;
        char path[64];
        FILE *file;

        snprintf(path, sizeof path, "/proc/%d/statm", (int)pids[i]);
        file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%*u %lu %lu", &resident, &shared), 2);
        fclose(file);
        sum += (resident - shared) * (unsigned long)sysconf(_SC_PAGESIZE);
    }
    return sum;
}

static void send_halves(void)
{
    char *half = calloc(1, HALF_BYTES);

    for (int i = 0; i < N_UPLOADS; i++) {
        ck_assert(system_client_open(&uploads[i], system_server_port(server)));
        (void)(system_client_send(&uploads[i], "PUT /v1/kv/u HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n")
               && system_client_send_bytes(&uploads[i], half, HALF_BYTES)); /* or it is refused meanwhile */
    }
    free(half);
}

static void close_halves(void)
{
    for (int i = 0; i < N_UPLOADS; i++)
        system_client_close(&uploads[i]);
}

/* How many of them have an answer by now. */
static int count_answered(void)
{
    struct pollfd fds[N_UPLOADS];

    for (int i = 0; i < N_UPLOADS; i++)
        fds[i] = (struct pollfd){ .fd = uploads[i].fd, .events = POLLIN };
    return poll(fds, N_UPLOADS, 0);
}

static void wait_for_bytes_below(unsigned long limit)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (workers_bytes() > limit) {
        ck_assert_msg(system_now_ms() < deadline, "%lu MiB are still there", workers_bytes() / MIB);
        usleep(10000);
    }
}

START_TEST(half_sent_bodies_are_bounded_in_all_workers)
{
    struct system_client client;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int n_refused = 0;

    start_server("limits.upload_memory=40MiB");
    send_halves();
    while (count_answered() < N_UPLOADS - 41) {
        ck_assert_msg(system_now_ms() < deadline, "%d are refused", count_answered());
        usleep(10000);
    }
    if (!TEST_SANITIZED)
        ck_assert_uint_lt(workers_bytes(), 80 * MIB);
    ck_assert(system_client_open(&client, system_server_port(server)));
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/small", "1", 1), 201);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/small", NULL, 0), 200);
    for (int i = 0; i < N_UPLOADS; i++) {
        struct pollfd fd = { .fd = uploads[i].fd, .events = POLLIN };

        if (poll(&fd, 1, 0) == 0)
            continue;
        ck_assert_int_eq(system_client_receive_status(&uploads[i], "PUT"), 503);
        n_refused++;
    }
    ck_assert_int_lt(n_refused, N_UPLOADS); /* some had room */
    close_halves();
    wait_for_bytes_below(20 * MIB * (TEST_SANITIZED ? 100 : 1));
    system_client_close(&client);
}
END_TEST

START_TEST(memory_of_bodies_goes_back_to_the_system)
{
    unsigned long before;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    start_server("limits.upload_memory=1GiB");
    before = workers_bytes();
    if (TEST_SANITIZED)
        return; /* it keeps freed memory for a while, on purpose */
    for (int round = 0; round < 2; round++) {
        send_halves();
        while (workers_bytes() < before + N_UPLOADS * HALF_BYTES) {
            ck_assert(system_now_ms() < deadline);
            usleep(10000);
        }
        close_halves();
        wait_for_bytes_below(before + 8 * MIB);
    }
}
END_TEST

/* A worker that is killed had them: nobody counts them any more. */
START_TEST(a_dead_worker_buffers_nothing)
{
    struct system_client client;
    char *body = calloc(1, HALF_BYTES);
    pid_t pids[8];

    start_server("limits.upload_memory=40MiB");
    send_halves();
    ck_assert_uint_eq(system_server_workers(server, pids, 8), 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
    close_halves();
    client.fd = -1;
    client.port = system_server_port(server);
    for (int i = 0; i < 40; i++)
        ck_assert_int_lt(system_client_status_retry(&client, "PUT", "/v1/kv/whole", body, HALF_BYTES), 300);
    system_client_close(&client);
    free(body);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system uploads");
    TCase *tcase = tcase_create("uploads");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, half_sent_bodies_are_bounded_in_all_workers);
    tcase_add_test(tcase, memory_of_bodies_goes_back_to_the_system);
    tcase_add_test(tcase, a_dead_worker_buffers_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
