#include "log/log_keys_sort.h"

#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "disk/disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (128u << 10)

_Static_assert(BUFFER_BYTES >= RK_LOG_KEYS_ITEM_BYTES + RK_RECORD_KEY_MAX, "any item fits into a buffer");

/* A run in the file, while it is merged: read from `at` on. */
struct source {
    uint64_t at;
    uint64_t end;
    uint8_t *buffer;
    size_t begin; /* in the buffer: the item that comes next */
    size_t filled;
};

struct rk_log_keys_sort {
    int dir_fd;
    uint32_t file_number;
    struct rk_log_keys_run run;
    size_t next;      /* nothing is in the file: the item of the run that comes next */
    int fd;           /* -1: not needed so far */
    uint64_t n_bytes; /* in the file */
    struct source *sources;
    size_t n_sources;
    struct source **heap; /* those that have items: the lowest one first */
    size_t n_heap;
    bool is_shown;   /* the first one's item is what next returned */
    uint8_t *buffer; /* through which a run is written */
    uint8_t *last;   /* the key that came last: of the same there is no other */
    size_t last_len;
    bool has_last;
};

struct rk_log_keys_sort *rk_log_keys_sort_create(int dir_fd, uint32_t file_number, size_t bytes_max)
{
    struct rk_log_keys_sort *sort = rk_mem_calloc(1, sizeof *sort);

    sort->dir_fd = dir_fd;
    sort->file_number = file_number;
    sort->fd = -1;
    sort->last = rk_mem_calloc(1, RK_RECORD_KEY_MAX);
    rk_log_keys_run_init(&sort->run, bytes_max);
    return sort;
}

/* A crash before the name is gone leaves it, and the next start sweeps it. */
static enum rk_err open_runs(struct rk_log_keys_sort *sort)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_keys_tmp_name(name, sort->file_number);
    sort->fd = rk_open_file(sort->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (sort->fd < 0)
        return rk_err_from_errno(errno);
    (void)rk_io->unlink_at(sort->dir_fd, name); /* if that fails, the next one truncates it, or the next start */
    sort->buffer = rk_mem_calloc(1, BUFFER_BYTES);
    return RK_OK;
}

static enum rk_err write_buffer(struct rk_log_keys_sort *sort, size_t *used)
{
    if (rk_io_pwrite_full(sort->fd, sort->buffer, *used, (off_t)sort->n_bytes) != 0)
        return rk_err_from_errno(errno);
    sort->n_bytes += *used;
    *used = 0;
    return RK_OK;
}

/* The run that is in memory, sorted, behind those that are in the file. */
static enum rk_err write_run(struct rk_log_keys_sort *sort)
{
    enum rk_err err = sort->fd >= 0 ? RK_OK : open_runs(sort);
    uint64_t begin = sort->n_bytes;
    size_t used = 0;

    rk_log_keys_run_sort(&sort->run);
    for (size_t i = 0; err == RK_OK && i < sort->run.n_items; i++) {
        const uint8_t *item = rk_log_keys_run_item(&sort->run, i);
        size_t size = rk_log_keys_item_bytes(item);

        if (used + size > BUFFER_BYTES)
            err = write_buffer(sort, &used);
        if (err == RK_OK)
            memcpy(sort->buffer + used, item, size);
        used += size;
    }
    if (err == RK_OK)
        err = write_buffer(sort, &used);
    rk_log_keys_run_clear(&sort->run);
    sort->sources = rk_mem_resize(sort->sources, sort->n_sources + 1, sizeof *sort->sources);
    sort->sources[sort->n_sources++] = (struct source){ .at = begin, .end = sort->n_bytes };
    return err;
}

enum rk_err rk_log_keys_sort_add(struct rk_log_keys_sort *sort, const struct rk_log_keys_item *item)
{
    enum rk_err err;

    if (rk_log_keys_run_add(&sort->run, item))
        return RK_OK;
    err = write_run(sort);
    if (err == RK_OK)
        (void)rk_log_keys_run_add(&sort->run, item); /* it is empty */
    return err;
}

/* Whether the buffer holds all of the source's next item. */
static bool has_item(const struct source *source)
{
    size_t n = source->filled - source->begin;

    return n >= RK_LOG_KEYS_ITEM_BYTES && n >= rk_log_keys_item_bytes(source->buffer + source->begin);
}

/* RK_OK: there is an item; RK_ERR_NOT_FOUND: no more. */
static enum rk_err fill(const struct rk_log_keys_sort *sort, struct source *source)
{
    size_t n = source->filled - source->begin, wanted;
    ssize_t n_read;

