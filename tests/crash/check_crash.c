/* Power failures and killed processes, at every operation of scripts that write, delete, roll over, stop and start:
 * what was promised is there, what is there is a prefix of what was written, and a recovery that fails half-way changes
 * nothing of that. RK_CRASH_ROUNDS=n makes n times as many of the scripts. */
#include "grace/grace.h"
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

#define TIMEOUT_S 36000 /* RK_CRASH_ROUNDS may ask for hours; a test that stands still is the caller's to end */

#define RECOVERIES_A_SCRIPT 1

/* A sanitizer takes its time: not all states. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define ONE_IN 32
#else
#define ONE_IN 1
#endif

static char *dir;
static char *live_root, *image_root;

static void make_dirs(void)
{
    rk_grace_register_thread();                /* merges read the keydir */
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20); /* buffers that each recovery takes stay in the process */
    (void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* nothing waits for a disk */
    dir = test_dir_create();
    ck_assert_int_ge(asprintf(&live_root, "%s/live", dir), 0);
    ck_assert_int_ge(asprintf(&image_root, "%s/image", dir), 0);
}

static void remove_dirs(void)
{
    test_dir_remove(&dir);
    free(live_root);
    free(image_root);
    rk_grace_unregister_thread();
}

static unsigned n_script_rounds(void)
{
    const char *text = getenv("RK_CRASH_ROUNDS");
    int n = text != NULL ? atoi(text) : 1;

    return n > 0 ? (unsigned)n : 1;
}

/* Lives of a server: from nothing, killed, started again, stopped, started, killed, and a start that finds nothing to
 * do. */
static void write_lives(struct sim_script *script, size_t n_batches, bool syncs, unsigned merge_odds)
{
    for (unsigned life = 0; life < 4; life++) {
        sim_script_open(script);
        for (size_t i = 0; i < n_batches; i++) {
            sim_script_batches(script, 1);
            if (syncs && sim_script_random(script, 6) == 0)
                sim_script_sync(script);
            if (sim_script_random(script, 8) == 0)
                sim_script_hints(script);
            if (merge_odds > 0 && sim_script_random(script, merge_odds) == 0)
                sim_script_merge(script);
        }
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

struct scenario {
    const char *name;
    struct sim_script_settings settings;
    size_t n_batches; /* in each life */
    bool syncs;
    unsigned merge_odds; /* after one batch in so many; 0: never */
    unsigned n_seeds;
    unsigned n_rounds;
    unsigned recover_odds;
};

static void run_scenario(const struct scenario *scenario)
{
    struct sim_replay replay = { .root = image_root,
                                 .n_rounds = scenario->n_rounds,
                                 .recover_odds = scenario->recover_odds,
                                 .one_in = ONE_IN,
                                 .seed = scenario->settings.seed };
    size_t n_ops = 0, n_writes = 0;

    for (unsigned i = 0; i < scenario->n_seeds * n_script_rounds(); i++) {
        struct sim_script_settings settings = scenario->settings;
        struct sim_script *script;

        settings.seed += i;
        replay.n_recoveries_max += RECOVERIES_A_SCRIPT;
        test_dir_remove(&(char *){ strdup(live_root) });
        script = sim_script_create(live_root, &settings);
        write_lives(script, scenario->n_batches, scenario->syncs, scenario->merge_odds);
        sim_record_end();
        replay.history = sim_script_history(script);
        sim_replay_trace(&replay, sim_script_trace(script), NULL);
        n_ops += sim_script_trace(script)->n_ops;
        n_writes += replay.history->n_writes;
        sim_script_destroy(&script);
    }
    printf("%s: %zu crash states after %zu operations of %zu writes and of %zu recoveries: all as promised\n",
           scenario->name, replay.n_states, n_ops, n_writes, replay.n_recoveries);
    sim_replay_free(&replay);
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
        .n_seeds = 1,
        .n_rounds = 1,
        .recover_odds = 2000,
    });
}
END_TEST

START_TEST(nothing_is_synced_but_by_rolling_over)
{
    run_scenario(&(struct scenario){
        .name = "none",
        .settings = { .file_size_bytes = 4096, .seed = 1001, .batch_max = 6, .value_max = 2000, .large_odds = 8 },
        .n_batches = 14,
        .n_seeds = 1,
        .n_rounds = 1,
        .recover_odds = 2000,
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
        .n_seeds = 1,
        .n_rounds = 1,
        .recover_odds = 200,
    });
}
END_TEST

static void run_merges(const char *name, bool sync_always, uint64_t seed)
{
    run_scenario(&(struct scenario){
        .name = name,
        .settings = { .sync_always = sync_always,
                      .file_size_bytes = 1024,
                      .seed = seed,
                      .batch_max = 6,
                      .value_max = 600,
                      .large_odds = 8,
                      .merges = true },
        .n_batches = 7,
        .merge_odds = 3,
        .n_seeds = 1,
        .n_rounds = 1,
        .recover_odds = 2000,
    });
}

START_TEST(merges_of_synced_writes)
{
    run_merges("always, merged", true, 4001);
}
END_TEST

START_TEST(merges_of_writes_that_are_not_synced)
{
    run_merges("none, merged", false, 5001);
}
END_TEST

/* Values with checksums of their own for each block, larger than a whole file. */
START_TEST(large_values)
{
    run_scenario(&(struct scenario){
        .name = "large values",
        .settings = { .file_size_bytes = 65536, .seed = 3001, .batch_max = 2, .value_max = 180000, .large_odds = 2 },
        .n_batches = 3,
        .n_seeds = 1,
        .n_rounds = 1,
        .recover_odds = 60,
    });
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("crash");
    TCase *tcase = tcase_create("crash");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, make_dirs, remove_dirs);
    tcase_add_test(tcase, every_write_is_synced);
    tcase_add_test(tcase, nothing_is_synced_but_by_rolling_over);
    tcase_add_test(tcase, now_and_then_a_sync);
    tcase_add_test(tcase, merges_of_synced_writes);
    tcase_add_test(tcase, merges_of_writes_that_are_not_synced);
    tcase_add_test(tcase, large_values);
    suite_add_tcase(suite, tcase);
    return suite;
}
