/* MANIFEST: which data files make up the store, oldest to newest, and what must outlive them. A codec only.
 *
 *   offset size
 *        0    8  magic "RKMANIF1"
 *        8    4  CRC-32C of the whole file with this field as zeros
 *       12    4  version of this format
 *       16   16  uuid of the store
 *       32    8  edition: one more with each replacement
 *       40    4  next file number to give out
 *       44    4  number of files n
 *       48  4*n  file numbers, oldest to newest, each once
 *      ...   16  for each field: tag (4), a (4), b (8); tags ascend, to the end of the file
 *
 *   tag 1   b: all sequences that had been given out when this edition was written are at most this; a is 0
 *   tag 2   a: the newest file, b: in it all records before this offset are durable, since it was closed there
 *
 * 1. The order is that of age, not of numbers: numbers go round, and a merged file takes the place of what it replaces.
 * 2. Version 2 has no fields, and is read as well. A tag that is not known is no reason to guess: the file is refused.
 * 3. Both fields stay true whatever is written later: a sequence is not given out twice, and the newest file only grows
 *    behind where it was closed. So nothing has to be taken back before the first write after a start. */
#ifndef RK_DISK_MANIFEST_H
#define RK_DISK_MANIFEST_H

#include "base/base_err.h"
#include "disk/disk_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_DISK_MANIFEST_NAME      "MANIFEST"
#define RK_DISK_FILES_MAX          (1u << 20)
#define RK_DISK_MANIFEST_BYTES_MAX (48u + RK_DISK_FILES_MAX * 4u + 16u * 16u)

struct rk_detail;

struct rk_disk_manifest {
    uint8_t uuid[RK_DISK_UUID_BYTES];
    uint64_t edition;
    uint32_t next_number;
    uint32_t n_files;
    uint32_t *files;        /* malloc'ed */
    uint64_t last_sequence; /* 0: not known */
    uint32_t closed_file;   /* the newest one; 0: it was not closed */
    uint64_t closed_bytes;
};

void rk_disk_manifest_fini(struct rk_disk_manifest *manifest);

/* Pure; encode writes rk_disk_manifest_size() bytes. */
size_t rk_disk_manifest_size(const struct rk_disk_manifest *manifest);
void rk_disk_manifest_encode(uint8_t *bytes, const struct rk_disk_manifest *manifest);

/* RK_OK with a manifest to be fini'ed; RK_ERR_CORRUPT, RK_ERR_MISMATCH (version, tag); the detail says what is wrong.
 */
enum rk_err rk_disk_manifest_decode(const uint8_t *bytes, size_t size, struct rk_disk_manifest *manifest_out,
                                    struct rk_detail *detail);

bool rk_disk_manifest_has(const struct rk_disk_manifest *manifest, uint32_t file_number);

/* How the list changes. */
struct rk_disk_manifest_change {
    const uint32_t *removed;
    size_t n_removed;
    const uint32_t *added;
    size_t n_added;
    uint32_t before; /* a listed file, and they come right before it; 0: they take the place of the oldest removed one,
                        or come last when none is removed */
    uint64_t last_sequence; /* given out so far; 0: as before, or nobody asked */
    uint32_t closed_file;   /* the newest one, which is closed; 0: none */
    uint64_t closed_bytes;  /* up to its trailer */
};

/* Makes `out` the list of `from` changed; edition one higher. RK_ERR_LIMIT when there would be too
 * many files. */
enum rk_err rk_disk_manifest_change(struct rk_disk_manifest *out, const struct rk_disk_manifest *from,
                                    const struct rk_disk_manifest_change *change);

#endif
