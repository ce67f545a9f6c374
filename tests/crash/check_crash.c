/* Power failures and killed processes, at every operation of scripts that write, delete, merge, roll over, stop and
 * start: what was promised is there, what is there is a prefix of what was written, and a recovery that fails half-way
 * changes nothing of that. Nor does the clock: what has expired is not there, and never again what it replaced.
 * The files are in memory (sim_memory.h), but for one script's, which are on a disk.
 *
 *   RK_CRASH_VARIANTS=100     so many images of each kind that has something to choose, at each operation; not 3
 *   RK_CRASH_RECOVERIES=200   failures at each operation of the recovery of about so many images; not of 40
 *   RK_CRASH_ROUNDS=10        so many times as many scripts
 *   RK_CRASH_PROCESSES=n      not as many as there are processors */
#include "grace/grace.h"
#include "sim_crew.h"
#include "sim_fixed.h"
#include "sim_memory.h"
#include "sim_record.h"
#include "sim_replay.h"
#include "sim_script.h"
#include "test_dir.h"
#include "test_main.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S      300
#define LONG_TIMEOUT_S 36000 /* for who asks for more: it may be hours */

/* A sanitizer takes its time: not all states. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define ONE_IN 32
#else
#define ONE_IN 1
#endif

#define N_SCENARIOS  10
#define N_VARIANTS   3
#define N_RECOVERIES 40

static char *dir;
static char *root;

static void begin(void)
{
    rk_grace_register_thread();                /* merges read the keydir */
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20); /* buffers that each recovery takes stay in the process */
    (void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

static void begin_in_memory(void)
{
    begin();
    sim_memory_begin();
    root = strdup("/memory/store");
}

static void end_in_memory(void)
{
    sim_memory_end();
    free(root);
    rk_grace_unregister_thread();
}

static void begin_on_disk(void)
{
    begin();
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* nothing waits for a disk */
    dir = test_dir_create();
    ck_assert_int_ge(asprintf(&root, "%s/store", dir), 0);
}

static void end_on_disk(void)
{
    test_dir_remove(&dir);
    free(root);
    rk_grace_unregister_thread();
}

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    int n = text != NULL ? atoi(text) : 0;

    return n > 0 ? (unsigned)n : otherwise;
}

struct scenario {
    const char *name;
    struct sim_script_settings settings;
    size_t n_batches; /* in each life */
    bool syncs;
    unsigned punch_odds; /* after one batch in so many; 0: never */
    unsigned merge_odds; /* after one batch in so many; 0: never */
    unsigned spare_odds; /* the same; then the disk copies on write */
};

/* Mostly on, and sometimes back; sometimes it is noticed what has expired. */
static void pass_time(struct sim_script *script)
{
    unsigned dice = sim_script_random(script, 8);

    sim_script_wait(script, dice == 0 ? -3 : (int)dice % 4);
    if (sim_script_random(script, 2) == 0)
        sim_script_look(script);
}

/* Lives of a server: from nothing, killed, started again, stopped, started, killed, and a start that finds nothing to
 * do. */
static void write_lives(struct sim_script *script, const struct scenario *scenario)
{
    for (unsigned life = 0; life < 4; life++) {
        sim_script_open(script);
        for (size_t i = 0; i < scenario->n_batches; i++) {
            sim_script_batches(script, 1);
            if (scenario->syncs && sim_script_random(script, 6) == 0)
                sim_script_sync(script);
            if (sim_script_random(script, 8) == 0)
                sim_script_hints(script);
            if (scenario->settings.expires)
                pass_time(script);
            if (scenario->punch_odds > 0 && sim_script_random(script, scenario->punch_odds) == 0)
                sim_script_punch(script);
            if (scenario->merge_odds > 0 && sim_script_random(script, scenario->merge_odds) == 0)
                sim_script_merge(script);
            if (scenario->spare_odds > 0 && sim_script_random(script, scenario->spare_odds) == 0)
                sim_script_spare(script);
        }
        if (life == 0 && scenario->spare_odds > 0)
            sim_script_give_up_spare(script);
        if (life == 2)
            sim_script_roll(script);
        if (life == 1)
            sim_script_close(script);
        else
            sim_script_die(script);
    }
    sim_script_open(script);
    sim_script_close(script);
}

struct work {
    const struct sim_script *script;
    uint64_t seed;
    bool clocks;
};

