/* The descriptors of this process, as they are shared out: src/shm/shm_descriptors.h says how. */
#ifndef RK_WORKER_DESCRIPTORS_H
#define RK_WORKER_DESCRIPTORS_H

#include "shm/shm_descriptors.h"

/* n_listeners: all listening sockets that it was given. Early in a start: what is open then stays so. */
struct rk_descriptors rk_worker_descriptors(size_t n_listeners);

#endif
