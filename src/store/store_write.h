/* Writes: the record is built in the ring, the writer's completion ends it.
 *
 * A write without a condition may replace what has expired, and for its client that was not there. Nobody knows when
 * the key is looked up: the keydir has no room for an expiry. So the writer says of a write that it replaced a record
 * of a file in which something has expired by now (RK_RING_DUE), and only then is what it replaced looked at: its head,
 * in the file where it lies dead. If that cannot be read any more it counts as having been there.
 *
 * Nobody but the files of the client includes this. */
#ifndef RK_STORE_WRITE_H
#define RK_STORE_WRITE_H

#include "store/store_client.h"

struct rk_ring_completion;
struct rk_store_read_job;
struct store_op;

/* As rk_store_client_write; `expected`: only if the key is there (0: absent), RK_ERR_CHANGED otherwise; NULL: anyhow.
 */
enum rk_err rk_store_write_submit(struct rk_store_client *client, const struct rk_store_write *write,
                                  const uint64_t *expected, rk_store_write_done_fn *done, void *context,
                                  rk_store_ticket *ticket_out);

/* The writer has answered. */
void rk_store_write_finish(struct rk_store_client *client, const struct rk_ring_completion *completion);

/* A reader thread has the head of what was replaced. */
void rk_store_replaced_finish(struct rk_store_client *client, struct store_op *op, struct rk_store_read_job *job);

#endif
