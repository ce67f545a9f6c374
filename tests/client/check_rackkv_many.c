/* rackkv import, export and list: a key a line, of files and of a server's listing. */
#include "rackkv_bed.h"
#include "test_main.h"

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

#define LINES "Content-Type: application/x-ndjson\r\n"

static void import_text(const char *text)
{
    bed_run_with_input(text, strlen(text), (const char *const[]){ "import", NULL });
}

static void answer_done(size_t n)
{
    for (size_t i = 0; i < n; i++)
        fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
}

static bool request_has(size_t n, const char *line)
{
    char expected[256];

    (void)snprintf(expected, sizeof expected, "\r\n%s\r\n", line);
    return strstr(fake_server_request(bed.server, n, NULL), expected) != NULL;
}

START_TEST(every_line_is_stored_and_the_last_one_is_synced)
{
    size_t size;

    answer_done(4);
    import_text("{\"key\":\"a/b\",\"value\":\"caf\xc3\xa9\\u0000\",\"content_type\":\"text/plain\",\"ttl\":60}\n"
                "\n"
                "{\"key64\":\"/w==\",\"value64\":\"AAE=\",\"ttl\":\"10m\",\"meta\":{\"owner\":\"me\",\"n\":\"\"}}\n"
                "{\"key\":\"c\",\"value\":\"\",\"expires\":1900000000,\"content_language\":\"de\"}\n"
                "{\"key\":\"d\",\"value64\":\"\",\"expires\":null}"); /* no line end at the end */
    bed_check_result(0, "", "");
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 4);
    bed_check_request_line(0, "PUT /v1/kv/a%2Fb HTTP/1.1");
    ck_assert_mem_eq(bed_body(0, &size), "caf\xc3\xa9", 6);
    ck_assert_uint_eq(size, 6);
    ck_assert(request_has(0, "Content-Type: text/plain") && request_has(0, "RackKV-TTL: 60"));
    bed_check_request_line(1, "PUT /v1/kv/%FF HTTP/1.1");
    ck_assert_mem_eq(bed_body(1, &size), "\0\1", 2);
    ck_assert(request_has(1, "RackKV-TTL: 10m") && request_has(1, "RackKV-Meta-owner: me"));
    ck_assert(request_has(1, "RackKV-Meta-n:") && !request_has(1, "Content-Type: text/plain"));
    ck_assert(request_has(2, "RackKV-Expires: 1900000000") && request_has(2, "Content-Language: de"));
    (void)bed_body(2, &size);
    ck_assert_uint_eq(size, 0);
    for (size_t i = 0; i < 3; i++)
        ck_assert(request_has(i, "RackKV-Durability: written"));
    ck_assert(request_has(3, "RackKV-Durability: synced"));
    ck_assert(strcasestr(fake_server_request(bed.server, 3, NULL), "RackKV-Expires") == NULL);
}
END_TEST

START_TEST(durability_is_of_every_line_when_it_is_said)
{
    static const char text[] = "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"2\"}\n";

    char path[512];

    answer_done(2);
    strcpy(path, bed_path("lines"));
    bed_write_whole(path, text, sizeof text - 1);
    RUN("import", "--json", "--durability", "written", path);
    bed_check_result(0, "{\"imported\":2}\n", "");
    ck_assert(request_has(0, "RackKV-Durability: written") && request_has(1, "RackKV-Durability: written"));
}
END_TEST

#define GOOD "{\"key\":\"a\",\"value\":\"1\"}\n"

static const struct {
    const char *line, *error;
} wrong_lines[] = {
    { "{\"key\":\"a\"}", "there is no \"value\"; right is {\"key\":\"a\",\"value\":\"1\"}" },
    { "{\"value\":\"a\"}", "there is no \"key\", or an empty one" },
    { "{\"key\":\"\",\"value\":\"a\"}", "there is no \"key\", or an empty one" },
    { "{\"key\":1,\"value\":\"a\"}", "\"key\" is a string (bytes that are no UTF-8" },
    { "{\"key\":\"a\",\"value\":1}", "\"value\" is a string" },
    { "{\"key\":\"a\",\"key64\":\"YQ==\",\"value\":\"1\"}", "there twice, as text and as base64" },
    { "{\"key\":\"a\",\"key\":\"b\",\"value\":\"1\"}", "duplicate object key" },
    { "{\"key64\":\"YQ\",\"value\":\"1\"}", "\"key64\" is base64 with its padding" },
    { "{\"key64\":\"a-_=\",\"value\":\"1\"}", "\"key64\" is base64 with its padding" },
    { "{\"key\":\"a\",\"vlaue\":\"1\"}", "\"vlaue\" is not known here; did you mean \"value\"?" },
    { "{\"key\":\"a\",\"value\":\"1\",\"ttl\":1.5}", "\"ttl\" is seconds, or a string with a unit" },
    { "{\"key\":\"a\",\"value\":\"1\",\"ttl\":0}", "\"ttl\" is seconds, or a string with a unit" },
    { "{\"key\":\"a\",\"value\":\"1\",\"expires\":-1}", "\"expires\" is seconds since 1970, or null" },
    { "{\"key\":\"a\",\"value\":\"1\",\"meta\":[]}", "\"meta\" is an object of strings" },
    { "{\"key\":\"a\",\"value\":\"1\",\"meta\":{\"a b\":\"\"}}", "meta: 'a b' is no name of a field" },
    { "{\"key\":\"a\",\"value\":\"1\",\"content_type\":\"a\\nX: y\"}", "content_type: the value has a byte" },
    { "[1]", "this is no JSON object" },
    { "{\"key\":", "one JSON object a line" },
    { "{} {}", "one JSON object a line" },
    { "\xff", "one JSON object a line" },
    { "{\"complete\":false}", "\"complete\" is not known here" },
};

