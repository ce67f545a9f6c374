/* Damage to a small store: each file cut at every byte, each bit flipped, and random garbage. Never a wrong value,
 * never a deleted key, never a crash or a great allocation: what is not harmless is reported, and then nothing was
 * changed. Of the newest file, a cut leaves exactly the records before it, and a flip never costs a record that had
 * been durable.
 *
 * Every byte and bit is gone through; under the sanitizers data files and hints are sampled, unless RK_DAMAGE_STRIDE=1.
 * RK_CRASH_ROUNDS=n asks for n times as much garbage. */
#include "base/base_detail.h"
#include "log/log_location.h"
#include "log/log_scan.h"
#include "log/log_store.h"
#include "sim_disk.h"
#include "sim_record.h"
#include "sim_script.h"
#include "test_dir.h"
#include "test_main.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIMEOUT_S       36000 /* RK_CRASH_ROUNDS may ask for hours */
#define GARBAGE_ROUNDS  500
#define RECORDS_MAX     64 /* in the newest file */
#define GARBAGE_BYTES   64
#define LOOK_AGAIN      8
#define ALLOCATED_BYTES (64u << 20)
#define WHERE_BYTES     160

/* Steps between bytes or bits, prime to 8. A sanitizer takes its time. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED      true
#define DEFAULT_STRIDE 37
#else
#define SANITIZED      false
#define DEFAULT_STRIDE 1
#endif

/* What damage to a file may lead to. */
enum file_kind {
    KIND_LOCK,   /* nothing is read of it: harmless */
    KIND_HINT,   /* made anew: harmless */
    KIND_HEAD,   /* STORE, MANIFEST: always reported */
    KIND_SEALED, /* reported, or everything is there */
    KIND_NEWEST, /* reported, or a torn tail */
};

static char *dir, *live_root, *image_root;
static struct sim_script *script;
static struct sim_history history;
static struct sim_image *image;
static size_t n_sealed_writes;     /* in the files before the newest */
static uint64_t ends[RECORDS_MAX]; /* of the records of the newest file */
static size_t n_ends;
static size_t n_promised;        /* of all writes: those that a mark says were durable */
static size_t at_least, at_most; /* so many writes may be there, if the store is opened */
static size_t n_cases, n_reported;

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    int n = text != NULL ? atoi(text) : 0;

    return n > 0 ? (unsigned)n : otherwise;
}

static unsigned n_rounds(void)
{
    return setting("RK_CRASH_ROUNDS", 1);
}

static unsigned stride(void)
{
    return setting("RK_DAMAGE_STRIDE", DEFAULT_STRIDE);
}

/* Where the records of the newest file end, and which of them were promised. */
static void look_at_newest(void)
{
    struct rk_log_store *store = NULL;
    struct rk_log_scan *scan = NULL;
    struct rk_log_scan_item item;

    sim_image_write(image, image_root);
    ck_assert_int_eq(rk_log_store_open(&store, image_root, NULL), RK_OK);
    ck_assert_int_eq(rk_log_scan_open(&scan, rk_log_store_dir_fd(store),
                                      rk_log_store_file(store, rk_log_store_n_files(store) - 1),
                                      rk_log_store_identity(store), NULL),
                     RK_OK);
    for (n_ends = 0; rk_log_scan_next(scan, &item, NULL) == RK_OK; n_ends++) {
        struct rk_location location = rk_log_location_decode(item.location);

        ck_assert_uint_lt(n_ends, RECORDS_MAX);
        ends[n_ends] = location.offset_bytes + location.size_bytes;
    }
    n_promised = n_sealed_writes;
    for (size_t i = 0; i < n_ends && ends[i] <= rk_log_scan_end(scan)->durable_bytes; i++)
        n_promised++;
    rk_log_scan_close(&scan);
    rk_log_store_close(&store);
    ck_assert_uint_eq(n_sealed_writes + n_ends, history.n_writes);
    ck_assert_uint_gt(n_promised, n_sealed_writes);
}

/* Two sealed files, and a newest one that was in use when the process died, or was closed. */
static void make_store(bool hints, bool closed)
{
    static const struct sim_script_settings settings = {
        .sync_always = true, .file_size_bytes = 1 << 16, .seed = 7, .batch_max = 2, .value_max = 60, .large_odds = 1
    };

    script = sim_script_create(live_root, &settings);
    sim_script_open(script);
    for (int i = 0; i < 2; i++) {
        sim_script_batches(script, 4);
        sim_script_roll(script);
    }
    n_sealed_writes = sim_script_history(script)->n_writes;
    if (hints)
        sim_script_hints(script);
    sim_script_batches(script, 4);
    if (closed)
        sim_script_close(script);
    else
        sim_script_die(script);
    memcpy(&history, sim_script_history(script), sizeof history);
    history.may_be_damaged = hints;
    sim_image_read(image, live_root);
    sim_script_destroy(&script);
    look_at_newest();
    at_least = at_most = history.n_writes;
}

