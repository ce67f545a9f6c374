/* What a user sees of a server whose disk is full: puts are refused, reads and deletes go on, and so does all of it
 * when there is space again. A server that starts on a full disk serves what it has. */
#include "system_client.h"
#include "system_ctl.h"
#include "system_disk.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_BYTES   (64u << 10)
#define BALLAST_BYTES (4 << 20)
#define N_LONG        300 /* long keys: their tombstones use the small reserve up */
#define LONG_BYTES    900

static char *dir, disk[256], ballast[300];
static struct system_server *server;
static struct system_client client;
static bool is_mounted;

static void setup(void)
{
    dir = test_dir_create();
    client.fd = -1;
    is_mounted = system_disk_mount(dir, disk, sizeof disk);
    snprintf(ballast, sizeof ballast, "%s/ballast", disk);
}

static void stop_server(int signal, int expected_code)
{
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, signal), expected_code);
}

static void teardown(void)
{
    if (server != NULL)
        stop_server(SIGTERM, 0);
    if (is_mounted)
        system_disk_unmount(disk);
    test_dir_remove(&dir);
}

static void start_server(const char *reserve)
{
    const char *arguments[] = { "-o", "server.workers=1",      "-o", "log.file_size=4MiB",
                                "-o", "limits.max_value=1MiB", "-o", reserve,
                                NULL };

    server = system_server_start(disk, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static void make_ballast(void)
{
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, BALLAST_BYTES), 0);
    close(fd);
}

static const char *make_target(unsigned n)
{
    static char target[32];

    snprintf(target, sizeof target, "/v1/kv/f%u", n);
    return target;
}

static const char *make_long_target(unsigned n)
{
    static char target[LONG_BYTES + 1];

    memset(target, 'x', LONG_BYTES);
    target[snprintf(target, sizeof target, "/v1/kv/%u", n)] = 'x'; /* in place of its NUL */
    return target;
}

static int put(unsigned n)
{
    static char value[VALUE_BYTES];

    snprintf(value, sizeof value, "%u", n);
    return system_client_status(&client, "PUT", make_target(n), value, sizeof value);
}

static int delete (const char *target)
{
    return system_client_status(&client, "DELETE", target, NULL, 0);
}

/* The end of the values that were put before the disk was full. */
static unsigned put_until_full(unsigned first)
{
    unsigned n = first;
    int status;

    while ((status = put(n)) == 201)
        n++;
    ck_assert_int_eq(status, 507);
    return n;
}

static void check_values(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char text[16];

        snprintf(text, sizeof text, "%u", i);
        system_client_check(&client, make_target(i), 200, text);
    }
}

/* Nothing of a refused write happened. */
static void check_refused(unsigned n)
{
    static char body[VALUE_BYTES];
    struct system_response response;

    system_client_request(&client, "PUT", make_target(n), body, sizeof body, &response);
    ck_assert_msg(response.status == 507 && strstr(response.body, "no-space") != NULL, "%d %s", response.status,
                  response.body);
    ck_assert_str_eq(system_response_header(&response, "RackKV-Outcome"), "none");
    system_response_fini(&response);
}

static void wait_body(const char *target, const char *text)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    struct system_response response;
    bool found = false;

    while (!found) {
        ck_assert_msg(system_now_ms() < deadline, "%s never says %s", target, text);
        system_client_request(&client, "GET", target, NULL, 0, &response);
        found = strstr(response.body, text) != NULL;
        system_response_fini(&response);
        usleep(10000);
    }
}

#define RESERVE "log.reserve=1MiB"

START_TEST(puts_are_refused_until_there_is_space)
{
    unsigned n, n_deleted = 50, n_more;

    if (!is_mounted)
        return;
    make_ballast();
    start_server(RESERVE);
    n = put_until_full(0);
    ck_assert_uint_gt(n, n_deleted);
    check_refused(0); /* nor is a value replaced */
    wait_body("/readyz", "disk full");
    system_server_wait_line(server, "the disk is full");
    check_values(0, n);
    for (unsigned i = 0; i < n_deleted; i++)
        ck_assert_int_eq(delete (make_target(i)), 204);
    system_client_check(&client, make_target(0), 404, "not-found");
    ck_assert_int_eq(unlink(ballast), 0);
    wait_body("/readyz", "ready\n");
    system_server_wait_line(server, "there is space on the disk again");
    n_more = put_until_full(n);
    ck_assert_uint_ge(n_more, n + 20);
    ck_assert_uint_le(system_server_count(server, "the disk is full"), 2);
    stop_server(SIGTERM, 0);
    start_server(RESERVE); /* on the full disk */
    check_values(n_deleted, n_more);
    system_client_check(&client, make_target(0), 404, "not-found");
    ck_assert_int_eq(delete (make_target(60)), 204);
}
END_TEST

