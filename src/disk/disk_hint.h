/* A hint file: what a sealed data file says about its keys, without the values. A cache: made from the data file at any
 * time, and in any doubt the data file is read instead.
 *
 *   offset  size
 *        0     8  magic "RKHINT04"; "RKHINT03": the same, but for the keys
 *        8     4  CRC-32C of these 128 bytes with this field as zeros
 *       12     4  format version
 *       16    16  uuid of the store
 *       32     4  file number
 *       36     4  CRC-32C of the entries
 *       40     4  CRC-32C of the keys
 *       44     4  header CRC of the data file's trailer
 *       48     8  n, the number of entries: all records of the data file, but for header and trailer, and for
 *               those in holes (disk_hole.h) that were there when it was made
 *       56     8  size of the data file
 *       64     8  size of the keys
 *       72     8  where the keys begin
 *       80     8  where in the keys the root of their blocks begins
 *       88     8  number of keys
 *       96    32  zeros
 *      128  32*n  entries, in the order of their offsets: fingerprint (12: 8 high, 4 low), expiry_s (4), location (8),
 *                 sequence (8)
 *           ...   a hole, where the number of entries was not known before they came
 *           ...   keys, sorted, in blocks (disk_keys.h); in a hint of the older kind: in the order of the entries, each
 *                 with its length (2) before it, read by nobody
 *
 * 1. Little-endian. A hint names the data file's size and trailer: it belongs to this file as it is, or to none.
 * 2. It gets its name when it is complete and its bytes are durable (tmp, fsync, rename).
 * 3. expiry_s is the second, since 1970, from which on the record says "there is no such key": of a record with an
 *    expiry the first one in which all of it is past; of a tombstone 1, so that it has always been; 0: never. */
#ifndef RK_DISK_HINT_H
#define RK_DISK_HINT_H

#include "disk/disk_file.h"
#include "disk/disk_summary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_DISK_HINT_HEADER_BYTES 128u
#define RK_DISK_HINT_ENTRY_BYTES  32u

struct rk_detail;
struct rk_disk_identity;
struct rk_disk_hint;

#define RK_DISK_EXPIRY_NONE      0u
#define RK_DISK_EXPIRY_TOMBSTONE 1u
#define RK_DISK_EXPIRY_FAR       UINT32_MAX /* later than four bytes can say: for a hint that is never */

struct rk_disk_hint_entry {
    uint64_t fingerprint_high;
    uint32_t fingerprint_low;
    uint32_t expiry_s; /* see (3) */
    uint64_t location;
    uint64_t sequence;
};

/* A record's expiry, rounded up to the next second: what hints and the space table have. */
uint32_t rk_disk_expiry_s(enum rk_record_type type, uint64_t expiry_ms);

static inline bool rk_disk_hint_is_tombstone(const struct rk_disk_hint_entry *entry)
{
    return entry->expiry_s == RK_DISK_EXPIRY_TOMBSTONE;
}

/* Whether it is a second, and not one of the other three. */
static inline bool rk_disk_is_expiry(uint32_t expiry_s)
{
    return expiry_s > RK_DISK_EXPIRY_TOMBSTONE && expiry_s != RK_DISK_EXPIRY_FAR;
}

static inline bool rk_disk_hint_has_expired(const struct rk_disk_hint_entry *entry, uint64_t now_s)
{
    return rk_disk_is_expiry(entry->expiry_s) && entry->expiry_s <= now_s;
}

struct rk_disk_hint_header {
    uint8_t uuid[RK_DISK_UUID_BYTES];
    uint32_t file_number;
    uint32_t entries_crc;
    uint32_t keys_crc;
    uint32_t trailer_crc;
    uint64_t n_entries;
    uint64_t data_bytes;
    uint64_t keys_bytes;
    uint64_t keys_offset;
    uint64_t keys_root;
    uint64_t n_keys;
    bool has_sorted_keys; /* else it is of the older kind, and the two before mean nothing */
};

/* Pure. Decode: RK_OK; RK_ERR_CORRUPT, also for another version: a hint that is not understood is made anew. */
void rk_disk_hint_header_encode(uint8_t bytes[RK_DISK_HINT_HEADER_BYTES], const struct rk_disk_hint_header *header);
enum rk_err rk_disk_hint_header_decode(const uint8_t bytes[RK_DISK_HINT_HEADER_BYTES],
                                       struct rk_disk_hint_header *header_out);
/* Whether the header, of a hint of so many bytes, names this data file as it is, and the two sections fit. Pure. */
bool rk_disk_hint_header_fits(const struct rk_disk_hint_header *header, uint64_t hint_bytes, uint32_t file_number,
                              const uint8_t uuid[RK_DISK_UUID_BYTES], const struct rk_disk_file_summary *summary);

void rk_disk_hint_entry_encode(uint8_t bytes[RK_DISK_HINT_ENTRY_BYTES], const struct rk_disk_hint_entry *entry);
void rk_disk_hint_entry_decode(const uint8_t bytes[RK_DISK_HINT_ENTRY_BYTES], struct rk_disk_hint_entry *entry_out);

/* Opens the hint of a sealed data file and checks everything about its entries, so that what next returns can be
 * trusted; the keys are not looked at. RK_OK; RK_ERR_NOT_FOUND: there is none; RK_ERR_CORRUPT: in doubt; RK_ERR_IO. */
enum rk_err rk_disk_hint_open(struct rk_disk_hint **hint_out, int dir_fd, uint32_t file_number,
                              const uint8_t uuid[RK_DISK_UUID_BYTES], const struct rk_disk_file_summary *summary);

/* The same for callers that can undo: entries are provisional until next() says RK_ERR_NOT_FOUND. So nothing is read
 * twice: only the header is checked now, each entry when it is returned (it is about this file, behind the one before
 * it), and whether all of them are what was written when they are at an end: until next has returned RK_ERR_NOT_FOUND
 * they are in doubt. */
enum rk_err rk_disk_hint_open_in_doubt(struct rk_disk_hint **hint_out, int dir_fd, uint32_t file_number,
                                       const uint8_t uuid[RK_DISK_UUID_BYTES],
                                       const struct rk_disk_file_summary *summary);
void rk_disk_hint_close(struct rk_disk_hint **hint);

/* Whether its keys are sorted (disk_keys.h). */
bool rk_disk_hint_has_sorted_keys(const struct rk_disk_hint *hint);

/* RK_OK; RK_ERR_NOT_FOUND at the end; RK_ERR_IO. Of a hint in doubt also RK_ERR_CORRUPT: what was returned before may
 * be wrong. */
enum rk_err rk_disk_hint_next(struct rk_disk_hint *hint, struct rk_disk_hint_entry *entry_out);

/* The same for the next few, at most n_max; RK_OK with one at least. */
enum rk_err rk_disk_hint_next_some(struct rk_disk_hint *hint, struct rk_disk_hint_entry *entries_out, size_t n_max,
                                   size_t *n_out);

#endif
