#include "disk/disk_secret.h"

#include "base/base_bytes.h"
#include "base/base_planted.h"

#include <sodium.h>

#define LABEL "RKV record v2"

_Static_assert(RK_DISK_HASH_KEY_BYTES == crypto_shorthash_KEYBYTES && crypto_shorthash_BYTES == 8,
               "the hash key is a key of this hash, too, and the hash has room for both words");

struct rk_record_secret rk_disk_secret_derive(const uint8_t hash_key[RK_DISK_HASH_KEY_BYTES])
{
    struct rk_record_secret secret;
    uint8_t hash[crypto_shorthash_BYTES];

    (void)crypto_shorthash(hash, (const uint8_t *)LABEL, sizeof LABEL - 1, hash_key); /* always 0 */
    secret.magic = rk_bytes_load32(hash);
    secret.crc_seed = rk_bytes_load32(hash + 4);
    if (RK_PLANTED(headers_not_keyed))
        return rk_record_plain;
    if (secret.magic == 0)
        secret.magic = rk_record_plain.magic; /* zeros are never a record */
    return secret;
}
