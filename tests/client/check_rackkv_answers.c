/* What rackkv makes of what answers it: refusals, other servers, values that are cut off, and nothing at all. */
#include "rackkv_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(refusals_are_in_the_words_of_the_server)
{
    fake_server_answer_text(bed.server, "413 Content Too Large", PROBLEM,
                            "{\"code\":\"value_too_large\",\"detail\":\"at most 10 bytes (limits.max_value)\"}");
    RUN("put", "k", "v");
    bed_check_result(1, "", "rackkv: the server answered 413 value_too_large: at most 10 bytes (limits.max_value)\n");
    fake_server_answer_text(bed.server, "507 Insufficient Storage", PROBLEM, "{\"code\":\"no-space\"}");
    RUN("delete", "k");
    bed_check_result(1, "", "rackkv: the server answered 507 no-space\n");
    fake_server_answer_text(bed.server, "503 Service Unavailable", PROBLEM,
                            "{\"code\":\"busy\",\"detail\":\"a\\u001bb\"}");
    RUN("get", "k");
    bed_check_result(1, "", "rackkv: the server answered 503 busy: a\\x1bb\n");
    fake_server_answer_text(bed.server, "414 URI Too Long", PROBLEM,
                            "{\"code\":\"key-too-long\",\"detail\":\"too long\",\"limit\":4096}");
    RUN("get", "k");
    bed_check_result(1, "", "rackkv: the server answered 414 key-too-long: too long (the limit is 4096)\n");
    fake_server_answer_text(bed.server, "400 Bad Request", PROBLEM,
                            "{\"code\":\"bad-condition\",\"detail\":\"no list\",\"header\":\"If-Match\"}");
    RUN("get", "--if-match", "x", "k");
    bed_check_result(1, "", "rackkv: the server answered 400 bad-condition: no list (header If-Match)\n");
    fake_server_answer_text(bed.server, "400 Bad Request", PROBLEM, "{\"code\":\"bad-by\",\"parameter\":\"by\"}");
    RUN("incr", "k");
    bed_check_result(1, "", "rackkv: the server answered 400 bad-by (parameter by)\n");
    fake_server_answer_text(bed.server, "503 Service Unavailable", PROBLEM, "");
    RUN("exists", "k"); /* the answer to HEAD has no words */
    bed_check_result(1, "", "rackkv: the server answered 503\n");
}
END_TEST

/* The exit codes of conditions and rights, which have one each, so that scripts tell them from an absent key. */
START_TEST(each_kind_of_refusal_has_its_exit_code)
{
    static const struct {
        const char *status;
        int code;
        const char *name;
    } refusals[] = { { "400 Bad Request", 1, "refused" },
                     { "401 Unauthorized", 6, "not_allowed" },
                     { "403 Forbidden", 6, "not_allowed" },
                     { "412 Precondition Failed", 5, "condition_failed" },
                     { "500 Internal Server Error", 1, "refused" } };
    char expected[128];

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        fake_server_answer_text(bed.server, refusals[i].status, PROBLEM, "{\"code\":\"x\"}");
        RUN("get", "k");
        ck_assert_int_eq(bed.result.code, refusals[i].code);
        ck_assert_str_eq(bed.result.out, "");
        fake_server_answer_text(bed.server, refusals[i].status, PROBLEM, "{\"code\":\"x\"}");
        RUN("put", "--json", "k", "v");
        ck_assert_int_eq(bed.result.code, refusals[i].code);
        (void)snprintf(expected, sizeof expected, "{\"error\":\"%s\",\"detail\":\"the server answered %.3s x%s\"}\n",
                       refusals[i].name, refusals[i].status, refusals[i].code == 5 ? "; there is no such key now" : "");
        ck_assert_str_eq(bed.result.out, expected);
    }
}
END_TEST

static const char *const every_command[][4] = {
    { "get", "k" }, { "exists", "k" }, { "delete", "k" }, { "put", "k", "v" }, { "get", "--json", "k" }
};

#define N_EVERY_COMMAND (sizeof every_command / sizeof every_command[0])

