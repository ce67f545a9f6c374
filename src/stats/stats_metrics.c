#include "stats/stats_metrics.h"

#include "base/base_time.h"
#include "stats/stats_part.h"
#include "stats/stats_store.h"

#include <inttypes.h>
#include <string.h>

struct scrape {
    FILE *out;
    const struct rk_stats_block *block;
    bool is_ready;
    enum rk_stats_format format;
};

const struct rk_stats_told rk_stats_told[RK_STATS_N_TOLD] = {
    [RK_STATS_TOLD_BUILD_INFO] = { "build_info", "version", true, "1, and which program this is." },
    [RK_STATS_TOLD_UP] = { "up", NULL, true, "1: it answers." },
    [RK_STATS_TOLD_READY] = { "ready", NULL, true, "1 while /readyz answers 200." },
    [RK_STATS_TOLD_START_TIME] = { "process_start_time_seconds", NULL, true,
                                   "When the server was started, in seconds since 1970." },
    [RK_STATS_TOLD_WORKERS] = { "workers", NULL, true, "Worker processes that there are to be." },
    [RK_STATS_TOLD_REFUSED] = { "refused", "why", true,
                                "1 while writes are refused: all but deletes (disk_full), or all (read_only)." },
    [RK_STATS_TOLD_REQUESTS] = { "http_requests_total", "op, code", false, "Requests that were answered." },
};

/* ---- lines ---- */

/* In OpenMetrics the family of a counter is named without the _total of its samples. */
static void print_head(const struct scrape *scrape, const char *metric, const char *type, const char *help)
{
    size_t len = strlen(metric);

    if (scrape->format == RK_STATS_OPENMETRICS && strcmp(type, "counter") == 0)
        len -= sizeof "_total" - 1;
    fprintf(scrape->out, "# HELP " RK_STATS_PREFIX "%.*s %s\n", (int)len, metric, help);
    fprintf(scrape->out, "# TYPE " RK_STATS_PREFIX "%.*s %s\n", (int)len, metric, type);
}

static void print_number(const struct scrape *scrape, uint64_t number, enum rk_stats_unit unit)
{
    if (unit == RK_STATS_NS)
        fprintf(scrape->out, "%" PRIu64 ".%09" PRIu64 "\n", number / RK_NS_PER_S, number % RK_NS_PER_S);
    else
        fprintf(scrape->out, "%" PRIu64 "\n", number);
}

/* ---- what is told ---- */

static void print_told_head(const struct scrape *scrape, enum rk_stats_told_id id)
{
    const struct rk_stats_told *told = &rk_stats_told[id];

    print_head(scrape, told->metric, told->is_gauge ? "gauge" : "counter", told->help);
}

static void print_told(const struct scrape *scrape, enum rk_stats_told_id id, uint64_t number)
{
    print_told_head(scrape, id);
    fprintf(scrape->out, RK_STATS_PREFIX "%s %" PRIu64 "\n", rk_stats_told[id].metric, number);
}

static void print_refused(const struct scrape *scrape)
{
    enum rk_stats_accepted accepted = rk_stats_accepted(&scrape->block->writer);

    print_told_head(scrape, RK_STATS_TOLD_REFUSED);
    fprintf(scrape->out, RK_STATS_PREFIX "refused{why=\"disk_full\"} %d\n", accepted == RK_STATS_ACCEPTS_DELETES);
    fprintf(scrape->out, RK_STATS_PREFIX "refused{why=\"read_only\"} %d\n", accepted == RK_STATS_ACCEPTS_NOTHING);
}

static void print_state(const struct scrape *scrape)
{
    uint64_t started_ms = scrape->block->head.started_ms;

    print_told_head(scrape, RK_STATS_TOLD_BUILD_INFO);
    fprintf(scrape->out, RK_STATS_PREFIX "build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    print_told(scrape, RK_STATS_TOLD_UP, 1);
    print_told(scrape, RK_STATS_TOLD_READY, scrape->is_ready);
    print_told_head(scrape, RK_STATS_TOLD_START_TIME);
    fprintf(scrape->out, RK_STATS_PREFIX "process_start_time_seconds %" PRIu64 ".%03" PRIu64 "\n", started_ms / 1000,
            started_ms % 1000);
    print_told(scrape, RK_STATS_TOLD_WORKERS, scrape->block->head.n_slots);
    print_refused(scrape);
}

/* What is 0 is left out: an operation and a status that never came together are no series. */
static void print_requests(const struct scrape *scrape)
{
    print_told_head(scrape, RK_STATS_TOLD_REQUESTS);
    for (unsigned op = 0; op < RK_STATS_HTTP_N_OPS; op++)
        for (unsigned status = 0; status < RK_STATS_HTTP_N_STATUSES; status++) {
            uint64_t number = rk_stats_requests(scrape->block, op, status);

            if (number > 0)
                fprintf(scrape->out, RK_STATS_PREFIX "http_requests_total{op=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                        rk_stats_op_names[op], rk_stats_status_names[status], number);
        }
}

/* ---- the table of names ---- */

static void print_sample(const struct scrape *scrape, const struct rk_stats_name *name, int slot, uint64_t number)
{
    const char *labels = name->labels != NULL ? name->labels : "";

    fprintf(scrape->out, RK_STATS_PREFIX "%s", name->metric);
    if (slot >= 0)
        fprintf(scrape->out, "{%s%sworker=\"%d\"}", labels, labels[0] != '\0' ? "," : "", slot);
    else if (labels[0] != '\0')
        fprintf(scrape->out, "{%s}", labels);
    fputc(' ', scrape->out);
    print_number(scrape, number, name->unit);
}

static void print_row(const struct scrape *scrape, const struct rk_stats_name *name)
{
    const struct rk_stats_block *block = scrape->block;

    if (!name->by_worker) {
        print_sample(scrape, name, -1, rk_stats_sum(block, name));
        return;
    }
    for (unsigned slot = 0; slot < block->head.n_slots; slot++)
        print_sample(scrape, name, (int)slot, rk_stats_value(name, rk_stats_slot_of(block, slot)));
}

static void print_rows(const struct scrape *scrape)
{
    const char *family = "";

    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++) {
        if (name->metric == NULL)
            continue;
        if (strcmp(name->metric, family) != 0)
            print_head(scrape, name->metric, name->is_gauge ? "gauge" : "counter",
                       name->family != NULL ? name->family : name->help);
        family = name->metric;
        print_row(scrape, name);
    }
}

void rk_stats_metrics_print(FILE *out, const struct rk_stats_block *block, bool is_ready, enum rk_stats_format format)
{
    struct scrape scrape = { .out = out, .block = block, .is_ready = is_ready, .format = format };

    print_state(&scrape);
    print_requests(&scrape);
    print_rows(&scrape);
    if (format == RK_STATS_OPENMETRICS)
        fputs("# EOF\n", out);
}
