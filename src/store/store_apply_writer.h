/* The half of recovery that fills the keydir: takes what is known of each record, in whatever order, and leaves the
 * newest location of each key.
 *
 * 1. In order (each record newer than all before it): a put replaces, a tombstone deletes.
 * 2. In any order: the record that is there is compared by its sequence, which its file's range or its header tells; a
 *    tombstone is put like a value, so that older puts meet it, and leaves the keydir at the end. */
#ifndef RK_STORE_STORE_APPLY_WRITER_H
#define RK_STORE_STORE_APPLY_WRITER_H

#include "base/base_err.h"
#include "keydir/keydir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_keydir_writer;
struct rk_record_secret;
struct rk_store_apply;
struct rk_store_recover_hooks;

/* No record of the file has a lower or a higher sequence. */
struct rk_store_range {
    uint32_t file_number;
    uint64_t first_sequence;
    uint64_t last_sequence;
};

struct rk_store_apply_settings {
    struct rk_keydir_writer *keydir;
    const struct rk_store_recover_hooks *hooks;
    int dir_fd;
    const struct rk_record_secret *secret; /* of the store's records; stays the caller's */
    const struct rk_store_range *ranges;   /* of all files, by number; stays the caller's */
    size_t n_ranges;
    bool in_order;
};

struct rk_store_apply_entry {
    struct rk_fingerprint fingerprint;
    uint64_t location;
    uint64_t sequence;
    bool is_tombstone;
};

struct rk_store_apply *rk_store_apply_create(const struct rk_store_apply_settings *settings);
void rk_store_apply_destroy(struct rk_store_apply **apply);

/* Takes an entry; some are kept back until there are enough of them. RK_OK; RK_ERR_FULL: the keydir is; RK_ERR_IO. */
enum rk_err rk_store_apply_add(struct rk_store_apply *apply, const struct rk_store_apply_entry *entry,
                               struct rk_detail *detail);

/* After the last one. The same results. */
enum rk_err rk_store_apply_finish(struct rk_store_apply *apply, struct rk_detail *detail);

#endif
