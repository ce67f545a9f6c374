/* What rackkv sends for each option and each command that takes any, and what it makes of the answers. */
#include "rackkv_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

#define DONE "204 No Content"

static const struct {
    const char *words[8]; /* before the key */
    const char *field;
} writes[] = {
    { { "put", "--if-match", "12" }, "If-Match: \"12\"" },
    { { "put", "--if-match", "\"12\", \"13\"" }, "If-Match: \"12\", \"13\"" },
    { { "put", "--if-none-match", "*" }, "If-None-Match: *" },
    { { "put", "--if-match", "W/\"1\"" }, "If-Match: W/\"1\"" }, /* the server says what it thinks of it */
    { { "put", "--ttl", "60" }, "RackKV-TTL: 60" },
    { { "put", "--ttl=500ms" }, "RackKV-TTL: 500ms" },
    { { "put", "--ttl", "7d" }, "RackKV-TTL: 7d" },
    { { "put", "--type", "text/plain; charset=utf-8" }, "Content-Type: text/plain; charset=utf-8" },
    { { "put", "--meta", "owner=ada=b" }, "RackKV-Meta-owner: ada=b" },
    { { "put", "--meta", "Empty=" }, "RackKV-Meta-Empty:" },
    { { "put", "--meta", "a=1", "--meta", "b=caf\xc3\xa9" }, "RackKV-Meta-b: caf\xc3\xa9" },
    { { "put", "--durability", "written" }, "RackKV-Durability: written" },
    { { "append", "--durability", "synced" }, "RackKV-Durability: synced" },
    { { "append", "--if-match", "*" }, "If-Match: *" },
};

START_TEST(options_become_fields)
{
    for (size_t i = 0; i < N_OF(writes); i++) {
        const char *words[12] = { NULL };
        size_t n = 0;

        for (; writes[i].words[n] != NULL; n++)
            words[n] = writes[i].words[n];
        words[n++] = "k";
        words[n] = "value";
        fake_server_answer_text(bed.server, DONE, SEQ, "");
        bed_run_with_input("", 0, words);
        bed_check_result(0, "", "");
        bed_check_field(i, writes[i].field);
        bed_check_field(i, "Content-Length: 5");
    }
}
END_TEST

START_TEST(each_command_sends_its_request)
{
    static const struct {
        const char *words[6];
        const char *line, *field;
    } commands[] = {
        { { "append", "a b", "v" }, "POST /v1/kv/a%20b?op=append HTTP/1.1", "Content-Length: 1" },
        { { "append", "k", "" }, "POST /v1/kv/k?op=append HTTP/1.1", "Content-Length: 0" },
        { { "touch", "--ttl", "10m", "k" }, "POST /v1/kv/k?op=touch HTTP/1.1", "RackKV-TTL: 10m" },
        { { "touch", "k" }, "POST /v1/kv/k?op=touch HTTP/1.1", "Content-Length: 0" },
        { { "delete", "--if-match", "3", "k" }, "DELETE /v1/kv/k HTTP/1.1", "If-Match: \"3\"" },
        { { "delete", "--durability", "synced", "k" }, "DELETE /v1/kv/k HTTP/1.1", "RackKV-Durability: synced" },
        { { "exists", "--if-match", "3", "k" }, "HEAD /v1/kv/k HTTP/1.1", "If-Match: \"3\"" },
        { { "get", "--if-none-match", "3", "k" }, "GET /v1/kv/k HTTP/1.1", "If-None-Match: \"3\"" },
    };

    for (size_t i = 0; i < N_OF(commands); i++) {
        fake_server_answer_text(bed.server, i < 6 ? DONE : "200 OK", SEQ, "");
        bed_run_with_input("", 0, commands[i].words);
        bed_check_result(0, "", "");
        bed_check_request_line(i, commands[i].line);
        bed_check_field(i, commands[i].field);
    }
}
END_TEST

