/* The part of recovery that changes the newest data file. */
#ifndef RK_RECOVER_REPAIR_H
#define RK_RECOVER_REPAIR_H

#include "recover/recover.h"

struct rk_recover_file;

/* Makes the newest file end behind its last whole record, and seals it if it has any. max_sequence is the highest that
 * any file speaks of. Fills in what `result` says of the newest file, of what was cut, and the next sequence. */
enum rk_err rk_recover_repair(struct rk_log_store *store, const struct rk_recover_file *file, uint64_t max_sequence,
                              struct rk_recovery *result, struct rk_detail *detail);

#endif
