/* The data files: how large they are, and what of. */
#include "control/control_private.h"

#include "base/base_detail.h"
#include "compactor/compactor.h"
#include "space/space.h"

#include <rackkv/control.h>
#include <stdlib.h>

static json_t *show_file(const struct rk_compactor_file_report *report)
{
    uint64_t n_records = 0;
    json_t *file;

    for (size_t i = 0; i < RK_SPACE_N_COLUMNS; i++)
        n_records += report->n_records[i];
    file = json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:o}", RK_CONTROL_FILE,
                     rk_control_number(report->file.file_number), RK_CONTROL_ACTIVE, report->file.is_active,
                     RK_CONTROL_SIZE, rk_control_number(report->file.file_bytes), RK_CONTROL_LIVE_BYTES,
                     rk_control_number(report->bytes[RK_SPACE_LIVE]), RK_CONTROL_DEAD_BYTES,
                     rk_control_number(report->bytes[RK_SPACE_OVERWRITTEN] + report->bytes[RK_SPACE_DELETED]
                                       + report->bytes[RK_SPACE_EXPIRED]),
                     RK_CONTROL_TOMBSTONE_BYTES, rk_control_number(report->bytes[RK_SPACE_TOMBSTONE]),
                     RK_CONTROL_RECORDS, rk_control_number(n_records));
    if (n_records > 0) {
        json_object_set_new(file, RK_CONTROL_FIRST_SEQUENCE, rk_control_number(report->file.first_sequence));
        if (!report->file.is_active) /* its last one is of the next moment */
            json_object_set_new(file, RK_CONTROL_LAST_SEQUENCE, rk_control_number(report->file.last_sequence));
    }
    json_object_set_new(file, RK_CONTROL_HINT, json_boolean(report->has_hint));
    return file;
}

/* Where every byte of the file is: the figures add up to its size. */
static json_t *explain_file(const struct rk_compactor_file_report *report)
{
    json_t *file =
        json_pack("{s:o, s:b, s:o}", RK_CONTROL_FILE, rk_control_number(report->file.file_number), RK_CONTROL_ACTIVE,
                  report->file.is_active, RK_CONTROL_SIZE, rk_control_number(report->file.file_bytes));

    json_object_set_new(file, RK_CONTROL_LIVE_BYTES, rk_control_number(report->bytes[RK_SPACE_LIVE]));
    json_object_set_new(file, RK_CONTROL_OVERWRITTEN_BYTES, rk_control_number(report->bytes[RK_SPACE_OVERWRITTEN]));
    json_object_set_new(file, RK_CONTROL_DELETED_BYTES, rk_control_number(report->bytes[RK_SPACE_DELETED]));
    json_object_set_new(file, RK_CONTROL_EXPIRED_BYTES, rk_control_number(report->bytes[RK_SPACE_EXPIRED]));
    json_object_set_new(file, RK_CONTROL_TOMBSTONE_BYTES, rk_control_number(report->bytes[RK_SPACE_TOMBSTONE]));
    json_object_set_new(file, RK_CONTROL_FRAME_BYTES, rk_control_number(report->frame_bytes));
    json_object_set_new(file, RK_CONTROL_PREALLOCATED_BYTES, rk_control_number(report->preallocated_bytes));
    json_object_set_new(file, RK_CONTROL_ELIGIBLE, json_boolean(report->verdict.is_eligible));
    json_object_set_new(file, RK_CONTROL_REASON, json_string(rk_merge_policy_reason_word(report->verdict.reason)));
    json_object_set_new(file, RK_CONTROL_WHY, json_string(rk_merge_policy_reason_text(report->verdict.reason)));
    json_object_set_new(file, RK_CONTROL_GAIN_BYTES, rk_control_number(report->verdict.gain_bytes));
    return file;
}

static json_t *list_files(const struct rk_control *control,
                          json_t *(*show)(const struct rk_compactor_file_report *report))
{
    struct rk_compactor_file_report *reports = NULL;
    struct rk_detail detail = { "" };
    size_t n_reports = 0;
    enum rk_err err = rk_compactor_files(control->compactor, &reports, &n_reports, &detail);
    json_t *files;

    if (err != RK_OK)
        return rk_control_refuse_err(err, detail.text);
    files = json_array();
    for (size_t i = 0; i < n_reports; i++)
        json_array_append_new(files, show(&reports[i]));
    free(reports);
    return json_pack("{s:b, s:o, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_FILES, files, RK_CONTROL_EXPIRY_NOTE,
                     json_string(detail.text));
}

json_t *rk_control_verb_file_list(struct rk_control *control, const json_t *request)
{
    return list_files(control, show_file);
}

json_t *rk_control_verb_explain_space(struct rk_control *control, const json_t *request)
{
    return list_files(control, explain_file);
}
