#include "log/log_hinter.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_pulse.h"
#include "base/base_sched.h"
#include "disk/disk_hint.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"

#include <pthread.h>
#include <stdlib.h>

struct rk_log_hinter {
    struct rk_log_store *store;
    rk_log_fingerprint_fn *fingerprint;
    uint64_t seen_edition; /* the thread's, as the next two: of the list that is done */
    uint32_t *hinted;      /* files whose hints were found sound, or made: ascending */
    size_t n_hinted;
    struct rk_pulse pulse;
    pthread_mutex_t mutex; /* guards what follows; never held while a file is read */
    struct rk_log_hinter_figures figures;
    struct rk_detail detail;
};

static void lock(struct rk_log_hinter *hinter)
{
    RK_ASSERT(pthread_mutex_lock(&hinter->mutex) == 0);
}

static void unlock(struct rk_log_hinter *hinter)
{
    RK_ASSERT(pthread_mutex_unlock(&hinter->mutex) == 0);
}

static void destroy(struct rk_log_hinter *hinter)
{
    (void)pthread_mutex_destroy(&hinter->mutex);
    free(hinter->hinted);
    free(hinter);
}

static bool may_go_on(void *context)
{
    struct rk_log_hinter *hinter = context;

    rk_sched_yield();
    return rk_pulse_goes_on(&hinter->pulse);
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    const struct rk_log_hinter *hinter = context;

    hinter->fingerprint(rk_log_store_identity(hinter->store)->hash_key, key, key_len, entry);
}

/* One without sorted keys does for a start, and not for a listing: it is made anew. */
static bool has_hint(const struct rk_log_hinter *hinter, uint32_t file_number,
                     const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint *hint = NULL;
    enum rk_err err = rk_disk_hint_open(&hint, rk_log_store_dir_fd(hinter->store), file_number,
                                        rk_log_store_identity(hinter->store)->uuid, summary);

    bool is_sound = err == RK_OK && rk_disk_hint_has_sorted_keys(hint);

    rk_disk_hint_close(&hint);
    return is_sound;
}

static bool is_listed(const struct rk_log_hinter *hinter, uint32_t file_number)
{
    uint32_t listed;

    for (size_t i = 0; (listed = rk_log_store_file(hinter->store, i)) != 0; i++)
        if (listed == file_number)
            return true;
    return false;
}

/* A merge may have removed the file while its hint was made. It unlinks both after the list has changed: if the file is
 * listed yet, then the hint will be found by that. */
static void remove_orphan(struct rk_log_hinter *hinter, uint32_t file_number)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    if (is_listed(hinter, file_number))
        return;
    rk_disk_hint_name(name, file_number);
    (void)rk_io->unlink_at(rk_log_store_dir_fd(hinter->store), name); /* if it stays, the next start sweeps it */
}

enum tended { HINTED, NOT_SEALED, GONE, FAILED };

/* Not sealed yet, or gone, is fine, too: the list changes when a file is sealed. The newest one may be sealed and go on
 * all the same (log_writer.h): its trailer may vanish while its hint is made. */
static enum tended tend_file(struct rk_log_hinter *hinter, uint32_t file_number, bool is_newest)
{
    struct rk_log_hint_maker maker = { .context = hinter, .fingerprint = make_fingerprint, .go_on = may_go_on };
    struct rk_disk_file_summary summary;
    struct rk_detail detail = { "" };
    const struct rk_disk_identity *identity = rk_log_store_identity(hinter->store);
    int dir_fd = rk_log_store_dir_fd(hinter->store);
    enum rk_err err = rk_disk_file_summarize(dir_fd, file_number, &identity->secret, &summary, &detail);

