/* How files are judged:
 *
 *   1. A file passes a threshold when its gain is at least its need: the smaller one of threshold.dead_bytes and
 *      threshold.fragmentation of its size. What is dead in a file is gain in any case: these files take part.
 *   2. Tombstones of a file are gain when all its sequences are below those of every file that stays out. So for each
 *      prefix of the other files, in the order of their first sequences, ask what it would gain, with these tombstones,
 *      beyond its need. The best prefix takes part as well. Gains and needs only add up: when the rest could pass by
 *      itself afterwards, the longer prefix was better before, so a merge leaves nothing for the next one. (But
 *      for tombstones in a file whose last sequence is a dead record's: they are seen once that is gone.)
 *   3. If none of these passes a trigger, by its gain in this merge, nothing takes part.
 *   4. Small files never start a merge. They join one, if what it leaves is one file less that way. */
#include "merge/merge_policy.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <stdlib.h>
#include <string.h>

struct candidate {
    const struct rk_merge_policy_file *file;
    struct rk_merge_policy_verdict *verdict;
    uint64_t need_bytes; /* of gain, to pass a threshold */
    bool is_in;          /* takes part, if anything does */
    bool is_own;         /* by what is dead in it */
};

struct judgement {
    const struct rk_merge_policy_settings *settings;
    struct candidate *candidates; /* the sealed files, by first sequence */
    size_t n;
    uint64_t active_sequence; /* the first one of the active file */
};

static uint64_t need(uint64_t file_bytes, unsigned percent, uint64_t dead_bytes)
{
    uint64_t share = file_bytes / 100 * percent + file_bytes % 100 * percent / 100;

    return share < dead_bytes ? share : dead_bytes;
}

static bool is_all_dead(const struct rk_merge_policy_file *file)
{
    return file->live_bytes == 0 && file->tombstone_bytes == 0;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct rk_merge_policy_file *left = ((const struct candidate *)a)->file;
    const struct rk_merge_policy_file *right = ((const struct candidate *)b)->file;

    if (left->first_sequence != right->first_sequence)
        return left->first_sequence < right->first_sequence ? -1 : 1;
    return left->file_number < right->file_number ? -1 : left->file_number > right->file_number;
}

static void find_candidates(struct judgement *judgement, const struct rk_merge_policy_file *files, size_t n_files,
                            struct rk_merge_policy_verdict *verdicts)
{
    const struct rk_merge_policy_settings *settings = judgement->settings;

    judgement->candidates = rk_mem_calloc(n_files > 0 ? n_files : 1, sizeof *judgement->candidates);
    judgement->active_sequence = UINT64_MAX;
    for (size_t i = 0; i < n_files; i++) {
        const struct rk_merge_policy_file *file = &files[i];
        struct candidate candidate = { .file = file, .verdict = &verdicts[i] };

        if (file->is_active) {
            judgement->active_sequence = file->first_sequence;
            continue;
        }
        candidate.need_bytes =
            need(file->file_bytes, settings->threshold_fragmentation, settings->threshold_dead_bytes);
        candidate.is_own = is_all_dead(file) || (file->dead_bytes > 0 && file->dead_bytes >= candidate.need_bytes);
        candidate.is_in = candidate.is_own;
        judgement->candidates[judgement->n++] = candidate;
    }
    qsort(judgement->candidates, judgement->n, sizeof *judgement->candidates, compare_candidates);
}

/* Tombstones below this go when the first n_prefix candidates are merged, and all that take part already. */
static uint64_t sequence_bound(const struct judgement *judgement, size_t n_prefix)
{
    for (size_t i = n_prefix; i < judgement->n; i++) {
        const struct candidate *candidate = &judgement->candidates[i];

        if (!candidate->is_in)
            return candidate->file->first_sequence < judgement->active_sequence ? candidate->file->first_sequence
                                                                                : judgement->active_sequence;
    }
    return judgement->active_sequence;
}

static uint64_t gain_of(const struct candidate *candidate, uint64_t bound)
{
    const struct rk_merge_policy_file *file = candidate->file;

    return file->dead_bytes + (file->last_sequence < bound ? file->tombstone_bytes : 0);
}

