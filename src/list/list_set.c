#include "list/list_set.h"

#include "base/base_detail.h"
#include "base/base_time.h"
#include "disk/disk_keys.h"
#include "disk/disk_manifest.h"
#include "disk/disk_small_file.h"
#include "disk/disk_summary.h"

#define OPEN_TRIES_MAX 100u

/* The keys of one file. */
struct source {
    uint32_t file_number;
    struct rk_disk_keys *sorted; /* or: */
    struct rk_list_tail *tail;
    struct rk_list_candidate first; /* while it is in the heap */
    struct rk_list_buffer copy;     /* of the tail's key */
};

struct rk_list_set {
    const struct rk_list_where *where;
    struct rk_list_tails *tails;
    struct source *sources;
    size_t n_sources;
    struct source **heap; /* the one with the lowest key is the first */
    size_t n_heap;
    uint64_t opened_ns;
};

/* ---- the files ---- */

static enum rk_err load_manifest(const struct rk_list_where *where, struct rk_disk_manifest *manifest_out)
{
    struct rk_detail detail;
    uint8_t *bytes;
    size_t size;
    enum rk_err err = rk_disk_small_file_load(where->dir_fd, RK_DISK_MANIFEST_NAME, RK_DISK_MANIFEST_BYTES_MAX, &bytes,
                                              &size, &detail);

    if (err == RK_ERR_NOT_FOUND)
        return RK_ERR_IO; /* a store has one */
    if (err != RK_OK)
        return err;
    err = rk_disk_manifest_decode(bytes, size, manifest_out, &detail);
    free(bytes);
    return err;
}

/* RK_ERR_NOT_FOUND: the file has no sorted keys that could be believed. */
static enum rk_err open_sorted(const struct rk_list_set *set, struct source *source, const uint8_t *uuid,
                               const struct rk_disk_file_summary *summary)
{
    enum rk_err err;

    if (!summary->has_trailer || rk_list_tails_distrusts(set->tails, source->file_number))
        return RK_ERR_NOT_FOUND;
    err = rk_disk_keys_open(&source->sorted, set->where->dir_fd, source->file_number, uuid, summary);
    return err == RK_ERR_CORRUPT || err == RK_ERR_MISMATCH ? RK_ERR_NOT_FOUND : err;
}

/* RK_ERR_NOT_FOUND: the file is gone. */
static enum rk_err open_source(const struct rk_list_set *set, struct source *source, const uint8_t *uuid)
{
    struct rk_disk_file_summary summary = { .has_trailer = false };
    struct rk_detail detail;
    enum rk_err err =
        rk_disk_file_summarize(set->where->dir_fd, source->file_number, &set->where->secret, &summary, &detail);

    if (err != RK_OK)
        return err;
    err = open_sorted(set, source, uuid, &summary);
    if (err != RK_ERR_NOT_FOUND)
        return err;
    source->tail = rk_list_tails_take(set->tails, source->file_number, summary.has_trailer);
    return rk_list_tail_read(source->tail, set->where);
}

static void close_sources(struct rk_list_set *set)
{
    for (size_t i = 0; i < set->n_sources; i++) {
        struct source *source = &set->sources[i];

        rk_disk_keys_close(&source->sorted);
        if (source->tail != NULL)
            rk_list_tails_give_back(set->tails, source->tail);
        rk_list_buffer_fini(&source->copy);
    }
    free(set->sources);
    free(set->heap);
    set->sources = NULL;
    set->heap = NULL;
    set->n_sources = set->n_heap = 0;
}

/* RK_ERR_NOT_FOUND: a listed file is gone, so another list is there by now. */
static enum rk_err open_sources(struct rk_list_set *set, const struct rk_disk_manifest *manifest)
{
    enum rk_err err = RK_OK;

    set->sources = rk_mem_calloc(manifest->n_files, sizeof *set->sources);
    set->heap = rk_mem_calloc(manifest->n_files, sizeof(struct source *));
    set->n_sources = manifest->n_files;
    for (size_t i = 0; err == RK_OK && i < set->n_sources; i++) {
        set->sources[i].file_number = manifest->files[i];
        err = open_source(set, &set->sources[i], manifest->uuid);
    }
    if (err == RK_OK)
        rk_list_tails_forget(set->tails, manifest->files, manifest->n_files);
    return err;
}

static enum rk_err try_to_open(struct rk_list_set *set)
{
    struct rk_disk_manifest manifest = { .n_files = 0 };
    enum rk_err err = load_manifest(set->where, &manifest);

    if (err == RK_OK)
        err = open_sources(set, &manifest);
    rk_disk_manifest_fini(&manifest);
    if (err != RK_OK)
        close_sources(set);
    return err;
}

enum rk_err rk_list_set_open(struct rk_list_set **set_out, const struct rk_list_where *where,
                             struct rk_list_tails *tails)
{
    struct rk_list_set *set = rk_mem_calloc(1, sizeof *set);
    enum rk_err err = RK_ERR_NOT_FOUND;

