/* Takes a store with damage in data that had been promised to where it opens again, at the price of what is damaged.
 * Only when told to: what is lost may have been the newest value of a key, or its delete.
 *
 * 1. Of a damaged file a new one is made, which takes its place in the MANIFEST: all whole records, before and behind
 *    the damage, as they were. A file without damage is not touched.
 * 2. The damaged original stays, as quarantine/<its name>, and its name there is durable before the MANIFEST changes.
 * 3. A listed file that is missing, or is another store's, is listed no more; the latter goes to quarantine/. Of files
 * that are not listed, this store's newer ones are listed, and what may not be removed goes to quarantine/, too.
 * 4. No sequence that may have been given out is given out again, though what had it is lost.
 * 5. A crash leaves the old state or the new one of each file; doing it again goes on.
 * 6. Behind a damaged header the next record is found by its own header, CRCs, and a sequence for which the gap has
 *    room: the image of a record inside of a damaged value is not taken for one. */
#ifndef RK_LOG_SALVAGE_H
#define RK_LOG_SALVAGE_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_detail;
struct rk_log_store;

#define RK_LOG_SALVAGE_UNKNOWN UINT64_MAX

/* A stretch of a file that is not in the new one. */
struct rk_log_salvage_loss {
    uint32_t file_number;
    uint64_t offset_bytes;
    uint64_t size_bytes;
    uint64_t n_records; /* so many are missing; or RK_LOG_SALVAGE_UNKNOWN, at an end */
    const char *what;   /* is wrong with the first of them */
};

struct rk_log_salvage_file {
    uint32_t file_number;
    uint32_t new_number;
    uint64_t n_kept; /* records */
};

struct rk_log_salvage_dropped {
    uint32_t file_number;
    bool is_missing;         /* or it is something else than a data file of this store, and in quarantine/ */
    uint64_t first_sequence; /* what it had is lost, by its place in the list at most this sequence */
    uint64_t last_sequence;  /* to this one (0: nobody knows), and older ones if a merge wrote it */
    const char *why;
};

struct rk_log_salvage_hooks {
    void *context;
    void (*lost)(void *context, const struct rk_log_salvage_loss *loss);
    void (*replaced)(void *context, const struct rk_log_salvage_file *file);
    void (*dropped)(void *context, const struct rk_log_salvage_dropped *dropped);
    void (*listed)(void *context, uint32_t file_number, uint64_t first_sequence, uint64_t last_sequence);
    void (*moved)(void *context, uint32_t file_number); /* to quarantine/, not listed and of no use */
};

/* Goes through all files, before recovery. RK_OK, also when nothing was damaged; RK_ERR_NO_SPACE, RK_ERR_IO,
 * RK_ERR_NO_MEMORY. */
enum rk_err rk_log_salvage(struct rk_log_store *store, const struct rk_log_salvage_hooks *hooks,
                           struct rk_detail *detail);

#endif
