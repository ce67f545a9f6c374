/* Holes in a data file: the blocks of records that nobody needs any more are given back to the disk while the file
 * stays. For a disk so full that not even the smallest merge has room: it needs no space.
 *
 *   | record, dead | record, dead | record, dead | record, live |
 *   | hole of 3 ... zeros, no blocks ............| record, live |
 *
 * 1. First the header of the first record becomes that of a hole, of as many records and bytes as are given up, and
 * this is made durable; then the whole blocks behind it are punched out. A crash leaves the records, or the hole over
 *    what they were, punched in part or in full: all of that is whole to a scan (disk_scan.h), and counts the same.
 * 2. The header is changed in its first 16 bytes, which lie in one sector: it is the old one or the new one.
 * 3. A zero that no hole covers is damage, as ever.
 * 4. The last record of a file never goes: by it, and by the first one, trailer and scan know the sequences.
 * 5. A hint of the file stays as it is: what it says of these records was true, and no newest record is among them. One
 *    that is made anew has only what is left.
 *
 * Who calls knows that what made the records dead is durable, and that no reader looks at them any more. */
#ifndef RK_DISK_HOLE_H
#define RK_DISK_HOLE_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_record_secret;

/* Some records, or holes, side by side; no part of a hole. */
struct rk_disk_hole {
    uint64_t offset_bytes;
    uint64_t size_bytes;
    uint64_t sequence; /* of the first one */
    uint32_t n_records;
};

/* What the disk gives and takes back at once. */
uint64_t rk_disk_hole_block_bytes(int dir_fd);

/* Whether it would give anything back: a whole block behind its header. */
bool rk_disk_hole_is_worth(const struct rk_disk_hole *hole, uint64_t block_bytes);

/* The hole that begins at this offset of a data file; n_records 0: there is none, or the header cannot be read. */
struct rk_disk_hole rk_disk_hole_find(int fd, const struct rk_record_secret *secret, uint64_t offset_bytes);

/* Makes these holes, in the order of their offsets, and says how many bytes the disk got back. RK_OK; RK_ERR_CORRUPT:
 * where a hole begins there is no record of its sequence, or none behind it: nothing was changed; RK_ERR_INVALID: the
 * file system knows no holes; RK_ERR_NO_SPACE, RK_ERR_IO: some were made, or none; the file is whole in any case. */
enum rk_err rk_disk_hole_punch(int dir_fd, uint32_t file_number, const struct rk_record_secret *secret,
                               const struct rk_disk_hole *holes, size_t n_holes, uint64_t *freed_bytes_out,
                               struct rk_detail *detail);

#endif