/* On a disk without a page to spare: values first to end are served, puts refused; all goes on when there is space, and
 * what is put then is there after a kill. */
static void check_start_on_full_disk(const char *reserve, unsigned first, unsigned end)
{
    start_server(reserve);
    system_server_wait_line(server, "goes on in the newest data file");
    check_values(first, end);
    check_refused(first);
    check_values(first, end);
    stop_server(SIGTERM, 0);
    start_server(reserve); /* as often as one likes */
    check_values(first, end);
    check_refused(end);
    wait_body("/readyz", "disk full");
    ck_assert_int_eq(unlink(ballast), 0);
    wait_body("/readyz", "ready\n");
    for (unsigned i = end; i < end + 100; i++)
        ck_assert_int_eq(put(i), 201);
    stop_server(SIGKILL, -SIGKILL);
    start_server(reserve);
    check_values(first, end + 100);
}

START_TEST(a_server_that_was_stopped_starts_on_a_full_disk)
{
    if (!is_mounted)
        return;
    start_server(RESERVE);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(put(i), 201);
    ck_assert_int_eq(delete (make_target(0)), 204);
    stop_server(SIGTERM, 0);
    system_disk_fill(ballast);
    check_start_on_full_disk(RESERVE, 1, 20);
    system_client_check(&client, make_target(0), 404, "not-found");
}
END_TEST

#define SMALL_RESERVE "log.reserve=64KiB"

START_TEST(a_server_that_was_killed_starts_on_a_full_disk)
{
    unsigned n = 20, n_deleted = 0;
    int status;

    if (!is_mounted)
        return;
    start_server(SMALL_RESERVE);
    (void)system_ctl(disk, "merge pause"); /* a rescue may roll over with the room of the reserve (doc/design/0018) */
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(put(i), 201);
    for (unsigned i = 0; i < N_LONG; i++)
        ck_assert_int_eq(system_client_status(&client, "PUT", make_long_target(i), "1", 1), 201);
    do { /* what is preallocated is used up, too, or taken away */
        system_disk_fill(ballast);
        n = put_until_full(n);
        status = delete (make_long_target(n_deleted));
        n_deleted += status == 204;
    } while (status == 204);
    ck_assert_int_eq(status, 507);
    ck_assert_uint_ge(n_deleted, (64u << 10) / 1024);
    stop_server(SIGKILL, -SIGKILL);
    system_disk_fill(ballast);
    check_start_on_full_disk(SMALL_RESERVE, 0, n);
    for (unsigned i = 0; i < N_LONG; i++)
        system_client_check(&client, make_long_target(i), i < n_deleted ? 404 : 200, "");
}
END_TEST

static void wait_ctl(const char *command, const char *text)
{
    long begin_ms = system_now_ms();

    while (strstr(system_ctl(disk, command), text) == NULL) {
        ck_assert_msg(system_now_ms() - begin_ms < SYSTEM_DEADLINE_MS, "%s: %s", text, system_ctl(disk, command));
        usleep(10000); /* the state of another process wakes nobody */
    }
}

/* Nothing can be done about it: all is live. Then what was kept free for merges is lent to puts, which is the end of
 * being stuck until they have used it: so they go on. Returns where the values that were put end. */
static unsigned wait_until_stuck(unsigned n)
{
    long begin_ms = system_now_ms();

    while (strstr(system_ctl(disk, "merge status"), "\"rescue\":\"stuck\"") == NULL) {
        ck_assert_msg(system_now_ms() - begin_ms < SYSTEM_DEADLINE_MS, "%s", system_ctl(disk, "merge status"));
        n = put_until_full(n);
    }
    return n;
}

static bool shown_status_has(const char *text)
{
    char command[400];

    snprintf(command, sizeof command, "./rackkvctl -s %s/control.sock status | grep -qF '%s'", disk, text);
    return system(command) == 0;
}

