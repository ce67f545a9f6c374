/* What somebody did to a data folder by hand: nothing is lost without a word. A start refuses, changes nothing and says
 * the ways out; --salvage takes them; and a server that runs notices what was taken from it. */
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;
static struct system_server *server;
static struct system_client client;

static const char *const one_worker[] = { "-o", "server.workers=1", NULL };
static const char *const salvaging[] = { "-o", "server.workers=1", "--salvage", NULL };

static void setup(void)
{
    dir = test_dir_create();
    client.fd = -1;
}

static void teardown(void)
{
    if (server != NULL) {
        system_client_close(&client);
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    }
    test_dir_remove(&dir);
}

static void start(const char *const *arguments)
{
    server = system_server_start(dir, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static void stop(void)
{
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
}

static void put(const char *key, const char *value)
{
    char target[64];

    snprintf(target, sizeof target, "/v1/kv/%s", key);
    ck_assert_int_eq(system_client_status(&client, "PUT", target, value, strlen(value)) / 100, 2);
}

static void check_value(const char *key, int status, const char *value)
{
    char target[64];

    snprintf(target, sizeof target, "/v1/kv/%s", key);
    system_client_check(&client, target, status, value);
}

static char *path_of(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void *read_all(const char *name, size_t *size_out)
{
    int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *bytes;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    bytes = malloc((size_t)status.st_size + 1);
    ck_assert_int_eq(pread(fd, bytes, (size_t)status.st_size, 0), status.st_size);
    *size_out = (size_t)status.st_size;
    close(fd);
    return bytes;
}

static void write_all(const char *name, const void *bytes, size_t size)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

/* The start refuses, and says all of these words. */
static void check_refused(const char *const *words)
{
    char *output = NULL;

    ck_assert_int_eq(system_server_run(dir, one_worker, &output), 1);
    for (size_t i = 0; words[i] != NULL; i++)
        ck_assert_msg(strstr(output, words[i]) != NULL, "no \"%s\" in: %s", words[i], output);
    free(output);
}

/* Three files, a key in each, and the MANIFEST of when there was one. */
static void make_old_manifest(void)
{
    void *manifest;
    size_t size;

    start(one_worker);
    put("a", "1");
    manifest = read_all("MANIFEST", &size);
    (void)system_ctl(dir, "roll");
    put("b", "2");
    (void)system_ctl(dir, "roll");
    put("c", "3");
    stop();
    write_all("MANIFEST", manifest, size);
    free(manifest);
}

START_TEST(an_old_manifest_costs_nothing)
{
    make_old_manifest();
    for (int round = 0; round < 2; round++) {
        check_refused((const char *const[]){ "0000000002.data (sequences 2 to 2)", "0000000003.data (sequences 3 to 3)",
                                             "Put the MANIFEST back", "--salvage", NULL });
        ck_assert_int_eq(access(path_of("0000000002.data"), F_OK), 0);
        ck_assert_int_eq(access(path_of("0000000003.data"), F_OK), 0);
    }
    start(salvaging);
    system_server_wait_line(server, "data file 3, sequences 3 to 3, was not in the MANIFEST, and is now");
    check_value("a", 200, "1");
    check_value("b", 200, "2");
    check_value("c", 200, "3");
    put("d", "4");
    stop();
    start(one_worker);
    check_value("c", 200, "3");
    check_value("d", 200, "4");
}
END_TEST

/* What a crash leaves goes, and not in silence. */
START_TEST(what_a_crash_leaves_goes_with_a_word)
{
    start(one_worker);
    put("a", "1");
    stop();
    write_all("0000000099.data", "", 0);
    start(one_worker);
    system_server_wait_line(server, "data file 99 is not in the MANIFEST: removed");
    ck_assert_int_ne(access(path_of("0000000099.data"), F_OK), 0);
    check_value("a", 200, "1");
}
END_TEST

START_TEST(a_second_server_is_refused_though_lock_is_gone)
{
    start(one_worker);
    put("a", "1");
    ck_assert_int_eq(unlink(path_of("LOCK")), 0);
    check_refused((const char *const[]){ "in use by the server", NULL });
    ck_assert_int_ne(access(path_of("LOCK"), F_OK), 0);
    system_server_wait_line(server, "LOCK was removed or replaced while this server uses it");
    ck_assert_int_eq(unlink(path_of("MANIFEST")), 0);
    system_server_wait_line(server, "MANIFEST was removed or replaced while this server uses it");
    put("b", "2");
    (void)system_ctl(dir, "roll"); /* writes it anew */
    system_server_wait_line(server, "MANIFEST is there again");
    stop();
    start(one_worker);
    check_value("a", 200, "1");
    check_value("b", 200, "2");
}
END_TEST

static const struct {
    const char *what;
    off_t size;
} cuts[] = { { "nothing", 0 }, { "a header", 80 }, { "most of it", -100 } };

/* The newest file, closed, and cut by somebody. */
START_TEST(a_newest_file_that_was_cut_is_no_torn_tail)
{
    struct stat status;
    char words[64];

    start(one_worker);
    put("a", "1");
    ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/a", NULL, 0) / 100, 2);
    put("b", "2");
    stop();
    ck_assert_int_eq(stat(path_of("0000000001.data"), &status), 0);
    ck_assert_int_eq(truncate(path_of("0000000001.data"), cuts[_i].size >= 0 ? cuts[_i].size : status.st_size - 100),
                     0);
    snprintf(words, sizeof words, "up to byte %ld when it was closed", (long)status.st_size - 80);
    check_refused((const char *const[]){ "0000000001.data: damaged at byte ", words, "--salvage", NULL });
    start(salvaging);
    system_server_wait_line(server, "is in quarantine/");
    check_value("b", 404, "");
    put("b", "3");
    stop();
    start(one_worker);
    check_value("b", 200, "3");
}
END_TEST

START_TEST(a_missing_or_foreign_file_can_be_done_without)
{
    start(one_worker);
    put("a", "1");
    (void)system_ctl(dir, "roll");
    put("b", "2");
    stop();
    ck_assert_int_eq(unlink(path_of("0000000001.data")), 0);
    if (_i == 1)
        ck_assert_int_eq(mkfifo(path_of("0000000001.data"), 0600), 0);
    check_refused((const char *const[]){ _i == 0 ? "0000000001.data: missing, although MANIFEST lists it"
                                                 : "0000000001.data: cannot be opened: is a FIFO",
                                         "--salvage", NULL });
    start(salvaging);
    system_server_wait_line(server, _i == 0 ? "data file 1 is missing" : "data file 1 is in quarantine/");
    system_server_wait_line(server, "at most the sequences 1 to 1");
    check_value("a", 404, "");
    check_value("b", 200, "2");
    if (_i == 1)
        ck_assert_int_eq(access(path_of("quarantine/0000000001.data"), F_OK), 0);
}
END_TEST

/* None of these is waited for. */
START_TEST(what_is_no_file_is_refused_at_once)
{
    static const char *const names[] = { "STORE", "MANIFEST", "LOCK", "0000000001.data" };
    char kept[512];

    start(one_worker);
    put("a", "1");
    stop();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(kept, sizeof kept, "%s/kept", dir);
        ck_assert_int_eq(rename(path_of(names[i]), kept), 0);
        ck_assert_int_eq(mkfifo(path_of(names[i]), 0600), 0);
        check_refused((const char *const[]){ names[i], "is a FIFO, not a file", NULL });
        ck_assert_int_eq(unlink(path_of(names[i])), 0);
        ck_assert_int_eq(rename(kept, path_of(names[i])), 0);
    }
    ck_assert_int_eq(mkfifo(path_of("0000000001.hint"), 0600), 0); /* a cache: made anew, whatever it is */
    start(one_worker);
    check_value("a", 200, "1");
}
END_TEST

START_TEST(a_configuration_that_is_a_fifo_is_refused)
{
    char *output = NULL;
    const char *arguments[] = { "-c", path_of("fifo"), NULL };

    ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
    ck_assert_int_eq(system_server_run(dir, arguments, &output), 2);
    ck_assert_msg(strstr(output, "is a FIFO, not a file") != NULL, "%s", output);
    free(output);
}
END_TEST

static unsigned long sequence_of(const char *method, const char *target)
{
    struct system_response response;
    unsigned long sequence;

    system_client_request(&client, method, target, NULL, 0, &response);
    ck_assert_ptr_nonnull(system_response_header(&response, "RackKV-Seq"));
    sequence = strtoul(system_response_header(&response, "RackKV-Seq"), NULL, 10);
    system_response_fini(&response);
    return sequence;
}

/* The delete was the last that happened, and a merge has dropped it. */
START_TEST(the_sequence_of_a_404_does_not_go_back)
{
    unsigned long deleted;

    start(one_worker);
    put("a", "1");
    deleted = sequence_of("DELETE", "/v1/kv/a");
    (void)system_ctl(dir, "merge start --all --wait");
    for (int round = 0; round < 2; round++) {
        ck_assert_uint_ge(sequence_of("GET", "/v1/kv/a"), deleted);
        stop();
        start(one_worker);
    }
    ck_assert_uint_ge(sequence_of("GET", "/v1/kv/a"), deleted);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_lost");
    TCase *tcase = tcase_create("lost");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_old_manifest_costs_nothing);
    tcase_add_test(tcase, what_a_crash_leaves_goes_with_a_word);
    tcase_add_test(tcase, a_second_server_is_refused_though_lock_is_gone);
    tcase_add_loop_test(tcase, a_newest_file_that_was_cut_is_no_torn_tail, 0, sizeof cuts / sizeof cuts[0]);
    tcase_add_loop_test(tcase, a_missing_or_foreign_file_can_be_done_without, 0, 2);
    tcase_add_test(tcase, what_is_no_file_is_refused_at_once);
    tcase_add_test(tcase, a_configuration_that_is_a_fifo_is_refused);
    tcase_add_test(tcase, the_sequence_of_a_404_does_not_go_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
