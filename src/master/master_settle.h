/* Settles a configuration before it is used: what `auto` is on this machine, and whether all values can be had
 * together. The start, rackkvd -t and rackkvd -T call the same, so that they say the same.
 *
 * Sizes are checked by the functions that use them (the record's size, the longest message of a ring), not by formulas
 * of their own. What a start asks the system for besides is tried in master_probe.h. */
#ifndef RK_MASTER_SETTLE_H
#define RK_MASTER_SETTLE_H

#include "conf/conf.h"

struct rk_detail;
struct rk_machine;

#define RK_MASTER_NOTES_MAX     4
#define RK_MASTER_WARNINGS_MAX  2
#define RK_MASTER_WARNING_BYTES 320

struct rk_master_settled {
    struct rk_conf_note notes[RK_MASTER_NOTES_MAX]; /* what was `auto`, and why it became what it is */
    size_t n_notes;
    char warnings[RK_MASTER_WARNINGS_MAX][RK_MASTER_WARNING_BYTES]; /* good, and perhaps not meant */
    size_t n_warnings;
};

/* Replaces `auto`, rounds sizes to what is used, and checks. RK_ERR_INVALID with a detail that names the values, and
 * what would be right. Afterwards every number of conf is what is used. Pure. */
enum rk_err rk_master_settle(struct rk_conf *conf, const struct rk_machine *machine,
                             struct rk_master_settled *settled_out, struct rk_detail *detail);

#endif
