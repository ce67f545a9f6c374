#include "damage_bed.h"

#include "base/base_detail.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "disk/disk_scan.h"
#include "log/log_store.h"
#include "sim_fixed.h"
#include "sim_memory.h"
#include "sim_record.h"
#include "sim_script.h"
#include "test_sanitized.h"

#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOK_AGAIN      8
#define FILE_AGE_S      3
#define GARBAGE_BYTES   64
#define FILE_BYTES_MIN  (64u << 10)
#define ALLOCATED_BYTES (64u << 20)

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

struct damage_bed *damage_bed_begin(const char *dir)
{
    struct damage_bed *bed = calloc(1, sizeof *bed);

    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
    ck_assert_int_ge(asprintf(&bed->root, "%s/store", dir != NULL ? dir : "/memory"), 0);
    if (dir == NULL)
        sim_memory_begin();
    if (!TEST_SANITIZED)
        ck_assert_int_eq(setrlimit(RLIMIT_DATA, &(struct rlimit){ data_limit(), data_limit() }), 0);
    return bed;
}

void damage_bed_end(struct damage_bed **bed)
{
    if (sim_memory_is_used())
        sim_memory_end();
    sim_image_free(&(*bed)->image);
    free((*bed)->root);
    free(*bed);
    *bed = NULL;
}

/* Where the records of the newest file end, and which of them were promised. */
static void look_at_newest(struct damage_bed *bed)
{
    struct rk_log_store *store = NULL;
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;

    sim_image_write(&bed->image, bed->root);
    ck_assert_int_eq(rk_log_store_open(&store, bed->root, NULL), RK_OK);
    ck_assert_int_eq(rk_disk_scan_open(&scan, rk_log_store_dir_fd(store),
                                       rk_log_store_file(store, rk_log_store_n_files(store) - 1),
                                       rk_log_store_identity(store), NULL),
                     RK_OK);
    for (bed->n_ends = 0; rk_disk_scan_next(scan, &item, NULL) == RK_OK; bed->n_ends++) {
        struct rk_location location = rk_disk_location_decode(item.location);

        ck_assert_uint_lt(bed->n_ends, DAMAGE_RECORDS_MAX);
        bed->ends[bed->n_ends] = location.offset_bytes + location.size_bytes;
    }
    bed->n_promised = bed->n_sealed_writes;
    for (size_t i = 0; i < bed->n_ends && bed->ends[i] <= rk_disk_scan_end(scan)->durable_bytes; i++)
        bed->n_promised++;
    rk_disk_scan_close(&scan);
    rk_log_store_close(&store);
    ck_assert_uint_eq(bed->n_sealed_writes + bed->n_ends, bed->history.n_writes);
    ck_assert_uint_gt(bed->n_promised, bed->n_sealed_writes);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), suffix_len = strlen(suffix);

    return len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static enum damage_kind kind_of(const struct damage_bed *bed, const char *name)
{
    if (strcmp(name, "LOCK") == 0 || strcmp(name, "SPARE") == 0)
        return DAMAGE_LOCK;
    if (has_suffix(name, ".hint"))
        return DAMAGE_HINT;
    if (!has_suffix(name, ".data"))
        return DAMAGE_HEAD;
    for (size_t i = 0; i < bed->image.n_files; i++)
        if (has_suffix(bed->image.files[i].name, ".data") && strcmp(bed->image.files[i].name, name) > 0)
            return DAMAGE_SEALED;
    return DAMAGE_NEWEST;
}

static size_t used_size(const struct sim_bytes *bytes)
{
    size_t size = bytes->size;

    while (size > 0 && bytes->at[size - 1] == 0)
        size--;
    return size + 1 < bytes->size ? size + 1 : bytes->size;
}

static void note_files(struct damage_bed *bed)
{
    for (size_t i = 0; i < bed->image.n_files; i++) {
        bed->kinds[i] = kind_of(bed, bed->image.files[i].name);
        bed->used_sizes[i] = used_size(&bed->image.files[i].bytes);
    }
}

/* Batches until so many bytes more are written. */
static void fill_file(struct sim_script *script, uint64_t file_bytes)
{
    const struct sim_history *history = sim_script_history(script);
    size_t n_counted = history->n_writes;
    uint64_t n_bytes = 0;

    while (n_bytes < file_bytes) {
        sim_script_batches(script, 1);
        for (; n_counted < history->n_writes; n_counted++)
            n_bytes += rk_record_size(sizeof "key0" - 1, 0, history->writes[n_counted].value_len,
                                      history->writes[n_counted].expiry_ms != 0);
    }
}