/* What stands before it is stored and synced, nothing behind it. */
START_TEST(a_wrong_line_ends_it)
{
    for (size_t i = 0; i < N_OF(wrong_lines); i++) {
        char text[512];

        fake_server_stop(&bed.server);
        bed.server = fake_server_start(NULL);
        setenv("RACKKV_URL", fake_server_url(bed.server), 1);
        answer_done(4);
        (void)snprintf(text, sizeof text, GOOD GOOD "%s\n" GOOD, wrong_lines[i].line);
        import_text(text);
        ck_assert_msg(bed.result.code == 1, "%s: exit code %d", wrong_lines[i].line, bed.result.code);
        ck_assert_msg(strncmp(bed.result.err, "rackkv: standard input: line 3: ", 32) == 0, "%s", bed.result.err);
        ck_assert_msg(strstr(bed.result.err, wrong_lines[i].error) != NULL, "%s", bed.result.err);
        ck_assert_ptr_nonnull(strstr(bed.result.err, "; 2 keys were stored before that\n"));
        ck_assert_uint_eq(fake_server_n_requests(bed.server), 2);
        ck_assert(request_has(1, "RackKV-Durability: synced"));
    }
}
END_TEST

START_TEST(a_refused_line_ends_it)
{
    answer_done(1);
    fake_server_answer_text(bed.server, "413 Content Too Large", PROBLEM, "{\"code\":\"value-too-large\"}");
    import_text(GOOD "\n" GOOD GOOD GOOD);
    bed_check_result(1, "",
                     "rackkv: standard input: line 3: the server answered 413 value-too-large; 1 key was stored "
                     "before that\n");
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 2);
    fake_server_answer_text(bed.server, "403 Forbidden", PROBLEM, "{\"code\":\"denied\"}");
    import_text(GOOD);
    bed_check_result(
        6, "", "rackkv: standard input: line 1: the server answered 403 denied; 0 keys were stored before that\n");
    RUN("import", "/nonexistent/file");
    bed_check_result(1, "", "rackkv: /nonexistent/file: No such file or directory; standard input is -\n");
    import_text("");
    bed_check_result(0, "", "");
}
END_TEST

#define LISTED_A "{\"key\":\"a\",\"size\":1,\"etag\":\"\\\"3\\\"\",\"seq\":3,\"expires\":null,\"value\":\"1\"}\n"
#define LISTED_B "{\"key64\":\"/w==\",\"size\":1,\"etag\":\"\\\"4\\\"\",\"seq\":4,\"expires\":null,\"value\":\"2\"}\n"
#define END      "{\"complete\":true}\n"

START_TEST(an_export_has_an_end)
{
    answer_done(2);
    import_text(LISTED_A LISTED_B END);
    bed_check_result(0, "", "");
    answer_done(1);
    import_text(LISTED_A);
    bed_check_result(1, "",
                     "rackkv: standard input: the export ends without {\"complete\":true}: a part of it is missing; "
                     "1 key was stored before that\n");
    answer_done(1);
    import_text(LISTED_A END GOOD);
    ck_assert_int_eq(bed.result.code, 1);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "line 3: a line behind the end"));
}
END_TEST

