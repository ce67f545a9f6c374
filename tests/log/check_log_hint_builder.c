/* Hints that are written entry by entry. */
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_keys.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "log/log_hint_builder.h"
#include "log/log_store.h"
#include "test_log.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES (1u << 20)
#define HINT       "0000000001.hint"
#define TMP        "0000000001.hint.tmp"
#define N_MANY     12000u
#define MANY_KEY   "a-key-that-is-long-%05u"

static struct test_log bed;
static uint32_t file_number;
static struct rk_log_hint_builder *builder;
static struct rk_detail detail;

/* One sealed file with the keys "a", "bb" and "a". */
static void setup(void)
{
    test_log_open(&bed, FILE_BYTES, 1);
    (void)test_log_put(bed.writer, "a", "1");
    (void)test_log_put(bed.writer, "bb", NULL);
    (void)test_log_put(bed.writer, "a", "2");
    ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    builder = NULL;
    file_number = 1;
}

static void teardown(void)
{
    rk_log_hint_builder_destroy(&builder);
    test_log_close(&bed);
}

static bool file_is_there(const char *name)
{
    struct stat status;

    return fstatat(rk_log_store_dir_fd(bed.store), name, &status, 0) == 0;
}

static void create(uint64_t n_entries_max)
{
    ck_assert_int_eq(
        rk_log_hint_builder_create(&builder, rk_log_store_dir_fd(bed.store), file_number, n_entries_max, &detail),
        RK_OK);
}

/* Adds the first n of the file's records, each with its sequence as fingerprint; the last result. */
static enum rk_err add_records(unsigned n)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(bed.store);
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    enum rk_err err = RK_OK;

    ck_assert_int_eq(rk_disk_scan_open(&scan, rk_log_store_dir_fd(bed.store), file_number, identity, &detail), RK_OK);
    for (unsigned i = 0; i < n && err == RK_OK; i++) {
        struct rk_disk_hint_entry entry;
        struct rk_disk_key key;

        ck_assert_int_eq(rk_disk_scan_next(scan, &item, &detail), RK_OK);
        entry = (struct rk_disk_hint_entry){ .fingerprint_high = item.header.sequence,
                                             .expiry_s = rk_disk_expiry_s(item.header.type, item.expiry_ms),
                                             .location = item.location,
                                             .sequence = item.header.sequence };
        key = (struct rk_disk_key){ .key = item.key,
                                    .key_len = item.header.key_len,
                                    .value_len = item.header.value_len,
                                    .expiry_ms = item.expiry_ms };
        err = rk_log_hint_builder_add(builder, &entry, &key, &detail);
    }
    rk_disk_scan_close(&scan);
    return err;
}

static struct rk_disk_file_summary summarize(void)
{
    struct rk_disk_file_summary summary;

    ck_assert_int_eq(rk_disk_file_summarize(rk_log_store_dir_fd(bed.store), file_number,
                                            &rk_log_store_identity(bed.store)->secret, &summary, &detail),
                     RK_OK);
    return summary;
}

static enum rk_err finish(void)
{
    struct rk_disk_file_summary summary = summarize();

    return rk_log_hint_builder_finish(builder, rk_log_store_identity(bed.store)->uuid, &summary, &detail);
}

/* Each has its sequence as fingerprint (add_records). */
static void check_entries_of(uint64_t first_sequence, uint64_t n_entries)
{
    struct rk_disk_file_summary summary = summarize();
    struct rk_disk_hint *hint = NULL;
    struct rk_disk_hint_entry entry;

    ck_assert_int_eq(rk_disk_hint_open(&hint, rk_log_store_dir_fd(bed.store), file_number,
                                       rk_log_store_identity(bed.store)->uuid, &summary),
                     RK_OK);
    for (uint64_t i = first_sequence; i < first_sequence + n_entries; i++) {
        ck_assert_int_eq(rk_disk_hint_next(hint, &entry), RK_OK);
        ck_assert_uint_eq(entry.sequence, i);
        ck_assert_uint_eq(entry.fingerprint_high, i);
        ck_assert_int_eq(rk_disk_hint_is_tombstone(&entry), i == 2);
    }
    ck_assert_int_eq(rk_disk_hint_next(hint, &entry), RK_ERR_NOT_FOUND);
    rk_disk_hint_close(&hint);
}

/* What listings read: n keys, of which the first one is so; its value has so many bytes. */
static void check_keys(const char *first, uint64_t n_keys, uint32_t value_len, uint64_t sequence)
{
    struct rk_disk_file_summary summary = summarize();
    struct rk_disk_keys *keys = NULL;
    struct rk_disk_key key;
    uint64_t n = 1;

    ck_assert_int_eq(rk_disk_keys_open(&keys, rk_log_store_dir_fd(bed.store), file_number,
                                       rk_log_store_identity(bed.store)->uuid, &summary),
                     RK_OK);
    ck_assert_uint_eq(rk_disk_keys_count(keys), n_keys);
    ck_assert_int_eq(rk_disk_keys_next(keys, &key), RK_OK);
    ck_assert_uint_eq(key.key_len, strlen(first));
    ck_assert_mem_eq(key.key, first, key.key_len);
    ck_assert_uint_eq(key.value_len, value_len);
    ck_assert_uint_eq(key.sequence, sequence);
    ck_assert_uint_eq(key.expiry_ms, 0);
    ck_assert_uint_eq(rk_disk_location_decode(key.location).file_number, file_number);
    while (rk_disk_keys_next(keys, &key) == RK_OK)
        n++;
    ck_assert_uint_eq(n, n_keys);
    rk_disk_keys_close(&keys);
}

