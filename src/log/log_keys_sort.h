/* Sorts the keys of a data file in bounded memory: runs that fit are sorted there, and where there is more than one
 * they go to NAME.keys.tmp, which has no name from then on, and are merged from there.
 *
 * create, add for each record, begin, next until RK_ERR_NOT_FOUND; destroy in any case. One thread. */
#ifndef RK_LOG_KEYS_SORT_H
#define RK_LOG_KEYS_SORT_H

#include "log/log_keys_run.h"

#define RK_LOG_KEYS_SORT_BYTES ((size_t)16 << 20) /* that a run takes in memory */

struct rk_log_keys_sort;

/* bytes_max: of the memory that runs take while they are made; as much is taken again while they are merged, or 128 KiB
 * a run where that is more. */
struct rk_log_keys_sort *rk_log_keys_sort_create(int dir_fd, uint32_t file_number, size_t bytes_max);

/* RK_OK; RK_ERR_NO_SPACE, RK_ERR_IO, RK_ERR_LIMIT (errno says which): only destroy is left. The key is copied. */
enum rk_err rk_log_keys_sort_add(struct rk_log_keys_sort *sort, const struct rk_log_keys_item *item);

/* After the last add. The same results. */
enum rk_err rk_log_keys_sort_begin(struct rk_log_keys_sort *sort);

/* The next key, in order: each once, with what its record of the highest sequence says, and none whose record is a
 * tombstone. It stays until the next call. RK_OK; RK_ERR_NOT_FOUND at the end; RK_ERR_IO. */
enum rk_err rk_log_keys_sort_next(struct rk_log_keys_sort *sort, struct rk_disk_key *key_out);

/* NULL inside is fine. */
void rk_log_keys_sort_destroy(struct rk_log_keys_sort **sort);

#endif
