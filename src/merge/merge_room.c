/* Whether there is room for what a merge writes next. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "log/log_store.h"
#include "merge/merge_private.h"
#include "merge/merge_rescue.h"

uint64_t rk_merge_expected_bytes(const struct rk_merge *merge, uint64_t size_bytes)
{
    uint64_t rest = merge->wanted_bytes > merge->progress.written_bytes
                        ? merge->wanted_bytes - merge->progress.written_bytes
                        : size_bytes;

    if (rest > merge->output_bytes_max)
        rest = merge->output_bytes_max;
    return rest > size_bytes ? rest : size_bytes;
}

/* Whether the disk has so many bytes beside those that stay free. */
static bool has_room(const struct rk_merge *merge, uint64_t needed_bytes, uint64_t *free_bytes_out)
{
    uint64_t min_free_bytes, disk_bytes;

    if (!rk_io_disk(rk_log_store_dir_fd(merge->settings->store), free_bytes_out, &disk_bytes))
        return true; /* then the write tells */
    min_free_bytes = rk_merge_rescue_min_free(merge->settings->min_free_bytes, disk_bytes);
    return *free_bytes_out >= min_free_bytes && *free_bytes_out - min_free_bytes >= needed_bytes;
}

/* merge.min_free, or what is reasonable on such a disk. */
static uint64_t kept_bytes(const struct rk_merge *merge)
{
    uint64_t free_bytes, disk_bytes;

    if (!rk_io_disk(rk_log_store_dir_fd(merge->settings->store), &free_bytes, &disk_bytes))
        return merge->settings->min_free_bytes;
    return rk_merge_rescue_min_free(merge->settings->min_free_bytes, disk_bytes);
}

/* Inputs that are gone, but still open, have space that is as good as free. */
enum rk_err rk_merge_check_room(const struct rk_merge *merge, uint64_t needed_bytes, struct rk_detail *detail)
{
    const struct rk_merge_settings *settings = merge->settings;
    uint64_t free_bytes = 0;

    if (has_room(merge, needed_bytes, &free_bytes))
        return RK_OK;
    if (settings->release != NULL && settings->release(settings->context) && has_room(merge, needed_bytes, &free_bytes))
        return RK_OK;
    rk_detail_set(detail, "needs %llu bytes for the next file; the disk has %llu, of which it leaves %llu free",
                  (unsigned long long)needed_bytes, (unsigned long long)free_bytes,
                  (unsigned long long)kept_bytes(merge));
    return RK_ERR_NO_SPACE;
}

uint64_t rk_merge_output_bytes_max(const struct rk_merge *merge)
{
    const struct rk_merge_settings *settings = merge->settings;
    uint64_t free_bytes = UINT64_MAX, piece_bytes;

    if (settings->piece_bytes_min == 0)
        return settings->file_size_bytes;
    (void)has_room(merge, 0, &free_bytes);
    piece_bytes = free_bytes / 2 > settings->piece_bytes_min ? free_bytes / 2 : settings->piece_bytes_min;
    return piece_bytes < settings->file_size_bytes ? piece_bytes : settings->file_size_bytes;
}