/* Whatever else listens at an address: nothing of it is taken for a value, for a success, or for an absent key. */
START_TEST(another_server_is_no_rackkv)
{
    static const struct {
        const char *status, *headers, *body;
    } strangers[] = {
        { "200 OK", "Content-Type: text/html\r\n", "<html>sign in</html>" },
        { "200 OK", "ETag: \"7\"\r\n", "v" },
        { "200 OK", "RackKV-Seq: x\r\n", "v" },
        { "200 OK", SEQ SEQ, "v" },
        { "201 Created", "", "" },
        { "202 Accepted", SEQ, "" },
        { "206 Partial Content", SEQ, "v" },
        { "301 Moved Permanently", "Location: http://127.0.0.1:1/v1/kv/k\r\n", "" },
        { "302 Found", "Location: http://127.0.0.1:1/\r\n", "<html>" },
        { "304 Not Modified", "", "" },
        { "400 Bad Request", "Content-Type: application/json\r\n", "{\"code\":\"x\"}" },
        { "401 Unauthorized", "WWW-Authenticate: Basic\r\n", "who are you?" },
        { "404 Not Found", "Content-Type: text/html\r\n", "<html>no such page</html>" },
        { "404 Not Found", "", "" },
        { "404 Not Found", PROBLEM, "{\"code\":\"not-found\",\"detail\":\"no such page\"}" },
        { "412 Precondition Failed", "", "" },
        { "502 Bad Gateway", "Content-Type: text/html\r\n", "<html>" },
        { "503 Service Unavailable", "Content-Type: text/plain\r\n", "later" },
    };

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        for (size_t j = 0; j < N_EVERY_COMMAND; j++) {
            struct fake_server *stranger = fake_server_start(NULL);
            bool is_json = strcmp(every_command[j][1], "--json") == 0;

            setenv("RACKKV_URL", fake_server_url(stranger), 1);
            fake_server_answer_text(stranger, strangers[i].status, strangers[i].headers, strangers[i].body);
            bed_run_with_input("", 0, every_command[j]);
            ck_assert_msg(bed.result.code == 4, "%s, %s: exit code %d: %s%s", strangers[i].status, every_command[j][0],
                          bed.result.code, bed.result.out, bed.result.err);
            ck_assert_ptr_nonnull(strstr(is_json ? bed.result.out : bed.result.err, "is no RackKV server"));
            if (is_json)
                ck_assert_ptr_nonnull(strstr(bed.result.out, "\"error\":\"not_rackkv\""));
            else
                ck_assert_str_eq(bed.result.out, "");
            ck_assert_uint_eq(fake_server_n_requests(stranger), 1); /* no redirect is followed */
            fake_server_stop(&stranger);
        }
}
END_TEST

START_TEST(what_another_server_says_is_shown_as_text)
{
    fake_server_answer_text(bed.server, "302 Found", "Location: http://x/\x1b[2J\xff\r\nContent-Type: a\x07\r\n", "");
    RUN("put", "k", "v");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.err,
                                 "it answered 302, a\\x07, with a redirect to http://x/\\x1b[2J\\xff; the "
                                 "write may have happened; say where one is with --url or RACKKV_URL"));
    fake_server_answer_text(bed.server, "302 Found", "Location: \xff\r\n", "");
    RUN("put", "--json", "k", "v");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.out, "{\"error\":\"not_rackkv\",\"detail64\":\""));
}
END_TEST

#define GOOD_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n" SEQ

/* Answers what it can, then the connection ends; or the answer does not say where it ends. */
START_TEST(a_value_that_is_not_whole_is_a_failure)
{
    static const struct {
        const char *bytes, *error;
    } answers[] = {
        { GOOD_HEAD "Content-Length: 100\r\n\r\nhalf", "ended early" },
        { GOOD_HEAD "Content-Length: 100\r\n\r\n", "ended early" },
        { GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "ended early" },
        { GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "ended early" },
        { GOOD_HEAD "Content-Length: ten\r\n\r\nhalf", "127.0.0.1" },
        { GOOD_HEAD "\r\nhalf", "is no RackKV server" },
        { GOOD_HEAD "Content-Length: 4\r\nContent-Length: 2\r\n\r\nhalf", "is no RackKV server" },
        { "HTTP/1.1 200 OK\r\nRackKV-Seq: 7", "127.0.0.1" },
        { "half", "gave no answer" },
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fake_server_answer(bed.server, answers[i].bytes, strlen(answers[i].bytes));
        RUN("get", "k");
        ck_assert_msg(bed.result.code == 4, "%zu: exit code %d: %s", i, bed.result.code, bed.result.err);
        ck_assert_msg(strstr(bed.result.err, answers[i].error) != NULL, "%zu: %s", i, bed.result.err);
    }
    fake_server_answer(bed.server, "", 0);
    RUN("put", "k", "v");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "gave no answer"));
    ck_assert_ptr_nonnull(strstr(bed.result.err, "the write may have happened"));
}
END_TEST

/* A connection that breaks in the middle of a value: what came of it is no value. */
START_TEST(a_value_that_is_cut_off_by_a_reset_is_a_failure)
{
    static const char whole_head[] = GOOD_HEAD "Content-Length: 100\r\n\r\nhalf";
    static const char chunked[] = GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";

    fake_server_answer_and_reset(bed.server, whole_head, sizeof whole_head - 1);
    RUN("get", "k");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_str_ne(bed.result.err, "");
    fake_server_answer_and_reset(bed.server, chunked, sizeof chunked - 1);
    RUN("get", "k");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_str_ne(bed.result.err, "");
}
END_TEST

