/* The merge policy: by single cases, and by a store of random puts and deletes that is merged as it says until it says
 * no more. */
#include "merge/merge_policy.h"
#include "merge/merge_rescue.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])
#define FRAME       160u
#define NONE        UINT64_MAX

static const struct rk_merge_policy_settings defaults = {
    .enabled = true,
    .trigger_fragmentation = 60,
    .trigger_dead_bytes = 5000,
    .threshold_fragmentation = 40,
    .threshold_dead_bytes = 1500,
    .threshold_small_file_bytes = 500,
};

/* A sealed file of so many bytes in each column. */
static struct rk_merge_policy_file sealed(uint32_t number, uint64_t live, uint64_t dead, uint64_t tombstones,
                                          uint64_t first, uint64_t last)
{
    return (struct rk_merge_policy_file){ .file_number = number,
                                          .file_bytes = live + dead + tombstones + FRAME,
                                          .dead_bytes = dead,
                                          .tombstone_bytes = tombstones,
                                          .live_bytes = live,
                                          .first_sequence = first,
                                          .last_sequence = last };
}

static struct rk_merge_policy_file active(uint32_t number, uint64_t first)
{
    struct rk_merge_policy_file file = sealed(number, 100, 9000, 0, first, first == NONE ? 0 : first + 10);

    file.is_active = true;
    return file;
}

static void check_reasons(const struct rk_merge_policy_file *files, size_t n,
                          const enum rk_merge_policy_reason *expected)
{
    struct rk_merge_policy_verdict verdicts[8];
    size_t n_eligible = rk_merge_policy_judge(&defaults, files, n, verdicts), n_expected = 0;

    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(verdicts[i].reason == expected[i], "file %zu: %s instead of %s", i,
                      rk_merge_policy_reason_word(verdicts[i].reason), rk_merge_policy_reason_word(expected[i]));
        ck_assert_int_eq(verdicts[i].is_eligible, expected[i] <= RK_MERGE_ALL_DEAD);
        n_expected += expected[i] <= RK_MERGE_ALL_DEAD;
        if (!verdicts[i].is_eligible)
            ck_assert_uint_eq(verdicts[i].gain_bytes, 0);
    }
    ck_assert_uint_eq(n_eligible, n_expected);
}

#define CHECK(files, ...) \
    check_reasons(files, N_OF(files), (const enum rk_merge_policy_reason[N_OF(files)]){ __VA_ARGS__ })

/* On a full disk: what needs no room, else what gives most for what is copied and has room. */
START_TEST(a_rescue_takes_what_gives_most)
{
    struct rk_merge_policy_file files[] = {
        { .file_number = 1, .file_bytes = 1000, .live_bytes = 500, .dead_bytes = 500 },
        { .file_number = 2, .file_bytes = 1000, .live_bytes = 100, .dead_bytes = 900 },
        { .file_number = 3, .file_bytes = 1000, .live_bytes = 990, .dead_bytes = 10 },
        { .file_number = 4, .file_bytes = 1000, .dead_bytes = 1000 },
        { .file_number = 5, .file_bytes = 1000, .dead_bytes = 1000 },
        { .file_number = 6, .file_bytes = 1000, .dead_bytes = 1000, .is_active = true },
    };
    bool chosen[6];

    ck_assert_uint_eq(rk_merge_rescue_choose(files, 6, 0, chosen), 2);
    ck_assert(!chosen[0] && !chosen[1] && !chosen[2] && chosen[3] && chosen[4] && !chosen[5]);
    ck_assert_uint_eq(rk_merge_rescue_choose(files, 3, 100, chosen), 1);
    ck_assert(!chosen[0] && chosen[1] && !chosen[2]);
    ck_assert_uint_eq(rk_merge_rescue_choose(files, 3, 99, chosen), 0);
    ck_assert_uint_eq(rk_merge_rescue_choose(&files[2], 1, 1000, chosen), 0); /* it would hardly give anything */
}
END_TEST

