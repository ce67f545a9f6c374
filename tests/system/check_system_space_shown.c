/* What a full disk shows of the work that is done about it: that space is being given back, and how much of it holes
 * gave. Each file has more live bytes than there is room for, so that only holes can help. */
#include "system_client.h"
#include "system_ctl.h"
#include "system_disk.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_BYTES (64u << 10)
#define DEAD_OF     4 /* one key of so many is deleted */
#define HOLES_BYTES "\"holes_bytes\":"
#define PATIENCE_MS (6L * SYSTEM_DEADLINE_MS) /* for what takes a second */

static char *dir, disk[256];
static struct system_server *server;
static struct system_client client;
static bool is_mounted;

static void setup(void)
{
    const char *arguments[] = { "-o", "server.workers=1",   "-o", "log.file_size=4MiB", "-o", "limits.max_value=1MiB",
                                "-o", "merge.policy=never", NULL };

    dir = test_dir_create();
    client.fd = -1;
    is_mounted = system_disk_mount(dir, disk, sizeof disk);
    if (!is_mounted)
        return;
    server = system_server_start(disk, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static void teardown(void)
{
    if (is_mounted) {
        system_client_close(&client);
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
        system_disk_unmount(disk);
    }
    test_dir_remove(&dir);
}

static int request(const char *method, unsigned key)
{
    static char value[VALUE_BYTES];
    char target[32];
    bool is_put = strcmp(method, "PUT") == 0;

    snprintf(target, sizeof target, "/v1/kv/s%u", key);
    return system_client_status(&client, method, target, is_put ? value : NULL, is_put ? sizeof value : 0);
}

static unsigned put_until_full(void)
{
    unsigned n = 0;
    int status;

    while ((status = request("PUT", n)) == 201)
        n++;
    ck_assert_int_eq(status, 507);
    return n;
}

static const char *wait_for(const char *text)
{
    long begin_ms = system_now_ms();
    const char *answer;

    while (strstr(answer = system_ctl(disk, "merge status"), text) == NULL) {
        ck_assert_msg(system_now_ms() - begin_ms < PATIENCE_MS, "%s: %s", text, answer);
        usleep(10000); /* the state of another process wakes nobody */
    }
    return answer;
}

static unsigned long long holes_bytes(const char *answer)
{
    const char *at = strstr(answer, HOLES_BYTES);

    ck_assert_ptr_nonnull(at);
    return strtoull(at + strlen(HOLES_BYTES), NULL, 10);
}

/* The answer to `merge resume` is the state right then: holes take a second at least, in which reads come to an end. */
START_TEST(space_that_comes_back_is_shown)
{
    unsigned n;

    if (!is_mounted)
        return;
    (void)system_ctl(disk, "merge pause");
    n = put_until_full();
    for (unsigned key = 0; key < n; key += DEAD_OF)
        ck_assert_int_eq(request("DELETE", key), 204);
    ck_assert_uint_eq(holes_bytes(wait_for("\"rescue\":\"paused\"")), 0);
    ck_assert_ptr_nonnull(strstr(system_ctl(disk, "merge resume"), "\"rescue\":\"working\""));
    ck_assert_uint_ge(holes_bytes(wait_for("\"rescue\":\"none\"")), 1u << 20);
    ck_assert_int_eq(request("PUT", n), 201);
    for (unsigned key = 0; key < n; key++)
        ck_assert_int_eq(request("GET", key), key % DEAD_OF == 0 ? 404 : 200);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system space shown");
    TCase *tcase = tcase_create("space shown");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, space_that_comes_back_is_shown);
    suite_add_tcase(suite, tcase);
    return suite;
}
