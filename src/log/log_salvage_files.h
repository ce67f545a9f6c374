/* The part of a salvage that has to do with whole files: those that are listed and cannot be had, and those that are
 * there and not listed. */
#ifndef RK_LOG_SALVAGE_FILES_H
#define RK_LOG_SALVAGE_FILES_H

#include "log/log_salvage.h"

/* What is not listed and may not be removed: this store's newer files are listed, behind the others; all else goes to
 * quarantine/. Before anything else. */
enum rk_err rk_log_salvage_unlisted(struct rk_log_store *store, const struct rk_log_salvage_hooks *hooks,
                                    struct rk_detail *detail);

/* A listed file that is missing, of another store, or no file: it is listed no more, and in quarantine/ if it is there.
 * The sequences that have been given out are at most last_sequence; 0: as MANIFEST says. */
enum rk_err rk_log_salvage_drop(struct rk_log_store *store, const struct rk_log_salvage_dropped *dropped,
                                uint64_t last_sequence, const struct rk_log_salvage_hooks *hooks,
                                struct rk_detail *detail);

#endif
