/* What a user sees of a server whose disk fails: the right status and outcome, reads that go on, and nothing lost that
 * was acknowledged. Faults are put into system calls of the running master or worker. */
#include "system_client.h"
#include "system_server.h"
#include "system_tracer.h"
#include "test_dir.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_VALUE_BYTES (64u << 10) /* of the puts that fill a disk */

static char *dir;
static struct system_server *server;
static struct system_client client;
static struct system_tracer *tracer;

static void setup(void)
{
    dir = test_dir_create();
    client.fd = -1;
}

static void stop_server(int expected_code)
{
    system_tracer_detach(&tracer);
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), expected_code);
}

static void teardown(void)
{
    if (server != NULL)
        stop_server(0);
    test_dir_remove(&dir);
}

static void start_server(const char *setting)
{
    const char *arguments[] = { "-o", "server.workers=1", "-o", setting, NULL };

    server = system_server_start(dir, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

/* Makes calls of the master fail; false where that is not possible. */
static bool inject(pid_t pid, const char *fault)
{
    const char *expressions[] = { fault, NULL };

    tracer = system_tracer_attach(pid, expressions);
    return tracer != NULL;
}

static void check_body(const char *target, int status, const char *text)
{
    struct system_response response;

    system_client_request(&client, "GET", target, NULL, 0, &response);
    ck_assert_int_eq(response.status, status);
    ck_assert_msg(strstr(response.body, text) != NULL, "%s: no \"%s\" in: %s", target, text, response.body);
    system_response_fini(&response);
}

/* A write that is refused: its status, its code, and what it says of what happened. */
static void check_refused(const char *method, const char *target, int status, const char *code, const char *outcome)
{
    static char body[FULL_VALUE_BYTES];
    struct system_response response;
    const char *header;

    system_client_request(&client, method, target, body, strcmp(method, "PUT") == 0 ? sizeof body : 0, &response);
    ck_assert_msg(response.status == status, "%s %s: %d %s", method, target, response.status, response.body);
    ck_assert_msg(strstr(response.body, code) != NULL, "no \"%s\" in: %s", code, response.body);
    header = system_response_header(&response, "RackKV-Outcome");
    ck_assert_ptr_nonnull(header);
    ck_assert_str_eq(header, outcome);
    ck_assert_int_eq(system_response_header(&response, "Retry-After") != NULL, status == 503);
    system_response_fini(&response);
}

static unsigned count_lines(const char *text)
{
    return system_server_count(server, text);
}

static void check_read_only(void)
{
    check_refused("PUT", "/v1/kv/c", 503, "read-only", "none");
    check_refused("DELETE", "/v1/kv/a", 503, "read-only", "none");
    check_body("/v1/kv/a", 200, "old");
    check_body("/readyz", 200, "read-only");
    system_server_wait_line(server, "writes are refused until a restart");
    for (int i = 0; i < 20; i++)
        check_refused("PUT", "/v1/kv/c", 503, "read-only", "none");
    ck_assert_uint_eq(count_lines("writes are refused until a restart"), 1);
}

START_TEST(a_failed_sync_ends_writes_and_not_reads)
{
    start_server("log.sync=always");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/a", "old", 3), 201);
    check_body("/readyz", 200, "ready\n");
    if (!inject(system_server_pid(server), "inject=fdatasync:error=EIO:when=1"))
        return;
    check_refused("PUT", "/v1/kv/b", 503, "read-only", "unknown");
    check_body("/v1/kv/b", 404, "not-found"); /* written, not durable: nobody may see it */
    check_read_only();
    stop_server(1);
    start_server("log.sync=always");
    check_body("/v1/kv/a", 200, "old");
    check_body("/readyz", 200, "ready\n");
    ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/a", NULL, 0), 204);
}
END_TEST

START_TEST(a_failed_sync_in_the_background_ends_writes_too)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int status;

    start_server("log.sync=interval");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/a", "old", 3), 201);
    if (!inject(system_server_pid(server), "inject=fdatasync:error=EIO:when=1"))
        return;
    while ((status = system_client_status(&client, "PUT", "/v1/kv/b", "1", 1)) != 503) {
        ck_assert_msg(status == 201 || status == 204, "%d", status);
        ck_assert_msg(system_now_ms() < deadline, "writes go on");
        usleep(10000);
    }
    check_read_only();
    check_body("/v1/kv/b", 200, "1"); /* acknowledged: its durability was never promised */
    stop_server(1);
    start_server("log.sync=interval");
    check_body("/v1/kv/a", 200, "old");
    check_body("/v1/kv/b", 200, "1");
}
END_TEST

static const struct {
    const char *fault;
    int status;
    const char *code;
} write_faults[] = {
    { "inject=pwritev:error=EIO:when=1", 503, "write-error" },
    { "inject=pwritev:error=ENOSPC:when=1", 507, "no-space" },
    { "inject=pwritev:error=EFBIG:when=1", 503, "write-error" },
};

START_TEST(a_failed_write_did_not_happen_and_the_next_one_does)
{
    start_server("log.sync=always");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/a", "old", 3), 201);
    if (!inject(system_server_pid(server), write_faults[_i].fault))
        return;
    check_refused("PUT", "/v1/kv/a", write_faults[_i].status, write_faults[_i].code, "none");
    check_body("/v1/kv/a", 200, "old");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/b", "good", 4), 201);
    check_body("/readyz", 200, "ready\n");
    system_server_wait_line(server, "1 failed writes so far");
    stop_server(0);
    start_server("log.sync=always");
    check_body("/v1/kv/a", 200, "old");
    check_body("/v1/kv/b", 200, "good");
}
END_TEST

/* A small disk of its own below the test's folder, in a mount namespace of its own: it is gone with this process. */
static bool mount_small_disk(char *path, size_t size)
{
    snprintf(path, size, "%s/disk", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
        && mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,mode=0700") == 0)
        return true;
    fprintf(stderr, "skipped: a tmpfs cannot be mounted here: %s\n", strerror(errno));
    return false;
}

static void make_ballast(const char *disk, char *path, size_t size)
{
    int fd;

    snprintf(path, size, "%s/ballast", disk);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, 4 << 20), 0);
    close(fd);
}

