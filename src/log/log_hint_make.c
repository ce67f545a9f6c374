/* Makes a hint from its data file. Where its two sections are is known from the trailer before the first record is
 * read, so both are written side by side from small buffers, whatever the size of the file. */
#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "log/log_hint.h"
#include "log/log_scan.h"
#include "log/log_small_file.h"
#include "log/log_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_BUFFER_BYTES (256u << 10)
#define ASK_EVERY            4096 /* records between two questions whether to go on */

_Static_assert(SECTION_BUFFER_BYTES > 2 + RK_RECORD_KEY_MAX, "any key fits into the buffer");

/* One section of the file: appended through a buffer. */
struct section {
    uint64_t offset;
    uint64_t written;
    uint32_t crc;
    size_t used;
    uint8_t *buffer;
};

struct making {
    int fd;
    const struct rk_log_hint_maker *maker;
    struct section entries;
    struct section keys;
};

static enum rk_err write_out(struct making *making, struct section *section)
{
    if (rk_io_pwrite_full(making->fd, section->buffer, section->used, (off_t)(section->offset + section->written)) != 0)
        return rk_err_from_errno(errno);
    section->crc = rk_crc32c(section->crc, section->buffer, section->used);
    section->written += section->used;
    section->used = 0;
    return RK_OK;
}

/* Room for so many bytes at the end of the section; NULL when it could not be made. */
static uint8_t *extend(struct making *making, struct section *section, size_t size)
{
    if (section->used + size > SECTION_BUFFER_BYTES && write_out(making, section) != RK_OK)
        return NULL;
    section->used += size;
    return section->buffer + section->used - size;
}

static enum rk_err add_record(struct making *making, const struct rk_log_scan_item *item)
{
    struct rk_log_hint_entry entry = { .is_tombstone = item->header.type == RK_RECORD_TOMBSTONE
                                                       && !RK_PLANTED(hint_forgets_tombstones),
                                       .location = item->location,
                                       .sequence = item->header.sequence };
    uint16_t key_len = item->header.key_len;
    uint8_t *at = extend(making, &making->entries, RK_LOG_HINT_ENTRY_BYTES);

    if (at == NULL)
        return rk_err_from_errno(errno);
    making->maker->fingerprint(making->maker->context, item->key, key_len, &entry);
    rk_log_hint_entry_encode(at, &entry);
    at = extend(making, &making->keys, (size_t)2 + key_len);
    if (at == NULL)
        return rk_err_from_errno(errno);
    rk_bytes_store16(at, key_len);
    memcpy(at + 2, item->key, key_len);
    return RK_OK;
}

static bool may_go_on(const struct making *making, uint64_t n_records)
{
    return making->maker->go_on == NULL || n_records % ASK_EVERY != 0 || making->maker->go_on(making->maker->context);
}

/* All records of the data file; it must turn out to be what its trailer says. */
static enum rk_err add_records(struct making *making, struct rk_log_scan *scan, struct rk_detail *detail)
{
    struct rk_log_scan_item item;
    uint64_t n_records = 0;
    enum rk_err err = RK_OK;

    while (err == RK_OK && (err = rk_log_scan_next(scan, &item, detail)) == RK_OK) {
        if (!may_go_on(making, n_records++))
            return RK_ERR_AGAIN;
        err = add_record(making, &item);
        if (err != RK_OK)
            rk_detail_set(detail, "its hint cannot be written: %s", rk_err_text(err));
    }
    if (err != RK_ERR_NOT_FOUND)
        return err;
    if (rk_log_scan_end(scan)->kind == RK_LOG_SCAN_SEALED)
        return RK_OK;
    rk_detail_set(detail, "not whole at byte %llu: %s", (unsigned long long)rk_log_scan_end(scan)->end_bytes,
                  rk_log_scan_end(scan)->what);
    return RK_ERR_CORRUPT;
}

static enum rk_err write_header(struct making *making, uint32_t file_number, const struct rk_log_identity *identity,
                                const struct rk_log_file_summary *summary)
{
    struct rk_log_hint_header header = { .file_number = file_number,
                                         .entries_crc = making->entries.crc,
                                         .keys_crc = making->keys.crc,
                                         .trailer_crc = summary->trailer_crc,
                                         .n_entries = summary->trailer.n_records,
                                         .data_bytes = summary->file_bytes,
                                         .keys_bytes = making->keys.written };
    uint8_t bytes[RK_LOG_HINT_HEADER_BYTES];

    memcpy(header.uuid, identity->uuid, RK_LOG_UUID_BYTES);
    rk_log_hint_header_encode(bytes, &header);
    if (rk_io_pwrite_full(making->fd, bytes, sizeof bytes, 0) != 0 || rk_io->fsync(making->fd) != 0)
        return rk_err_from_errno(errno);
    return RK_OK;
}

