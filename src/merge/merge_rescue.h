/* What a store does about a full disk: which space is left to merges, and what is given back first when it ran out all
 * the same. Pure: figures in, decisions out.
 *
 * 1. Puts leave a little of the disk free (`spare`), so that there is room for what a small merge copies.
 * 2. merge.min_free is of use while there is space. Of a small disk it is a small part, and it is nothing when the disk
 *    is full.
 * 3. On a full disk, files of which nothing is needed go first, all at once, for they need no room. Then the file that
 *    gives most for what is copied, if there is room for that. Else holes are punched (disk_hole.h), which need none.
 */
#ifndef RK_MERGE_RESCUE_H
#define RK_MERGE_RESCUE_H

#include "merge/merge_policy.h"

/* log.file_size, but at most as much as the spare has room for: else the file that gives most may be too large to be
 * merged; and btrfs gives nothing back for holes before a whole extent is empty. 0 disk_bytes: nobody knows. */
uint64_t rk_merge_rescue_file_size(uint64_t file_size_bytes, uint64_t disk_bytes);

/* merge.threshold.small_file, but no larger than makes sense with files of that size: else all of them are small, and
 * each merge copies the whole store. */
uint64_t rk_merge_rescue_small_file(uint64_t small_file_bytes, uint64_t file_size_bytes);

uint64_t rk_merge_rescue_spare(uint64_t file_size_bytes, uint64_t disk_bytes);
uint64_t rk_merge_rescue_min_free(uint64_t min_free_bytes, uint64_t disk_bytes);

/* Marks what one merge should take on a full disk with so much room: returns how many files, 0 for none. */
size_t rk_merge_rescue_choose(const struct rk_merge_policy_file *files, size_t n_files, uint64_t room_bytes,
                              bool *chosen_out);

#endif
