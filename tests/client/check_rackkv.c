/* The program rackkv as a person or a script meets it, against a server of canned answers: its commands. */
#include "rackkv_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(put_sends_the_value_as_it_is)
{
    size_t size;

    fake_server_answer_text(bed.server, "201 Created", "ETag: \"7\"\r\n" SEQ, "");
    RUN("put", "a/b c", "some value");
    bed_check_result(0, "", "");
    bed_check_request_line(0, "PUT /v1/kv/a%2Fb%20c HTTP/1.1");
    ck_assert_mem_eq(bed_body(0, &size), "some value", 10);
    ck_assert_uint_eq(size, 10);
    ck_assert_ptr_null(strcasestr(fake_server_request(bed.server, 0, NULL), "Content-Type:"));
    ck_assert_ptr_nonnull(strcasestr(fake_server_request(bed.server, 0, NULL), "\r\nContent-Length: 10\r\n"));
}
END_TEST

START_TEST(odd_values_are_values)
{
    static const char *const values[] = { "", "-x", "--json", " ", "caf\xc3\xa9", "\xff" };
    size_t size;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
        RUN("put", "k", values[i]);
        bed_check_result(0, "", "");
        ck_assert_str_eq(bed_body(i, &size), values[i]);
        ck_assert_uint_eq(size, strlen(values[i]));
    }
}
END_TEST

/* 3 MB of every byte value: more than one read, and past the size from which libcurl asks before it sends. */
START_TEST(values_are_binary_from_input_and_file)
{
    size_t size = 3000017, sent_size;
    unsigned char *value = malloc(size);
    char operand[600] = "@";

    for (size_t i = 0; i < size; i++)
        value[i] = (unsigned char)(i * 31 + i / 256);
    fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
    bed_run_with_input(value, size, (const char *const[]){ "put", "k", "-", NULL });
    bed_check_result(0, "", "");
    ck_assert_mem_eq(bed_body(0, &sent_size), value, size);
    ck_assert_uint_eq(sent_size, size);

    strcat(operand, bed_path("value"));
    bed_write_whole(operand + 1, value, size);
    fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
    RUN("put", "k", operand);
    bed_check_result(0, "", "");
    ck_assert_mem_eq(bed_body(1, &sent_size), value, size);
    ck_assert_uint_eq(sent_size, size);
    free(value);
}
END_TEST

START_TEST(an_at_sign_may_begin_a_value)
{
    static const char *const values[][2] = { { "@@ada", "@ada" }, { "@@", "@" }, { "@@@", "@@" }, { "a@b", "a@b" } };
    size_t size;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
        RUN("put", "k", values[i][0]);
        bed_check_result(0, "", "");
        ck_assert_str_eq(bed_body(i, &size), values[i][1]);
    }
}
END_TEST

START_TEST(put_of_a_missing_file)
{
    char operand[600], expected[1400];

    RUN("put", "k", "@/nonexistent/file");
    bed_check_result(
        1, "",
        "rackkv: /nonexistent/file: No such file or directory; a value that begins with @ is written with two: "
        "@@/nonexistent/file\n");
    RUN("put", "k", "@");
    bed_check_result(1, "", "rackkv: the name of a file is missing behind @; the value @ is written as @@\n");
    RUN("put", "k", "@/");
    bed_check_result(1, "",
                     "rackkv: /: is a folder, not a file; a value that begins with @ is written with two: @@/\n");
    ck_assert_int_eq(mkfifo(bed_path("fifo"), 0600), 0);
    (void)snprintf(operand, sizeof operand, "@%s", bed_path("fifo"));
    (void)snprintf(expected, sizeof expected,
                   "rackkv: %s: is a FIFO, not a file; a value that begins with @ is written with two: @%s\n",
                   operand + 1, operand);
    RUN("put", "k", operand); /* waits for nobody */
    bed_check_result(1, "", expected);
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 0);
}
END_TEST

