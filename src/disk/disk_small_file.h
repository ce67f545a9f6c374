/* Small files that are read whole and replaced whole: STORE, MANIFEST.
 *
 * A replacement is all or nothing, also across a power failure: write NAME.tmp, fsync it (stage); fsync the directory,
 * so that files the new contents name are there; rename over NAME; fsync the directory (commit). All that needs
 * space happens in stage, but where the file system writes names to new places. */
#ifndef RK_DISK_SMALL_FILE_H
#define RK_DISK_SMALL_FILE_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

#define RK_DISK_TMP_SUFFIX ".tmp"

struct rk_detail;

/* The whole file, to be freed: RK_OK, RK_ERR_NOT_FOUND, RK_ERR_TOO_LARGE (over max_size), RK_ERR_IO. */
enum rk_err rk_disk_small_file_load(int dir_fd, const char *name, size_t max_size, uint8_t **bytes_out,
                                    size_t *size_out, struct rk_detail *detail);

/* Writes and fsyncs NAME.tmp; on failure nothing is left of it. */
enum rk_err rk_disk_small_file_stage(int dir_fd, const char *name, const uint8_t *bytes, size_t size,
                                     struct rk_detail *detail);

/* Puts NAME.tmp in the place of NAME. RK_ERR_NO_SPACE: there was no room for the rename, NAME is what it was, and
 * NAME.tmp is gone. After any other failure it is unknown which of the two a restart will find. */
enum rk_err rk_disk_small_file_commit(int dir_fd, const char *name, struct rk_detail *detail);

/* Removes NAME.tmp. */
void rk_disk_small_file_discard(int dir_fd, const char *name);

#endif
