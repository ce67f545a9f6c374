/* The data directory as a whole: identity (STORE), the set of live data files (MANIFEST), and the lock (LOCK).
 *
 *   data_dir/  STORE             identity: format version, uuid, 128-bit hash key, created      write-once
 *              MANIFEST          the live data files, oldest to newest        tmp + fsync + rename + fsync dir
 *              LOCK              flock()ed by the master, as are the folder and STORE (log_lock.h)
 *              0000000001.data   ...
 */
#ifndef RK_LOG_STORE_H
#define RK_LOG_STORE_H

#include "base/base_err.h"
#include "disk/disk_identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_LOG_STORE_NAME     "STORE"
#define RK_LOG_LOCK_NAME      "LOCK"

struct rk_detail;
struct rk_log_store;

/* Opens the store of a directory, making the directory and an empty store where there is none (one level; the parent
 * must exist). RK_ERR_BUSY when another server has it (the detail names its pid); RK_ERR_CORRUPT, RK_ERR_MISMATCH,
 * RK_ERR_IO. Files that are not listed stay as they are (log_unlisted.h). Main thread of the master. */
enum rk_err rk_log_store_open(struct rk_log_store **store_out, const char *path, struct rk_detail *detail);
void rk_log_store_close(struct rk_log_store **store);

const struct rk_disk_identity *rk_log_store_identity(const struct rk_log_store *store);
const char *rk_log_store_path(const struct rk_log_store *store);
int rk_log_store_dir_fd(const struct rk_log_store *store);
int rk_log_store_lock_fd(const struct rk_log_store *store);

/* The live data files, oldest to newest; 0 for an index that is too high. Any thread of the master, but the list may
 * change between two calls. How it changes: log_store_change.h. */
size_t rk_log_store_n_files(const struct rk_log_store *store);
uint32_t rk_log_store_file(const struct rk_log_store *store, size_t index);
bool rk_log_store_lists(const struct rk_log_store *store, uint32_t file_number);

/* One higher after each change of the list; never 0. Any thread of the master. */
uint64_t rk_log_store_edition(const struct rk_log_store *store);

/* No higher sequence had been given out when the list was last changed; 0: that is not known, the files tell. Any
 * thread of the master. */
uint64_t rk_log_store_last_sequence(const struct rk_log_store *store);

/* All records of the file before this offset are durable, since it was closed there; 0: it was not. */
uint64_t rk_log_store_closed_bytes(const struct rk_log_store *store, uint32_t file_number);

#endif