static void replay_share(void *context, struct sim_crew_member *member)
{
    const struct work *work = context;
    unsigned n_to_recover = (setting("RK_CRASH_RECOVERIES", N_RECOVERIES) + N_SCENARIOS - 1) / N_SCENARIOS;
    struct sim_replay replay = { .root = root,
                                 .history = sim_script_history(work->script),
                                 .seed = work->seed,
                                 .n_variants = setting("RK_CRASH_VARIANTS", N_VARIANTS),
                                 .n_to_recover = n_to_recover,
                                 .one_in = ONE_IN,
                                 .clocks = work->clocks,
                                 .index = member->index,
                                 .n_shares = member->n_members,
                                 .n_done_out = &member->round };

    sim_replay_trace(&replay, sim_script_trace(work->script), NULL);
    member->figures[0] = replay.n_states;
    member->figures[1] = replay.n_recoveries;
    sim_replay_free(&replay);
}

/* One process only where there is one folder. */
static void replay_script(const struct work *work, uint64_t figures_out[SIM_CREW_FIGURES])
{
    struct sim_crew_member alone = { .n_members = 1 };

    if (sim_memory_is_used()) {
        sim_crew_run(replay_share, (void *)(uintptr_t)work, figures_out);
        return;
    }
    replay_share((void *)(uintptr_t)work, &alone);
    memcpy(figures_out, alone.figures, sizeof alone.figures);
}

/* How often it was given up: a start that makes it anew does not count. */
static uint64_t count_spares(const struct sim_trace *trace)
{
    uint64_t n = 0;

    for (size_t i = 0; i < trace->n_ops; i++)
        n += trace->ops[i].kind == SIM_UNLINK && strcmp(trace->ops[i].name, "SPARE") == 0;
    return n;
}

static void run_scenario(const struct scenario *scenario)
{
    uint64_t n_states = 0, n_recoveries = 0, n_expired = 0, n_spares = 0;
    size_t n_ops = 0, n_writes = 0;

    for (unsigned i = 0; i < setting("RK_CRASH_ROUNDS", 1); i++) {
        struct sim_script_settings settings = scenario->settings;
        uint64_t figures[SIM_CREW_FIGURES];
        struct sim_script *script;

        settings.seed += i;
        sim_memory_copy_on_write(scenario->spare_odds > 0);
        sim_fixed_random(settings.seed);
        sim_image_write(&(struct sim_image){ .has_root = false }, root);
        script = sim_script_create(root, &settings);
        write_lives(script, scenario);
        sim_record_end();
        replay_script(&(struct work){ script, settings.seed, settings.expires }, figures);
        n_states += figures[0];
        n_recoveries += figures[1];
        n_ops += sim_script_trace(script)->n_ops;
        n_writes += sim_script_history(script)->n_writes;
        n_expired += sim_script_n_expired(script);
        n_spares += count_spares(sim_script_trace(script));
        sim_script_destroy(&script);
    }
    if (ONE_IN == 1) { /* some hundred operations, with several states at each */
        ck_assert_uint_gt(n_states, 10 * n_writes);
        ck_assert_uint_gt(n_recoveries, 0);
    }
    ck_assert((n_expired > 0) == scenario->settings.expires);
    ck_assert((n_spares > 0) == (scenario->spare_odds > 0));
    printf("%s: %llu crash states after %zu operations of %zu writes", scenario->name, (unsigned long long)n_states,
           n_ops, n_writes);
    if (scenario->settings.expires)
        printf(" (%llu were found expired)", (unsigned long long)n_expired);
    printf(" and of %llu recoveries: all as promised\n", (unsigned long long)n_recoveries);
}

START_TEST(every_write_is_synced)
{
    run_scenario(&(struct scenario){
        .name = "always",
        .settings = { .sync_always = true,
                      .file_size_bytes = 4096,
                      .seed = 1,
                      .batch_max = 6,
                      .value_max = 2000,
                      .large_odds = 8 },
        .n_batches = 14,
    });
}
END_TEST

START_TEST(nothing_is_synced_but_by_rolling_over)
{
    run_scenario(&(struct scenario){
        .name = "none",
        .settings = { .file_size_bytes = 4096, .seed = 1001, .batch_max = 6, .value_max = 2000, .large_odds = 8 },
        .n_batches = 14,
    });
}
END_TEST

START_TEST(now_and_then_a_sync)
{
    run_scenario(&(struct scenario){
        .name = "interval",
        .settings = { .file_size_bytes = 16384, .seed = 2001, .batch_max = 8, .value_max = 6000, .large_odds = 6 },
        .n_batches = 16,
        .syncs = true,
    });
}
END_TEST

static void run_merges(const char *name, bool sync_always, bool expires, uint64_t seed)
{
    run_scenario(&(struct scenario){
        .name = name,
        .settings = { .sync_always = sync_always,
                      .file_size_bytes = 1024,
                      .seed = seed,
                      .batch_max = 6,
                      .value_max = 600,
                      .large_odds = 8,
                      .merges = true,
                      .expires = expires },
        .n_batches = 7,
        .merge_odds = 3,
    });
}

