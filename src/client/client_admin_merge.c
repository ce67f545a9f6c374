/* The verbs of merging. */
#include "client/client_admin.h"

#include "base/base_mem.h"
#include "base/base_plural.h"
#include "client/client_figure.h"
#include "client/client_progress.h"
#include "client/client_table.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_MS  100
#define LOOKS_PER_LINE 50 /* without a terminal */

void rk_client_admin_print_rate(const json_t *answer)
{
    uint64_t rate = rk_client_admin_number(answer, RK_CONTROL_RATE_BYTES_PER_SECOND);
    char text[RK_CLIENT_FIGURE_BYTES];

    if (rate > 0)
        printf("rate: at most %s/s%s\n", rk_client_figure_size(rate, text),
               rk_client_admin_flag(answer, RK_CONTROL_PACED) ? ", yields to requests" : "");
    else
        printf("rate: %s\n", rk_client_admin_flag(answer, RK_CONTROL_PACED) ? "yields to requests" : "unlimited");
}

static void show_current(const json_t *merge)
{
    uint64_t total = rk_client_admin_number(merge, RK_CONTROL_TOTAL_BYTES),
             read = rk_client_admin_number(merge, RK_CONTROL_READ_BYTES);
    uint64_t n_files = rk_client_admin_number(merge, RK_CONTROL_FILES);
    char total_text[RK_CLIENT_FIGURE_BYTES], written[RK_CLIENT_FIGURE_BYTES], elapsed[RK_CLIENT_FIGURE_BYTES];

    printf("merge %" PRIu64 " (%s): %" PRIu64 " file%s, %" PRIu64 " %% of %s read, %s written, for %s\n",
           rk_client_admin_number(merge, RK_CONTROL_ID), rk_client_admin_text(merge, RK_CONTROL_CAUSE), n_files,
           rk_plural(n_files), total > 0 ? read * 100 / total : 0, rk_client_figure_size(total, total_text),
           rk_client_figure_size(rk_client_admin_number(merge, RK_CONTROL_WRITTEN_BYTES), written),
           rk_client_figure_duration(rk_client_admin_real(merge, RK_CONTROL_ELAPSED_SECONDS), elapsed));
}

static void show_merging(const struct rk_client_admin *admin, const json_t *answer)
{
    const json_t *current = json_object_get(answer, RK_CONTROL_CURRENT);
    bool paused = rk_client_admin_flag(answer, RK_CONTROL_PAUSED);
    char next[RK_CLIENT_FIGURE_BYTES];

    printf("%s%s", rk_client_admin_text(answer, RK_CONTROL_STATE), paused ? ", paused" : "");
    if (json_is_null(current) && !paused)
        printf(", next look in %s",
               rk_client_figure_duration(rk_client_admin_real(answer, RK_CONTROL_NEXT_CHECK_SECONDS), next));
    puts("");
    if (json_is_object(current))
        show_current(current);
    rk_client_admin_print_rate(answer);
}

static enum rk_client_exit ask_merging(const struct rk_client_admin *admin, enum rk_control_verb_id verb)
{
    return rk_client_admin_show(admin, rk_client_admin_request(verb), show_merging);
}

enum rk_client_exit rk_client_admin_merge_status(const struct rk_client_admin *admin,
                                                 const struct rk_client_admin_words *words)
{
    return ask_merging(admin, RK_CONTROL_VERB_MERGE_STATUS);
}

enum rk_client_exit rk_client_admin_merge_pause(const struct rk_client_admin *admin,
                                                const struct rk_client_admin_words *words)
{
    return ask_merging(admin, RK_CONTROL_VERB_MERGE_PAUSE);
}

enum rk_client_exit rk_client_admin_merge_resume(const struct rk_client_admin *admin,
                                                 const struct rk_client_admin_words *words)
{
    return ask_merging(admin, RK_CONTROL_VERB_MERGE_RESUME);
}

/* It ends at its next piece; by now it may have. */
static void show_cancelling(const struct rk_client_admin *admin, const json_t *answer)
{
    const json_t *current = json_object_get(answer, RK_CONTROL_CURRENT);

    if (json_is_object(current))
        printf("merge %" PRIu64 " is being cancelled\n", rk_client_admin_number(current, RK_CONTROL_ID));
    else
        puts("cancelled");
}

enum rk_client_exit rk_client_admin_merge_cancel(const struct rk_client_admin *admin,
                                                 const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_MERGE_CANCEL), show_cancelling);
}

/* ---- history ---- */

