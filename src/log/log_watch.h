/* Whether the names of an open store still lead to what is open. The locks hold without them, since the folder itself
 * is locked; but a store that has lost one of them, or whose folder has another name now, will not be found by the next
 * start, or will be found without what it needs. */
#ifndef RK_LOG_WATCH_H
#define RK_LOG_WATCH_H

struct rk_log_store;

enum rk_log_watched {
    RK_LOG_WATCHED_FOLDER,
    RK_LOG_WATCHED_LOCK,
    RK_LOG_WATCHED_STORE,
    RK_LOG_WATCHED_MANIFEST,
    RK_LOG_N_WATCHED,
};

/* Bit by bit what is gone, or is something else. Any thread of the master; opens some files, and waits for nothing. */
unsigned rk_log_watch_look(struct rk_log_store *store);

/* "LOCK", and what follows from its loss. Pure. */
const char *rk_log_watch_name(enum rk_log_watched watched);
const char *rk_log_watch_means(enum rk_log_watched watched);

#endif
