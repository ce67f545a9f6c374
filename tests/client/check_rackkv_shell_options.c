/* The commands of rackkv's shell that take options, and the options before the key. */
#include "rackkv_bed.h"
#include "test_main.h"

#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

#define DONE "204 No Content"

/* The same commands and options in the shell. */
START_TEST(the_shell_takes_options_before_the_key)
{
    static const char script[] = "PUT --ttl 10m --meta=a=1 --type 'text/plain' k  two   words\n"
                                 "incr n 5\nAPPEND k 'a  b'\nTOUCH --ttl 1d k\nEXISTS k\nexists k\n"
                                 "GET --range 0-1 k\nPUT '--ttl' v\nPUT k --ttl 5\nGET --\n";
    static const char *const lines[] = {
        "PUT /v1/kv/k HTTP/1.1",
        "POST /v1/kv/n?op=incr&by=5 HTTP/1.1",
        "POST /v1/kv/k?op=append HTTP/1.1",
        "POST /v1/kv/k?op=touch HTTP/1.1",
        "HEAD /v1/kv/k HTTP/1.1",
        "HEAD /v1/kv/k HTTP/1.1",
        "GET /v1/kv/k HTTP/1.1",
        "PUT /v1/kv/--ttl HTTP/1.1",
        "PUT /v1/kv/k HTTP/1.1",
        "GET /v1/kv/-- HTTP/1.1",
    };
    static const char *const bodies[] = { "two words", "", "a  b", "", "", "", "", "v", "--ttl 5", "" };
    static const char *const statuses[] = {
        DONE, "200 OK", "200 OK", DONE, "200 OK", "404 Not Found", "206 Partial Content", DONE, DONE, "200 OK"
    };
    size_t size;

    for (size_t i = 0; i < N_OF(statuses); i++) /* the answers to HEAD have no body */
        fake_server_answer_text(bed.server, statuses[i], SEQ, i == 1 ? "8" : i == 6 || i == 9 ? "va" : "");
    bed_run_with_input(script, sizeof script - 1, (const char *const[]){ "shell", NULL });
    bed_check_result(1, "OK\n8\nOK\nOK\nyes\nno\nva\nOK\nOK\nva\n", "");
    for (size_t i = 0; i < N_OF(lines); i++) {
        bed_check_request_line(i, lines[i]);
        ck_assert_str_eq(bed_body(i, &size), bodies[i]);
    }
    bed_check_field(0, "RackKV-TTL: 10m");
    bed_check_field(0, "RackKV-Meta-a: 1");
    bed_check_field(0, "Content-Type: text/plain");
    bed_check_field(3, "RackKV-TTL: 1d");
}
END_TEST

START_TEST(the_shell_refuses_wrong_options)
{
    static const char script[] = "GET --tll 5 k\nPUT --ttl\nPUT --ttl x k v\nINCR n x\nINCR n 1 2\nTOUCH\nAPPEND k\n"
                                 "GET --range 0-1 --head k\nHELP TOUCH\n";
    char too_many[2048] = "PUT";

    bed_run_with_input(script, sizeof script - 1, (const char *const[]){ "shell", NULL });
    ck_assert_str_eq(
        bed.result.err,
        "rackkv: line 1: there is no option --tll here (HELP GET lists them); a key that begins with -- stands in "
        "quotes\n"
        "rackkv: line 2: behind --ttl stands its TIME\n"
        "rackkv: line 3: --ttl: 'x' is not one; right is seconds as 60, or a number with a unit as 500ms, 10m, 2h or "
        "7d\n"
        "rackkv: line 4: 'x' is no number to add; right is a whole one of 64 bits, as 1 or -20\n"
        "rackkv: line 5: usage: INCR KEY [BY] (a word with spaces stands in quotes)\n"
        "rackkv: line 6: usage: TOUCH KEY (a word with spaces stands in quotes)\n"
        "rackkv: line 7: usage: APPEND KEY VALUE (a word with spaces stands in quotes)\n"
        "rackkv: line 8: --range is for a part of the value, and with --head no value comes: one of the two\n");
    ck_assert_ptr_nonnull(strstr(bed.result.out, "TOUCH [OPTIONS] KEY: give a key a new time to live\n"));
    ck_assert_ptr_nonnull(strstr(bed.result.out, "--ttl TIME"));
    for (int i = 0; i < 60; i++)
        strcat(too_many, " --meta a=1");
    strcat(too_many, " k v\n");
    bed_run_with_input(too_many, strlen(too_many), (const char *const[]){ "shell", NULL });
    bed_check_result(1, "", "rackkv: line 1: these are more options than a line may have\n");
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv_shell_options");
    TCase *tcase = tcase_create("rackkv_shell_options");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, the_shell_takes_options_before_the_key);
    tcase_add_test(tcase, the_shell_refuses_wrong_options);
    suite_add_tcase(suite, tcase);
    return suite;
}