/* The preallocated end of the newest file is as good as one byte of it. */
static size_t used_size(const struct sim_bytes *bytes)
{
    size_t size = bytes->size;

    while (size > 0 && bytes->at[size - 1] == 0)
        size--;
    return size + 1 < bytes->size ? size + 1 : bytes->size;
}

static size_t data_limit(void)
{
    FILE *in = fopen("/proc/self/statm", "re");
    unsigned long pages[6] = { 0 };

    for (int i = 0; in != NULL && i < 6; i++)
        if (fscanf(in, "%lu", &pages[i]) != 1)
            break;
    if (in != NULL)
        fclose(in);
    return pages[5] * (size_t)sysconf(_SC_PAGESIZE) + ALLOCATED_BYTES;
}

static void create(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* nothing waits for a disk */
    dir = test_dir_create();
    ck_assert_int_ge(asprintf(&live_root, "%s/live", dir), 0);
    ck_assert_int_ge(asprintf(&image_root, "%s/image", dir), 0);
    image = calloc(1, sizeof *image);
    if (!SANITIZED)
        ck_assert_int_eq(setrlimit(RLIMIT_DATA, &(struct rlimit){ data_limit(), data_limit() }), 0);
}

static void destroy(void)
{
    printf("%zu damaged stores: %zu reported, the others harmless\n", n_cases, n_reported);
    sim_image_free(image);
    free(image);
    test_dir_remove(&dir);
    free(live_root);
    free(image_root);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), suffix_len = strlen(suffix);

    return len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static enum file_kind kind_of(const char *name)
{
    if (strcmp(name, "LOCK") == 0)
        return KIND_LOCK;
    if (has_suffix(name, ".hint"))
        return KIND_HINT;
    if (!has_suffix(name, ".data"))
        return KIND_HEAD;
    for (size_t i = 0; i < image->n_files; i++)
        if (has_suffix(image->files[i].name, ".data") && strcmp(image->files[i].name, name) > 0)
            return KIND_SEALED;
    return KIND_NEWEST;
}

/* Nothing was changed on the disk, but the pid in LOCK. */
static void check_unchanged(const char *where)
{
    struct sim_image *after = calloc(1, sizeof *after);

    sim_image_read(after, image_root);
    for (size_t i = 0; i < image->n_files; i++) {
        const struct sim_file *file = &image->files[i];
        size_t at = 0;

        while (at < after->n_files && strcmp(after->files[at].name, file->name) != 0)
            at++;
        if (at == after->n_files)
            ck_abort_msg("%s: was reported, and %s is gone", where, file->name);
        if (strcmp(file->name, "LOCK") != 0
            && (after->files[at].bytes.size != file->bytes.size
                || (file->bytes.size > 0 && memcmp(after->files[at].bytes.at, file->bytes.at, file->bytes.size) != 0)))
            ck_abort_msg("%s: was reported, and %s was changed", where, file->name);
    }
    sim_image_free(after);
    free(after);
}

static void check_reported(enum file_kind kind, enum rk_err err, const char *where, const struct rk_detail *detail)
{
    n_reported++;
    if (kind == KIND_LOCK || kind == KIND_HINT)
        ck_abort_msg("%s: not opened: %s", where, detail->text);
    if (err != RK_ERR_CORRUPT && err != RK_ERR_MISMATCH)
        ck_abort_msg("%s: error %d: %s", where, (int)err, detail->text);
    if (strstr(detail->text, image_root) == NULL)
        ck_abort_msg("%s: the words do not say where: %s", where, detail->text);
    if (n_reported % LOOK_AGAIN == 0)
        check_unchanged(where);
}

static void check_opened(enum file_kind kind, const struct rk_store_recovery *first, const char *where)
{
    struct rk_store_recovery second;

    if (kind == KIND_HEAD)
        ck_abort_msg("%s: not noticed", where);
    if (first->n_records < at_least || first->n_records > at_most)
        ck_abort_msg("%s: %llu writes are there, and not %zu to %zu", where, (unsigned long long)first->n_records,
                     at_least, at_most);
    sim_history_recover(&history, image_root, where, &second);
    if (second.n_records != first->n_records || second.next_sequence != first->next_sequence || second.cut_file != 0)
        ck_abort_msg("%s: a second recovery gives another state", where);
}

