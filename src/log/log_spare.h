/* The spare of the disk as a file: room for what a merge copies, where a file system cannot be believed when it says
 * how much is free. btrfs takes chunks for its metadata, of some MiB and more, out of what it had called free; what a
 * file has, it cannot take.
 *
 *   data_dir/SPARE    zeros, preallocated; nothing reads it, and whoever removes it loses nothing
 *
 *   make -> (the disk is full) -> give_up -> a merge uses it -> make again, and then puts go on
 *
 * That it can be made again, with something besides, is how one knows that there is room again. Trying takes all the
 * room that there is, if only for a moment, and on btrfs until the next transaction: so it is not tried while a merge
 * has it.
 *
 * Not made durable and not listed: a start finds it, or makes it anew. Writer thread; recovery before it. */
#ifndef RK_LOG_SPARE_H
#define RK_LOG_SPARE_H

#include <stdbool.h>
#include <stdint.h>

struct rk_log_spare {
    int dir_fd;
    uint64_t size_bytes; /* 0: the file system needs none */
    bool is_there;
    bool is_given_up; /* and not made again since */
    bool is_in_use;   /* what was given up: nobody is to take it by trying whether it can be made again */
};

/* Of a directory; finds one that is there. */
void rk_log_spare_init(struct rk_log_spare *spare, int dir_fd, uint64_t size_bytes);

/* Whether it is there now. False: it is not needed, or there is no room for it. */
bool rk_log_spare_make(struct rk_log_spare *spare);

/* Gives its space back to the disk. */
void rk_log_spare_give_up(struct rk_log_spare *spare);

#endif
