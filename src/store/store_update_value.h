/* What an update decides upon: the state of its key, read as a GET reads it, with the whole of a large value if that is
 * wanted, some of it a turn.
 *
 * Nobody but the files of the client includes this. */
#ifndef RK_STORE_UPDATE_VALUE_H
#define RK_STORE_UPDATE_VALUE_H

#include "store/store_update_lane.h"

/* Reads the key of the lane's first update, or goes on with its value. RK_OK and RK_ERR_NOT_FOUND: lane->value is what
 * there is. RK_ERR_AGAIN: the lane reads, and updates->read_done comes; or it is ready again, for more. Otherwise what
 * a get says. */
enum rk_err rk_store_update_read(struct rk_store_client *client, struct lane *lane);

/* Nobody wants what is being read: it ends here. */
void rk_store_update_read_stop(struct rk_store_client *client, struct lane *lane);

#endif
