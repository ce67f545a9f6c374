#include "base/base_detail.h"
#include "client/client_edit.h"
#include "client/client_line.h"
#include "client/client_text.h"
#include "client/client_url.h"
#include "test_main.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *text;
    size_t n_words;
    struct rk_client_bytes words[RK_CLIENT_LINE_WORDS_MAX];
} lines[] = {
    { "", 0, { { NULL, 0 } } },
    { " \t \r\n", 0, { { NULL, 0 } } },
    { "GET a\n", 2, { BYTES("GET"), BYTES("a") } },
    { "  put\ta   b  ", 3, { BYTES("put"), BYTES("a"), BYTES("b") } },
    { "PUT k \"a b\"", 3, { BYTES("PUT"), BYTES("k"), BYTES("a b") } },
    { "PUT \"\" \"\"", 3, { BYTES("PUT"), BYTES(""), BYTES("") } },
    { "\"\\x00\\xff\\xFe\\\"\\\\\\n\\r\\t\"", 1, { BYTES("\0\xff\xfe\"\\\n\r\t") } },
    { "PUT 'a  b' '\\n\"'", 3, { BYTES("PUT"), BYTES("a  b"), BYTES("\\n\"") } },
    { "'' don't '\"' \"'\\'\"", 4, { BYTES(""), BYTES("don't"), BYTES("\""), BYTES("''") } },
    { "PUT k {\"a\":1}", 3, { BYTES("PUT"), BYTES("k"), BYTES("{\"a\":1}") } },
    { "a\\x41 b\\", 2, { BYTES("a\\x41"), BYTES("b\\") } }, /* without quotes a backslash is a character */
    { "caf\xc3\xa9 \xff", 2, { BYTES("caf\xc3\xa9"), BYTES("\xff") } },
    { "1 2 '3' 4 5 6", 6, { BYTES("1"), BYTES("2"), BYTES("3"), BYTES("4"), BYTES("5"), BYTES("6") } },
};

START_TEST(lines_are_split_into_words)
{
    for (size_t i = 0; i < N_OF(lines); i++) {
        struct rk_client_line line;
        size_t size = strlen(lines[i].text);

        ck_assert_int_eq(rk_client_line_parse(&line, lines[i].text, size, NULL), RK_OK);
        ck_assert_uint_eq(line.n_words, lines[i].n_words);
        for (size_t j = 0; j < line.n_words && j < RK_CLIENT_LINE_WORDS_MAX; j++) {
            ck_assert_uint_eq(line.words[j].size, lines[i].words[j].size);
            ck_assert_mem_eq(line.words[j].bytes, lines[i].words[j].bytes, line.words[j].size);
        }
        rk_client_line_fini(&line);
    }
}
END_TEST

static const struct {
    const char *text;
    const char *error;
} bad_lines[] = {
    { "GET \"a", "column 5: this quote is not closed" },
    { "\"", "column 1: this quote is not closed" },
    { "GET 'a\"", "column 5: this quote is not closed" },
    { "'a'b", "column 4: after a closing quote comes a space" },
    { "\"\\", "column 2: the escapes are \\\" \\' \\\\ \\n \\r \\t and \\xHH" },
    { "\"\\q\"", "column 2: the escapes are \\\" \\' \\\\ \\n \\r \\t and \\xHH" },
    { "\"\\x4\"", "column 4: after \\x come two hexadecimal digits" },
    { "\"\\x", "column 4: after \\x come two hexadecimal digits" },
    { "\"\\xg0\"", "column 4: after \\x come two hexadecimal digits" },
    { "GET \"a\"b", "column 8: after a closing quote comes a space" },
};

START_TEST(bad_lines_are_refused_at_their_column)
{
    for (size_t i = 0; i < N_OF(bad_lines); i++) {
        struct rk_client_line line;
        struct rk_detail detail = { "" };

        ck_assert_int_eq(rk_client_line_parse(&line, bad_lines[i].text, strlen(bad_lines[i].text), &detail),
                         RK_ERR_INVALID);
        ck_assert_str_eq(detail.text, bad_lines[i].error);
        rk_client_line_fini(&line);
    }
}
END_TEST

