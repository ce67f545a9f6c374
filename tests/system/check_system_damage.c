/* A byte of a data file changes under a running server: the key in it is answered with 500, no other key is harmed, no
 * wrong byte is ever sent, and the key can be written again. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_KEYS      50
#define DAMAGED     7
#define LARGE_BYTES (1u << 20)

static char *dir;
static struct system_server *server;
static struct system_client client;

static void setup(void)
{
    static const char *const two[] = { "-o", "server.workers=2", "-o", "log.sync=none", NULL };

    dir = test_dir_create();
    server = system_server_start(dir, two);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static void teardown(void)
{
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* Flips one bit of the file where these bytes stand; whether they do. */
static bool damage_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat status;
    char *content, *at;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    content = malloc((size_t)status.st_size + 1);
    ck_assert_int_eq(pread(fd, content, (size_t)status.st_size, 0), status.st_size);
    at = memmem(content, (size_t)status.st_size, bytes, size);
    if (at != NULL) {
        *at ^= 0x01;
        ck_assert_int_eq(pwrite(fd, at, 1, at - content), 1);
    }
    free(content);
    close(fd);
    return at != NULL;
}

static void damage(const void *bytes, size_t size)
{
    DIR *listing = opendir(dir);
    struct dirent *entry;
    unsigned n_damaged = 0;

    while ((entry = readdir(listing)) != NULL) {
        char path[512];

        if (strstr(entry->d_name, ".data") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        n_damaged += damage_file(path, bytes, size);
    }
    closedir(listing);
    ck_assert_uint_eq(n_damaged, 1);
}

static int make_pair(unsigned i, char target[64], char value[128])
{
    snprintf(target, 64, "/v1/kv/key-%u", i);
    return snprintf(value, 128, "the value of key number %u, which is like no other", i);
}

static void expect_all_but(unsigned damaged)
{
    for (unsigned i = 0; i < N_KEYS; i++) {
        struct system_response response;
        char target[64], value[128];

        make_pair(i, target, value);
        system_client_request(&client, "GET", target, NULL, 0, &response);
        ck_assert_int_eq(response.status, i == damaged ? 500 : 200);
        if (i == damaged)
            ck_assert_ptr_null(strstr(response.body, "like no other"));
        else
            ck_assert_str_eq(response.body, value);
        system_response_fini(&response);
    }
}

START_TEST(damage_is_answered_with_500_and_harms_no_other_key)
{
    char target[64], value[128];

    for (unsigned i = 0; i < N_KEYS; i++) {
        int size = make_pair(i, target, value);

        ck_assert_int_eq(system_client_status(&client, "PUT", target, value, (size_t)size), 201);
    }
    expect_all_but(N_KEYS);
    damage(value, (size_t)make_pair(DAMAGED, target, value));
    expect_all_but(DAMAGED);
    expect_all_but(DAMAGED); /* and stays so, on the same connection */
    system_client_close(&client);
    expect_all_but(DAMAGED);
    ck_assert_int_eq(system_client_status(&client, "PUT", target, value, (size_t)make_pair(DAMAGED, target, value)),
                     204);
    expect_all_but(N_KEYS);
}
END_TEST

/* Too late for a status: what was checked is sent, and then the connection ends before the promised length. */
START_TEST(damage_deep_in_a_large_value_cuts_the_answer)
{
    unsigned char *value = malloc(LARGE_BYTES);
    struct system_response response;

    for (size_t i = 0; i < LARGE_BYTES; i++)
        value[i] = (unsigned char)(i * 2654435761u >> 24);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/large", value, LARGE_BYTES), 201);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/small", "small", 5), 201);
    damage(value + LARGE_BYTES / 2, 4096);
    system_client_request(&client, "GET", "/v1/kv/large", NULL, 0, &response);
    ck_assert_int_eq(response.status, 0);
    system_response_fini(&response);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/small", NULL, 0), 200);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/large", value, LARGE_BYTES), 204);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/large", NULL, 0), 200);
    free(value);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system damage");
    TCase *tcase = tcase_create("damage");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, damage_is_answered_with_500_and_harms_no_other_key);
    tcase_add_test(tcase, damage_deep_in_a_large_value_cuts_the_answer);
    suite_add_tcase(suite, tcase);
    return suite;
}
