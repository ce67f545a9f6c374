#include "log/log_store.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "disk/disk_identity.h"
#include "disk/disk_location.h"
#include "disk/disk_manifest.h"
#include "disk/disk_small_file.h"
#include "log/log_lock.h"
#include "log/log_names.h"
#include "log/log_store_change.h"
#include "log/log_store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum rk_err fail(struct rk_detail *detail, const char *what)
{
    int errnum = errno;

    rk_detail_set(detail, "%s: %s", what, strerror(errnum));
    return rk_err_from_errno(errnum);
}

static enum rk_err refuse_data_file(void *context, const char *name, struct rk_detail *detail)
{
    if (rk_disk_file_number_of_name(name) == 0)
        return RK_OK;
    rk_detail_set(detail, "missing, although there are data files (%s); restore it from a backup", name);
    return RK_ERR_CORRUPT;
}

/* Makes the directory where there is none, its name durable. */
static enum rk_err open_dir(struct rk_log_store *store, struct rk_detail *detail)
{
    bool made = rk_io->mkdir_at(AT_FDCWD, store->path, 0700) == 0;
    int parent_fd;

    if (!made && errno != EEXIST)
        return fail(detail, "cannot be made");
    store->dir_fd = rk_io->open_at(AT_FDCWD, store->path, O_RDONLY | O_DIRECTORY, 0);
    if (store->dir_fd < 0)
        return fail(detail, "cannot be opened");
    if (!made)
        return RK_OK;
    parent_fd = rk_io->open_at(store->dir_fd, "..", O_RDONLY | O_DIRECTORY, 0);
    if (parent_fd < 0)
        return fail(detail, "its parent cannot be opened");
    made = rk_io->fsync(parent_fd) == 0;
    (void)rk_io->close(parent_fd); /* nothing was written through it */
    return made ? RK_OK : fail(detail, "its name cannot be made durable");
}

static enum rk_err replace_file(struct rk_log_store *store, const char *name, const uint8_t *bytes, size_t size,
                                struct rk_detail *detail)
{
    enum rk_err err = rk_disk_small_file_stage(store->dir_fd, name, bytes, size, detail);

    return err == RK_OK ? rk_disk_small_file_commit(store->dir_fd, name, detail) : err;
}

static enum rk_err create_identity(struct rk_log_store *store, struct rk_detail *detail)
{
    uint8_t bytes[RK_DISK_IDENTITY_BYTES];
    enum rk_err err = rk_log_names_visit(store->dir_fd, refuse_data_file, NULL, detail);

    if (err != RK_OK) {
        rk_detail_wrap(detail, "%s", RK_LOG_STORE_NAME);
        return err;
    }
    if (sodium_init() < 0) {
        rk_detail_set(detail, "%s: no source of random numbers", RK_LOG_STORE_NAME);
        return RK_ERR_IO;
    }
    randombytes_buf(store->identity.uuid, sizeof store->identity.uuid);
    randombytes_buf(store->identity.hash_key, sizeof store->identity.hash_key);
    store->identity.created_ms = rk_time_wall_ms();
    store->identity.secret = rk_disk_secret_derive(store->identity.hash_key);
    rk_disk_identity_encode(bytes, &store->identity);
    return replace_file(store, RK_LOG_STORE_NAME, bytes, sizeof bytes, detail);
}

static enum rk_err load_identity(struct rk_log_store *store, struct rk_detail *detail)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum rk_err err = rk_disk_small_file_load(store->dir_fd, RK_LOG_STORE_NAME, 1 << 16, &bytes, &size, detail);

    if (err == RK_ERR_NOT_FOUND)
        return create_identity(store, detail);
    if (err != RK_OK)
        return err;
    err = rk_disk_identity_decode(bytes, size, &store->identity, detail);
    if (err != RK_OK)
        rk_detail_wrap(detail, "%s", RK_LOG_STORE_NAME);
    free(bytes);
    return err;
}

static enum rk_err stage_manifest(struct rk_log_store *store, const struct rk_disk_manifest *manifest,
                                  struct rk_detail *detail)
{
    size_t size = rk_disk_manifest_size(manifest);
    uint8_t *bytes = rk_mem_calloc(1, size);
    enum rk_err err;

    rk_disk_manifest_encode(bytes, manifest);
    err = rk_disk_small_file_stage(store->dir_fd, RK_DISK_MANIFEST_NAME, bytes, size, detail);
    free(bytes);
    return err;
}

static enum rk_err create_manifest(struct rk_log_store *store, struct rk_detail *detail)
{
    enum rk_err err = rk_log_names_visit(store->dir_fd, refuse_data_file, NULL, detail);

    if (err != RK_OK) {
        rk_detail_wrap(detail, "%s", RK_DISK_MANIFEST_NAME);
        return err;
    }
    memcpy(store->manifest.uuid, store->identity.uuid, RK_DISK_UUID_BYTES);
    store->manifest.edition = 1;
    store->manifest.next_number = 1;
    err = stage_manifest(store, &store->manifest, detail);
    return err == RK_OK ? rk_disk_small_file_commit(store->dir_fd, RK_DISK_MANIFEST_NAME, detail) : err;
}

