/* The sorted keys of a hint: a tree of blocks (disk_keys_block.h), read from a key on, in order.
 *
 *   keys_offset                                                              keys_offset + keys_bytes
 *   +--------+--------+---+--------+---------+--------+---+---------+---------+
 *   | keys   | keys   |...| keys   | level 1 | keys   |...| level 1 | level 2 |     the last one is the root
 *   +--------+--------+---+--------+---------+--------+---+---------+---------+
 *
 *   open -> { seek -> next* }* -> close
 *
 * 1. The keys of all puts of the data file, each once, with the newest of its records there; not those whose newest
 *    record is a tombstone. Whether a key lives is not said here: the keydir does.
 * 2. A block is written when it is full: so one block a level is in memory while keys are written, and blocks of level
 * 0 stand in order, with blocks of other levels between them, which next passes over.
 * 3. Every block is checked when it is read: what next returns is what was written, or it returns RK_ERR_CORRUPT.
 * 4. A cursor takes some 8 KiB, and twice what the longest key and the largest block of its file take. */
#ifndef RK_DISK_KEYS_H
#define RK_DISK_KEYS_H

#include "disk/disk_file.h"
#include "disk/disk_keys_block.h"

struct rk_disk_file_summary;
struct rk_disk_keys;

/* Opens the sorted keys of a sealed data file, whose summary says that they are of this file as it is. RK_OK, before
 * the first key; RK_ERR_NOT_FOUND: it has no hint, or one that was made without sorted keys; RK_ERR_CORRUPT: in doubt;
 * RK_ERR_LIMIT: no more files can be opened; RK_ERR_IO. Any process, any one thread at a time. */
enum rk_err rk_disk_keys_open(struct rk_disk_keys **keys_out, int dir_fd, uint32_t file_number,
                              const uint8_t uuid[RK_DISK_UUID_BYTES], const struct rk_disk_file_summary *summary);

/* Goes before the first key that is not below this one. RK_OK, also when there is none; RK_ERR_CORRUPT, RK_ERR_IO. */
enum rk_err rk_disk_keys_seek(struct rk_disk_keys *keys, const void *key, size_t key_len);

/* The next key; its bytes stay until the next call. RK_ERR_NOT_FOUND at the end; RK_ERR_CORRUPT, RK_ERR_IO. */
enum rk_err rk_disk_keys_next(struct rk_disk_keys *keys, struct rk_disk_key *key_out);

/* How many keys there are. */
uint64_t rk_disk_keys_count(const struct rk_disk_keys *keys);

/* NULL inside is fine. */
void rk_disk_keys_close(struct rk_disk_keys **keys);

#endif
