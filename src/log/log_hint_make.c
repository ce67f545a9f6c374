#include "log/log_hint_make.h"

#include "base/base_detail.h"
#include "base/base_planted.h"
#include "disk/disk_scan.h"
#include "log/log_hint_builder.h"
#include "log/log_store.h"

#define ASK_EVERY 64 /* records between two questions whether to go on: it may yield then */

static enum rk_err add_record(struct rk_log_hint_builder *builder, const struct rk_log_hint_maker *maker,
                              const struct rk_disk_scan_item *item, struct rk_detail *detail)
{
    bool forgets = RK_PLANTED(hint_forgets_tombstones) && item->header.type == RK_RECORD_TOMBSTONE;
    struct rk_disk_hint_entry entry = { .expiry_s = forgets ? RK_DISK_EXPIRY_NONE
                                                            : rk_disk_expiry_s(item->header.type, item->expiry_ms),
                                        .location = item->location,
                                        .sequence = item->header.sequence };
    struct rk_disk_key key = { .key = item->key,
                               .key_len = item->header.key_len,
                               .value_len = item->header.value_len,
                               .expiry_ms = item->expiry_ms };

    maker->fingerprint(maker->context, item->key, item->header.key_len, &entry);
    return rk_log_hint_builder_add(builder, &entry, &key, detail);
}

static bool may_go_on(const struct rk_log_hint_maker *maker, uint64_t n_records)
{
    return maker->go_on == NULL || n_records % ASK_EVERY != 0 || maker->go_on(maker->context);
}

/* All records of the data file; it must turn out to be what its trailer says. */
static enum rk_err add_records(struct rk_log_hint_builder *builder, const struct rk_log_hint_maker *maker,
                               struct rk_disk_scan *scan, struct rk_detail *detail)
{
    struct rk_disk_scan_item item;
    uint64_t n_records = 0;
    enum rk_err err = RK_OK;

    while (err == RK_OK && (err = rk_disk_scan_next(scan, &item, detail)) == RK_OK) {
        if (!may_go_on(maker, n_records++))
            return RK_ERR_AGAIN;
        err = add_record(builder, maker, &item, detail);
    }
    if (err != RK_ERR_NOT_FOUND)
        return err;
    if (rk_disk_scan_end(scan)->has_holes)
        rk_log_hint_builder_allow_holes(builder);
    if (rk_disk_scan_end(scan)->kind == RK_DISK_SCAN_SEALED)
        return RK_OK;
    rk_detail_set(detail, "not whole at byte %llu: %s", (unsigned long long)rk_disk_scan_end(scan)->end_bytes,
                  rk_disk_scan_end(scan)->what);
    return RK_ERR_CORRUPT;
}

static enum rk_err read_records(struct rk_log_hint_builder *builder, const struct rk_log_hint_maker *maker, int dir_fd,
                                uint32_t file_number, const struct rk_disk_identity *identity, struct rk_detail *detail)
{
    struct rk_disk_scan *scan = NULL;
    enum rk_err err = rk_disk_scan_open(&scan, dir_fd, file_number, identity, detail);

    if (err != RK_OK)
        return err;
    err = add_records(builder, maker, scan, detail);
    rk_disk_scan_close(&scan);
    return err;
}

static enum rk_err make_hint(int dir_fd, uint32_t file_number, const struct rk_disk_identity *identity,
                             const struct rk_log_hint_maker *maker, struct rk_detail *detail)
{
    struct rk_log_hint_builder *builder = NULL;
    struct rk_disk_file_summary summary;
    enum rk_err err = rk_disk_file_summarize(dir_fd, file_number, &identity->secret, &summary, detail);

    if (err != RK_OK)
        return err;
    if (!summary.has_trailer) {
        rk_detail_set(detail, "not sealed");
        return RK_ERR_CORRUPT;
    }
    err = rk_log_hint_builder_create(&builder, dir_fd, file_number, summary.trailer.n_records, detail);
    if (err != RK_OK)
        return err;
    rk_log_hint_builder_ask(builder, maker->go_on, maker->context);
    err = read_records(builder, maker, dir_fd, file_number, identity, detail);
    if (err == RK_OK)
        err = rk_log_hint_builder_finish(builder, identity->uuid, &summary, detail);
    rk_log_hint_builder_destroy(&builder);
    return err;
}

enum rk_err rk_log_hint_make(int dir_fd, uint32_t file_number, const struct rk_disk_identity *identity,
                             const struct rk_log_hint_maker *maker, struct rk_detail *detail)
{
    enum rk_err err = make_hint(dir_fd, file_number, identity, maker, detail);
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    if (err != RK_OK && err != RK_ERR_AGAIN)
        rk_detail_wrap(detail, "%s", name);
    return err;
}
