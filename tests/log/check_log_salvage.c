/* Salvage of damaged files: what is whole is kept, to the last record; what is damaged is named; nothing is invented;
 * and the original stays. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "disk/disk_summary.h"
#include "log/log_merged.h"
#include "log/log_salvage.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "test_dir.h"
#include "test_io.h"
#include "test_log.h"
#include "test_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_RECORDS    12 /* in each of two files */
#define FILE_BYTES   (1u << 20)
#define N_SEEN_MAX   64
#define FAR_SEQUENCE ((uint64_t)1 << 50)
#define STRIDE       5 /* between bytes; meets each bit and each place in a unit */

static struct test_log bed;
static unsigned n_losses, n_replaced, n_dropped, n_listed, n_moved;
static struct rk_log_salvage_dropped last_dropped;
static struct rk_log_salvage_loss last_loss;
static struct rk_log_salvage_file last_file;

static void on_lost(void *context, const struct rk_log_salvage_loss *loss)
{
    n_losses++;
    last_loss = *loss;
}

static void on_replaced(void *context, const struct rk_log_salvage_file *file)
{
    n_replaced++;
    last_file = *file;
}

static void on_dropped(void *context, const struct rk_log_salvage_dropped *dropped)
{
    n_dropped++;
    last_dropped = *dropped;
}

static void on_listed(void *context, uint32_t file_number, uint64_t first_sequence, uint64_t last_sequence)
{
    n_listed++;
}

static void on_moved(void *context, uint32_t file_number)
{
    n_moved++;
}

static const struct rk_log_salvage_hooks hooks = {
    .lost = on_lost, .replaced = on_replaced, .dropped = on_dropped, .listed = on_listed, .moved = on_moved
};

static void use_memory(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* hundreds of stores: none has to wait for a disk */
}

/* Two sealed files. */
static void setup(void)
{
    char value[100];

    test_log_open(&bed, FILE_BYTES, 1);
    for (unsigned i = 0; i < 2 * N_RECORDS; i++) {
        snprintf(value, sizeof value, "value %u %.*s", i, (int)(i % 40), "........................................");
        (void)test_log_put(bed.writer, i % 5 == 4 ? "other" : "key", i % 7 == 6 ? NULL : value);
        (void)rk_log_writer_sync(bed.writer);
        if (i + 1 == N_RECORDS)
            ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    }
    ck_assert_int_eq(rk_log_writer_close(&bed.writer), RK_OK);
    n_losses = n_replaced = n_dropped = n_listed = n_moved = 0;
}

static void teardown(void)
{
    test_log_close(&bed);
}

/* Sequences of all whole records of all files, in order; none may be damaged, and all but the newest must be sealed. */
static size_t list_sequences(uint64_t *sequences)
{
    struct rk_detail detail = { "" };
    struct rk_disk_scan_item item;
    size_t n = 0;

    for (size_t i = 0; i < rk_log_store_n_files(bed.store); i++) {
        struct rk_disk_scan *scan = NULL;

        ck_assert_msg(rk_disk_scan_open(&scan, rk_log_store_dir_fd(bed.store), rk_log_store_file(bed.store, i),
                                        rk_log_store_identity(bed.store), &detail)
                          == RK_OK,
                      "%s", detail.text);
        while (rk_disk_scan_next(scan, &item, &detail) == RK_OK) {
            ck_assert_uint_lt(n, N_SEEN_MAX);
            sequences[n++] = item.header.sequence;
        }
        if (i + 1 < rk_log_store_n_files(bed.store))
            ck_assert_msg(rk_disk_scan_end(scan)->kind == RK_DISK_SCAN_SEALED, "%s", rk_disk_scan_end(scan)->what);
        ck_assert_int_ne(rk_disk_scan_end(scan)->kind, RK_DISK_SCAN_DAMAGED);
        rk_disk_scan_close(&scan);
    }
    return n;
}

