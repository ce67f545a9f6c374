/* The data files that a worker has open, by number. Event-loop thread only; reader threads get descriptors of files
 * that are pinned for them. */
#ifndef RK_STORE_FILES_H
#define RK_STORE_FILES_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_store_files;

struct rk_store_file {
    uint32_t number;
    int fd;
    uint32_t n_pins;
};

/* dir_fd: the data directory; stays the caller's. At most max_open files are open, but for those that are pinned: the
 * one that was used longest ago goes first. A store may have more files than a process may have descriptors. */
struct rk_store_files *rk_store_files_create(int dir_fd, size_t max_open);

/* Closes all: no job of a reader thread is left. */
void rk_store_files_destroy(struct rk_store_files **files);

/* The open file of this number, opened if need be: RK_ERR_NOT_FOUND, RK_ERR_LIMIT, RK_ERR_IO. Inside a read section
 * that yielded the number; pin it to use it longer. */
enum rk_err rk_store_files_get(struct rk_store_files *files, uint32_t number, struct rk_store_file **file_out);

/* Closes what was unlinked and is not pinned; false: some of that is pinned. */
bool rk_store_files_close_gone(struct rk_store_files *files);

static inline void rk_store_file_pin(struct rk_store_file *file)
{
    file->n_pins++;
}

static inline void rk_store_file_unpin(struct rk_store_file *file)
{
    file->n_pins--;
}

#endif
