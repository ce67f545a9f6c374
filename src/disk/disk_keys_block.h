/* One block of a hint's sorted keys. A codec only: bytes in, struct out.
 *
 *   offset size
 *        0    4  CRC-32C of the rest of the block
 *        4    4  size of the block, all of it
 *        8    1  level: 0: keys; above: what points to blocks of the level below
 *        9    1  zero
 *       10    2  number of entries, at least 1
 *       12       entries: n_shared, n_rest (numbers); so many bytes, which follow the n_shared first ones of the key of
 *                the entry before it; then
 *                  at level 0: location without its file number (5 bytes); sequence, expiry in ms (0: none), size of
 *                              the value (numbers)
 *                  above:      where the block begins, counted from the first one (number)
 *
 * 1. Little-endian; "number": seven bits a byte, the lowest first, all bytes but the last one with bit 7 set; the
 *    shortest form only, so that the same keys are the same bytes.
 * 2. Keys ascend, as bytes do. The first one of a block shares nothing, so a block can be read alone.
 * 3. Above level 0, a key is not above any key of the block that it points to, and is above all keys before that. */
#ifndef RK_DISK_KEYS_BLOCK_H
#define RK_DISK_KEYS_BLOCK_H

#include "base/base_err.h"
#include "disk/disk_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_DISK_KEYS_HEAD_BYTES   12u
#define RK_DISK_KEYS_TARGET_BYTES 4096u /* a block ends where the next entry would make it longer than that, but: */
#define RK_DISK_KEYS_INNER_MIN    4u    /* above level 0 it has so many at least, or is the last of its level */
#define RK_DISK_KEYS_ENTRY_MAX    (RK_RECORD_KEY_MAX + 64u)
#define RK_DISK_KEYS_BLOCK_MAX    (RK_DISK_KEYS_HEAD_BYTES + RK_DISK_KEYS_INNER_MIN * RK_DISK_KEYS_ENTRY_MAX)
#define RK_DISK_KEYS_LEVELS_MAX   16u

/* A key, and what its record says. */
struct rk_disk_key {
    const uint8_t *key;
    uint16_t key_len;
    uint32_t value_len;
    uint64_t location;
    uint64_t sequence;
    uint64_t expiry_ms; /* 0: none */
};

struct rk_disk_keys_entry {
    size_t n_shared;
    size_t n_rest;
    const uint8_t *rest;    /* in the block */
    struct rk_disk_key key; /* level 0: without the key itself, and without the file number in its location */
    uint64_t child;         /* above */
};

/* What of a block is not read yet. */
struct rk_disk_keys_block {
    const uint8_t *at;
    const uint8_t *end;
    unsigned level;
    unsigned n_left;
};

/* The size that a block of these first RK_DISK_KEYS_HEAD_BYTES says it has; 0 when none has such a size. */
size_t rk_disk_keys_block_size(const uint8_t *bytes);

/* Checks the block of `size` bytes, which is what its head says. RK_OK; RK_ERR_CORRUPT. */
enum rk_err rk_disk_keys_block_open(struct rk_disk_keys_block *block, const uint8_t *bytes, size_t size);

/* RK_OK; RK_ERR_NOT_FOUND: there are no more; RK_ERR_CORRUPT. */
enum rk_err rk_disk_keys_block_next(struct rk_disk_keys_block *block, struct rk_disk_keys_entry *entry_out);

/* Writes an entry, at most RK_DISK_KEYS_ENTRY_MAX bytes; how many. */
size_t rk_disk_keys_entry_encode(uint8_t *bytes, unsigned level, const struct rk_disk_keys_entry *entry);

/* Fills in the head of a block whose entries stand behind the room for it. */
void rk_disk_keys_block_seal(uint8_t *bytes, size_t size, unsigned level, unsigned n_entries);

/* How many first bytes two keys share; and their order, as memcmp. Pure. */
size_t rk_disk_keys_shared(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
int rk_disk_keys_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

#endif
