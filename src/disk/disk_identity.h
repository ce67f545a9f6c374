/* STORE: who this store is. Written once, when the store is made. A codec only.
 *
 *   offset size
 *        0    8  magic "RKSTORE1"
 *        8    4  CRC-32C of these 64 bytes with this field as zeros
 *       12    4  format version
 *       16   16  uuid
 *       32   16  hash key: the secret that fingerprints of keys and record headers (disk_secret.h) are made with
 *       48    8  created, ms since 1970
 *       56    8  zeros
 */
#ifndef RK_DISK_IDENTITY_H
#define RK_DISK_IDENTITY_H

#include "disk/disk_file.h"
#include "disk/disk_secret.h"

struct rk_detail;

struct rk_disk_identity {
    uint8_t uuid[RK_DISK_UUID_BYTES];
    uint8_t hash_key[RK_DISK_HASH_KEY_BYTES];
    uint64_t created_ms;
    struct rk_record_secret secret; /* follows from the hash key */
};

#define RK_DISK_IDENTITY_BYTES 64u

/* Pure. */
void rk_disk_identity_encode(uint8_t bytes[RK_DISK_IDENTITY_BYTES], const struct rk_disk_identity *identity);

/* RK_OK, RK_ERR_CORRUPT, or RK_ERR_MISMATCH when another version made it; the detail says what is wrong. Pure. */
enum rk_err rk_disk_identity_decode(const uint8_t *bytes, size_t size, struct rk_disk_identity *identity_out,
                                    struct rk_detail *detail);

#endif