/* What was given back; a merge of small files may take a little. */
static const char *figure_signed(const struct rk_client_admin *admin, const json_t *merge, const char *name,
                                 char text_out[RK_CLIENT_FIGURE_BYTES])
{
    int64_t bytes = (int64_t)rk_client_admin_number(merge, name);
    char digits[RK_CLIENT_FIGURE_BYTES];

    rk_client_figure_bytes((uint64_t)(bytes < 0 ? -bytes : bytes), admin->exact, digits);
    (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%s%.30s", bytes < 0 ? "-" : "", digits);
    return text_out;
}

static void add_merge_row(const struct rk_client_admin *admin, struct rk_client_table *table, const json_t *merge)
{
    char text[RK_CLIENT_FIGURE_BYTES];

    rk_client_table_add(table, "%" PRIu64, rk_client_admin_number(merge, RK_CONTROL_ID));
    rk_client_table_add(table, "%s", rk_client_admin_text(merge, RK_CONTROL_STATE));
    rk_client_table_add(table, "%s", rk_client_admin_text(merge, RK_CONTROL_CAUSE));
    rk_client_table_add(table, "%s", rk_client_figure_time(rk_client_admin_number(merge, RK_CONTROL_STARTED_MS), text));
    rk_client_table_add(table, "%s",
                        rk_client_figure_duration(rk_client_admin_real(merge, RK_CONTROL_ELAPSED_SECONDS), text));
    rk_client_table_add(table, "%" PRIu64, rk_client_admin_number(merge, RK_CONTROL_FILES));
    rk_client_table_add(
        table, "%s", rk_client_figure_bytes(rk_client_admin_number(merge, RK_CONTROL_READ_BYTES), admin->exact, text));
    rk_client_table_add(
        table, "%s",
        rk_client_figure_bytes(rk_client_admin_number(merge, RK_CONTROL_WRITTEN_BYTES), admin->exact, text));
    rk_client_table_add(table, "%s", figure_signed(admin, merge, RK_CONTROL_RECLAIMED_BYTES, text));
}

static void show_history(const struct rk_client_admin *admin, const json_t *answer)
{
    static const char *const heads[] = { ">ID",    "STATE", "CAUSE",    "BEGAN",      ">TOOK",
                                         ">FILES", ">READ", ">WRITTEN", ">RECLAIMED", NULL };
    const json_t *merges = json_object_get(answer, RK_CONTROL_MERGES), *merge;
    struct rk_client_table *table;
    size_t i;

    if (json_array_size(merges) == 0) {
        puts("no merge since the server was started");
        return;
    }
    table = rk_client_table_create(heads);
    json_array_foreach(merges, i, merge) add_merge_row(admin, table, merge);
    rk_client_table_print(table, stdout, admin->terminal);
    rk_client_table_destroy(&table);
    json_array_foreach(merges, i, merge) if (rk_client_admin_text(merge, RK_CONTROL_WHY)[0] != '\0') printf(
        "%" PRIu64 ": %s\n", rk_client_admin_number(merge, RK_CONTROL_ID), rk_client_admin_text(merge, RK_CONTROL_WHY));
}

enum rk_client_exit rk_client_admin_merge_history(const struct rk_client_admin *admin,
                                                  const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_MERGE_HISTORY), show_history);
}

/* ---- start, and wait ---- */

/* merging [############--------------------]  37 %, 1.20 GiB written */
static void show_progress(const json_t *merging, unsigned n_looks, bool *bar_is_shown)
{
    const json_t *merge = json_object_get(merging, RK_CONTROL_CURRENT);
    uint64_t total = rk_client_admin_number(merge, RK_CONTROL_TOTAL_BYTES),
             read = rk_client_admin_number(merge, RK_CONTROL_READ_BYTES);
    unsigned percent = total > 0 ? (unsigned)(read * 100 / total) : 0;
    char written[RK_CLIENT_FIGURE_BYTES], cells[RK_CLIENT_PROGRESS_CELLS + 1];
    const char *paused = rk_client_admin_flag(merging, RK_CONTROL_PAUSED) ? ", paused" : "";

    rk_client_figure_size(rk_client_admin_number(merge, RK_CONTROL_WRITTEN_BYTES), written);
    rk_client_progress_bar(percent, cells);
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[Kmerging [%s] %3u %%, %s written%s", cells, percent, written, paused);
        *bar_is_shown = true;
    } else if (n_looks % LOOKS_PER_LINE == LOOKS_PER_LINE - 1) {
        fprintf(stderr, "rackkvctl: merging: %u %%, %s written%s\n", percent, written, paused);
    }
}

/* The merge of that number in the history; NULL while it is not there. */
static json_t *find_in_history(const json_t *history, uint64_t id)
{
    json_t *merge;
    size_t i;

    json_array_foreach(json_object_get(history, RK_CONTROL_MERGES), i,
                       merge) if (rk_client_admin_number(merge, RK_CONTROL_ID) == id) return json_incref(merge);
    return NULL;
}

/* Looks once: whether it is over (*merge_out), or how far it is. */
static enum rk_client_exit look_at_merge(const struct rk_client_admin *admin, uint64_t id, unsigned n_looks,
                                         bool *bar_is_shown, json_t **merge_out)
{
    json_t *answer;
    enum rk_client_exit code =
        rk_client_admin_ask(admin, rk_client_admin_request(RK_CONTROL_VERB_MERGE_STATUS), &answer);
    bool is_lost;

    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    if (rk_client_admin_number(json_object_get(answer, RK_CONTROL_CURRENT), RK_CONTROL_ID) == id) {
        show_progress(answer, n_looks, bar_is_shown);
        json_decref(answer);
        return code;
    }
    json_decref(answer);
    code = rk_client_admin_ask(admin, rk_client_admin_request(RK_CONTROL_VERB_MERGE_HISTORY), &answer);
    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    *merge_out = find_in_history(answer, id);
    is_lost =
        *merge_out == NULL && json_array_size(json_object_get(answer, RK_CONTROL_MERGES)) > 0
        && rk_client_admin_number(json_array_get(json_object_get(answer, RK_CONTROL_MERGES), 0), RK_CONTROL_ID) > id;
    json_decref(answer);
    return is_lost ? rk_client_admin_fail(admin->json, RK_CLIENT_EXIT_FAILED, "failed",
                                          "the merge is over, and forgotten: so many came after it")
                   : code;
}

