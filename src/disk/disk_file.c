#include "disk/disk_file.h"

#include "base/base_assert.h"
#include "base/base_bytes.h"
#include "disk/disk_location.h"

#include <rackkv/disk.h>
#include <stdio.h>
#include <string.h>

#define NAME_DIGITS 10
#define VALUE_BYTES ((uint32_t)sizeof(struct rackkv_disk_file_header))

_Static_assert(sizeof(struct rackkv_disk_file_header) == sizeof(struct rackkv_disk_file_trailer),
               "both ends are frames of one size");

_Static_assert((RK_RECORD_HEADER_BYTES + VALUE_BYTES + RK_DISK_UNIT_BYTES - 1) / RK_DISK_UNIT_BYTES * RK_DISK_UNIT_BYTES
                   == RK_DISK_FILE_FRAME_BYTES,
               "header and trailer records have the size that is promised");

void rk_disk_file_name(char name[RK_DISK_FILE_NAME_BYTES], uint32_t file_number)
{
    (void)snprintf(name, RK_DISK_FILE_NAME_BYTES, "%0*u.data", NAME_DIGITS, file_number); /* always fits */
}

void rk_disk_hint_name(char name[RK_DISK_FILE_NAME_BYTES], uint32_t file_number)
{
    (void)snprintf(name, RK_DISK_FILE_NAME_BYTES, "%0*u.hint", NAME_DIGITS, file_number); /* always fits */
}

void rk_disk_keys_tmp_name(char name[RK_DISK_FILE_NAME_BYTES], uint32_t file_number)
{
    (void)snprintf(name, RK_DISK_FILE_NAME_BYTES, "%0*u.keys.tmp", NAME_DIGITS, file_number); /* always fits */
}

/* The number that a name begins with, if this suffix and nothing else follows; else 0. */
static uint32_t number_before(const char *name, const char *suffix)
{
    uint64_t number = 0;

    for (int i = 0; i < NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    return strcmp(name + NAME_DIGITS, suffix) == 0 && number <= RK_DISK_FILE_NUMBER_MAX ? (uint32_t)number : 0;
}

uint32_t rk_disk_file_number_of_name(const char *name)
{
    uint32_t number = number_before(name, ".data");

    return number != 0 ? number : number_before(name, ".hint");
}

bool rk_disk_file_is_tmp_hint(const char *name)
{
    return number_before(name, ".hint.tmp") != 0 || number_before(name, ".keys.tmp") != 0;
}

static void build_frame(uint8_t *bytes, enum rk_record_type type, const uint8_t value[VALUE_BYTES],
                        const struct rk_record_secret *secret, const struct rk_record_stamp *stamp)
{
    struct rk_record_parts parts = { .type = type, .value = value, .value_len = VALUE_BYTES };
    uint64_t size = rk_record_build(bytes, &parts);

    RK_ASSERT(size == RK_DISK_FILE_FRAME_BYTES);
    rk_record_stamp(bytes, secret, stamp);
}

void rk_disk_file_header_build(uint8_t bytes[RK_DISK_FILE_FRAME_BYTES], const struct rk_disk_file_header *header,
                               const struct rk_record_stamp *stamp)
{
    uint8_t value[VALUE_BYTES] = { 0 };

    memcpy(value, header->uuid, RK_DISK_UUID_BYTES);
    rk_bytes_store32(value + offsetof(struct rackkv_disk_file_header, file_number), header->file_number);
    rk_bytes_store32(value + offsetof(struct rackkv_disk_file_header, format_version), header->format_version);
    rk_bytes_store32(value + offsetof(struct rackkv_disk_file_header, kind), (uint32_t)header->kind);
    build_frame(bytes, RK_RECORD_FILE_HEADER, value, &rk_record_plain, stamp);
}

void rk_disk_file_trailer_build(uint8_t bytes[RK_DISK_FILE_FRAME_BYTES], const struct rk_disk_file_trailer *trailer,
                                const struct rk_record_secret *secret, const struct rk_record_stamp *stamp)
{
    uint8_t value[VALUE_BYTES];

    rk_bytes_store64(value + offsetof(struct rackkv_disk_file_trailer, n_records), trailer->n_records);
    rk_bytes_store64(value + offsetof(struct rackkv_disk_file_trailer, bytes_before), trailer->size_bytes);
    rk_bytes_store64(value + offsetof(struct rackkv_disk_file_trailer, first_sequence), trailer->first_sequence);
    rk_bytes_store64(value + offsetof(struct rackkv_disk_file_trailer, last_sequence), trailer->last_sequence);
    build_frame(bytes, RK_RECORD_FILE_TRAILER, value, secret, stamp);
}

static bool is_frame(const struct rk_record_view *view, enum rk_record_type type)
{
    return view->header.type == type && view->header.value_len == VALUE_BYTES;
}

enum rk_err rk_disk_file_header_decode(const struct rk_record_view *view, struct rk_disk_file_header *header_out)
{
    if (!is_frame(view, RK_RECORD_FILE_HEADER))
        return RK_ERR_CORRUPT;
    memcpy(header_out->uuid, view->value, RK_DISK_UUID_BYTES);
    header_out->file_number = rk_bytes_load32(view->value + offsetof(struct rackkv_disk_file_header, file_number));
    header_out->format_version =
        rk_bytes_load32(view->value + offsetof(struct rackkv_disk_file_header, format_version));
    header_out->kind =
        (enum rk_disk_file_kind)rk_bytes_load32(view->value + offsetof(struct rackkv_disk_file_header, kind));
    return RK_OK;
}

enum rk_err rk_disk_file_trailer_decode(const struct rk_record_view *view, struct rk_disk_file_trailer *trailer_out)
{
    if (!is_frame(view, RK_RECORD_FILE_TRAILER))
        return RK_ERR_CORRUPT;
    trailer_out->n_records = rk_bytes_load64(view->value + offsetof(struct rackkv_disk_file_trailer, n_records));
    trailer_out->size_bytes = rk_bytes_load64(view->value + offsetof(struct rackkv_disk_file_trailer, bytes_before));
    trailer_out->first_sequence =
        rk_bytes_load64(view->value + offsetof(struct rackkv_disk_file_trailer, first_sequence));
    trailer_out->last_sequence =
        rk_bytes_load64(view->value + offsetof(struct rackkv_disk_file_trailer, last_sequence));
    return RK_OK;
}
