/* The group of a lane: who decides together, what is written of it, and what becomes of them.
 *
 * Nobody but the files of the client includes this. */
#ifndef RK_STORE_UPDATE_GROUP_H
#define RK_STORE_UPDATE_GROUP_H

#include "store/store_update_lane.h"

/* The lane has read its key (err as rk_store_update_read says; RK_ERR_AGAIN: not yet): decides, and writes. */
void rk_store_group_go_on(struct rk_store_client *client, struct lane *lane, enum rk_err err);

#endif
