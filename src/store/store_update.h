/* Operations that read a key and then write it (rk_store_client_update): only if nobody else has changed it meanwhile,
 * which the writer decides, for all workers; otherwise again.
 *
 *   update      begins as a waiting one at the end of its key's lane (store_update_lane.h)
 *
 *   a turn      the first one of a lane reads the key, and decides; when it folds, all that wait and fold decide with
 *               it, each upon what the one before it decided. What the last one decided goes to the writer, "if the
 *               key is still there"
 *
 *   completion  all of them are done; or the key has changed, and all are decided anew; or it failed, and so have they
 *
 * 1. One worker has one write of this kind under way for a key: only workers compete, and a key that everybody
 *    increments costs a record for each commit, not for each increment.
 * 2. A merge that moves the record looks like a change: it is read again, and decided again upon the same value.
 * 3. Who stops because of what an operation before it has decided is told so when that is written, not before.
 * 4. Callbacks come from rk_store_client_poll, whatever happened at once: decisions as well as `done`. So all that a
 *    turn of the loop brought for a key is one write.
 * 5. A cancelled operation is not called back. What it has decided may be on its way; what waits is dropped.
 *
 * Nobody but the files of the client includes this. */
#ifndef RK_STORE_UPDATE_H
#define RK_STORE_UPDATE_H

#include <stdbool.h>

struct rk_store_client;
struct rk_store_updates;
struct store_op;

struct rk_store_updates *rk_store_updates_create(void);

/* What is under way is forgotten. NULL inside is fine. */
void rk_store_updates_destroy(struct rk_store_updates **updates);

/* Goes on with what can go on now, and calls back. */
void rk_store_updates_poll(struct rk_store_client *client);

/* Whether poll has something to do. */
bool rk_store_updates_waiting(const struct rk_store_client *client);

/* Of an operation of the kind OP_UPDATE. */
void rk_store_update_cancel(struct rk_store_client *client, struct store_op *op);

#endif