static enum rk_err do_salvage(void)
{
    struct rk_detail detail = { "" };
    enum rk_err err = rk_log_salvage(bed.store, &hooks, &detail);

    ck_assert_msg(err == RK_OK || detail.text[0] != '\0', "%d", err);
    return err;
}

/* All but at most one of the records are there, in order. */
static void check_one_missing(size_t at)
{
    uint64_t sequences[N_SEEN_MAX];
    size_t n = list_sequences(sequences);

    ck_assert_msg(n >= 2 * N_RECORDS - 1 && n <= 2 * N_RECORDS, "byte %zu: %zu records", at, n);
    for (size_t i = 0; i + 1 < n; i++)
        ck_assert_uint_lt(sequences[i], sequences[i + 1]);
}

static const char *const names[] = { "0000000001.data", "0000000002.data" };

START_TEST(one_flipped_byte_costs_one_record)
{
    size_t size;
    uint8_t *bytes = test_log_read_file(bed.path, names[_i], &size);

    free(bytes);
    teardown();
    for (size_t at = 0; at < size; at += STRIDE) {
        char kept[64];

        setup();
        bytes = test_log_read_file(bed.path, names[_i], &size);
        bytes[at] ^= (uint8_t)(1u << at % 8);
        test_log_write_file(bed.path, names[_i], bytes, size);
        ck_assert_int_eq(do_salvage(), RK_OK);
        check_one_missing(at);
        if (n_replaced > 0) { /* the padding of a record is not looked at */
            size_t kept_size;
            uint8_t *original;

            ck_assert_uint_eq(n_losses, 1);
            ck_assert_uint_le(last_loss.offset_bytes, at);
            ck_assert_uint_gt(last_loss.offset_bytes + last_loss.size_bytes, at);
            snprintf(kept, sizeof kept, "quarantine/%s", names[_i]);
            original = test_log_read_file(bed.path, kept, &kept_size);
            ck_assert_uint_eq(kept_size, size);
            ck_assert_int_eq(memcmp(original, bytes, size), 0);
            free(original);
        }
        free(bytes);
        n_replaced = 0;
        ck_assert_int_eq(do_salvage(), RK_OK); /* again: nothing is left to do */
        ck_assert_uint_eq(n_replaced, 0);
        teardown();
    }
    setup();
}
END_TEST

/* As after a start on a full disk that followed a crash: the newest file goes on, and leaves sequences out. */
static void go_on_behind_a_gap(unsigned n)
{
    struct rk_log_newest newest = {
        .file_number = 2,
        .is_sealed = true,
        .totals = { .n_records = N_RECORDS, .first_sequence = N_RECORDS + 1, .last_sequence = 2 * N_RECORDS }
    };
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES,
                                               .next_sequence = 2 * N_RECORDS + RK_LOG_SEQUENCE_GAP + 1,
                                               .newest = &newest };
    size_t size;

    free(test_log_read_file(bed.path, names[1], &size));
    newest.totals.size_bytes = size - RK_DISK_FILE_FRAME_BYTES;
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_PWRITEV, .nth = 1, .forever = true, .errnum = ENOSPC });
    ck_assert_int_eq(rk_log_writer_open(&bed.writer, bed.store, &settings, NULL), RK_OK);
    test_io_remove();
    ck_assert_uint_eq(rk_log_writer_file_number(bed.writer), 2);
    for (; n > 0; n--)
        (void)test_log_put(bed.writer, "key", "behind the gap");
    ck_assert_int_eq(rk_log_writer_close(&bed.writer), RK_OK);
}

