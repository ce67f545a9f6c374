/* What the files of a merge share. Nobody else includes this. */
#ifndef RK_MERGE_PRIVATE_H
#define RK_MERGE_PRIVATE_H

#include "disk/disk_hint.h"
#include "merge/merge.h"
#include "space/space.h"
#include "space/space_moves.h"

struct rk_disk_key;
struct rk_log_hint_builder;
struct rk_log_merged;

struct merge_input {
    uint32_t file_number;
    struct rk_disk_file_summary summary;
    uint64_t first_sequence; /* UINT64_MAX without records */
    uint64_t last_sequence;
    struct rk_space_file space; /* as it was when the merge began */
    bool has_expired;           /* records that count as expired, then: they hide older ones */
    uint64_t max_dropped;       /* the highest sequence that hid something and was dropped */
    bool is_dead;               /* nothing of it was wanted */
    bool is_copied;             /* all that is wanted is in outputs, or in the one that is written */
    bool is_settled;            /* and they are listed, and the keydir names them */
    bool is_removed;
};

struct rk_merge {
    const struct rk_merge_settings *settings;
    struct rk_merge_progress progress;
    uint64_t now_s;             /* since 1970 */
    uint64_t floor;             /* the lowest sequence of all files that are not in the merge */
    struct merge_input *inputs; /* oldest sequence first */
    size_t n_inputs;
    uint64_t wanted_bytes; /* of all inputs, when the merge began */
    uint64_t wanted_records;
    uint64_t n_written; /* records, to all outputs so far */
    struct rk_log_merged *output;
    struct rk_log_hint_builder *hint; /* of the output; NULL: none, or it failed, and will be made later */
    uint32_t output_number;
    uint64_t output_bytes_max;
    uint32_t output_expiry_s; /* the first one of its records; 0: none */
    bool output_needs_sync;   /* of the active file, before it is listed */
    bool output_may_be_listed;
    struct rk_space_moves moves;
    uint64_t turn_bytes;
    size_t turn_steps;
    size_t pause_steps;
};

/* Looks at all files: the inputs in their order, and the floor. */
enum rk_err rk_merge_plan(struct rk_merge *merge, struct rk_detail *detail);

/* The next output, with room for a record of size_bytes, if the disk has it. */
enum rk_err rk_merge_begin_output(struct rk_merge *merge, uint64_t size_bytes, struct rk_detail *detail);

/* Notes in the output's hint what the next record of the output is. */
void rk_merge_add_to_hint(struct rk_merge *merge, const struct rk_disk_hint_entry *entry,
                          const struct rk_disk_key *key);

/* Finishes and lists the output, if there is one, tells the keydir, and removes what can go by now. */
enum rk_err rk_merge_settle(struct rk_merge *merge, struct rk_detail *detail);

/* Makes the active file durable, and with it all that the keydir knew so far. */
enum rk_err rk_merge_sync(const struct rk_merge *merge, struct rk_detail *detail);

/* Removes the inputs that can go by now. */
enum rk_err rk_merge_remove(struct rk_merge *merge, struct rk_detail *detail);

/* Data file and hint, which are not listed. */
void rk_merge_unlink(const struct rk_merge *merge, uint32_t file_number);

/* ---- merge_turn.c ---- */

/* Accounts bytes that were written and steps (a step takes as long as one lookup), and calls the hooks when a budget is
 * used up. */
enum rk_err rk_merge_turn(struct rk_merge *merge, uint64_t bytes, size_t steps);

/* ---- merge_plan.c, merge_room.c ---- */

/* The trailer, the header and the size of a data file of the store. */
enum rk_err rk_merge_summarize(const struct rk_merge *merge, uint32_t file_number,
                               struct rk_disk_file_summary *summary_out, struct rk_detail *detail);

/* At most so much will be written to the next output, which takes a record of this size at least. */
uint64_t rk_merge_expected_bytes(const struct rk_merge *merge, uint64_t size_bytes);

/* RK_ERR_NO_SPACE, and how much is missing, when the disk has not so many bytes beside those that stay free. */
enum rk_err rk_merge_check_room(const struct rk_merge *merge, uint64_t needed_bytes, struct rk_detail *detail);

/* How large the next output may become: as a file should be, or as there is room for. */
uint64_t rk_merge_output_bytes_max(const struct rk_merge *merge);

#endif
