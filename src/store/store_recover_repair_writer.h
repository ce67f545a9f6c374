/* The part of recovery that changes the newest data file. */
#ifndef RK_STORE_STORE_RECOVER_REPAIR_WRITER_H
#define RK_STORE_STORE_RECOVER_REPAIR_WRITER_H

#include "store/store_recover_writer.h"

struct rk_store_read_file;

/* Makes the newest file end behind its last whole record, and seals it if it has any. max_sequence is the highest that
 * any file speaks of. Fills in what `result` says of the newest file, of what was cut, and the next sequence. */
enum rk_err rk_store_recover_repair(struct rk_log_store *store, const struct rk_store_read_file *file,
                                    uint64_t max_sequence, struct rk_store_recovery *result, struct rk_detail *detail);

#endif
