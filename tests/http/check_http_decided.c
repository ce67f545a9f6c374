/* What the store decides of a request, when, and what is said of it. */
#include "http_rows.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLY "Sun, 22 Nov 2026 20:04:02 GMT"
#define A     "/v1/kv/a"

/* ---- what the store decides, and when ---- */

START_TEST(the_last_decision_counts)
{
    bed_start();
    check_row(&(struct row){ "PUT " A, "", "7", 201, NULL, "" });
    bed.server.control->decide_twice = true;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 200, NULL, "8" });
    check_row(&(struct row){ "POST " A "?op=append", "", "9", 200, NULL, "" });
    check_row(&(struct row){ "PUT " A, "If-Match: \"1003\"\n", "x", 204, "ETag: \"1004\"", "" });
    check_row(&(struct row){ "PUT " A, "If-None-Match: *\n", "y", 412, "ETag: \"1004\"", "condition-failed" });
    check_row(&(struct row){ "GET " A, "", NULL, 200, NULL, "x" });
    bed_stop();
}
END_TEST

/* An increment that has no record of its own has no tag. With a condition there is nothing to fold upon. */
START_TEST(folded_increments_have_no_tag)
{
    bed_start();
    check_row(&(struct row){ "PUT " A, "", "7", 201, NULL, "" });
    bed.server.control->fold = true;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 200, "!ETag\nRackKV-Seq: 1002", "8" });
    ck_assert(bed.server.control->last_folds);
    bed.server.control->fold = false;
    check_row(&(struct row){ "POST " A "?op=incr", "If-Match: \"1002\"\n", "", 200, "ETag: \"1003\"", "9" });
    ck_assert(!bed.server.control->last_folds);
    check_row(&(struct row){ "POST " A "?op=append", "", "x", 200, NULL, "" });
    ck_assert(!bed.server.control->last_folds);
    bed_stop();
}
END_TEST

struct failure_row {
    int err;
    bool none;
    int status;
    const char *outcome;
    const char *code;
};

START_TEST(updates_that_fail_say_what_happened)
{
    static const struct failure_row rows[] = {
        { RK_ERR_NO_SPACE, false, 507, "RackKV-Outcome: none", "no-space" },
        { RK_ERR_FULL, true, 507, "RackKV-Outcome: none", "keydir-full" },
        { RK_ERR_READ_ONLY, true, 503, "RackKV-Outcome: none", "read-only" },
        { RK_ERR_READ_ONLY, false, 503, "RackKV-Outcome: unknown", "read-only" },
        { RK_ERR_AGAIN, true, 503, "RackKV-Outcome: none", "busy" },
        { RK_ERR_TIMEOUT, false, 503, "RackKV-Outcome: unknown", "timeout" },
        { RK_ERR_IO, false, 503, "RackKV-Outcome: unknown", "write-error" },
        { RK_ERR_TOO_LARGE, true, 413, "!RackKV-Outcome", "\"limit\":2097152" },
        { RK_ERR_CORRUPT, true, 500, "RackKV-Outcome: none", "damaged-value" },
        { RK_ERR_NOT_FOUND, true, 404, "RackKV-Seq: 0", "not-found" },
    };

    bed_start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bed.server.control->write_error = rows[i].err;
        bed.server.control->write_none = rows[i].none;
        check_row(&(struct row){ "POST " A "?op=incr", "", "", rows[i].status, rows[i].outcome, rows[i].code });
    }
    bed.server.control->write_error = RK_OK;
    bed.server.control->submit_error = RK_ERR_BUSY;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 503, "RackKV-Outcome: none\nRetry-After: 1", "not-ready" });
    ck_assert_uint_eq(bed.server.control->n_updates, sizeof rows / sizeof rows[0] + 1);
    bed_stop();
}
END_TEST

START_TEST(an_update_that_is_late_may_have_happened)
{
    struct rk_http_settings settings = fake_settings();

    settings.request_timeout_ms = 100;
    bed_start_with(&settings);
    bed.server.control->hold = true;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 503, "RackKV-Outcome: unknown", "timeout" });
    ck_assert_uint_eq(bed.server.control->n_cancelled, 1);
    bed_stop();
}
END_TEST

