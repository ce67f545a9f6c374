/* What others ask the compactor for: a merge, and how it goes. */
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "writer/writer.h"

#include <stdlib.h>
#include <string.h>

/* Every file that is there, but for the active one, which is a new one: on a full disk the old one. */
static enum rk_err choose_all(struct rk_compactor *compactor, uint32_t **files_out, size_t *n_out,
                              struct rk_detail *detail)
{
    const struct rk_compactor_settings *settings = &compactor->settings;
    enum rk_err err = rk_compactor_roll(compactor, detail);
    size_t n_files, n = 0;
    uint32_t file_number;

    if (err != RK_OK && err != RK_ERR_NO_SPACE)
        return err;
    n_files = rk_log_store_n_files(settings->store);
    *files_out = rk_mem_calloc(n_files + 1, sizeof **files_out);
    for (size_t i = 0; i < n_files && (file_number = rk_log_store_file(settings->store, i)) != 0; i++)
        if (file_number != rk_log_writer_file_number(settings->log))
            (*files_out)[n++] = file_number;
    *n_out = n;
    return RK_OK;
}

static bool is_listed(const struct rk_log_store *store, uint32_t file_number)
{
    uint32_t listed;

    for (size_t i = 0; (listed = rk_log_store_file(store, i)) != 0; i++)
        if (listed == file_number)
            return true;
    return false;
}

static enum rk_err choose_named(struct rk_compactor *compactor, const struct rk_compactor_merge_request *request,
                                uint32_t **files_out, size_t *n_out, struct rk_detail *detail)
{
    uint32_t *files = rk_mem_calloc(request->n_files + 1, sizeof *files);
    size_t n = 0;

    for (size_t i = 0; i < request->n_files; i++) {
        uint32_t file_number = request->files[i];
        bool is_active = file_number == rk_log_writer_file_number(compactor->settings.log);
        bool is_twice = false;

        for (size_t j = 0; j < n; j++)
            is_twice = is_twice || files[j] == file_number;
        if (!is_twice)
            files[n++] = file_number;
        if (!is_active && is_listed(compactor->settings.store, file_number))
            continue;
        rk_detail_set(detail,
                      is_active ? "data file %u is the active one: roll it over first" : "there is no data file %u",
                      file_number);
        free(files);
        return RK_ERR_INVALID;
    }
    *files_out = files;
    *n_out = n;
    return RK_OK;
}

static bool is_busy(struct rk_compactor *compactor)
{
    bool busy;

    rk_compactor_lock(compactor);
    busy = compactor->current.id != 0;
    rk_compactor_unlock(compactor);
    return busy;
}

static enum rk_err choose(struct rk_compactor *compactor, const struct rk_compactor_merge_request *request,
                          uint32_t **files_out, size_t *n_out, struct rk_detail *detail)
{
    if (request->all)
        return choose_all(compactor, files_out, n_out, detail);
    if (request->n_files > 0)
        return choose_named(compactor, request, files_out, n_out, detail);
    rk_compactor_look(compactor, NULL);
    return rk_compactor_choose(compactor, true, files_out, n_out, detail);
}

enum rk_err rk_compactor_request(struct rk_compactor *compactor, const struct rk_compactor_merge_request *request,
                                 uint64_t *merge_id_out, struct rk_detail *detail)
{
    uint32_t *files = NULL;
    size_t n_files = 0;
    enum rk_err err = is_busy(compactor) ? RK_ERR_BUSY : choose(compactor, request, &files, &n_files, detail);

    if (err == RK_OK && n_files == 0) {
        rk_detail_set(detail, "there is nothing to merge");
        err = RK_ERR_NOT_FOUND;
    }
    if (err == RK_OK)
        err = rk_compactor_enqueue(compactor, files, n_files, merge_id_out);
    if (err == RK_ERR_BUSY)
        rk_detail_set(detail, "a merge is under way");
    if (err != RK_OK)
        free(files);
    return err;
}

enum rk_err rk_compactor_files(struct rk_compactor *compactor, struct rk_compactor_file_report **files_out,
                               size_t *n_files_out, struct rk_detail *detail)
{
    rk_compactor_look(compactor, detail);
    return rk_compactor_survey(compactor, false, files_out, n_files_out, detail);
}

void rk_compactor_hurry(struct rk_compactor *compactor)
{
    if (compactor == NULL)
        return;
    rk_compactor_lock(compactor);
    rk_compactor_wake_locked(compactor);
    rk_compactor_unlock(compactor);
}

struct rk_compactor_status rk_compactor_status(struct rk_compactor *compactor)
{
    struct rk_compactor_status status;
    uint64_t now_ns = rk_time_monotonic_ns();

    rk_compactor_lock(compactor);
    status = (struct rk_compactor_status){
        .paused = compactor->paused,
        .paced = compactor->paced,
        .rate_bytes_per_s = compactor->rate_bytes_per_s,
        .next_check_ms = compactor->due_ns > now_ns ? (compactor->due_ns - now_ns) / RK_NS_PER_MS : 0,
        .current = compactor->current,
        .rescue = rk_compactor_rescue_state_locked(compactor),
        .holes_bytes = compactor->rescue.freed_bytes,
    };
    if (status.current.state == RK_COMPACTOR_MERGE_RUNNING)
        status.current.elapsed_ms = (now_ns - compactor->current_begun_ns) / RK_NS_PER_MS;
    rk_compactor_unlock(compactor);
    return status;
}

size_t rk_compactor_history(struct rk_compactor *compactor,
                            struct rk_compactor_merge_report reports[RK_COMPACTOR_MERGE_HISTORY])
{
    size_t n = 0;

    rk_compactor_lock(compactor);
    for (uint64_t id = compactor->last_id; id > 0 && compactor->last_id - id < RK_COMPACTOR_MERGE_HISTORY; id--)
        if (compactor->history[id % RK_COMPACTOR_MERGE_HISTORY].id == id)
            reports[n++] = compactor->history[id % RK_COMPACTOR_MERGE_HISTORY];
    rk_compactor_unlock(compactor);
    return n;
}
