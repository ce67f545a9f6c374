/* The verbs while the server recovers, over a real socket: the store is open, the rest is not there yet. */
#include "base/base_detail.h"
#include "base/base_unix.h"
#include "control/control.h"
#include "control/control_check.h"
#include "log/log_store.h"
#include "rackkv/control.h"
#include "shm/shm_handover.h"
#include "stats/stats_block.h"
#include "test_dir.h"
#include "test_main.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_SLOTS 2u

static char *dir;
static char path[512];
static struct rk_log_store *store;
static struct rk_board *board;
static struct rk_stats_block *stats;
static struct rk_control *control;
static FILE *answers;

static void set_up(void)
{
    struct rk_control_settings settings = {
        .socket_path = path, .urls = { "http://here" }, .n_urls = 1, .n_slots = N_SLOTS
    };
    struct rk_detail detail = { "" };
    int fd;

    dir = test_dir_create();
    (void)snprintf(path, sizeof path, "%s/control.sock", dir);
    ck_assert_int_eq(rk_log_store_open(&store, dir, &detail), RK_OK);
    board = aligned_alloc(64, sizeof *board + N_SLOTS * sizeof board->slots[0]);
    stats = aligned_alloc(64, rk_stats_block_bytes(N_SLOTS));
    memset(board, 0, sizeof *board + N_SLOTS * sizeof board->slots[0]);
    memset(stats, 0, rk_stats_block_bytes(N_SLOTS));
    rk_stats_block_init(stats, N_SLOTS);
    settings.board = board;
    settings.stats = stats;
    settings.store = store;
    ck_assert_int_eq(rk_control_start(&control, &settings, &detail), RK_OK);
    ck_assert_int_eq(rk_unix_connect(path, &fd, &detail), RK_OK);
    answers = fdopen(fd, "r");
}

static void tear_down(void)
{
    fclose(answers);
    rk_control_stop(&control);
    rk_log_store_close(&store);
    free(board);
    free(stats);
    test_dir_remove(&dir);
}

/* To be given back. */
static json_t *ask(const char *request)
{
    char *line = NULL;
    size_t capacity = 0;
    json_t *answer;

    ck_assert_int_eq(send(fileno(answers), request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    ck_assert_int_eq(send(fileno(answers), "\n", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_gt(getline(&line, &capacity, answers), 0);
    answer = json_loads(line, 0, NULL);
    ck_assert(json_is_object(answer));
    ck_assert(json_is_boolean(json_object_get(answer, "ok")));
    free(line);
    return answer;
}

static void check_member(const json_t *answer, const char *name, const char *text)
{
    ck_assert_pstr_eq(json_string_value(json_object_get(answer, name)), text);
}

static void check_refused(const char *request, const char *error)
{
    json_t *answer = ask(request);

    ck_assert(json_is_false(json_object_get(answer, "ok")));
    check_member(answer, "error", error);
    ck_assert_uint_gt(json_string_length(json_object_get(answer, "detail")), 10);
    json_decref(answer);
}

static void check_detail(const char *request, const char *text)
{
    json_t *answer = ask(request);

    ck_assert(json_is_false(json_object_get(answer, "ok")));
    check_member(answer, "detail", text);
    json_decref(answer);
}

START_TEST(recovery_can_be_watched)
{
    json_t *answer = ask("{\"command\":\"ping\"}"), *recovery;

    check_member(answer, "state", "recovering");
    ck_assert_int_eq(json_integer_value(json_object_get(answer, "pid")), getpid());
    json_decref(answer);
    atomic_store(&board->recovery.done_bytes, 5);
    atomic_store(&board->recovery.total_bytes, 10);
    atomic_store(&board->recovery.n_records, 3);
    answer = ask("{\"command\":\"status\"}");
    check_member(answer, "state", "recovering");
    check_member(answer, "data_dir", dir);
    check_member(json_object_get(answer, "urls"), "x", NULL);
    recovery = json_object_get(answer, "recovery");
    ck_assert_int_eq(json_integer_value(json_object_get(recovery, "done_bytes")), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(recovery, "total_bytes")), 10);
    ck_assert_int_eq(json_integer_value(json_object_get(recovery, "records")), 3);
    ck_assert_ptr_null(json_object_get(answer, "keys"));
    json_decref(answer);
    answer = ask("{\"command\":\"version\"}");
    check_member(answer, "version", PACKAGE_VERSION);
    json_decref(answer);
}
END_TEST

START_TEST(counters_are_shown_meanwhile)
{
    json_t *answer, *worker;

    rk_counter_add(&stats->writer.puts, 7);
    rk_counter_set(&stats->writer.grace_last_ns, 1500000000);
    rk_counter_add(&stats->slots[1].client.hits, 11);
    rk_counter_add(&stats->slots[1].http.requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_404], 3);
    rk_counter_add(&stats->slots[1].http.requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_OTHER], 4);
    answer = ask("{\"command\":\"stats\"}");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(answer, "writer"), "puts")), 7);
    ck_assert_double_eq(json_real_value(json_object_get(json_object_get(answer, "writer"), "grace_last_seconds")), 1.5);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "workers")), N_SLOTS);
    worker = json_array_get(json_object_get(answer, "workers"), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(worker, "hits")), 11);
    worker = json_object_get(json_object_get(worker, "requests"), "get");
    ck_assert_uint_eq(json_object_size(worker), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(worker, "404")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(worker, "other")), 4);
    json_decref(answer);
}
END_TEST