/* ---- before the body ---- */

/* The answer to a head alone. */
static void check_waiting(const char *first, const char *fields, int status, const char *has, const char *code)
{
    struct row row = { first, fields, NULL, status, has, code };
    struct raw_answer answer;
    char text[400];

    snprintf(text, sizeof text, "%s HTTP/1.1\r\n" HOST "%s%sExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", first,
             fields, *fields != '\0' ? "\r\n" : "");
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    ck_assert(raw_client_send_text(&bed.client, text));
    ck_assert(raw_client_receive(&bed.client, false, &answer));
    ck_assert_msg(answer.status == status, "%s-> %s%s", text, answer.head, answer.body);
    row.fields = "";
    check_row_headers(&row, &answer);
    ck_assert_msg(code == NULL || strstr(answer.body, code) != NULL, "%s-> %s", text, answer.body);
    if (status >= 400)
        ck_assert(raw_answer_has(&answer, "Connection: close"));
    raw_answer_fini(&answer);
}

START_TEST(what_is_decided_before_the_body)
{
    bed_start();
    check_waiting("PUT " A, "If-Match: \"1\"", 412, "RackKV-Seq: 1000\n!ETag", "condition-failed");
    check_row(&(struct row){ "PUT " A, "", "v", 201, NULL, "" });
    check_waiting("PUT " A, "", 100, NULL, NULL);
    check_waiting("PUT " A, "If-None-Match: *", 412, "RackKV-Seq: 1001\nETag: \"1001\"", "condition-failed");
    check_waiting("PUT /v1/kv?key=%61", "If-None-Match: *", 412, "ETag: \"1001\"", "condition-failed");
    check_waiting("PUT " A, "If-Match: \"1001\"", 100, NULL, NULL);
    check_waiting("DELETE " A "b", "If-Match: *", 404, "RackKV-Seq: 1001\n!ETag", "not-found");
    check_waiting("PUT " A, "If-Match: junk", 400, NULL, "bad-condition");
    check_waiting("PUT " A, "RackKV-TTL: 0", 400, NULL, "bad-ttl");
    check_waiting("POST " A "?op=append", "If-None-Match: *", 412, "ETag: \"1001\"", "condition-failed");
    check_waiting("GET " A, "If-Match: \"1\"", 100, NULL, NULL); /* no write: nothing is known before it is whole */
    bed.server.control->delay_gets = true; /* the disk has to be asked: the condition is decided later */
    check_waiting("PUT " A, "If-None-Match: *", 100, NULL, NULL);
    bed.server.control->delay_gets = false;
    bed.server.control->get_error = RK_ERR_CORRUPT;
    check_waiting("PUT " A, "If-None-Match: *", 100, NULL, NULL);
    bed.server.control->get_error = RK_OK;
    bed.server.control->refuses = RK_ERR_NO_SPACE;
    check_waiting("PUT " A, "", 507, NULL, "no-space");
    check_waiting("DELETE " A, "", 100, NULL, NULL);
    check_waiting("GET /put?key=a&val=b", "", 507, NULL, "no-space");
    bed.server.control->refuses = RK_ERR_READ_ONLY;
    check_waiting("DELETE " A, "", 503, "RackKV-Outcome: none\nRetry-After: 1", "read-only");
    ck_assert_uint_eq(bed.server.control->n_updates, 0);
    bed_stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_decided");
    TCase *tcase = tcase_create("one key");

    tcase_add_test(tcase, the_last_decision_counts);
    tcase_add_test(tcase, folded_increments_have_no_tag);
    tcase_add_test(tcase, updates_that_fail_say_what_happened);
    tcase_add_test(tcase, an_update_that_is_late_may_have_happened);
    tcase_add_test(tcase, what_is_decided_before_the_body);
    suite_add_tcase(suite, tcase);
    return suite;
}
