/* The names of the store's files, and what the first and the last record of a data file say about it. A codec only.
 *
 * Value of a FILE_HEADER record (32 bytes)     Value of a FILE_TRAILER record (32 bytes)
 *   offset size                                  offset size
 *        0   16  uuid of the store                    0    8  number of records, header and trailer not counted
 *       16    4  file number                          8    8  bytes before the trailer
 *       20    4  format version                      16    8  first (lowest) sequence, 0 without records
 *       24    4  kind (enum rk_disk_file_kind)        24    8  last (highest) sequence, 0 without records
 *       28    4  zeros
 *
 * 1. Little-endian, inside a record's CRC. Both records are RK_DISK_FILE_FRAME_BYTES long.
 * 2. A file with a trailer is sealed: it ends right after it and is never written again, unless it is the newest and
 *    a start on a full disk opens it again (rk_log_writer_open). */
#ifndef RK_DISK_FILE_H
#define RK_DISK_FILE_H

#include "base/base_err.h"
#include "disk/disk_record.h"

#include <rackkv/disk.h>
#include <stdbool.h>
#include <stdint.h>

#define RK_DISK_UUID_BYTES       16
#define RK_DISK_FILE_NAME_BYTES  32
#define RK_DISK_FORMAT_VERSION   RACKKV_DISK_FORMAT_VERSION
#define RK_DISK_FILE_FRAME_BYTES 80u

/* After an unclean end so many sequences are left out: more records than that cannot have been lost with a tail. */
#define RK_LOG_SEQUENCE_GAP ((uint64_t)1 << 28)

enum rk_disk_file_kind {
    RK_DISK_FILE_APPENDED = 1, /* sequences ascend */
    RK_DISK_FILE_MERGED = 2,   /* records of older files, in any order */
};

struct rk_disk_file_header {
    uint8_t uuid[RK_DISK_UUID_BYTES];
    uint32_t file_number;
    uint32_t format_version;
    enum rk_disk_file_kind kind;
};

struct rk_disk_file_trailer {
    uint64_t n_records;
    uint64_t size_bytes;
    uint64_t first_sequence;
    uint64_t last_sequence;
};

/* "0000000012.data", "0000000012.hint". Pure. */
void rk_disk_file_name(char name[RK_DISK_FILE_NAME_BYTES], uint32_t file_number);
void rk_disk_hint_name(char name[RK_DISK_FILE_NAME_BYTES], uint32_t file_number);

/* "0000000012.keys.tmp": runs of keys while they are sorted. Pure. */
void rk_disk_keys_tmp_name(char name[RK_DISK_FILE_NAME_BYTES], uint32_t file_number);

/* The number in a name of one of these two patterns, 0 for every other name. Pure. */
uint32_t rk_disk_file_number_of_name(const char *name);

/* Whether the name is that of a hint that was not finished, or of its keys: "0000000012.hint.tmp",
 * "0000000012.keys.tmp". Pure. */
bool rk_disk_file_is_tmp_hint(const char *name);

/* Builds and stamps the whole record, RK_DISK_FILE_FRAME_BYTES long. A header is plain, a trailer is the store's. Pure.
 */
void rk_disk_file_header_build(uint8_t bytes[RK_DISK_FILE_FRAME_BYTES], const struct rk_disk_file_header *header,
                               const struct rk_record_stamp *stamp);
void rk_disk_file_trailer_build(uint8_t bytes[RK_DISK_FILE_FRAME_BYTES], const struct rk_disk_file_trailer *trailer,
                                const struct rk_record_secret *secret, const struct rk_record_stamp *stamp);

/* What a record of that type, already decoded, says: RK_OK, or RK_ERR_CORRUPT when it is no such record. Whether
 * version and kind are known is the caller's to judge. Pure. */
enum rk_err rk_disk_file_header_decode(const struct rk_record_view *view, struct rk_disk_file_header *header_out);
enum rk_err rk_disk_file_trailer_decode(const struct rk_record_view *view, struct rk_disk_file_trailer *trailer_out);

#endif