static void report_done(const json_t *merge)
{
    int64_t reclaimed = (int64_t)rk_client_admin_number(merge, RK_CONTROL_RECLAIMED_BYTES);
    uint64_t n_files = rk_client_admin_number(merge, RK_CONTROL_FILES);
    uint64_t n_kept = rk_client_admin_number(merge, RK_CONTROL_RECORDS_COPIED);
    char size[RK_CLIENT_FIGURE_BYTES], took[RK_CLIENT_FIGURE_BYTES];

    printf("merged %" PRIu64 " file%s in %s: %s %s, %" PRIu64 " record%s kept, %" PRIu64 " dropped\n", n_files,
           rk_plural(n_files), rk_client_figure_duration(rk_client_admin_real(merge, RK_CONTROL_ELAPSED_SECONDS), took),
           rk_client_figure_size((uint64_t)(reclaimed < 0 ? -reclaimed : reclaimed), size),
           reclaimed < 0 ? "more than before" : "given back", n_kept, rk_plural(n_kept),
           rk_client_admin_number(merge, RK_CONTROL_RECORDS_DROPPED));
}

static enum rk_client_exit report_merge(const struct rk_client_admin *admin, json_t *merge)
{
    const char *state = rk_client_admin_text(merge, RK_CONTROL_STATE),
               *why = rk_client_admin_text(merge, RK_CONTROL_WHY);
    bool done = strcmp(state, "done") == 0;
    json_t *answer;

    if (admin->json) {
        answer = json_pack("{s:b, s:O}", RK_CONTROL_OK, done, RK_CONTROL_MERGE, merge);
        rk_client_admin_print_json(answer);
        json_decref(answer);
    } else if (done) {
        report_done(merge);
    } else {
        fprintf(stderr, "rackkvctl: the merge was %s%s%s\n",
                strcmp(state, "failed") == 0 ? "ended by a failure" : state, why[0] != '\0' ? ": " : "", why);
    }
    return done ? RK_CLIENT_EXIT_DONE : RK_CLIENT_EXIT_FAILED;
}

static enum rk_client_exit wait_for_merge(const struct rk_client_admin *admin, uint64_t id)
{
    enum rk_client_exit code = RK_CLIENT_EXIT_DONE;
    bool bar_is_shown = false;
    json_t *merge = NULL;

    for (unsigned n_looks = 0; code == RK_CLIENT_EXIT_DONE && merge == NULL; n_looks++) {
        code = look_at_merge(admin, id, n_looks, &bar_is_shown, &merge);
        if (code == RK_CLIENT_EXIT_DONE && merge == NULL)
            (void)poll(NULL, 0, LOOK_EVERY_MS); /* a pause */
    }
    if (bar_is_shown)
        fputs("\r\033[K", stderr);
    if (merge != NULL)
        code = report_merge(admin, merge);
    json_decref(merge);
    return code;
}

/* The operands are numbers of data files. */
static json_t *make_start_request(const struct rk_client_admin_words *words)
{
    json_t *files = json_array(), *request;

    for (size_t i = 0; i < words->n_operands; i++) {
        const char *text = words->operands[i];

        if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10) {
            json_decref(files);
            return NULL;
        }
        json_array_append_new(files, json_integer((json_int_t)strtoull(text, NULL, 10)));
    }
    request = rk_client_admin_request(RK_CONTROL_VERB_MERGE_START);
    json_object_set_new(request, RK_CONTROL_FILES, files);
    json_object_set_new(request, RK_CONTROL_ALL, json_boolean(words->all));
    return request;
}

enum rk_client_exit rk_client_admin_merge_start(const struct rk_client_admin *admin,
                                                const struct rk_client_admin_words *words)
{
    json_t *request = make_start_request(words), *answer;
    enum rk_client_exit code;
    uint64_t id;

    if (request == NULL || (words->all && words->n_operands > 0)) {
        json_decref(request);
        return rk_client_admin_fail(admin->json, RK_CLIENT_EXIT_USAGE, "usage",
                                    "merge start takes numbers of data files, as in file list, or --all, or neither");
    }
    code = rk_client_admin_ask(admin, request, &answer);
    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    id = rk_client_admin_number(answer, RK_CONTROL_ID);
    if (!words->wait && admin->json)
        rk_client_admin_print_json(answer);
    else if (!words->wait)
        printf("merge %" PRIu64 " begins; merge status says how far it is\n", id);
    json_decref(answer);
    return words->wait ? wait_for_merge(admin, id) : code;
}
