/* What the query of a listing says, and bytes as JSON: any bytes in. */
#include "http/http_json.h"
#include "http/http_list_ask.h"
#include "http/http_list_row.h"
#include "test_main.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define N_ROUNDS 20000

static size_t fill(uint8_t *bytes, size_t max)
{
    size_t len = (size_t)rand() % (max + 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(rand() % 3 == 0 ? rand() : 'a' + rand() % 3);
    return len;
}

static void escape(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out += sprintf(out, "%%%02x", bytes[i]);
    *out = '\0';
}

static enum rk_http_problem read_target(const char *text, char *room, struct rk_http_list_ask *ask)
{
    enum rk_http_parameter wrong;
    struct rk_http_target target;
    enum rk_http_problem problem = rk_http_target_parse(text, strlen(text), rk_http_routes, true, &target);

    *ask = (struct rk_http_list_ask){ .limit = 0 };
    return problem != RK_HTTP_NO_PROBLEM ? problem : rk_http_list_ask_read(&target, 60, room, ask, &wrong);
}

static void check_span(struct rk_list_span span, const uint8_t *bytes, size_t len)
{
    ck_assert_uint_eq(span.len, len);
    ck_assert(memcmp(span.at, bytes, len) == 0);
}

/* Cursors of any bytes come as they were, as text and as base64. */
START_TEST(cursors_of_any_bytes)
{
    uint8_t prefix[50], after[50];
    char text[800], escaped[2][151], room[800];
    struct rk_http_list_ask ask;

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        size_t n_prefix = fill(prefix, sizeof prefix), n_after = fill(after, sizeof after);
        struct rk_list_buffer base64 = { .len = 0 };

        escape(escaped[0], prefix, n_prefix);
        escape(escaped[1], after, n_after);
        snprintf(text, sizeof text, "/v1/kv?after=%s&prefix=%s", escaped[1], escaped[0]);
        ck_assert_int_eq(read_target(text, room, &ask), RK_HTTP_NO_PROBLEM);
        check_span(ask.keys.prefix, prefix, n_prefix);
        check_span(ask.keys.after, after, n_after);
        rk_http_json_base64(&base64, after, n_after);
        snprintf(text, sizeof text, "/v1/kv?prefix=%s&after64=%.*s", escaped[0], (int)base64.len,
                 (const char *)base64.bytes);
        ck_assert_int_eq(read_target(text, room, &ask), RK_HTTP_NO_PROBLEM);
        check_span(ask.keys.after, after, n_after);
        rk_list_buffer_fini(&base64);
    }
}
END_TEST

/* Whatever a cursor is, it is read or refused, and nothing is written outside of the room. */
START_TEST(cursors_that_are_none)
{
    static const char letters[] = "abAB01+/=%2 &=limitprefix64after64delimitervalues?.";
    struct rk_http_list_ask ask;
    char text[200], *room;

    for (unsigned i = 0; i < 4 * N_ROUNDS; i++) {
        char *at = text + sprintf(text, "/v1/kv?%s=", i % 2 ? "after64" : "prefix64");

        for (int n = rand() % 60; n > 0; n--)
            *at++ = letters[(size_t)rand() % (sizeof letters - 1)];
        *at = '\0';
        room = malloc(strlen(text));
        (void)read_target(text, room, &ask);
        free(room);
    }
}
END_TEST

/* What is written is read by another program of JSON, and is the same bytes. */
START_TEST(strings_are_json)
{
    uint8_t bytes[40];

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        struct rk_list_buffer out = { .len = 0 };
        size_t len = fill(bytes, sizeof bytes);
        bool is_text = rk_http_json_is_text(bytes, len);
        json_t *string = json_stringn((const char *)bytes, len), *read;

        ck_assert(is_text == (string != NULL));
        rk_http_json_string(&out, bytes, len);
        read = json_loadb((const char *)out.bytes, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_ptr_ne(read, NULL);
        if (is_text) {
            ck_assert_uint_eq(json_string_length(read), len);
            ck_assert(memcmp(json_string_value(read), bytes, len) == 0);
        }
        json_decref(read);
        json_decref(string);
        rk_list_buffer_fini(&out);
    }
}
END_TEST

START_TEST(text_is_utf8)
{
    static const struct {
        const char *bytes;
        bool is_text;
    } rows[] = {
        { "", true },
        { "a", true },
        { "\xc3\xa4", true },
        { "\xe2\x82\xac", true },
        { "\xf0\x9f\x98\x80", true },
        { "\xf4\x8f\xbf\xbf", true },
        { "\x80", false },
        { "\xc0\x80", false },
        { "\xc3", false },
        { "\xe0\x80\x80", false },
        { "\xed\xa0\x80", false },
        { "\xf0\x80\x80\x80", false },
        { "\xf4\x90\x80\x80", false },
        { "\xf5\x80\x80\x80", false },
        { "\xe2\x82", false },
        { "\xff", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(rk_http_json_is_text((const uint8_t *)rows[i].bytes, strlen(rows[i].bytes)) == rows[i].is_text,
                      "row %zu", i);
}
END_TEST

/* Pieces of any lengths make the same base64 as all of it. */
START_TEST(pieces_of_any_length)
{
    uint8_t bytes[300];

    for (unsigned i = 0; i < N_ROUNDS; i++) {
        struct rk_list_buffer whole = { .len = 0 }, pieces = { .len = 0 };
        struct rk_http_list_large large;
        size_t len = fill(bytes, sizeof bytes);

        rk_http_json_raw(&whole, ",\"value64\":\"");
        rk_http_json_base64(&whole, bytes, len);
        rk_http_json_raw(&whole, "\"}");
        rk_http_list_row_large_begin(&pieces, &large);
        for (size_t at = 0, n; at < len; at += n) {
            n = 1 + (size_t)rand() % 7;
            n = n < len - at ? n : len - at;
            rk_http_list_row_large_piece(&pieces, &large, (struct rk_list_span){ bytes + at, n });
        }
        rk_http_list_row_large_end(&pieces, &large);
        ck_assert_uint_eq(pieces.len, whole.len);
        ck_assert(memcmp(pieces.bytes, whole.bytes, whole.len) == 0);
        rk_list_buffer_fini(&whole);
        rk_list_buffer_fini(&pieces);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_list_ask");
    TCase *tcase = tcase_create("bytes");

    tcase_add_test(tcase, cursors_of_any_bytes);
    tcase_add_test(tcase, cursors_that_are_none);
    tcase_add_test(tcase, strings_are_json);
    tcase_add_test(tcase, text_is_utf8);
    tcase_add_test(tcase, pieces_of_any_length);
    suite_add_tcase(suite, tcase);
    return suite;
}