START_TEST(incr_prints_the_new_number)
{
    static const struct {
        const char *by, *line, *number;
    } sums[] = {
        { NULL, "POST /v1/kv/n?op=incr&by=1 HTTP/1.1", "1" },
        { "5", "POST /v1/kv/n?op=incr&by=5 HTTP/1.1", "-7" },
        { "-9223372036854775808", "POST /v1/kv/n?op=incr&by=-9223372036854775808 HTTP/1.1", "9223372036854775807" },
        { "007", "POST /v1/kv/n?op=incr&by=7 HTTP/1.1", "0" },
    };
    static const char *const wrong[] = { "", "x", "1.5", "+1", " 1", "1 ", "0x10", "-", "--1", "9223372036854775808" };
    char expected[64];

    for (size_t i = 0; i < N_OF(sums); i++) {
        fake_server_answer_text(bed.server, "200 OK", SEQ "Content-Type: text/plain\r\n", sums[i].number);
        RUN("incr", "n", sums[i].by);
        (void)snprintf(expected, sizeof expected, "%s\n", sums[i].number);
        bed_check_result(0, expected, "");
        bed_check_request_line(i, sums[i].line);
    }
    for (size_t i = 0; i < N_OF(wrong); i++) {
        RUN("incr", "--", "n", wrong[i]);
        ck_assert_msg(bed.result.code == 2, "%s: exit code %d", wrong[i], bed.result.code);
        ck_assert_ptr_nonnull(strstr(bed.result.err, "is no number to add; right is a whole one of 64 bits"));
    }
    ck_assert_uint_eq(fake_server_n_requests(bed.server), N_OF(sums));
    fake_server_answer_text(bed.server, "200 OK", SEQ "ETag: \"7\"\r\n", "42");
    RUN("incr", "--json", "n");
    bed_check_result(0, "{\"key\":\"n\",\"seq\":7,\"etag\":\"\\\"7\\\"\",\"value\":42}\n", "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "many");
    RUN("incr", "n");
    bed_check_result(4, "", "rackkv: the server's answer is no number; the write may have happened\n");
    fake_server_answer_text(bed.server, "409 Conflict", PROBLEM, "{\"code\":\"no-number\"}");
    RUN("incr", "n");
    bed_check_result(1, "", "rackkv: the server answered 409 no-number\n");
}
END_TEST

START_TEST(a_range_is_that_part_and_nothing_else)
{
    static const char *const ranges[][2] = { { "0-99", "Range: bytes=0-99" },
                                             { "100-", "Range: bytes=100-" },
                                             { "-50", "Range: bytes=-50" } };
    static const char *const wrong[] = { "", "-", "5", "a-b", "1-2,4-5", "bytes=0-1", "0 - 1", "--1" };
    char option[32];

    for (size_t i = 0; i < N_OF(ranges); i++) {
        fake_server_answer_text(bed.server, "206 Partial Content", SEQ "Content-Range: bytes 0-3/9\r\n", "part");
        RUN("get", "--range", ranges[i][0], "k");
        bed_check_result(0, "part", "");
        bed_check_field(i, ranges[i][1]);
    }
    for (size_t i = 0; i < N_OF(wrong); i++) {
        (void)snprintf(option, sizeof option, "--range=%s", wrong[i]);
        RUN("get", option, "k");
        ck_assert_msg(bed.result.code == 2, "%s: exit code %d", wrong[i], bed.result.code);
        ck_assert_ptr_nonnull(strstr(bed.result.err, "right is FIRST-LAST in bytes from 0, as 0-99"));
    }
    ck_assert_uint_eq(fake_server_n_requests(bed.server), N_OF(ranges));
    fake_server_answer_text(bed.server, "200 OK", SEQ, "the whole value");
    RUN("get", "--range", "0-3", "k"); /* who does not know ranges is not believed */
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_str_eq(bed.result.out, "");
    ck_assert_ptr_nonnull(strstr(bed.result.err, "sent the whole value, not the range that was asked for"));
    fake_server_answer_text(bed.server, "416 Range Not Satisfiable", PROBLEM, "{\"code\":\"range\"}");
    RUN("get", "--range", "99-", "k");
    bed_check_result(1, "", "rackkv: the server answered 416 range\n");
    RUN("get", "-i", "--range", "0-1", "k");
    ck_assert_int_eq(bed.result.code, 2);
}
END_TEST

START_TEST(a_condition_that_does_not_hold_is_exit_code_5)
{
    fake_server_answer_text(bed.server, "412 Precondition Failed", PROBLEM SEQ "ETag: \"9\"\r\n",
                            "{\"code\":\"condition-failed\",\"detail\":\"it is another one\"}");
    RUN("put", "--if-match", "7", "k", "v");
    bed_check_result(
        5, "", "rackkv: the server answered 412 condition-failed: it is another one; the current ETag is \"9\"\n");
    fake_server_answer_text(bed.server, "412 Precondition Failed", PROBLEM SEQ, "{\"code\":\"x\"}");
    RUN("put", "--if-match", "7", "k", "v");
    bed_check_result(5, "", "rackkv: the server answered 412 x; there is no such key now\n");
    fake_server_answer_text(bed.server, "412 Precondition Failed", PROBLEM SEQ "ETag: \"9\"\r\n", "{\"code\":\"x\"}");
    RUN("delete", "--json", "--if-match", "7", "k");
    bed_check_result(5,
                     "{\"error\":\"condition_failed\",\"detail\":\"the server answered 412 x; the current ETag is "
                     "\\\"9\\\"\",\"etag\":\"\\\"9\\\"\"}\n",
                     "");
    fake_server_answer(bed.server, "HTTP/1.1 304 Not Modified\r\n" SEQ "ETag: \"7\"\r\n\r\n", 56);
    RUN("get", "--if-none-match", "7", "k");
    bed_check_result(5, "", "rackkv: not modified: the current ETag is \"7\"\n");
}
END_TEST

START_TEST(what_may_have_happened_is_said)
{
    static const char unknown[] = PROBLEM "RackKV-Outcome: unknown\r\n", none[] = PROBLEM "RackKV-Outcome: none\r\n";

    fake_server_answer_text(bed.server, "503 Service Unavailable", unknown, "{\"code\":\"late\"}");
    RUN("incr", "k");
    bed_check_result(1, "", "rackkv: the server answered 503 late; the write may have happened\n");
    fake_server_answer_text(bed.server, "503 Service Unavailable", none, "{\"code\":\"late\"}");
    RUN("append", "k", "v");
    bed_check_result(1, "", "rackkv: the server answered 503 late\n");
    fake_server_answer_text(bed.server, "503 Service Unavailable", unknown, "{\"code\":\"late\"}");
    RUN("get", "k");
    bed_check_result(1, "", "rackkv: the server answered 503 late\n");
    fake_server_answer(bed.server, "", 0);
    RUN("touch", "k");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "the write may have happened"));
}
END_TEST