START_TEST(what_needs_data_is_told_to_wait)
{
    static const char *const commands[] = { "roll",          "sync",         "whereis",       "file list",
                                            "explain-space", "merge start",  "merge pause",   "merge resume",
                                            "merge cancel",  "merge status", "merge history", "merge rate" };
    char request[128];

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)snprintf(request, sizeof request, "{\"command\":\"%s\"}", commands[i]);
        check_refused(request, "recovering");
    }
}
END_TEST

START_TEST(what_is_no_command_is_refused)
{
    char request[2100];

    check_refused("{}", "usage");
    check_refused("{\"command\":7}", "usage");
    check_refused("{\"command\":[\"ping\"]}", "usage");
    check_refused("{\"command\":\"\"}", "unknown_command");
    check_refused("{\"command\":\"Ping\"}", "unknown_command");
    check_refused("{\"command\":\"merge\"}", "unknown_command");
    check_detail("{\"command\":\"staus\"}", "there is no command 'staus'; did you mean 'status'?");
    check_detail("{\"command\":\"merge stop\",\"x\":1}",
                 "there is no command 'merge stop'; did you mean 'merge start'?");
    check_detail("{\"command\":\"frobnicate\"}", "there is no command 'frobnicate'; doc/control.md lists them");
    (void)snprintf(request, sizeof request, "{\"command\":\"%02000d%%s%%n\"}", 0);
    check_refused(request, "unknown_command");
    strcpy(request, "{\"command\":\"x"); /* is cut in the middle of a character */
    for (unsigned i = 0; i < 50; i++)
        strcat(request, "\xc3\xa4");
    strcat(request, "\"}");
    check_refused(request, "unknown_command");
}
END_TEST

/* Members and types are checked before anything else: also of what has to wait for the recovery. */
START_TEST(members_that_a_verb_does_not_have_are_refused)
{
    static const char *const refused[][2] = {
        { "{\"command\":\"ping\",\"x\":1}", "ping has no member \"x\": it takes none" },
        { "{\"command\":\"roll\",\"dry_run\":true}", "roll has no member \"dry_run\": it takes none" },
        { "{\"command\":\"sync\",\"\":null}", "sync has no member \"\": it takes none" },
        { "{\"command\":\"merge pause\",\"seconds\":60}", "merge pause has no member \"seconds\": it takes none" },
        { "{\"command\":\"merge start\",\"all\":true,\"dry_run\":true}",
          "merge start has no member \"dry_run\": it takes \"files\", \"all\"" },
        { "{\"command\":\"merge start\",\"file\":[1]}", "merge start has no member \"file\"; did you mean \"files\"?" },
        { "{\"command\":\"merge rate\",\"bytes_per_secnd\":5}",
          "merge rate has no member \"bytes_per_secnd\"; did you mean \"bytes_per_second\"?" },
        { "{\"command\":\"whereis\",\"key\":\"k\",\"Command\":\"ping\"}",
          "whereis has no member \"Command\": it takes \"key\", \"key64\"" },
        { "{\"command\":\"version\",\"a\":{\"b\":[[[[{\"c\":1}]]]]}}", "version has no member \"a\": it takes none" },
    };

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        check_refused(refused[i][0], "usage");
        check_detail(refused[i][0], refused[i][1]);
    }
}
END_TEST

#define FLAG_TEXT   "true or false"
#define NUMBER_TEXT "a whole number from 0 on"
#define FILES_TEXT  "a list of numbers of data files, as [1, 2]"

