/* One merge: copies what is still wanted of some sealed data files into new ones, and removes the old ones.
 *
 *   inputs, oldest sequence first            output                  MANIFEST        keydir, space table
 *   read, look up, copy what is live  ---->  append ... full
 *                                            trailer, fdatasync
 *                                            hint
 *                                                              ---->  inputs
 *                                                                     + output
 *                                                                                    L1 -> L2 if still L1
 *                                            sync of the active file
 *                                                              ---->  output
 *                                            (a grace period)
 *                                            unlink of the inputs
 *
 *  1. A record is live if the keydir has this very location. It is copied byte for byte: sequence and CRCs stay.
 *  2. The keydir never names a file that is not listed, and a file goes only when it is not listed, the keydir does not
 *     name it, and no reader can still hold a location in it.
 *  3. Each step is durable before the next one. A crash leaves the inputs, or inputs and outputs (then some records are
 *     there twice with the same sequence: either will do), or the outputs; all open to the same contents.
 *  4. Before a file is removed, the active file is synced, in every mode: what made its records dead may be there, and
 *     must not be lost when they are.
 *  5. A tombstone whose key has a record again is not needed: that record is newer (4). Any other is needed while there
 *     may be an older record of its key: it is dropped only if its sequence is below the lowest one of every file that
 *     is not in the merge. Positions say nothing: a merged file has records of any age.
 *  6. An input goes before the others of the merge only if each tombstone that was dropped from it is below the lowest
 *     sequence of all inputs that stay. So whatever of the removals a crash leaves out, no tombstone is gone before
 *     what it hides.
 *  7. An expired record is dead, but hides older ones like a tombstone: where (5) would keep a tombstone, one with the
 *     record's key and sequence takes its place. If it was found earlier that it had expired (expire.h),
 *     then the keydir has nothing of its key: it looks like one that was overwritten and deleted, so in a file with
 *     any record that counts as expired each that has an expiry is taken for such a one, whatever the clock says now.
 *     If by the clock it has not expired, the active file is synced before the output is listed: what took the key out
 *     may be there, and if a power failure takes that, the record is the newest of its key.
 *  8. Inputs are removed as soon as what was wanted of them is durable, so it takes free space for one output, not for
 *     all. Those with nothing that is wanted are removed first, at once, without being read.
 *  9. Whatever fails, the store goes on: an output that is not listed is removed, an input that is listed stays. After
 *     a MANIFEST that could not be replaced, nothing is removed that one of the two may name.
 * 10. A hint is acted by before all of it is known to be right. Copies that it leads to are right in any case; what it
 *     calls dead is gone only when its input is removed, and if it was wrong, all of that input was scanned by then.
 *
 * All records of a sealed file are published: the writer rolls over between two batches. */
#ifndef RK_MERGE_H
#define RK_MERGE_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_log_writer;
struct rk_space;

struct rk_merge_progress {
    uint64_t total_bytes; /* of the inputs */
    uint64_t done_bytes;  /* of these, dealt with */
    uint64_t read_bytes;  /* from data files */
    uint64_t written_bytes;
    uint64_t removed_bytes; /* of files that are gone */
    uint64_t n_copied;
    uint64_t n_dropped;
    uint64_t n_expired; /* keys that it has taken out of the keydir */
};

struct rk_merge_settings {
    struct rk_log_store *store;
    struct rk_log_writer *log;
    struct rk_keydir_writer *keydir; /* its reader; itself and these two only where `call` runs */
    struct rk_space *space;
    struct rk_grace_writer *grace; /* NULL: there are no readers */
    const uint32_t *files;         /* sealed */
    size_t n_files;
    uint64_t file_size_bytes;
    uint64_t min_free_bytes; /* of the disk, or as much of it as is reasonable (merge_rescue.h) */
    /* 0, or: each output takes no more than half of the room that there is when it begins, but so much in any case;
     * what it frees is the room of the next one (`settled`). */
    uint64_t piece_bytes_min;
    uint64_t now_s; /* since 1970, by a clock that may be believed: what has expired by then is dead */

    void *context;
    /* Has the writer thread call run(argument), and waits for it: RK_OK, or RK_ERR_CLOSED. */
    enum rk_err (*call)(void *context, void (*run)(void *argument), void *argument);
    /* Waits until the ticket has passed. Anything but RK_OK: the files are left to the next start's sweep. */
    enum rk_err (*wait_grace)(void *context, uint64_t ticket);
    /* Files were unlinked: who has them open should close them. */
    void (*gone)(void *context);
    /* Takes over a descriptor of a file that was just unlinked: who closes it last does the work of freeing its space.
     * NULL: whoever has it open. */
    void (*keep)(void *context, int fd);
    /* Closes what it has taken over: whether there was anything, and so space that was not free yet. NULL: no. */
    bool (*release)(void *context);
    /* An output is listed, and the keydir names what is in it: the copied records are dead where they were. NULL: so
     * what.
     */
    void (*settled)(void *context);
    /* Every few records: gives the processor to who wants it now. NULL: it does not. */
    void (*pause)(void *context);
    /* Between two pieces of work: may sleep. RK_ERR_AGAIN: give up what is not finished. */
    enum rk_err (*turn)(void *context, const struct rk_merge_progress *progress);
};

/* RK_OK; RK_ERR_AGAIN: given up by `turn`; RK_ERR_INVALID: a file that is not listed, or not sealed; RK_ERR_NO_SPACE,
 * RK_ERR_IO, RK_ERR_CORRUPT, RK_ERR_READ_ONLY, RK_ERR_CLOSED. What was finished before stays. The thread is a
 * registered reader (grace.h), outside of a section. */
enum rk_err rk_merge_run(const struct rk_merge_settings *settings, struct rk_detail *detail);

#endif
