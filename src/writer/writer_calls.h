/* Calls that other threads of the master have the writer thread make for them, between two batches: what needs the
 * keydir, the active file or the space table as only the writer may touch them.
 *
 *   other thread:  make ── waits ──────────────────── returns
 *   writer thread:          run (in the order they came)
 *
 * A call is short: all writes wait for it. */
#ifndef RK_WRITER_CALLS_H
#define RK_WRITER_CALLS_H

#include "base/base_err.h"

#include <stdatomic.h>
#include <stdbool.h>

struct rk_writer_calls;

struct rk_writer_calls *rk_writer_calls_create(void);
void rk_writer_calls_destroy(struct rk_writer_calls **calls); /* nobody waits */

/* Any thread but the writer: waits until run(context) has been called and has returned; `wake` is called once the call
 * is in line. RK_OK, or RK_ERR_CLOSED: it was not called and never will be. */
enum rk_err rk_writer_calls_make(struct rk_writer_calls *calls, void (*run)(void *context), void *context,
                                 void (*wake)(void *wake_context), void *wake_context);

/* Writer thread: whether somebody waits, and the calls themselves. */
bool rk_writer_calls_are_waiting(const struct rk_writer_calls *calls);
void rk_writer_calls_run(struct rk_writer_calls *calls);

/* The writer thread, before it ends, or who knows that it does not run: calls are refused from now on, those that wait
 * as well. Open: the writer is about to run. A new table is closed. */
void rk_writer_calls_open(struct rk_writer_calls *calls);
void rk_writer_calls_close(struct rk_writer_calls *calls);

#endif
