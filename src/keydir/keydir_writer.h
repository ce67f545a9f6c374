/* The keydir, as its one writer changes it. Only the writer thread of the master calls these, but for create, memfd and
 * destroy (main thread, while no writer runs). Locations are words that are never 0; the keydir does not look inside.
 */
#ifndef RK_KEYDIR_WRITER_H
#define RK_KEYDIR_WRITER_H

#include "keydir/keydir.h"

#include <stdbool.h>

struct rk_grace_writer;
struct rk_keydir_writer;

/* Makes an empty keydir in a new memfd "rackkv-keydir" of at most max_bytes; `grace` may be NULL when there is no
 * reader at all (recovery tools): what is freed is then reused at once. */
enum rk_err rk_keydir_writer_create(struct rk_keydir_writer **writer_out, uint64_t max_bytes,
                                    struct rk_grace_writer *grace, struct rk_detail *detail);
void rk_keydir_writer_destroy(struct rk_keydir_writer **writer);

/* The descriptor that readers attach, open for reading only: no process that has it can map the keydir writable. Owned
 * by the writer. */
int rk_keydir_writer_memfd(const struct rk_keydir_writer *writer);

/* The keydir as the writer's own process reads it (compactor, --single), without a second mapping. Lives as long as the
 * writer. */
const struct rk_keydir *rk_keydir_writer_reader(const struct rk_keydir_writer *writer);

/* Whether n_new_keys more keys certainly fit under max_bytes. After a yes, that many puts of new keys cannot fail. */
bool rk_keydir_writer_has_room(struct rk_keydir_writer *writer, uint64_t n_new_keys);

/* The location now, 0 if there is none. */
uint64_t rk_keydir_writer_lookup(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint);

/* Publishes the location; returns the one it replaces, 0 for a new key. */
uint64_t rk_keydir_writer_put(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint, uint64_t location);

/* Unpublishes the key; returns the location it had, 0 if there was none. */
uint64_t rk_keydir_writer_delete(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint);

/* Publishes `location` if the key is at `expected` (compaction); whether it was. */
bool rk_keydir_writer_relocate(struct rk_keydir_writer *writer, struct rk_fingerprint fingerprint, uint64_t expected,
                               uint64_t location);

/* Starts to load the cache lines that operations on up to RK_KEYDIR_MANY keys will need. */
void rk_keydir_writer_prefetch(const struct rk_keydir_writer *writer, const struct rk_fingerprint *fingerprints,
                               size_t n);

/* Takes back what waited for tickets up to `passed` (rk_grace_writer_poll). Bounded work a call: call it often. */
void rk_keydir_writer_reclaim(struct rk_keydir_writer *writer, uint64_t passed);

/* Whether anything waits for a grace period. */
bool rk_keydir_writer_wants_grace(const struct rk_keydir_writer *writer);

struct rk_keydir_usage {
    uint64_t n_keys;
    uint64_t used_bytes;  /* pages, directory and limbo: what counts against max_bytes */
    uint64_t limbo_bytes; /* of these, waiting for a grace period */
    uint64_t max_bytes;
    uint64_t n_pages;
};

/* Exact figures. */
struct rk_keydir_usage rk_keydir_writer_usage(const struct rk_keydir_writer *writer);

#endif
