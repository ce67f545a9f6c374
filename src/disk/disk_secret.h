/* What tells a record of this store from bytes that a client put into a value. Record headers carry a magic and begin
 * their CRC with a seed that follow from the store's hash key: who does not know the key cannot write a header that is
 * taken for one, other than by guessing 64 bits. It matters where a file is searched for headers, behind the end of its
 * whole records (disk_scan.h): what lies there may be the inside of a value.
 *
 *   SipHash-2-4 of the 13 bytes "RKV record v2" under the hash key, little-endian
 *   offset size
 *        0    4  magic; zero is replaced by the plain one
 *        4    4  CRC seed
 */
#ifndef RK_DISK_SECRET_H
#define RK_DISK_SECRET_H

#include "disk/disk_record.h"

#define RK_DISK_HASH_KEY_BYTES 16

/* Pure. */
struct rk_record_secret rk_disk_secret_derive(const uint8_t hash_key[RK_DISK_HASH_KEY_BYTES]);

#endif
