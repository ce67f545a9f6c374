/* Gives back the space of dead records without copying anything, by holes in the files where they lie (disk_hole.h):
 * what is done on a disk on which no merge has room.
 *
 * 1. What a merge would drop because the keydir names another record, or nothing, and what hides nothing, may go. What
 * a merge would copy stays, and so do tombstones and expired records that hide older ones.
 * 2. Before anything goes, the active file is synced, in every mode: what made the records dead may be there.
 * 3. And a grace period passes, and `settle_reads`: no reader looks at them any more.
 * 4. Whatever fails, all files are whole, and hold what they held for whoever looks for a key. */
#ifndef RK_MERGE_PUNCH_H
#define RK_MERGE_PUNCH_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_log_writer;
struct rk_space;

struct rk_merge_punch_settings {
    struct rk_log_store *store;
    struct rk_log_writer *log;
    struct rk_keydir_writer *keydir; /* its reader; itself and the next two only where `call` runs */
    struct rk_space *space;
    struct rk_grace_writer *grace; /* NULL: there are no readers */
    const uint32_t *files;
    size_t n_files;

    void *context; /* as those of merge.h */
    enum rk_err (*call)(void *context, void (*run)(void *argument), void *argument);
    enum rk_err (*wait_grace)(void *context, uint64_t ticket);
    void (*pause)(void *context); /* NULL: none */
    /* Waits until reads that had begun before the grace period are done; NULL: there are none. */
    enum rk_err (*settle_reads)(void *context);
};

/* RK_OK, and how many bytes the disk got back; otherwise the last failure, of whatever file. The thread is a registered
 * reader (grace.h), outside of a section. */
enum rk_err rk_merge_punch_run(const struct rk_merge_punch_settings *settings, uint64_t *freed_bytes_out,
                               struct rk_detail *detail);

#endif
