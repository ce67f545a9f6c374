#include "disk/disk_manifest.h"

#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "disk/disk_location.h"

#include <rackkv/disk.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum manifest_offset {
    AT_MAGIC = offsetof(struct rackkv_disk_manifest, magic),
    AT_CRC = offsetof(struct rackkv_disk_manifest, crc),
    AT_VERSION = offsetof(struct rackkv_disk_manifest, format_version),
    AT_UUID = offsetof(struct rackkv_disk_manifest, uuid),
    AT_EDITION = offsetof(struct rackkv_disk_manifest, edition),
    AT_NEXT_NUMBER = offsetof(struct rackkv_disk_manifest, next_number),
    AT_N_FILES = offsetof(struct rackkv_disk_manifest, n_files),
    AT_FILES = sizeof(struct rackkv_disk_manifest),
};

#define VERSION_WITHOUT_FIELDS 2u
#define VERSION_WITH_FIELDS    RACKKV_DISK_MANIFEST_VERSION

#define FILE_BYTES  4u
#define FIELD_BYTES ((size_t)sizeof(struct rackkv_disk_manifest_field))

enum field_tag {
    TAG_LAST_SEQUENCE = 1,
    TAG_CLOSED = 2,
};

static const char magic[8] = RACKKV_DISK_MANIFEST_MAGIC;

void rk_disk_manifest_fini(struct rk_disk_manifest *manifest)
{
    free(manifest->files);
    manifest->files = NULL;
    manifest->n_files = 0;
}

static size_t fields_offset(const struct rk_disk_manifest *manifest)
{
    return AT_FILES + (size_t)manifest->n_files * FILE_BYTES;
}

size_t rk_disk_manifest_size(const struct rk_disk_manifest *manifest)
{
    size_t n_fields = (manifest->last_sequence != 0) + (manifest->closed_file != 0);

    return fields_offset(manifest) + n_fields * FIELD_BYTES;
}

static uint32_t manifest_crc(const uint8_t *bytes, size_t size)
{
    static const uint8_t zeros[4];
    uint32_t crc = rk_crc32c(0, bytes, AT_CRC);

    crc = rk_crc32c(crc, zeros, sizeof zeros);
    return rk_crc32c(crc, bytes + AT_VERSION, size - AT_VERSION);
}

static uint8_t *encode_field(uint8_t *bytes, enum field_tag tag, uint32_t a, uint64_t b)
{
    rk_bytes_store32(bytes, tag);
    rk_bytes_store32(bytes + 4, a);
    rk_bytes_store64(bytes + 8, b);
    return bytes + FIELD_BYTES;
}

