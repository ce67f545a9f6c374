#include "disk/disk_record.h"

#include "base/base_assert.h"
#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_planted.h"
#include "disk/disk_location.h"

#include <rackkv/disk.h>
#include <string.h>

enum header_offset {
    AT_MAGIC = offsetof(struct rackkv_disk_record, magic),
    AT_TYPE = offsetof(struct rackkv_disk_record, type),
    AT_FLAGS = offsetof(struct rackkv_disk_record, flags),
    AT_KEY_LEN = offsetof(struct rackkv_disk_record, key_bytes),
    AT_HEADER_CRC = offsetof(struct rackkv_disk_record, header_crc),
    AT_BODY_CRC = offsetof(struct rackkv_disk_record, body_crc),
    AT_SEQUENCE = offsetof(struct rackkv_disk_record, sequence),
    AT_WRITE_TIME = offsetof(struct rackkv_disk_record,
                             write_time_ms), /* 6 bytes, and the metadata length in the upper 2 of the same word */
    AT_METADATA_LEN = offsetof(struct rackkv_disk_record, metadata_bytes),
    AT_VALUE_LEN = offsetof(struct rackkv_disk_record, value_bytes),
    AT_DURABLE = offsetof(struct rackkv_disk_record, durable_units),
    AT_END = RK_RECORD_HEADER_BYTES,
};

#define PLAIN_MAGIC    0x31564b52u /* "RKV1" read as a little-endian number */
#define WRITE_TIME_MAX (((uint64_t)1 << 48) - 1)
#define EXPIRY_BYTES   8u
#define BLOCK_CRC_SIZE 4u

/* What <rackkv/disk.h> tells other programs. */
_Static_assert((int)RK_RECORD_PUT == RACKKV_DISK_PUT && (int)RK_RECORD_TOMBSTONE == RACKKV_DISK_TOMBSTONE
                   && (int)RK_RECORD_BATCH_BEGIN == RACKKV_DISK_BATCH_BEGIN
                   && (int)RK_RECORD_BATCH_COMMIT == RACKKV_DISK_BATCH_COMMIT
                   && (int)RK_RECORD_FILE_HEADER == RACKKV_DISK_FILE_HEADER
                   && (int)RK_RECORD_FILE_TRAILER == RACKKV_DISK_FILE_TRAILER
                   && (int)RK_RECORD_HOLE == RACKKV_DISK_HOLE,
               "the same types");
_Static_assert((int)RK_RECORD_HAS_EXPIRY == RACKKV_DISK_HAS_EXPIRY
                   && (int)RK_RECORD_HAS_BLOCK_CRCS == RACKKV_DISK_HAS_BLOCK_CRCS,
               "the same flags");
_Static_assert(AT_BODY_CRC + 4 == RK_RECORD_HOLE_HEAD_BYTES, "what makes a hole is in one unit");

_Static_assert(AT_MAGIC + 4 == AT_TYPE && AT_KEY_LEN + 2 == AT_HEADER_CRC && AT_BODY_CRC + 4 == AT_SEQUENCE
                   && AT_WRITE_TIME + 6 == AT_METADATA_LEN && AT_VALUE_LEN + 4 == AT_DURABLE
                   && AT_DURABLE + 4 == AT_END,
               "the header has no gap");

const struct rk_record_secret rk_record_plain = { .magic = PLAIN_MAGIC, .crc_seed = 0 };

/* What the records of a type may have; a header that has more was not made by us. */
static const struct {
    bool known;
    bool has_key; /* always, or never */
    bool may_have_metadata;
    bool may_have_expiry;
    uint32_t value_max;
} type_rules[] = {
    [RK_RECORD_PUT] = { true, true, true, true, RK_RECORD_VALUE_MAX },
    [RK_RECORD_TOMBSTONE] = { true, true, false, false, 0 },
    [RK_RECORD_BATCH_BEGIN] = { true, false, false, false, RK_RECORD_BLOCK_BYTES },
    [RK_RECORD_BATCH_COMMIT] = { true, false, false, false, RK_RECORD_BLOCK_BYTES },
    [RK_RECORD_FILE_HEADER] = { true, false, false, false, RK_RECORD_BLOCK_BYTES },
    [RK_RECORD_FILE_TRAILER] = { true, false, false, false, RK_RECORD_BLOCK_BYTES },
};