START_TEST(the_head_in_place_of_the_value)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n" SEQ "RackKV-Meta-Who: a\xff\r\nContent-Length: 9\r\n\r\n";

    fake_server_answer(bed.server, head, sizeof head - 1);
    RUN("get", "-i", "k");
    bed_check_result(0, "RackKV-Seq: 7\nRackKV-Meta-Who: a\xff\nContent-Length: 9\n", "");
    bed_check_request_line(0, "HEAD /v1/kv/k HTTP/1.1");
    fake_server_answer(bed.server, head, sizeof head - 1);
    RUN("get", "--head", "--json", "k");
    bed_check_result(0,
                     "{\"key\":\"k\",\"seq\":7,\"head\":{\"RackKV-Seq\":\"7\",\"RackKV-Meta-Who64\":\"Yf8=\","
                     "\"Content-Length\":\"9\"}}\n",
                     "");
    fake_server_answer_text(bed.server, "201 Created", SEQ "ETag: \"7\"\r\n", "");
    RUN("put", "-i", "k", "v");
    bed_check_result(0, "RackKV-Seq: 7\nETag: \"7\"\nContent-Length: 0\n", "");
    fake_server_answer_text(bed.server, "404 Not Found", SEQ PROBLEM, "");
    RUN("get", "-i", "k");
    bed_check_result(1, "", "rackkv: not found\n");
}
END_TEST