static void run_holes(const char *name, bool sync_always, bool expires, uint64_t seed)
{
    run_scenario(&(struct scenario){
        .name = name,
        .settings = { .sync_always = sync_always,
                      .file_size_bytes = 4096,
                      .seed = seed,
                      .batch_max = 12,
                      .value_max = 600,
                      .large_odds = 4,
                      .merges = true,
                      .expires = expires },
        .n_batches = 7,
        .punch_odds = 3,
        .merge_odds = 12,
    });
}

START_TEST(holes_in_synced_writes)
{
    run_holes("always, holes", true, false, 11001);
}
END_TEST

START_TEST(holes_in_writes_that_are_not_synced)
{
    run_holes("none, holes", false, false, 12001);
}
END_TEST

START_TEST(holes_beside_what_expired)
{
    run_holes("none, holes, expired", false, true, 13001);
}
END_TEST

/* What a disk that copies on write has besides: a file that is made, unlinked and made again, and never synced. */
START_TEST(a_spare_that_comes_and_goes)
{
    run_scenario(&(struct scenario){
        .name = "always, spare",
        .settings = { .sync_always = true,
                      .file_size_bytes = 1024,
                      .seed = 14001,
                      .batch_max = 6,
                      .value_max = 600,
                      .large_odds = 8,
                      .merges = true,
                      .spare_bytes = 2048 },
        .n_batches = 7,
        .merge_odds = 12,
        .spare_odds = 3,
    });
}
END_TEST

START_TEST(merges_of_synced_writes)
{
    run_merges("always, merged", true, false, 4001);
}
END_TEST

START_TEST(merges_of_writes_that_are_not_synced)
{
    run_merges("none, merged", false, false, 5001);
}
END_TEST

START_TEST(what_expires_while_all_is_synced)
{
    run_merges("always, expired", true, true, 8003);
}
END_TEST

START_TEST(what_expires_while_nothing_is_synced)
{
    run_merges("none, expired", false, true, 9021);
}
END_TEST

/* Values with checksums of their own for each block, larger than a whole file. */
START_TEST(large_values)
{
    run_scenario(&(struct scenario){
        .name = "large values",
        .settings = { .file_size_bytes = 65536, .seed = 3001, .batch_max = 2, .value_max = 180000, .large_odds = 2 },
        .n_batches = 3,
    });
}
END_TEST

/* The newest file goes on, again and again. */
START_TEST(starts_on_a_full_disk)
{
    run_scenario(&(struct scenario){
        .name = "full",
        .settings = { .file_size_bytes = 4096,
                      .seed = 7001,
                      .batch_max = 6,
                      .value_max = 600,
                      .large_odds = 8,
                      .full_starts = true },
        .n_batches = 10,
    });
}
END_TEST

START_TEST(on_a_disk)
{
    run_scenario(&(struct scenario){
        .name = "on a disk",
        .settings = { .file_size_bytes = 1024,
                      .seed = 6001,
                      .batch_max = 6,
                      .value_max = 600,
                      .large_odds = 8,
                      .merges = true },
        .n_batches = 2,
        .syncs = true,
        .merge_odds = 3,
    });
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, bool on_disk)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase,
                      setting("RK_CRASH_ROUNDS", 0) + setting("RK_CRASH_VARIANTS", 0) > 0 ? LONG_TIMEOUT_S : TIMEOUT_S);
    if (on_disk)
        tcase_add_checked_fixture(tcase, begin_on_disk, end_on_disk);
    else
        tcase_add_checked_fixture(tcase, begin_in_memory, end_in_memory);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("crash");
    TCase *expired;

    tcase_add_test(add_case(suite, "always", false), every_write_is_synced);
    tcase_add_test(add_case(suite, "none", false), nothing_is_synced_but_by_rolling_over);
    tcase_add_test(add_case(suite, "interval", false), now_and_then_a_sync);
    tcase_add_test(add_case(suite, "spare", false), a_spare_that_comes_and_goes);
    tcase_add_test(add_case(suite, "holes", false), holes_in_synced_writes);
    tcase_add_test(add_case(suite, "holes-none", false), holes_in_writes_that_are_not_synced);
    tcase_add_test(add_case(suite, "holes-expired", false), holes_beside_what_expired);
    tcase_add_test(add_case(suite, "merge", false), merges_of_synced_writes);
    tcase_add_test(add_case(suite, "merge-none", false), merges_of_writes_that_are_not_synced);
    expired = add_case(suite, "expired", false);
    tcase_add_test(expired, what_expires_while_all_is_synced);
    tcase_add_test(expired, what_expires_while_nothing_is_synced);
    tcase_add_test(add_case(suite, "large", false), large_values);
    tcase_add_test(add_case(suite, "full", false), starts_on_a_full_disk);
    tcase_add_test(add_case(suite, "disk", true), on_a_disk);
    return suite;
}
