#include "recover/recover_plan.h"

#include "disk/disk_scan.h"
#include "log/log_store.h"
#include "recover/recover.h"
#include "recover/recover_read.h"

#define RECORD_BYTES_MIN   48u  /* no record is smaller */
#define RECORD_BYTES_USUAL 256u /* where nobody knows how many there are */

/* For entries: of what there is plenty of, and of what is short. */
#define MEMORY_BYTES_MIN  ((uint64_t)64 << 20)
#define MEMORY_BYTES_MAX  ((uint64_t)4 << 30)
#define MEMORY_BYTES_LAST ((uint64_t)4 << 20)

/* What a key takes of the keydir, and what is left to the rest of the server, which starts meanwhile. */
#define KEYDIR_BYTES_A_KEY 25u
#define OTHER_BYTES        ((uint64_t)32 << 20)

/* How many records there are: at most, and if the files that do not say it are as usual. */
static void estimate_records(const struct rk_recover_reading *reading, uint64_t *at_most_out, uint64_t *usual_out)
{
    *at_most_out = *usual_out = 0;
    for (size_t i = 0; i < reading->n_files; i++) {
        const struct rk_disk_file_summary *summary = &reading->files[i].summary;
        uint64_t at_most = summary->file_bytes / RECORD_BYTES_MIN;

        if (summary->has_trailer && summary->trailer.n_records < at_most)
            at_most = summary->trailer.n_records;
        *at_most_out += at_most;
        *usual_out += summary->has_trailer ? at_most : summary->file_bytes / RECORD_BYTES_USUAL;
    }
}

/* A keydir that is full of keys leaves no more than this to entries; half of it, since their blocks are not all full.
 */
static uint64_t memory_beside_keydir(uint64_t left, uint64_t max_bytes, uint64_t n_records)
{
    uint64_t keydir_bytes = n_records < max_bytes / KEYDIR_BYTES_A_KEY ? n_records * KEYDIR_BYTES_A_KEY : max_bytes;
    uint64_t taken = keydir_bytes + OTHER_BYTES;

    if (left == 0)
        return UINT64_MAX;
    return left > taken + 2 * MEMORY_BYTES_LAST ? (left - taken) / 2 : MEMORY_BYTES_LAST;
}

static uint64_t memory_bytes(const struct rk_recover_hooks *hooks, uint64_t max_bytes, uint64_t n_records)
{
    uint64_t beside_keydir = memory_beside_keydir(hooks->memory_left_bytes, max_bytes, n_records);
    uint64_t bytes = max_bytes / 4;

    if (hooks->memory_bytes != 0)
        return hooks->memory_bytes;
    if (bytes < MEMORY_BYTES_MIN)
        bytes = MEMORY_BYTES_MIN;
    if (bytes > MEMORY_BYTES_MAX)
        bytes = MEMORY_BYTES_MAX;
    return bytes < beside_keydir ? bytes : beside_keydir;
}

/* The newest file does not say how many records it has, and what it may have is ten times what it has: before it is
 * read many times for that, it is read once more to count them. */
static void count_newest(const struct rk_recover_reading *reading, uint64_t *at_most, uint64_t *usual)
{
    const struct rk_recover_file *file = &reading->files[reading->n_files - 1];
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    uint64_t n = 0;

    if (file->summary.has_trailer
        || rk_disk_scan_open(&scan, rk_log_store_dir_fd(reading->store), file->number,
                             rk_log_store_identity(reading->store), NULL)
               != RK_OK)
        return;
    while (rk_disk_scan_next(scan, &item, NULL) == RK_OK)
        n++;
    rk_disk_scan_close(&scan);
    *at_most -= file->summary.file_bytes / RECORD_BYTES_MIN;
    *at_most += n;
    *usual = *at_most; /* of all files now, and exactly */
}

struct rk_recover_plan rk_recover_plan(const struct rk_recover_reading *reading, uint64_t max_bytes,
                                       const struct rk_recover_hooks *hooks)
{
    struct rk_recover_plan plan;
    uint64_t at_most;

    estimate_records(reading, &at_most, &plan.n_usual);
    if (at_most * sizeof(struct rk_disk_hint_entry) >= memory_bytes(hooks, max_bytes, at_most))
        count_newest(reading, &at_most, &plan.n_usual);
    plan.n_passes = at_most * sizeof(struct rk_disk_hint_entry) / memory_bytes(hooks, max_bytes, at_most) + 1;
    return plan;
}
