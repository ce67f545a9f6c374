/* Damage to a small store: each file cut at every byte, each bit flipped, and random garbage. Never a wrong value,
 * never a deleted key, never a crash or a great allocation: what is not harmless is reported, and then nothing was
 * changed (damage_bed.h has the whole list). The files are in memory (sim_memory.h), but for a sample of each kind,
 * which is on a disk.
 *
 * Every byte and bit of files of some hundred bytes is gone through; under the sanitizers data files and hints are
 * sampled, unless RK_DAMAGE_STRIDE=1. Of files of 256 KiB, and of garbage, there is a sample, or as much as is asked
 * for:
 *
 *   RK_DAMAGE_GARBAGE=10000000  so many rounds of garbage, and not 20,000
 *   RK_DAMAGE_LARGE_STRIDE=1    cuts the large files at every byte, and not at every 1009th
 *   RK_DAMAGE_ROUND=n           both begin with n, garbage is then for one round, unless more are asked for: to see a
 *                               failure again, or to do it piece by piece
 *   RK_CRASH_PROCESSES=n        for both, and not as many as there are processors */
#include "damage_bed.h"
#include "disk/disk_manifest.h"
#include "log/log_store.h"
#include "sim_crew.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S      300
#define LONG_TIMEOUT_S 36000 /* for who asks for more: it may be hours */

/* Steps between bytes or bits, prime to 8. A sanitizer takes its time. */
#define DEFAULT_STRIDE (TEST_SANITIZED ? 37 : 1)
#define LARGE_STRIDE   (TEST_SANITIZED ? 10007 : 1009)
#define DISK_STRIDE    97
#define GARBAGE_ROUNDS (TEST_SANITIZED ? 1000 : 20000)
#define DISK_ROUNDS    (TEST_SANITIZED ? 50 : 500)
#define STORE_ROUNDS   100000u /* with one store; then comes another one */
#define SMALL_SEED     28u     /* of which sealed and newest file have tombstones, and what has expired and will */
#define LARGE_BYTES    (256u << 10)
#define SMALL_BYTES    (8u << 10) /* beside a large one */
#define HINT_WRITES    8300u      /* whose hint is as large (32 bytes each), of 69 bytes on average */

static char *dir;
static struct damage_bed *bed;
static const char *subject; /* of the test that runs, for its figures */

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    long long n = text != NULL ? atoll(text) : 0;

    return n > 0 ? (uint64_t)n : otherwise;
}

static void begin_in_memory(void)
{
    bed = damage_bed_begin(NULL);
}

static void begin_on_disk(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* nothing waits for a disk */
    dir = test_dir_create();
    bed = damage_bed_begin(dir);
}

static void end(void)
{
    printf("%s: %llu damaged stores, %llu of them reported, the others harmless\n", subject,
           (unsigned long long)bed->n_cases, (unsigned long long)bed->n_reported);
    damage_bed_end(&bed);
    test_dir_remove(&dir);
}

static void make_small_store(uint64_t seed, bool hints, bool closed)
{
    damage_bed_make(bed, &(struct damage_settings){ .seed = seed,
                                                    .hints = hints,
                                                    .expires = true,
                                                    .closed = closed,
                                                    .n_sealed = 2,
                                                    .sealed_bytes = 600,
                                                    .newest_bytes = 600,
                                                    .batch_max = 2,
                                                    .value_max = 60 });
}

static void cut_everywhere(size_t file, size_t step)
{
    for (size_t size = 0; size < bed->used_sizes[file]; size += step)
        damage_bed_cut(bed, file, size);
}

static void damage_all(const char *suffix, size_t step)
{
    for (size_t file = 0; file < bed->image.n_files; file++) {
        if (!damage_bed_is(bed, file, suffix))
            continue;
        cut_everywhere(file, step);
        for (size_t bit = 0; bit < bed->used_sizes[file] * 8; bit += step)
            damage_bed_flip(bed, file, bit);
    }
}

START_TEST(identity_and_list)
{
    size_t step = TEST_SANITIZED ? setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE) : 1;

    subject = "STORE, MANIFEST, LOCK";
    make_small_store(SMALL_SEED, true, false);
    damage_all("STORE", step);
    damage_all("MANIFEST", step);
    damage_all("LOCK", step);
}
END_TEST