void rk_disk_manifest_encode(uint8_t *bytes, const struct rk_disk_manifest *manifest)
{
    size_t size = rk_disk_manifest_size(manifest);
    uint8_t *field = bytes + fields_offset(manifest);

    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    rk_bytes_store32(bytes + AT_VERSION, VERSION_WITH_FIELDS);
    memcpy(bytes + AT_UUID, manifest->uuid, RK_DISK_UUID_BYTES);
    rk_bytes_store64(bytes + AT_EDITION, manifest->edition);
    rk_bytes_store32(bytes + AT_NEXT_NUMBER, manifest->next_number);
    rk_bytes_store32(bytes + AT_N_FILES, manifest->n_files);
    for (uint32_t i = 0; i < manifest->n_files; i++)
        rk_bytes_store32(bytes + AT_FILES + (size_t)i * FILE_BYTES, manifest->files[i]);
    if (manifest->last_sequence != 0)
        field = encode_field(field, TAG_LAST_SEQUENCE, 0, manifest->last_sequence);
    if (manifest->closed_file != 0)
        (void)encode_field(field, TAG_CLOSED, manifest->closed_file, manifest->closed_bytes);
    rk_bytes_store32(bytes + AT_CRC, manifest_crc(bytes, size));
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* Whether each number is one that a file can have, and is there once. */
static bool numbers_fit(const uint32_t *files, size_t n_files)
{
    uint32_t *sorted = rk_mem_calloc(n_files + 1, sizeof *sorted);
    bool fit = true;

    if (n_files > 0)
        memcpy(sorted + 1, files, n_files * sizeof *files);
    qsort(sorted + 1, n_files, sizeof *sorted, compare_numbers);
    for (size_t i = 1; i <= n_files; i++) /* sorted[0] is 0: a file 0 is found as one that is there twice */
        if (sorted[i] == sorted[i - 1] || sorted[i] > RK_DISK_FILE_NUMBER_MAX)
            fit = false;
    free(sorted);
    return fit;
}

/* The file that is written to; 0: there is none. */
static uint32_t newest_of(const struct rk_disk_manifest *manifest)
{
    return manifest->n_files > 0 ? manifest->files[manifest->n_files - 1] : 0;
}

static enum rk_err check_frame(const uint8_t *bytes, size_t size, struct rk_detail *detail)
{
    uint32_t version;

    if (size < AT_FILES || memcmp(bytes, magic, sizeof magic) != 0) {
        rk_detail_set(detail, "not a list of data files: %u bytes or more that begin with RKMANIF1 are expected",
                      (unsigned)AT_FILES);
        return RK_ERR_CORRUPT;
    }
    if (rk_bytes_load32(bytes + AT_CRC) != manifest_crc(bytes, size)) {
        rk_detail_set(detail, "damaged: its checksum does not fit; restore it from a backup");
        return RK_ERR_CORRUPT;
    }
    version = rk_bytes_load32(bytes + AT_VERSION);
    if (version != VERSION_WITH_FIELDS && version != VERSION_WITHOUT_FIELDS) {
        rk_detail_set(detail, "format version %u; this program reads versions %u and %u", version,
                      VERSION_WITHOUT_FIELDS, VERSION_WITH_FIELDS);
        return RK_ERR_MISMATCH;
    }
    return RK_OK;
}

/* What is behind the list; `manifest` has the list. RK_ERR_CORRUPT also where a field says what it cannot. */
static enum rk_err decode_field(const uint8_t *bytes, struct rk_disk_manifest *manifest, struct rk_detail *detail)
{
    uint32_t tag = rk_bytes_load32(bytes);
    uint32_t a = rk_bytes_load32(bytes + 4);
    uint64_t b = rk_bytes_load64(bytes + 8);

    if (tag > TAG_CLOSED) {
        rk_detail_set(detail, "a field with the tag %u, which this program does not know", tag);
        return RK_ERR_MISMATCH;
    }
    if (tag == TAG_LAST_SEQUENCE && a == 0 && b != 0) {
        manifest->last_sequence = b;
        return RK_OK;
    }
    if (tag == TAG_CLOSED && a != 0 && a == newest_of(manifest) && b <= RK_DISK_FILE_BYTES_MAX) {
        manifest->closed_file = a;
        manifest->closed_bytes = b;
        return RK_OK;
    }
    rk_detail_set(detail, "its field with the tag %u does not fit", tag);
    return RK_ERR_CORRUPT;
}

static enum rk_err decode_fields(const uint8_t *bytes, size_t size, struct rk_disk_manifest *manifest,
                                 struct rk_detail *detail)
{
    uint32_t tag_before = 0;
    enum rk_err err = RK_OK;

    for (size_t at = fields_offset(manifest); err == RK_OK && at < size; at += FIELD_BYTES) {
        if (rk_bytes_load32(bytes + at) <= tag_before) {
            rk_detail_set(detail, "its fields are not in order");
            return RK_ERR_CORRUPT;
        }
        tag_before = rk_bytes_load32(bytes + at);
        err = decode_field(bytes + at, manifest, detail);
    }
    return err;
}

static bool counts_fit(const uint8_t *bytes, size_t size, const struct rk_disk_manifest *manifest)
{
    size_t rest;

    if (manifest->n_files > RK_DISK_FILES_MAX || size < fields_offset(manifest))
        return false;
    rest = size - fields_offset(manifest);
    if (rk_bytes_load32(bytes + AT_VERSION) == VERSION_WITHOUT_FIELDS ? rest != 0 : rest % FIELD_BYTES != 0)
        return false;
    return manifest->next_number != 0 && manifest->next_number <= RK_DISK_FILE_NUMBER_MAX;
}

enum rk_err rk_disk_manifest_decode(const uint8_t *bytes, size_t size, struct rk_disk_manifest *manifest_out,
                                    struct rk_detail *detail)
{
    struct rk_disk_manifest manifest = { 0 };
    enum rk_err err = check_frame(bytes, size, detail);

    if (err != RK_OK)
        return err;
    memcpy(manifest.uuid, bytes + AT_UUID, RK_DISK_UUID_BYTES);
    manifest.edition = rk_bytes_load64(bytes + AT_EDITION);
    manifest.next_number = rk_bytes_load32(bytes + AT_NEXT_NUMBER);
    manifest.n_files = rk_bytes_load32(bytes + AT_N_FILES);
    if (!counts_fit(bytes, size, &manifest)) {
        rk_detail_set(detail, "its counts do not fit its size");
        return RK_ERR_CORRUPT;
    }
    manifest.files = rk_mem_calloc((size_t)manifest.n_files + 1, sizeof *manifest.files);
    for (uint32_t i = 0; i < manifest.n_files; i++)
        manifest.files[i] = rk_bytes_load32(bytes + AT_FILES + (size_t)i * FILE_BYTES);
    if (!numbers_fit(manifest.files, manifest.n_files)) {
        rk_detail_set(detail, "a file number is there twice, or is out of range");
        err = RK_ERR_CORRUPT;
    }
    if (err == RK_OK)
        err = decode_fields(bytes, size, &manifest, detail);
    if (err == RK_OK)
        *manifest_out = manifest;
    else
        rk_disk_manifest_fini(&manifest);
    return err;
}

static bool list_has(const uint32_t *files, size_t n_files, uint32_t file_number)
{
    for (size_t i = 0; i < n_files; i++)
        if (files[i] == file_number)
            return true;
    return false;
}

bool rk_disk_manifest_has(const struct rk_disk_manifest *manifest, uint32_t file_number)
{
    return list_has(manifest->files, manifest->n_files, file_number);
}

static void append_files(struct rk_disk_manifest *out, const uint32_t *files, size_t n_files)
{
    for (size_t i = 0; i < n_files; i++)
        out->files[out->n_files++] = files[i];
}

enum rk_err rk_disk_manifest_change(struct rk_disk_manifest *out, const struct rk_disk_manifest *from,
                                    const struct rk_disk_manifest_change *change)
{
    bool placed = false;

    if (from->n_files + change->n_added > RK_DISK_FILES_MAX)
        return RK_ERR_LIMIT;
    *out = *from;
    out->edition = from->edition + 1;
    out->n_files = 0;
    out->files = rk_mem_calloc(from->n_files + change->n_added + 1, sizeof *out->files);
    for (uint32_t i = 0; i < from->n_files; i++) {
        bool is_removed = list_has(change->removed, change->n_removed, from->files[i]);

        if (!placed && (change->before != 0 ? from->files[i] == change->before : is_removed)) {
            append_files(out, change->added, change->n_added);
            placed = true;
        }
        if (!is_removed)
            append_files(out, &from->files[i], 1);
    }
    if (!placed)
        append_files(out, change->added, change->n_added);
    if (change->last_sequence > out->last_sequence)
        out->last_sequence = change->last_sequence;
    if (change->closed_file != 0) {
        out->closed_file = change->closed_file;
        out->closed_bytes = change->closed_bytes;
    }
    if (out->closed_file != newest_of(out)) {
        out->closed_file = 0;
        out->closed_bytes = 0;
    }
    return RK_OK;
}