    set->where = where;
    set->tails = tails;
    for (unsigned tries = 0; err == RK_ERR_NOT_FOUND && tries < OPEN_TRIES_MAX; tries++)
        err = try_to_open(set);
    if (err == RK_OK) {
        set->opened_ns = rk_time_monotonic_ns();
        *set_out = set;
        return RK_OK;
    }
    rk_list_set_close(&set);
    return err == RK_ERR_NOT_FOUND ? RK_ERR_AGAIN : err;
}

void rk_list_set_close(struct rk_list_set **set)
{
    if (*set == NULL)
        return;
    close_sources(*set);
    free(*set);
    *set = NULL;
}

uint64_t rk_list_set_opened_ns(const struct rk_list_set *set)
{
    return set->opened_ns;
}

/* ---- the order ---- */

static bool is_before(const struct source *a, const struct source *b)
{
    return rk_disk_keys_compare(a->first.key.key, a->first.key.key_len, b->first.key.key, b->first.key.key_len) < 0;
}

/* Moves a source down to where it belongs. */
static void sift(struct rk_list_set *set, size_t at)
{
    struct source *source = set->heap[at];

    for (size_t child; (child = 2 * at + 1) < set->n_heap; at = child) {
        if (child + 1 < set->n_heap && is_before(set->heap[child + 1], set->heap[child]))
            child++;
        if (!is_before(set->heap[child], source))
            break;
        set->heap[at] = set->heap[child];
    }
    set->heap[at] = source;
}

/* The tail's first key from this one on, copied: a node stays only until the tail is read again. */
static enum rk_err take_of_tail(const struct rk_list_set *set, struct source *source, const void *key, size_t key_len)
{
    const struct rk_list_node *node;
    enum rk_err err = rk_list_tail_seek(source->tail, set->where, key, key_len, &node);

    if (err != RK_OK)
        return err == RK_ERR_NOT_FOUND ? RK_ERR_AGAIN : err; /* the file is gone: so another set is to be opened */
    if (node == NULL)
        return RK_ERR_NOT_FOUND;
    rk_list_buffer_assign(&source->copy, rk_list_node_key(node), node->key_len);
    source->first = (struct rk_list_candidate){ .key = { .key = source->copy.bytes,
                                                         .key_len = node->key_len,
                                                         .value_len = node->value_len,
                                                         .location = node->location,
                                                         .sequence = node->sequence },
                                                .may_expire = node->may_expire,
                                                .is_doubtful = node->is_doubtful };
    return RK_OK;
}

/* Damaged sorted keys are not asked again: the file itself will be. */
static enum rk_err judge_sorted(const struct rk_list_set *set, const struct source *source, enum rk_err err)
{
    if (err != RK_ERR_CORRUPT)
        return err;
    rk_list_tails_distrust(set->tails, source->file_number);
    return RK_ERR_AGAIN;
}

static enum rk_err seek_source(const struct rk_list_set *set, struct source *source, const void *key, size_t key_len)
{
    enum rk_err err;

    if (source->tail != NULL)
        return take_of_tail(set, source, key, key_len);
    err = rk_disk_keys_seek(source->sorted, key, key_len);
    if (err == RK_OK)
        err = rk_disk_keys_next(source->sorted, &source->first.key);
    return judge_sorted(set, source, err);
}

/* The first key above one is that one with a zero behind it. */
static enum rk_err next_of_source(const struct rk_list_set *set, struct source *source)
{
    static const uint8_t zero = 0;

    if (source->tail == NULL)
        return judge_sorted(set, source, rk_disk_keys_next(source->sorted, &source->first.key));
    rk_list_buffer_append(&source->copy, &zero, 1);
    return take_of_tail(set, source, source->copy.bytes, source->copy.len);
}

enum rk_err rk_list_set_seek(struct rk_list_set *set, const void *key, size_t key_len)
{
    set->n_heap = 0;
    for (size_t i = 0; i < set->n_sources; i++) {
        enum rk_err err = seek_source(set, &set->sources[i], key, key_len);

        if (err == RK_OK)
            set->heap[set->n_heap++] = &set->sources[i];
        else if (err != RK_ERR_NOT_FOUND)
            return err;
    }
    for (size_t i = set->n_heap / 2; i-- > 0;)
        sift(set, i);
    return RK_OK;
}

const struct rk_list_candidate *rk_list_set_first(const struct rk_list_set *set)
{
    return set->n_heap > 0 ? &set->heap[0]->first : NULL;
}

enum rk_err rk_list_set_advance(struct rk_list_set *set)
{
    enum rk_err err = next_of_source(set, set->heap[0]);

    if (err == RK_ERR_NOT_FOUND)
        set->heap[0] = set->heap[--set->n_heap];
    else if (err != RK_OK)
        return err;
    if (set->n_heap > 0)
        sift(set, 0);
    return RK_OK;
}
