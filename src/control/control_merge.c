/* Merging: what the compactor is asked and told. */
#include "control/control_private.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "store/store_compactor_writer.h"

#include <stdlib.h>

static const char *state_word(enum rk_store_merge_state state)
{
    static const char *const words[] = {
        [RK_STORE_MERGE_WAITING] = "waiting",     [RK_STORE_MERGE_RUNNING] = "running", [RK_STORE_MERGE_DONE] = "done",
        [RK_STORE_MERGE_CANCELLED] = "cancelled", [RK_STORE_MERGE_FAILED] = "failed",
    };

    return words[state];
}

static json_t *show_merge(const struct rk_store_merge_report *report)
{
    json_t *merge =
        json_pack("{s:o, s:s, s:s, s:o, s:f}", "id", rk_control_number(report->id), "state", state_word(report->state),
                  "cause", report->by_policy ? "policy" : "request", "started_ms",
                  rk_control_number(report->started_ms), "elapsed_seconds", (double)report->elapsed_ms / 1000);

    json_object_set_new(merge, "files", rk_control_number(report->n_files));
    json_object_set_new(merge, "total_bytes", rk_control_number(report->total_bytes));
    json_object_set_new(merge, "read_bytes", rk_control_number(report->read_bytes));
    json_object_set_new(merge, "written_bytes", rk_control_number(report->written_bytes));
    /* A merge of small files may write more than it removes. */
    json_object_set_new(merge, "reclaimed_bytes", json_integer((json_int_t)(int64_t)report->reclaimed_bytes));
    json_object_set_new(merge, "records_copied", rk_control_number(report->n_records));
    json_object_set_new(merge, "records_dropped", rk_control_number(report->n_dropped));
    json_object_set_new(merge, "why", json_string(report->why));
    return merge;
}

/* What is done about a full disk. */
static const char *rescue_word(enum rk_store_rescue_state state)
{
    static const char *const words[] = { [RK_STORE_RESCUE_NONE] = "none",
                                         [RK_STORE_RESCUE_WORKING] = "working",
                                         [RK_STORE_RESCUE_PAUSED] = "paused",
                                         [RK_STORE_RESCUE_STUCK] = "stuck" };

    return words[state];
}

json_t *rk_control_show_merging(const struct rk_control *control)
{
    struct rk_store_compactor_status status = rk_store_compactor_status(control->compactor);
    const char *state = status.current.id == 0 ? "idle" : state_word(status.current.state);

    return json_pack("{s:b, s:s, s:s, s:o, s:b, s:o, s:b, s:f, s:o}", "ok", 1, "state", state, "rescue",
                     rescue_word(status.rescue), "holes_bytes", rk_control_number(status.holes_bytes), "paused",
                     status.paused, "rate_bytes_per_second", rk_control_number(status.rate_bytes_per_s), "paced",
                     status.paced, "next_check_seconds", (double)status.next_check_ms / 1000, "current",
                     status.current.id == 0 ? json_null() : show_merge(&status.current));
}

json_t *rk_control_verb_merge_status(struct rk_control *control, const json_t *request)
{
    return rk_control_show_merging(control);
}

json_t *rk_control_verb_merge_history(struct rk_control *control, const json_t *request)
{
    struct rk_store_merge_report reports[RK_STORE_MERGE_HISTORY];
    size_t n = rk_store_compactor_history(control->compactor, reports);
    json_t *merges = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(merges, show_merge(&reports[i]));
    return json_pack("{s:b, s:o}", "ok", 1, "merges", merges);
}

/* The numbers of "files"; RK_ERR_INVALID when something else is among them. */
static enum rk_err read_files(const json_t *list, uint32_t **files_out, size_t *n_files_out)
{
    size_t n = json_array_size(list);
    uint32_t *files = rk_mem_calloc(n + 1, sizeof *files); /* bounded by the length of a request */

    for (size_t i = 0; i < n; i++) {
        json_int_t number = json_integer_value(json_array_get(list, i));

        if (number <= 0 || number > UINT32_MAX) {
            free(files);
            return RK_ERR_INVALID;
        }
        files[i] = (uint32_t)number;
    }
    *files_out = files;
    *n_files_out = n;
    return RK_OK;
}

json_t *rk_control_verb_merge_start(struct rk_control *control, const json_t *request)
{
    const json_t *list = json_object_get(request, "files");
    struct rk_store_merge_request merge = { .all = json_is_true(json_object_get(request, "all")) };
    struct rk_detail detail = { "" };
    uint32_t *files = NULL;
    uint64_t id = 0;
    enum rk_err err;

    if ((list != NULL && !json_is_array(list)) || read_files(list, &files, &merge.n_files) != RK_OK)
        return rk_control_refuse("usage", "\"files\" is a list of numbers of data files");
    merge.files = files;
    if (merge.all && merge.n_files > 0) {
        free(files);
        return rk_control_refuse("usage", "either \"files\" or \"all\", not both");
    }
    err = rk_store_compactor_request(control->compactor, &merge, &id, &detail);
    free(files);
    if (err == RK_OK)
        return json_pack("{s:b, s:o}", "ok", 1, "id", rk_control_number(id));
    if (err == RK_ERR_BUSY && detail.text[0] == '\0')
        rk_detail_set(&detail, "a merge is under way: wait for it, or cancel it");
    if (err == RK_ERR_NOT_FOUND && detail.text[0] == '\0')
        rk_detail_set(&detail, "there is nothing to merge: explain-space says why");
    return rk_control_refuse_err(err, detail.text);
}

json_t *rk_control_verb_merge_pause(struct rk_control *control, const json_t *request)
{
    rk_store_compactor_pause(control->compactor);
    return rk_control_show_merging(control);
}

json_t *rk_control_verb_merge_resume(struct rk_control *control, const json_t *request)
{
    rk_store_compactor_resume(control->compactor);
    return rk_control_show_merging(control);
}

json_t *rk_control_verb_merge_cancel(struct rk_control *control, const json_t *request)
{
    enum rk_err err = rk_store_compactor_cancel(control->compactor);

    if (err != RK_OK)
        return rk_control_refuse_err(err, err == RK_ERR_NOT_FOUND ? "no merge runs" : "");
    return rk_control_show_merging(control);
}

/* Without a rate it only shows the one in force. */
json_t *rk_control_verb_merge_rate(struct rk_control *control, const json_t *request)
{
    const json_t *rate = json_object_get(request, "bytes_per_second");
    const json_t *paced = json_object_get(request, "paced");

    if (rate == NULL && paced == NULL)
        return rk_control_show_merging(control);
    if (!json_is_integer(rate) || json_integer_value(rate) < 0 || !json_is_boolean(paced))
        return rk_control_refuse("usage",
                                 "a rate is \"bytes_per_second\", 0 for no limit, and \"paced\", true or false");
    rk_store_compactor_set_rate(control->compactor, (uint64_t)json_integer_value(rate), json_is_true(paced));
    return rk_control_show_merging(control);
}
