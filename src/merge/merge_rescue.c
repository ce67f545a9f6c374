#include "merge/merge_rescue.h"

#include <string.h>

#define SPARE_BYTES_MAX (64u << 20)
#define SPARE_PARTS     32
#define FILE_BYTES_MIN  (1u << 20)
#define MIN_FREE_PARTS  16
#define SMALL_PARTS     4
#define GAIN_PARTS      16 /* a merge that gives back less of a file than one of so many is not worth its writes */

static uint64_t at_most(uint64_t bytes, uint64_t most_bytes)
{
    return bytes < most_bytes ? bytes : most_bytes;
}

uint64_t rk_merge_rescue_file_size(uint64_t file_size_bytes, uint64_t disk_bytes)
{
    uint64_t most_bytes = disk_bytes / SPARE_PARTS;

    if (disk_bytes == 0)
        return file_size_bytes;
    return at_most(file_size_bytes, most_bytes > FILE_BYTES_MIN ? most_bytes : FILE_BYTES_MIN);
}

uint64_t rk_merge_rescue_small_file(uint64_t small_file_bytes, uint64_t file_size_bytes)
{
    return at_most(small_file_bytes, file_size_bytes / SMALL_PARTS);
}

uint64_t rk_merge_rescue_spare(uint64_t file_size_bytes, uint64_t disk_bytes)
{
    return at_most(at_most(file_size_bytes, SPARE_BYTES_MAX), disk_bytes / SPARE_PARTS);
}

uint64_t rk_merge_rescue_min_free(uint64_t min_free_bytes, uint64_t disk_bytes)
{
    return at_most(min_free_bytes, disk_bytes / MIN_FREE_PARTS);
}

static uint64_t copied_bytes(const struct rk_merge_policy_file *file)
{
    return file->live_bytes + file->tombstone_bytes;
}

static size_t choose_all_dead(const struct rk_merge_policy_file *files, size_t n_files, bool *chosen)
{
    size_t n = 0;

    for (size_t i = 0; i < n_files; i++) {
        chosen[i] = !files[i].is_active && copied_bytes(&files[i]) == 0;
        n += chosen[i];
    }
    return n;
}

/* By what is gained for each byte that is copied, without a division. */
static bool is_better(const struct rk_merge_policy_file *file, const struct rk_merge_policy_file *than)
{
    return than == NULL
           || (long double)file->dead_bytes * (long double)copied_bytes(than)
                  > (long double)than->dead_bytes * (long double)copied_bytes(file);
}

size_t rk_merge_rescue_choose(const struct rk_merge_policy_file *files, size_t n_files, uint64_t room_bytes,
                              bool *chosen_out)
{
    const struct rk_merge_policy_file *best = NULL;
    size_t n = choose_all_dead(files, n_files, chosen_out);

    for (size_t i = 0; n == 0 && i < n_files; i++) {
        const struct rk_merge_policy_file *file = &files[i];

        if (!file->is_active && file->dead_bytes >= file->file_bytes / GAIN_PARTS && file->dead_bytes > 0
            && copied_bytes(file) <= room_bytes && is_better(file, best))
            best = file;
    }
    if (best == NULL)
        return n;
    chosen_out[best - files] = true;
    return 1;
}