static bool needs_block_crcs(uint64_t value_len)
{
    return value_len > RK_RECORD_BLOCK_BYTES;
}

static size_t count_blocks(uint64_t value_len)
{
    return needs_block_crcs(value_len) ? (value_len + RK_RECORD_BLOCK_BYTES - 1) / RK_RECORD_BLOCK_BYTES : 0;
}

static size_t block_size(uint32_t value_len, size_t block)
{
    uint64_t begin = (uint64_t)block * RK_RECORD_BLOCK_BYTES;
    uint64_t rest = value_len - begin;

    return rest < RK_RECORD_BLOCK_BYTES ? rest : RK_RECORD_BLOCK_BYTES;
}

uint64_t rk_record_size(size_t key_len, size_t metadata_len, size_t value_len, bool has_expiry)
{
    return rk_disk_padded_size(RK_RECORD_HEADER_BYTES + (has_expiry ? EXPIRY_BYTES : 0)
                               + (uint64_t)count_blocks(value_len) * BLOCK_CRC_SIZE + key_len + metadata_len
                               + value_len);
}

size_t rk_record_n_blocks(const struct rk_record_header *header)
{
    return (header->flags & RK_RECORD_HAS_BLOCK_CRCS) != 0 ? count_blocks(header->value_len) : 0;
}

uint64_t rk_record_expiry_ms(const struct rk_record_header *header, const uint8_t *record)
{
    return (header->flags & RK_RECORD_HAS_EXPIRY) != 0 ? rk_bytes_load64(record + RK_RECORD_HEADER_BYTES) : 0;
}

static size_t block_crcs_offset(const struct rk_record_header *header)
{
    return RK_RECORD_HEADER_BYTES + ((header->flags & RK_RECORD_HAS_EXPIRY) != 0 ? EXPIRY_BYTES : 0);
}

size_t rk_record_key_offset(const struct rk_record_header *header)
{
    return block_crcs_offset(header) + rk_record_n_blocks(header) * BLOCK_CRC_SIZE;
}

size_t rk_record_value_offset(const struct rk_record_header *header)
{
    return rk_record_key_offset(header) + header->key_len + header->metadata_len;
}

uint64_t rk_record_size_of(const struct rk_record_header *header)
{
    if (header->type == RK_RECORD_HOLE)
        return (uint64_t)header->body_crc * RK_DISK_UNIT_BYTES;
    return rk_disk_padded_size((uint64_t)rk_record_value_offset(header) + header->value_len);
}

static void build_header(uint8_t *bytes, const struct rk_record_parts *parts)
{
    memset(bytes, 0, RK_RECORD_HEADER_BYTES);
    rk_bytes_store32(bytes + AT_MAGIC, PLAIN_MAGIC);
    bytes[AT_TYPE] = (uint8_t)parts->type;
    bytes[AT_FLAGS] = (parts->expiry_ms != 0 ? RK_RECORD_HAS_EXPIRY : 0)
                      | (needs_block_crcs(parts->value_len) ? RK_RECORD_HAS_BLOCK_CRCS : 0);
    rk_bytes_store16(bytes + AT_KEY_LEN, parts->key_len);
    rk_bytes_store16(bytes + AT_METADATA_LEN, parts->metadata_len);
    rk_bytes_store32(bytes + AT_VALUE_LEN, parts->value_len);
}