/* In chunks, as from a proxy on the way; and what stands behind the value's end is nobody's. */
START_TEST(a_value_that_is_whole_is_taken_however_it_comes)
{
    static const char chunked[] = GOOD_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nva\r\n3\r\nlue\r\n0\r\n\r\n";
    static const char longer[] = GOOD_HEAD "Content-Length: 5\r\n\r\nvalue and more";

    fake_server_answer(bed.server, chunked, sizeof chunked - 1);
    RUN("get", "k");
    bed_check_result(0, "value", "");
    fake_server_answer(bed.server, longer, sizeof longer - 1);
    RUN("get", "k");
    bed_check_result(0, "value", "");
}
END_TEST

/* A server that takes connections and never answers: the kernel's queue is one. */
static int listen_only(char *url, size_t size)
{
    int fd = bed_reserve_port(url, size);

    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

START_TEST(a_timeout_ends_the_waiting)
{
    char url[128];
    int fd = listen_only(url, sizeof url);

    setenv("RACKKV_URL", url, 1);
    for (size_t j = 0; j < N_EVERY_COMMAND - 1; j++) {
        const char *const *words = every_command[j];

        RUN("--timeout", "100ms", words[0], words[1], words[2]);
        ck_assert_int_eq(bed.result.code, 4);
        ck_assert_ptr_nonnull(strstr(bed.result.err, "did not answer within 0.1 s (--timeout)"));
        ck_assert(strcmp(words[0], "put") != 0 || strstr(bed.result.err, "the write may have happened") != NULL);
    }
    RUN("get", "-t", "50ms", "--json", "k");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_int_eq(strncmp(bed.result.out, "{\"error\":\"timeout\"", 18), 0);
    bed_run_with_input("GET k\nGET k\n", 12, (const char *const[]){ "shell", "--timeout", "50ms", NULL });
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "line 1: "));
    close(fd);
}
END_TEST

START_TEST(a_timeout_is_a_number_with_a_unit)
{
    static const char *const wrong[][2] = {
        { "5", "--timeout: '5' has no unit; needed is a duration from 1ms to 1d, as 500ms, 5s or 2m" },
        { "", "'' is no number with a unit" },
        { "s", "'s' is no number with a unit" },
        { "-1s", "'-1s' is no number with a unit" },
        { "1.5s", "'1.5s' has a unit that is not known" },
        { "5 s", "'5 s' has a unit that is not known" },
        { "5sec", "'5sec' has a unit that is not known" },
        { "0s", "'0s' is no time at all" },
        { "2d", "'2d' is too long" },
        { "99999999999999999999999ms", "is too long" },
    };
    static const char *const right[] = { "1000ms", "60s", "1m", "24h", "1d" };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        RUN("--timeout", wrong[i][0], "get", "k");
        ck_assert_msg(bed.result.code == 2, "%s: exit code %d", wrong[i][0], bed.result.code);
        ck_assert_msg(strstr(bed.result.err, wrong[i][1]) != NULL, "%s: %s", wrong[i][0], bed.result.err);
    }
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 0);
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        fake_server_answer_text(bed.server, "200 OK", SEQ, "v");
        RUN("get", "--timeout", right[i], "k");
        bed_check_result(0, "v", "");
    }
}
END_TEST

START_TEST(unreachable_is_exit_code_4_with_a_hint)
{
    char url[128], expected[256];
    int fd = bed_reserve_port(url, sizeof url);

    (void)snprintf(
        expected, sizeof expected,
        "rackkv: %s can't be reached: Connection refused; is the server running? start it with: rackkv open\n", url);
    RUN("--url", url, "get", "k");
    bed_check_result(4, "", expected);
    setenv("RACKKV_URL", url, 1);
    RUN("put", "k", "v");
    bed_check_result(4, "", expected);
    RUN("exists", "k");
    bed_check_result(4, "", expected);
    RUN("delete", "--url", "unix:/nonexistent/socket", "k");
    bed_check_result(4, "",
                     "rackkv: unix:/nonexistent/socket can't be reached: No such file or directory; is the server "
                     "running? start it with: rackkv open\n");
    close(fd);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv_answers");
    TCase *tcase = tcase_create("rackkv_answers");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, refusals_are_in_the_words_of_the_server);
    tcase_add_test(tcase, each_kind_of_refusal_has_its_exit_code);
    tcase_add_test(tcase, another_server_is_no_rackkv);
    tcase_add_test(tcase, what_another_server_says_is_shown_as_text);
    tcase_add_test(tcase, a_value_that_is_not_whole_is_a_failure);
    tcase_add_test(tcase, a_value_that_is_cut_off_by_a_reset_is_a_failure);
    tcase_add_test(tcase, a_value_that_is_whole_is_taken_however_it_comes);
    tcase_add_test(tcase, a_timeout_ends_the_waiting);
    tcase_add_test(tcase, a_timeout_is_a_number_with_a_unit);
    tcase_add_test(tcase, unreachable_is_exit_code_4_with_a_hint);
    suite_add_tcase(suite, tcase);
    return suite;
}
