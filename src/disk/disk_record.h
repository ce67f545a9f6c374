/* The record: what every data file is made of. A codec only: bytes in, struct out; no file, no clock, no globals.
 *
 *   offset size
 *        0    4  magic: the store's own (disk_secret.h); "RKV1" in a file header, whose CRC has the seed 0
 *        4    1  type (enum rk_record_type)
 *        5    1  flags (RK_RECORD_HAS_*)
 *        6    2  key length
 *        8    4  header CRC: CRC-32C of these 40 bytes with this field as zeros; seed: the store's (disk_secret.h)
 *       12    4  body CRC: CRC-32C of [expiry][block CRCs][key][metadata] and, unless there are block CRCs, [value]
 *       16    8  sequence
 *       24    6  write time, ms since 1970
 *       30    2  metadata length
 *       32    4  value length
 *       36    4  durable-up-to mark: offset / 16 in this file below which all was durable when this was written
 *       40       [expiry: 8, ms since 1970]  if RK_RECORD_HAS_EXPIRY
 *                [block CRCs: 4 for each 64 KiB of the value] if RK_RECORD_HAS_BLOCK_CRCS
 *                key · metadata · value · zeros up to the padded size (disk_location.h)
 *
 * 1. Little-endian. A record begins at a multiple of 16.
 * 2. Zeros are never a valid record (magic), nor is a header whose CRC does not fit, nor, but for file headers, one
 *    that was made without the store's secret.
 * 3. The body CRC does not depend on the header: a worker computes it before the writer stamps sequence, time, mark and
 *    header CRC.
 * 4. Values over 64 KiB have block CRCs, so a piece can be checked alone; the body CRC covers the CRCs.
 * 5. A tombstone is a type, never a value: the empty value is a value.
 * 6. A hole stands where records were that nobody needs any more: its flags (high) and key length are the number of
 * these records, its body CRC the size of all of them in units of 16 bytes. What is behind its header may be anything.
 * It is made of the first record's header by a change of the first 16 bytes, which no disk writes in part. */
#ifndef RK_DISK_RECORD_H
#define RK_DISK_RECORD_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_RECORD_HEADER_BYTES 40u
#define RK_RECORD_BLOCK_BYTES  65536u
#define RK_RECORD_KEY_MAX      65535u
#define RK_RECORD_METADATA_MAX 65535u
#define RK_RECORD_VALUE_MAX    (1u << 30)

enum rk_record_type {
    RK_RECORD_PUT = 1,
    RK_RECORD_TOMBSTONE = 2,
    RK_RECORD_BATCH_BEGIN = 3,
    RK_RECORD_BATCH_COMMIT = 4,
    RK_RECORD_FILE_HEADER = 5,
    RK_RECORD_FILE_TRAILER = 6,
    RK_RECORD_HOLE = 7, /* disk_hole.h */
};

enum rk_record_flag {
    RK_RECORD_HAS_EXPIRY = 1,
    RK_RECORD_HAS_BLOCK_CRCS = 2,
};

/* What the headers of a store's records are made with. */
struct rk_record_secret {
    uint32_t magic;
    uint32_t crc_seed;
};

/* Everybody's: of file headers, which must be readable before anybody knows whose file it is. */
extern const struct rk_record_secret rk_record_plain;

/* A header, decoded. Lengths are as stored; nothing of the body was looked at. */
struct rk_record_header {
    enum rk_record_type type;
    uint8_t flags;
    uint16_t key_len;
    uint16_t metadata_len;
    uint32_t value_len;
    uint32_t body_crc;
    uint64_t sequence;
    uint64_t write_time_ms;
    uint32_t durable_units;
};

#define RK_RECORD_HOLE_RECORDS_MAX ((1u << 24) - 1)
#define RK_RECORD_HOLE_HEAD_BYTES  16u /* so much of the header is changed */

/* Makes a hole of the header of a stamped record, or of a hole: of so many records, of so many bytes in all. */
void rk_record_make_hole(uint8_t header[RK_RECORD_HEADER_BYTES], const struct rk_record_secret *secret,
                         uint32_t n_records, uint64_t size_bytes);

