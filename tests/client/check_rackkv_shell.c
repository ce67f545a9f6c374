/* The shell of rackkv, on a pipe and at a terminal. */
#include "base/base_time.h"
#include "rackkv_bed.h"
#include "test_main.h"

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_NS (20 * RK_NS_PER_S)

static void run_shell(const char *input)
{
    bed_run_with_input(input, strlen(input), (const char *const[]){ "shell", NULL });
}

START_TEST(the_shell_runs_a_pipe_over_one_connection)
{
    size_t size;

    fake_server_answer_text(bed.server, "201 Created", SEQ, "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "a\x01z");
    fake_server_answer_text(bed.server, "204 No Content", SEQ, "");
    fake_server_answer_text(bed.server, "404 Not Found", SEQ, "");
    run_shell("PUT \"my key\\x00\" \"\\xff\\x00 v\"\n\nget \"my key\\x00\"\nDelete k\nOPEN\nEXIT\nGET never\n");
    ck_assert_int_eq(bed.result.code, 0);
    ck_assert_int_eq(strncmp(bed.result.out, "OK\na\x01z\nOK\nOK: connected to http://127.0.0.1:", 35), 0);
    ck_assert_str_eq(bed.result.err, "");
    bed_check_request_line(0, "PUT /v1/kv/my%20key%00 HTTP/1.1");
    ck_assert_mem_eq(bed_body(0, &size), "\xff\0 v", 4);
    ck_assert_uint_eq(size, 4);
    bed_check_request_line(1, "GET /v1/kv/my%20key%00 HTTP/1.1");
    bed_check_request_line(2, "DELETE /v1/kv/k HTTP/1.1");
    bed_check_request_line(3, "HEAD /v1/kv/rackkv HTTP/1.1");
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 4);
    ck_assert_uint_eq(fake_server_n_connections(bed.server), 1);
}
END_TEST

START_TEST(the_shell_goes_on_after_a_failure_and_remembers_it)
{
    fake_server_answer_text(bed.server, "404 Not Found", SEQ, "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "v");
    run_shell("nope\nGET k\nPUT k\nPUT k \"two\" words\nGET \"\nGET \"\"\nget k"); /* no line end at the end */
    bed_check_result(1, "v\n",
                     "rackkv: line 1: there is no command nope; HELP lists them\n"
                     "rackkv: line 2: not found\n"
                     "rackkv: line 3: usage: PUT KEY VALUE (a word with spaces stands in quotes)\n"
                     "rackkv: line 4: usage: PUT KEY VALUE (a word with spaces stands in quotes)\n"
                     "rackkv: line 5: column 5: this quote is not closed\n"
                     "rackkv: line 6: a key has at least one byte\n");
}
END_TEST

/* As somebody types them who comes from the original's client. */
START_TEST(the_shell_takes_the_originals_lines)
{
    size_t size;

    for (int i = 0; i < 2; i++)
        fake_server_answer_text(bed.server, i == 0 ? "200 OK" : "404 Not Found", SEQ, "");
    fake_server_answer_text(bed.server, "201 Created", SEQ, "");
    fake_server_answer_text(bed.server, "201 Created", SEQ, "");
    run_shell(
        "OPEN -rw -sync\nopen -SYNC\nPUT city  Old   Town\nPUT -k @it's\nHELP\nOPEN -ro\nOPEN -rw -sync -rw\nQUIT\n"
        "GET never\n");
    ck_assert_int_eq(bed.result.code, 1);
    ck_assert_str_eq(bed_body(2, &size), "Old Town");
    bed_check_request_line(3, "PUT /v1/kv/-k HTTP/1.1");
    ck_assert_str_eq(bed_body(3, &size), "@it's");
    ck_assert_uint_eq(fake_server_n_requests(bed.server), 4);
    ck_assert_str_eq(bed.result.err,
                     "rackkv: line 6: usage: OPEN [-rw] [-sync] (another server: rackkv --url URL shell)\n"
                     "rackkv: line 7: usage: OPEN [-rw] [-sync]\n");
    ck_assert_ptr_nonnull(strstr(bed.result.out, "'as it stands'"));
}
END_TEST

START_TEST(the_shell_quotes_as_other_shells_do)
{
    static const char *const values[][2] = {
        { "PUT k 'two  words'", "two  words" },
        { "PUT k 'a\\n\"b\"'", "a\\n\"b\"" },
        { "PUT k \"it\\'s\"", "it's" },
        { "PUT k \"'\"", "'" },
        { "PUT k ''", "" },
        { "PUT k don't", "don't" },
        { "PUT k C:\\x", "C:\\x" },
    };
    size_t size;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fake_server_answer_text(bed.server, "201 Created", SEQ, "");
        run_shell(values[i][0]);
        bed_check_result(0, "OK\n", "");
        ck_assert_str_eq(bed_body(i, &size), values[i][1]);
    }
    run_shell("PUT k 'it's'\n"); /* what stands behind a closing quote is no word */
    bed_check_result(1, "", "rackkv: line 1: column 11: after a closing quote comes a space\n");
}
END_TEST

