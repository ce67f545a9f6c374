/* Grace periods across processes: the readers' side.
 *
 * Readers of every process use liburcu (memb flavour); its grace periods end at the process boundary, so each process
 * with readers runs one agent thread that waits for its own process on behalf of the writer. See grace/README for the
 * protocol. Builds with the thread sanitizer use a stand-in for liburcu (grace_standin.h says why). */
#ifndef RK_GRACE_H
#define RK_GRACE_H

#include "base/base_err.h"
#include "grace/grace_standin.h"

#include <stddef.h>
#include <stdint.h>
#include <urcu/urcu-memb.h>

struct rk_detail;
struct rk_grace_region; /* the shared bytes: grace_region.h */
struct rk_grace_agent;

/* Every thread that reads the keydir registers first and unregisters before it ends. */
static inline void rk_grace_register_thread(void)
{
#if RK_GRACE_STANDIN
    rk_grace_standin_register_thread();
#else
    urcu_memb_register_thread();
#endif
}

static inline void rk_grace_unregister_thread(void)
{
#if RK_GRACE_STANDIN
    rk_grace_standin_unregister_thread();
#else
    urcu_memb_unregister_thread();
#endif
}

/* A read section: what was found in the keydir inside it stays valid until its end (pages, and the files that locations
 * name). Never blocks; nests; must not call anything that waits for a grace period. */
static inline void rk_grace_read_lock(void)
{
#if RK_GRACE_STANDIN
    rk_grace_standin_read_lock();
#else
    urcu_memb_read_lock();
#endif
}

static inline void rk_grace_read_unlock(void)
{
#if RK_GRACE_STANDIN
    rk_grace_standin_read_unlock();
#else
    urcu_memb_read_unlock();
#endif
}

/* Waits until every read section of this process that runs now has ended; says nothing about other processes. For the
 * agent, and for tests. Never inside a section. */
static inline void rk_grace_synchronize_process(void)
{
#if RK_GRACE_STANDIN
    rk_grace_standin_synchronize();
#else
    urcu_memb_synchronize_rcu();
#endif
}

/* Starts this process's agent on its slot, which the master has opened for this process. The region stays mapped until
 * the agent was stopped. RK_ERR_MISMATCH: not a region of this version; RK_ERR_INVALID: no such slot, or it is closed;
 * RK_ERR_LIMIT: no thread to be had. */
enum rk_err rk_grace_agent_start(struct rk_grace_agent **agent_out, struct rk_grace_region *region, unsigned slot,
                                 struct rk_detail *detail);

/* Ends the thread and frees the agent; NULL inside is fine. All readers of the process must have ended. */
void rk_grace_agent_stop(struct rk_grace_agent **agent);

#endif
