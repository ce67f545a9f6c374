/* A window that moves over a file with large sequential reads. */
#ifndef RK_DISK_WINDOW_H
#define RK_DISK_WINDOW_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

#define RK_DISK_WINDOW_BYTES (1u << 20)

struct rk_disk_window {
    int fd;
    uint8_t *buffer;
    size_t capacity; /* RK_DISK_WINDOW_BYTES, or what a smaller file needs */
    uint64_t begin;  /* offset in the file of what the buffer holds */
    size_t filled;
};

/* RK_OK with the file's size; RK_ERR_NOT_FOUND, RK_ERR_IO (errno says which). */
enum rk_err rk_disk_window_open(struct rk_disk_window *window, int dir_fd, const char *name, uint64_t *file_bytes_out);
void rk_disk_window_close(struct rk_disk_window *window);

/* The bytes [at, at + size) of the file, which are in it; size at most RK_DISK_WINDOW_BYTES. They stay until the next
 * call. RK_ERR_IO (errno): a read failed, or the file got shorter meanwhile. */
enum rk_err rk_disk_window_get(struct rk_disk_window *window, uint64_t at, size_t size, const uint8_t **bytes_out);

#endif
