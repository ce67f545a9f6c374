#include "stats/stats_json.h"

#include "base/base_time.h"
#include "stats/stats_part.h"

#include <inttypes.h>

static void print_number(FILE *out, uint64_t number, enum rk_stats_unit unit)
{
    if (unit == RK_STATS_NS)
        fprintf(out, "%" PRIu64 ".%09" PRIu64, number / RK_NS_PER_S, number % RK_NS_PER_S);
    else
        fprintf(out, "%" PRIu64, number);
}

/* The members of a part, without its braces. */
static void print_part(FILE *out, enum rk_stats_scope scope, const void *part)
{
    const char *separator = "";

    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++) {
        if (name->scope != scope || name->metric == NULL)
            continue;
        fprintf(out, "%s\"%s\":", separator, name->name);
        print_number(out, rk_stats_value(name, part), name->unit);
        separator = ",";
    }
}

static void print_statuses(FILE *out, const rk_counter *requests)
{
    const char *separator = "";

    for (unsigned status = 0; status < RK_STATS_HTTP_N_STATUSES; status++) {
        uint64_t number = rk_counter_get(&requests[status]);

        if (number == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, separator, rk_stats_status_names[status], number);
        separator = ",";
    }
}

static void print_slot(FILE *out, const struct rk_stats_slot *slot)
{
    print_part(out, RK_STATS_SLOT, slot);
    fputs(",\"requests\":{", out);
    for (unsigned op = 0; op < RK_STATS_HTTP_N_OPS; op++) {
        fprintf(out, "%s\"%s\":{", op > 0 ? "," : "", rk_stats_op_names[op]);
        print_statuses(out, slot->http.requests[op]);
        fputc('}', out);
    }
    fputc('}', out);
}

void rk_stats_json_print(FILE *out, const struct rk_stats_block *block)
{
    uint64_t started_ms = block->head.started_ms;

    fprintf(out, "{\"version\":\"" PACKAGE_VERSION "\",\"started_seconds\":%" PRIu64 ".%03" PRIu64 ",\"writer\":{",
            started_ms / 1000, started_ms % 1000);
    print_part(out, RK_STATS_WRITER, &block->writer);
    fputs("},\"merge\":{", out);
    print_part(out, RK_STATS_MERGE, &block->merge);
    fputs("},\"workers\":[", out);
    for (unsigned slot = 0; slot < block->head.n_slots; slot++) {
        fputs(slot > 0 ? ",{" : "{", out);
        print_slot(out, rk_stats_slot_of(block, slot));
        fputc('}', out);
    }
    fputs("]}\n", out);
}
