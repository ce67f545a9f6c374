/* ping, status, stats. */
#include "client/client_admin.h"

#include "base/base_plural.h"
#include "client/client_figure.h"
#include "client/client_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PER_WORKER_MAX 4 /* more columns do not fit on a terminal */

static void show_ping(const struct rk_client_admin *admin, const json_t *answer)
{
    printf("%s, pid %" PRIu64 "\n", rk_client_admin_text(answer, RK_CONTROL_STATE),
           rk_client_admin_number(answer, RK_CONTROL_PID));
}

enum rk_client_exit rk_client_admin_ping(const struct rk_client_admin *admin, const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_PING), show_ping);
}

static void show_recovery(const json_t *recovery)
{
    uint64_t total = rk_client_admin_number(recovery, RK_CONTROL_TOTAL_BYTES);
    uint64_t done = rk_client_admin_number(recovery, RK_CONTROL_DONE_BYTES);
    uint64_t n_records = rk_client_admin_number(recovery, RK_CONTROL_RECORDS);
    char total_text[RK_CLIENT_FIGURE_BYTES];

    if (total == 0)
        printf("  recovery   has begun\n");
    else
        printf("  recovery   %" PRIu64 " %% of %s, %" PRIu64 " record%s so far\n", done * 100 / total,
               rk_client_figure_size(total, total_text), n_records, rk_plural(n_records));
}

/* What is done about a full disk, and what the way out is. */
static void show_rescue(const json_t *merge)
{
    static const char *const texts[][2] = {
        { "working", "space of dead records is being given back" },
        { RK_CONTROL_PAUSED, "`rackkvctl merge resume` would give back what is dead" },
        { "stuck", "nothing more can be given back: delete keys, or make room on the disk" }
    };
    const char *state = rk_client_admin_text(merge, RK_CONTROL_RESCUE);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i][0], state) == 0)
            printf("  full disk  %s\n", texts[i][1]);
}

static void show_merging(const json_t *merge)
{
    const json_t *current = json_object_get(merge, RK_CONTROL_CURRENT);
    uint64_t total = rk_client_admin_number(current, RK_CONTROL_TOTAL_BYTES);
    char text[RK_CLIENT_FIGURE_BYTES];

    printf("  merging    %s%s", rk_client_admin_text(merge, RK_CONTROL_STATE),
           rk_client_admin_flag(merge, RK_CONTROL_PAUSED) ? ", paused" : "");
    if (total > 0)
        printf(", %" PRIu64 " %% of %s", rk_client_admin_number(current, RK_CONTROL_READ_BYTES) * 100 / total,
               rk_client_figure_size(total, text));
    else if (!rk_client_admin_flag(merge, RK_CONTROL_PAUSED))
        printf(", next look in %s",
               rk_client_figure_duration(rk_client_admin_real(merge, RK_CONTROL_NEXT_CHECK_SECONDS), text));
    puts("");
}

static void show_data(const json_t *answer)
{
    static const char *const writes[][2] = { { "all", "accepted" },
                                             { "deletes", "the disk is full: deletes only" },
                                             { "none", "refused until a restart" } };
    const char *accepted = rk_client_admin_text(answer, RK_CONTROL_WRITES);
    char used[RK_CLIENT_FIGURE_BYTES], max[RK_CLIENT_FIGURE_BYTES], live[RK_CLIENT_FIGURE_BYTES];
    char dead[RK_CLIENT_FIGURE_BYTES], tombstones[RK_CLIENT_FIGURE_BYTES];

    printf("  records    %s live, %s dead, %s tombstones\n",
           rk_client_figure_size(rk_client_admin_number(answer, RK_CONTROL_LIVE_BYTES), live),
           rk_client_figure_size(rk_client_admin_number(answer, RK_CONTROL_DEAD_BYTES), dead),
           rk_client_figure_size(rk_client_admin_number(answer, RK_CONTROL_TOMBSTONE_BYTES), tombstones));
    printf("  keys       %" PRIu64 ", index %s of at most %s\n", rk_client_admin_number(answer, RK_CONTROL_KEYS),
           rk_client_figure_size(rk_client_admin_number(answer, RK_CONTROL_KEYDIR_USED_BYTES), used),
           rk_client_figure_size(rk_client_admin_number(answer, RK_CONTROL_KEYDIR_MAX_BYTES), max));
    printf("  sequence   %" PRIu64 ", durable up to %" PRIu64 "\n",
           rk_client_admin_number(answer, RK_CONTROL_LAST_SEQUENCE),
           rk_client_admin_number(answer, RK_CONTROL_DURABLE_SEQUENCE));
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
        if (strcmp(writes[i][0], accepted) == 0)
            printf("  writes     %s\n", writes[i][1]);
}

