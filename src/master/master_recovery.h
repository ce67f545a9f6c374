/* Recovery at the start, on a thread of its own: meanwhile the main thread starts workers, which say that the server is
 * alive and how far it is, and refuse everything else.
 *
 *   start -> tell* until has_ended -> join
 *
 * 1. The recovering thread changes the keydir, the data files, the progress on the board and last_sequence; nothing
 *    else. The main thread goes on from there after the join, and only then says SERVING on the board.
 * 2. A process that ends in the middle leaves what the next start recovers from: the same, or the repaired file. */
#ifndef RK_MASTER_RECOVERY_H
#define RK_MASTER_RECOVERY_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_detail;
struct rk_master_engine;
struct rk_master_options;
struct rk_master_recovery;

/* Main thread. The engine is open, and both stay until join. */
enum rk_err rk_master_recovery_start(struct rk_master_recovery **recovery_out, struct rk_master_engine *engine,
                                     const struct rk_master_options *options, struct rk_detail *detail);

/* Whether join will not wait; the engine's notice_fd is written when it comes true. */
bool rk_master_recovery_has_ended(const struct rk_master_recovery *recovery);

/* Main thread, often: shows how far a long recovery is, as a bar when standard error is a terminal, else with a line
 * now and then. */
void rk_master_recovery_tell(struct rk_master_recovery *recovery, uint64_t now_ns);

/* Waits for the thread, says on standard error what was found, and frees. RK_OK: keydir and log are ready for the
 * writer. */
enum rk_err rk_master_recovery_join(struct rk_master_recovery **recovery, struct rk_detail *detail);

#endif
