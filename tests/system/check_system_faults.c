/* What a user sees of a server whose disk fails: the right status and outcome, reads that go on, and nothing lost that
 * was acknowledged. Faults are put into system calls of the running master or worker. */
#include "system_client.h"
#include "system_server.h"
#include "system_tracer.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    system_client_check(&client, target, status, text);
}

/* A write that is refused: its status, its code, and what it says of what happened. */
static void check_refused(const char *method, const char *target, int status, const char *code, const char *outcome)
{
    static char body[4096];
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
    { "inject=pwritev:error=EFBIG:when=1", 507, "no-space" },
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
    system_server_wait_line(server, "1 failed write so far");
    stop_server(0);
    start_server("log.sync=always");
    check_body("/v1/kv/a", 200, "old");
    check_body("/v1/kv/b", 200, "good");
}
END_TEST

static void put_text(const char *key, const char *text)
{
    char target[64];
    int status;

    snprintf(target, sizeof target, "/v1/kv/%s", key);
    status = system_client_status(&client, "PUT", target, text, strlen(text));
    ck_assert_msg(status == 201 || status == 204, "%d", status);
}

#define N_READS 50

static pid_t worker_pid(void)
{
    pid_t pids[8];

    ck_assert_uint_eq(system_server_workers(server, pids, 8), 1);
    return pids[0];
}

static const struct {
    const char *fault; /* in the worker, whose n-th read it is */
    const char *uncached;
    int status;
    const char *code;
} read_faults[] = {
    { "inject=preadv2:error=EIO:when=", NULL, 500, "read-error" },
    { "inject=preadv2:retval=0:when=", NULL, 200, "value of" }, /* the disk is asked */
    { "inject=preadv2:retval=7:when=", NULL, 200, "value of" },
    { "inject=pread64:error=EIO:when=", "inject=preadv2:error=EAGAIN", 500, "read-error" },
    { "inject=pread64:retval=0:when=", "inject=preadv2:error=EAGAIN", 500, "damaged-value" },
    { "inject=pread64:retval=7:when=", "inject=preadv2:error=EAGAIN", 500, "damaged-value" }, /* bytes never read */
};

/* One connection asks for the keys in turn: one of the answers is an error, and all are in step. */
static void check_reads(unsigned bad, int status, const char *code)
{
    for (unsigned i = 1; i <= N_READS; i++) {
        char target[32], text[32];

        snprintf(target, sizeof target, "/v1/kv/r%u", i);
        snprintf(text, sizeof text, "value of r%u.", i);
        if (i == bad)
            check_body(target, status, code);
        else
            check_body(target, 200, text);
    }
}

START_TEST(a_failed_read_is_that_requests_alone)
{
    const char *arguments[] = { "-o", "server.workers=1", "-o", "worker.reader_threads=1", NULL };

    server = system_server_start(dir, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
    for (unsigned i = 1; i <= N_READS; i++) {
        char key[16], text[32];

        snprintf(key, sizeof key, "r%u", i);
        snprintf(text, sizeof text, "value of %s.", key);
        put_text(key, text);
    }
    for (unsigned n = 1; n <= N_READS; n++) {
        char fault[64];
        const char *expressions[] = { fault, read_faults[_i].uncached, NULL };

        snprintf(fault, sizeof fault, "%s%u", read_faults[_i].fault, n);
        tracer = system_tracer_attach(worker_pid(), expressions);
        if (tracer == NULL)
            return;
        check_reads(n, read_faults[_i].status, read_faults[_i].code);
        system_tracer_detach(&tracer);
        check_reads(0, 0, "");
    }
}
END_TEST

static const char *const open_errors[] = { "EMFILE", "ENFILE", "ENOMEM" };

START_TEST(a_file_that_cannot_be_opened_now_is_busy)
{
    struct system_response response;
    char fault[64];

    start_server("log.sync=none");
    put_text("a", "1");
    snprintf(fault, sizeof fault, "inject=openat:error=%s:when=1", open_errors[_i]);
    if (!inject(worker_pid(), fault))
        return;
    system_client_request(&client, "GET", "/v1/kv/a", NULL, 0, &response);
    ck_assert_int_eq(response.status, 503);
    ck_assert_ptr_nonnull(strstr(response.body, "\"busy\""));
    ck_assert_ptr_nonnull(system_response_header(&response, "Retry-After"));
    system_response_fini(&response);
    check_body("/v1/kv/a", 200, "1");
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
    system_server_wait_line(server, "with 1 record: its checksum does not fit");
    system_server_wait_line(server, "is in quarantine/; kept in data file");
    system_server_wait_line(server, ": 3 whole records");
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

START_TEST(what_a_crash_has_torn_is_cut_and_told)
{
    char path[512];

    start_server("log.sync=none");
    put_texts();
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
    (void)data_file(data_file(0, path, sizeof path) - 1, path, sizeof path);
    flip_bit(path, "the value of after");
    start_server("log.sync=none");
    system_server_wait_line(server, "data file 1 ends as a crash leaves it: cut ");
    system_server_wait_line(server, ", a record that is not whole (whole ones behind it: 1); nothing of it");
    check_body("/v1/kv/first", 200, "the first value");
    check_body("/v1/kv/last", 404, "not-found");
    put_text("last", "a new value");
}
END_TEST

START_TEST(a_damaged_value_is_never_served)
{
    char path[512];

    start_server("log.sync=always");
    put_texts();
    (void)data_file(data_file(0, path, sizeof path) - 1, path, sizeof path);
    flip_bit(path, "the last value");
    check_body("/v1/kv/first", 200, "the first value");
    check_body("/v1/kv/last", 500, "damaged-value");
    check_body("/v1/kv/last", 500, "damaged-value");
    check_body("/v1/kv/changed", 200, "the value of after");
    put_text("last", "a new value");
    check_body("/v1/kv/last", 200, "a new value");
}
END_TEST

#define N_CROWD    500
#define FILE_LIMIT 64
#define HOLD_MS    10000
#define HOLD_LONG  60 /* times as long in the long run */

/* A program that is the server, with few descriptors for each of its processes. */
static void make_limited_program(char *path, size_t size)
{
    const char *program = getenv("RACKKVD") != NULL ? getenv("RACKKVD") : "./rackkvd";
    FILE *file;

    snprintf(path, size, "%s/limited", dir);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\nulimit -n %d\nexec %s \"$@\"\n", FILE_LIMIT, program);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0700), 0);
}