/* What would be a trap on a small disk. */
START_TEST(settings_are_as_the_disk_allows)
{
    const uint64_t mib = 1 << 20, gib = 1 << 30;

    ck_assert_uint_eq(rk_merge_rescue_min_free(256 * mib, 640 * mib), 40 * mib);
    ck_assert_uint_eq(rk_merge_rescue_min_free(256 * mib, 100 * gib), 256 * mib);
    ck_assert_uint_eq(rk_merge_rescue_file_size(4 * gib, 640 * mib), 20 * mib);
    ck_assert_uint_eq(rk_merge_rescue_file_size(gib, 100 * gib), gib);
    ck_assert_uint_eq(rk_merge_rescue_file_size(4 * mib, 16 * mib), mib);
    ck_assert_uint_eq(rk_merge_rescue_spare(16 * mib, 640 * mib), 16 * mib);
    ck_assert_uint_eq(rk_merge_rescue_spare(4 * gib, 640 * mib), 20 * mib);
    ck_assert_uint_eq(rk_merge_rescue_spare(gib, 100 * gib), 64 * mib);
    ck_assert_uint_eq(rk_merge_rescue_small_file(10 * mib, 4 * mib), mib);
}
END_TEST

START_TEST(nothing_is_merged_without_a_reason)
{
    struct rk_merge_policy_file only_active[] = { active(1, 1) };
    struct rk_merge_policy_file live[] = { sealed(1, 9000, 0, 0, 1, 9), sealed(2, 9000, 1000, 0, 10, 19),
                                           active(3, 20) };

    ck_assert_uint_eq(rk_merge_policy_judge(&defaults, NULL, 0, NULL), 0);
    CHECK(only_active, RK_MERGE_KEEP_ACTIVE);
    CHECK(live, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
}
END_TEST

START_TEST(a_threshold_alone_starts_nothing)
{
    struct rk_merge_policy_file files[] = { sealed(1, 500, 500, 0, 1, 9), sealed(2, 9000, 2000, 0, 10, 19),
                                            sealed(3, 9000, 0, 0, 20, 29), active(4, 30) };

    CHECK(files, RK_MERGE_KEEP_NO_TRIGGER, RK_MERGE_KEEP_NO_TRIGGER, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
}
END_TEST

START_TEST(with_a_trigger_all_past_a_threshold_take_part)
{
    struct rk_merge_policy_file files[] = { sealed(1, 500, 500, 0, 1, 9), sealed(2, 9000, 2000, 0, 10, 19),
                                            sealed(3, 9000, 0, 0, 20, 29), sealed(4, 100, 900, 0, 30, 39),
                                            active(5, 40) };
    struct rk_merge_policy_file many_bytes[] = { sealed(1, 90000, 5000, 0, 1, 9), active(2, 40) };
    struct rk_merge_policy_verdict verdicts[5];

    CHECK(files, RK_MERGE_FRAGMENTATION, RK_MERGE_DEAD_BYTES, RK_MERGE_KEEP_LIVE, RK_MERGE_TRIGGERED,
          RK_MERGE_KEEP_ACTIVE);
    CHECK(many_bytes, RK_MERGE_TRIGGERED, RK_MERGE_KEEP_ACTIVE);
    (void)rk_merge_policy_judge(&defaults, files, 5, verdicts);
    ck_assert_uint_eq(verdicts[0].gain_bytes, 500);
    ck_assert_uint_eq(verdicts[1].gain_bytes, 2000);
    ck_assert_uint_eq(verdicts[3].gain_bytes, 900);
}
END_TEST

START_TEST(the_numbers_are_inclusive)
{
    struct rk_merge_policy_settings settings = defaults;
    struct rk_merge_policy_file file = { .file_number = 1,
                                         .file_bytes = 1000,
                                         .dead_bytes = 600,
                                         .live_bytes = 240,
                                         .first_sequence = 1,
                                         .last_sequence = 2 };
    struct rk_merge_policy_verdict verdict;

    ck_assert_uint_eq(rk_merge_policy_judge(&settings, &file, 1, &verdict), 1);
    file.dead_bytes = 599;
    ck_assert_uint_eq(rk_merge_policy_judge(&settings, &file, 1, &verdict), 0);
    ck_assert_int_eq(verdict.reason, RK_MERGE_KEEP_NO_TRIGGER);
    settings.threshold_dead_bytes = settings.trigger_dead_bytes = 599;
    ck_assert_uint_eq(rk_merge_policy_judge(&settings, &file, 1, &verdict), 1);
    file.file_bytes = UINT64_MAX / 2; /* no product of sizes overflows */
    ck_assert_uint_eq(rk_merge_policy_judge(&settings, &file, 1, &verdict), 1);
}
END_TEST

START_TEST(dead_files_go)
{
    struct rk_merge_policy_file files[] = { sealed(1, 0, 3000, 0, 1, 9), sealed(2, 9000, 0, 0, 10, 19),
                                            sealed(3, 0, 0, 0, NONE, 0), active(4, 20) };
    struct rk_merge_policy_verdict verdicts[4];

    CHECK(files, RK_MERGE_ALL_DEAD, RK_MERGE_KEEP_LIVE, RK_MERGE_ALL_DEAD, RK_MERGE_KEEP_ACTIVE);
    (void)rk_merge_policy_judge(&defaults, files, 4, verdicts);
    ck_assert_uint_eq(verdicts[0].gain_bytes, 3000 + FRAME); /* the frame as well */
}
END_TEST

START_TEST(small_files_join_and_never_start)
{
    struct rk_merge_policy_file alone[] = { sealed(1, 200, 0, 0, 1, 9), sealed(2, 9000, 0, 0, 10, 19), active(3, 20) };
    struct rk_merge_policy_file two[] = { sealed(1, 200, 0, 0, 1, 9), sealed(2, 200, 0, 0, 10, 19), active(3, 20) };
    struct rk_merge_policy_file joining[] = { sealed(1, 200, 0, 0, 1, 9), sealed(2, 100, 9000, 0, 10, 19),
                                              active(3, 20) };
    struct rk_merge_policy_file beside_a_dead_one[] = { sealed(1, 200, 0, 0, 1, 9), sealed(2, 0, 9000, 0, 10, 19),
                                                        active(3, 20) };

    CHECK(alone, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
    CHECK(two, RK_MERGE_KEEP_NO_TRIGGER, RK_MERGE_KEEP_NO_TRIGGER, RK_MERGE_KEEP_ACTIVE);
    CHECK(joining, RK_MERGE_SMALL_FILE, RK_MERGE_TRIGGERED, RK_MERGE_KEEP_ACTIVE);
    CHECK(beside_a_dead_one, RK_MERGE_KEEP_LIVE, RK_MERGE_ALL_DEAD, RK_MERGE_KEEP_ACTIVE);
}
END_TEST

START_TEST(tombstones_go_when_nothing_older_stays)
{
    struct rk_merge_policy_file oldest[] = { sealed(1, 100, 0, 900, 1, 9), sealed(2, 9000, 0, 0, 10, 19),
                                             active(3, 20) };
    struct rk_merge_policy_file behind_live[] = { sealed(1, 9000, 0, 0, 1, 9), sealed(2, 100, 0, 900, 10, 19),
                                                  active(3, 20) };
    struct rk_merge_policy_file behind_dead[] = { sealed(1, 0, 9000, 0, 1, 9), sealed(2, 0, 0, 900, 10, 19),
                                                  active(3, 20) };
    struct rk_merge_policy_file active_has_old_ones[] = { sealed(1, 0, 0, 900, 5, 25), active(3, 20) };
    struct rk_merge_policy_file overlapping[] = { sealed(1, 100, 0, 900, 1, 30), sealed(2, 9000, 0, 0, 10, 19),
                                                  active(3, 40) };

    CHECK(oldest, RK_MERGE_TRIGGERED, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
    CHECK(behind_live, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
    CHECK(behind_dead, RK_MERGE_ALL_DEAD, RK_MERGE_ALL_DEAD, RK_MERGE_KEEP_ACTIVE);
    CHECK(active_has_old_ones, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
    CHECK(overlapping, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
}
END_TEST

START_TEST(a_prefix_is_worth_it_or_not_as_a_whole)
{
    /* The live file must be copied so that the tombstones behind it can go: 900 for 200, but not for 9000. */
    struct rk_merge_policy_file cheap[] = { sealed(1, 200, 0, 0, 1, 9), sealed(2, 0, 0, 900, 10, 19),
                                            sealed(3, 9000, 0, 0, 20, 29), active(4, 30) };
    struct rk_merge_policy_file dear[] = { sealed(1, 9000, 0, 0, 1, 9), sealed(2, 0, 0, 900, 10, 19),
                                           sealed(3, 9000, 0, 0, 20, 29), active(4, 30) };
    /* The newer file has nothing to gain: the prefix ends before it. */
    struct rk_merge_policy_file not_further[] = { sealed(1, 0, 0, 900, 1, 9), sealed(2, 700, 0, 0, 10, 19),
                                                  active(4, 30) };

    CHECK(cheap, RK_MERGE_TOMBSTONES, RK_MERGE_ALL_DEAD, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
    CHECK(dear, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
    CHECK(not_further, RK_MERGE_ALL_DEAD, RK_MERGE_KEEP_LIVE, RK_MERGE_KEEP_ACTIVE);
}
END_TEST

START_TEST(a_disabled_policy_keeps_all)
{
    struct rk_merge_policy_settings settings = defaults;
    struct rk_merge_policy_file files[] = { sealed(1, 0, 3000, 0, 1, 9), active(2, 10) };
    struct rk_merge_policy_verdict verdicts[2];

    settings.enabled = false;
    ck_assert_uint_eq(rk_merge_policy_judge(&settings, files, 2, verdicts), 0);
    ck_assert_int_eq(verdicts[0].reason, RK_MERGE_KEEP_DISABLED);
    ck_assert_int_eq(verdicts[1].reason, RK_MERGE_KEEP_ACTIVE);
}
END_TEST

START_TEST(every_reason_has_its_words)
{
    for (int i = 0; i < RK_MERGE_N_REASONS; i++) {
        ck_assert_uint_gt(strlen(rk_merge_policy_reason_word((enum rk_merge_policy_reason)i)), 3);
        ck_assert_uint_gt(strlen(rk_merge_policy_reason_text((enum rk_merge_policy_reason)i)), 10);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(rk_merge_policy_reason_word((enum rk_merge_policy_reason)i),
                             rk_merge_policy_reason_word((enum rk_merge_policy_reason)j));
    }
}
END_TEST

/* ---- a store of random puts and deletes, some of which have expired ---- */

#define N_RECORDS_MAX 4000u
#define N_FILES_MAX   256u
#define N_KEYS_MAX    1024u
#define N_SEEDS       2000u
#define TOMBSTONE     48u

struct sim_record {
    uint64_t sequence;
    uint32_t key;
    uint32_t file;
    uint32_t bytes;
    bool is_tombstone;
    bool has_expired;
    bool is_gone;
};

struct sim {
    struct sim_record records[N_RECORDS_MAX];
    size_t n_records;
    uint64_t newest[N_KEYS_MAX];   /* sequence */
    bool is_absent[N_KEYS_MAX];    /* the newest is a tombstone, or has expired */
    bool has_expired[N_FILES_MAX]; /* by file: some record that counts as expired */
    size_t n_doubtful;             /* dead records that got a tombstone, in the last merge */
    uint32_t next_file;
    uint64_t random;
    struct rk_merge_policy_file files[N_FILES_MAX];
    struct rk_merge_policy_verdict verdicts[N_FILES_MAX];
    size_t n_files;
    uint32_t active_number;
};

static uint64_t draw(struct sim *sim, uint64_t limit)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return sim->random % limit;
}

/* Files of various lengths, by phases of more puts or more deletes on many or few keys. */
static void sim_write(struct sim *sim)
{
    size_t n = 200 + draw(sim, N_RECORDS_MAX - 200), left_in_file = 0, left_in_phase = 0;
    uint64_t deletes = 0, expiries = 0, n_keys = 1;

    sim->next_file = 0;
    for (size_t i = 0; i < n; i++) {
        struct sim_record *record = &sim->records[sim->n_records++];

        if (left_in_phase-- == 0) {
            left_in_phase = draw(sim, 600);
            deletes = draw(sim, 4) == 0 ? 90 : draw(sim, 60);
            expiries = draw(sim, 2) == 0 ? 0 : draw(sim, 100);
            n_keys = 1 + draw(sim, N_KEYS_MAX);
        }
        if (left_in_file-- == 0 && sim->next_file < N_FILES_MAX / 2) {
            left_in_file = 1 + draw(sim, draw(sim, 3) == 0 ? 400 : 100);
            sim->next_file++;
        }
        *record = (struct sim_record){ .sequence = i + 1,
                                       .key = (uint32_t)draw(sim, n_keys),
                                       .file = sim->next_file,
                                       .is_tombstone = draw(sim, 100) < deletes };
        record->bytes = record->is_tombstone ? TOMBSTONE : 64 + 16 * (uint32_t)draw(sim, 60);
        record->has_expired = !record->is_tombstone && draw(sim, 100) < expiries;
        sim->newest[record->key] = record->sequence;
        sim->is_absent[record->key] = record->is_tombstone || record->has_expired;
    }
    sim->active_number = sim->next_file++;
}

static struct rk_merge_policy_file *sim_file(struct sim *sim, uint32_t number)
{
    for (size_t i = 0; i < sim->n_files; i++)
        if (sim->files[i].file_number == number)
            return &sim->files[i];
    ck_assert_uint_lt(sim->n_files, N_FILES_MAX);
    sim->files[sim->n_files] = (struct rk_merge_policy_file){
        .file_number = number, .is_active = number == sim->active_number, .file_bytes = FRAME, .first_sequence = NONE
    };
    return &sim->files[sim->n_files++];
}

static void sim_count(struct sim *sim)
{
    sim->n_files = 0;
    memset(sim->has_expired, 0, sizeof sim->has_expired);
    for (size_t i = 0; i < sim->n_records; i++) {
        const struct sim_record *record = &sim->records[i];
        struct rk_merge_policy_file *file;

        if (record->is_gone)
            continue;
        file = sim_file(sim, record->file);
        file->file_bytes += record->bytes;
        if (record->has_expired && record->sequence == sim->newest[record->key]) {
            sim->has_expired[record->file] = true;
            file->tombstone_bytes += TOMBSTONE;
            file->dead_bytes += record->bytes - TOMBSTONE;
        } else {
            *(record->is_tombstone                           ? &file->tombstone_bytes
              : record->sequence == sim->newest[record->key] ? &file->live_bytes
                                                             : &file->dead_bytes) += record->bytes;
        }
        if (record->sequence < file->first_sequence)
            file->first_sequence = record->sequence;
        if (record->sequence > file->last_sequence)
            file->last_sequence = record->sequence;
    }
}

static bool sim_takes_part(const struct sim *sim, uint32_t number)
{
    for (size_t i = 0; i < sim->n_files; i++)
        if (sim->files[i].file_number == number)
            return sim->verdicts[i].is_eligible;
    return false;
}

/* Of a record in a file with any that count as expired, whose key is nowhere, a merge cannot know that it hides none.
 */
static bool sim_may_hide(const struct sim *sim, const struct sim_record *record)
{
    return record->is_tombstone
           || (record->has_expired && sim->is_absent[record->key] && sim->has_expired[record->file]);
}

/* As a merge does it: live records are copied, and so are tombstones that are not older than every record that stays
 * out; one takes the place of what has expired. */
static void sim_merge(struct sim *sim)
{
    uint64_t bound = NONE, left = 0;

    sim->n_doubtful = 0;
    for (size_t i = 0; i < sim->n_files; i++)
        if (!sim->verdicts[i].is_eligible && sim->files[i].first_sequence < bound)
            bound = sim->files[i].first_sequence;
    for (size_t i = 0; i < sim->n_records; i++) {
        struct sim_record *record = &sim->records[i];

        if (record->is_gone || !sim_takes_part(sim, record->file))
            continue;
        record->is_gone =
            sim_may_hide(sim, record) ? record->sequence < bound : record->sequence != sim->newest[record->key];
        if (record->is_gone)
            continue;
        if (record->has_expired) {
            sim->n_doubtful += record->sequence != sim->newest[record->key];
            record->bytes = TOMBSTONE;
            record->has_expired = false;
            record->is_tombstone = true;
        }
        if (left < record->bytes) {
            left = 100000;
            sim->next_file++;
        }
        left -= record->bytes;
        record->file = sim->next_file;
    }
    sim->next_file++;
}

static uint64_t sim_bytes(const struct sim *sim)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < sim->n_files; i++)
        bytes += sim->files[i].file_bytes;
    return bytes;
}

/* What a recovery from the records that are left finds must be what was there before. */
static void sim_check_recovery(const struct sim *sim)
{
    uint64_t found[N_KEYS_MAX] = { 0 };
    bool was_live[N_KEYS_MAX] = { false }, is_live[N_KEYS_MAX] = { false };

    for (size_t i = 0; i < sim->n_records; i++) {
        const struct sim_record *record = &sim->records[i];

        if (record->sequence == sim->newest[record->key])
            was_live[record->key] = !record->is_tombstone && !record->has_expired;
        if (!record->is_gone && record->sequence > found[record->key]) {
            found[record->key] = record->sequence;
            is_live[record->key] = !record->is_tombstone && !record->has_expired;
        }
    }
    ck_assert_int_eq(memcmp(was_live, is_live, sizeof was_live), 0);
}

static uint64_t promised(const struct sim *sim)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < sim->n_files; i++)
        bytes += sim->verdicts[i].gain_bytes;
    return bytes;
}

static struct rk_merge_policy_settings draw_settings(struct sim *sim)
{
    struct rk_merge_policy_settings settings = { .enabled = true };

    settings.threshold_fragmentation = 1 + (unsigned)draw(sim, 100);
    settings.trigger_fragmentation =
        settings.threshold_fragmentation + (unsigned)draw(sim, 101 - settings.threshold_fragmentation);
    settings.threshold_dead_bytes = 1 + draw(sim, 100000);
    settings.trigger_dead_bytes = settings.threshold_dead_bytes + draw(sim, 100000);
    settings.threshold_small_file_bytes = draw(sim, 20000);
    return settings;
}

/* Merges as the policy says, once; whether it said anything. */
static bool sim_turn(struct sim *sim, const struct rk_merge_policy_settings *settings)
{
    uint64_t before, gain;

    if (rk_merge_policy_judge(settings, sim->files, sim->n_files, sim->verdicts) == 0)
        return false;
    before = sim_bytes(sim);
    gain = promised(sim);
    ck_assert_uint_gt(gain, 0);
    sim_merge(sim);
    sim_check_recovery(sim);
    sim_count(sim);
    /* It may leave a file more than there were. */
    ck_assert_uint_le(sim_bytes(sim) + gain, before + FRAME + sim->n_doubtful * TOMBSTONE);
    return true;
}

/* The rare second merge: a file's last sequence was that of a dead record, and hid that its tombstones could go. */
START_TEST(a_merge_leaves_nothing_for_the_next_one)
{
    struct sim *sim = calloc(1, sizeof *sim);
    size_t n_merges = 0, n_again = 0;

    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
        struct rk_merge_policy_settings settings;

        memset(sim, 0, sizeof *sim);
        sim->random = seed * 0x9e3779b97f4a7c15u;
        settings = draw_settings(sim);
        sim_write(sim);
        sim_count(sim);
        if (!sim_turn(sim, &settings))
            continue;
        n_merges++;
        if (!sim_turn(sim, &settings))
            continue;
        n_again++;
        ck_assert_msg(!sim_turn(sim, &settings), "seed %lu: merged over and over", (unsigned long)seed);
    }
    ck_assert_uint_gt(n_merges, N_SEEDS / 2);
    ck_assert_uint_lt(n_again, N_SEEDS / 400);
    free(sim);
}
END_TEST

START_TEST(the_order_of_the_files_changes_nothing)
{
    struct sim *sim = calloc(1, sizeof *sim);
    struct rk_merge_policy_settings settings;

    sim->random = 4711;
    settings = draw_settings(sim);
    settings.threshold_fragmentation = settings.trigger_fragmentation = 20;
    sim_write(sim);
    sim_count(sim);
    (void)rk_merge_policy_judge(&settings, sim->files, sim->n_files, sim->verdicts);
    for (size_t i = 0; i < sim->n_files / 2; i++) {
        struct rk_merge_policy_file file = sim->files[i];
        struct rk_merge_policy_verdict verdict = sim->verdicts[i];
        size_t other = sim->n_files - 1 - i;

        sim->files[i] = sim->files[other];
        sim->files[other] = file;
        sim->verdicts[i] = sim->verdicts[other];
        sim->verdicts[other] = verdict;
    }
    for (size_t i = 0; i < sim->n_files; i++) {
        struct rk_merge_policy_verdict again[N_FILES_MAX];

        (void)rk_merge_policy_judge(&settings, sim->files, sim->n_files, again);
        ck_assert_int_eq(again[i].reason, sim->verdicts[i].reason);
        ck_assert_uint_eq(again[i].gain_bytes, sim->verdicts[i].gain_bytes);
    }
    free(sim);
}
END_TEST

START_TEST(patience_ends_when_more_dies_than_comes_back)
{
    ck_assert_uint_eq(rk_merge_policy_patience(8000, 4000, 4000), 100);
    ck_assert_uint_eq(rk_merge_policy_patience(8000, 4000, 100), 100);
    ck_assert_uint_eq(rk_merge_policy_patience(8000, 4000, 4250), 51);
    ck_assert_uint_eq(rk_merge_policy_patience(8000, 4000, 4500), 1);
    ck_assert_uint_eq(rk_merge_policy_patience(8000, 4000, 4501), 0);
    ck_assert_uint_eq(rk_merge_policy_patience(8000, 4000, UINT64_MAX / 200), 0);
    ck_assert_uint_eq(rk_merge_policy_patience(0, 0, 0), 100);
    ck_assert_uint_eq(rk_merge_policy_patience(0, 0, 1), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store_policy");
    TCase *tcase = tcase_create("store_policy");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_rescue_takes_what_gives_most);
    tcase_add_test(tcase, settings_are_as_the_disk_allows);
    tcase_add_test(tcase, nothing_is_merged_without_a_reason);
    tcase_add_test(tcase, a_threshold_alone_starts_nothing);
    tcase_add_test(tcase, with_a_trigger_all_past_a_threshold_take_part);
    tcase_add_test(tcase, the_numbers_are_inclusive);
    tcase_add_test(tcase, dead_files_go);
    tcase_add_test(tcase, small_files_join_and_never_start);
    tcase_add_test(tcase, tombstones_go_when_nothing_older_stays);
    tcase_add_test(tcase, a_prefix_is_worth_it_or_not_as_a_whole);
    tcase_add_test(tcase, a_disabled_policy_keeps_all);
    tcase_add_test(tcase, every_reason_has_its_words);
    tcase_add_test(tcase, a_merge_leaves_nothing_for_the_next_one);
    tcase_add_test(tcase, the_order_of_the_files_changes_nothing);
    tcase_add_test(tcase, patience_ends_when_more_dies_than_comes_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
