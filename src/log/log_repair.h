/* What recovery does to files that a crash left. */
#ifndef RK_LOG_REPAIR_H
#define RK_LOG_REPAIR_H

#include "disk/disk_file.h"

struct rk_detail;

/* Makes sure that what is read from now on is what the device has: writes out the file's dirty pages, then drops its
 * clean ones. RK_ERR_IO when they cannot be written: then nobody knows what the file holds. */
enum rk_err rk_log_file_distrust_cache(int dir_fd, uint32_t file_number, struct rk_detail *detail);

/* Cuts a file behind its whole records, durably. Doing it twice is the same as once. */
enum rk_err rk_log_file_cut(int dir_fd, uint32_t file_number, uint64_t end_bytes, struct rk_detail *detail);

/* Puts the trailer behind the records of a file that was cut, durably. `sequence` is the highest that may have been
 * given out. */
enum rk_err rk_log_file_seal(int dir_fd, uint32_t file_number, const struct rk_disk_file_trailer *totals,
                             const struct rk_record_secret *secret, uint64_t sequence, struct rk_detail *detail);

#endif
