/* Keys and values of every kind go through as they are: by length and in chunks, whole and in pieces. */
#include "http_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *put_request(const char *path, const void *value, size_t len, bool chunked, size_t *len_out)
{
    size_t room = len + 256 + strlen(path);
    char *text = malloc(room);
    size_t at;

    if (chunked && len > 0)
        at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", path, len);
    else if (chunked)
        at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", path);
    else
        at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", path, len);
    if (len > 0)
        memcpy(text + at, value, len);
    at += len;
    if (chunked)
        at += (size_t)sprintf(text + at, "%s0\r\n\r\n", len > 0 ? "\r\n" : "");
    *len_out = at;
    return text;
}

static int put_value(const char *path, const void *value, size_t len, bool chunked)
{
    struct raw_client own;
    struct raw_answer answer;
    size_t request_len;
    char *request = put_request(path, value, len, chunked, &request_len);
    int status;

    raw_client_open(&own, bed.server.port);
    (void)raw_client_send(&own, request, request_len); /* a refusal may come before all is taken */
    ck_assert(raw_client_receive(&own, false, &answer));
    status = answer.status;
    if (status == 413)
        ck_assert_msg(strstr(answer.body, "\"limit\":2097152") != NULL, "%s", answer.body);
    raw_answer_fini(&answer);
    raw_client_close(&own);
    free(request);
    return status;
}

static void get_value(const char *path, const void *value, size_t len)
{
    struct raw_answer answer;
    char text[200];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
    answer = bed_ask(text, 200);
    ck_assert_uint_eq(answer.body_len, len);
    ck_assert(memcmp(answer.body, value, len) == 0);
    raw_answer_fini(&answer);
    snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\n" HOST "\r\n", path);
    answer = bed_ask(text, 200);
    snprintf(text, sizeof text, "Content-Length: %zu", len);
    ck_assert(raw_answer_has(&answer, text));
    raw_answer_fini(&answer);
}

static unsigned char *pattern(size_t len)
{
    unsigned char *bytes = malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    return bytes;
}

START_TEST(values_of_every_interesting_size)
{
    const size_t max = fake_settings().max_value_bytes;
    const size_t sizes[] = { 0, 1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 1 << 20, max - 1, max };
    unsigned char *bytes = pattern(max + 1);

    bed_start();
    for (int delayed = 0; delayed < 2; delayed++) {
        bed.server.control->delay_pieces = delayed;
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            int status = put_value("/v1/kv/length", bytes, sizes[i], false);

            ck_assert_int_eq(status, i == 0 && !delayed ? 201 : 204);
            get_value("/v1/kv/length", bytes, sizes[i]);
            ck_assert_int_eq(put_value("/v1/kv/chunks", bytes, sizes[i], true), i == 0 && !delayed ? 201 : 204);
            get_value("/v1/kv/chunks", bytes, sizes[i]);
        }
    }
    bed.server.control->n_puts = 0;
    ck_assert_int_eq(put_value("/v1/kv/over", bytes, max + 1, false), 413);
    ck_assert_int_eq(put_value("/v1/kv/over", bytes, max + 1, true), 413);
    ck_assert_uint_eq(bed.server.control->n_puts, 0);
    free(bytes);
    bed_stop();
}
END_TEST