/* The last of the values put before the disk was full; all are of one size. */
static unsigned put_until_full(unsigned first)
{
    static char value[FULL_VALUE_BYTES];
    unsigned n = first;
    char target[32];
    int status;

    do {
        snprintf(target, sizeof target, "/v1/kv/f%u", n);
        snprintf(value, sizeof value, "%u", n);
        status = system_client_status(&client, "PUT", target, value, sizeof value);
        n += status == 201;
    } while (status == 201);
    ck_assert_int_eq(status, 507);
    return n;
}

static void check_values(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char target[32], text[16];

        snprintf(target, sizeof target, "/v1/kv/f%u", i);
        snprintf(text, sizeof text, "%u", i);
        check_body(target, 200, text);
    }
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

static const char *const full_arguments[] = { "-o", "server.workers=1",      "-o", "log.file_size=4MiB",
                                              "-o", "limits.max_value=1MiB", "-o", "log.reserve=1MiB",
                                              NULL };

static void run_full_disk(const char *disk)
{
    char ballast[512], target[32];
    unsigned n, n_deleted = 50, n_more;

    make_ballast(disk, ballast, sizeof ballast);
    server = system_server_start(disk, full_arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
    n = put_until_full(0);
    ck_assert_uint_gt(n, n_deleted);
    check_refused("PUT", "/v1/kv/f0", 507, "no-space", "none"); /* nor is a value replaced */
    wait_body("/readyz", "disk full");
    system_server_wait_line(server, "the disk is full");
    check_values(0, n);
    for (unsigned i = 0; i < n_deleted; i++) {
        snprintf(target, sizeof target, "/v1/kv/f%u", i);
        ck_assert_int_eq(system_client_status(&client, "DELETE", target, NULL, 0), 204);
    }
    check_body("/v1/kv/f0", 404, "not-found");
    ck_assert_int_eq(unlink(ballast), 0);
    wait_body("/readyz", "ready\n");
    system_server_wait_line(server, "there is space on the disk again");
    n_more = put_until_full(n);
    ck_assert_uint_ge(n_more, n + 20);
    ck_assert_uint_le(count_lines("the disk is full"), 2);
    stop_server(0);
    server = system_server_start(disk, full_arguments); /* on the full disk */
    ck_assert(system_client_open(&client, system_server_port(server)));
    check_values(n_deleted, n_more);
    check_body("/v1/kv/f0", 404, "not-found");
    ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/f60", NULL, 0), 204);
    stop_server(0);
}

START_TEST(a_full_disk_refuses_puts_until_there_is_space)
{
    char disk[256];

    if (!mount_small_disk(disk, sizeof disk))
        return;
    run_full_disk(disk);
    ck_assert_int_eq(umount(disk), 0);
}
END_TEST

/* A data file of the folder, the n-th by name, and how many there are. */
static size_t data_file(size_t n, char *path, size_t size)
{
    char pattern[300];
    size_t n_files;
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/*.data", dir);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    n_files = found.gl_pathc;
    ck_assert_uint_lt(n, n_files);
    snprintf(path, size, "%s", found.gl_pathv[n]);
    globfree(&found);
    return n_files;
}

static void remove_hint_of(const char *data_path)
{
    char path[512];

    snprintf(path, sizeof path, "%.*s.hint", (int)(strlen(data_path) - strlen(".data")), data_path);
    (void)unlink(path); /* there may be none */
}

/* Flips a bit of the bytes that begin with `text`. */
static void flip_bit(const char *path, const char *text)
{
    static char bytes[4 << 20];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    char *at = n > 0 ? memmem(bytes, (size_t)n, text, strlen(text)) : NULL;

    ck_assert_msg(at != NULL, "no %s in %s", text, path);
    *at ^= 1;
    ck_assert_int_eq(pwrite(fd, at, 1, at - bytes), 1);
    close(fd);
}

static void put_text(const char *key, const char *text)
{
    char target[64];
    int status;

    snprintf(target, sizeof target, "/v1/kv/%s", key);
    status = system_client_status(&client, "PUT", target, text, strlen(text));
    ck_assert_msg(status == 201 || status == 204, "%d", status);
}

static void put_texts(void)
{
    put_text("first", "the first value");
    put_text("changed", "the value of before");
    put_text("changed", "the value of after");
    put_text("last", "the last value");
}

/* Nothing on the disk is changed by a start that refuses: the files are as they were. */
static void check_refusal(const char *data_path)
{
    static char before[1 << 20], after[1 << 20];
    const char *arguments[] = { "-o", "server.workers=1", NULL };
    char *output = NULL;
    FILE *file = fopen(data_path, "re");
    size_t size = fread(before, 1, sizeof before, file);

    fclose(file);
    ck_assert_int_eq(system_server_run(dir, arguments, &output), 1);
    ck_assert_msg(strstr(output, strrchr(data_path, '/') + 1) != NULL, "%s", output);
    ck_assert_msg(strstr(output, "damaged at byte ") != NULL, "%s", output);
    ck_assert_msg(strstr(output, "--salvage") != NULL, "%s", output);
    free(output);
    file = fopen(data_path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(after, 1, sizeof after, file), size);
    fclose(file);
    ck_assert_int_eq(memcmp(before, after, size), 0);
}

static void check_salvaged(const char *data_path)
{
    const char *arguments[] = { "-o", "server.workers=1", "--salvage", NULL };
    char kept[512];

    server = system_server_start(dir, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
    system_server_wait_line(server, "with 1 records: its checksum does not fit");
    system_server_wait_line(server, "is in quarantine/; its 3 whole records are kept in data file");
    check_body("/v1/kv/first", 200, "the first value");
    check_body("/v1/kv/changed", 200, "the value of before");
    check_body("/v1/kv/last", 200, "the last value");
    snprintf(kept, sizeof kept, "%s/quarantine/%s", dir, strrchr(data_path, '/') + 1);
    ck_assert_int_eq(access(kept, R_OK), 0);
    put_text("changed", "the value of now");
    stop_server(0);
    start_server("log.sync=always");
    check_body("/v1/kv/changed", 200, "the value of now");
    check_body("/v1/kv/last", 200, "the last value");
}

START_TEST(damage_in_a_sealed_file_is_refused_or_salvaged)
{
    char path[512];

    start_server("log.sync=always");
    put_texts();
    stop_server(0);
    (void)data_file(0, path, sizeof path);
    remove_hint_of(path); /* a hint would stand for the file, and the damage wait for a GET */
    flip_bit(path, "the value of after");
    check_refusal(path);
    check_salvaged(path);
}
END_TEST

/* The server was killed: its file has no trailer, but later records say what had been durable. */
START_TEST(damage_in_the_active_file_is_refused_or_salvaged)
{
    char path[512];

    start_server("log.sync=always");
    put_texts();
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
    (void)data_file(data_file(0, path, sizeof path) - 1, path, sizeof path);
    flip_bit(path, "the value of after");
    check_refusal(path);
    check_salvaged(path);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system faults");
    TCase *tcase = tcase_create("writes");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_failed_sync_ends_writes_and_not_reads);
    tcase_add_test(tcase, a_failed_sync_in_the_background_ends_writes_too);
    tcase_add_loop_test(tcase, a_failed_write_did_not_happen_and_the_next_one_does, 0,
                        sizeof write_faults / sizeof write_faults[0]);
    tcase_add_test(tcase, a_full_disk_refuses_puts_until_there_is_space);
    tcase_add_test(tcase, damage_in_a_sealed_file_is_refused_or_salvaged);
    tcase_add_test(tcase, damage_in_the_active_file_is_refused_or_salvaged);
    suite_add_tcase(suite, tcase);
    return suite;
}