START_TEST(the_shell_ends_where_there_is_no_server)
{
    char url[128];
    int fd = bed_reserve_port(url, sizeof url);

    setenv("RACKKV_URL", url, 1);
    run_shell("HELP\nOPEN\nGET a\n");
    ck_assert_int_eq(bed.result.code, 4);
    ck_assert_ptr_nonnull(strstr(bed.result.out, "DELETE KEY"));
    ck_assert_ptr_nonnull(strstr(bed.result.err, "line 2: "));
    ck_assert_ptr_null(strstr(bed.result.err, "line 3: "));
    close(fd);
}
END_TEST

/* A person at a terminal. */
struct terminal {
    int fd;
    pid_t pid;
    char seen[16384]; /* since the last expectation */
    size_t n_seen;
};

static void open_terminal(struct terminal *terminal)
{
    *terminal = (struct terminal){ .fd = -1 };
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, NULL);
    ck_assert_int_ge(terminal->pid, 0);
    if (terminal->pid == 0) {
        execl(PROGRAM, PROGRAM, NULL);
        _exit(127);
    }
}

/* Waits until the words were shown, and forgets what came before. */
static void expect(struct terminal *terminal, const char *words)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;
    char *found;

    while ((found = strstr(terminal->seen, words)) == NULL) {
        struct pollfd poll_fd = { .fd = terminal->fd, .events = POLLIN };
        size_t room = sizeof terminal->seen - 1 - terminal->n_seen;
        ssize_t n_read;

        ck_assert_msg(rk_time_monotonic_ns() < deadline && room > 0, "waited for %s, saw %s", words, terminal->seen);
        if (poll(&poll_fd, 1, 100) <= 0)
            continue;
        n_read = read(terminal->fd, terminal->seen + terminal->n_seen, room);
        ck_assert_msg(n_read > 0, "waited for %s, saw %s", words, terminal->seen);
        terminal->n_seen += (size_t)n_read;
        terminal->seen[terminal->n_seen] = '\0';
    }
    found += strlen(words);
    terminal->n_seen -= (size_t)(found - terminal->seen);
    memmove(terminal->seen, found, terminal->n_seen + 1);
}