START_TEST(a_gap_in_the_sequences_costs_nothing)
{
    uint64_t sequences[N_SEEN_MAX];
    uint8_t *bytes;
    size_t end, size;

    free(test_log_read_file(bed.path, names[1], &end));
    end -= RK_DISK_FILE_FRAME_BYTES;
    go_on_behind_a_gap(3);
    bytes = test_log_read_file(bed.path, names[1], &size);
    bytes[end - 40] ^= 1; /* in the last record before the gap */
    test_log_write_file(bed.path, names[1], bytes, size);
    free(bytes);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(list_sequences(sequences), 2 * N_RECORDS - 1 + 3);
    ck_assert_uint_eq(n_losses, 1);
    ck_assert_uint_eq(last_loss.n_records, RK_LOG_SALVAGE_UNKNOWN); /* not the width of the gap */
}
END_TEST

START_TEST(a_hole_costs_what_was_in_it)
{
    size_t size;
    uint8_t *bytes = test_log_read_file(bed.path, names[0], &size);
    uint64_t sequences[N_SEEN_MAX];

    memset(bytes + size / 3, 0, size / 3);
    test_log_write_file(bed.path, names[0], bytes, size);
    free(bytes);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_losses, 1);
    ck_assert_uint_eq(n_replaced, 1);
    ck_assert_uint_ge(last_loss.size_bytes, size / 3);
    ck_assert_uint_eq(list_sequences(sequences), 2 * N_RECORDS - last_loss.n_records);
    ck_assert_uint_eq(last_file.n_kept, N_RECORDS - last_loss.n_records);
}
END_TEST

START_TEST(a_cut_file_keeps_what_is_before_the_cut)
{
    size_t size;
    uint8_t *bytes = test_log_read_file(bed.path, names[0], &size);
    uint64_t sequences[N_SEEN_MAX];
    size_t n;

    test_log_write_file(bed.path, names[0], bytes, size / 2);
    free(bytes);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_replaced, 1);
    ck_assert_uint_eq(last_loss.n_records, RK_LOG_SALVAGE_UNKNOWN);
    n = list_sequences(sequences);
    ck_assert_uint_ge(n, N_RECORDS + 3);
    ck_assert_uint_lt(n, 2 * N_RECORDS);
}
END_TEST

/* Whatever fails, the store is the old one or the new one, and the next salvage makes it whole. */
START_TEST(a_salvage_may_fail_anywhere)
{
    bool failed = true;

    teardown();
    for (unsigned nth = 1; failed; nth++) {
        struct test_io_fault fault = { .calls = TEST_IO_ALL & ~(unsigned)TEST_IO_FALLOCATE, .nth = nth, .errnum = EIO };
        uint8_t *bytes, *damaged;
        size_t size;

        setup();
        bytes = test_log_read_file(bed.path, names[0], &size);
        ck_assert_ptr_nonnull(damaged = memmem(bytes, size, "value 5", 7));
        *damaged ^= 4;
        test_log_write_file(bed.path, names[0], bytes, size);
        free(bytes);
        test_io_install(&fault);
        failed = do_salvage() != RK_OK;
        test_io_remove();
        rk_log_store_close(&bed.store);
        ck_assert_int_eq(rk_log_store_open(&bed.store, bed.path, NULL), RK_OK);
        test_log_sweep(bed.store);
        ck_assert_int_eq(do_salvage(), RK_OK);
        check_one_missing(0);
        bytes = test_log_read_file(bed.path, "quarantine/0000000001.data", &size);
        free(bytes);
        teardown();
    }
    setup();
}
END_TEST

/* ---- whole files ---- */

static void make_path(char path[256], const char *name)
{
    (void)snprintf(path, 256, "%s/%s", bed.path, name);
}

static void remove_file(const char *name)
{
    char path[256];

    make_path(path, name);
    ck_assert_int_eq(unlink(path), 0);
}

static bool is_there(const char *name)
{
    char path[256];
    struct stat status;

    make_path(path, name);
    return lstat(path, &status) == 0;
}

static void reopen_store(void)
{
    rk_log_store_close(&bed.store);
    ck_assert_int_eq(rk_log_store_open(&bed.store, bed.path, NULL), RK_OK);
}