START_TEST(get_writes_the_bytes_and_nothing_else)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n" SEQ "Content-Length: 256\r\n\r\n";
    char answer[sizeof head + 256];

    memcpy(answer, head, sizeof head - 1);
    for (size_t i = 0; i < 256; i++)
        answer[sizeof head - 1 + i] = (char)i;
    fake_server_answer(bed.server, answer, sizeof head - 1 + 256);
    RUN("get", "..");
    ck_assert_int_eq(bed.result.code, 0);
    ck_assert_uint_eq(bed.result.out_size, 256);
    ck_assert_mem_eq(bed.result.out, answer + sizeof head - 1, 256);
    bed_check_request_line(0, "GET /v1/kv/.. HTTP/1.1");

    fake_server_answer_text(bed.server, "200 OK", SEQ, "");
    RUN("get", ".");
    bed_check_result(0, "", "");
    bed_check_request_line(1, "GET /v1/kv/. HTTP/1.1");
}
END_TEST

START_TEST(absent_is_exit_code_1)
{
    for (int i = 0; i < 3; i++)
        fake_server_answer_text(bed.server, "404 Not Found", SEQ PROBLEM,
                                i < 2 ? "{\"code\":\"not_found\",\"detail\":\"no such key\"}" : "");
    RUN("get", "k");
    bed_check_result(1, "", "rackkv: not found\n");
    RUN("delete", "k");
    bed_check_result(1, "", "rackkv: not found\n");
    bed_check_request_line(1, "DELETE /v1/kv/k HTTP/1.1");
    RUN("exists", "k");
    bed_check_result(1, "", "");
    bed_check_request_line(2, "HEAD /v1/kv/k HTTP/1.1");
}
END_TEST

START_TEST(present_is_exit_code_0)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n" SEQ "Content-Length: 12345\r\n\r\n";

    fake_server_answer(bed.server, head, sizeof head - 1); /* to HEAD: the length of what GET would give */
    RUN("exists", "k");
    bed_check_result(0, "", "");
    fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
    RUN("delete", "k");
    bed_check_result(0, "", "");
}
END_TEST

START_TEST(unix_sockets_are_reached)
{
    struct fake_server *local = fake_server_start(bed_path("socket"));

    fake_server_answer_text(local, "200 OK", SEQ, "value");
    RUN("--url", fake_server_url(local), "get", "k");
    bed_check_result(0, "value", "");
    fake_server_stop(&local);
}
END_TEST