/* What is done about it, and what its operator can do. */
START_TEST(a_full_disk_says_what_is_done)
{
    struct system_response response;
    static char body[VALUE_BYTES];
    unsigned n;

    if (!is_mounted)
        return;
    start_server("log.reserve=256KiB");
    ck_assert_ptr_nonnull(strstr(system_ctl(disk, "merge status"), "\"rescue\":\"none\",\"holes_bytes\":0,"));
    (void)system_ctl(disk, "merge pause");
    n = put_until_full(0);
    wait_ctl("merge status", "\"rescue\":\"paused\"");
    ck_assert(shown_status_has("full disk") && shown_status_has("the disk is full: deletes only"));
    ck_assert(shown_status_has("merge resume"));
    system_client_request(&client, "PUT", make_target(n), body, sizeof body, &response);
    ck_assert_int_eq(response.status, 507);
    ck_assert_ptr_nonnull(strstr(response.body, "the disk is full: see rackkvctl status"));
    system_response_fini(&response);
    (void)system_ctl(disk, "merge resume");
    n = wait_until_stuck(n);
    for (unsigned i = 0; i < n; i++)
        if (i % 8 != 0)
            ck_assert_int_eq(delete (make_target(i)), 204);
    wait_ctl("merge status", "\"rescue\":\"none\"");
    ck_assert_int_eq(put(n), 201);
    ck_assert(shown_status_has("accepted") && !shown_status_has("full disk"));
}
END_TEST

/* Who cannot listen where he was told to, or cannot be heard, says so at once. */
static void check_start_fails(const char *section_and_key, const char *path, const char *expected)
{
    char setting[400], *output = NULL;
    const char *arguments[] = { "-o", setting, NULL };

    snprintf(setting, sizeof setting, "%s%s", section_and_key, path);
    ck_assert_int_eq(system_server_run(disk, arguments, &output), 1);
    ck_assert_msg(strstr(output, expected) != NULL, "%s", output);
    free(output);
}

/* A name takes a block or an inode, of which there may be none; neither is needed to serve. */
START_TEST(a_start_without_room_for_names_has_them_later)
{
    char pid_file[300], setting[320], control[300];
    const char *arguments[] = { "-o", "server.workers=1", "-o", setting, NULL };

    if (!is_mounted)
        return;
    snprintf(pid_file, sizeof pid_file, "%s/pid", disk);
    snprintf(setting, sizeof setting, "server.pid_file=%s", pid_file);
    snprintf(control, sizeof control, "%s/control.sock", disk);
    server = system_server_start(disk, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
    ck_assert_int_eq(system_client_status(&client, "PUT", make_target(1), "kept", 4), 201);
    stop_server(SIGTERM, 0);
    system_disk_limit_names(disk, 0);
    check_start_fails("http.listen=unix:", control, "free some space, or choose a path on another file system");
    check_start_fails("server.log_file=", control, "No space left on device");
    server = system_server_start(disk, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
    system_client_check(&client, make_target(1), 200, "kept");
    ck_assert_uint_eq(system_server_count(server, "the server starts without the PID file, and tries again"), 1);
    ck_assert_uint_eq(system_server_count(server, "the server starts without the control socket, and tries again"), 1);
    ck_assert(system_server_has_line(server, "control.sock: binding: No space left on device"));
    ck_assert_int_ne(access(pid_file, F_OK), 0);
    ck_assert_int_ne(access(control, F_OK), 0);
    system_disk_limit_names(disk, 100);
    system_server_wait_line(server, "room again for the PID file: it is there now");
    system_server_wait_line(server, "room again for the control socket: it is there now");
    ck_assert_int_eq(access(pid_file, F_OK), 0);
    ck_assert_ptr_nonnull(strstr(system_ctl(disk, "file list"), "\"file\"")); /* it serves: recovery was over before */
    stop_server(SIGTERM, 0);
    ck_assert_int_ne(access(pid_file, F_OK), 0);
    ck_assert_int_ne(access(control, F_OK), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system full");
    TCase *tcase = tcase_create("disk");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, puts_are_refused_until_there_is_space);
    tcase_add_test(tcase, a_server_that_was_stopped_starts_on_a_full_disk);
    tcase_add_test(tcase, a_server_that_was_killed_starts_on_a_full_disk);
    tcase_add_test(tcase, a_full_disk_says_what_is_done);
    tcase_add_test(tcase, a_start_without_room_for_names_has_them_later);
    suite_add_tcase(suite, tcase);
    return suite;
}
