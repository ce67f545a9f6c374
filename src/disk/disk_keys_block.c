#include "disk/disk_keys_block.h"

#include "base/base_bytes.h"
#include "base/base_crc.h"

#include <rackkv/disk.h>
#include <string.h>

enum head_offset {
    AT_CRC = offsetof(struct rackkv_disk_keys_block, crc),
    AT_SIZE = offsetof(struct rackkv_disk_keys_block, bytes),
    AT_LEVEL = offsetof(struct rackkv_disk_keys_block, level),
    AT_ZERO = offsetof(struct rackkv_disk_keys_block, zero),
    AT_N_ENTRIES = offsetof(struct rackkv_disk_keys_block, n_entries),
};

_Static_assert(sizeof(struct rackkv_disk_keys_block) == RK_DISK_KEYS_HEAD_BYTES, "head of a block");

#define LOCATION_BYTES 5u /* offset and size class */
#define NUMBER_BYTES   10

size_t rk_disk_keys_shared(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t n_max = a_len < b_len ? a_len : b_len, n = 0;

    while (n < n_max && a[n] == b[n])
        n++;
    return n;
}

int rk_disk_keys_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
    for (; number > 0x7f; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

/* false: it is cut off, too large, or longer than it must be. */
static bool take_number(struct rk_disk_keys_block *block, uint64_t *number_out)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < NUMBER_BYTES && block->at < block->end; i++) {
        uint8_t byte = *block->at++;

        number |= (uint64_t)(byte & 0x7f) << 7 * i;
        if ((byte & 0x80) == 0) {
            *number_out = number;
            return (byte != 0 || i == 0) && (i < NUMBER_BYTES - 1 || byte == 1);
        }
    }
    return false;
}

size_t rk_disk_keys_block_size(const uint8_t *bytes)
{
    size_t size = rk_bytes_load32(bytes + AT_SIZE);

    return size > RK_DISK_KEYS_HEAD_BYTES && size <= RK_DISK_KEYS_BLOCK_MAX ? size : 0;
}

enum rk_err rk_disk_keys_block_open(struct rk_disk_keys_block *block, const uint8_t *bytes, size_t size)
{
    if (rk_bytes_load32(bytes + AT_CRC) != rk_crc32c(0, bytes + AT_SIZE, size - AT_SIZE)
        || bytes[AT_LEVEL] >= RK_DISK_KEYS_LEVELS_MAX || bytes[AT_ZERO] != 0
        || rk_bytes_load16(bytes + AT_N_ENTRIES) == 0)
        return RK_ERR_CORRUPT;
    *block = (struct rk_disk_keys_block){ .at = bytes + RK_DISK_KEYS_HEAD_BYTES,
                                          .end = bytes + size,
                                          .level = bytes[AT_LEVEL],
                                          .n_left = rk_bytes_load16(bytes + AT_N_ENTRIES) };
    return RK_OK;
}

/* n_shared, n_rest and the bytes. */
static bool take_key(struct rk_disk_keys_block *block, struct rk_disk_keys_entry *entry)
{
    uint64_t n_shared, n_rest;

    if (!take_number(block, &n_shared) || !take_number(block, &n_rest) || n_shared > RK_RECORD_KEY_MAX
        || n_rest > RK_RECORD_KEY_MAX - n_shared || n_rest > (size_t)(block->end - block->at))
        return false;
    entry->n_shared = n_shared;
    entry->n_rest = n_rest;
    entry->rest = block->at;
    block->at += n_rest;
    return true;
}

static bool take_record(struct rk_disk_keys_block *block, struct rk_disk_key *key)
{
    uint64_t value_len;

    if (block->end - block->at < (ptrdiff_t)LOCATION_BYTES)
        return false;
    key->location = rk_bytes_load32(block->at) | (uint64_t)block->at[4] << 32;
    block->at += LOCATION_BYTES;
    if (!take_number(block, &key->sequence) || !take_number(block, &key->expiry_ms) || !take_number(block, &value_len)
        || value_len > RK_RECORD_VALUE_MAX)
        return false;
    key->value_len = (uint32_t)value_len;
    return true;
}

enum rk_err rk_disk_keys_block_next(struct rk_disk_keys_block *block, struct rk_disk_keys_entry *entry_out)
{
    bool is_whole;

    if (block->n_left == 0)
        return block->at == block->end ? RK_ERR_NOT_FOUND : RK_ERR_CORRUPT;
    block->n_left--;
    is_whole = take_key(block, entry_out)
               && (block->level == 0 ? take_record(block, &entry_out->key) : take_number(block, &entry_out->child));
    return is_whole ? RK_OK : RK_ERR_CORRUPT;
}

size_t rk_disk_keys_entry_encode(uint8_t *bytes, unsigned level, const struct rk_disk_keys_entry *entry)
{
    uint8_t *at = put_number(put_number(bytes, entry->n_shared), entry->n_rest);

    memcpy(at, entry->rest, entry->n_rest);
    at += entry->n_rest;
    if (level > 0)
        return (size_t)(put_number(at, entry->child) - bytes);
    rk_bytes_store32(at, (uint32_t)entry->key.location);
    at[4] = (uint8_t)(entry->key.location >> 32);
    at = put_number(at + LOCATION_BYTES, entry->key.sequence);
    at = put_number(at, entry->key.expiry_ms);
    return (size_t)(put_number(at, entry->key.value_len) - bytes);
}

void rk_disk_keys_block_seal(uint8_t *bytes, size_t size, unsigned level, unsigned n_entries)
{
    rk_bytes_store32(bytes + AT_SIZE, (uint32_t)size);
    bytes[AT_LEVEL] = (uint8_t)level;
    bytes[AT_ZERO] = 0;
    rk_bytes_store16(bytes + AT_N_ENTRIES, (uint16_t)n_entries);
    rk_bytes_store32(bytes + AT_CRC, rk_crc32c(0, bytes + AT_SIZE, size - AT_SIZE));
}
