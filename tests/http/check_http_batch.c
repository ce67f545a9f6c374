/* Batches over a store in memory: each row is the body of one, and the lines that it is answered with. The first write
 * has the sequence 1001. */
#include "fake_backend.h"
#include "http_bed.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN "{\"op\":"

struct row {
    const char *body;
    int status;
    const char *lines; /* parts of the lines of the answer, with "\n" behind each; "": an empty answer */
};

static char *ask(const char *body, size_t len, int status)
{
    struct raw_answer answer;
    char *text = malloc(len + 256);
    char *own;
    int head = sprintf(text, "POST /v1/batch HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", len);

    memcpy(text + head, body, len);
    text[(size_t)head + len] = '\0';
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    ck_assert(raw_client_send_text(&bed.client, text));
    ck_assert(raw_client_receive(&bed.client, false, &answer));
    ck_assert_msg(answer.status == status, "%.300s-> %s%s", body, answer.head, answer.body);
    if (status == 200)
        ck_assert(raw_answer_has(&answer, "Content-Type: application/x-ndjson"));
    own = strdup(answer.body);
    raw_answer_fini(&answer);
    free(text);
    return own;
}

static void check_row(const struct row *row)
{
    char *body = ask(row->body, strlen(row->body), row->status), *rest = body;
    char *lines = strdup(row->lines), *rest_of_lines = lines, *part;

    while ((part = strsep(&rest_of_lines, "\n")) != NULL && *part != '\0') {
        char *line = strsep(&rest, "\n");

        ck_assert_msg(line != NULL && strstr(line, part) != NULL, "%s-> %s\nwithout %s", row->body, line, part);
    }
    ck_assert_msg(rest == NULL || *rest == '\0', "%s-> %s", row->body, rest);
    free(lines);
    free(body);
}

