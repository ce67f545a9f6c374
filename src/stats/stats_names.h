/* The names of all counters: whoever shows them takes them from here. A member of rackkv/stats.h has one row, which
 * check_stats_names sees to. */
#ifndef RK_STATS_NAMES_H
#define RK_STATS_NAMES_H

#include <rackkv/stats.h>

#include <stdbool.h>

/* Which part of the block a counter is in. */
enum rk_stats_scope { RK_STATS_WRITER, RK_STATS_MERGE, RK_STATS_SLOT, RK_STATS_N_SCOPES };

enum rk_stats_unit { RK_STATS_PLAIN, RK_STATS_BYTES, RK_STATS_NS };

struct rk_stats_name {
    enum rk_stats_scope scope;
    size_t offset; /* in struct rk_stats_writer, rk_stats_merge or rk_stats_slot */
    const char *name;
    enum rk_stats_unit unit;
    bool is_gauge; /* it says what is now, and may go back */
    const char *help;
    const char *metric; /* in a scrape, behind rackkv_; NULL: it is not shown as a number */
    const char *labels; /* without braces; NULL: none */
    const char *family; /* what all rows of this metric are, where there are several: in the first; NULL: as help */
    bool by_worker;     /* in a scrape each slot is told apart; else their sum is */
};

/* The last row has no name. */
extern const struct rk_stats_name rk_stats_names[];

/* Of the table of requests. */
extern const char *const rk_stats_op_names[RK_STATS_HTTP_N_OPS];
extern const char *const rk_stats_status_names[RK_STATS_HTTP_N_STATUSES];

/* The value of a row; `part` is where its scope begins. */
static inline uint64_t rk_stats_value(const struct rk_stats_name *name, const void *part)
{
    return rk_counter_get((const rk_counter *)((const char *)part + name->offset));
}

#endif