START_TEST(it_is_known_which_words_stood_in_quotes)
{
    struct rk_client_line line;
    char text[4 * RK_CLIENT_LINE_WORDS_MAX + 1] = "";

    ck_assert_int_eq(rk_client_line_parse(&line, "PUT '--ttl' --ttl \"\"", 20, NULL), RK_OK);
    ck_assert(!line.is_quoted[0] && line.is_quoted[1] && !line.is_quoted[2] && line.is_quoted[3]);
    rk_client_line_fini(&line);
    for (size_t i = 0; i < 2 * RK_CLIENT_LINE_WORDS_MAX; i++)
        strcat(text, "a ");
    ck_assert_int_eq(rk_client_line_parse(&line, text, strlen(text), NULL), RK_OK);
    ck_assert_uint_eq(line.n_words, 2 * RK_CLIENT_LINE_WORDS_MAX); /* those past the array count */
    rk_client_line_fini(&line);
}
END_TEST

START_TEST(the_rest_of_a_line_is_its_words_with_spaces)
{
    static const struct {
        const char *text, *rest;
        size_t last_quoted;
    } rests[] = {
        { "PUT k a", "a", 0 },       { "PUT k  a\t b  c d e \n", "a b c d e", 0 },
        { "PUT 'k' a b", "a b", 2 }, { "PUT k 'a  b' c", "a  b c", 3 },
        { "PUT k a ''", "a ", 4 },
    };

    for (size_t i = 0; i < N_OF(rests); i++) {
        struct rk_client_line line;
        struct rk_client_bytes rest;

        ck_assert_int_eq(rk_client_line_parse(&line, rests[i].text, strlen(rests[i].text), NULL), RK_OK);
        rest = rk_client_line_rest(&line, 2);
        ck_assert_uint_eq(rest.size, strlen(rests[i].rest));
        ck_assert_mem_eq(rest.bytes, rests[i].rest, rest.size);
        ck_assert_uint_eq(line.last_quoted, rests[i].last_quoted);
        rk_client_line_fini(&line);
    }
}
END_TEST

START_TEST(a_zero_byte_in_a_line_is_a_byte)
{
    struct rk_client_line line;

    ck_assert_int_eq(rk_client_line_parse(&line, "GET a\0b", 7, NULL), RK_OK);
    ck_assert_uint_eq(line.words[1].size, 3);
    ck_assert_mem_eq(line.words[1].bytes, "a\0b", 3);
    rk_client_line_fini(&line);
}
END_TEST

/* Every byte, written as \xHH, is that byte again. */
START_TEST(every_byte_can_be_written)
{
    char text[2 + 4 * 256 + 1] = "\"";
    struct rk_client_line line;
    const unsigned char *bytes;

    for (unsigned i = 0; i < 256; i++)
        (void)sprintf(text + 1 + 4 * i, "\\x%02x", i);
    strcat(text, "\"");
    ck_assert_int_eq(rk_client_line_parse(&line, text, strlen(text), NULL), RK_OK);
    ck_assert_uint_eq(line.words[0].size, 256);
    bytes = line.words[0].bytes;
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_eq(bytes[i], i);
    rk_client_line_fini(&line);
}
END_TEST

START_TEST(random_lines_never_crash)
{
    static const char alphabet[] = "\"'\\x0aF \tGET\n\xff{}";
    uint64_t state = 88172645463325252u;
    char text[40];

    for (int round = 0; round < 20000; round++) {
        struct rk_client_line line;
        size_t size = (size_t)round % sizeof text;
        char *exact = malloc(size > 0 ? size : 1); /* so that a byte too far is seen by the sanitizer */

        for (size_t i = 0; i < size; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            exact[i] = alphabet[state % (sizeof alphabet - 1)];
        }
        (void)rk_client_line_parse(&line, exact, size, NULL);
        rk_client_line_fini(&line);
        free(exact);
    }
}
END_TEST

