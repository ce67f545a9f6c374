/* What the MANIFEST does not list: what a crash leaves goes, and whatever may hold data stays and is named. */
#include "base/base_detail.h"
#include "log/log_merged.h"
#include "log/log_quarantine.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "log/log_unlisted.h"
#include "test_log.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES (1u << 20)
#define KNOWN      100 /* the highest sequence of the listed files, for most of what follows */

static struct test_log bed;

static void setup(void)
{
    test_log_open(&bed, FILE_BYTES, 1);
}

static void teardown(void)
{
    test_log_close(&bed);
}

static void make_path(char path[256], uint32_t number)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, number);
    (void)snprintf(path, 256, "%s/%s", bed.path, name);
}

/* A file of this store that nobody lists: appended, header `begin`, then n records; sealed or not. */
static void make_appended(uint32_t number, uint64_t begin, unsigned n, bool seal)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(bed.store);
    struct rk_disk_file_header header = { .file_number = number,
                                          .format_version = RK_DISK_FORMAT_VERSION,
                                          .kind = RK_DISK_FILE_APPENDED };
    struct rk_record_stamp stamp = { .sequence = begin, .write_time_ms = 1700000000000 };
    const struct rk_record_parts parts = { .type = RK_RECORD_PUT, .key = "key", .key_len = 3 };
    struct rk_log_active active;
    uint8_t bytes[256];
    uint64_t size = rk_record_build(bytes, &parts);

    memcpy(header.uuid, identity->uuid, sizeof header.uuid);
    ck_assert_int_eq(rk_log_active_create(&active, rk_log_store_dir_fd(bed.store), &header, &stamp,
                                          &(struct rk_log_active_sizes){ .limit_bytes = 4096 }, NULL),
                     RK_OK);
    for (unsigned i = 0; i < n; i++) {
        struct iovec iov = { .iov_base = bytes, .iov_len = size };

        stamp.sequence++;
        rk_record_stamp(bytes, &identity->secret, &stamp);
        ck_assert_int_eq(rk_log_active_append(&active, &iov, 1, size, 1, stamp.sequence, stamp.sequence, NULL), RK_OK);
    }
    if (seal)
        ck_assert_int_eq(rk_log_active_seal(&active, &identity->secret, &stamp, NULL), RK_OK);
    rk_log_active_close(&active, false);
}

/* The output of a merge with two records, the higher one first; finished or not. */
static void make_merged(uint32_t number, uint64_t low, uint64_t high, bool finish)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(bed.store);
    struct rk_log_merged_settings settings = { .dir_fd = rk_log_store_dir_fd(bed.store),
                                               .identity = identity,
                                               .file_number = number,
                                               .sequence = KNOWN,
                                               .expected_bytes = 4096 };
    const struct rk_record_parts parts = { .type = RK_RECORD_PUT, .key = "key", .key_len = 3 };
    struct rk_log_merged *merged = NULL;
    uint8_t bytes[256];
    uint64_t size = rk_record_build(bytes, &parts);

    ck_assert_int_eq(rk_log_merged_create(&merged, &settings, NULL), RK_OK);
    for (unsigned i = 0; i < 2; i++) {
        struct rk_record_stamp stamp = { .sequence = i == 0 ? high : low, .write_time_ms = 1700000000000 };

        rk_record_stamp(bytes, &identity->secret, &stamp);
        (void)rk_log_merged_begin_record(merged, stamp.sequence, size);
        ck_assert_int_eq(rk_log_merged_append(merged, bytes, size, false, NULL), RK_OK);
    }
    ck_assert_int_eq(rk_log_merged_finish(merged, KNOWN, NULL), RK_OK);
    rk_log_merged_close(&merged, false);
    if (!finish) { /* the trailer never came to the disk, nor did the end of what is before it */
        char path[256];
        struct stat status;

        make_path(path, number);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_eq(truncate(path, status.st_size - (off_t)RK_DISK_FILE_FRAME_BYTES - 5), 0);
    }
}

static void flip(uint32_t number, size_t at)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    uint8_t *bytes;
    size_t size;

    rk_disk_file_name(name, number);
    bytes = test_log_read_file(bed.path, name, &size);
    bytes[at] ^= 1;
    test_log_write_file(bed.path, name, bytes, size);
    free(bytes);
}

static enum rk_err check(uint64_t known, struct rk_detail *detail)
{
    struct rk_log_unlisted unlisted;
    enum rk_err err;

    ck_assert_int_eq(rk_log_unlisted_look(bed.store, &unlisted, detail), RK_OK);
    err = rk_log_unlisted_check(&unlisted, known, detail);
    rk_log_unlisted_fini(&unlisted);
    return err;
}

/* The only file that is not listed, 7: whether it is what a crash leaves. */
static void check_goes(uint64_t known)
{
    struct rk_detail detail = { "" };
    char path[256];

    ck_assert_msg(check(known, &detail) == RK_OK, "%s", detail.text);
    test_log_sweep(bed.store);
    make_path(path, 7);
    ck_assert_int_ne(access(path, F_OK), 0);
}