static uint8_t *append_bytes(uint8_t *at, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *append_block_crcs(uint8_t *at, const uint8_t *value, uint32_t value_len)
{
    for (size_t block = 0; block < count_blocks(value_len); block++) {
        size_t begin = block * (size_t)RK_RECORD_BLOCK_BYTES;

        rk_bytes_store32(at, rk_crc32c(0, value + begin, block_size(value_len, block)));
        at += BLOCK_CRC_SIZE;
    }
    return at;
}

uint64_t rk_record_build(uint8_t *bytes, const struct rk_record_parts *parts)
{
    uint64_t size = rk_record_size(parts->key_len, parts->metadata_len, parts->value_len, parts->expiry_ms != 0);
    uint8_t *at = bytes + RK_RECORD_HEADER_BYTES;
    uint8_t *crc_end;

    build_header(bytes, parts);
    if (parts->expiry_ms != 0) {
        rk_bytes_store64(at, parts->expiry_ms);
        at += EXPIRY_BYTES;
    }
    at = append_block_crcs(at, parts->value, parts->value_len);
    at = append_bytes(at, parts->key, parts->key_len);
    at = append_bytes(at, parts->metadata, parts->metadata_len);
    crc_end = at;
    at = append_bytes(at, parts->value, parts->value_len);
    if (!needs_block_crcs(parts->value_len))
        crc_end = at;
    rk_bytes_store32(bytes + AT_BODY_CRC,
                     rk_crc32c(0, bytes + RK_RECORD_HEADER_BYTES, (size_t)(crc_end - bytes) - RK_RECORD_HEADER_BYTES));
    memset(at, 0, size - (size_t)(at - bytes));
    return size;
}

/* The CRC of the header with its own field as zeros. Of a copy: three calls for the pieces cost three times as much as
 * one, and a scan pays that for every record. The field is cleared with the rest of its word, so that who loads words
 * need not wait until two stores have become one. */
static uint32_t header_crc(const uint8_t *bytes, const struct rk_record_secret *secret)
{
    uint8_t header[AT_END];

    memcpy(header, bytes, sizeof header);
    rk_bytes_store64(header + AT_HEADER_CRC, (uint64_t)rk_bytes_load32(bytes + AT_BODY_CRC) << 32);
    return rk_crc32c(secret->crc_seed, header, sizeof header);
}

void rk_record_stamp(uint8_t *header_bytes, const struct rk_record_secret *secret, const struct rk_record_stamp *stamp)
{
    uint64_t metadata_len = rk_bytes_load16(header_bytes + AT_METADATA_LEN);

    RK_ASSERT(stamp->write_time_ms <= WRITE_TIME_MAX);
    rk_bytes_store32(header_bytes + AT_MAGIC, secret->magic);
    rk_bytes_store64(header_bytes + AT_SEQUENCE, stamp->sequence);
    rk_bytes_store64(header_bytes + AT_WRITE_TIME, stamp->write_time_ms | metadata_len << 48);
    rk_bytes_store32(header_bytes + AT_DURABLE, stamp->durable_units);
    rk_bytes_store32(header_bytes + AT_HEADER_CRC, header_crc(header_bytes, secret));
}

void rk_record_make_hole(uint8_t header_bytes[RK_RECORD_HEADER_BYTES], const struct rk_record_secret *secret,
                         uint32_t n_records, uint64_t size_bytes)
{
    RK_ASSERT(n_records > 0 && n_records <= RK_RECORD_HOLE_RECORDS_MAX && size_bytes % RK_DISK_UNIT_BYTES == 0
              && size_bytes / RK_DISK_UNIT_BYTES <= UINT32_MAX);
    header_bytes[AT_TYPE] = RK_RECORD_HOLE;
    header_bytes[AT_FLAGS] = (uint8_t)(n_records >> 16);
    rk_bytes_store16(header_bytes + AT_KEY_LEN, (uint16_t)n_records);
    rk_bytes_store32(header_bytes + AT_BODY_CRC, (uint32_t)(size_bytes / RK_DISK_UNIT_BYTES));
    rk_bytes_store32(header_bytes + AT_HEADER_CRC, header_crc(header_bytes, secret));
}

uint32_t rk_record_header_crc(const uint8_t *bytes)
{
    return rk_bytes_load32(bytes + AT_HEADER_CRC);
}

static bool header_fits_rules(const struct rk_record_header *header)
{
    unsigned type = (unsigned)header->type;
    bool has_expiry = (header->flags & RK_RECORD_HAS_EXPIRY) != 0;
    bool has_block_crcs = (header->flags & RK_RECORD_HAS_BLOCK_CRCS) != 0;

    if (type == RK_RECORD_HOLE)
        return rk_record_hole_records(header) > 0
               && rk_record_size_of(header) >= rk_record_hole_records(header) * RK_RECORD_HEADER_BYTES;
    if (type >= sizeof type_rules / sizeof type_rules[0] || !type_rules[type].known)
        return false;
    return (header->flags & ~(RK_RECORD_HAS_EXPIRY | RK_RECORD_HAS_BLOCK_CRCS)) == 0
           && (header->key_len > 0) == type_rules[type].has_key
           && (header->metadata_len == 0 || type_rules[type].may_have_metadata)
           && (!has_expiry || type_rules[type].may_have_expiry) && header->value_len <= type_rules[type].value_max
           && has_block_crcs == needs_block_crcs(header->value_len);
}

/* All but magic and header CRC. */
static enum rk_err decode_fields(const uint8_t *bytes, struct rk_record_header *header_out)
{
    struct rk_record_header header = {
        .type = (enum rk_record_type)bytes[AT_TYPE],
        .flags = bytes[AT_FLAGS],
        .key_len = rk_bytes_load16(bytes + AT_KEY_LEN),
        .metadata_len = rk_bytes_load16(bytes + AT_METADATA_LEN),
        .value_len = rk_bytes_load32(bytes + AT_VALUE_LEN),
        .body_crc = rk_bytes_load32(bytes + AT_BODY_CRC),
        .sequence = rk_bytes_load64(bytes + AT_SEQUENCE),
        .write_time_ms = rk_bytes_load64(bytes + AT_WRITE_TIME) & WRITE_TIME_MAX,
        .durable_units = rk_bytes_load32(bytes + AT_DURABLE),
    };

    if (!header_fits_rules(&header))
        return RK_ERR_CORRUPT;
    *header_out = header;
    return RK_OK;
}

/* Nobody but the master makes holes, and only of what is stamped. */
enum rk_err rk_record_decode_unstamped_header(const uint8_t *bytes, struct rk_record_header *header_out)
{
    if (rk_bytes_load32(bytes + AT_MAGIC) != PLAIN_MAGIC || bytes[AT_TYPE] == RK_RECORD_HOLE)
        return RK_ERR_CORRUPT;
    return decode_fields(bytes, header_out);
}

enum rk_err rk_record_decode_header(const uint8_t *bytes, const struct rk_record_secret *secret,
                                    struct rk_record_header *header_out)
{
    if (rk_bytes_load32(bytes + AT_MAGIC) != secret->magic
        || rk_bytes_load32(bytes + AT_HEADER_CRC) != header_crc(bytes, secret))
        return RK_ERR_CORRUPT;
    return decode_fields(bytes, header_out);
}

enum rk_err rk_record_check_body(const struct rk_record_header *header, const uint8_t *bytes, bool check_value)
{
    size_t n_blocks = rk_record_n_blocks(header);
    size_t value_offset = rk_record_value_offset(header);
    size_t crc_end = n_blocks > 0 ? value_offset : value_offset + header->value_len;

    if (rk_crc32c(0, bytes + RK_RECORD_HEADER_BYTES, crc_end - RK_RECORD_HEADER_BYTES) != header->body_crc)
        return RK_ERR_CORRUPT;
    for (size_t block = 0; check_value && block < n_blocks; block++) {
        const uint8_t *block_bytes = bytes + value_offset + block * (size_t)RK_RECORD_BLOCK_BYTES;

        if (rk_record_check_block(header, bytes, block, block_bytes) != RK_OK)
            return RK_ERR_CORRUPT;
    }
    return RK_OK;
}

enum rk_err rk_record_check_block(const struct rk_record_header *header, const uint8_t *record, size_t block,
                                  const uint8_t *block_bytes)
{
    const uint8_t *crc_at = record + block_crcs_offset(header) + block * BLOCK_CRC_SIZE;

    RK_ASSERT(block < rk_record_n_blocks(header));
    if (rk_crc32c(0, block_bytes, block_size(header->value_len, block)) != rk_bytes_load32(crc_at))
        return RK_ERR_CORRUPT;
    return RK_OK;
}

enum rk_err rk_record_decode(const uint8_t *bytes, size_t size, const struct rk_record_secret *secret,
                             struct rk_record_view *view_out)
{
    struct rk_record_view view = { 0 };

    if (size < RK_RECORD_HEADER_BYTES)
        return RK_ERR_TORN;
    if (rk_record_decode_header(bytes, secret, &view.header) != RK_OK)
        return RK_ERR_CORRUPT;
    if (view.header.type == RK_RECORD_HOLE) /* it has no body */
        return RK_ERR_CORRUPT;
    if (size < rk_record_size_of(&view.header))
        return RK_ERR_TORN;
    if (rk_record_check_body(&view.header, bytes, true) != RK_OK && !RK_PLANTED(crc_not_checked_on_get))
        return RK_ERR_CORRUPT;
    view.expiry_ms = rk_record_expiry_ms(&view.header, bytes);
    view.key = bytes + rk_record_key_offset(&view.header);
    view.metadata = view.key + view.header.key_len;
    view.value = view.metadata + view.header.metadata_len;
    *view_out = view;
    return RK_OK;
}
