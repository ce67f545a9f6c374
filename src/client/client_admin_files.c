/* roll, sync, file list, explain-space, whereis. */
#include "client/client_admin.h"

#include "base/base_plural.h"
#include "client/client_figure.h"
#include "client/client_table.h"
#include "client/client_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void show_roll(const struct rk_client_admin *admin, const json_t *answer)
{
    if (rk_client_admin_flag(answer, RK_CONTROL_ROLLED))
        printf("sealed data file %" PRIu64 "; writing to %" PRIu64 "\n",
               rk_client_admin_number(answer, RK_CONTROL_SEALED), rk_client_admin_number(answer, RK_CONTROL_ACTIVE));
    else
        printf("nothing to seal: data file %" PRIu64 " has no record yet\n",
               rk_client_admin_number(answer, RK_CONTROL_ACTIVE));
}

enum rk_client_exit rk_client_admin_roll(const struct rk_client_admin *admin, const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_ROLL), show_roll);
}

static void show_sync(const struct rk_client_admin *admin, const json_t *answer)
{
    printf("durable up to sequence %" PRIu64 "\n", rk_client_admin_number(answer, RK_CONTROL_DURABLE_SEQUENCE));
}

enum rk_client_exit rk_client_admin_sync(const struct rk_client_admin *admin, const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_SYNC), show_sync);
}

static void show_reopen(const struct rk_client_admin *admin, const json_t *answer)
{
    printf("%s is opened again\n", rk_client_admin_text(answer, RK_CONTROL_LOG_FILE));
}

enum rk_client_exit rk_client_admin_reopen(const struct rk_client_admin *admin,
                                           const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_REOPEN), show_reopen);
}

static void add_bytes(const struct rk_client_admin *admin, struct rk_client_table *table, const json_t *file,
                      const char *name)
{
    char text[RK_CLIENT_FIGURE_BYTES];

    rk_client_table_add(table, "%s", rk_client_figure_bytes(rk_client_admin_number(file, name), admin->exact, text));
}

/* "1..312"; "313.." of the active file, whose last one is not settled; "-" without any. */
static void add_sequences(struct rk_client_table *table, const json_t *file)
{
    uint64_t first = rk_client_admin_number(file, RK_CONTROL_FIRST_SEQUENCE);

    if (json_object_get(file, RK_CONTROL_FIRST_SEQUENCE) == NULL)
        rk_client_table_add(table, "-");
    else if (json_object_get(file, RK_CONTROL_LAST_SEQUENCE) == NULL)
        rk_client_table_add(table, "%" PRIu64 "..", first);
    else
        rk_client_table_add(table, "%" PRIu64 "..%" PRIu64, first,
                            rk_client_admin_number(file, RK_CONTROL_LAST_SEQUENCE));
}

static void print_expiry_note(const json_t *answer)
{
    const char *note = rk_client_admin_text(answer, RK_CONTROL_EXPIRY_NOTE);

    if (note[0] != '\0')
        printf("Of what has expired not all is known: %s.\n", note);
}

static void show_files(const struct rk_client_admin *admin, const json_t *answer)
{
    static const char *const heads[] = { ">FILE",    ">SIZE", ">LIVE", ">DEAD",     ">TOMBSTONES",
                                         ">RECORDS", "HINT",  "STATE", "SEQUENCES", NULL };
    static const char *const columns[] = { RK_CONTROL_SIZE, RK_CONTROL_LIVE_BYTES, RK_CONTROL_DEAD_BYTES,
                                           RK_CONTROL_TOMBSTONE_BYTES };
    struct rk_client_table *table = rk_client_table_create(heads);
    const json_t *file;
    size_t i;

    json_array_foreach(json_object_get(answer, RK_CONTROL_FILES), i, file)
    {
        rk_client_table_add(table, "%" PRIu64, rk_client_admin_number(file, RK_CONTROL_FILE));
        for (size_t j = 0; j < sizeof columns / sizeof columns[0]; j++)
            add_bytes(admin, table, file, columns[j]);
        rk_client_table_add(table, "%" PRIu64, rk_client_admin_number(file, RK_CONTROL_RECORDS));
        rk_client_table_add(table, "%s", rk_client_admin_flag(file, RK_CONTROL_HINT) ? "yes" : "-");
        rk_client_table_add(table, "%s",
                            rk_client_admin_flag(file, RK_CONTROL_ACTIVE) ? RK_CONTROL_ACTIVE : RK_CONTROL_SEALED);
        add_sequences(table, file);
    }
    rk_client_table_print(table, stdout, admin->terminal);
    rk_client_table_destroy(&table);
    print_expiry_note(answer);
}

enum rk_client_exit rk_client_admin_file_list(const struct rk_client_admin *admin,
                                              const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_FILE_LIST), show_files);
}

/* ---- explain-space ---- */

static const char *const space_columns[] = {
    RK_CONTROL_SIZE,          RK_CONTROL_LIVE_BYTES,      RK_CONTROL_OVERWRITTEN_BYTES, RK_CONTROL_DELETED_BYTES,
    RK_CONTROL_EXPIRED_BYTES, RK_CONTROL_TOMBSTONE_BYTES, RK_CONTROL_FRAME_BYTES,       RK_CONTROL_PREALLOCATED_BYTES
};

