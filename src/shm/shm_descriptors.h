/* How a worker shares out the descriptors that it may have (RLIMIT_NOFILE): what connections may take, and what is kept
 * for data files, so that clients that only connect never keep a value from being read. The master says at the start
 * what the workers will do; so the sum is made here, once. Pure, any thread. */
#ifndef RK_SHM_DESCRIPTORS_H
#define RK_SHM_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/* What a worker has open before it serves, besides its listening sockets: the standard three, the handover's, the event
 * loop's own. */
#define RK_DESCRIPTORS_OF_A_WORKER 17u

/* For what comes and goes: a connection that is being accepted, or that lingers after its last answer. */
#define RK_DESCRIPTORS_SPARE 16u

/* Beyond this, more open data files save nothing that could be measured. */
#define RK_DESCRIPTORS_FILES_MAX 1024u

struct rk_descriptors {
    size_t n_connections; /* at least 1 */
    size_t n_files;       /* at least 1 */
};

/* limit: of the process; in_use: descriptors that are open, and stay so. A quarter of the rest is for data files, at
 * least 16 (or half, where there are not even twice as many). */
struct rk_descriptors rk_descriptors_share(uint64_t limit, uint64_t in_use);

#endif
