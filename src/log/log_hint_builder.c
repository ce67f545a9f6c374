#include "log/log_hint_builder.h"

#include "base/base_crc.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_plural.h"
#include "disk/disk_record.h"
#include "disk/disk_small_file.h"
#include "log/log_keys_sort.h"
#include "log/log_keys_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_BUFFER_BYTES (256u << 10)
#define ASK_EVERY            64 /* keys between two questions whether to go on: it may yield then */

/* One section of the file: appended through a buffer. */
struct section {
    uint64_t offset;
    uint64_t written;
    uint32_t crc;
    size_t used;
    uint8_t *buffer;
};

struct rk_log_hint_builder {
    int dir_fd;
    int fd;
    uint32_t file_number;
    uint64_t n_entries;
    bool has_holes;
    uint64_t n_entries_max;
    bool is_named;
    struct section entries;
    struct section keys;
    uint64_t n_keys;
    uint64_t keys_root;
    struct rk_log_keys_sort *sort;
    bool (*go_on)(void *context);
    void *context;
    char name[RK_DISK_FILE_NAME_BYTES];
    char tmp_name[RK_DISK_FILE_NAME_BYTES + sizeof RK_DISK_TMP_SUFFIX];
};

static void section_init(struct section *section, uint64_t offset)
{
    *section = (struct section){ .offset = offset, .buffer = rk_mem_calloc(1, SECTION_BUFFER_BYTES) };
}

