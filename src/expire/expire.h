/* Finds the keys whose records have expired, and takes them out of the keydir.
 *
 *   space table                     file                          keydir, space table
 *   first expiry is past  ---->     hint, or a scan:
 *   (and is none now)               each entry that has expired
 *                                   is looked up              ---->  "the key is gone, if it still is at L":
 *                                                                    from then on L counts as expired
 *   first expiry of what    <----   the others
 *   has not expired
 *
 * 1. Nothing is written. The record stays where it is, and from then on is what a tombstone would be in its place: it
 *    hides older records of its key, for recoveries and for merges (merge.h, 7).
 * 2. Who reads sees no difference: to him a record that has expired was not there before, either. Who deletes the key,
 *    or puts it, is told what the keydir says: until a look has found it, that it was there.
 * 3. What is believed is beyond doubt: a hint all of which was checked, or records that were.
 * 4. It reads files with something to find, and no others; all records of these, but a key is looked up only if its
 *    expiry is past. An expiry counts as past when all of its second is (rk_disk_expiry_s).
 * 5. When it ends before its time, for whatever reason, the next look begins with the same file again. */
#ifndef RK_EXPIRE_H
#define RK_EXPIRE_H

#include "base/base_err.h"

#include <stdint.h>

struct rk_detail;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_log_writer;
struct rk_space;

struct rk_expire_settings {
    struct rk_log_store *store;
    struct rk_log_writer *log;
    struct rk_keydir_writer *keydir; /* its reader; itself, the log and the table only where `call` runs */
    struct rk_space *space;
    uint64_t now_s; /* since 1970, by a clock that may be believed (expire_clock.h) */

    void *context;
    /* Has the writer thread call run(argument), and waits for it: RK_OK, or RK_ERR_CLOSED. */
    enum rk_err (*call)(void *context, void (*run)(void *argument), void *argument);
    /* Between two pieces of work: may sleep. RK_ERR_AGAIN: end here. */
    enum rk_err (*turn)(void *context);
};

/* Looks into all files, and says in any case how many records it has found. RK_OK; RK_ERR_AGAIN: ended by `turn`;
 * RK_ERR_CLOSED; RK_ERR_IO, RK_ERR_CORRUPT, RK_ERR_NOT_FOUND, RK_ERR_MISMATCH: of a file, while the others were looked
 * at. While it runs no merge does: it is the same thread's work. The thread is a registered reader (grace.h), outside
 * of a section. */
enum rk_err rk_expire_run(const struct rk_expire_settings *settings, uint64_t *n_expired_out, struct rk_detail *detail);

#endif
