#include "log/log_watch.h"

#include "base/base_io.h"
#include "disk/disk_small_file.h"
#include "log/log_store_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Whether the name leads to what the descriptor has open. */
static bool leads_to(int dir_fd, const char *name, int open_fd)
{
    int fd = rk_io->open_at(dir_fd, name, O_PATH, 0);
    struct stat named, opened;
    bool same;

    if (fd < 0)
        return false;
    same = rk_io->fstat(fd, &named) == 0 && rk_io->fstat(open_fd, &opened) == 0 && named.st_ino == opened.st_ino
           && named.st_dev == opened.st_dev;
    (void)rk_io->close(fd); /* it was only looked at */
    return same;
}

/* The edition in use, or the next one, when a commit could not tell whether it was done. */
static bool is_in_use(const struct rk_log_store *store, const struct rk_disk_manifest *found)
{
    uint64_t edition = rk_log_store_edition(store);

    return memcmp(found->uuid, store->identity.uuid, RK_DISK_UUID_BYTES) == 0
           && (found->edition == edition || found->edition == edition + 1);
}

/* While somebody changes the list there is nothing to compare. */
static bool has_manifest(struct rk_log_store *store)
{
    struct rk_disk_manifest found;
    uint8_t *bytes = NULL;
    size_t size;
    bool is_ours;

    if (pthread_mutex_trylock(&store->change_lock) != 0)
        return true;
    is_ours =
        rk_disk_small_file_load(store->dir_fd, RK_DISK_MANIFEST_NAME, RK_DISK_MANIFEST_BYTES_MAX, &bytes, &size, NULL)
            == RK_OK
        && rk_disk_manifest_decode(bytes, size, &found, NULL) == RK_OK;
    if (is_ours) {
        is_ours = is_in_use(store, &found);
        rk_disk_manifest_fini(&found);
    }
    free(bytes);
    RK_ASSERT(pthread_mutex_unlock(&store->change_lock) == 0);
    return is_ours;
}

unsigned rk_log_watch_look(struct rk_log_store *store)
{
    unsigned lost = 0;

    if (!leads_to(AT_FDCWD, store->path, store->dir_fd))
        lost |= 1u << RK_LOG_WATCHED_FOLDER;
    if (!leads_to(store->dir_fd, RK_LOG_LOCK_NAME, store->lock_fd))
        lost |= 1u << RK_LOG_WATCHED_LOCK;
    if (!leads_to(store->dir_fd, RK_LOG_STORE_NAME, store->identity_fd))
        lost |= 1u << RK_LOG_WATCHED_STORE;
    if (!has_manifest(store))
        lost |= 1u << RK_LOG_WATCHED_MANIFEST;
    return lost;
}

const char *rk_log_watch_name(enum rk_log_watched watched)
{
    static const char *const names[] = { "the folder", RK_LOG_LOCK_NAME, RK_LOG_STORE_NAME, RK_DISK_MANIFEST_NAME };

    return names[watched];
}

const char *rk_log_watch_means(enum rk_log_watched watched)
{
    static const char *const means[] = {
        "this server goes on with the folder that it has, wherever that is now; a start will not find it here",
        "the lock on the folder itself keeps other servers out; the next start makes a new one",
        "this server goes on; without this file no start is possible: put it back",
        ("this server goes on, and writes it anew with the next change of the list of data files, or when it stops; "
         "a start before that would refuse, or find an older state"),
    };

    return means[watched];
}