static enum rk_err load_manifest(struct rk_log_store *store, struct rk_detail *detail)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum rk_err err = rk_disk_small_file_load(store->dir_fd, RK_DISK_MANIFEST_NAME, RK_DISK_MANIFEST_BYTES_MAX, &bytes,
                                              &size, detail);

    if (err == RK_ERR_NOT_FOUND)
        return create_manifest(store, detail);
    if (err != RK_OK)
        return err;
    err = rk_disk_manifest_decode(bytes, size, &store->manifest, detail);
    if (err == RK_OK && memcmp(store->manifest.uuid, store->identity.uuid, RK_DISK_UUID_BYTES) != 0) {
        rk_detail_set(detail, "belongs to another store than %s says", RK_LOG_STORE_NAME);
        err = RK_ERR_MISMATCH;
    }
    if (err != RK_OK)
        rk_detail_wrap(detail, "%s", RK_DISK_MANIFEST_NAME);
    free(bytes);
    return err;
}

enum rk_err rk_log_store_open(struct rk_log_store **store_out, const char *path, struct rk_detail *detail)
{
    struct rk_log_store *store = rk_mem_calloc(1, sizeof *store);
    enum rk_err err;

    store->path = rk_mem_strdup(path);
    store->dir_fd = -1;
    store->lock_fd = -1;
    store->identity_fd = -1;
    RK_ASSERT(pthread_mutex_init(&store->change_lock, NULL) == 0);
    RK_ASSERT(pthread_mutex_init(&store->list_lock, NULL) == 0);
    err = open_dir(store, detail);
    if (err == RK_OK)
        err = rk_log_lock_acquire(store->dir_fd, &store->lock_fd, detail);
    if (err == RK_OK)
        err = load_identity(store, detail);
    if (err == RK_OK)
        err = rk_log_lock_file(store->dir_fd, RK_LOG_STORE_NAME, &store->identity_fd, detail);
    if (err == RK_OK)
        err = load_manifest(store, detail);
    if (err != RK_OK) {
        rk_detail_wrap(detail, "%s", path);
        rk_log_store_close(&store);
        return err;
    }
    *store_out = store;
    return RK_OK;
}

void rk_log_store_close(struct rk_log_store **store)
{
    struct rk_log_store *self = *store;

    if (self == NULL)
        return;
    rk_disk_manifest_fini(&self->manifest);
    if (self->identity_fd >= 0)
        (void)rk_io->close(self->identity_fd);
    if (self->lock_fd >= 0)
        (void)rk_io->close(self->lock_fd); /* the lock goes with the last descriptor */
    if (self->dir_fd >= 0)
        (void)rk_io->close(self->dir_fd);
    (void)pthread_mutex_destroy(&self->change_lock);
    (void)pthread_mutex_destroy(&self->list_lock);
    free(self->path);
    free(self);
    *store = NULL;
}

const struct rk_disk_identity *rk_log_store_identity(const struct rk_log_store *store)
{
    return &store->identity;
}

const char *rk_log_store_path(const struct rk_log_store *store)
{
    return store->path;
}

int rk_log_store_dir_fd(const struct rk_log_store *store)
{
    return store->dir_fd;
}

int rk_log_store_lock_fd(const struct rk_log_store *store)
{
    return store->lock_fd;
}

enum rk_err rk_log_store_stage(struct rk_log_store *store, const struct rk_disk_manifest_change *change,
                               struct rk_detail *detail)
{
    enum rk_err err;

    RK_ASSERT(pthread_mutex_lock(&store->change_lock) == 0);
    rk_log_store_lock_list(store);
    err = rk_disk_manifest_change(&store->staged, &store->manifest, change);
    rk_log_store_unlock_list(store);
    if (err != RK_OK)
        rk_detail_set(detail, "%s: more than %u data files", RK_DISK_MANIFEST_NAME, RK_DISK_FILES_MAX);
    else
        err = stage_manifest(store, &store->staged, detail);
    if (err == RK_OK)
        return RK_OK;
    rk_disk_manifest_fini(&store->staged);
    RK_ASSERT(pthread_mutex_unlock(&store->change_lock) == 0);
    return err;
}

enum rk_err rk_log_store_commit(struct rk_log_store *store, struct rk_detail *detail)
{
    enum rk_err err = rk_disk_small_file_commit(store->dir_fd, RK_DISK_MANIFEST_NAME, detail);

    if (err == RK_OK) {
        rk_log_store_lock_list(store);
        store->staged.next_number = store->manifest.next_number; /* the other thread may have taken one meanwhile */
        rk_disk_manifest_fini(&store->manifest);
        store->manifest = store->staged;
        store->staged = (struct rk_disk_manifest){ 0 };
        rk_log_store_unlock_list(store);
    } else {
        rk_disk_manifest_fini(&store->staged);
    }
    RK_ASSERT(pthread_mutex_unlock(&store->change_lock) == 0);
    return err;
}

void rk_log_store_abort(struct rk_log_store *store)
{
    rk_disk_small_file_discard(store->dir_fd, RK_DISK_MANIFEST_NAME);
    rk_disk_manifest_fini(&store->staged);
    RK_ASSERT(pthread_mutex_unlock(&store->change_lock) == 0);
}

enum rk_err rk_log_store_change(struct rk_log_store *store, const struct rk_disk_manifest_change *change,
                                struct rk_detail *detail)
{
    enum rk_err err = rk_log_store_stage(store, change, detail);

    return err == RK_OK ? rk_log_store_commit(store, detail) : err;
}