START_TEST(hints)
{
    subject = "hints";
    make_small_store(SMALL_SEED, true, false);
    damage_all(".hint", setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE));
}
END_TEST

START_TEST(data_files)
{
    subject = "data files";
    make_small_store(SMALL_SEED, false, false);
    damage_all(".data", setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE));
}
END_TEST

/* In blocks of 64 bytes, so that small files have holes. */
START_TEST(data_files_with_holes)
{
    subject = "data files with holes";
    damage_bed_make(bed, &(struct damage_settings){ .seed = SMALL_SEED,
                                                    .expires = true,
                                                    .holes = true,
                                                    .n_sealed = 2,
                                                    .sealed_bytes = 1500,
                                                    .newest_bytes = 300,
                                                    .batch_max = 2,
                                                    .value_max = 300 });
    damage_all("1.data", setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE));
    damage_all("2.data", setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE));
}
END_TEST

START_TEST(a_spare)
{
    size_t file = 0;

    subject = "SPARE";
    damage_bed_make(bed, &(struct damage_settings){ .seed = SMALL_SEED,
                                                    .spare = true,
                                                    .n_sealed = 2,
                                                    .sealed_bytes = 600,
                                                    .newest_bytes = 600,
                                                    .batch_max = 2,
                                                    .value_max = 60 });
    while (!damage_bed_is(bed, file, "SPARE"))
        ck_assert_uint_lt(++file, bed->image.n_files);
    damage_all("SPARE", 1);
    damage_bed_cut(bed, file, bed->image.files[file].bytes.size / 2);
    damage_bed_flip(bed, file, bed->image.files[file].bytes.size * 4);
}
END_TEST

/* Recovery does not read what a hint stands for: damage is found when a value is read. */
START_TEST(data_files_with_hints)
{
    subject = "data files with hints";
    make_small_store(SMALL_SEED, true, true);
    damage_all("2.data", setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE));
}
END_TEST

START_TEST(a_closed_newest_file)
{
    subject = "a closed newest file";
    make_small_store(SMALL_SEED, false, true);
    damage_all("3.data", setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE));
}
END_TEST

/* Any file at any place, and garbage. */
START_TEST(on_disk)
{
    subject = "on a disk";
    make_small_store(SMALL_SEED, true, false);
    damage_all("", DISK_STRIDE);
    for (uint64_t round = 0; round < DISK_ROUNDS; round++)
        damage_bed_random(bed, round);
}
END_TEST

static void use_store_of(uint64_t round)
{
    static uint64_t seed;

    if (seed == 1 + round / STORE_ROUNDS)
        return;
    seed = 1 + round / STORE_ROUNDS;
    make_small_store(seed, seed % 4 != 0, seed % 8 == 1);
}

static void note_figures(struct sim_crew_member *member)
{
    member->figures[0] = bed->n_cases;
    member->figures[1] = bed->n_reported;
}

static void run_crew(void (*run)(void *context, struct sim_crew_member *member), void *context)
{
    uint64_t figures[SIM_CREW_FIGURES];

    sim_crew_run(run, context, figures);
    bed->n_cases = figures[0];
    bed->n_reported = figures[1];
}

static void run_garbage(void *context, struct sim_crew_member *member)
{
    uint64_t first = setting("RK_DAMAGE_ROUND", 0);
    uint64_t n_rounds = setting("RK_DAMAGE_GARBAGE", first > 0 ? 1 : GARBAGE_ROUNDS);

    for (uint64_t i = member->index; i < n_rounds; i += member->n_members) {
        member->round = first + i;
        use_store_of(member->round);
        damage_bed_random(bed, member->round);
    }
    note_figures(member);
}

START_TEST(garbage)
{
    subject = "garbage";
    run_crew(run_garbage, NULL);
}
END_TEST

/* The round is the place of the cut. */
static void run_large_cuts(void *context, struct sim_crew_member *member)
{
    size_t file = *(const size_t *)context;
    size_t step = setting("RK_DAMAGE_LARGE_STRIDE", LARGE_STRIDE);

    for (member->round = setting("RK_DAMAGE_ROUND", 0) + member->index * step; member->round < bed->used_sizes[file];
         member->round += member->n_members * step)
        damage_bed_cut(bed, file, member->round);
    note_figures(member);
}