/* The image is damaged at this moment. */
static void check_case(const char *name, const char *where)
{
    enum file_kind kind = kind_of(name);
    struct rk_store_recovery result;
    struct rk_detail detail = { "" };
    enum rk_err err;

    n_cases++;
    sim_image_write(image, image_root);
    err = sim_history_try(&history, image_root, where, &result, &detail);
    if (err == RK_OK)
        check_opened(kind, &result, where);
    else
        check_reported(kind, err, where, &detail);
}

/* A cut file has the records before the cut, and those only. */
static void expect_cut(const struct sim_file *file, size_t cut)
{
    at_least = at_most = history.n_writes;
    if (kind_of(file->name) != KIND_NEWEST)
        return;
    for (at_most = n_sealed_writes; at_most - n_sealed_writes < n_ends && ends[at_most - n_sealed_writes] <= cut;)
        at_most++;
    at_least = at_most;
}

/* A flip may cost what nobody had been promised; garbage also the record that had the mark. */
static void expect_damage(const struct sim_file *file, bool garbage)
{
    bool is_newest = kind_of(file->name) == KIND_NEWEST;

    at_most = history.n_writes;
    at_least = !is_newest ? at_most : garbage ? n_sealed_writes : n_promised;
}

static void cut_everywhere(struct sim_file *file, unsigned step)
{
    size_t size = file->bytes.size, used = used_size(&file->bytes);
    char where[WHERE_BYTES];

    for (size_t cut = 0; cut < used; cut += step) {
        file->bytes.size = cut;
        expect_cut(file, cut);
        snprintf(where, sizeof where, "%s cut at %zu of %zu", file->name, cut, size);
        check_case(file->name, where);
    }
    file->bytes.size = size;
}

static void flip_everywhere(struct sim_file *file, unsigned step)
{
    size_t used = used_size(&file->bytes);
    char where[WHERE_BYTES];

    expect_damage(file, false);
    for (size_t bit = 0; bit < used * 8; bit += step) {
        file->bytes.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        snprintf(where, sizeof where, "bit %zu of byte %zu of %s flipped", bit % 8, bit / 8, file->name);
        check_case(file->name, where);
        file->bytes.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void damage_all(const char *suffix, unsigned step)
{
    for (size_t i = 0; i < image->n_files; i++)
        if (has_suffix(image->files[i].name, suffix)) {
            cut_everywhere(&image->files[i], step);
            flip_everywhere(&image->files[i], step);
        }
}

START_TEST(identity_and_list)
{
    unsigned step = SANITIZED ? stride() : 1;

    make_store(true, false);
    damage_all("STORE", step);
    damage_all("MANIFEST", step);
    damage_all("LOCK", step);
}
END_TEST

START_TEST(hints)
{
    make_store(true, false);
    damage_all(".hint", stride());
}
END_TEST

START_TEST(data_files)
{
    make_store(false, false);
    damage_all(".data", stride());
}
END_TEST

/* Recovery does not read what a hint stands for: damage is found when a value is read. */
START_TEST(data_files_with_hints)
{
    make_store(true, true);
    damage_all("2.data", stride());
}
END_TEST

START_TEST(a_closed_newest_file)
{
    make_store(false, true);
    damage_all("3.data", stride());
}
END_TEST

START_TEST(garbage)
{
    uint64_t state = 1;

    make_store(true, false);
    for (unsigned round = 0; round < GARBAGE_ROUNDS / (SANITIZED ? 10 : 1) * n_rounds(); round++) {
        struct sim_file *file = &image->files[sim_random(&state) % image->n_files];
        size_t used = used_size(&file->bytes), at = sim_random(&state) % used;
        size_t size = 1 + sim_random(&state) % GARBAGE_BYTES;
        uint8_t kept[GARBAGE_BYTES];
        char where[WHERE_BYTES];

        size = size < file->bytes.size - at ? size : file->bytes.size - at;
        memcpy(kept, file->bytes.at + at, size);
        for (size_t i = 0; i < size; i++)
            file->bytes.at[at + i] = (uint8_t)sim_random(&state);
        expect_damage(file, true);
        snprintf(where, sizeof where, "%zu bytes of garbage at %zu of %s (round %u)", size, at, file->name, round);
        if (memcmp(kept, file->bytes.at + at, size) != 0)
            check_case(file->name, where);
        memcpy(file->bytes.at + at, kept, size);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("damage");
    TCase *tcase = tcase_create("damage");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, create, destroy);
    tcase_add_test(tcase, identity_and_list);
    tcase_add_test(tcase, hints);
    tcase_add_test(tcase, data_files);
    tcase_add_test(tcase, data_files_with_hints);
    tcase_add_test(tcase, a_closed_newest_file);
    tcase_add_test(tcase, garbage);
    suite_add_tcase(suite, tcase);
    return suite;
}
