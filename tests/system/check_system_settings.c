/* Settings at their ends: what rackkvd -t calls good starts and serves, what it calls bad the start calls bad in the
 * same words; and limits.max_value is what may be stored, to the byte. */
#include "conf/conf_value.h"
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define METADATA_BYTES 1024u /* the longest that an item may be */

static char *dir;
static char data_dir[256];
static struct system_server *server;
static struct rlimit file_limit; /* of the servers to come; 0: as it is */

static void setup(void)
{
    dir = test_dir_create();
    snprintf(data_dir, sizeof data_dir, "%s/data", dir);
    file_limit = (struct rlimit){ 0, 0 };
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* What -t says, in *said_out (to free), and its exit code. */
static int test_settings(const char *const *assignments, char **said_out)
{
    const char *arguments[24] = { "-t" };
    size_t n = 1;

    for (; *assignments != NULL; assignments++) {
        arguments[n++] = "-o";
        arguments[n++] = *assignments;
    }
    return system_server_run(data_dir, arguments, said_out);
}

static void launch(const char *const *assignments, void (*before)(void))
{
    const char *arguments[24] = { NULL };
    size_t n = 0;

    for (; *assignments != NULL; assignments++) {
        arguments[n++] = "-o";
        arguments[n++] = *assignments;
    }
    server = system_server_launch(data_dir, arguments, before);
}

/* Until it is done: with timeouts at their smallest a busy machine may need more than one try. */
static void put_and_get(void)
{
    struct system_client client = { .fd = -1, .port = system_server_port(server) };
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int put = 0, get = 0;

    while ((put != 201 && put != 204) || get != 200) {
        ck_assert_msg(system_now_ms() < deadline, "PUT %d, GET %d", put, get);
        put = system_client_status(&client, "PUT", "/v1/kv/k", "v", 1);
        get = system_client_status(&client, "GET", "/v1/kv/k", NULL, 0);
    }
    system_client_close(&client);
}

/* The server is the judge: it starts and serves, or ends with the same code and the same words. */
static void compare_with_start(const char *const *assignments)
{
    char *tested, *started, *line;
    int code = test_settings(assignments, &tested);

    if (code == 0) {
        ck_assert_ptr_nonnull(strstr(tested, "is good\n"));
        launch(assignments, NULL);
        ck_assert_msg(system_server_wait_serving(server), "%s was called good", assignments[0]);
        put_and_get();
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    } else {
        const char *arguments[] = { "-o", assignments[0], "-o", assignments[1], NULL };

        ck_assert_int_eq(system_server_run(data_dir, arguments, &started), code);
        ck_assert_msg(strcmp(started, tested) == 0, "-t: %s\nstart: %s", tested, started);
        line = strstr(tested, "rackkvd: ");
        ck_assert_msg(line != NULL && strstr(line, "panic") == NULL && strchr(line, '\n')[1] == '\0', "%s", tested);
        free(started);
    }
    free(tested);
}

/* A row at one of its ends: what is written, or false when it has none (strings, lists). */
static bool describe_end(const struct rk_conf_key *key, bool at_max, char assignment[128])
{
    uint64_t number = at_max ? key->max : key->min;
    char text[RK_CONF_NUMBER_BYTES];

    if (key->type == RK_CONF_STRING || key->type == RK_CONF_LIST)
        return false;
    if (key->type == RK_CONF_BOOL)
        number = at_max;
    for (number = key->type == RK_CONF_ENUM ? 0 : number; key->type == RK_CONF_ENUM && at_max; number++)
        if (key->words[number + 1] == NULL)
            break;
    rk_conf_number_format(key, number, text);
    if (key->auto_allowed && number == 0)
        return false;
    snprintf(assignment, 128, "%s.%s=%s", key->section, key->name, text);
    return true;
}

START_TEST(every_setting_at_its_ends)
{
    const struct rk_conf_key *key = &rk_conf_keys[_i / 2];
    bool is_workers = strcmp(key->section, "server") == 0 && strcmp(key->name, "workers") == 0;
    char assignment[128];
    const char *const assignments[] = { is_workers ? "log.sync=none" : "server.workers=1", assignment, NULL };

    if (!describe_end(key, _i % 2 != 0, assignment))
        return;
    if (is_workers && _i % 2 != 0 && getenv("RK_LONG") == NULL)
        strcpy(assignment, "server.workers=12"); /* 64 do not start in time on a busy machine */
    compare_with_start(assignments);
}
END_TEST

/* Beyond its end a number is refused by both. */
START_TEST(no_setting_beyond_its_ends)
{
    const struct rk_conf_key *key = &rk_conf_keys[_i];
    char assignment[128], *said;
    const char *const assignments[] = { assignment, NULL };

    if (key->type != RK_CONF_INTEGER && key->type != RK_CONF_SIZE)
        return;
    snprintf(assignment, sizeof assignment, "%s.%s=%llu", key->section, key->name, (unsigned long long)key->max + 1);
    ck_assert_int_eq(test_settings(assignments, &said), 2);
    ck_assert_msg(strstr(said, "is too large; allowed is") != NULL, "%s", said);
    free(said);
}
END_TEST

/* Up to three assignments, the value that is the largest, and how long keys may be. */
static const struct {
    const char *assignments[4];
    size_t max_value;
    size_t key_len;
} combinations[] = {
    { { "log.sync=none" }, 32u << 20, 4096 },
    { { "limits.max_value=1", "limits.max_key=1", "ring.size=1MiB" }, 1, 1 },
    { { "limits.max_value=65536", "ring.size=1MiB", "log.file_size=1MiB" }, 65536, 4096 },
    { { "limits.max_value=65537", "limits.max_key=10000", "ring.size=auto" }, 65537, 10000 },
    { { "limits.max_value=7MiB", "ring.size=15MiB", "log.file_size=8MiB" }, 7u << 20, 4096 },
    { { "limits.max_value=7000001", "ring.size=14160000" }, 7000001, 4096 },
    { { "log.file_size=33MiB", "ring.size=65MiB", "log.reserve=0" }, 32u << 20, 4096 },
    { { "limits.max_value=90MiB" }, 90u << 20, 4096 },
};

/* A PUT with the longest metadata. */
static int put_value(struct system_client *client, const char *target, const uint8_t *value, size_t size)
{
    static char head[32768], item[METADATA_BYTES + 1];

    memset(item, 'a', METADATA_BYTES);
    snprintf(head, sizeof head,
             "PUT %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Encoding: %s\r\n"
             "Content-Length: %zu\r\n\r\n",
             target, item, item, size);
    if (client->fd < 0)
        ck_assert(system_client_open(client, client->port));
    (void)(system_client_send(client, head) && system_client_send_bytes(client, value, size)); /* the answer tells */
    return system_client_receive_status(client, "PUT");
}

static void check_value(struct system_client *client, const char *target, const uint8_t *value, size_t size)
{
    struct system_response response;

    system_client_request(client, "GET", target, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_uint_eq(response.body_len, size);
    ck_assert_int_eq(memcmp(response.body, value, size), 0);
    system_response_fini(&response);
}

START_TEST(the_largest_value_is_max_value)
{
    const size_t max = combinations[_i].max_value;
    uint8_t *value = malloc(max + 1);
    struct system_client client = { .fd = -1 };
    char target[10240] = "/v1/kv/";

    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i <= max; i++)
        value[i] = (uint8_t)(i * 131 + i / 65536);
    memset(target + strlen(target), 'k', combinations[_i].key_len);
    launch(combinations[_i].assignments, NULL);
    ck_assert(system_server_wait_serving(server));
    client.port = system_server_port(server);
    for (size_t size = max - 1; size <= max; size++) {
        int status = put_value(&client, target, value, size);

        ck_assert_msg(status == 201 || status == 204, "%zu of %zu bytes: %d", size, max, status);
        check_value(&client, target, value, size);
    }
    system_client_close(&client);
    ck_assert_int_eq(put_value(&client, target, value, max + 1), 413);
    system_client_close(&client);
    check_value(&client, target, value, max);
    system_client_close(&client);
    free(value);
}
END_TEST

static void limit_files(void)
{
    if (file_limit.rlim_max != 0)
        (void)setrlimit(RLIMIT_NOFILE, &file_limit); /* lower than before: cannot fail */
}

static void write_wrapper(const char *path, const char *limit)
{
    const char *program = getenv("RACKKVD") != NULL ? getenv("RACKKVD") : "./rackkvd";
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\nulimit %s\nexec %s \"$@\"\n", limit, program);
    ck_assert_int_eq(fchmod(fileno(file), 0700), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Exit code of -t and of a start with such limits, which say the same. */
static int run_limited(const char *limit, char **said_out)
{
    static const char *const start[] = { "-o", "server.workers=2", NULL };
    static const char *const test[] = { "-o", "server.workers=2", "-t", NULL };
    const char *program = getenv("RACKKVD") != NULL ? strdup(getenv("RACKKVD")) : NULL;
    char wrapper[300], *said;
    int code;

    snprintf(wrapper, sizeof wrapper, "%s/limited", dir);
    write_wrapper(wrapper, limit);
    setenv("RACKKVD", wrapper, 1);
    code = system_server_run(data_dir, test, said_out);
    if (code != 0) {
        ck_assert_int_eq(system_server_run(data_dir, start, &said), code);
        ck_assert_str_eq(said, *said_out);
        free(said);
    }
    program != NULL ? setenv("RACKKVD", program, 1) : unsetenv("RACKKVD");
    free((void *)(uintptr_t)program);
    return code;
}

/* What the error says is needed is enough to serve and to merge, and one less is refused. */
START_TEST(too_few_descriptors_are_told_with_the_number)
{
    static const char *const two_workers[] = { "server.workers=2", NULL };
    const char *number;
    char *said, limit[32];
    rlim_t needed;

    ck_assert_int_eq(run_limited("-n 32", &said), 1);
    number = strstr(said, "raise it to ");
    ck_assert_msg(number != NULL && strstr(said, "(ulimit -n) is 32") != NULL, "%s", said);
    needed = strtoul(number + strlen("raise it to "), NULL, 10);
    free(said);
    snprintf(limit, sizeof limit, "-n %lu", (unsigned long)needed - 1);
    ck_assert_int_eq(run_limited(limit, &said), 1);
    free(said);
    file_limit = (struct rlimit){ needed, needed };
    launch(two_workers, limit_files);
    ck_assert(system_server_wait_serving(server));
    for (unsigned round = 0; round < 4; round++) {
        put_and_get();
        (void)system_ctl(data_dir, "roll");
    }
    (void)system_ctl(data_dir, "merge start --all --wait");
    put_and_get();
    ck_assert_uint_eq(system_server_count(server, "starting another"), 0);
}
END_TEST

START_TEST(limits_of_file_size_and_memory_are_told)
{
    char *said;

    ck_assert_int_eq(run_limited("-f 1000", &said), 1);
    ck_assert_msg(strstr(said, "ulimit -f") != NULL && strstr(said, "log.file_size is 1048576 KiB") != NULL, "%s",
                  said);
    free(said);
    if (TEST_SANITIZED)
        return; /* a sanitizer needs more address space than there is */
    ck_assert_int_eq(run_limited("-v 4000000", &said), 1);
    ck_assert_msg(strstr(said, "keydir.max_bytes") != NULL && strstr(said, "ulimit -v") != NULL, "%s", said);
    free(said);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system settings");
    TCase *ends = tcase_create("ends"), *values = tcase_create("values"), *limits = tcase_create("limits");
    TCase *const all[] = { ends, values, limits };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        tcase_add_checked_fixture(all[i], setup, teardown);
        tcase_set_timeout(all[i], 300);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(ends, every_setting_at_its_ends, 0, 2 * RK_CONF_N_KEYS);
    tcase_add_loop_test(ends, no_setting_beyond_its_ends, 0, RK_CONF_N_KEYS);
    tcase_add_loop_test(values, the_largest_value_is_max_value, 0, sizeof combinations / sizeof combinations[0]);
    tcase_add_test(limits, too_few_descriptors_are_told_with_the_number);
    tcase_add_test(limits, limits_of_file_size_and_memory_are_told);
    return suite;
}
