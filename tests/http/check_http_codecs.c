#include "http/http_field.h"
#include "http/http_problem.h"
#include "http/http_text.h"
#include "stats/stats_http.h"
#include "test_main.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

START_TEST(numbers_as_printf_writes_them)
{
    uint64_t number = 1;

    for (int i = 0; i < 400; i++) {
        char ours[RK_HTTP_DECIMAL_BYTES + 1] = { 0 }, theirs[32];

        number = i < 200 ? (uint64_t)i : i == 399 ? UINT64_MAX : number * 6364136223846793005u + 1442695040888963407u;
        if (i % 3 == 0 && i > 200 && i != 399)
            number >>= i % 64;
        ours[rk_http_text_decimal(number, ours)] = '\0';
        snprintf(theirs, sizeof theirs, "%" PRIu64, number);
        ck_assert_str_eq(ours, theirs);
    }
}
END_TEST

/* Also by the look at its length, which passes over most names. */
START_TEST(every_field_is_found_by_its_name)
{
    for (unsigned i = 0; i < RK_HTTP_N_FIELDS; i++) {
        enum rk_http_field_id id = (enum rk_http_field_id)i;
        char name[64];

        snprintf(name, sizeof name, "%s%s", rk_http_field_name(id), id == RK_HTTP_FIELD_META ? "a" : "");
        ck_assert_msg(rk_http_field_find(name, strlen(name)) == id, "%s", name);
        for (char *at = name; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        ck_assert_msg(rk_http_field_find(name, strlen(name)) == id, "%s", name);
        ck_assert_msg(rk_http_field_find(name, strlen(name) - 1) != id || id == RK_HTTP_FIELD_META, "%s", name);
    }
}
END_TEST

static void check_date(uint64_t seconds)
{
    char ours[RK_HTTP_DATE_BYTES + 1] = { 0 }, theirs[64];
    time_t time = (time_t)seconds;
    struct tm broken_down;

    rk_http_text_date(seconds * 1000 + 999, ours);
    ck_assert_ptr_nonnull(gmtime_r(&time, &broken_down));
    ck_assert_uint_gt(strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT", &broken_down), 0);
    ck_assert_str_eq(ours, theirs);
}

START_TEST(dates_as_the_c_library_writes_them)
{
    for (uint64_t day = 0; day < 120000; day += 1) /* to the year 2298: every leap rule */
        check_date(day * 86400 + day % 86400);
    for (uint64_t second = 0; second < 86400; second += 7)
        check_date(1795300000 + second);
    check_date(253402300799);
}
END_TEST

START_TEST(dates_after_the_year_9999_are_its_end)
{
    char date[RK_HTTP_DATE_BYTES + 1] = { 0 };

    rk_http_text_date(UINT64_MAX, date);
    ck_assert_str_eq(date, "Fri, 31 Dec 9999 23:59:59 GMT");
}
END_TEST

static void check_problem_body(enum rk_http_problem problem, const char *body, size_t len, json_int_t limit)
{
    const struct rk_http_problem_text *text = rk_http_problem_text(problem);
    json_error_t error;
    json_t *root = json_loadb(body, len, 0, &error);

    ck_assert_msg(root != NULL, "%s: %.*s", error.text, (int)len, body);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), text->status);
    ck_assert_str_eq(json_string_value(json_object_get(root, "code")), text->code);
    ck_assert_str_eq(json_string_value(json_object_get(root, "title")), text->reason);
    ck_assert_uint_gt(json_string_length(json_object_get(root, "detail")), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "limit")), limit);
    json_decref(root);
}

START_TEST(every_problem_is_json_with_a_code_of_its_own)
{
    for (int i = RK_HTTP_NO_PROBLEM + 1; i < RK_HTTP_N_PROBLEMS; i++) {
        const struct rk_http_problem_text *text = rk_http_problem_text(i);
        char *body = malloc(RK_HTTP_PROBLEM_BYTES); /* on the heap, so that overruns are seen */
        size_t len = rk_http_problem_format(i, UINT64_MAX >> 1, NULL, body);

        check_problem_body(i, text->body, text->body_len, 0);
        check_problem_body(i, body, len, INT64_MAX);
        free(body);
        for (int j = RK_HTTP_NO_PROBLEM + 1; j < i; j++)
            ck_assert_str_ne(text->code, rk_http_problem_text(j)->code);
        ck_assert_int_ne(rk_stats_http_status_index(text->status), RK_STATS_HTTP_OTHER);
    }
}
END_TEST

START_TEST(problems_take_further_members)
{
    static const char members[] = "\"state\":\"recovering\",\"files_done\":3";
    char body[RK_HTTP_PROBLEM_BYTES + sizeof members];
    size_t len = rk_http_problem_format(RK_HTTP_PROBLEM_NOT_READY, 0, members, body);
    json_t *root = json_loadb(body, len, 0, NULL);

    ck_assert_ptr_nonnull(root);
    ck_assert_str_eq(json_string_value(json_object_get(root, "state")), "recovering");
    ck_assert_int_eq(json_integer_value(json_object_get(root, "files_done")), 3);
    json_decref(root);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_codecs");
    TCase *tcase = tcase_create("codecs");

    tcase_add_test(tcase, numbers_as_printf_writes_them);
    tcase_add_test(tcase, every_field_is_found_by_its_name);
    tcase_add_test(tcase, dates_as_the_c_library_writes_them);
    tcase_add_test(tcase, dates_after_the_year_9999_are_its_end);
    tcase_add_test(tcase, every_problem_is_json_with_a_code_of_its_own);
    tcase_add_test(tcase, problems_take_further_members);
    suite_add_tcase(suite, tcase);
    return suite;
}