static uint64_t tombstones_gained(const struct judgement *judgement, size_t n_prefix)
{
    uint64_t bound = sequence_bound(judgement, n_prefix);
    uint64_t bytes = 0;

    for (size_t i = 0; i < judgement->n; i++) {
        const struct candidate *candidate = &judgement->candidates[i];

        if (i < n_prefix || candidate->is_in)
            bytes += gain_of(candidate, bound) - candidate->file->dead_bytes;
    }
    return bytes;
}

/* Takes the prefix in whose gain is the furthest beyond its need; of equal ones the longest. */
static void add_best_prefix(struct judgement *judgement)
{
    int64_t base = (int64_t)tombstones_gained(judgement, 0);
    int64_t best = 0, rest = 0; /* rest: what is dead in the prefix, less its need */
    size_t n_best = 0;

    for (size_t i = 0; i < judgement->n; i++) {
        const struct candidate *candidate = &judgement->candidates[i];
        int64_t surplus;

        if (candidate->is_in)
            continue;
        rest += (int64_t)candidate->file->dead_bytes - (int64_t)candidate->need_bytes;
        surplus = (int64_t)tombstones_gained(judgement, i + 1) - base + rest;
        if (surplus >= best) {
            best = surplus;
            n_best = i + 1;
        }
    }
    for (size_t i = 0; i < n_best; i++)
        judgement->candidates[i].is_in = true;
}

static bool passes_trigger(const struct rk_merge_policy_settings *settings, const struct rk_merge_policy_file *file,
                           uint64_t gain_bytes)
{
    return is_all_dead(file)
           || (gain_bytes > 0
               && gain_bytes >= need(file->file_bytes, settings->trigger_fragmentation, settings->trigger_dead_bytes));
}

static enum rk_merge_policy_reason reason_of(const struct rk_merge_policy_settings *settings,
                                             const struct candidate *candidate, uint64_t gain_bytes)
{
    const struct rk_merge_policy_file *file = candidate->file;

    if (file->live_bytes == 0 && gain_bytes == file->dead_bytes + file->tombstone_bytes)
        return RK_MERGE_ALL_DEAD;
    if (passes_trigger(settings, file, gain_bytes))
        return RK_MERGE_TRIGGERED;
    if (!candidate->is_own)
        return RK_MERGE_TOMBSTONES;
    return file->dead_bytes >= need(file->file_bytes, settings->threshold_fragmentation, UINT64_MAX)
               ? RK_MERGE_FRAGMENTATION
               : RK_MERGE_DEAD_BYTES;
}

/* Gives their verdicts to those that take part, as if there were a trigger; whether there is one. */
static bool judge_participants(const struct judgement *judgement, size_t *n_left)
{
    uint64_t bound = sequence_bound(judgement, 0);
    bool triggered = false;

    for (size_t i = 0; i < judgement->n; i++) {
        const struct candidate *candidate = &judgement->candidates[i];
        uint64_t gain_bytes = gain_of(candidate, bound);
        enum rk_merge_policy_reason reason;

        if (!candidate->is_in)
            continue;
        reason = reason_of(judgement->settings, candidate, gain_bytes);
        triggered |= passes_trigger(judgement->settings, candidate->file, gain_bytes);
        *n_left += reason != RK_MERGE_ALL_DEAD;
        *candidate->verdict = (struct rk_merge_policy_verdict){ reason, true, gain_bytes };
        if (reason == RK_MERGE_ALL_DEAD)
            candidate->verdict->gain_bytes = candidate->file->file_bytes;
    }
    return triggered;
}

static bool is_small(const struct judgement *judgement, const struct candidate *candidate)
{
    return !candidate->is_in && candidate->file->file_bytes < judgement->settings->threshold_small_file_bytes;
}