static const struct {
    struct rk_client_bytes key;
    const char *url;
} key_urls[] = {
    { BYTES("a"), "b/v1/kv/a" },
    { BYTES("A-z_0.9~"), "b/v1/kv/A-z_0.9~" },
    { BYTES("a b+c"), "b/v1/kv/a%20b%2Bc" },
    { BYTES("/"), "b/v1/kv/%2F" },
    { BYTES("a//b/"), "b/v1/kv/a%2F%2Fb%2F" },
    { BYTES("."), "b/v1/kv/." },
    { BYTES("../x"), "b/v1/kv/..%2Fx" },
    { BYTES("%2F?#&=;"), "b/v1/kv/%252F%3F%23%26%3D%3B" },
    { BYTES("\0\x7f\x80\xff"), "b/v1/kv/%00%7F%80%FF" },
    { BYTES("caf\xc3\xa9"), "b/v1/kv/caf%C3%A9" },
};

START_TEST(queries_stand_behind_the_key)
{
    char *url = rk_client_key_url("b", (struct rk_client_bytes){ "?", 1 }, "op=incr&by=-5");
    char *all = rk_client_key_url("b", (struct rk_client_bytes){ NULL, 0 }, "values=1");
    char *query = rk_client_url_encode("prefix=", (struct rk_client_bytes){ "a&\xff", 3 });

    ck_assert_str_eq(url, "b/v1/kv/%3F?op=incr&by=-5");
    ck_assert_str_eq(all, "b/v1/kv?values=1");
    ck_assert_str_eq(query, "prefix=a%26%FF");
    free(url);
    free(all);
    free(query);
}
END_TEST

START_TEST(keys_are_percent_encoded)
{
    for (size_t i = 0; i < N_OF(key_urls); i++) {
        char *url = rk_client_key_url("b", key_urls[i].key, NULL);

        ck_assert_str_eq(url, key_urls[i].url);
        free(url);
    }
}
END_TEST

static const struct {
    const char *url;
    const char *base; /* NULL: refused */
    const char *socket_path;
    const char *problem;
} targets[] = {
    { "http://127.0.0.1:8080", "http://127.0.0.1:8080", NULL, NULL },
    { "http://db.example.org:80/", "http://db.example.org:80", NULL, NULL },
    { "HTTP://[::1]:1", "HTTP://[::1]:1", NULL, NULL },
    { "unix:/run/rackkv.sock", "http://localhost", "/run/rackkv.sock", NULL },
    { "unix:here.sock", "http://localhost", "here.sock", NULL },
    { "unix:", NULL, NULL, "has no path" },
    { "", NULL, NULL, "has another scheme" },
    { "127.0.0.1:8080", NULL, NULL, "has another scheme" },
    { "https://a:1", NULL, NULL, "has another scheme" },
    { "http://", NULL, NULL, "is not a URL" },
    { "http://a:99999", NULL, NULL, "has a port that is no number up to 65535" },
    { "http://a:x", NULL, NULL, "has a port that is no number up to 65535" },
    { "http://a b:1", NULL, NULL, "is not a URL" },
    { "http://a:", NULL, NULL, "has no port after the colon" },
    { "http://a:/", NULL, NULL, "has no port after the colon" },
    { "http://me@a:1", NULL, NULL, "has a user" },
    { "http://a:1/v1", NULL, NULL, "goes on after the port" },
    { "http://a:1?x", NULL, NULL, "goes on after the port" },
    { "http://a:1#x", NULL, NULL, "goes on after the port" },
};

START_TEST(urls_are_taken_apart)
{
    for (size_t i = 0; i < N_OF(targets); i++) {
        struct rk_client_target target;
        struct rk_detail detail = { "" };
        enum rk_err err = rk_client_target_parse(&target, targets[i].url, &detail);

        if (targets[i].base == NULL) {
            ck_assert_int_eq(err, RK_ERR_INVALID);
            ck_assert_msg(strstr(detail.text, targets[i].problem) != NULL, "%s", detail.text);
            ck_assert_ptr_nonnull(strstr(detail.text, "http://host:port or unix:/path"));
        } else {
            ck_assert_int_eq(err, RK_OK);
            ck_assert_str_eq(target.base, targets[i].base);
            ck_assert_pstr_eq(target.socket_path, targets[i].socket_path);
        }
        rk_client_target_fini(&target);
    }
}
END_TEST