static enum rk_err write_hint(struct making *making, int dir_fd, uint32_t file_number,
                              const struct rk_log_identity *identity, const struct rk_log_file_summary *summary,
                              struct rk_detail *detail)
{
    struct rk_log_scan *scan = NULL;
    enum rk_err err = rk_log_scan_open(&scan, dir_fd, file_number, identity, detail);

    if (err != RK_OK)
        return err;
    err = add_records(making, scan, detail);
    rk_log_scan_close(&scan);
    if (err != RK_OK)
        return err;
    err = write_out(making, &making->entries);
    if (err == RK_OK)
        err = write_out(making, &making->keys);
    if (err == RK_OK)
        err = write_header(making, file_number, identity, summary);
    if (err != RK_OK)
        rk_detail_set(detail, "its hint cannot be written: %s", rk_err_text(err));
    return err;
}

static enum rk_err make_tmp(int dir_fd, const char *tmp_name, uint32_t file_number,
                            const struct rk_log_identity *identity, const struct rk_log_file_summary *summary,
                            const struct rk_log_hint_maker *maker, struct rk_detail *detail)
{
    struct making making = { .maker = maker };
    enum rk_err err;

    making.fd = rk_io->open_at(dir_fd, tmp_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (making.fd < 0) {
        rk_detail_set(detail, "its hint cannot be made: %s", strerror(errno));
        return rk_err_from_errno(errno);
    }
    making.entries =
        (struct section){ .offset = RK_LOG_HINT_HEADER_BYTES, .buffer = rk_mem_calloc(1, SECTION_BUFFER_BYTES) };
    making.keys =
        (struct section){ .offset = RK_LOG_HINT_HEADER_BYTES + summary->trailer.n_records * RK_LOG_HINT_ENTRY_BYTES,
                          .buffer = rk_mem_calloc(1, SECTION_BUFFER_BYTES) };
    err = write_hint(&making, dir_fd, file_number, identity, summary, detail);
    (void)rk_io->close(making.fd); /* fsync said already what there is to say */
    free(making.entries.buffer);
    free(making.keys.buffer);
    return err;
}

static enum rk_err make_hint(int dir_fd, uint32_t file_number, const struct rk_log_identity *identity,
                             const struct rk_log_hint_maker *maker, struct rk_detail *detail)
{
    char name[RK_LOG_FILE_NAME_BYTES], tmp_name[RK_LOG_FILE_NAME_BYTES + sizeof RK_LOG_TMP_SUFFIX];
    struct rk_log_file_summary summary;
    enum rk_err err = rk_log_file_summarize(dir_fd, file_number, &identity->secret, &summary, detail);

    if (err != RK_OK)
        return err;
    if (!summary.has_trailer) {
        rk_detail_set(detail, "not sealed");
        return RK_ERR_CORRUPT;
    }
    rk_log_hint_name(name, file_number);
    (void)snprintf(tmp_name, sizeof tmp_name, "%s%s", name, RK_LOG_TMP_SUFFIX); /* fits */
    err = make_tmp(dir_fd, tmp_name, file_number, identity, &summary, maker, detail);
    if (err == RK_OK && rk_io->rename_at(dir_fd, tmp_name, name) != 0) {
        err = rk_err_from_errno(errno);
        rk_detail_set(detail, "its hint cannot be renamed: %s", strerror(errno));
    }
    if (err != RK_OK)
        (void)rk_io->unlink_at(dir_fd, tmp_name); /* what stays is overwritten by the next try, or swept at start */
    return err;
}

enum rk_err rk_log_hint_make(int dir_fd, uint32_t file_number, const struct rk_log_identity *identity,
                             const struct rk_log_hint_maker *maker, struct rk_detail *detail)
{
    enum rk_err err = make_hint(dir_fd, file_number, identity, maker, detail);
    char name[RK_LOG_FILE_NAME_BYTES];

    rk_log_file_name(name, file_number);
    if (err != RK_OK && err != RK_ERR_AGAIN)
        rk_detail_wrap(detail, "%s", name);
    return err;
}