/* n_left: of how many files the merge leaves something. */
static void judge_small_files(const struct judgement *judgement, size_t n_left)
{
    for (size_t i = 0; i < judgement->n; i++)
        n_left += is_small(judgement, &judgement->candidates[i]);
    for (size_t i = 0; n_left >= 2 && i < judgement->n; i++) {
        const struct candidate *candidate = &judgement->candidates[i];

        if (is_small(judgement, candidate))
            *candidate->verdict =
                (struct rk_merge_policy_verdict){ RK_MERGE_SMALL_FILE, true, candidate->file->dead_bytes };
    }
}

static size_t conclude(const struct judgement *judgement, bool triggered)
{
    size_t n_eligible = 0;

    for (size_t i = 0; i < judgement->n; i++) {
        struct rk_merge_policy_verdict *verdict = judgement->candidates[i].verdict;

        if (verdict->is_eligible && !triggered)
            *verdict = (struct rk_merge_policy_verdict){ .reason = RK_MERGE_KEEP_NO_TRIGGER };
        n_eligible += verdict->is_eligible;
    }
    return n_eligible;
}

size_t rk_merge_policy_judge(const struct rk_merge_policy_settings *settings, const struct rk_merge_policy_file *files,
                             size_t n_files, struct rk_merge_policy_verdict *verdicts_out)
{
    struct judgement judgement = { .settings = settings };
    enum rk_merge_policy_reason others = settings->enabled ? RK_MERGE_KEEP_LIVE : RK_MERGE_KEEP_DISABLED;
    size_t n_left = 0, n_eligible;
    bool triggered;

    for (size_t i = 0; i < n_files; i++)
        verdicts_out[i] =
            (struct rk_merge_policy_verdict){ .reason = files[i].is_active ? RK_MERGE_KEEP_ACTIVE : others };
    if (!settings->enabled)
        return 0;
    find_candidates(&judgement, files, n_files, verdicts_out);
    add_best_prefix(&judgement);
    triggered = judge_participants(&judgement, &n_left);
    judge_small_files(&judgement, n_left);
    n_eligible = conclude(&judgement, triggered);
    free(judgement.candidates);
    return n_eligible;
}

static const struct {
    const char *word;
    const char *text;
} reasons[RK_MERGE_N_REASONS] = {
    [RK_MERGE_TRIGGERED] = { "triggered", "so much is dead in it that it starts a merge" },
    [RK_MERGE_FRAGMENTATION] = { "fragmentation", "past merge.threshold.fragmentation: takes part in the merge" },
    [RK_MERGE_DEAD_BYTES] = { "dead_bytes", "past merge.threshold.dead_bytes: takes part in the merge" },
    [RK_MERGE_SMALL_FILE] = { "small_file", "below merge.threshold.small_file: takes part in the merge" },
    [RK_MERGE_TOMBSTONES] = { "tombstones", "its tombstones, or those of later files, can go with this merge" },
    [RK_MERGE_ALL_DEAD] = { "all_dead", "nothing in it is needed: goes without being copied" },
    [RK_MERGE_KEEP_ACTIVE] = { "active", "is being written; roll seals it" },
    [RK_MERGE_KEEP_LIVE] = { "live", "too little of it is dead" },
    [RK_MERGE_KEEP_NO_TRIGGER] = { "no_trigger", "past a threshold, but no file is past a trigger" },
    [RK_MERGE_KEEP_DISABLED] = { "disabled", "merge.policy does not allow a merge now" },
};

const char *rk_merge_policy_reason_word(enum rk_merge_policy_reason reason)
{
    RK_ASSERT(reason < RK_MERGE_N_REASONS);
    return reasons[reason].word;
}

const char *rk_merge_policy_reason_text(enum rk_merge_policy_reason reason)
{
    RK_ASSERT(reason < RK_MERGE_N_REASONS);
    return reasons[reason].text;
}

unsigned rk_merge_policy_patience(uint64_t all_bytes_before, uint64_t dead_bytes_before, uint64_t dead_bytes_now)
{
    uint64_t grown = dead_bytes_now > dead_bytes_before ? dead_bytes_now - dead_bytes_before : 0;
    uint64_t too_much = all_bytes_before / 16 + 1;

    return grown < too_much ? (unsigned)(100 - grown * 100 / too_much) : 0;
}