    if (err == RK_OK) {
        if (!summary.has_trailer)
            return NOT_SEALED;
        if (has_hint(hinter, file_number, &summary))
            return HINTED;
        err = rk_log_hint_make(dir_fd, file_number, identity, &maker, &detail);
    }
    if (err == RK_OK)
        remove_orphan(hinter, file_number);
    else if (is_newest && err != RK_ERR_AGAIN)
        return NOT_SEALED;
    else if (!is_listed(hinter, file_number))
        return GONE;
    lock(hinter);
    hinter->figures.n_made += err == RK_OK;
    if (err != RK_OK && err != RK_ERR_AGAIN) {
        hinter->figures.n_failed++;
        hinter->detail = detail;
    }
    unlock(hinter);
    return err == RK_OK ? HINTED : FAILED;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* Looking at a hint means reading all of it: once is enough, while the list changes with each file that is sealed. */
static bool is_hinted(const struct rk_log_hinter *hinter, uint32_t file_number)
{
    return hinter->n_hinted > 0
           && bsearch(&file_number, hinter->hinted, hinter->n_hinted, sizeof file_number, compare_numbers) != NULL;
}

/* Goes through all files; whether nothing is left to do for any. */
static bool tend_all(struct rk_log_hinter *hinter)
{
    uint32_t *hinted = NULL;
    size_t n_hinted = 0, n_places = 0;
    bool done = true;
    uint32_t file_number;

    for (size_t i = 0; may_go_on(hinter) && (file_number = rk_log_store_file(hinter->store, i)) != 0; i++) {
        bool is_newest = rk_log_store_file(hinter->store, i + 1) == 0;
        enum tended tended = is_hinted(hinter, file_number) ? HINTED : tend_file(hinter, file_number, is_newest);

        done = done && tended != FAILED;
        if (tended != HINTED || is_newest) /* the newest file may be sealed once more */
            continue;
        if (n_hinted == n_places) {
            n_places = 2 * n_places + 64;
            hinted = rk_mem_resize(hinted, n_places, sizeof *hinted);
        }
        hinted[n_hinted++] = file_number;
    }
    if (n_hinted > 0)
        qsort(hinted, n_hinted, sizeof *hinted, compare_numbers);
    free(hinter->hinted);
    hinter->hinted = hinted;
    hinter->n_hinted = n_hinted;
    return done;
}

/* Goes through the list, if it is another one than last time, or not all of it was done then. */
static void tend_files(void *context)
{
    struct rk_log_hinter *hinter = context;
    uint64_t edition = rk_log_store_edition(hinter->store);

    if (edition == hinter->seen_edition)
        return;
    rk_sched_background();
    if (tend_all(hinter))
        hinter->seen_edition = edition;
    lock(hinter);
    hinter->figures.n_rounds++;
    unlock(hinter);
}

enum rk_err rk_log_hinter_start(struct rk_log_hinter **hinter_out, struct rk_log_store *store,
                                rk_log_fingerprint_fn *fingerprint, uint32_t interval_ms, struct rk_detail *detail)
{
    struct rk_log_hinter *hinter = rk_mem_calloc(1, sizeof *hinter);
    enum rk_err err;

    hinter->store = store;
    hinter->fingerprint = fingerprint;
    RK_ASSERT(pthread_mutex_init(&hinter->mutex, NULL) == 0);
    err = rk_pulse_start(&hinter->pulse, "rk-hinter", tend_files, hinter, interval_ms, detail);
    if (err == RK_OK)
        *hinter_out = hinter;
    else
        destroy(hinter);
    return err;
}

struct rk_log_hinter_figures rk_log_hinter_figures(struct rk_log_hinter *hinter, struct rk_detail *detail_out)
{
    struct rk_log_hinter_figures figures;

    lock(hinter);
    figures = hinter->figures;
    if (detail_out != NULL)
        *detail_out = hinter->detail;
    unlock(hinter);
    return figures;
}

void rk_log_hinter_stop(struct rk_log_hinter **hinter)
{
    struct rk_log_hinter *self = *hinter;

    if (self == NULL)
        return;
    rk_pulse_stop(&self->pulse);
    destroy(self);
    *hinter = NULL;
}
