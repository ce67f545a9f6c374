/* How the set of data files changes. Only the master's threads: the writer (roll-over), the compactor (merge), and
 * recovery before both.
 *
 * 1. A file is listed only after it is complete as far as its kind demands and its name is durable; it is unlinked only
 *    after a MANIFEST without it is durable. What may be there
 *    and is not listed: log_unlisted.h.
 * 2. A change has two halves. stage() does all that needs space and can be taken back; commit() is the switch. A commit
 *    that says RK_ERR_NO_SPACE was an abort, and may be tried again; after one that failed otherwise, nobody knows
 * which list a restart will find: nothing may be written to files that only one of the two has.
 * 3. One change at a time: stage() waits for the other thread's commit() or abort().
 * 4. Details name the file, and leave it to the caller to name the directory. */
#ifndef RK_LOG_STORE_CHANGE_H
#define RK_LOG_STORE_CHANGE_H

#include "disk/disk_manifest.h"
#include "log/log_store.h"

/* A number that no file has and none had lately. Any thread of the master. */
uint32_t rk_log_store_next_number(struct rk_log_store *store);

/* RK_OK: the change is staged, and commit or abort must follow on the same thread. Otherwise nothing happened. */
enum rk_err rk_log_store_stage(struct rk_log_store *store, const struct rk_disk_manifest_change *change,
                               struct rk_detail *detail);
enum rk_err rk_log_store_commit(struct rk_log_store *store, struct rk_detail *detail);
void rk_log_store_abort(struct rk_log_store *store);

/* Stage and commit in one. */
enum rk_err rk_log_store_change(struct rk_log_store *store, const struct rk_disk_manifest_change *change,
                                struct rk_detail *detail);

#endif
