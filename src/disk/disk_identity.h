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

#include "log/log_store.h"

#define RK_DISK_IDENTITY_BYTES 64u

/* Pure. */
void rk_disk_identity_encode(uint8_t bytes[RK_DISK_IDENTITY_BYTES], const struct rk_disk_identity *identity);

/* RK_OK, RK_ERR_CORRUPT, or RK_ERR_MISMATCH when another version made it; the detail says what is wrong. Pure. */
enum rk_err rk_disk_identity_decode(const uint8_t *bytes, size_t size, struct rk_disk_identity *identity_out,
                                    struct rk_detail *detail);

#endif
