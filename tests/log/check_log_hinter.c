#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_hint.h"
#include "log/log_hinter.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "recover_bed.h"
#include "space/space_entry.h"
#include "test_io.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct bed bed;

static void create_bed(void)
{
    bed_create(&bed, 1);
}

static void destroy_bed(void)
{
    bed_destroy(&bed);
}

static uint8_t *read_hint(uint32_t number, size_t *size_out)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    struct stat status;
    uint8_t *bytes;
    int fd;

    rk_disk_hint_name(name, number);
    fd = openat(rk_log_store_dir_fd(bed.store), name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    bytes = malloc((size_t)status.st_size + 1);
    ck_assert_int_eq(read(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
    *size_out = (size_t)status.st_size;
    return bytes;
}

static void write_hint(uint32_t number, const uint8_t *bytes, size_t size)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    int fd;

    rk_disk_hint_name(name, number);
    fd = openat(rk_log_store_dir_fd(bed.store), name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

/* Waits until the thread has gone through a list at least once more; the suite's time limit is the deadline. */
static void await_round(struct rk_log_hinter *hinter)
{
    uint64_t n_rounds = rk_log_hinter_figures(hinter, NULL).n_rounds;

    while (rk_log_hinter_figures(hinter, NULL).n_rounds == n_rounds)
        (void)sched_yield();
}

/* The thread makes hints of what is sealed, while the writer goes on; the next start uses them. */
START_TEST(hints_stand_for_sealed_files)
{
    struct rk_log_hinter *hinter = NULL;
    struct rk_recovery result;
    struct rk_detail detail;

    bed_open_writer(&bed);
    ck_assert_int_eq(rk_log_hinter_start(&hinter, bed.store, rk_space_fingerprint, 1, NULL), RK_OK);
    for (int i = 0; i < 5; i++) {
        bed_write(&bed, 100, 5);
        ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
        await_round(hinter);
    }
    bed_write(&bed, 10, 5);
    ck_assert_uint_eq(rk_log_hinter_figures(hinter, &detail).n_failed, 0);
    ck_assert_str_eq(detail.text, "");
    rk_log_hinter_stop(&hinter);
    bed_crash(&bed);
    bed_recover_all(&bed, &result);
    ck_assert_uint_ge(result.n_hints, result.n_files - 2);
    ck_assert_uint_eq(result.n_records, bed.n_ops);
}
END_TEST

START_TEST(missing_and_doubtful_hints_are_made_after_a_start)
{
    struct rk_log_hinter *hinter = NULL;
    struct rk_recovery result;
    size_t size, n_files;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 200, 5);
    bed_close_writer(&bed);
    n_files = rk_log_store_n_files(bed.store);
    for (size_t i = 0; i < n_files; i += 2)
        ck_assert_int_eq(bed_make_hint(&bed, rk_log_store_file(bed.store, i), NULL), RK_OK);
    bytes = read_hint(rk_log_store_file(bed.store, 0), &size);
    bytes[size / 4] ^= 1;
    write_hint(rk_log_store_file(bed.store, 0), bytes, size);
    free(bytes);
    ck_assert_int_eq(rk_log_hinter_start(&hinter, bed.store, rk_space_fingerprint, 1000000, NULL), RK_OK);
    while (rk_log_hinter_figures(hinter, NULL).n_rounds == 0)
        (void)sched_yield();
    ck_assert_uint_eq(rk_log_hinter_figures(hinter, NULL).n_made, n_files / 2 + 1);
    rk_log_hinter_stop(&hinter);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_hints, n_files);
    ck_assert(result.was_clean);
    ck_assert_uint_eq(result.next_sequence, bed.n_ops + 1);
}
END_TEST

/* What versions before sorted keys have left: a start uses it, and it is made anew after that. */
START_TEST(an_older_hint_counts_and_is_made_anew)
{
    struct rk_log_hinter *hinter = NULL;
    struct rk_disk_hint_header header;
    struct rk_recovery result;
    size_t size;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 5);
    bed_close_writer(&bed);
    ck_assert_int_eq(bed_make_hint(&bed, 1, NULL), RK_OK);
    bytes = read_hint(1, &size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    header.has_sorted_keys = false;
    rk_disk_hint_header_encode(bytes, &header);
    write_hint(1, bytes, size);
    free(bytes);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_hints, 1);
    ck_assert_int_eq(rk_log_hinter_start(&hinter, bed.store, rk_space_fingerprint, 1000000, NULL), RK_OK);
    while (rk_log_hinter_figures(hinter, NULL).n_rounds == 0)
        (void)sched_yield();
    ck_assert_uint_eq(rk_log_hinter_figures(hinter, NULL).n_made, 1);
    rk_log_hinter_stop(&hinter);
    bytes = read_hint(1, &size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    ck_assert(header.has_sorted_keys);
    free(bytes);
}
END_TEST

/* Looking at a hint is reading all of it, and the list changes with each file: so a hint that is taken away behind the
 * thread's back is not missed. */
START_TEST(each_hint_is_looked_at_once)
{
    struct rk_log_hinter *hinter = NULL;

    bed_open_writer(&bed);
    for (unsigned i = 1; i <= 5; i++) {
        bed_write(&bed, 10, 5);
        ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
        if (i == 1) /* not before: a file that is sealed and still the newest is looked at again */
            ck_assert_int_eq(rk_log_hinter_start(&hinter, bed.store, rk_space_fingerprint, 1, NULL), RK_OK);
        while (rk_log_hinter_figures(hinter, NULL).n_made < i)
            (void)sched_yield();
        ck_assert_int_eq(unlinkat(rk_log_store_dir_fd(bed.store), "0000000001.hint", 0), i == 1 ? 0 : -1);
    }
    ck_assert_uint_eq(rk_log_hinter_figures(hinter, NULL).n_made, 5);
    rk_log_hinter_stop(&hinter);
}
END_TEST

/* As after a start on a full disk: it is sealed, gets a hint, goes on, and is sealed again. */
START_TEST(a_file_that_is_sealed_twice_gets_a_hint_twice)
{
    struct rk_log_hinter *hinter = NULL;
    struct rk_recovery result;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 5);
    bed_close_writer(&bed);
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_PWRITEV, .nth = 1, .forever = true, .errnum = ENOSPC });
    bed_open_writer(&bed);
    test_io_remove();
    ck_assert_int_eq(rk_log_hinter_start(&hinter, bed.store, rk_space_fingerprint, 1, NULL), RK_OK);
    while (rk_log_hinter_figures(hinter, NULL).n_made < 1)
        (void)sched_yield();
    bed_write(&bed, 20, 5);
    ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    while (rk_log_hinter_figures(hinter, NULL).n_made < 2)
        (void)sched_yield();
    rk_log_hinter_stop(&hinter);
    bed_crash(&bed);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_hints, 1);
    ck_assert_uint_eq(result.n_records, 40);
}
END_TEST