static void show_status(const struct rk_client_admin *admin, const json_t *answer)
{
    const json_t *urls = json_object_get(answer, RK_CONTROL_URLS),
                 *workers = json_object_get(answer, RK_CONTROL_WORKERS);
    char uptime[RK_CLIENT_FIGURE_BYTES], free_bytes[RK_CLIENT_FIGURE_BYTES];

    printf("RackKV %s: %s, pid %" PRIu64 ", for %s\n", rk_client_admin_text(answer, RK_CONTROL_VERSION),
           rk_client_admin_text(answer, RK_CONTROL_STATE), rk_client_admin_number(answer, RK_CONTROL_PID),
           rk_client_figure_duration(rk_client_admin_real(answer, RK_CONTROL_UPTIME_SECONDS), uptime));
    for (size_t i = 0; i < json_array_size(urls); i++)
        printf("  %-9s  %s\n", i == 0 ? "listening" : "", json_string_value(json_array_get(urls, i)));
    printf("  workers    %" PRIu64 "; %" PRIu64 " started so far, %" PRIu64 " died\n",
           rk_client_admin_number(workers, RK_CONTROL_COUNT), rk_client_admin_number(workers, RK_CONTROL_STARTS),
           rk_client_admin_number(workers, RK_CONTROL_DEATHS));
    printf("  data       %s", rk_client_admin_text(answer, RK_CONTROL_DATA_DIR));
    if (json_object_get(answer, RK_CONTROL_DATA_FILES) != NULL)
        printf(": %" PRIu64 " data file%s", rk_client_admin_number(answer, RK_CONTROL_DATA_FILES),
               rk_plural(rk_client_admin_number(answer, RK_CONTROL_DATA_FILES)));
    printf(", %s free on the disk\n",
           rk_client_figure_size(rk_client_admin_number(answer, RK_CONTROL_DISK_FREE_BYTES), free_bytes));
    if (json_object_get(answer, RK_CONTROL_RECOVERY) != NULL)
        show_recovery(json_object_get(answer, RK_CONTROL_RECOVERY));
    else
        show_data(answer);
    if (json_object_get(answer, RK_CONTROL_MERGE) != NULL)
        show_merging(json_object_get(answer, RK_CONTROL_MERGE));
    if (json_object_get(answer, RK_CONTROL_MERGE) != NULL)
        show_rescue(json_object_get(answer, RK_CONTROL_MERGE));
}

enum rk_client_exit rk_client_admin_status(const struct rk_client_admin *admin,
                                           const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_STATUS), show_status);
}

/* ---- stats ---- */

static void show_object(const char *title, json_t *object)
{
    static const char *const heads[] = { "", ">", NULL };
    struct rk_client_table *table = rk_client_table_create(heads);
    const char *name;
    json_t *number;

    puts(title);
    json_object_foreach(object, name, number)
    {
        rk_client_table_add(table, "  %s", name);
        if (json_is_real(number))
            rk_client_table_add(table, "%.6f", json_real_value(number));
        else
            rk_client_table_add(table, "%" PRIu64, (uint64_t)json_integer_value(number));
    }
    rk_client_table_print(table, stdout, false);
    rk_client_table_destroy(&table);
}

/* A row of the workers' table: the figure that `find` has of each, and their sum. */
static void add_worker_row(struct rk_client_table *table, const json_t *workers, size_t n_shown, const char *name,
                           const char *op, const char *status)
{
    uint64_t numbers[PER_WORKER_MAX], sum = 0;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);
        uint64_t number =
            op == NULL ? rk_client_admin_number(worker, name)
                       : rk_client_admin_number(json_object_get(json_object_get(worker, "requests"), op), status);

        sum += number;
        if (i < n_shown)
            numbers[i] = number;
    }
    if (op != NULL && sum == 0)
        return;
    if (op == NULL)
        rk_client_table_add(table, "  %s", name);
    else
        rk_client_table_add(table, "  %s %s", op, status);
    rk_client_table_add(table, "%" PRIu64, sum);
    for (size_t i = 0; i < n_shown; i++)
        rk_client_table_add(table, "%" PRIu64, numbers[i]);
}

/* The statuses that any worker has answered to one operation. */
static void add_request_rows(struct rk_client_table *table, const json_t *workers, size_t n_shown, const char *op)
{
    json_t *seen = json_object();
    const char *status;
    json_t *number;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        json_t *by_status = json_object_get(json_object_get(json_array_get(workers, i), "requests"), op);

        json_object_update(seen, by_status);
    }
    json_object_foreach(seen, status, number) add_worker_row(table, workers, n_shown, NULL, op, status);
    json_decref(seen);
}

static void show_workers(const struct rk_client_admin *admin, const json_t *workers)
{
    static const char *const heads[] = { "WORKERS", ">ALL", ">0", ">1", ">2", ">3", NULL };
    const char *fitting[sizeof heads / sizeof heads[0]] = { NULL };
    size_t n_shown = json_array_size(workers) <= PER_WORKER_MAX ? json_array_size(workers) : 0;
    struct rk_client_table *table;
    const char *name;
    json_t *value;

    memcpy(fitting, heads, (2 + n_shown) * sizeof heads[0]);
    table = rk_client_table_create(fitting);
    json_object_foreach(json_array_get(workers, 0), name, value) if (json_is_integer(value))
        add_worker_row(table, workers, n_shown, name, NULL, NULL);
    json_object_foreach(json_object_get(json_array_get(workers, 0), "requests"), name, value)
        add_request_rows(table, workers, n_shown, name);
    rk_client_table_print(table, stdout, admin->terminal);
    rk_client_table_destroy(&table);
}

static void show_stats(const struct rk_client_admin *admin, const json_t *answer)
{
    show_object("WRITER", json_object_get(answer, "writer"));
    if (json_object_get(answer, RK_CONTROL_MERGE) != NULL)
        show_object("\nMERGE", json_object_get(answer, RK_CONTROL_MERGE));
    puts("");
    show_workers(admin, json_object_get(answer, RK_CONTROL_WORKERS));
}

enum rk_client_exit rk_client_admin_stats(const struct rk_client_admin *admin,
                                          const struct rk_client_admin_words *words)
{
    return rk_client_admin_show(admin, rk_client_admin_request(RK_CONTROL_VERB_STATS), show_stats);
}
