/* What the parts of log_store.h share. */
#ifndef RK_LOG_STORE_PRIVATE_H
#define RK_LOG_STORE_PRIVATE_H

#include "base/base_assert.h"
#include "disk/disk_identity.h"
#include "disk/disk_manifest.h"
#include "log/log_store.h"

#include <pthread.h>

struct rk_log_store {
    char *path;
    int dir_fd;
    int lock_fd;
    int identity_fd; /* STORE, for its lock */
    struct rk_disk_identity identity;
    pthread_mutex_t change_lock; /* held from stage to commit or abort, disk waits included; taken before list_lock */
    pthread_mutex_t list_lock;   /* guards manifest; held for a moment only */
    struct rk_disk_manifest manifest;
    struct rk_disk_manifest staged; /* change_lock */
};

/* The lock is no part of what a reader sees as the store's value. */
static inline void rk_log_store_lock_list(const struct rk_log_store *store)
{
    RK_ASSERT(pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&store->list_lock) == 0);
}

static inline void rk_log_store_unlock_list(const struct rk_log_store *store)
{
    RK_ASSERT(pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&store->list_lock) == 0);
}

#endif
