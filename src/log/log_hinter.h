/* The thread that makes hints: of each data file that is sealed and has none that is beyond doubt, oldest first, after
 * a start as well as while the server runs. Never on the writer's path; a hint that cannot be made is tried again
 * later, and matters to nobody but the next start. Once found sound or made, a hint is not looked at again: if it is
 * taken away behind the server's back, the next start makes it anew. */
#ifndef RK_LOG_HINTER_H
#define RK_LOG_HINTER_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_disk_hint_entry;
struct rk_log_store;
struct rk_log_hinter;

/* Fills in the two parts of the key's fingerprint, which is the keydir's business. Any thread. */
typedef void rk_log_fingerprint_fn(const uint8_t *hash_key, const uint8_t *key, size_t key_len,
                                   struct rk_disk_hint_entry *entry);

/* Starts the thread; it looks at the store's list at once, and then once an interval whether there is something new.
 * The store must outlive it. RK_OK; RK_ERR_LIMIT: there are no more threads. Main thread. */
enum rk_err rk_log_hinter_start(struct rk_log_hinter **hinter_out, struct rk_log_store *store,
                                rk_log_fingerprint_fn *fingerprint, uint32_t interval_ms, struct rk_detail *detail);

struct rk_log_hinter_figures {
    uint64_t n_made;
    uint64_t n_failed;
    uint64_t n_rounds; /* looks at the whole list that are done */
};

/* Any thread. The detail (may be NULL) is the last failure in words, "" when there was none. */
struct rk_log_hinter_figures rk_log_hinter_figures(struct rk_log_hinter *hinter, struct rk_detail *detail_out);

/* Waits until the thread has ended; a hint that is half made is given up. NULL inside is fine. */
void rk_log_hinter_stop(struct rk_log_hinter **hinter);

#endif
