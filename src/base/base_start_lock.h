/* One start at a time takes ports and names of sockets: to look whether an address is free and to take it are two
 * steps, and between them another start may do the same. The lock is the abstract Unix socket "@rackkv-listen", which
 * the kernel knows once in each network namespace, as ports, and lets go when its holder ends, however it ends. */
#ifndef RK_BASE_START_LOCK_H
#define RK_BASE_START_LOCK_H

#define RK_START_LOCK_NAME        "rackkv-listen"
#define RK_START_LOCK_PATIENCE_MS 5000

/* Waits for it as long as other starts need to do theirs. Who keeps it for longer is none (any program may take such a
 * name, and none shall keep servers from starting), and this start goes on without it. Nests. Main thread. */
void rk_start_lock_acquire(void);
void rk_start_lock_release(void);

#endif
