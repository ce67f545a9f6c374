/* HTTP itself: pipelines, versions, expectations, the end of connections. */
#include "http_bed.h"
#include "test_main.h"

#include <stdio.h>

START_TEST(a_pipeline_stays_in_step)
{
    static char text[100 * 200];
    char *at = text;

    bed_start();
    bed.server.control->delay_gets = true;
    for (int i = 0; i < 100; i++) {
        if (i % 3 == 0)
            at += sprintf(at, "PUT /v1/kv/%d HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n%04d", i, i);
        else if (i % 3 == 1)
            at += sprintf(at, "GET /v1/kv/%d HTTP/1.1\r\n" HOST "\r\n", i - 1);
        else
            at += sprintf(at, "HEAD /v1/kv/%d HTTP/1.1\r\n" HOST "\r\n", i - 2);
    }
    ck_assert(raw_client_send_text(&bed.client, text));
    for (int i = 0; i < 100; i++) {
        struct raw_answer answer;
        char value[8];

        snprintf(value, sizeof value, "%04d", i - 1);
        ck_assert(raw_client_receive(&bed.client, i % 3 == 2, &answer));
        ck_assert_int_eq(answer.status, i % 3 == 0 ? 201 : 200);
        if (i % 3 == 1)
            ck_assert_str_eq(answer.body, value);
        raw_answer_fini(&answer);
    }
    bed_expect_body("GET /livez HTTP/1.1\r\n" HOST "\r\n", "alive\n");
    bed_stop();
}
END_TEST

START_TEST(http_1_0)
{
    bed_start();
    bed_expect("PUT /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 201,
               "Connection: keep-alive");
    bed_expect("GET /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "Content-Length: 1");
    bed_expect("DELETE /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 204, "Connection: keep-alive");
    bed_expect("GET /v1/kv/a HTTP/1.0\r\n\r\n", 404, "Connection: close");
    ck_assert_uint_eq(raw_client_receive_end(&bed.client), 0);
    bed_stop();
}
END_TEST

START_TEST(connection_close_is_honoured)
{
    bed_start();
    bed_expect("GET /livez HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200, "Connection: close");
    ck_assert_uint_eq(raw_client_receive_end(&bed.client), 0);
    bed_stop();
}
END_TEST

START_TEST(chunks_are_the_last_of_a_connection)
{
    bed_start();
    bed_expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
               "PUT /v1/kv/behind HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\ny",
               201, "Connection: close");
    ck_assert_uint_eq(raw_client_receive_end(&bed.client), 0);
    ck_assert_uint_eq(bed.server.control->n_puts, 1);
    bed_stop();
}
END_TEST

/* What libh2o is told of the end of the connection takes the place of a field. */
START_TEST(chunks_leave_room_for_one_field_less)
{
    static char text[8192];

    for (int n = 98; n <= 100; n++) {
        char *at = text + sprintf(text, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n");

        for (int i = 2; i < n; i++)
            at += sprintf(at, "X-%d: x\r\n", i);
        sprintf(at, "\r\n1\r\nx\r\n0\r\n\r\n");
        bed_start();
        if (n < 100)
            bed_expect(text, 201, "Connection: close");
        else
            bed_expect_code(text, 431, "too-many-fields");
        bed_stop();
    }
}
END_TEST

START_TEST(expectations)
{
    bed_start();
    bed_expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", 100, NULL);
    bed_expect("x", 201, NULL);
    bed_expect_code("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413,
                    "value-too-large");
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    bed_expect_code("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Expect: a-pony\r\nContent-Length: 1\r\n\r\n", 417,
                    "expectation-failed");
    ck_assert_uint_eq(bed.server.control->n_puts, 1);
    bed_stop();
}
END_TEST

START_TEST(the_server_as_a_whole)
{
    bed_start();
    bed_expect("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS");
    bed_expect("OPTIONS http://h HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS");
    bed_expect("OPTIONS /readyz HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: GET, HEAD, OPTIONS");
    bed_expect("OPTIONS /get HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: GET, HEAD, PUT, POST, OPTIONS");
    bed_expect("HEAD /livez HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 6");
    bed_expect("HEAD /put?key=a&val=b HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 2");
    bed_expect("HEAD /get?key=a HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 1");
    bed_stop();
}
END_TEST

START_TEST(http_2_is_not_spoken)
{
    struct raw_answer answer;

    bed_start();
    ck_assert(raw_client_send_text(&bed.client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    ck_assert(raw_client_receive(&bed.client, false, &answer));
    ck_assert_int_eq(answer.status, 400);
    raw_answer_fini(&answer);
    ck_assert_uint_eq(raw_client_receive_end(&bed.client), 0);
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    bed_expect("GET /livez HTTP/1.1\r\n" HOST
               "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n",
               200, NULL);
    bed_stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_protocol");
    TCase *tcase = tcase_create("protocol");

    tcase_add_test(tcase, a_pipeline_stays_in_step);
    tcase_add_test(tcase, http_1_0);
    tcase_add_test(tcase, connection_close_is_honoured);
    tcase_add_test(tcase, chunks_are_the_last_of_a_connection);
    tcase_add_test(tcase, chunks_leave_room_for_one_field_less);
    tcase_add_test(tcase, expectations);
    tcase_add_test(tcase, the_server_as_a_whole);
    tcase_add_test(tcase, http_2_is_not_spoken);
    suite_add_tcase(suite, tcase);
    return suite;
}