/* The keys stand behind the room for all entries that there might have been. */
START_TEST(fewer_entries_than_announced)
{
    static const uint64_t announced[] = { 3, 4, 100000 };
    struct rk_disk_hint_header header;
    size_t size;
    uint8_t *bytes;

    create(announced[_i]);
    ck_assert_int_eq(add_records(3), RK_OK);
    ck_assert(!file_is_there(HINT));
    ck_assert_int_eq(finish(), RK_OK);
    ck_assert(!file_is_there(TMP));
    check_entries_of(1, 3);
    bytes = test_log_read_file(bed.path, HINT, &size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    ck_assert_uint_eq(header.keys_offset, RK_DISK_HINT_HEADER_BYTES + announced[_i] * RK_DISK_HINT_ENTRY_BYTES);
    ck_assert_uint_eq(size, header.keys_offset + header.keys_bytes);
    free(bytes);
    check_keys("a", 1, 1, 3);
}
END_TEST

/* The second file: entries and keys are each more than what is written at a time (256 KiB). */
START_TEST(entries_and_keys_are_written_in_many_pieces)
{
    struct rk_disk_hint_header header;
    size_t size;
    uint8_t *bytes;
    char key[32];

    for (unsigned i = 0; i < N_MANY; i++) {
        (void)snprintf(key, sizeof key, MANY_KEY, i); /* fits */
        (void)test_log_put(bed.writer, key, "1");
    }
    ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    file_number = 2;
    create(N_MANY);
    ck_assert_int_eq(add_records(N_MANY), RK_OK);
    ck_assert_int_eq(finish(), RK_OK);
    check_entries_of(4, N_MANY);
    bytes = test_log_read_file(bed.path, "0000000002.hint", &size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    ck_assert_uint_gt(header.n_entries * RK_DISK_HINT_ENTRY_BYTES, 256u << 10);
    ck_assert_uint_gt(header.keys_bytes, RK_DISK_KEYS_TARGET_BYTES);
    ck_assert_uint_eq(header.keys_offset + header.keys_bytes, size);
    ck_assert_uint_eq(header.keys_crc, rk_crc32c(0, bytes + header.keys_offset, header.keys_bytes));
    free(bytes);
    check_keys("a-key-that-is-long-00000", N_MANY, 1, 4);
}
END_TEST

static void write_hint(const uint8_t *bytes, size_t size)
{
    int fd = openat(rk_log_store_dir_fd(bed.store), HINT, O_WRONLY | O_TRUNC | O_CLOEXEC);

    ck_assert_int_eq(rk_io_pwrite_full(fd, bytes, size, 0), 0);
    (void)close(fd);
}

/* How the entries end, one by one, of a hint that is opened in doubt; how many there were. */
static enum rk_err read_in_doubt(unsigned *n_out)
{
    struct rk_disk_file_summary summary = summarize();
    struct rk_disk_hint_entry entry;
    struct rk_disk_hint *hint = NULL;
    enum rk_err err = rk_disk_hint_open_in_doubt(&hint, rk_log_store_dir_fd(bed.store), file_number,
                                                 rk_log_store_identity(bed.store)->uuid, &summary);

    *n_out = 0;
    while (err == RK_OK && (err = rk_disk_hint_next(hint, &entry)) == RK_OK)
        ++*n_out;
    rk_disk_hint_close(&hint);
    return err;
}

START_TEST(an_entry_that_is_wrong_is_found_at_the_end_at_last)
{
    size_t size;
    uint8_t *bytes;
    unsigned n, n_late = 0;

    create(3);
    ck_assert_int_eq(add_records(3), RK_OK);
    ck_assert_int_eq(finish(), RK_OK);
    ck_assert_int_eq(read_in_doubt(&n), RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(n, 3);
    bytes = test_log_read_file(bed.path, HINT, &size);
    for (size_t bit = 0; bit < 8 * (RK_DISK_HINT_HEADER_BYTES + 3 * RK_DISK_HINT_ENTRY_BYTES); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_hint(bytes, size);
        ck_assert_int_eq(read_in_doubt(&n), RK_ERR_CORRUPT);
        n_late += n == 3;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_uint_ge(n_late, 3 * 96); /* only its checksum knows what a fingerprint was */
    free(bytes);
}
END_TEST

START_TEST(more_entries_than_announced)
{
    create(2);
    ck_assert_int_eq(add_records(3), RK_ERR_FULL);
    rk_log_hint_builder_destroy(&builder);
    ck_assert(!file_is_there(TMP));
    ck_assert(!file_is_there(HINT));
}
END_TEST

START_TEST(other_records_than_the_data_file_has)
{
    create(3);
    ck_assert_int_eq(add_records(2), RK_OK);
    ck_assert_int_eq(finish(), RK_ERR_CORRUPT);
    rk_log_hint_builder_destroy(&builder);
    ck_assert(!file_is_there(TMP));
    ck_assert(!file_is_there(HINT));
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_hint_builder");
    TCase *tcase = tcase_create("builder");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, fewer_entries_than_announced, 0, 3);
    tcase_add_test(tcase, entries_and_keys_are_written_in_many_pieces);
    tcase_add_test(tcase, an_entry_that_is_wrong_is_found_at_the_end_at_last);
    tcase_add_test(tcase, more_entries_than_announced);
    tcase_add_test(tcase, other_records_than_the_data_file_has);
    suite_add_tcase(suite, tcase);
    return suite;
}
