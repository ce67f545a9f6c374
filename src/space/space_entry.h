/* Records as hints name them: the fingerprint is the keydir's, the rest the record's. */
#ifndef RK_SPACE_ENTRY_H
#define RK_SPACE_ENTRY_H

#include "disk/disk_hint.h"

struct rk_disk_scan_item;

/* The entry of a record that a scan has found. `hash_key` is the store's. Any thread. */
struct rk_disk_hint_entry rk_space_entry_of(const struct rk_disk_scan_item *item, const uint8_t *hash_key);

/* Fills in the two parts of the key's fingerprint: what makers of hints ask for (log_hinter.h). Any thread. */
void rk_space_fingerprint(const uint8_t *hash_key, const uint8_t *key, size_t key_len,
                          struct rk_disk_hint_entry *entry);

#endif