static void check_rows(const struct row *rows, size_t n_rows)
{
    bed_start();
    for (size_t i = 0; i < n_rows; i++)
        check_row(&rows[i]);
    bed_stop();
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

START_TEST(lines_are_answered_in_their_order)
{
    static const struct row rows[] = {
        { "", 200, "" },
        { OPEN "\"get\",\"key\":\"a\"}", 200, "\"status\":404\n" },
        { OPEN "\"put\",\"key\":\"a\",\"value\":\"x\",\"content_type\":\"text/plain\"}\n" OPEN
               "\"get\",\"key\":\"a\"}\n" OPEN "\"put\",\"key\":\"a\",\"value\":\"y\"}\n" OPEN
               "\"get\",\"key\":\"a\"}\n" OPEN "\"delete\",\"key\":\"a\"}\n" OPEN "\"delete\",\"key\":\"a\"}\n",
          200,
          "{\"status\":201,\"seq\":1001,\"etag\":\"\\\"1001\\\"\"}\n"
          "{\"status\":200,\"seq\":1001,\"etag\":\"\\\"1001\\\"\",\"content_type\":\"text/plain\",\"value\":\"x\"}\n"
          "{\"status\":204,\"seq\":1002,\"etag\":\"\\\"1002\\\"\"}\n"
          "{\"status\":200,\"seq\":1002,\"etag\":\"\\\"1002\\\"\",\"value\":\"y\"}\n"
          "{\"status\":204,\"seq\":1003}\n"
          "\"code\":\"not-found\"\n" },
        { OPEN "\"incr\",\"key\":\"q\"}\n" OPEN "\"get\",\"key\":\"q\"}\n", 200, "\"status\":200\n\"value\":\"1\"}\n" },
        { OPEN "\"incr\",\"key\":\"n\"}\n" OPEN "\"incr\",\"key\":\"n\",\"by\":-5}\n" OPEN
               "\"put\",\"key\":\"s\",\"value\":\"\"}\n" OPEN "\"incr\",\"key\":\"s\"}\n",
          200, "\"status\":200\n\"value\":\"-4\"}\n\"status\":201\n\"code\":\"not-a-number\"\n" },
        { OPEN "\"put\",\"key64\":\"/w==\",\"value64\":\"AP8=\"}\n" OPEN "\"get\",\"key64\":\"/w==\"}\n" OPEN
               "\"put\",\"key\":\"\\u00e4\\ud83d\\ude00\",\"value\":\"\\\"\\\\\\n\"}\n" OPEN
               "\"get\",\"key64\":\"w6Twn5iA\"}\n",
          200, "\"status\":201\n\"value64\":\"AP8=\"}\n\"status\":201\n\"value\":\"\\\"\\\\\\u000a\"}\n" },
    };

    CHECK(rows);
}
END_TEST

START_TEST(conditions_are_decided_for_each_line)
{
    static const struct row rows[] = {
        { OPEN "\"put\",\"key\":\"a\",\"value\":\"x\",\"if_none_match\":\"*\"}\n" OPEN
               "\"put\",\"key\":\"a\",\"value\":\"y\",\"if_none_match\":\"*\"}\n" OPEN
               "\"put\",\"key\":\"a\",\"value\":\"z\",\"if_match\":\"\\\"1001\\\"\"}\n" OPEN
               "\"delete\",\"key\":\"a\",\"if_match\":\"\\\"1001\\\"\"}\n" OPEN
               "\"delete\",\"key\":\"b\",\"if_match\":\"*\"}\n" OPEN "\"incr\",\"key\":\"b\",\"if_match\":\"*\"}\n",
          200,
          "\"status\":201\n\"etag\":\"\\\"1001\\\"\"}\n{\"status\":204,\"seq\":1002\n\"status\":412\n\"status\":404\n"
          "\"code\":\"condition-failed\"\n" },
    };

    CHECK(rows);
}
END_TEST

#define GOOD OPEN "\"incr\",\"key\":\"good\"}\n"
#define BAD(text)                                               \
    {                                                           \
        text "\n" GOOD, 200, "\"status\":400\n\"status\":200\n" \
    }

START_TEST(a_malformed_line_is_told_so_and_the_others_go_on)
{
    static const struct row rows[] = {
        BAD(""),
        BAD("x"),
        BAD("[]"),
        BAD("{}"),
        BAD("{\"op\":\"get\"}"),
        BAD("{\"key\":\"a\"}"),
        BAD("{\"op\":\"get\",\"key\":\"\"}"),
        BAD("{\"op\":\"get\",\"key\":\"a\"} x"),
        BAD("{\"op\":\"get\",\"key\":\"a\",}"),
        BAD("{\"op\":\"get\",\"key\":\"a\""),
        BAD("{\"op\":\"get\",\"key\":\"a\",\"key\":\"a\"}"),
        BAD("{\"op\":\"get\",\"key\":\"a\",\"key64\":\"YQ==\"}"),
        BAD("{\"op\":\"get\",\"key64\":\"YQ\"}"),
        BAD("{\"op\":\"get\",\"key64\":\"YR==\"}"),
        BAD("{\"op\":\"get\",\"key64\":\"Y-==\"}"),
        BAD("{\"op\":\"get\",\"key\":7}"),
        BAD("{\"op\":\"get\",\"key\":null}"),
        BAD("{\"op\":\"get\",\"key\":\"a\",\"value\":\"x\"}"),
        BAD("{\"op\":\"get\",\"key\":\"a\",\"what\":\"x\"}"),
        BAD("{\"op\":\"touch\",\"key\":\"a\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"\xff\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"\\ud800\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"\\x\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\",\"ttl\":0}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\",\"ttl\":01}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\",\"ttl\":1.5}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\",\"if_match\":\"\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\",\"if_match\":\"x\"}"),
        BAD("{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\",\"content_type\":\"a\\nb\"}"),
        BAD("{\"op\":\"incr\",\"key\":\"a\",\"by\":1.0}"),
        { "{\"op\":\"get\",\"key\":\"a\"}\n", 200, "\"status\":404\n" }, /* none of them has written it */
        { " { \"op\" : \"put\" , \"key\" : \"a\" , \"value\" : \"x\" , \"ttl\" : \"10m\" } \r\n", 200,
          "\"status\":201\n" },
    };

    CHECK(rows);
}
END_TEST

START_TEST(a_batch_has_bounds)
{
    size_t n = 10001, line = strlen(GOOD);
    char *body = malloc(n * line + 1), *answer;

    bed_start();
    for (size_t i = 0; i < n; i++)
        memcpy(body + i * line, GOOD, line + 1);
    answer = ask(body, n * line, 413);
    ck_assert(strstr(answer, "\"limit\":10000") != NULL);
    free(answer);
    answer = ask(OPEN "\"get\",\"key\":\"good\"}", strlen(OPEN "\"get\",\"key\":\"good\"}"), 200);
    ck_assert(strstr(answer, "404") != NULL); /* nothing was done */
    free(answer);
    answer = ask(body, (n - 1) * line, 200);
    ck_assert(strstr(answer, "\"value\":\"10000\"}\n") != NULL);
    free(answer);
    bed_stop();
    free(body);
}
END_TEST

/* Values that come in pieces, one after the other from a disk; and together no more than limits.max_value. */
START_TEST(large_values_are_read_whole)
{
    const size_t size = 900000; /* of 2 MiB */
    char *body = malloc(size + 256), *answer, *value;
    size_t head = (size_t)sprintf(body, OPEN "\"put\",\"key\":\"l\",\"value\":\"");

    bed_start();
    bed.server.control->delay_pieces = true;
    bed.server.control->delay_gets = true;
    memset(body + head, 'v', size);
    strcpy(body + head + size, "\"}\n");
    answer = ask(body, strlen(body), 200);
    free(answer);
    strcpy(body, OPEN "\"get\",\"key\":\"l\"}\n" OPEN "\"get\",\"key\":\"l\"}\n" OPEN "\"get\",\"key\":\"l\"}\n");
    answer = ask(body, strlen(body), 200);
    value = strstr(answer, "\"value\":\"");
    ck_assert(value != NULL && strspn(value + 9, "v") == size);
    ck_assert(strstr(answer, "value-too-large") != NULL);
    free(answer);
    bed_stop();
    free(body);
}
END_TEST

START_TEST(failures_say_whether_it_happened)
{
    static const struct row full = { GOOD OPEN "\"put\",\"key\":\"a\",\"value\":\"\"}\n", 200,
                                     "\"status\":507\n\"outcome\":\"none\"\n" };
    static const struct row lost = { OPEN "\"put\",\"key\":\"a\",\"value\":\"\"}\n", 200, "\"outcome\":\"unknown\"\n" };
    static const struct row busy = { OPEN "\"put\",\"key\":\"a\",\"value\":\"\"}\n", 200, "\"outcome\":\"none\"\n" };

    bed_start();
    bed.server.control->write_error = RK_ERR_NO_SPACE;
    check_row(&full);
    bed.server.control->write_error = RK_ERR_IO;
    check_row(&lost);
    bed.server.control->write_error = RK_OK;
    bed.server.control->submit_error = RK_ERR_AGAIN;
    check_row(&busy);
    bed.server.control->submit_error = RK_OK;
    bed_stop();
}
END_TEST

/* What was begun may have happened, what waited for it has not. */
START_TEST(a_batch_that_is_late_says_which_lines_were_begun)
{
    static const struct row late = { OPEN "\"put\",\"key\":\"a\",\"value\":\"\"}\n" OPEN
                                          "\"delete\",\"key\":\"a\"}\n" OPEN "\"get\",\"key\":\"b\"}\n",
                                     200, "\"outcome\":\"unknown\"\n\"outcome\":\"none\"\n\"status\":404\n" };
    struct rk_http_settings settings = fake_settings();

    settings.request_timeout_ms = 300;
    bed_start_with(&settings);
    bed.server.control->hold = true;
    check_row(&late);
    ck_assert_int_eq(bed.server.control->n_cancelled, 1);
    bed_stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_batch");
    TCase *tcase = tcase_create("batch");

    tcase_add_test(tcase, lines_are_answered_in_their_order);
    tcase_add_test(tcase, conditions_are_decided_for_each_line);
    tcase_add_test(tcase, a_malformed_line_is_told_so_and_the_others_go_on);
    tcase_add_test(tcase, a_batch_has_bounds);
    tcase_add_test(tcase, large_values_are_read_whole);
    tcase_add_test(tcase, failures_say_whether_it_happened);
    tcase_add_test(tcase, a_batch_that_is_late_says_which_lines_were_begun);
    suite_add_tcase(suite, tcase);
    return suite;
}
