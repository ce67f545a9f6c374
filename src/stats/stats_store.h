/* What the store counts, in words. */
#ifndef RK_STATS_STORE_H
#define RK_STATS_STORE_H

#include "base/base_err.h"
#include "stats/stats_counter.h"

/* Which writes the server takes, for whoever tells people: the diagnostics, /readyz, rackkvctl. */
enum rk_stats_accepted {
    RK_STATS_ACCEPTS_ALL,
    RK_STATS_ACCEPTS_DELETES, /* the disk is full */
    RK_STATS_ACCEPTS_NOTHING, /* until a restart */
};

/* Any process. */
static inline enum rk_stats_accepted rk_stats_accepted(const struct rk_stats_writer *writer)
{
    uint64_t refused = rk_counter_get(&writer->refused); /* minus the enum rk_err; 0: they are not refused */

    if (refused == 0)
        return RK_STATS_ACCEPTS_ALL;
    return refused == (uint64_t)-RK_ERR_NO_SPACE ? RK_STATS_ACCEPTS_DELETES : RK_STATS_ACCEPTS_NOTHING;
}

/* What that means, here and nowhere else: the word that programs know it by ("all", "deletes", "none"); RK_OK, or the
 * error of a put; the sentence for people, "" when all is accepted. */
static inline const char *rk_stats_accepted_word(enum rk_stats_accepted accepted)
{
    static const char *const words[] = {
        [RK_STATS_ACCEPTS_ALL] = "all", [RK_STATS_ACCEPTS_DELETES] = "deletes", [RK_STATS_ACCEPTS_NOTHING] = "none"
    };

    return words[accepted];
}

static inline enum rk_err rk_stats_accepted_err(enum rk_stats_accepted accepted)
{
    static const enum rk_err errs[] = { [RK_STATS_ACCEPTS_ALL] = RK_OK,
                                        [RK_STATS_ACCEPTS_DELETES] = RK_ERR_NO_SPACE,
                                        [RK_STATS_ACCEPTS_NOTHING] = RK_ERR_READ_ONLY };

    return errs[accepted];
}

static inline const char *rk_stats_accepted_text(enum rk_stats_accepted accepted)
{
    static const char *const texts[] = {
        [RK_STATS_ACCEPTS_ALL] = "",
        [RK_STATS_ACCEPTS_DELETES] = "puts are refused until there is space, deletes and reads go on",
        [RK_STATS_ACCEPTS_NOTHING] = "writes are refused until a restart",
    };

    return texts[accepted];
}

#endif