static const struct {
    struct rk_client_bytes bytes;
    const char *ascii;
    const char *utf8;
} texts[] = {
    { BYTES("plain \\ text\n\tand more"), "plain \\ text\n\tand more", "plain \\ text\n\tand more" },
    { BYTES(""), "", "" },
    { BYTES("a\0b\x1b[2J"), "a\\x00b\\x1b[2J", "a\\x00b\\x1b[2J" },
    { BYTES("\x01\\"), "\\x01\\\\", "\\x01\\\\" },
    { BYTES("caf\xc3\xa9"), "caf\\xc3\\xa9", "caf\xc3\xa9" },
    { BYTES("caf\xc3"), "caf\\xc3", "caf\\xc3" },
    { BYTES("\xc2\x9b"), "\\xc2\\x9b", "\\xc2\\x9b" }, /* CSI: moves a terminal's cursor */
    { BYTES("\xff\r"), "\\xff\\x0d", "\\xff\\x0d" },
};

static void check_text(const char *locale, struct rk_client_bytes bytes, const char *expected)
{
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);

    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, locale));
    rk_client_text_print(out, bytes);
    fclose(out);
    ck_assert_str_eq(printed, expected);
    free(printed);
}

START_TEST(what_is_no_text_is_escaped)
{
    for (size_t i = 0; i < N_OF(texts); i++) {
        check_text("C", texts[i].bytes, texts[i].ascii);
        check_text("C.UTF-8", texts[i].bytes, texts[i].utf8);
    }
}
END_TEST

START_TEST(bytes_in_json)
{
    json_t *object = json_object();

    rk_client_json_set_bytes(object, "a", (struct rk_client_bytes)BYTES("x\0\xc3\xa9"));
    rk_client_json_set_bytes(object, "b", (struct rk_client_bytes)BYTES("\xff\xfe"));
    rk_client_json_set_bytes(object, "c", (struct rk_client_bytes){ NULL, 0 });
    ck_assert_uint_eq(json_string_length(json_object_get(object, "a")), 4);
    ck_assert_ptr_null(json_object_get(object, "b"));
    ck_assert_str_eq(json_string_value(json_object_get(object, "b64")), "//4=");
    ck_assert_str_eq(json_string_value(json_object_get(object, "c")), "");
    json_decref(object);
}
END_TEST

START_TEST(words_are_completed)
{
    static const char *const words[] = { "PUT", "GET", "DELETE", "DESCRIBE", NULL };
    const char *first = NULL;
    size_t common = 0;

    ck_assert_uint_eq(rk_client_edit_complete(words, "g", 1, &first, &common), 1);
    ck_assert_str_eq(first, "GET");
    ck_assert_uint_eq(common, 3);
    ck_assert_uint_eq(rk_client_edit_complete(words, "D", 1, &first, &common), 2);
    ck_assert_uint_eq(common, 2);
    ck_assert_uint_eq(rk_client_edit_complete(words, "del", 3, &first, &common), 1);
    ck_assert_uint_eq(rk_client_edit_complete(words, "x", 1, &first, &common), 0);
    ck_assert_uint_eq(rk_client_edit_complete(words, "", 0, &first, &common), 4);
    ck_assert_uint_eq(common, 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("client");
    TCase *tcase = tcase_create("client");

    tcase_add_test(tcase, lines_are_split_into_words);
    tcase_add_test(tcase, bad_lines_are_refused_at_their_column);
    tcase_add_test(tcase, it_is_known_which_words_stood_in_quotes);
    tcase_add_test(tcase, the_rest_of_a_line_is_its_words_with_spaces);
    tcase_add_test(tcase, a_zero_byte_in_a_line_is_a_byte);
    tcase_add_test(tcase, every_byte_can_be_written);
    tcase_add_test(tcase, random_lines_never_crash);
    tcase_add_test(tcase, queries_stand_behind_the_key);
    tcase_add_test(tcase, keys_are_percent_encoded);
    tcase_add_test(tcase, urls_are_taken_apart);
    tcase_add_test(tcase, what_is_no_text_is_escaped);
    tcase_add_test(tcase, bytes_in_json);
    tcase_add_test(tcase, words_are_completed);
    suite_add_tcase(suite, tcase);
    return suite;
}
