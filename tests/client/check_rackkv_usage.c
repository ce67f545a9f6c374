/* What rackkv says of its own usage, right and wrong. */
#include "rackkv_bed.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key that begins with a dash: what is wrong, and how it is written. */
START_TEST(a_dash_is_advised_against_with_two)
{
    RUN("get", "-k");
    ck_assert_int_eq(bed.result.code, 2);
    ck_assert_ptr_nonnull(
        strstr(bed.result.err, "what begins with a dash and is none stands behind --: rackkv get -- KEY\n"));
    RUN("put", "-k", "v");
    ck_assert_ptr_nonnull(strstr(bed.result.err, "rackkv put -- KEY VALUE\n"));
    RUN("get", "k", "--json");
    ck_assert_ptr_nonnull(strstr(bed.result.err, "options stand before it"));
    fake_server_answer_text(bed.server, "200 OK", SEQ, "v");
    RUN("get", "--", "-k");
    bed_check_result(0, "v", "");
    bed_check_request_line(0, "GET /v1/kv/-k HTTP/1.1");
    RUN("shell", "x");
    ck_assert_ptr_null(strstr(bed.result.err, "stands behind --"));
}
END_TEST

START_TEST(the_version_is_said_wherever_it_is_asked_for)
{
    RUN("--version");
    bed_check_result(0, "rackkv " PACKAGE_VERSION "\n", "");
    RUN("-V");
    bed_check_result(0, "rackkv " PACKAGE_VERSION "\n", "");
    RUN("get", "--version");
    bed_check_result(0, "rackkv " PACKAGE_VERSION "\n", "");
    RUN("--json", "--version");
    bed_check_result(0, "{\"version\":\"" PACKAGE_VERSION "\"}\n", "");
}
END_TEST

START_TEST(wrong_usage_is_exit_code_2)
{
    static const char *const wrong[][5] = {
        { "nope" },           { "get" },
        { "get", "" },        { "get", "a", "b" },
        { "put", "a" },       { "put", "", "v" },
        { "--nope" },         { "get", "--nope", "k" },
        { "shell", "x" },     { "--url", "ftp://a", "get", "k" },
        { "open", "x" },      { "open", "-x" },
        { "open", "-o" },     { "help", "nope" },
        { "--json", "open" }, { "--timeout", "5s", "open" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bed_run_with_input("", 0, wrong[i]);
        ck_assert_msg(bed.result.code == 2, "%s: exit code %d", wrong[i][0], bed.result.code);
        ck_assert_uint_eq(bed.result.out_size, 0);
        ck_assert_msg(strlen(bed.result.err) > 10, "%s", wrong[i][0]);
    }
    bed_run_with_input("", 0, (const char *const[]){ NULL }); /* no command, and no terminal */
    ck_assert_int_eq(bed.result.code, 2);
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 0);
}
END_TEST

START_TEST(every_command_has_help)
{
    static const char *const names[] = { "open",  "put",    "get",    "delete", "exists",     "incr", "append",
                                         "touch", "import", "export", "shell",  "completion", "help", "version" };
    char *overview;

    RUN("--help");
    ck_assert_int_eq(bed.result.code, 0);
    overview = strdup(bed.result.out);
    RUN("help");
    bed_check_result(0, overview, "");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char usage[64];

        (void)snprintf(usage, sizeof usage, "\n  %s ", names[i]);
        ck_assert_msg(strstr(overview, usage) != NULL, "%s", names[i]);
        (void)snprintf(usage, sizeof usage, "Usage: rackkv %s", names[i]);
        RUN(names[i], "--help");
        ck_assert_int_eq(bed.result.code, 0);
        ck_assert_msg(strstr(bed.result.out, usage) != NULL, "%s", bed.result.out);
    }
    free(overview);
    overview = strdup(bed.result.out);
    RUN("help", "version");
    bed_check_result(0, overview, "");
    free(overview);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv_usage");
    TCase *tcase = tcase_create("rackkv_usage");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, a_dash_is_advised_against_with_two);
    tcase_add_test(tcase, the_version_is_said_wherever_it_is_asked_for);
    tcase_add_test(tcase, wrong_usage_is_exit_code_2);
    tcase_add_test(tcase, every_command_has_help);
    suite_add_tcase(suite, tcase);
    return suite;
}