/* How many records a hole stands for. */
static inline uint64_t rk_record_hole_records(const struct rk_record_header *header)
{
    return (uint64_t)header->flags << 16 | header->key_len;
}

/* What a record is built from. Pointers may be NULL where the length is 0. */
struct rk_record_parts {
    enum rk_record_type type;
    const void *key;
    const void *metadata;
    const void *value;
    uint16_t key_len;
    uint16_t metadata_len;
    uint32_t value_len;
    uint64_t expiry_ms; /* 0: none */
};

/* A whole record in memory, decoded and checked; the pointers point into the record's bytes. */
struct rk_record_view {
    struct rk_record_header header;
    uint64_t expiry_ms; /* 0: none */
    const uint8_t *key;
    const uint8_t *metadata;
    const uint8_t *value;
};

/* What only the writer knows. */
struct rk_record_stamp {
    uint64_t sequence;
    uint64_t write_time_ms;
    uint32_t durable_units;
};

/* The padded size on disk. Pure. */
uint64_t rk_record_size(size_t key_len, size_t metadata_len, size_t value_len, bool has_expiry);

/* Writes the record of rk_record_size() bytes with body CRC and padding; sequence, time, mark and header CRC stay zero
 * until rk_record_stamp(). Returns the size. Pure. */
uint64_t rk_record_build(uint8_t *bytes, const struct rk_record_parts *parts);

/* Fills in the stamp, the magic and the header CRC. Pure. */
void rk_record_stamp(uint8_t *header_bytes, const struct rk_record_secret *secret, const struct rk_record_stamp *stamp);

/* Decodes a header of 40 bytes: RK_OK, or RK_ERR_CORRUPT (magic, CRC, type, flags or lengths that no writer makes, or a
 * header that was made with another secret). */
enum rk_err rk_record_decode_header(const uint8_t *bytes, const struct rk_record_secret *secret,
                                    struct rk_record_header *header_out);

/* The same for a record that was built and not yet stamped (the plain magic, no header CRC): what a worker puts into a
 * ring. */
enum rk_err rk_record_decode_unstamped_header(const uint8_t *bytes, struct rk_record_header *header_out);

/* The header CRC that a stamped header carries: it names the record, body CRC and sequence included. Pure. */
uint32_t rk_record_header_crc(const uint8_t *bytes);

/* The padded size that follows from a header; and where key, metadata and value begin. Pure. */
uint64_t rk_record_size_of(const struct rk_record_header *header);
size_t rk_record_key_offset(const struct rk_record_header *header);
size_t rk_record_value_offset(const struct rk_record_header *header);
size_t rk_record_n_blocks(const struct rk_record_header *header); /* 0 without block CRCs */

/* When the record of this header expires, in ms since 1970; 0: never. Pure. */
uint64_t rk_record_expiry_ms(const struct rk_record_header *header, const uint8_t *record);

/* Checks the body of a record against its header; RK_OK or RK_ERR_CORRUPT. Without check_value, a value that has block
 * CRCs is left out, and `bytes` need only hold what comes before it. A value without block CRCs shares the body's CRC:
 * it is always checked, and `bytes` must hold it. */
enum rk_err rk_record_check_body(const struct rk_record_header *header, const uint8_t *bytes, bool check_value);

/* Checks block number `block` of a value with block CRCs: `record` is the record up to its value, `block_bytes` the
 * block's bytes (the last one may be short). */
enum rk_err rk_record_check_block(const struct rk_record_header *header, const uint8_t *record, size_t block,
                                  const uint8_t *block_bytes);

/* Decodes and checks a whole record of `size` bytes (at least its padded size). RK_OK, RK_ERR_CORRUPT, or RK_ERR_TORN
 * when `size` is too small for what the header says. */
enum rk_err rk_record_decode(const uint8_t *bytes, size_t size, const struct rk_record_secret *secret,
                             struct rk_record_view *view_out);

#endif