enum rk_err rk_log_hint_builder_create(struct rk_log_hint_builder **builder_out, int dir_fd, uint32_t file_number,
                                       uint64_t n_entries_max, struct rk_detail *detail)
{
    struct rk_log_hint_builder *builder = rk_mem_calloc(1, sizeof *builder);
    enum rk_err err;

    builder->dir_fd = dir_fd;
    builder->file_number = file_number;
    builder->n_entries_max = n_entries_max;
    rk_disk_hint_name(builder->name, file_number);
    (void)snprintf(builder->tmp_name, sizeof builder->tmp_name, "%s%s", builder->name, RK_DISK_TMP_SUFFIX); /* fits */
    builder->fd = rk_open_file(dir_fd, builder->tmp_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (builder->fd < 0) {
        err = rk_err_from_errno(errno);
        rk_detail_set(detail, "its hint cannot be made: %s", rk_open_text(errno));
        (void)rk_io->unlink_at(dir_fd, builder->tmp_name); /* if it was made */
        free(builder);
        return err;
    }
    section_init(&builder->entries, RK_DISK_HINT_HEADER_BYTES);
    section_init(&builder->keys, RK_DISK_HINT_HEADER_BYTES + n_entries_max * RK_DISK_HINT_ENTRY_BYTES);
    builder->sort = rk_log_keys_sort_create(dir_fd, file_number, RK_LOG_KEYS_SORT_BYTES);
    *builder_out = builder;
    return RK_OK;
}

void rk_log_hint_builder_ask(struct rk_log_hint_builder *builder, bool (*go_on)(void *context), void *context)
{
    builder->go_on = go_on;
    builder->context = context;
}

static enum rk_err fail_write(struct rk_detail *detail)
{
    enum rk_err err = rk_err_from_errno(errno);

    rk_detail_set(detail, "its hint cannot be written: %s", strerror(errno));
    return err;
}

static bool write_out(const struct rk_log_hint_builder *builder, struct section *section)
{
    off_t offset = (off_t)(section->offset + section->written);

    if (rk_io_pwrite_full(builder->fd, section->buffer, section->used, offset) != 0)
        return false;
    /* Begun now, the sync at the end, which tells whether it worked, has less to do at once. */
    (void)rk_io->sync_range(builder->fd, offset, (off_t)section->used, SYNC_FILE_RANGE_WRITE);
    section->crc = rk_crc32c(section->crc, section->buffer, section->used);
    section->written += section->used;
    section->used = 0;
    return true;
}

static bool append(const struct rk_log_hint_builder *builder, struct section *section, const uint8_t *bytes,
                   size_t size)
{
    while (size > 0) {
        size_t room = SECTION_BUFFER_BYTES - section->used;
        size_t part = size < room ? size : room;

        memcpy(section->buffer + section->used, bytes, part);
        section->used += part;
        bytes += part;
        size -= part;
        if (part == room && !write_out(builder, section))
            return false;
    }
    return true;
}

enum rk_err rk_log_hint_builder_add(struct rk_log_hint_builder *builder, const struct rk_disk_hint_entry *entry,
                                    const struct rk_disk_key *key, struct rk_detail *detail)
{
    struct rk_log_keys_item item = { .key = *key, .is_tombstone = rk_disk_hint_is_tombstone(entry) };
    uint8_t bytes[RK_DISK_HINT_ENTRY_BYTES];

    if (builder->n_entries == builder->n_entries_max) {
        rk_detail_set(detail, "its hint has no room for more than %llu records",
                      (unsigned long long)builder->n_entries_max);
        return RK_ERR_FULL;
    }
    item.key.location = entry->location;
    item.key.sequence = entry->sequence;
    rk_disk_hint_entry_encode(bytes, entry);
    if (!append(builder, &builder->entries, bytes, sizeof bytes) || rk_log_keys_sort_add(builder->sort, &item) != RK_OK)
        return fail_write(detail);
    builder->n_entries++;
    return RK_OK;
}

static bool append_keys(void *context, const uint8_t *bytes, size_t size)
{
    struct rk_log_hint_builder *builder = context;

    return append(builder, &builder->keys, bytes, size);
}

static enum rk_err add_keys(struct rk_log_hint_builder *builder, struct rk_log_keys_tree *tree,
                            struct rk_detail *detail)
{
    struct rk_disk_key key;
    enum rk_err err = rk_log_keys_sort_begin(builder->sort);

    while (err == RK_OK && (err = rk_log_keys_sort_next(builder->sort, &key)) == RK_OK) {
        if (builder->go_on != NULL && builder->n_keys % ASK_EVERY == 0 && !builder->go_on(builder->context))
            return RK_ERR_AGAIN;
        if (!rk_log_keys_tree_add(tree, &key))
            return fail_write(detail);
        builder->n_keys++;
    }
    if (err != RK_ERR_NOT_FOUND || !rk_log_keys_tree_finish(tree, &builder->keys_root))
        return fail_write(detail);
    return RK_OK;
}

/* All keys, sorted. */
static enum rk_err write_keys(struct rk_log_hint_builder *builder, struct rk_detail *detail)
{
    struct rk_log_keys_tree *tree = rk_log_keys_tree_create(append_keys, builder);
    enum rk_err err = add_keys(builder, tree, detail);

    rk_log_keys_tree_destroy(&tree);
    return err;
}

static bool write_header(const struct rk_log_hint_builder *builder, const uint8_t uuid[RK_DISK_UUID_BYTES],
                         const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint_header header = { .file_number = builder->file_number,
                                          .entries_crc = builder->entries.crc,
                                          .keys_crc = builder->keys.crc,
                                          .trailer_crc = summary->trailer_crc,
                                          .n_entries = builder->n_entries,
                                          .data_bytes = summary->file_bytes,
                                          .keys_offset = builder->keys.offset,
                                          .keys_bytes = builder->keys.written,
                                          .keys_root = builder->keys_root,
                                          .n_keys = builder->n_keys,
                                          .has_sorted_keys = true };
    uint8_t bytes[RK_DISK_HINT_HEADER_BYTES];

    memcpy(header.uuid, uuid, RK_DISK_UUID_BYTES);
    rk_disk_hint_header_encode(bytes, &header);
    return rk_io_pwrite_full(builder->fd, bytes, sizeof bytes, 0) == 0;
}

void rk_log_hint_builder_allow_holes(struct rk_log_hint_builder *builder)
{
    builder->has_holes = true;
}

static bool fits_summary(const struct rk_log_hint_builder *builder, const struct rk_disk_file_summary *summary)
{
    uint64_t n_records = summary->trailer.n_records;

    return summary->has_trailer
           && (builder->has_holes ? n_records >= builder->n_entries : n_records == builder->n_entries);
}

enum rk_err rk_log_hint_builder_finish(struct rk_log_hint_builder *builder, const uint8_t uuid[RK_DISK_UUID_BYTES],
                                       const struct rk_disk_file_summary *summary, struct rk_detail *detail)
{
    enum rk_err err;

    if (!fits_summary(builder, summary)) {
        rk_detail_set(detail, "it has not the %llu record%s that its hint has", (unsigned long long)builder->n_entries,
                      rk_plural(builder->n_entries));
        return RK_ERR_CORRUPT;
    }
    err = write_keys(builder, detail);
    if (err != RK_OK)
        return err;
    if (!write_out(builder, &builder->entries) || !write_out(builder, &builder->keys)
        || !write_header(builder, uuid, summary) || rk_io->fsync(builder->fd) != 0)
        return fail_write(detail);
    if (rk_io->rename_at(builder->dir_fd, builder->tmp_name, builder->name) != 0) {
        err = rk_err_from_errno(errno);
        rk_detail_set(detail, "its hint cannot be renamed: %s", strerror(errno));
        return err;
    }
    builder->is_named = true;
    return RK_OK;
}

void rk_log_hint_builder_destroy(struct rk_log_hint_builder **builder)
{
    struct rk_log_hint_builder *self = *builder;

    if (self == NULL)
        return;
    (void)rk_io->close(self->fd); /* fsync said already what there is to say */
    if (!self->is_named)
        (void)rk_io->unlink_at(self->dir_fd, self->tmp_name); /* what stays is overwritten, or swept at start */
    rk_log_keys_sort_destroy(&self->sort);
    free(self->entries.buffer);
    free(self->keys.buffer);
    free(self);
    *builder = NULL;
}