START_TEST(members_of_another_type_are_refused)
{
    static const struct {
        const char *verb, *member, *value, *type;
    } refused[] = {
        { "merge start", "all", "1", FLAG_TEXT },
        { "merge start", "all", "\"yes\"", FLAG_TEXT },
        { "merge start", "all", "null", FLAG_TEXT },
        { "merge start", "files", "1", FILES_TEXT },
        { "merge start", "files", "{\"1\":1}", FILES_TEXT },
        { "merge start", "files", "[0]", FILES_TEXT },
        { "merge start", "files", "[1,-1]", FILES_TEXT },
        { "merge start", "files", "[4294967296]", FILES_TEXT },
        { "merge start", "files", "[1.0]", FILES_TEXT },
        { "merge start", "files", "[[1]]", FILES_TEXT },
        { "merge rate", "bytes_per_second", "-1", NUMBER_TEXT },
        { "merge rate", "bytes_per_second", "1.5", NUMBER_TEXT },
        { "merge rate", "bytes_per_second", "\"1MiB\"", NUMBER_TEXT },
        { "merge rate", "paced", "0", FLAG_TEXT },
        { "whereis", "key", "7", "a string" },
        { "whereis", "key64", "[\"a\"]", "a string" },
    };
    char request[128], expected[128];

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        (void)snprintf(request, sizeof request, "{\"command\":\"%s\",\"%s\":%s}", refused[i].verb, refused[i].member,
                       refused[i].value);
        (void)snprintf(expected, sizeof expected, "\"%s\" of %s is %s", refused[i].member, refused[i].verb,
                       refused[i].type);
        check_refused(request, "usage");
        check_detail(request, expected);
    }
    check_refused("{\"command\":\"merge start\",\"all\":true,\"all\":false}", "usage"); /* twice */
    check_refused("{\"command\":\"merge start\",\"files\":[1,2,4294967295],\"all\":false}", "recovering");
    check_refused("{\"command\":\"merge rate\",\"bytes_per_second\":0,\"paced\":true}", "recovering");
}
END_TEST

/* The page with one space for each stretch of spaces and line ends; to be freed. */
static char *read_page(void)
{
    FILE *file = fopen(TOP_SRCDIR "/doc/control.md", "re");
    char *page = calloc(1, 1 << 20), *end = page;
    int c, last = ' ';

    ck_assert_ptr_nonnull(file);
    while ((c = getc(file)) != EOF && end - page < (1 << 20) - 1) {
        c = c == '\n' ? ' ' : c;
        if (c != ' ' || last != ' ')
            *end++ = (char)c;
        last = c;
    }
    fclose(file);
    ck_assert_int_gt(end - page, 1000);
    return page;
}

/* Which verbs may have to wait is promised there, in the table's order: (`roll`, `sync`, ...). */
START_TEST(the_page_says_who_may_have_to_wait)
{
    char list[512] = "", *page = read_page();

    for (enum rk_control_verb_id verb = 0; verb < RK_CONTROL_N_VERBS; verb++)
        if (rk_control_verb_may_wait(verb))
            (void)sprintf(list + strlen(list), "%s`%s`", list[0] != '\0' ? ", " : "(", rk_control_verb_name(verb));
    strcat(list, ")");
    ck_assert_msg(strstr(page, list) != NULL, "doc/control.md does not say %s", list);
    free(page);
}
END_TEST

/* doc/control.md says each verb and each member of the tables: as {"command":"verb", and as "member". */
START_TEST(the_page_has_every_verb_and_member)
{
    static const char *const words[] = {
#define VERB_WORD(id, name, while_recovering, may_wait) "{\"command\":\"" name "\"",
        RK_CONTROL_VERB_TABLE(VERB_WORD)
#undef VERB_WORD
#define MEMBER_WORD(verb, name, type, text) "\"" name "\"",
            RK_CONTROL_MEMBER_TABLE(MEMBER_WORD)
#undef MEMBER_WORD
    };
    char *page = read_page();

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ck_assert_msg(strstr(page, words[i]) != NULL, "doc/control.md does not say %s", words[i]);
    free(page);
}
END_TEST

START_TEST(the_page_says_each_member_of_answers)
{
    static const char *const members[] = { RK_CONTROL_ANSWER_MEMBERS };
    char *page = read_page();

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char quoted[64], code[64];

        snprintf(quoted, sizeof quoted, "\"%s\"", members[i]);
        snprintf(code, sizeof code, "`%s`", members[i]);
        ck_assert_msg(strstr(page, quoted) != NULL || strstr(page, code) != NULL, "doc/control.md does not say %s",
                      members[i]);
    }
    free(page);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("control_verbs");
    TCase *tcase = tcase_create("control_verbs");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, recovery_can_be_watched);
    tcase_add_test(tcase, counters_are_shown_meanwhile);
    tcase_add_test(tcase, what_needs_data_is_told_to_wait);
    tcase_add_test(tcase, what_is_no_command_is_refused);
    tcase_add_test(tcase, members_that_a_verb_does_not_have_are_refused);
    tcase_add_test(tcase, members_of_another_type_are_refused);
    tcase_add_test(tcase, the_page_says_who_may_have_to_wait);
    tcase_add_test(tcase, the_page_has_every_verb_and_member);
    tcase_add_test(tcase, the_page_says_each_member_of_answers);
    suite_add_tcase(suite, tcase);
    return suite;
}