/* A file that is missing costs what it had, and no sequence of it is given out again. */
/* The records of the first file, the newest first, in a merged file that takes its place. Returns where the one in the
 * middle is. */
static struct rk_location merge_first_file(uint32_t *number_out)
{
    struct rk_log_merged_settings settings = { .dir_fd = rk_log_store_dir_fd(bed.store),
                                               .identity = rk_log_store_identity(bed.store),
                                               .file_number = rk_log_store_next_number(bed.store),
                                               .sequence = 2 * N_RECORDS,
                                               .expected_bytes = FILE_BYTES };
    struct rk_disk_manifest_change change = { .n_removed = 1, .n_added = 1 };
    struct rk_disk_scan_item items[N_RECORDS];
    struct rk_log_merged *merged = NULL;
    struct rk_disk_scan *scan = NULL;
    struct rk_location middle = { 0 };
    uint32_t old = rk_log_store_file(bed.store, 0);
    size_t size;
    uint8_t *bytes = test_log_read_file(bed.path, names[0], &size);

    ck_assert_int_eq(rk_disk_scan_open(&scan, settings.dir_fd, old, settings.identity, NULL), RK_OK);
    for (unsigned i = 0; i < N_RECORDS; i++)
        ck_assert_int_eq(rk_disk_scan_next(scan, &items[i], NULL), RK_OK);
    rk_disk_scan_close(&scan);
    ck_assert_int_eq(rk_log_merged_create(&merged, &settings, NULL), RK_OK);
    for (unsigned i = N_RECORDS; i-- > 0;) {
        struct rk_location from = rk_disk_location_decode(items[i].location);
        uint64_t to = rk_log_merged_begin_record(merged, items[i].header.sequence, from.size_bytes);

        ck_assert_int_eq(rk_log_merged_append(merged, bytes + from.offset_bytes, from.size_bytes, false, NULL), RK_OK);
        if (i == N_RECORDS / 2)
            middle = rk_disk_location_decode(to);
    }
    ck_assert_int_eq(rk_log_merged_finish(merged, 2 * N_RECORDS, NULL), RK_OK);
    rk_log_merged_close(&merged, false);
    free(bytes);
    change.removed = &old, change.added = &settings.file_number;
    ck_assert_int_eq(rk_log_store_change(bed.store, &change, NULL), RK_OK);
    *number_out = settings.file_number;
    return middle;
}

/* A merged file has its records in any order, and a recovery must know that of what was kept of it, too. */
START_TEST(what_is_kept_of_a_merged_file_is_a_merged_file)
{
    struct rk_disk_file_summary summary;
    char name[RK_DISK_FILE_NAME_BYTES];
    uint64_t sequences[N_SEEN_MAX];
    uint32_t number;
    struct rk_location damaged = merge_first_file(&number);
    size_t size, first;
    uint8_t *bytes;

    rk_disk_file_name(name, number);
    bytes = test_log_read_file(bed.path, name, &size);
    bytes[damaged.offset_bytes + damaged.size_bytes / 2] ^= 1;
    test_log_write_file(bed.path, name, bytes, size);
    free(bytes);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_replaced, 1);
    ck_assert_uint_eq(last_file.file_number, number);
    ck_assert_uint_eq(last_file.n_kept, N_RECORDS - 1);
    ck_assert_int_eq(rk_disk_file_summarize(rk_log_store_dir_fd(bed.store), last_file.new_number,
                                            &rk_log_store_identity(bed.store)->secret, &summary, NULL),
                     RK_OK);
    ck_assert_int_eq(summary.kind, RK_DISK_FILE_MERGED);
    ck_assert_uint_eq(summary.trailer.first_sequence, 1);
    ck_assert_uint_eq(summary.trailer.last_sequence, N_RECORDS);
    ck_assert_uint_eq(list_sequences(sequences), 2 * N_RECORDS - 1);
    first = rk_log_store_file(bed.store, 0) == last_file.new_number ? 0 : N_RECORDS;
    for (size_t i = 1; i < N_RECORDS - 1; i++) /* still the newest first */
        ck_assert_uint_lt(sequences[first + i], sequences[first + i - 1]);
}
END_TEST

