#include "space/space_entry.h"

#include "disk/disk_scan.h"
#include "keydir/keydir.h"

struct rk_disk_hint_entry rk_space_entry_of(const struct rk_disk_scan_item *item, const uint8_t *hash_key)
{
    struct rk_disk_hint_entry entry = { .expiry_s = rk_disk_expiry_s(item->header.type, item->expiry_ms),
                                        .location = item->location,
                                        .sequence = item->header.sequence };

    rk_space_fingerprint(hash_key, item->key, item->header.key_len, &entry);
    return entry;
}

void rk_space_fingerprint(const uint8_t *hash_key, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, hash_key);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}
