/* The writer's handle, and the operations that replace pages: grow, split, shrink, merge. Inside the module only. */
#ifndef RK_KEYDIR_RESIZE_H
#define RK_KEYDIR_RESIZE_H

#include "keydir/keydir_extents.h"
#include "keydir/keydir_waiting.h"
#include "keydir/keydir_writer.h"

/* A page of so many steps counts as full with this many entries: load 0.92. Above that, keys find no place near their
 * home often enough to matter; below, memory is lost (21.3 bytes / load). */
#define RK_KEYDIR_STEP_LIMIT 177u

struct rk_keydir_writer {
    struct rk_keydir region; /* the writer's own mapping, the only one that can write */
    int fd;                  /* what it was made with */
    int reader_fd;           /* the same file, open for reading only: what workers get */
    uint64_t max_bytes;
    struct rk_grace_writer *grace;
    uint64_t passed;
    struct rk_keydir_extents extents;
    struct rk_keydir_waiting waiting;
    struct rk_keydir_builder *builder;
    uint32_t n_at_depth[33]; /* pages of each depth */
    uint32_t top_depth;      /* the directory was never deeper */
    uint32_t sweep_at;       /* the next extent to look at for a page that is too large */
    uint64_t n_keys;
    uint64_t n_waiting;       /* sum over all pages */
    uint64_t n_keys_that_fit; /* when the bytes were last enough */
};

/* The page of a fingerprint, and its extent. */
struct rk_keydir_target {
    struct rk_keydir_page page;
    struct rk_keydir_extent *extent;
    uint32_t extent_at;
};

struct rk_keydir_page rk_keydir_resize_page(const struct rk_keydir_writer *writer, uint32_t extent_at);
struct rk_keydir_target rk_keydir_resize_target(struct rk_keydir_writer *writer, uint64_t high);

/* Makes the first page and the directory that points at it. */
void rk_keydir_resize_init(struct rk_keydir_writer *writer);

/* Replaces the page by a larger one or by two. `crowded`: there was no room near some home, so the same size would not
 * do. */
void rk_keydir_resize_make_room(struct rk_keydir_writer *writer, uint32_t extent_at, bool crowded);

/* After a delete: replaces the page by a smaller one, or it and its buddy by one, if that is worth it. */
void rk_keydir_resize_after_delete(struct rk_keydir_writer *writer, uint32_t extent_at);

/* Looks at a few pages, and shrinks one of them that is too large. */
void rk_keydir_resize_sweep(struct rk_keydir_writer *writer);

/* The pages that lie in the extents from `first` on, which nobody knows yet, take the place of the only page that there
 * is. They are of all prefixes; `depth` is that of the deepest. */
void rk_keydir_resize_replace_all(struct rk_keydir_writer *writer, uint32_t first, uint32_t depth);

/* Makes one page of each two buddies whose keys fit into one, until there are none. */
void rk_keydir_resize_merge_all(struct rk_keydir_writer *writer);

/* Bytes of header and directory, whole pages of memory. */
uint64_t rk_keydir_resize_directory_bytes(const struct rk_keydir_writer *writer);
uint64_t rk_keydir_resize_bytes_of_depth(uint32_t depth);

/* The ticket for what was unpublished until now. */
uint64_t rk_keydir_resize_ticket(const struct rk_keydir_writer *writer);

#endif
