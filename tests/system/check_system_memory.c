/* A server in a control group that has hardly more memory than it takes to serve: it starts all the same, reading its
 * files as often as it takes. Where no control group can be made there is nothing to see. */
#include "base/base_cgroup.h"
#include "system_client.h"
#include "system_server.h"
#include "system_store.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_KEYS      400000u /* 12 MiB of entries, 10 MiB of keydir */
#define LIMIT_BYTES "67108864"

static char *dir;
static char data_dir[256];
static char group[PATH_MAX + 64];
static struct system_server *server;

static bool write_group(const char *name, const char *text)
{
    char path[PATH_MAX + 128];
    int fd;
    bool ok;

    snprintf(path, sizeof path, "%s/%s", group, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Below the group of the test's own process. */
static bool make_group(void)
{
    static const char *const limits[] = { "", "memory.limit_in_bytes", "memory.max" };
    struct rk_cgroup own;

    for (unsigned version = 1; version <= 2; version++) {
        if (!rk_cgroup_find(&own, "", version, "memory"))
            continue;
        snprintf(group, sizeof group, "%s/rackkv-test-%d", own.folder, (int)getppid());
        if (mkdir(group, 0700) != 0)
            continue;
        if (write_group(limits[version], LIMIT_BYTES))
            return true;
        (void)rmdir(group); /* it is of no use */
    }
    group[0] = '\0';
    return false;
}

static void setup(void)
{
    dir = test_dir_create();
    snprintf(data_dir, sizeof data_dir, "%s/data", dir);
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* In the process that waits for the test, so that the group goes when the test fails, too. */
static void remove_group(void)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    struct rk_cgroup own;

    for (unsigned version = 1; version <= 2; version++) {
        if (!rk_cgroup_find(&own, "", version, "memory"))
            continue;
        snprintf(group, sizeof group, "%s/rackkv-test-%d", own.folder, (int)getpid());
        while (rmdir(group) != 0 && errno == EBUSY && system_now_ms() < deadline)
            usleep(1000);
    }
}

static void fill_store(void)
{
    struct system_store *store = system_store_create(data_dir);
    char key[32];

    for (unsigned i = 0; i < N_KEYS; i++) {
        snprintf(key, sizeof key, "k%u", i);
        (void)system_store_put(store, key, key, strlen(key), 0);
    }
    system_store_roll(store);
    system_store_crash(&store);
}

static void join_group(void)
{
    (void)write_group("cgroup.procs", "0"); /* else the server is not limited, and the test fails */
}

START_TEST(what_can_be_served_can_be_recovered)
{
    static const char *const arguments[] = { "-o", "server.workers=1",      "-o", "keydir.max_bytes=16MiB",
                                             "-o", "limits.max_value=1MiB", "-o", "merge.policy=never",
                                             NULL };
    struct system_client client = { .fd = -1 };
    char target[32];

    if (TEST_SANITIZED || !make_group()) {
        fprintf(stderr, "skipped: no control group with a limit of memory can be made here, or none that is enough\n");
        return;
    }
    fill_store();
    server = system_server_launch(data_dir, arguments, join_group);
    ck_assert(system_server_wait_serving(server));
    system_server_wait_line(server, "recovered 400000 keys");
    ck_assert_msg(system_server_has_line(server, "times, for lack of memory"), "one pass, though memory is short");
    client.port = system_server_port(server);
    for (unsigned i = 0; i < N_KEYS; i += N_KEYS / 50) {
        snprintf(target, sizeof target, "/v1/kv/k%u", i);
        system_client_check(&client, target, 200, strrchr(target, '/') + 1);
    }
    system_client_close(&client);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_unchecked_fixture(tcase, NULL, remove_group);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_can_be_served_can_be_recovered);
    suite_add_tcase(suite, tcase);
    return suite;
}