static void check_stays(uint64_t known, const char *words)
{
    struct rk_detail detail = { "" };
    char path[256];

    ck_assert_int_eq(check(known, &detail), RK_ERR_CORRUPT);
    ck_assert_msg(strstr(detail.text, "0000000007.data") != NULL, "%s", detail.text);
    ck_assert_msg(strstr(detail.text, words) != NULL, "%s", detail.text);
    make_path(path, 7);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(the_next_file_before_it_was_listed_goes)
{
    uint8_t header[RK_DISK_FILE_FRAME_BYTES], *bytes;
    uint8_t zeros[4096] = { 0 };
    size_t size;

    make_appended(7, KNOWN + 5, 0, false); /* its records would be above; it has none */
    bytes = test_log_read_file(bed.path, "0000000007.data", &size);
    memcpy(header, bytes, sizeof header);
    free(bytes);
    check_goes(KNOWN);
    for (size_t n = 0; n <= sizeof header; n += 8) { /* the header came in part, preallocated or not */
        test_log_write_file(bed.path, "0000000007.data", header, n);
        check_goes(KNOWN);
        memcpy(zeros, header, n);
        test_log_write_file(bed.path, "0000000007.data", zeros, sizeof zeros);
        check_goes(KNOWN);
    }
    make_appended(7, KNOWN, 0, true); /* an empty one that gave its place away */
    check_goes(KNOWN);
}
END_TEST

START_TEST(what_was_merged_or_is_being_merged_goes)
{
    make_merged(7, 3, KNOWN, true);
    check_goes(KNOWN);
    make_merged(7, 3, KNOWN, false);
    check_goes(KNOWN);
    make_appended(7, 10, 5, true); /* an input whose unlink was lost */
    check_goes(KNOWN);
    make_appended(7, KNOWN - 5, 5, true);
    check_goes(KNOWN);
}
END_TEST

START_TEST(newer_records_stay)
{
    make_appended(7, KNOWN, 1, true);
    check_stays(KNOWN, "sequences 101 to 101");
    make_appended(7, KNOWN - 1, 3, false);
    check_stays(KNOWN, "sequences 100 to 102");
    make_merged(7, 3, KNOWN + 1, true);
    check_stays(KNOWN, "sequences 3 to 101");
    make_merged(7, KNOWN + 1, KNOWN + 2, false);
    check_stays(KNOWN, "sequences 102 to 102");
    make_appended(7, KNOWN, 3, false);
    flip(7, RK_DISK_FILE_FRAME_BYTES + 20); /* the first record is lost, and the others are seen all the same */
    check_stays(KNOWN, "sequences 102 to 103");
    make_appended(7, KNOWN - 50, 3, false); /* nobody knows what the last one was */
    flip(7, RK_DISK_FILE_FRAME_BYTES + 2 * 48 + 20);
    check_stays(KNOWN, "0000000007.data");
}
END_TEST

START_TEST(what_is_not_this_stores_stays)
{
    struct test_log other;
    uint8_t *bytes;
    char path[256];
    size_t size;

    test_log_open(&other, FILE_BYTES, 1);
    (void)test_log_put(other.writer, "key", "value");
    bytes = test_log_read_file(other.path, "0000000001.data", &size);
    test_log_close(&other);
    test_log_write_file(bed.path, "0000000007.data", bytes, size);
    free(bytes);
    check_stays(KNOWN, "0000000007.data");
    make_appended(8, 1, 1, true); /* another file's bytes under this name */
    bytes = test_log_read_file(bed.path, "0000000008.data", &size);
    test_log_write_file(bed.path, "0000000007.data", bytes, size);
    free(bytes);
    check_stays(KNOWN, "0000000007.data");
    make_path(path, 8);
    ck_assert_int_eq(unlink(path), 0);
    make_appended(7, 1, 1, true);
    flip(7, 20); /* the header itself is lost */
    check_stays(KNOWN, "no file header");
    make_path(path, 7);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_stays(KNOWN, "is a FIFO, not a file");
    ck_assert_int_eq(symlink("/nonexistent/file", path), 0);
    {
        struct rk_detail detail;

        ck_assert_int_eq(check(KNOWN, &detail), RK_ERR_CORRUPT);
        ck_assert_ptr_nonnull(strstr(detail.text, "is a symbolic link"));
    }
}
END_TEST

/* One of several is enough, and nothing goes then; many are not all named. */
START_TEST(they_are_named_and_counted)
{
    struct rk_detail detail;

    make_appended(5, 1, 1, true);
    for (uint32_t i = 7; i < 17; i++)
        make_appended(i, KNOWN + i, 1, true);
    ck_assert_int_eq(check(KNOWN, &detail), RK_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(detail.text, "10 data files"));
    ck_assert_ptr_nonnull(strstr(detail.text, "0000000009.data (sequences 110 to 110), ...;"));
    ck_assert_ptr_null(strstr(detail.text, "0000000005.data"));
    ck_assert_ptr_nonnull(strstr(detail.text, "Put the MANIFEST back"));
}
END_TEST

START_TEST(what_quarantine_has_as_well_goes)
{
    make_appended(7, KNOWN, 2, true);
    ck_assert_int_eq(rk_log_quarantine_link(rk_log_store_dir_fd(bed.store), "0000000007.data", NULL), RK_OK);
    check_goes(KNOWN);
    make_appended(7, KNOWN, 2, true); /* another one of that number */
    check_stays(KNOWN, "sequences 101 to 102");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_unlisted");
    TCase *tcase = tcase_create("unlisted");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_next_file_before_it_was_listed_goes);
    tcase_add_test(tcase, what_was_merged_or_is_being_merged_goes);
    tcase_add_test(tcase, newer_records_stay);
    tcase_add_test(tcase, what_is_not_this_stores_stays);
    tcase_add_test(tcase, they_are_named_and_counted);
    tcase_add_test(tcase, what_quarantine_has_as_well_goes);
    suite_add_tcase(suite, tcase);
    return suite;
}
