/* Writes a hint entry by entry, while its data file is read or is being written.
 *
 * create, add for each record in the order of their offsets, finish; destroy in any case. Both sections are written
 * side by side from small buffers, whatever the size of the file: where the keys begin follows from how many entries
 * there may be. Until finish has returned RK_OK there is only a NAME.tmp, which destroy removes. One thread. */
#ifndef RK_LOG_HINT_BUILDER_H
#define RK_LOG_HINT_BUILDER_H

#include "disk/disk_hint.h"

struct rk_log_hint_builder;

/* RK_OK; RK_ERR_NO_SPACE, RK_ERR_IO: NAME.tmp cannot be made. */
enum rk_err rk_log_hint_builder_create(struct rk_log_hint_builder **builder_out, int dir_fd, uint32_t file_number,
                                       uint64_t n_entries_max, struct rk_detail *detail);

/* RK_OK; RK_ERR_FULL: more entries than were announced; RK_ERR_NO_SPACE, RK_ERR_IO. After a failure only destroy is
 * left. */
enum rk_err rk_log_hint_builder_add(struct rk_log_hint_builder *builder, const struct rk_disk_hint_entry *entry,
                                    const uint8_t *key, uint16_t key_len, struct rk_detail *detail);

/* The data file has holes (disk_hole.h): records that are not added. */
void rk_log_hint_builder_allow_holes(struct rk_log_hint_builder *builder);

/* Makes the hint durable and gives it its name. `summary` is of the data file, which is sealed and has exactly the
 * records that were added. RK_OK; RK_ERR_CORRUPT: it has not; RK_ERR_NO_SPACE, RK_ERR_IO. */
enum rk_err rk_log_hint_builder_finish(struct rk_log_hint_builder *builder, const uint8_t uuid[RK_DISK_UUID_BYTES],
                                       const struct rk_disk_file_summary *summary, struct rk_detail *detail);

void rk_log_hint_builder_destroy(struct rk_log_hint_builder **builder);

#endif
