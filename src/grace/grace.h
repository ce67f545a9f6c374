/* Grace periods across processes: the readers' side.
 *
 * Readers of every process use liburcu (memb flavour); its grace periods end at the process boundary, so each process
 * with readers runs one agent thread that waits for its own process on behalf of the writer. See grace/README for the
 * protocol. */
#ifndef RK_GRACE_GRACE_H
#define RK_GRACE_GRACE_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>
#include <urcu/urcu-memb.h>

struct rk_detail;
struct rk_grace_region; /* the shared bytes: grace_region.h */
struct rk_grace_agent;

/* Every thread that reads the keydir registers first and unregisters before it ends. */
static inline void rk_grace_register_thread(void)
{
    urcu_memb_register_thread();
}

static inline void rk_grace_unregister_thread(void)
{
    urcu_memb_unregister_thread();
}

/* A read section: what was found in the keydir inside it stays valid until its end (pages, and the files that locations
 * name). Never blocks; nests; must not call anything that waits for a grace period. */
static inline void rk_grace_read_lock(void)
{
    urcu_memb_read_lock();
}

static inline void rk_grace_read_unlock(void)
{
    urcu_memb_read_unlock();
}

/* Starts this process's agent on its slot, which the master has opened for this process. The region stays mapped until
 * the agent was stopped. */
enum rk_err rk_grace_agent_start(struct rk_grace_agent **agent_out, struct rk_grace_region *region, unsigned slot,
                                 struct rk_detail *detail);

/* Ends the thread and frees the agent; NULL inside is fine. All readers of the process must have ended. */
void rk_grace_agent_stop(struct rk_grace_agent **agent);

#endif
