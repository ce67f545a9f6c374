#include "sim_keys.h"

#include "disk/disk_keys.h"
#include "disk/disk_scan.h"
#include "disk/disk_summary.h"
#include "log/log_store.h"
#include "sim_history.h"

#include <check.h>
#include <string.h>

/* What a data file has of a key. */
struct newest {
    uint64_t sequence; /* 0: nothing */
    bool is_tombstone;
    uint64_t location;
    uint64_t expiry_ms;
    uint32_t value_len;
};

static unsigned number_of(const uint8_t *key, size_t key_len, const char *where)
{
    char name[SIM_KEY_BYTES];

    for (unsigned i = 0; i < SIM_KEYS; i++)
        if (sim_key_make(name, i) == key_len && memcmp(name, key, key_len) == 0)
            return i;
    ck_abort_msg("%s: a key that nobody wrote", where);
}

/* false: it is not whole, or not sealed, or has holes: then its hint may say more than it does. */
static bool read_file(const struct rk_log_store *store, uint32_t file_number, struct newest newest[SIM_KEYS],
                      const char *where)
{
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    bool is_whole;

    if (rk_disk_scan_open(&scan, rk_log_store_dir_fd(store), file_number, rk_log_store_identity(store), NULL) != RK_OK)
        return false;
    while (rk_disk_scan_next(scan, &item, NULL) == RK_OK) {
        struct newest *of_key = &newest[number_of(item.key, item.header.key_len, where)];

        if (item.header.sequence > of_key->sequence)
            *of_key = (struct newest){ .sequence = item.header.sequence,
                                       .is_tombstone = item.header.type == RK_RECORD_TOMBSTONE,
                                       .location = item.location,
                                       .expiry_ms = item.expiry_ms,
                                       .value_len = item.header.value_len };
    }
    is_whole = rk_disk_scan_end(scan)->kind == RK_DISK_SCAN_SEALED && !rk_disk_scan_end(scan)->has_holes;
    rk_disk_scan_close(&scan);
    return is_whole;
}

static bool is_newest(const struct rk_disk_key *key, const struct newest *newest)
{
    return newest->sequence == key->sequence && !newest->is_tombstone && newest->expiry_ms == key->expiry_ms
           && newest->value_len == key->value_len && newest->location == key->location;
}

/* `newest` is used up. */
static void compare(struct rk_disk_keys *keys, struct newest newest[SIM_KEYS], bool may_be_damaged, const char *where)
{
    struct rk_disk_key key;
    enum rk_err err;

    while ((err = rk_disk_keys_next(keys, &key)) == RK_OK) {
        struct newest *of_key = &newest[number_of(key.key, key.key_len, where)];

        if (!is_newest(&key, of_key))
            ck_abort_msg("%s: a sorted key is not what its file has", where);
        of_key->sequence = 0;
    }
    if (may_be_damaged && err == RK_ERR_CORRUPT)
        return;
    if (err != RK_ERR_NOT_FOUND)
        ck_abort_msg("%s: sorted keys that cannot be read", where);
    for (unsigned i = 0; i < SIM_KEYS; i++)
        if (newest[i].sequence != 0 && !newest[i].is_tombstone)
            ck_abort_msg("%s: a key is not among the sorted ones", where);
}

void sim_keys_check(const struct rk_log_store *store, bool may_be_damaged, const char *where)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(store);
    uint32_t file_number;

    for (size_t i = 0; (file_number = rk_log_store_file(store, i)) != 0; i++) {
        struct newest newest[SIM_KEYS] = { { 0 } };
        struct rk_disk_file_summary summary;
        struct rk_disk_keys *keys = NULL;

        if (rk_disk_file_summarize(rk_log_store_dir_fd(store), file_number, &identity->secret, &summary, NULL) != RK_OK
            || rk_disk_keys_open(&keys, rk_log_store_dir_fd(store), file_number, identity->uuid, &summary) != RK_OK)
            continue;
        if (read_file(store, file_number, newest, where))
            compare(keys, newest, may_be_damaged, where);
        rk_disk_keys_close(&keys);
    }
}