/* A hint that is damaged in any way is not used, and nobody notices. */
START_TEST(any_doubt_and_the_data_file_is_read)
{
    struct rk_recovery result;
    struct rk_disk_hint_header header;
    size_t size, checked;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 5);
    bed_close_writer(&bed);
    ck_assert_int_eq(bed_make_hint(&bed, 1, NULL), RK_OK);
    bytes = read_hint(1, &size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    ck_assert_uint_eq(header.n_entries, 20);
    checked = RK_DISK_HINT_HEADER_BYTES + (size_t)header.n_entries * RK_DISK_HINT_ENTRY_BYTES;
    ck_assert_uint_eq(size, checked + header.keys_bytes);
    for (size_t bit = 0; bit < size * 8; bit += 3 * BED_STRIDE) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_hint(1, bytes, size);
        bed_recover_all(&bed, &result);
        ck_assert_uint_eq(result.n_hints, bit / 8 >= checked); /* the keys are for listing, and are checked there */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut += BED_STRIDE) {
        write_hint(1, bytes, cut);
        bed_recover_all(&bed, &result);
        ck_assert_uint_eq(result.n_hints, 0);
    }
    write_hint(1, bytes, size);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_hints, 1);
    free(bytes);
}
END_TEST

START_TEST(the_hint_of_another_file_is_not_used)
{
    struct rk_recovery result;
    size_t size;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 5);
    ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    bed_write(&bed, 20, 5);
    bed_close_writer(&bed);
    ck_assert_int_eq(bed_make_hint(&bed, 1, NULL), RK_OK);
    bytes = read_hint(1, &size);
    write_hint(2, bytes, size);
    free(bytes);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_hints, 1);
}
END_TEST

START_TEST(only_a_whole_sealed_file_gets_a_hint)
{
    struct rk_detail detail;
    size_t size;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 5);
    ck_assert_int_eq(bed_make_hint(&bed, 1, &detail), RK_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(detail.text, "0000000001.data: not sealed"));
    bed_close_writer(&bed);
    bytes = bed_read_file(&bed, 1, &size);
    bytes[size / 2] ^= 1;
    bed_write_file(&bed, 1, bytes, size);
    ck_assert_int_eq(bed_make_hint(&bed, 1, &detail), RK_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(detail.text, "0000000001.data: not whole at byte"));
    free(bytes);
}
END_TEST

