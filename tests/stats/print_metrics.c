/* Prints the table of doc/metrics.md from the tables of names. */
#include "stats/stats_metrics.h"

#include <string.h>

static const char *unit_of(const struct rk_stats_name *name)
{
    return name->unit == RK_STATS_BYTES ? "bytes" : name->unit == RK_STATS_NS ? "seconds" : "";
}

static const char *member_prefix(enum rk_stats_scope scope)
{
    return scope == RK_STATS_WRITER ? "writer." : scope == RK_STATS_MERGE ? "merge." : "workers[].";
}

static void print_row(const struct rk_stats_name *name)
{
    printf("| `" RK_STATS_PREFIX "%s` | %s | ", name->metric, name->is_gauge ? "gauge" : "counter");
    if (name->labels != NULL)
        printf("`%s`%s", name->labels, name->by_worker ? ", " : "");
    if (name->by_worker)
        printf("`worker`");
    printf(" | %s | `%s%s` | %s |\n", unit_of(name), member_prefix(name->scope), name->name, name->help);
}

int main(void)
{
    puts("| family | type | labels | unit | in /v1/stats | what it says |\n|---|---|---|---|---|---|");
    for (size_t i = 0; i < RK_STATS_N_TOLD; i++) {
        const struct rk_stats_told *told = &rk_stats_told[i];

        printf("| `" RK_STATS_PREFIX "%s` | %s | %s%s%s |  |  | %s |\n", told->metric,
               told->is_gauge ? "gauge" : "counter", told->labels != NULL ? "`" : "",
               told->labels != NULL ? told->labels : "", told->labels != NULL ? "`" : "", told->help);
    }
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++)
        if (name->metric != NULL)
            print_row(name);
    return 0;
}