START_TEST(a_missing_file_is_listed_no_more)
{
    uint64_t sequences[N_SEEN_MAX];

    test_log_write_file(bed.path, "0000000001.hint", "keys", 4);
    test_log_write_file(bed.path, "0000000002.hint", "keys", 4);
    remove_file(names[_i]);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_dropped, 1);
    ck_assert(last_dropped.is_missing);
    ck_assert_uint_eq(last_dropped.file_number, (unsigned)_i + 1);
    ck_assert_uint_eq(last_dropped.first_sequence, _i == 0 ? 1 : N_RECORDS + 1);
    ck_assert_uint_eq(last_dropped.last_sequence, _i == 0 ? N_RECORDS : 0);
    ck_assert_uint_eq(list_sequences(sequences), N_RECORDS);
    ck_assert_uint_eq(sequences[0], _i == 0 ? N_RECORDS + 1 : 1);
    ck_assert(is_there(_i == 0 ? "quarantine/0000000001.hint" : "quarantine/0000000002.hint"));
    reopen_store();
    ck_assert_uint_eq(rk_log_store_n_files(bed.store), 1);
    if (_i == 0)
        ck_assert_uint_eq(rk_log_store_last_sequence(bed.store), 2 * N_RECORDS);
    else
        ck_assert_uint_ge(rk_log_store_last_sequence(bed.store), 2 * N_RECORDS + RK_LOG_SEQUENCE_GAP);
}
END_TEST

static void make_foreign_file(const char *name)
{
    struct test_log other;
    uint8_t *bytes;
    size_t size;

    test_log_open(&other, FILE_BYTES, 1);
    (void)test_log_put(other.writer, "their", "value");
    ck_assert_int_eq(rk_log_writer_close(&other.writer), RK_OK);
    bytes = test_log_read_file(other.path, "0000000001.data", &size);
    test_log_write_file(bed.path, name, bytes, size);
    free(bytes);
    test_log_close(&other);
}

static void make_fifo(const char *name)
{
    char path[256];

    make_path(path, name);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

/* Neither is opened for long, nor lost. */
START_TEST(a_foreign_file_is_moved_to_quarantine)
{
    static void (*const make[])(const char *name) = { make_foreign_file, make_fifo };
    uint64_t sequences[N_SEEN_MAX];

    remove_file(names[0]);
    make[_i](names[0]);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_dropped, 1);
    ck_assert(!last_dropped.is_missing);
    ck_assert_uint_eq(list_sequences(sequences), N_RECORDS);
    ck_assert(is_there("quarantine/0000000001.data"));
    ck_assert(!is_there("0000000001.data"));
}
END_TEST

/* The list is that of before the second file. */
START_TEST(newer_files_are_listed_again)
{
    uint64_t sequences[N_SEEN_MAX];
    uint8_t *manifest;
    size_t size;

    teardown();
    test_log_open(&bed, FILE_BYTES, 1);
    n_listed = 0;
    (void)test_log_put(bed.writer, "key", "1");
    manifest = test_log_read_file(bed.path, "MANIFEST", &size);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
        (void)test_log_put(bed.writer, "key", "more");
    }
    ck_assert_int_eq(rk_log_writer_close(&bed.writer), RK_OK);
    test_log_write_file(bed.path, "MANIFEST", manifest, size);
    free(manifest);
    make_foreign_file("0000000077.data");
    reopen_store();
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_listed, 4);
    ck_assert_uint_eq(n_moved, 1);
    ck_assert(is_there("quarantine/0000000077.data"));
    ck_assert_uint_eq(list_sequences(sequences), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(sequences[i], i + 1);
    ck_assert_uint_eq(rk_log_store_next_number(bed.store), 6);
}
END_TEST