/* Each file operation fails once: no hint, nothing left behind; or the failure was of no consequence. */
START_TEST(making_a_hint_may_fail_anywhere)
{
    const struct rk_io_ops *ops = rk_io;
    bool failed = true;
    int dir_fd;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 5);
    bed_close_writer(&bed);
    dir_fd = rk_log_store_dir_fd(bed.store);
    for (unsigned nth = 1; failed; nth++) {
        struct rk_detail detail = { "" };
        enum rk_err err;

        test_io_install(&(struct test_io_fault){
            .calls = TEST_IO_ALL & ~(unsigned)TEST_IO_UNLINK, .nth = nth, .errnum = nth % 2 ? ENOSPC : EIO });
        err = bed_make_hint(&bed, 1, &detail);
        failed = test_io_n_calls() >= nth;
        rk_io = ops;
        ck_assert_int_eq(err != RK_OK, failed);
        ck_assert_int_eq(faccessat(dir_fd, "0000000001.hint", F_OK, 0) == 0, !failed);
        ck_assert_int_ne(faccessat(dir_fd, "0000000001.hint.tmp", F_OK, 0), 0);
        ck_assert(!failed || strstr(detail.text, "0000000001.data") != NULL);
    }
}
END_TEST

START_TEST(an_entry_comes_back)
{
    struct rk_disk_hint_entry entry = { .fingerprint_high = 0x1122334455667788,
                                        .fingerprint_low = 0x99aabbcc,
                                        .expiry_s = 0x0d0e0f10,
                                        .location = 0x0102030405060708,
                                        .sequence = 77 };
    uint8_t bytes[RK_DISK_HINT_ENTRY_BYTES];
    struct rk_disk_hint_entry back = { 0 };

    rk_disk_hint_entry_encode(bytes, &entry);
    ck_assert_mem_eq(
        bytes, "\x88\x77\x66\x55\x44\x33\x22\x11\xcc\xbb\xaa\x99\x10\x0f\x0e\x0d\x08\x07\x06\x05\x04\x03\x02\x01", 24);
    rk_disk_hint_entry_decode(bytes, &back);
    ck_assert(back.fingerprint_high == entry.fingerprint_high && back.fingerprint_low == entry.fingerprint_low);
    ck_assert_uint_eq(back.expiry_s, entry.expiry_s);
    ck_assert(back.location == entry.location && back.sequence == entry.sequence);
}
END_TEST

/* The second in which all of it is past; three of the numbers mean something else. */
START_TEST(an_expiry_is_rounded_up)
{
    static const struct {
        uint64_t expiry_ms;
        uint32_t expiry_s;
    } cases[] = { { 0, RK_DISK_EXPIRY_NONE },
                  { 1, 2 },
                  { 1000, 2 },
                  { 1001, 2 },
                  { 2000, 2 },
                  { 2001, 3 },
                  { 1800000000000, 1800000000 },
                  { 1800000000001, 1800000001 },
                  { UINT64_C(4294967294000), UINT32_MAX - 1 },
                  { UINT64_C(4294967294001), RK_DISK_EXPIRY_FAR },
                  { UINT64_MAX, RK_DISK_EXPIRY_FAR } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rk_disk_hint_entry entry = { .expiry_s = rk_disk_expiry_s(RK_RECORD_PUT, cases[i].expiry_ms) };

        ck_assert_uint_eq(entry.expiry_s, cases[i].expiry_s);
        ck_assert(!rk_disk_hint_is_tombstone(&entry));
        ck_assert_int_eq(rk_disk_is_expiry(entry.expiry_s),
                         cases[i].expiry_s != RK_DISK_EXPIRY_NONE && cases[i].expiry_s != RK_DISK_EXPIRY_FAR);
        ck_assert(!rk_disk_hint_has_expired(&entry, entry.expiry_s - 1));
        ck_assert_int_eq(rk_disk_hint_has_expired(&entry, entry.expiry_s), rk_disk_is_expiry(entry.expiry_s));
    }
    ck_assert_uint_eq(rk_disk_expiry_s(RK_RECORD_TOMBSTONE, 0), RK_DISK_EXPIRY_TOMBSTONE);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store_hint");
    TCase *tcase = tcase_create("hint");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, create_bed, destroy_bed);
    tcase_add_test(tcase, hints_stand_for_sealed_files);
    tcase_add_test(tcase, missing_and_doubtful_hints_are_made_after_a_start);
    tcase_add_test(tcase, an_older_hint_counts_and_is_made_anew);
    tcase_add_test(tcase, each_hint_is_looked_at_once);
    tcase_add_test(tcase, a_file_that_is_sealed_twice_gets_a_hint_twice);
    tcase_add_test(tcase, any_doubt_and_the_data_file_is_read);
    tcase_add_test(tcase, the_hint_of_another_file_is_not_used);
    tcase_add_test(tcase, only_a_whole_sealed_file_gets_a_hint);
    tcase_add_test(tcase, making_a_hint_may_fail_anywhere);
    tcase_add_test(tcase, an_entry_comes_back);
    tcase_add_test(tcase, an_expiry_is_rounded_up);
    suite_add_tcase(suite, tcase);
    return suite;
}
