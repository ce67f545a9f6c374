/* The thread that makes the log durable once an interval (mode `interval`), and when much was written, so that the
 * writer waits for the disk only when it rolls over, and as a rule not for much then. It uses rk_log_writer_sync and
 * nothing else: a failure is seen through rk_log_writer_state. */
#ifndef RK_LOG_SYNCER_H
#define RK_LOG_SYNCER_H

#include "base/base_err.h"

#include <stdint.h>

struct rk_detail;
struct rk_log_syncer;
struct rk_log_writer;

/* Starts the thread. The writer must outlive it. RK_OK; RK_ERR_LIMIT: there are no more threads. Main thread. */
enum rk_err rk_log_syncer_start(struct rk_log_syncer **syncer_out, struct rk_log_writer *writer, uint32_t interval_ms,
                                struct rk_detail *detail);

/* Asks for a sync now instead of at the end of the interval; does not wait for it. Any thread. */
void rk_log_syncer_request(struct rk_log_syncer *syncer);

/* Another interval from the next sync on. Any thread. */
void rk_log_syncer_set_interval(struct rk_log_syncer *syncer, uint32_t interval_ms);

/* Waits until the thread has ended; what was flushed after its last sync is not synced. NULL inside is fine. */
void rk_log_syncer_stop(struct rk_log_syncer **syncer);

#endif