START_TEST(keys_of_every_byte)
{
    unsigned char key[256];
    char path[32 + 3 * 256] = "/v1/kv/";
    char *at = path + strlen(path);

    bed_start();
    for (unsigned byte = 0; byte < 256; byte++) {
        char one[64], value[8];

        snprintf(value, sizeof value, "%u", byte);
        snprintf(one, sizeof one, "/v1/kv/%%%02x", byte);
        ck_assert_int_eq(put_value(one, value, strlen(value), false), 201);
        key[byte] = (unsigned char)byte;
        at += sprintf(at, "%%%02X", byte);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char one[64], value[8];

        snprintf(value, sizeof value, "%u", byte);
        snprintf(one, sizeof one, "/v1/kv/%%%02X", byte);
        get_value(one, value, strlen(value));
    }
    ck_assert_int_eq(put_value(path, key, sizeof key, false), 201);
    bed_expect("GET /v1/kv/. HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
    bed_expect("GET /v1/kv/.. HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    bed_expect("GET /v1/kv/../../livez HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1257");
    bed_expect("GET /v1/kv//livez HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1257");
    bed_stop();
}
END_TEST

START_TEST(keys_at_their_limit)
{
    char text[20000];
    struct raw_answer answer;

    bed_start();
    snprintf(text, sizeof text, "GET /v1/kv/%04096d HTTP/1.1\r\n" HOST "\r\n", 0);
    bed_expect_code(text, 404, "not-found");
    snprintf(text, sizeof text, "GET /v1/kv/%04097d HTTP/1.1\r\n" HOST "\r\n", 0);
    answer = bed_ask(text, 414);
    ck_assert_msg(strstr(answer.body, "\"code\":\"key-too-long\"") != NULL, "%s", answer.body);
    ck_assert_msg(strstr(answer.body, "\"limit\":4096") != NULL, "%s", answer.body);
    raw_answer_fini(&answer);
    bed_expect_code("GET /v1/kv/ HTTP/1.1\r\n" HOST "\r\n", 400, "empty-key");
    bed_expect_code("PUT /v1/kv?key= HTTP/1.1\r\n" HOST "\r\n", 400, "empty-key");
    bed_expect_code("DELETE /v1/kv HTTP/1.1\r\n" HOST "\r\n", 400, "missing-key");
    bed_stop();
}
END_TEST

START_TEST(damage_in_a_large_value)
{
    unsigned char *bytes = pattern(300000);
    struct raw_answer answer;

    bed_start();
    ck_assert_int_eq(put_value("/v1/kv/a", bytes, 300000, false), 201);
    for (int delayed = 0; delayed < 2; delayed++) {
        bed.server.control->delay_pieces = delayed;
        bed.server.control->piece_error = RK_ERR_CORRUPT;
        bed.server.control->piece_error_at = 0;
        bed_expect_code(GET_A, 500, "damaged-value"); /* the head was not sent: the connection lives on */
        bed.server.control->piece_error_at = 131072;
        ck_assert(raw_client_send_text(&bed.client, GET_A));
        ck_assert(!raw_client_receive(&bed.client, false, &answer)); /* cut before the promised length */
        ck_assert_uint_le(bed.client.len, 131072);
        raw_client_close(&bed.client);
        raw_client_open(&bed.client, bed.server.port);
        bed.server.control->piece_error = RK_OK;
        get_value("/v1/kv/a", bytes, 300000);
    }
    free(bytes);
    bed_stop();
}
END_TEST

START_TEST(a_client_that_leaves_in_the_middle_of_a_value)
{
    unsigned char *bytes = pattern(2 << 20);

    bed_start();
    ck_assert_int_eq(put_value("/v1/kv/a", bytes, 2 << 20, false), 201);
    for (int delayed = 0; delayed < 2; delayed++) {
        bed.server.control->delay_pieces = delayed;
        for (int i = 0; i < 5; i++) {
            struct raw_client other;

            raw_client_open(&other, bed.server.port);
            ck_assert(raw_client_send_text(&other, GET_A));
            fake_wait_for(&bed.server.control->n_sources, (uint64_t)(delayed * 5 + i + 1));
            raw_client_close(&other);
        }
    }
    fake_wait_for(&bed.server.control->n_released, 10);
    free(bytes);
    bed_stop();
}
END_TEST

/* Not the end of anything: a head with one in it is not read on. */
START_TEST(a_nul_byte_in_a_head_is_refused)
{
    static const char *const heads[] = {
        "PUT /v1/kv/a# HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
        "PUT /v1/kv/a HTTP/1.1\r\n" HOST "RackKV-Meta-A: 1#2\r\nContent-Length: 1\r\n\r\nx",
        "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Type: a/b#\r\nContent-Length: 1\r\n\r\nx",
        "PUT /v1/kv/a HTTP/1.1\r\n" HOST "RackKV-Meta-A#: 1\r\nContent-Length: 1\r\n\r\nx",
        "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1#\r\n\r\nx",
    };

    bed_start();
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct raw_client own;
        struct raw_answer answer;
        char *text = strdup(heads[i]);

        *strchr(text, '#') = '\0';
        raw_client_open(&own, bed.server.port);
        ck_assert(raw_client_send(&own, text, strlen(heads[i])));
        ck_assert(raw_client_receive(&own, false, &answer));
        ck_assert_msg(answer.status == 400, "%s: %d", heads[i], answer.status);
        raw_answer_fini(&answer);
        raw_client_close(&own);
        free(text);
    }
    ck_assert_uint_eq(bed.server.control->n_puts, 0);
    bed_stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_bytes");
    TCase *tcase = tcase_create("bytes");

    tcase_add_test(tcase, values_of_every_interesting_size);
    tcase_add_test(tcase, keys_of_every_byte);
    tcase_add_test(tcase, keys_at_their_limit);
    tcase_add_test(tcase, damage_in_a_large_value);
    tcase_add_test(tcase, a_nul_byte_in_a_head_is_refused);
    tcase_add_test(tcase, a_client_that_leaves_in_the_middle_of_a_value);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return suite;
}
