/* Reads. A record of up to WHOLE_BYTES_MAX is read and checked in one piece; of a longer one, only what stands before
 * the value, which then comes block by block. Either way the first try does not wait: what the page cache does not have
 * is read by a reader thread into memory of its own, and checked here when it comes back.
 *
 * Here is what the client calls when the disk has answered. Nobody but the files of the client includes this. */
#ifndef RK_STORE_GET_H
#define RK_STORE_GET_H

struct rk_store_client;
struct rk_store_read_job;
struct store_op;

/* A job of a get or of a piece is done: ends the operation and calls back. */
void rk_store_get_finish(struct rk_store_client *client, struct store_op *op, struct rk_store_read_job *job);
void rk_store_piece_finish(struct rk_store_client *client, struct store_op *op, struct rk_store_read_job *job);

#endif