START_TEST(export_prints_the_listing)
{
    fake_server_answer_text(bed.server, "200 OK", LINES, LISTED_A LISTED_B END);
    RUN("export", "us er/&\xff");
    bed_check_result(0, LISTED_A LISTED_B END, "");
    bed_check_request_line(0, "GET /v1/kv?values=1&prefix=us%20er%2F%26%FF HTTP/1.1");
    ck_assert(request_has(0, "Accept: application/x-ndjson"));
    fake_server_answer_text(bed.server, "200 OK", LINES, END);
    RUN("export");
    bed_check_result(0, END, "");
    bed_check_request_line(1, "GET /v1/kv?values=1&prefix= HTTP/1.1");
}
END_TEST

/* Long lines, in chunks that end anywhere. */
START_TEST(a_listing_may_come_in_any_pieces)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n" LINES "Transfer-Encoding: chunked\r\n\r\n";
    char text[4096] = "", answer[65536];
    size_t size = sizeof head - 1;

    for (int i = 0; i < 5; i++)
        strcat(text, "{\"key\":\"a\",\"value\":\"11111111111111111111111111111111111111111111111111111111111111111111"
                     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111\"}\n");
    strcat(text, END);
    memcpy(answer, head, size);
    for (size_t i = 0; text[i] != '\0'; i++)
        size += (size_t)sprintf(answer + size, "1\r\n%c\r\n", text[i]);
    size += (size_t)sprintf(answer + size, "0\r\n\r\n");
    fake_server_answer(bed.server, answer, size);
    RUN("export");
    bed_check_result(0, text, "");
}
END_TEST

START_TEST(an_export_that_is_cut_off_is_a_failure)
{
    static const char broken[] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\n" LINES "Content-Length: 1000\r\n\r\n" LISTED_A;
    static const char *const cut[] = { "", LISTED_A, LISTED_A "{\"complete\":tr", LISTED_A "{\"complete\":false}\n",
                                       END LISTED_A };
    static const unsigned n_keys[] = { 0, 1, 2, 2, 2 };
    char expected[128];

    for (size_t i = 0; i < N_OF(cut); i++) {
        fake_server_answer_text(bed.server, "200 OK", LINES, cut[i]);
        RUN("export");
        (void)snprintf(expected, sizeof expected,
                       "rackkv: the server's listing ended without {\"complete\":true}, after %u line%s: a part is "
                       "missing\n",
                       n_keys[i], n_keys[i] == 1 ? "" : "s");
        bed_check_result(4, cut[i], expected);
    }
    fake_server_answer(bed.server, broken, sizeof broken - 1);
    RUN("export");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.err, "ended early"));
}
END_TEST

START_TEST(export_believes_no_stranger)
{
    static const struct {
        const char *status, *headers, *body;
        int code;
    } answers[] = {
        { "200 OK", "Content-Type: text/html\r\n", END, 4 },
        { "200 OK", "Content-Type: application/x-ndjsonx\r\n", END, 4 },
        { "204 No Content", SEQ, "", 4 },
        { "404 Not Found", "Content-Type: text/html\r\n", "no", 4 },
        { "400 Bad Request", PROBLEM, "{\"code\":\"unknown-parameter\"}", 1 },
        { "404 Not Found", PROBLEM, "{\"code\":\"not-found\"}", 1 },
    };

    for (size_t i = 0; i < N_OF(answers); i++) {
        fake_server_answer_text(bed.server, answers[i].status, answers[i].headers, answers[i].body);
        RUN("export");
        ck_assert_msg(bed.result.code == answers[i].code, "%zu: exit code %d", i, bed.result.code);
        ck_assert_str_eq(bed.result.out, "");
    }
}
END_TEST

#define LISTED_C \
    "{\"key64\":\"/wo=\",\"size\":1,\"etag\":\"\\\"3\\\"\",\"seq\":3,\"expires\":null,\"value64\":\"/w==\"}\n"
#define PREFIX_OF "{\"prefix\":\"b/\"}\n{\"prefix64\":\"/y8=\"}\n"

START_TEST(list_prints_keys)
{
    fake_server_answer_text(bed.server, "200 OK", LINES, LISTED_A PREFIX_OF LISTED_C END);
    RUN("list", "--delimiter", "/", "a b");
    bed_check_result(0, "a\nb/\n\xff/\n\xff\n\n", "");
    bed_check_request_line(0, "GET /v1/kv?delimiter=%2F&prefix=a%20b HTTP/1.1");
    ck_assert(request_has(0, "Accept: application/x-ndjson"));
    fake_server_answer_text(bed.server, "200 OK", LINES, LISTED_A LISTED_C END);
    RUN("list", "--values");
    bed_check_result(0, "a\t1\n\xff\n\t\xff\n", "");
    bed_check_request_line(1, "GET /v1/kv?values=1&prefix= HTTP/1.1");
    fake_server_answer_text(bed.server, "200 OK", LINES, LISTED_A PREFIX_OF END);
    RUN("--json", "list");
    bed_check_result(0, LISTED_A PREFIX_OF, "");
}
END_TEST

