/* Merging: what the compactor is asked and told. */
#include "control/control_private.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "compactor/compactor.h"
#include "rackkv/control.h"

#include <stdlib.h>

static const char *state_word(enum rk_compactor_merge_state state)
{
    static const char *const words[] = {
        [RK_COMPACTOR_MERGE_WAITING] = "waiting", [RK_COMPACTOR_MERGE_RUNNING] = "running",
        [RK_COMPACTOR_MERGE_DONE] = "done",       [RK_COMPACTOR_MERGE_CANCELLED] = "cancelled",
        [RK_COMPACTOR_MERGE_FAILED] = "failed",
    };

    return words[state];
}

static json_t *show_merge(const struct rk_compactor_merge_report *report)
{
    json_t *merge =
        json_pack("{s:o, s:s, s:s, s:o, s:f}", RK_CONTROL_ID, rk_control_number(report->id), RK_CONTROL_STATE,
                  state_word(report->state), "cause", report->by_policy ? "policy" : "request", "started_ms",
                  rk_control_number(report->started_ms), RK_CONTROL_ELAPSED_SECONDS, (double)report->elapsed_ms / 1000);

    json_object_set_new(merge, RK_CONTROL_FILES, rk_control_number(report->n_files));
    json_object_set_new(merge, RK_CONTROL_TOTAL_BYTES, rk_control_number(report->total_bytes));
    json_object_set_new(merge, RK_CONTROL_READ_BYTES, rk_control_number(report->read_bytes));
    json_object_set_new(merge, RK_CONTROL_WRITTEN_BYTES, rk_control_number(report->written_bytes));
    /* A merge of small files may write more than it removes. */
    json_object_set_new(merge, RK_CONTROL_RECLAIMED_BYTES, json_integer((json_int_t)(int64_t)report->reclaimed_bytes));
    json_object_set_new(merge, RK_CONTROL_RECORDS_COPIED, rk_control_number(report->n_records));
    json_object_set_new(merge, RK_CONTROL_RECORDS_DROPPED, rk_control_number(report->n_dropped));
    json_object_set_new(merge, RK_CONTROL_WHY, json_string(report->why));
    return merge;
}

/* What is done about a full disk. */
static const char *rescue_word(enum rk_merge_rescue_state state)
{
    static const char *const words[] = { [RK_MERGE_RESCUE_NONE] = "none",
                                         [RK_MERGE_RESCUE_WORKING] = "working",
                                         [RK_MERGE_RESCUE_PAUSED] = "paused",
                                         [RK_MERGE_RESCUE_STUCK] = "stuck" };

    return words[state];
}

json_t *rk_control_show_merging(const struct rk_control *control)
{
    struct rk_compactor_status status = rk_compactor_status(control->compactor);
    const char *state = status.current.id == 0 ? "idle" : state_word(status.current.state);

    return json_pack("{s:b, s:s, s:s, s:o, s:b, s:o, s:b, s:f, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_STATE, state,
                     RK_CONTROL_RESCUE, rescue_word(status.rescue), RK_CONTROL_HOLES_BYTES,
                     rk_control_number(status.holes_bytes), RK_CONTROL_PAUSED, status.paused,
                     RK_CONTROL_RATE_BYTES_PER_SECOND, rk_control_number(status.rate_bytes_per_s), RK_CONTROL_PACED,
                     status.paced, RK_CONTROL_NEXT_CHECK_SECONDS, (double)status.next_check_ms / 1000,
                     RK_CONTROL_CURRENT, status.current.id == 0 ? json_null() : show_merge(&status.current));
}

json_t *rk_control_verb_merge_status(struct rk_control *control, const json_t *request)
{
    return rk_control_show_merging(control);
}

json_t *rk_control_verb_merge_history(struct rk_control *control, const json_t *request)
{
    struct rk_compactor_merge_report reports[RK_COMPACTOR_MERGE_HISTORY];
    size_t n = rk_compactor_history(control->compactor, reports);
    json_t *merges = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(merges, show_merge(&reports[i]));
    return json_pack("{s:b, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_MERGES, merges);
}

/* The numbers of the list, which was checked with the request; NULL is an empty one. */
static uint32_t *read_files(const json_t *list)
{
    size_t n = json_array_size(list);
    uint32_t *files = rk_mem_calloc(n + 1, sizeof *files); /* bounded by the length of a request */

    for (size_t i = 0; i < n; i++)
        files[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    return files;
}

json_t *rk_control_verb_merge_start(struct rk_control *control, const json_t *request)
{
    const json_t *list = json_object_get(request, RK_CONTROL_FILES);
    struct rk_compactor_merge_request merge = { .all = json_is_true(json_object_get(request, RK_CONTROL_ALL)) };
    struct rk_detail detail = { "" };
    uint32_t *files;
    uint64_t id = 0;
    enum rk_err err;

    merge.n_files = json_array_size(list);
    if (merge.all && merge.n_files > 0)
        return rk_control_refuse("usage", "either \"files\" or \"all\", not both");
    merge.files = files = read_files(list);
    err = rk_compactor_request(control->compactor, &merge, &id, &detail);
    free(files);
    if (err == RK_OK)
        return json_pack("{s:b, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_ID, rk_control_number(id));
    if (err == RK_ERR_BUSY) /* the compactor knows what is wrong, and no verbs: the ways out are ours to say */
        rk_detail_set(&detail, "a merge is under way: wait for it, or cancel it (merge cancel)");
    if (err == RK_ERR_NOT_FOUND)
        rk_detail_set(&detail, "there is nothing to merge: explain-space says why");
    return rk_control_refuse_err(err, detail.text);
}

json_t *rk_control_verb_merge_pause(struct rk_control *control, const json_t *request)
{
    rk_compactor_pause(control->compactor);
    return rk_control_show_merging(control);
}

json_t *rk_control_verb_merge_resume(struct rk_control *control, const json_t *request)
{
    rk_compactor_resume(control->compactor);
    return rk_control_show_merging(control);
}

json_t *rk_control_verb_merge_cancel(struct rk_control *control, const json_t *request)
{
    enum rk_err err = rk_compactor_cancel(control->compactor);

    if (err != RK_OK)
        return rk_control_refuse_err(err, err == RK_ERR_NOT_FOUND ? "no merge runs" : "");
    return rk_control_show_merging(control);
}

/* Without a rate it only shows the one in force. */
json_t *rk_control_verb_merge_rate(struct rk_control *control, const json_t *request)
{
    const json_t *rate = json_object_get(request, RK_CONTROL_BYTES_PER_SECOND);
    const json_t *paced = json_object_get(request, RK_CONTROL_PACED);

    if (rate == NULL && paced == NULL)
        return rk_control_show_merging(control);
    if (rate == NULL || paced == NULL)
        return rk_control_refuse("usage", "a rate is both \"bytes_per_second\" and \"paced\"; only one is there");
    rk_compactor_set_rate(control->compactor, (uint64_t)json_integer_value(rate), json_is_true(paced));
    return rk_control_show_merging(control);
}