#define N_SPACE_COLUMNS (sizeof space_columns / sizeof space_columns[0])

static void add_space_total(const struct rk_client_admin *admin, struct rk_client_table *table, const json_t *files)
{
    char text[RK_CLIENT_FIGURE_BYTES];

    rk_client_table_add(table, "all");
    for (size_t column = 0; column < N_SPACE_COLUMNS; column++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < json_array_size(files); i++)
            sum += rk_client_admin_number(json_array_get(files, i), space_columns[column]);
        rk_client_table_add(table, "%s", rk_client_figure_bytes(sum, admin->exact, text));
    }
    rk_client_table_add(table, "%s", "");
}

/* Each reason that stands in the table, once, with its sentence; and what a merge would give back. */
static void explain_reasons(const json_t *files)
{
    json_t *seen = json_object();
    uint64_t gain = 0, n_eligible = 0;
    char text[RK_CLIENT_FIGURE_BYTES];
    const char *reason;
    const json_t *file;
    json_t *why;
    size_t i;

    json_array_foreach(files, i, file)
    {
        json_object_set(seen, rk_client_admin_text(file, RK_CONTROL_REASON), json_object_get(file, RK_CONTROL_WHY));
        gain += rk_client_admin_number(file, RK_CONTROL_GAIN_BYTES);
        n_eligible += rk_client_admin_flag(file, RK_CONTROL_ELIGIBLE);
    }
    puts("");
    json_object_foreach(seen, reason, why) printf("%-13s  %s\n", reason, json_string_value(why));
    if (n_eligible > 0)
        printf("A merge of %" PRIu64 " file%s would give back %s.\n", n_eligible, rk_plural(n_eligible),
               rk_client_figure_size(gain, text));
    else
        puts("There is nothing to merge now.");
    json_decref(seen);
}

static void explain_space(const struct rk_client_admin *admin, const json_t *answer)
{
    static const char *const heads[] = { ">FILE",   ">SIZE",  ">LIVE",   ">OVERWR", ">DELETED", ">EXPIRED",
                                         ">TOMBST", ">FRAME", ">PREALL", "MERGE",   NULL };
    const json_t *files = json_object_get(answer, RK_CONTROL_FILES), *file;
    struct rk_client_table *table = rk_client_table_create(heads);
    size_t i;

    json_array_foreach(files, i, file)
    {
        rk_client_table_add(table, "%" PRIu64, rk_client_admin_number(file, RK_CONTROL_FILE));
        for (size_t column = 0; column < N_SPACE_COLUMNS; column++)
            add_bytes(admin, table, file, space_columns[column]);
        rk_client_table_add(table, "%s", rk_client_admin_text(file, RK_CONTROL_REASON));
    }
    add_space_total(admin, table, files);
    rk_client_table_print(table, stdout, admin->terminal);
    rk_client_table_destroy(&table);
    explain_reasons(files);
    print_expiry_note(answer);
}

enum rk_client_exit rk_client_admin_explain_space(const struct rk_client_admin *admin,
                                                  const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_EXPLAIN_SPACE), explain_space);
}

/* ---- whereis ---- */

static void show_place(const struct rk_client_admin *admin, const json_t *answer)
{
    uint64_t size = rk_client_admin_number(answer, RK_CONTROL_SIZE);
    uint64_t value_bytes = rk_client_admin_number(answer, RK_CONTROL_VALUE_BYTES);
    char written[RK_CLIENT_FIGURE_BYTES], expiry[RK_CLIENT_FIGURE_BYTES];

    printf("file %" PRIu64 ", offset %" PRIu64 ", %" PRIu64 " byte%s: %s, sequence %" PRIu64 ", value of %" PRIu64
           " byte%s, written %s",
           rk_client_admin_number(answer, RK_CONTROL_FILE), rk_client_admin_number(answer, RK_CONTROL_OFFSET), size,
           rk_plural(size), rk_client_admin_text(answer, RK_CONTROL_TYPE),
           rk_client_admin_number(answer, RK_CONTROL_SEQUENCE), value_bytes, rk_plural(value_bytes),
           rk_client_figure_time(rk_client_admin_number(answer, RK_CONTROL_WRITTEN_MS), written));
    if (json_is_integer(json_object_get(answer, RK_CONTROL_EXPIRES_MS)))
        printf(", expires %s", rk_client_figure_time(rk_client_admin_number(answer, RK_CONTROL_EXPIRES_MS), expiry));
    puts("");
}

enum rk_client_exit rk_client_admin_whereis(const struct rk_client_admin *admin,
                                            const struct rk_client_admin_words *words)
{
    json_t *request = rk_client_admin_request(RK_CONTROL_VERB_WHEREIS);
    struct rk_client_bytes key = { words->operands[0], strlen(words->operands[0]) };

    rk_client_json_set_bytes(request, RK_CONTROL_KEY, key); /* or RK_CONTROL_KEY64 */
    return rk_client_admin_show(admin, request, show_place);
}