/* What came is printed, and that it is not all is said. */
START_TEST(a_list_that_is_no_whole_one_fails)
{
    static const struct {
        const char *body, *words;
    } rows[] = {
        { "", "a part is missing" },
        { LISTED_A, "a part is missing" },
        { LISTED_A "{\"complete\":false}\n", "none of a listing" },
        { LISTED_A "{\"complete\":true}", "a part is missing" },
        { "no JSON\n" END, "none of a listing" },
        { "[]\n" END, "none of a listing" },
        { "{\"key64\":\"?\"}\n" END, "none of a listing" },
    };

    for (size_t i = 0; i < N_OF(rows); i++) {
        fake_server_answer_text(bed.server, "200 OK", LINES, rows[i].body);
        RUN("list");
        ck_assert_msg(bed.result.code == 4, "%zu: exit code %d", i, bed.result.code);
        ck_assert_msg(strstr(bed.result.err, rows[i].words) != NULL, "%zu: %s", i, bed.result.err);
    }
}
END_TEST

/* Runs the program at a terminal, with its standard output in that file unless it is NULL; what the terminal saw. */
static void run_at_terminal(const char *const *arguments, const char *out, char *shown, size_t shown_size)
{
    int terminal, status;
    size_t size = 0;
    ssize_t n_read;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

    if (pid == 0) {
        if (out != NULL && freopen(out, "w", stdout) == NULL)
            _exit(126);
        execv(PROGRAM, (char **)(uintptr_t)arguments);
        _exit(127);
    }
    while (size + 1 < shown_size && (n_read = read(terminal, shown + size, shown_size - 1 - size)) > 0)
        size += (size_t)n_read;
    shown[size] = '\0';
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    close(terminal);
    ck_assert_int_eq(status, 0);
}

/* It says how far it is, and takes that away in the end. */
START_TEST(a_terminal_sees_how_far_an_import_is)
{
    char shown[4096], path[512];

    answer_done(2);
    strcpy(path, bed_path("lines"));
    bed_write_whole(path, GOOD GOOD, 2 * (sizeof GOOD - 1));
    run_at_terminal((const char *const[]){ "rackkv", "import", path, NULL }, NULL, shown, sizeof shown);
    ck_assert_msg(strstr(shown, "importing [################----------------]  50 %, 1 key, 24 bytes") != NULL, "%s",
                  shown);
    ck_assert_ptr_nonnull(strstr(shown, "\r\033[K2 keys imported"));
}
END_TEST

START_TEST(a_terminal_sees_how_far_an_export_is_unless_it_sees_the_export)
{
    static const char *const arguments[] = { "rackkv", "export", NULL };
    char shown[4096], out[512], *written;

    strcpy(out, bed_path("out"));
    fake_server_answer_text(bed.server, "200 OK", LINES, LISTED_A LISTED_B END);
    run_at_terminal(arguments, out, shown, sizeof shown);
    ck_assert_str_eq(shown, "\r\033[Kexporting 1 key, 70 bytes\r\033[K");
    written = bed_read_whole(out, NULL);
    ck_assert_str_eq(written, LISTED_A LISTED_B END);
    free(written);
    fake_server_answer_text(bed.server, "200 OK", LINES, LISTED_A LISTED_B END);
    run_at_terminal(arguments, NULL, shown, sizeof shown);
    ck_assert_ptr_null(strstr(shown, "exporting"));
    ck_assert_ptr_nonnull(strstr(shown, "{\"complete\":true}"));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv_many");
    TCase *tcase = tcase_create("rackkv_many");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, every_line_is_stored_and_the_last_one_is_synced);
    tcase_add_test(tcase, durability_is_of_every_line_when_it_is_said);
    tcase_add_test(tcase, a_wrong_line_ends_it);
    tcase_add_test(tcase, a_refused_line_ends_it);
    tcase_add_test(tcase, an_export_has_an_end);
    tcase_add_test(tcase, export_prints_the_listing);
    tcase_add_test(tcase, a_listing_may_come_in_any_pieces);
    tcase_add_test(tcase, an_export_that_is_cut_off_is_a_failure);
    tcase_add_test(tcase, export_believes_no_stranger);
    tcase_add_test(tcase, list_prints_keys);
    tcase_add_test(tcase, a_list_that_is_no_whole_one_fails);
    tcase_add_test(tcase, a_terminal_sees_how_far_an_import_is);
    tcase_add_test(tcase, a_terminal_sees_how_far_an_export_is_unless_it_sees_the_export);
    suite_add_tcase(suite, tcase);
    return suite;
}