static void cut_large(const char *name)
{
    size_t file = 0;

    while (!damage_bed_is(bed, file, name))
        file++;
    ck_assert_uint_ge(bed->used_sizes[file], LARGE_BYTES);
    run_crew(run_large_cuts, &file);
}

static void make_large_store(uint64_t sealed_bytes, uint64_t newest_bytes)
{
    damage_bed_make(bed, &(struct damage_settings){ .seed = 11,
                                                    .n_sealed = 1,
                                                    .sealed_bytes = sealed_bytes,
                                                    .newest_bytes = newest_bytes,
                                                    .batch_max = 8,
                                                    .value_max = 2000 });
}

START_TEST(a_large_newest_file)
{
    subject = "a newest file of 256 KiB";
    make_large_store(SMALL_BYTES, LARGE_BYTES);
    cut_large("2.data");
}
END_TEST

START_TEST(a_large_sealed_file)
{
    subject = "a sealed file of 256 KiB";
    make_large_store(LARGE_BYTES, SMALL_BYTES);
    cut_large("1.data");
}
END_TEST

START_TEST(a_large_hint)
{
    subject = "a hint of 256 KiB";
    damage_bed_make(bed, &(struct damage_settings){ .seed = 12,
                                                    .hints = true,
                                                    .n_sealed = 1,
                                                    .sealed_bytes = (uint64_t)HINT_WRITES * 69,
                                                    .newest_bytes = SMALL_BYTES,
                                                    .batch_max = 16,
                                                    .value_max = 50 });
    cut_large(".hint");
}
END_TEST

/* The list of so many files that it is large. They are not there: when a store is opened, only the list is looked at.
 */
static void list_many_files(struct sim_bytes *bytes)
{
    static uint32_t numbers[LARGE_BYTES / sizeof(uint32_t)];
    struct rk_log_store *store = NULL;
    struct rk_disk_manifest manifest;

    ck_assert_int_eq(rk_disk_manifest_decode(bytes->at, bytes->size, &manifest, NULL), RK_OK);
    free(manifest.files);
    for (uint32_t i = 0; i < LARGE_BYTES / sizeof(uint32_t); i++)
        numbers[i] = i + 1;
    manifest.files = numbers;
    manifest.n_files = LARGE_BYTES / sizeof(uint32_t);
    manifest.next_number = manifest.n_files + 1;
    sim_bytes_resize(bytes, rk_disk_manifest_size(&manifest));
    rk_disk_manifest_encode(bytes->at, &manifest);
    sim_image_write(&bed->image, bed->root);
    ck_assert_int_eq(rk_log_store_open(&store, bed->root, NULL), RK_OK);
    rk_log_store_close(&store);
}

START_TEST(a_large_list)
{
    size_t file = 0;

    subject = "a list of 256 KiB";
    make_small_store(SMALL_SEED, false, false);
    while (!damage_bed_is(bed, file, "MANIFEST"))
        file++;
    list_many_files(&bed->image.files[file].bytes);
    bed->used_sizes[file] = bed->image.files[file].bytes.size;
    cut_large("MANIFEST");
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, void (*begin)(void))
{
    TCase *tcase = tcase_create(name);
    bool is_long = setting("RK_DAMAGE_GARBAGE", 0) + setting("RK_DAMAGE_LARGE_STRIDE", 0) > 0;

    tcase_set_timeout(tcase, is_long ? LONG_TIMEOUT_S : TIMEOUT_S);
    tcase_add_checked_fixture(tcase, begin, end);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("damage");
    TCase *small = add_case(suite, "small", begin_in_memory);
    TCase *random = add_case(suite, "garbage", begin_in_memory);
    TCase *large = add_case(suite, "large", begin_in_memory);

    tcase_add_test(small, identity_and_list);
    tcase_add_test(small, hints);
    tcase_add_test(small, data_files);
    tcase_add_test(small, data_files_with_holes);
    tcase_add_test(small, a_spare);
    tcase_add_test(small, data_files_with_hints);
    tcase_add_test(small, a_closed_newest_file);
    tcase_add_test(random, garbage);
    tcase_add_test(large, a_large_newest_file);
    tcase_add_test(large, a_large_sealed_file);
    tcase_add_test(large, a_large_list);
    tcase_add_test(add_case(suite, "large-hint", begin_in_memory), a_large_hint);
    tcase_add_test(add_case(suite, "disk", begin_on_disk), on_disk);
    return suite;
}
