#include "log/log_manifest.h"

#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "log/log_location.h"

#include <stdlib.h>
#include <string.h>

enum manifest_offset {
    AT_MAGIC = 0,
    AT_CRC = 8,
    AT_VERSION = 12,
    AT_UUID = 16,
    AT_EDITION = 32,
    AT_NEXT_NUMBER = 40,
    AT_N_FILES = 44,
    AT_FILES = 48,
};

#define FILE_BYTES 4u

static const char magic[8] = "RKMANIF1";

void rk_log_manifest_fini(struct rk_log_manifest *manifest)
{
    free(manifest->files);
    manifest->files = NULL;
    manifest->n_files = 0;
}

size_t rk_log_manifest_size(size_t n_files)
{
    return AT_FILES + n_files * FILE_BYTES;
}

static uint32_t manifest_crc(const uint8_t *bytes, size_t size)
{
    static const uint8_t zeros[4];
    uint32_t crc = rk_crc32c(0, bytes, AT_CRC);

    crc = rk_crc32c(crc, zeros, sizeof zeros);
    return rk_crc32c(crc, bytes + AT_VERSION, size - AT_VERSION);
}

void rk_log_manifest_encode(uint8_t *bytes, const struct rk_log_manifest *manifest)
{
    size_t size = rk_log_manifest_size(manifest->n_files);

    memcpy(bytes + AT_MAGIC, magic, sizeof magic);
    rk_bytes_store32(bytes + AT_VERSION, RK_LOG_FORMAT_VERSION);
    memcpy(bytes + AT_UUID, manifest->uuid, RK_LOG_UUID_BYTES);
    rk_bytes_store64(bytes + AT_EDITION, manifest->edition);
    rk_bytes_store32(bytes + AT_NEXT_NUMBER, manifest->next_number);
    rk_bytes_store32(bytes + AT_N_FILES, manifest->n_files);
    for (uint32_t i = 0; i < manifest->n_files; i++)
        rk_bytes_store32(bytes + AT_FILES + (size_t)i * FILE_BYTES, manifest->files[i]);
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
        if (sorted[i] == sorted[i - 1] || sorted[i] > RK_LOG_FILE_NUMBER_MAX)
            fit = false;
    free(sorted);
    return fit;
}

static enum rk_err check_frame(const uint8_t *bytes, size_t size, struct rk_detail *detail)
{
    if (size < AT_FILES || memcmp(bytes, magic, sizeof magic) != 0) {
        rk_detail_set(detail, "not a list of data files: %u bytes or more that begin with RKMANIF1 are expected",
                      (unsigned)AT_FILES);
        return RK_ERR_CORRUPT;
    }
    if (rk_bytes_load32(bytes + AT_CRC) != manifest_crc(bytes, size)) {
        rk_detail_set(detail, "damaged: its checksum does not fit; restore it from a backup");
        return RK_ERR_CORRUPT;
    }
    if (rk_bytes_load32(bytes + AT_VERSION) != RK_LOG_FORMAT_VERSION) {
        rk_detail_set(detail, "format version %u; this program reads version %u", rk_bytes_load32(bytes + AT_VERSION),
                      RK_LOG_FORMAT_VERSION);
        return RK_ERR_MISMATCH;
    }
    return RK_OK;
}

enum rk_err rk_log_manifest_decode(const uint8_t *bytes, size_t size, struct rk_log_manifest *manifest_out,
                                   struct rk_detail *detail)
{
    struct rk_log_manifest manifest = { 0 };
    enum rk_err err = check_frame(bytes, size, detail);

    if (err != RK_OK)
        return err;
    memcpy(manifest.uuid, bytes + AT_UUID, RK_LOG_UUID_BYTES);
    manifest.edition = rk_bytes_load64(bytes + AT_EDITION);
    manifest.next_number = rk_bytes_load32(bytes + AT_NEXT_NUMBER);
    manifest.n_files = rk_bytes_load32(bytes + AT_N_FILES);
    if (manifest.n_files > RK_LOG_FILES_MAX || size != rk_log_manifest_size(manifest.n_files)
        || manifest.next_number == 0 || manifest.next_number > RK_LOG_FILE_NUMBER_MAX) {
        rk_detail_set(detail, "its counts do not fit its size");
        return RK_ERR_CORRUPT;
    }
    manifest.files = rk_mem_calloc((size_t)manifest.n_files + 1, sizeof *manifest.files);
    for (uint32_t i = 0; i < manifest.n_files; i++)
        manifest.files[i] = rk_bytes_load32(bytes + AT_FILES + (size_t)i * FILE_BYTES);
    if (!numbers_fit(manifest.files, manifest.n_files)) {
        rk_detail_set(detail, "a file number is there twice, or is out of range");
        rk_log_manifest_fini(&manifest);
        return RK_ERR_CORRUPT;
    }
    *manifest_out = manifest;
    return RK_OK;
}

static bool list_has(const uint32_t *files, size_t n_files, uint32_t file_number)
{
    for (size_t i = 0; i < n_files; i++)
        if (files[i] == file_number)
            return true;
    return false;
}

bool rk_log_manifest_has(const struct rk_log_manifest *manifest, uint32_t file_number)
{
    return list_has(manifest->files, manifest->n_files, file_number);
}

static void append_files(struct rk_log_manifest *out, const uint32_t *files, size_t n_files)
{
    for (size_t i = 0; i < n_files; i++)
        out->files[out->n_files++] = files[i];
}

enum rk_err rk_log_manifest_change(struct rk_log_manifest *out, const struct rk_log_manifest *from,
                                   const struct rk_log_store_change *change)
{
    bool placed = false;

    if (from->n_files + change->n_added > RK_LOG_FILES_MAX)
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
    return RK_OK;
}