START_TEST(json_is_stable)
{
    fake_server_answer_text(bed.server, "201 Created", "ETag: \"7\"\r\n" SEQ, "");
    RUN("--json", "put", "k", "v");
    bed_check_result(0, "{\"key\":\"k\",\"seq\":7,\"etag\":\"\\\"7\\\"\",\"created\":true}\n", "");
    fake_server_answer_text(bed.server, "200 OK", SEQ "Content-Type: text/plain\r\nETag: \"7\"\r\n", "v\"\n");
    RUN("get", "--json", "k");
    bed_check_result(
        0, "{\"key\":\"k\",\"seq\":7,\"etag\":\"\\\"7\\\"\",\"content_type\":\"text/plain\",\"value\":\"v\\\"\\n\"}\n",
        "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "\xff");
    RUN("get", "--json", "\xfe");
    bed_check_result(0, "{\"key64\":\"/g==\",\"seq\":7,\"value64\":\"/w==\"}\n", "");
    fake_server_answer_text(bed.server, "404 Not Found", "RackKV-Seq: 9\r\n", "");
    RUN("delete", "--json", "k");
    bed_check_result(1, "{\"key\":\"k\",\"seq\":9,\"deleted\":false}\n", "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "");
    RUN("exists", "--json", "k");
    bed_check_result(0, "{\"key\":\"k\",\"seq\":7,\"exists\":true}\n", "");
    fake_server_answer_text(bed.server, "404 Not Found", SEQ, "");
    RUN("get", "--json", "k");
    bed_check_result(1, "{\"error\":\"not_found\",\"detail\":\"not found\"}\n", "");
    RUN("version", "--json");
    bed_check_result(0, "{\"version\":\"" PACKAGE_VERSION "\"}\n", "");
}
END_TEST

START_TEST(output_that_does_not_arrive_is_a_failure)
{
    int status;
    pid_t pid;

    if (access("/dev/full", W_OK) != 0)
        return;
    fake_server_answer_text(bed.server, "200 OK", SEQ, "value");
    pid = fork();
    if (pid == 0) {
        char *argv[] = { (char *)(uintptr_t)PROGRAM, (char *)(uintptr_t) "get", (char *)(uintptr_t) "k", NULL };

        bed_become(argv, "/dev/null", "/dev/full", "/dev/null");
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

/* A copy of rackkv, and a rackkvd that prints its arguments. */
static void make_server_script(const char *path, const char *word)
{
    char script[128];

    (void)snprintf(script, sizeof script, "#!/bin/sh\nprintf '%s'\nprintf ' [%%s]' \"$@\"\nexit 7\n", word);
    bed_write_whole(path, script, strlen(script));
    ck_assert_int_eq(chmod(path, 0700), 0);
}

START_TEST(open_finds_the_server_and_hands_its_options_over)
{
    char program[512], daemon_path[512];
    size_t size;
    char *bytes = bed_read_whole(PROGRAM, &size);
    static const char *const arguments[] = { "open",     "-c", "f.yaml", "-o", "ring.size=1MiB", "--option=a.b=c d",
                                             "--daemon", NULL };
    static const char expected[] = " [-c] [f.yaml] [-o] [ring.size=1MiB] [-o] [a.b=c d] [--daemon]";

    ck_assert_int_eq(mkdir(bed_path("bin"), 0700), 0);
    ck_assert_int_eq(mkdir(bed_path("sbin"), 0700), 0);
    ck_assert_int_eq(mkdir(bed_path("path"), 0700), 0);
    strcpy(program, bed_path("bin/rackkv"));
    bed_write_whole(program, bytes, size);
    ck_assert_int_eq(chmod(program, 0700), 0);
    free(bytes);

    bed_run_program(program, "", 0, (const char *const[]){ "open", NULL });
    ck_assert_int_eq(bed.result.code, 1);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "rackkvd was not found beside this program"));

    make_server_script(bed_path("path/rackkvd"), "path");
    strcpy(daemon_path, bed_path("path"));
    strcat(daemon_path, ":/usr/bin:/bin");
    setenv("PATH", daemon_path, 1);
    bed_run_program(program, "", 0, arguments);
    ck_assert_int_eq(strncmp(bed.result.out, "path", 4), 0);

    make_server_script(bed_path("sbin/rackkvd"), "sbin");
    bed_run_program(program, "", 0, arguments);
    ck_assert_int_eq(strncmp(bed.result.out, "sbin", 4), 0);

    make_server_script(bed_path("bin/rackkvd"), "bin");
    bed_run_program(program, "", 0, arguments);
    ck_assert_int_eq(strncmp(bed.result.out, "bin", 3), 0);
    ck_assert_str_eq(bed.result.out + 3, expected);
    ck_assert_int_eq(bed.result.code, 7);

    ck_assert_int_eq(chmod(bed_path("bin/rackkvd"), 0600), 0);
    bed_write_whole(bed_path("bin/rackkvd"), "", 0);
    bed_run_program(program, "", 0, arguments);
    ck_assert_int_eq(bed.result.code, 1);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "can't be started: Permission denied"));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv");
    TCase *tcase = tcase_create("rackkv");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, put_sends_the_value_as_it_is);
    tcase_add_test(tcase, odd_values_are_values);
    tcase_add_test(tcase, values_are_binary_from_input_and_file);
    tcase_add_test(tcase, an_at_sign_may_begin_a_value);
    tcase_add_test(tcase, put_of_a_missing_file);
    tcase_add_test(tcase, get_writes_the_bytes_and_nothing_else);
    tcase_add_test(tcase, absent_is_exit_code_1);
    tcase_add_test(tcase, present_is_exit_code_0);
    tcase_add_test(tcase, unix_sockets_are_reached);
    tcase_add_test(tcase, json_is_stable);
    tcase_add_test(tcase, output_that_does_not_arrive_is_a_failure);
    tcase_add_test(tcase, open_finds_the_server_and_hands_its_options_over);
    suite_add_tcase(suite, tcase);
    return suite;
}
