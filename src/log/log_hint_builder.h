/* Writes a hint entry by entry, while its data file is read or is being written; then its keys, sorted.
 *
 * create, add for each record in the order of their offsets, finish; destroy in any case. Entries are written from a
 * small buffer, keys are sorted in bounded memory (log_keys_sort.h), whatever the size of the file: where the keys
 * begin follows from how many entries there may be. Until finish has returned RK_OK there is only a NAME.tmp, which
 * destroy removes. One thread. */
#ifndef RK_LOG_HINT_BUILDER_H
#define RK_LOG_HINT_BUILDER_H

#include "disk/disk_hint.h"
#include "disk/disk_keys_block.h"

struct rk_log_hint_builder;

/* RK_OK; RK_ERR_NO_SPACE, RK_ERR_IO: NAME.tmp cannot be made. */
enum rk_err rk_log_hint_builder_create(struct rk_log_hint_builder **builder_out, int dir_fd, uint32_t file_number,
                                       uint64_t n_entries_max, struct rk_detail *detail);

/* `key` says the key, the size of the value and the expiry of the record; the entry has the rest. RK_OK; RK_ERR_FULL:
 * more entries than were announced; RK_ERR_NO_SPACE, RK_ERR_IO. After a failure only destroy is left. */
enum rk_err rk_log_hint_builder_add(struct rk_log_hint_builder *builder, const struct rk_disk_hint_entry *entry,
                                    const struct rk_disk_key *key, struct rk_detail *detail);

/* Asks now and then while keys are written whether to go on; NULL: always. */
void rk_log_hint_builder_ask(struct rk_log_hint_builder *builder, bool (*go_on)(void *context), void *context);

/* The data file has holes (disk_hole.h): records that are not added. */
void rk_log_hint_builder_allow_holes(struct rk_log_hint_builder *builder);

/* Makes the hint durable and gives it its name. `summary` is of the data file, which is sealed and has exactly the
 * records that were added. RK_OK; RK_ERR_CORRUPT: it has not; RK_ERR_AGAIN: not to go on; RK_ERR_NO_SPACE, RK_ERR_IO.
 */
enum rk_err rk_log_hint_builder_finish(struct rk_log_hint_builder *builder, const uint8_t uuid[RK_DISK_UUID_BYTES],
                                       const struct rk_disk_file_summary *summary, struct rk_detail *detail);

void rk_log_hint_builder_destroy(struct rk_log_hint_builder **builder);

#endif