/* Nothing is rolled over but by the script. */
static uint64_t file_bytes(const struct damage_settings *settings)
{
    uint64_t most = settings->sealed_bytes > settings->newest_bytes ? settings->sealed_bytes : settings->newest_bytes;

    return most * 2 > FILE_BYTES_MIN ? most * 2 : FILE_BYTES_MIN;
}

/* In the sealed files: the newest one is empty. */
static void punch_holes(struct sim_script *script)
{
    const struct sim_trace *trace = sim_script_trace(script);
    size_t n_ops = trace->n_ops, n_holes = 0;

    sim_script_punch(script);
    while (n_ops < trace->n_ops)
        n_holes += trace->ops[n_ops++].kind == SIM_PUNCH;
    ck_assert_uint_ge(n_holes, 2);
}

/* Sealed files, and a newest one that was in use when the process died, or was closed. */
void damage_bed_make(struct damage_bed *bed, const struct damage_settings *settings)
{
    struct sim_script *script;

    if (settings->spare)
        sim_memory_copy_on_write(true);
    sim_fixed_random(settings->seed);
    sim_image_write(&(struct sim_image){ .has_root = false }, bed->root);
    script =
        sim_script_create(bed->root, &(struct sim_script_settings){ .sync_always = true,
                                                                    .file_size_bytes = file_bytes(settings),
                                                                    .seed = settings->seed,
                                                                    .batch_max = settings->batch_max,
                                                                    .value_max = settings->value_max,
                                                                    .large_odds = 1,
                                                                    .spare_bytes = settings->spare ? FILE_BYTES_MIN : 0,
                                                                    .merges = settings->holes,
                                                                    .expires = settings->expires });
    sim_script_open(script);
    for (unsigned i = 0; i < settings->n_sealed; i++) {
        fill_file(script, settings->sealed_bytes);
        sim_script_roll(script);
        if (settings->expires)
            sim_script_wait(script, FILE_AGE_S);
    }
    if (settings->spare)
        sim_script_spare(script);
    if (settings->holes)
        punch_holes(script);
    bed->n_sealed_writes = sim_script_history(script)->n_writes;
    if (settings->hints)
        sim_script_hints(script);
    fill_file(script, settings->newest_bytes);
    if (settings->closed)
        sim_script_close(script);
    else
        sim_script_die(script);
    sim_history_copy(&bed->history, sim_script_history(script));
    bed->history.may_be_damaged = settings->hints;
    sim_image_read(&bed->image, bed->root);
    sim_script_destroy(&script);
    note_files(bed);
    look_at_newest(bed);
    bed->is_closed = settings->closed;
    bed->at_least = bed->at_most = bed->history.n_writes;
}

bool damage_bed_is(const struct damage_bed *bed, size_t file, const char *suffix)
{
    return has_suffix(bed->image.files[file].name, suffix);
}

/* Nothing was changed on the disk, but the pid in LOCK. */
static void check_unchanged(const struct damage_bed *bed)
{
    struct sim_image *after = calloc(1, sizeof *after);

    sim_image_read(after, bed->root);
    for (size_t i = 0; i < bed->image.n_files; i++) {
        const struct sim_file *file = &bed->image.files[i];
        size_t at = 0;

        while (at < after->n_files && strcmp(after->files[at].name, file->name) != 0)
            at++;
        if (at == after->n_files)
            ck_abort_msg("%s: was reported, and %s is gone", bed->where, file->name);
        if (strcmp(file->name, "LOCK") != 0
            && (after->files[at].bytes.size != file->bytes.size
                || (file->bytes.size > 0 && memcmp(after->files[at].bytes.at, file->bytes.at, file->bytes.size) != 0)))
            ck_abort_msg("%s: was reported, and %s was changed", bed->where, file->name);
    }
    sim_image_free(after);
    free(after);
}

static void check_reported(struct damage_bed *bed, size_t file, enum rk_err err, const struct rk_detail *detail)
{
    enum damage_kind kind = bed->kinds[file];

    bed->n_reported++;
    if (kind == DAMAGE_LOCK || kind == DAMAGE_HINT)
        ck_abort_msg("%s: not opened: %s", bed->where, detail->text);
    if (err != RK_ERR_CORRUPT && err != RK_ERR_MISMATCH)
        ck_abort_msg("%s: error %d: %s", bed->where, (int)err, detail->text);
    if (strstr(detail->text, bed->root) == NULL
        || (kind == DAMAGE_HEAD && strstr(detail->text, bed->image.files[file].name) == NULL))
        ck_abort_msg("%s: the words do not say where: %s", bed->where, detail->text);
    if (bed->n_reported % LOOK_AGAIN == 0)
        check_unchanged(bed);
}