/* A closed file that was cut has lost so many records, and says so; nothing of them comes again. */
START_TEST(a_closed_file_that_was_cut_says_what_is_lost)
{
    uint64_t sequences[N_SEEN_MAX];
    struct rk_disk_file_summary summary;
    uint32_t newest;
    size_t size, n;
    uint8_t *bytes = test_log_read_file(bed.path, names[1], &size);

    test_log_write_file(bed.path, names[1], bytes, _i == 0 ? size / 2 : 0);
    free(bytes);
    if (_i == 1) /* nothing but the MANIFEST knows how far it went */
        ck_assert_int_eq(
            rk_log_store_change(bed.store, &(struct rk_disk_manifest_change){ .last_sequence = FAR_SEQUENCE }, NULL),
            RK_OK);
    ck_assert_int_eq(do_salvage(), RK_OK);
    ck_assert_uint_eq(n_replaced, 1);
    ck_assert_uint_eq(n_losses, 1);
    n = list_sequences(sequences);
    ck_assert(n >= N_RECORDS && n < 2 * N_RECORDS);
    ck_assert_uint_eq(last_loss.n_records, _i == 0 ? 2 * N_RECORDS - n : RK_LOG_SALVAGE_UNKNOWN);
    ck_assert_uint_eq(last_loss.offset_bytes + last_loss.size_bytes, size - RK_DISK_FILE_FRAME_BYTES);
    newest = rk_log_store_file(bed.store, 1);
    ck_assert_int_eq(rk_disk_file_summarize(rk_log_store_dir_fd(bed.store), newest,
                                            &rk_log_store_identity(bed.store)->secret, &summary, NULL),
                     RK_OK);
    ck_assert_uint_ge(summary.trailer_sequence, (_i == 0 ? 2 * N_RECORDS : FAR_SEQUENCE) + RK_LOG_SEQUENCE_GAP);
}
END_TEST

/* A number may come again: what was put away under it stays, too. */
START_TEST(nothing_in_quarantine_is_lost_to_another_file)
{
    uint8_t *bytes;
    char path[256];
    size_t size;

    make_path(path, "quarantine");
    ck_assert_int_eq(mkdir(path, 0700), 0);
    test_log_write_file(bed.path, "quarantine/0000000001.data", "older", 5);
    remove_file(names[0]);
    make_foreign_file(names[0]);
    ck_assert_int_eq(do_salvage(), RK_OK);
    bytes = test_log_read_file(bed.path, "quarantine/0000000001.data", &size);
    ck_assert_uint_eq(size, 5);
    free(bytes);
    ck_assert(is_there("quarantine/0000000001.data.1"));
    ck_assert(!is_there(names[0]));
}
END_TEST

Suite *test_suite(void)

{
    Suite *suite = suite_create("log_salvage");
    TCase *tcase = tcase_create("salvage");

    tcase_add_unchecked_fixture(tcase, use_memory, NULL);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, one_flipped_byte_costs_one_record, 0, 2);
    tcase_add_test(tcase, a_gap_in_the_sequences_costs_nothing);
    tcase_add_test(tcase, a_hole_costs_what_was_in_it);
    tcase_add_test(tcase, a_cut_file_keeps_what_is_before_the_cut);
    tcase_add_test(tcase, a_salvage_may_fail_anywhere);
    tcase_add_test(tcase, what_is_kept_of_a_merged_file_is_a_merged_file);
    tcase_add_loop_test(tcase, a_missing_file_is_listed_no_more, 0, 2);
    tcase_add_loop_test(tcase, a_foreign_file_is_moved_to_quarantine, 0, 2);
    tcase_add_test(tcase, newer_files_are_listed_again);
    tcase_add_loop_test(tcase, a_closed_file_that_was_cut_says_what_is_lost, 0, 2);
    tcase_add_test(tcase, nothing_in_quarantine_is_lost_to_another_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
