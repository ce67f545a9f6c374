#include "recover/recover_repair.h"

#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "log/log_repair.h"
#include "log/log_store.h"
#include "recover/recover_read.h"

_Static_assert(RK_DISK_FILE_BYTES_MAX / RK_DISK_UNIT_BYTES <= RK_LOG_SEQUENCE_GAP, "no file has room for more records");

struct repair {
    struct rk_log_store *store;
    struct rk_recovery *result;
    struct rk_detail *detail;
};

/* The whole records behind the first thing in the newest file that is none. */
static enum rk_err count_cut_records(struct repair *repair, uint32_t file_number)
{
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    enum rk_err err = rk_disk_scan_open(&scan, rk_log_store_dir_fd(repair->store), file_number,
                                        rk_log_store_identity(repair->store), repair->detail);
    bool is_behind = false;

    while (err == RK_OK) {
        err = rk_disk_scan_next(scan, &item, repair->detail);
        if (err == RK_OK) {
            repair->result->cut_records += is_behind;
        } else if (err == RK_ERR_NOT_FOUND) {
            err = rk_disk_scan_skip(scan, repair->detail);
            is_behind = true;
        }
    }
    rk_disk_scan_close(&scan);
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* Without room for the trailer the newest file stays open, cut to its records again. */
static enum rk_err seal_newest(struct repair *repair, struct rk_log_newest *newest)
{
    int dir_fd = rk_log_store_dir_fd(repair->store);
    enum rk_err err =
        rk_log_file_seal(dir_fd, newest->file_number, &newest->totals, &rk_log_store_identity(repair->store)->secret,
                         repair->result->next_sequence - 1, repair->detail);

    newest->is_sealed = err == RK_OK;
    if (err != RK_ERR_NO_SPACE)
        return err;
    return rk_log_file_cut(dir_fd, newest->file_number, newest->totals.size_bytes, repair->detail);
}

enum rk_err rk_recover_repair(struct rk_log_store *store, const struct rk_recover_file *file, uint64_t max_sequence,
                              struct rk_recovery *result, struct rk_detail *detail)
{
    struct repair repair = { .store = store, .result = result, .detail = detail };
    const struct rk_disk_scan_end *end = &file->end;
    struct rk_log_newest *newest = &result->newest;
    int dir_fd = rk_log_store_dir_fd(store);
    enum rk_err err = RK_OK;

    result->was_clean = end->kind == RK_DISK_SCAN_SEALED;
    result->next_sequence = max_sequence + (result->was_clean ? 0 : RK_LOG_SEQUENCE_GAP) + 1;
    *newest =
        (struct rk_log_newest){ .file_number = file->number, .is_sealed = result->was_clean, .totals = end->totals };
    if (!newest->is_sealed)
        newest->totals.size_bytes = end->end_bytes;
    result->lost_trailer = !newest->is_sealed && end->end_bytes == rk_log_store_closed_bytes(store, file->number);
    if (end->used_bytes > end->end_bytes) {
        result->cut_file = file->number;
        result->cut_at_bytes = end->end_bytes;
        result->cut_bytes = end->used_bytes - end->end_bytes;
        err = count_cut_records(&repair, file->number);
    }
    if (err == RK_OK && end->file_bytes > end->end_bytes)
        err = rk_log_file_cut(dir_fd, file->number, end->end_bytes, detail);
    if (err == RK_OK && !newest->is_sealed && newest->totals.n_records > 0)
        err = seal_newest(&repair, newest);
    if (!file->summary.has_header || file->summary.kind != RK_DISK_FILE_APPENDED)
        newest->file_number = 0;
    return err;
}