/* Processor time of a process, in ms. */
static long cpu_ms(pid_t pid)
{
    unsigned long user = 0, system = 0;
    char path[64], line[512];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    ck_assert_int_eq(
        sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
    return (long)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

static long hold_ms(void)
{
    const char *text = getenv("RK_LONG");

    return text != NULL && text[0] != '\0' ? HOLD_LONG * HOLD_MS : HOLD_MS;
}

START_TEST(more_clients_than_descriptors_only_wait)
{
    struct system_client crowd[N_CROWD];
    char program[512];
    long began_ms, cpu_before;

    make_limited_program(program, sizeof program);
    setenv("RACKKVD", program, 1);
    start_server("log.sync=none");
    put_text("a", "1");
    check_body("/v1/kv/a", 200, "1"); /* its data file is open */
    cpu_before = cpu_ms(worker_pid());
    began_ms = system_now_ms();
    for (unsigned i = 0; i < N_CROWD; i++)
        ck_assert(system_client_open(&crowd[i], system_server_port(server)));
    while (system_now_ms()
           < began_ms + hold_ms()) { /* the kernel has connected them all; the worker cannot take them */
        check_body("/v1/kv/a", 200, "1");
        usleep(10000);
    }
    /* It does not go round and round: that would take all of a processor, and not a fifth. */
    ck_assert_int_lt((TEST_SANITIZED ? 2 : 5) * (cpu_ms(worker_pid()) - cpu_before), system_now_ms() - began_ms);
    for (unsigned i = 0; i < N_CROWD; i++)
        system_client_close(&crowd[i]);
    system_client_close(&client);
    ck_assert(system_client_open(&client, system_server_port(server)));
    check_body("/v1/kv/a", 200, "1");
    put_text("a", "2");
    ck_assert_uint_eq(count_lines("was killed"), 0);
}
END_TEST

static const char *const accept_errors[] = { "EMFILE", "ENFILE", "ENOMEM" };

START_TEST(a_connection_that_cannot_be_taken_now_waits)
{
    char fault[64];

    start_server("log.sync=none");
    put_text("a", "1");
    system_client_close(&client);
    snprintf(fault, sizeof fault, "inject=accept4,accept:error=%s:when=1..3", accept_errors[_i]);
    if (!inject(worker_pid(), fault))
        return;
    ck_assert(system_client_open(&client, system_server_port(server)));
    check_body("/v1/kv/a", 200, "1");
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, hold_ms() > HOLD_MS ? 1200 : 120);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("system faults");
    TCase *tcase = add_case(suite, "disk"), *descriptors = add_case(suite, "descriptors");

    tcase_add_test(tcase, a_failed_sync_ends_writes_and_not_reads);
    tcase_add_test(tcase, a_failed_sync_in_the_background_ends_writes_too);
    tcase_add_loop_test(tcase, a_failed_write_did_not_happen_and_the_next_one_does, 0,
                        sizeof write_faults / sizeof write_faults[0]);
    tcase_add_test(tcase, damage_in_a_sealed_file_is_refused_or_salvaged);
    tcase_add_test(tcase, damage_in_the_active_file_is_refused_or_salvaged);
    tcase_add_test(tcase, what_a_crash_has_torn_is_cut_and_told);
    tcase_add_loop_test(tcase, a_failed_read_is_that_requests_alone, 0, sizeof read_faults / sizeof read_faults[0]);
    tcase_add_loop_test(tcase, a_file_that_cannot_be_opened_now_is_busy, 0, sizeof open_errors / sizeof open_errors[0]);
    tcase_add_test(tcase, a_damaged_value_is_never_served);
    tcase_add_test(descriptors, more_clients_than_descriptors_only_wait);
    tcase_add_loop_test(descriptors, a_connection_that_cannot_be_taken_now_waits, 0,
                        sizeof accept_errors / sizeof accept_errors[0]);
    return suite;
}