    if (has_item(source))
        return RK_OK;
    memmove(source->buffer, source->buffer + source->begin, n);
    wanted = source->end - source->at < BUFFER_BYTES - n ? (size_t)(source->end - source->at) : BUFFER_BYTES - n;
    n_read = rk_io_pread_full(sort->fd, source->buffer + n, wanted, (off_t)source->at);
    if (n_read != (ssize_t)wanted) {
        errno = n_read < 0 ? errno : EIO;
        return RK_ERR_IO;
    }
    source->begin = 0;
    source->filled = n + wanted;
    source->at += wanted;
    return has_item(source) ? RK_OK : RK_ERR_NOT_FOUND;
}

static bool is_before(const struct source *a, const struct source *b)
{
    return rk_log_keys_item_compare(a->buffer + a->begin, b->buffer + b->begin) < 0;
}

/* Moves a source down to where it belongs. */
static void sift(struct rk_log_keys_sort *sort, size_t at)
{
    struct source *source = sort->heap[at];

    for (size_t child; (child = 2 * at + 1) < sort->n_heap; at = child) {
        if (child + 1 < sort->n_heap && is_before(sort->heap[child + 1], sort->heap[child]))
            child++;
        if (!is_before(sort->heap[child], source))
            break;
        sort->heap[at] = sort->heap[child];
    }
    sort->heap[at] = source;
}

enum rk_err rk_log_keys_sort_begin(struct rk_log_keys_sort *sort)
{
    enum rk_err err = RK_OK;

    if (sort->fd < 0) {
        rk_log_keys_run_sort(&sort->run);
        return RK_OK;
    }
    err = write_run(sort);
    rk_log_keys_run_fini(&sort->run);
    sort->heap = rk_mem_calloc(sort->n_sources, sizeof *sort->heap);
    for (size_t i = 0; err == RK_OK && i < sort->n_sources; i++) {
        sort->sources[i].buffer = rk_mem_calloc(1, BUFFER_BYTES);
        err = fill(sort, &sort->sources[i]);
        if (err == RK_OK)
            sort->heap[sort->n_heap++] = &sort->sources[i];
    }
    for (size_t i = sort->n_heap / 2; i-- > 0;)
        sift(sort, i);
    return err;
}

/* The lowest source goes behind the item that was shown. */
static enum rk_err pass_shown(struct rk_log_keys_sort *sort)
{
    struct source *source = sort->heap[0];
    enum rk_err err;

    source->begin += rk_log_keys_item_bytes(source->buffer + source->begin);
    err = fill(sort, source);
    if (err == RK_ERR_NOT_FOUND)
        sort->heap[0] = sort->heap[--sort->n_heap];
    else if (err != RK_OK)
        return err;
    if (sort->n_heap > 0)
        sift(sort, 0);
    return RK_OK;
}

/* The next item of all runs; it stays until the next call. */
static enum rk_err next_item(struct rk_log_keys_sort *sort, const uint8_t **item_out)
{
    if (sort->fd < 0) {
        if (sort->next == sort->run.n_items)
            return RK_ERR_NOT_FOUND;
        *item_out = rk_log_keys_run_item(&sort->run, sort->next++);
        return RK_OK;
    }
    if (sort->is_shown) {
        enum rk_err err = pass_shown(sort);

        if (err != RK_OK)
            return err;
    }
    sort->is_shown = sort->n_heap > 0;
    if (sort->n_heap == 0)
        return RK_ERR_NOT_FOUND;
    *item_out = sort->heap[0]->buffer + sort->heap[0]->begin;
    return RK_OK;
}

/* Whether the key came before, with a higher sequence. */
static bool is_older(struct rk_log_keys_sort *sort, const struct rk_disk_key *key)
{
    if (sort->has_last && rk_disk_keys_compare(sort->last, sort->last_len, key->key, key->key_len) == 0)
        return true;
    memcpy(sort->last, key->key, key->key_len);
    sort->last_len = key->key_len;
    sort->has_last = true;
    return false;
}

enum rk_err rk_log_keys_sort_next(struct rk_log_keys_sort *sort, struct rk_disk_key *key_out)
{
    struct rk_log_keys_item item;
    const uint8_t *bytes;
    enum rk_err err;

    while ((err = next_item(sort, &bytes)) == RK_OK) {
        rk_log_keys_item_decode(bytes, &item);
        if (!is_older(sort, &item.key) && !item.is_tombstone)
            break;
    }
    if (err == RK_OK)
        *key_out = item.key;
    return err;
}

void rk_log_keys_sort_destroy(struct rk_log_keys_sort **sort)
{
    struct rk_log_keys_sort *self = *sort;

    if (self == NULL)
        return;
    for (size_t i = 0; i < self->n_sources; i++)
        free(self->sources[i].buffer);
    if (self->fd >= 0)
        (void)rk_io->close(self->fd); /* nobody needs it any more */
    rk_log_keys_run_fini(&self->run);
    free(self->sources);
    free(self->heap);
    free(self->buffer);
    free(self->last);
    free(self);
    *sort = NULL;
}