START_TEST(the_answers_in_json)
{
    fake_server_answer_text(bed.server, "201 Created", SEQ, "");
    RUN("append", "--json", "k", "v");
    bed_check_result(0, "{\"key\":\"k\",\"seq\":7,\"created\":true}\n", "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "");
    RUN("append", "--json", "k", "v");
    bed_check_result(0, "{\"key\":\"k\",\"seq\":7,\"created\":false}\n", "");
    fake_server_answer_text(bed.server, DONE, SEQ, "");
    RUN("touch", "--json", "k");
    bed_check_result(0, "{\"key\":\"k\",\"seq\":7,\"touched\":true}\n", "");
    fake_server_answer_text(bed.server, "404 Not Found", SEQ, "");
    RUN("touch", "--json", "k");
    bed_check_result(1, "{\"key\":\"k\",\"seq\":7,\"touched\":false}\n", "");
    fake_server_answer_text(bed.server, "404 Not Found", SEQ, "");
    RUN("touch", "k");
    bed_check_result(1, "", "rackkv: not found\n");
}
END_TEST

/* What is wrong with an option is said before anything is sent. */
START_TEST(wrong_options_are_refused)
{
    static const struct {
        const char *words[7];
        const char *error;
    } wrong[] = {
        { { "put", "--ttl", "", "k", "v" }, "--ttl: '' is not one; right is seconds as 60" },
        { { "put", "--ttl", "5 s", "k", "v" }, "right is seconds as 60, or a number with a unit as 500ms" },
        { { "put", "--ttl", "ms", "k", "v" }, "right is seconds as 60" },
        { { "put", "--meta", "owner", "k", "v" }, "--meta: 'owner' is not one; right is NAME=VALUE" },
        { { "put", "--meta", "=v", "k", "v" }, "--meta: '' is no name of a field" },
        { { "put", "--meta", "a b=v", "k", "v" }, "--meta: 'a b' is no name of a field" },
        { { "put", "--meta", "a=b\nX: y", "k", "v" }, "--meta: the value has a byte that a header cannot carry" },
        { { "put", "--type", "a\r\nX: y", "k", "v" }, "--type: the value has a byte that a header cannot carry" },
        { { "put", "--type", "", "k", "v" }, "right is a media type as text/plain" },
        { { "put", "--if-match", "", "k", "v" }, "right is an ETag as \"12\" or 12" },
        { { "put", "--durability", "sync", "k", "v" }, "--durability: 'sync' is not one; right is written or synced" },
        { { "put", "--ttl", "1", "--ttl", "2", "k", "v" }, "--ttl is given twice" },
        { { "get", "--range", "5-4", "k" }, "--range: '5-4' is not one; right is FIRST-LAST" },
        { { "get", "--range", "10-09", "k" }, "--range: '10-09' is not one" },
        { { "get", "--range", "0-1,3-4", "k" }, "--range: '0-1,3-4' is not one" },
        { { "get", "--ttl", "1", "k" }, "rackkv get [OPTIONS] KEY" },
        { { "exists", "-i", "k" }, "rackkv exists [OPTIONS] KEY" },
        { { "--ttl", "1", "put", "k", "v" }, "unrecognized option" },
    };

    for (size_t i = 0; i < N_OF(wrong); i++) {
        bed_run_with_input("", 0, wrong[i].words);
        ck_assert_msg(bed.result.code == 2, "%zu: exit code %d", i, bed.result.code);
        ck_assert_msg(strstr(bed.result.err, wrong[i].error) != NULL, "%zu: %s", i, bed.result.err);
        ck_assert_uint_eq(bed.result.out_size, 0);
    }
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv_options");
    TCase *tcase = tcase_create("rackkv_options");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, options_become_fields);
    tcase_add_test(tcase, each_command_sends_its_request);
    tcase_add_test(tcase, incr_prints_the_new_number);
    tcase_add_test(tcase, a_range_is_that_part_and_nothing_else);
    tcase_add_test(tcase, a_condition_that_does_not_hold_is_exit_code_5);
    tcase_add_test(tcase, what_may_have_happened_is_said);
    tcase_add_test(tcase, the_head_in_place_of_the_value);
    tcase_add_test(tcase, the_answers_in_json);
    tcase_add_test(tcase, wrong_options_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