static void type(const struct terminal *terminal, const char *text)
{
    ck_assert_int_eq(write(terminal->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void close_terminal(struct terminal *terminal, int code)
{
    int status;

    ck_assert_int_eq(waitpid(terminal->pid, &status, 0), terminal->pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), code);
    close(terminal->fd);
}

START_TEST(the_shell_at_a_terminal)
{
    struct terminal terminal;
    struct stat status;
    char *history;

    fake_server_answer_text(bed.server, "201 Created", SEQ, "");
    fake_server_answer_text(bed.server, "200 OK", SEQ, "\x1b[31mred\xc3\xa9");
    fake_server_answer_text(bed.server, "404 Not Found", SEQ, "");
    open_terminal(&terminal);
    expect(&terminal, "HELP lists the commands.");
    expect(&terminal, "rackkv> ");
    type(&terminal, "p\tkey value\r"); /* completes to "put " */
    expect(&terminal, "OK");
    expect(&terminal, "rackkv> ");
    type(&terminal, "GET key\r");
    expect(&terminal, "\\x1b[31mred\xc3\xa9");
    expect(&terminal, "rackkv> ");
    type(&terminal, "\x10\r"); /* Control-P: the line before */
    expect(&terminal, "not found");
    expect(&terminal, "rackkv> ");
    type(&terminal, "\t"); /* lists them */
    expect(&terminal, "PUT  GET  DELETE  EXISTS  INCR  APPEND  TOUCH  OPEN  HELP  EXIT");
    type(&terminal, "\x04");
    close_terminal(&terminal, 0);
    bed_check_request_line(0, "PUT /v1/kv/key HTTP/1.1");
    bed_check_request_line(2, "GET /v1/kv/key HTTP/1.1");
    history = bed_read_whole(bed_path(".rackkv_history"), NULL);
    ck_assert_ptr_nonnull(strstr(history, "put\\040key\\040value"));
    free(history);
    ck_assert_int_eq(stat(bed_path(".rackkv_history"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

/* NULL: the variable is not set at all. */
static const char *const locales[] = { "C", "POSIX", "xx_YY.UTF-8", "de_DE.ISO-8859-1", "", NULL, "C.UTF-8" };

#define N_LOCALES (sizeof locales / sizeof locales[0])

static void set_locale(const char *locale)
{
    unsetenv("LC_CTYPE");
    unsetenv("LANG");
    if (locale != NULL)
        setenv("LC_ALL", locale, 1);
    else
        unsetenv("LC_ALL");
}

START_TEST(the_shell_at_a_terminal_is_utf8_whatever_the_locale)
{
    for (size_t i = 0; i < N_LOCALES; i++) {
        struct terminal terminal;
        size_t size;

        set_locale(locales[i]);
        fake_server_answer_text(bed.server, "201 Created", SEQ, "");
        fake_server_answer_text(bed.server, "200 OK", SEQ, "\xe2\x82\xac \xff");
        open_terminal(&terminal);
        expect(&terminal, "rackkv> ");
        type(&terminal, "PUT citt\xc3\xa0 \"Krak\xc3\xb3w \xe2\x82\xac \xf0\x9f\x8c\x8d\"\r");
        expect(&terminal, "OK");
        expect(&terminal, "rackkv> ");
        type(&terminal, "GET k\r");
        expect(&terminal, "\xe2\x82\xac \\xff"); /* and what is printed is judged alike */
        expect(&terminal, "rackkv> ");
        type(&terminal, "\x10\x10\x1b[D!\r"); /* Control-P twice: PUT; an exclamation mark before the last quote */
        expect(&terminal, "rackkv> ");
        type(&terminal, "quit\r");
        close_terminal(&terminal, 0);
        bed_check_request_line(3 * i, "PUT /v1/kv/citt%C3%A0 HTTP/1.1");
        ck_assert_str_eq(bed_body(3 * i, &size), "Krak\xc3\xb3w \xe2\x82\xac \xf0\x9f\x8c\x8d");
        ck_assert_str_eq(bed_body(3 * i + 2, &size), "Krak\xc3\xb3w \xe2\x82\xac \xf0\x9f\x8c\x8d!");
    }
}
END_TEST

/* Also bytes that are no characters at all. */
START_TEST(the_shell_on_a_pipe_is_bytes_whatever_the_locale)
{
    for (size_t i = 0; i < N_LOCALES; i++) {
        static const char bytes[] = "Krak\xc3\xb3w\xff\xfe\x80\xc3\x01\xed\xa0\x80";
        char line[64];
        size_t size;

        set_locale(locales[i]);
        fake_server_answer_text(bed.server, "201 Created", SEQ, "");
        fake_server_answer_text(bed.server, "200 OK", SEQ, bytes);
        (void)snprintf(line, sizeof line, "PUT \xe9 %s\nGET \xe9\n", bytes);
        run_shell(line);
        ck_assert_int_eq(bed.result.code, 0);
        bed_check_request_line(2 * i, "PUT /v1/kv/%E9 HTTP/1.1");
        ck_assert_str_eq(bed_body(2 * i, &size), bytes);
        (void)snprintf(line, sizeof line, "OK\n%s\n", bytes);
        ck_assert_str_eq(bed.result.out, line);
    }
}
END_TEST

START_TEST(the_history_is_there_the_next_time_or_not_at_all)
{
    struct terminal terminal;

    setenv("RACKKV_HISTORY", bed_path("history"), 1);
    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "help\r");
    expect(&terminal, "leave");
    expect(&terminal, "rackkv> ");
    type(&terminal, "EXIT\r");
    close_terminal(&terminal, 0);

    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "\x10\x10\r"); /* before EXIT came help */
    expect(&terminal, "leave");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);

    ck_assert_int_eq(mkfifo(bed_path("fifo"), 0600), 0);
    setenv("RACKKV_HISTORY", bed_path("fifo"), 1);
    open_terminal(&terminal);
    expect(&terminal, "is a FIFO, not a file; no history is kept");
    expect(&terminal, "rackkv> ");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);

    setenv("RACKKV_HISTORY", "", 1);
    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);
    unsetenv("RACKKV_HISTORY");
    unsetenv("HOME");
    open_terminal(&terminal);
    expect(&terminal, "rackkv> ");
    type(&terminal, "exit\r");
    close_terminal(&terminal, 0);
    ck_assert_int_ne(access(bed_path(".rackkv_history"), F_OK), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("rackkv_shell");
    TCase *tcase = tcase_create("rackkv_shell");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, bed_set_up, bed_tear_down);
    tcase_add_test(tcase, the_shell_runs_a_pipe_over_one_connection);
    tcase_add_test(tcase, the_shell_goes_on_after_a_failure_and_remembers_it);
    tcase_add_test(tcase, the_shell_takes_the_originals_lines);
    tcase_add_test(tcase, the_shell_quotes_as_other_shells_do);
    tcase_add_test(tcase, the_shell_ends_where_there_is_no_server);
    tcase_add_test(tcase, the_shell_at_a_terminal);
    tcase_add_test(tcase, the_shell_at_a_terminal_is_utf8_whatever_the_locale);
    tcase_add_test(tcase, the_shell_on_a_pipe_is_bytes_whatever_the_locale);
    tcase_add_test(tcase, the_history_is_there_the_next_time_or_not_at_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