static void check_opened(struct damage_bed *bed, enum damage_kind kind, const struct rk_recovery *first)
{
    struct rk_recovery second;

    if (kind == DAMAGE_HEAD || bed->must_be_reported)
        ck_abort_msg("%s: not noticed", bed->where);
    if (first->n_records < bed->at_least || first->n_records > bed->at_most)
        ck_abort_msg("%s: %llu writes are there, and not %zu to %zu", bed->where, (unsigned long long)first->n_records,
                     bed->at_least, bed->at_most);
    sim_history_recover(&bed->history, bed->root, bed->where, &second);
    if (second.n_records != first->n_records || second.next_sequence != first->next_sequence || second.cut_file != 0)
        ck_abort_msg("%s: a second recovery gives another state", bed->where);
}

/* The image is damaged at this moment. */
static void check_case(struct damage_bed *bed, size_t file)
{
    struct rk_recovery result;
    struct rk_detail detail = { "" };
    enum rk_err err;

    bed->n_cases++;
    bed->history.n_least = bed->at_least; /* of what has holes the number of records does not tell */
    bed->history.n_most = bed->at_most;
    sim_image_write(&bed->image, bed->root);
    err = sim_history_try(&bed->history, bed->root, bed->where, &result, &detail);
    if (err == RK_OK)
        check_opened(bed, bed->kinds[file], &result);
    else
        check_reported(bed, file, err, &detail);
}

/* A cut file has the records before the cut, and those only. */
static void expect_cut(struct damage_bed *bed, size_t file, size_t size)
{
    size_t n = 0;

    bed->at_least = bed->at_most = bed->history.n_writes;
    if (bed->kinds[file] != DAMAGE_NEWEST)
        return;
    if (bed->is_closed)
        return; /* it is known where it was closed: nothing is taken for a torn tail but the trailer */
    while (n < bed->n_ends && bed->ends[n] <= size)
        n++;
    bed->at_least = bed->at_most = bed->n_sealed_writes + n;
}

/* A flip may cost what nobody had been promised; garbage also the record that had the mark. */
static void expect_damage(struct damage_bed *bed, size_t file, bool garbage)
{
    bed->at_least = bed->at_most = bed->history.n_writes;
    if (bed->kinds[file] == DAMAGE_NEWEST)
        bed->at_least = garbage ? bed->n_sealed_writes : bed->n_promised;
}

/* A header was durable before the file was listed, and so was all that is before the trailer of a closed one. */
static size_t durable_size(const struct damage_bed *bed)
{
    return bed->is_closed && bed->n_ends > 0 ? bed->ends[bed->n_ends - 1] : RK_DISK_FILE_FRAME_BYTES;
}

void damage_bed_cut(struct damage_bed *bed, size_t file, size_t size)
{
    struct sim_file *damaged = &bed->image.files[file];
    size_t kept = damaged->bytes.size;

    expect_cut(bed, file, size);
    snprintf(bed->where, sizeof bed->where, "%s cut at %zu of %zu", damaged->name, size, kept);
    bed->must_be_reported = bed->kinds[file] == DAMAGE_NEWEST && size < durable_size(bed);
    damaged->bytes.size = size;
    check_case(bed, file);
    damaged->bytes.size = kept;
    bed->must_be_reported = false;
}

void damage_bed_flip(struct damage_bed *bed, size_t file, size_t bit)
{
    struct sim_file *damaged = &bed->image.files[file];

    expect_damage(bed, file, false);
    snprintf(bed->where, sizeof bed->where, "bit %zu of byte %zu of %s flipped", bit % 8, bit / 8, damaged->name);
    damaged->bytes.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    check_case(bed, file);
    damaged->bytes.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

void damage_bed_random(struct damage_bed *bed, uint64_t round)
{
    uint64_t state = round * 0x9e3779b97f4a7c15u + 1;
    size_t file = sim_random(&state) % bed->image.n_files;
    struct sim_bytes *bytes = &bed->image.files[file].bytes;
    size_t at = sim_random(&state) % bed->used_sizes[file];
    size_t size = 1 + sim_random(&state) % GARBAGE_BYTES;
    uint8_t kept[GARBAGE_BYTES];

    size = size < bytes->size - at ? size : bytes->size - at;
    memcpy(kept, bytes->at + at, size);
    for (size_t i = 0; i < size; i++)
        bytes->at[at + i] = (uint8_t)sim_random(&state);
    if (memcmp(kept, bytes->at + at, size) == 0)
        bytes->at[at] ^= 1;
    expect_damage(bed, file, true);
    snprintf(bed->where, sizeof bed->where, "%zu bytes of garbage at %zu of %s (RK_DAMAGE_ROUND=%llu)", size, at,
             bed->image.files[file].name, (unsigned long long)round);
    check_case(bed, file);
    memcpy(bytes->at + at, kept, size);
}
