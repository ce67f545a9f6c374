#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "log/log_batch.h"
#include "log/log_store.h"
#include "log/log_syncer.h"
#include "test_io.h"
#include "test_log.h"
#include "test_main.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES (1u << 20)

static struct test_log log_under_test;

static void open_log(void)
{
    test_log_open(&log_under_test, FILE_BYTES, 1);
}

static void close_log(void)
{
    test_io_remove();
    test_log_close(&log_under_test);
}

static struct rk_log_writer *writer(void)
{
    return log_under_test.writer;
}

/* Scans a file to its end; returns how many records it has. The end is copied. */
static size_t scan_file(uint32_t file_number, struct rk_disk_scan_end *end_out)
{
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    struct rk_detail detail = { "" };
    size_t n = 0;
    enum rk_err err;

    err = rk_disk_scan_open(&scan, rk_log_store_dir_fd(log_under_test.store), file_number,
                            rk_log_store_identity(log_under_test.store), &detail);
    ck_assert_msg(err == RK_OK, "%s", detail.text);
    while ((err = rk_disk_scan_next(scan, &item, &detail)) == RK_OK)
        n++;
    ck_assert_int_eq(err, RK_ERR_NOT_FOUND);
    *end_out = *rk_disk_scan_end(scan);
    rk_disk_scan_close(&scan);
    return n;
}

/* Reads the record at a location with one read, as a worker does, and compares. */
static void check_record(uint64_t word, const char *key, const char *value)
{
    struct rk_location location = rk_disk_location_decode(word);
    uint8_t *bytes = malloc(location.size_bytes);
    char name[RK_DISK_FILE_NAME_BYTES];
    struct rk_record_view view;
    int fd;

    rk_disk_file_name(name, location.file_number);
    fd = rk_io->open_at(rk_log_store_dir_fd(log_under_test.store), name, 0, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(rk_io_pread_full(fd, bytes, location.size_bytes, (off_t)location.offset_bytes),
                     location.size_bytes);
    ck_assert_int_eq(
        rk_record_decode(bytes, location.size_bytes, &rk_log_store_identity(log_under_test.store)->secret, &view),
        RK_OK);
    ck_assert_uint_eq(rk_record_size_of(&view.header), location.size_bytes);
    ck_assert_uint_eq(view.header.key_len, strlen(key));
    ck_assert(memcmp(view.key, key, strlen(key)) == 0);
    if (value != NULL) {
        ck_assert_uint_eq(view.header.value_len, strlen(value));
        ck_assert(memcmp(view.value, value, strlen(value)) == 0);
    } else {
        ck_assert_int_eq(view.header.type, RK_RECORD_TOMBSTONE);
    }
    rk_io->close(fd);
    free(bytes);
}

START_TEST(a_record_is_where_its_location_says)
{
    uint64_t location[3], sequence[3];
    struct rk_disk_scan_end end;

    ck_assert_int_eq(test_log_stage(writer(), "a", "1", &location[0], &sequence[0]), RK_OK);
    ck_assert_int_eq(test_log_stage(writer(), "b", "", &location[1], &sequence[1]), RK_OK);
    ck_assert_int_eq(test_log_stage(writer(), "a", NULL, &location[2], &sequence[2]), RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
    check_record(location[0], "a", "1");
    check_record(location[1], "b", "");
    check_record(location[2], "a", NULL);
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_uint_eq(sequence[i], i + 1);
    ck_assert_uint_eq(rk_log_writer_last_sequence(writer()), 3);
    ck_assert_uint_eq(rk_log_writer_durable_sequence(writer()), 0);
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_OK);
    ck_assert_uint_eq(rk_log_writer_durable_sequence(writer()), 3);
    ck_assert_uint_eq(scan_file(1, &end), 3);
    ck_assert_int_eq(end.kind, RK_DISK_SCAN_OPEN);
    ck_assert_int_eq(rk_log_writer_close(&log_under_test.writer), RK_OK);
    ck_assert_uint_eq(scan_file(1, &end), 3);
    ck_assert_int_eq(end.kind, RK_DISK_SCAN_SEALED);
    ck_assert_uint_eq(end.end_bytes, end.file_bytes);
}
END_TEST

START_TEST(marks_follow_the_syncs)
{
    struct rk_disk_scan_end end;

    test_log_put(writer(), "a", "1");
    test_log_put(writer(), "b", "2");
    (void)scan_file(1, &end);
    ck_assert_uint_eq(end.durable_bytes, RK_DISK_FILE_FRAME_BYTES);
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_OK);
    test_log_put(writer(), "c", "3");
    (void)scan_file(1, &end);
    ck_assert_uint_eq(end.durable_bytes, RK_DISK_FILE_FRAME_BYTES + 2 * 48);
}
END_TEST

/* Large values between small ones, in one batch and alone; those over a file's size have a file of their own. */
START_TEST(large_records_are_written_from_where_they_lie)
{
    static const size_t sizes[] = { 10, 33000, 5, 200000, 70000, 1, 3 << 20, 7 };
    uint8_t *records[8];
    uint64_t locations[8];
    uint64_t sequence;

    for (size_t i = 0; i < 8; i++) {
        uint8_t *value = malloc(sizes[i]);
        struct rk_record_parts parts = {
            .type = RK_RECORD_PUT, .key = "k", .key_len = 1, .value = value, .value_len = (uint32_t)sizes[i]
        };
        uint64_t size = rk_record_size(1, 0, sizes[i], false);
        enum rk_err err;

        memset(value, 'a' + (int)i, sizes[i]);
        records[i] = malloc(size);
        rk_record_build(records[i], &parts);
        err = rk_log_writer_stage(writer(), records[i], records[i] + RK_RECORD_HEADER_BYTES, size, 1, &locations[i],
                                  &sequence);
        if (err == RK_ERR_FULL) {
            ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
            err = rk_log_writer_stage(writer(), records[i], records[i] + RK_RECORD_HEADER_BYTES, size, 1, &locations[i],
                                      &sequence);
        }
        ck_assert_int_eq(err, RK_OK);
        ck_assert_uint_eq(sequence, i + 1);
        free(value);
    }
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
    for (size_t i = 0; i < 8; i++) {
        char *value = malloc(sizes[i] + 1);

        memset(value, 'a' + (int)i, sizes[i]);
        value[sizes[i]] = '\0';
        check_record(locations[i], "k", value);
        free(value);
        free(records[i]);
    }
    ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 3);
}
END_TEST

START_TEST(a_full_batch_says_so)
{
    uint64_t location, sequence;
    unsigned n = 0;
    enum rk_err err;

    while ((err = test_log_stage(writer(), "key", "value", &location, &sequence)) == RK_OK)
        n++;
    ck_assert_int_eq(err, RK_ERR_FULL);
    ck_assert_uint_gt(n, RK_LOG_BATCH_BUFFER_BYTES / 48 - 100);
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
    ck_assert_int_eq(test_log_stage(writer(), "key", "value", &location, &sequence), RK_OK);
    ck_assert_uint_eq(sequence, n + 1);
}
END_TEST

START_TEST(files_roll_over_and_are_sealed)
{
    struct rk_disk_scan_end end;
    char value[1001];
    size_t n_records = 0;
    uint64_t last = 0;

    memset(value, 'v', 1000);
    value[1000] = '\0';
    for (int i = 0; i < 5000; i++)
        test_log_put(writer(), "key", value);
    ck_assert_uint_ge(rk_log_store_n_files(log_under_test.store), 5);
    ck_assert_uint_eq(rk_log_writer_file_number(writer()), rk_log_store_n_files(log_under_test.store));
    for (size_t i = 0; i + 1 < rk_log_store_n_files(log_under_test.store); i++) {
        n_records += scan_file(rk_log_store_file(log_under_test.store, i), &end);
        ck_assert_int_eq(end.kind, RK_DISK_SCAN_SEALED);
        ck_assert_uint_eq(end.end_bytes, end.file_bytes);
        ck_assert_uint_le(end.file_bytes, FILE_BYTES);
        ck_assert_uint_eq(end.totals.first_sequence, last + 1);
        last = end.totals.last_sequence;
    }
    ck_assert_uint_eq(rk_log_writer_durable_sequence(writer()), last);
    n_records += scan_file(rk_log_writer_file_number(writer()), &end);
    ck_assert_uint_eq(n_records, 5000);
}
END_TEST

START_TEST(an_empty_file_does_not_roll_over)
{
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_OK);
    ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 1);
    test_log_put(writer(), "a", "1");
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_OK);
    ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 2);
}
END_TEST

START_TEST(an_empty_newest_file_gives_its_place_away)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES, .next_sequence = 2 };
    struct rk_detail detail;

    test_log_put(writer(), "a", "1");
    for (uint32_t round = 0; round < 3; round++) {
        ck_assert_int_eq(rk_log_writer_close(&log_under_test.writer), RK_OK);
        ck_assert_int_eq(rk_log_writer_open(&log_under_test.writer, log_under_test.store, &settings, &detail), RK_OK);
        ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 2);
        ck_assert_uint_eq(rk_log_store_file(log_under_test.store, 0), 1);
        ck_assert_uint_eq(rk_log_store_file(log_under_test.store, 1), round + 2);
    }
}
END_TEST

/* A write that fails, at once or after some bytes: nothing of the batch stays, and the next one goes where it would
 * have gone. */
START_TEST(a_failed_write_is_cut_back)
{
    static const int errnums[] = { ENOSPC, EIO };
    static const enum rk_err errs[] = { RK_ERR_NO_SPACE, RK_ERR_IO };
    static const size_t shorts[] = { 0, 1, 40, 47, 48, 95 };
    struct rk_disk_scan_end end;
    uint64_t location, sequence;
    size_t n = 0;

    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 6; j++) {
            ck_assert_int_eq(test_log_stage(writer(), "a", "lost", &location, &sequence), RK_OK);
            ck_assert_int_eq(test_log_stage(writer(), "b", "lost", &location, &sequence), RK_OK);
            test_io_install(&(struct test_io_fault){
                .calls = TEST_IO_PWRITEV, .nth = 1, .errnum = errnums[i], .short_bytes = shorts[j] });
            ck_assert_int_eq(rk_log_writer_flush(writer()), errs[i]);
            test_io_remove();
            ck_assert_int_eq(rk_log_writer_state(writer()), RK_OK);
            ck_assert_uint_eq(rk_log_writer_last_sequence(writer()), n);
            ck_assert_uint_eq(scan_file(1, &end), n);
            ck_assert_int_eq(end.kind, RK_DISK_SCAN_OPEN);
            check_record(test_log_put(writer(), "a", "kept"), "a", "kept");
            n++;
        }
    ck_assert_uint_eq(scan_file(1, &end), n);
}
END_TEST

START_TEST(what_cannot_be_cut_back_ends_the_writing)
{
    struct rk_detail why;
    uint64_t location, sequence;

    test_log_put(writer(), "a", "1");
    ck_assert_int_eq(test_log_stage(writer(), "b", "lost", &location, &sequence), RK_OK);
    test_io_install(&(struct test_io_fault){
        .calls = TEST_IO_PWRITEV | TEST_IO_FTRUNCATE, .nth = 1, .forever = true, .errnum = EIO });
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_ERR_READ_ONLY);
    test_io_remove();
    ck_assert_int_eq(rk_log_writer_state(writer()), RK_ERR_READ_ONLY);
    ck_assert_int_eq(test_log_stage(writer(), "c", "no", &location, &sequence), RK_ERR_READ_ONLY);
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_ERR_READ_ONLY);
    rk_log_writer_why(writer(), &why);
    ck_assert_ptr_nonnull(strstr(why.text, "0000000001.data"));
    ck_assert_int_eq(rk_log_writer_close(&log_under_test.writer), RK_ERR_READ_ONLY);
}
END_TEST

START_TEST(a_failed_sync_is_never_retried)
{
    uint64_t location, sequence;

    test_log_put(writer(), "a", "1");
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_FDATASYNC, .nth = 1, .errnum = EIO });
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_ERR_READ_ONLY);
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_ERR_READ_ONLY);
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_ERR_READ_ONLY);
    ck_assert_uint_eq(test_io_n_calls(), 1);
    ck_assert_uint_eq(rk_log_writer_durable_sequence(writer()), 0);
    ck_assert_int_eq(test_log_stage(writer(), "b", "no", &location, &sequence), RK_ERR_READ_ONLY);
}
END_TEST

START_TEST(a_disk_that_cannot_preallocate_is_written_all_the_same)
{
    static const int errnums[] = { EOPNOTSUPP, ENOSPC };

    for (size_t i = 0; i < 2; i++) {
        test_io_install(
            &(struct test_io_fault){ .calls = TEST_IO_FALLOCATE, .nth = 1, .forever = true, .errnum = errnums[i] });
        test_log_put(writer(), "a", "1");
        ck_assert_int_eq(rk_log_writer_roll(writer()), RK_OK);
        check_record(test_log_put(writer(), "b", "2"), "b", "2");
        ck_assert_int_eq(rk_log_writer_sync(writer()), RK_OK);
        test_io_remove();
    }
}
END_TEST

/* A disk with so much space and no more, while it is full: what is preallocated can be written, what is cut is free. */
static struct rk_io_ops full_disk;
static bool disk_is_full;
static off_t free_bytes;
static unsigned n_opens;

static off_t size_of(int fd)
{
    struct stat status;

    ck_assert_int_eq(fstat(fd, &status), 0);
    return status.st_size;
}

static bool can_grow(int fd, off_t end)
{
    off_t more = end - size_of(fd);

    if (!disk_is_full || more <= 0)
        return true;
    if (more > free_bytes) {
        errno = ENOSPC;
        return false;
    }
    free_bytes -= more;
    return true;
}

static ssize_t write_on_full_disk(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    off_t end = offset;

    for (int i = 0; i < n_iov; i++)
        end += (off_t)iov[i].iov_len;
    return can_grow(fd, end) ? rk_io_kernel_ops.pwritev(fd, iov, n_iov, offset) : -1;
}

static int allocate_on_full_disk(int fd, int mode, off_t offset, off_t size)
{
    return can_grow(fd, offset + size) ? rk_io_kernel_ops.fallocate(fd, mode, offset, size) : -1;
}

static int cut_on_full_disk(int fd, off_t size)
{
    free_bytes += size_of(fd) > size ? size_of(fd) - size : 0;
    return rk_io_kernel_ops.ftruncate(fd, size);
}

static int count_open(int dir_fd, const char *name, int flags, mode_t mode)
{
    n_opens++;
    return rk_io_kernel_ops.open_at(dir_fd, name, flags, mode);
}

static void fill_disk(off_t but_for)
{
    disk_is_full = true;
    free_bytes = but_for;
}

static void reopen_with_reserve(uint64_t reserve_bytes)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES,
                                               .reserve_bytes = reserve_bytes,
                                               .next_sequence = 1 };

    ck_assert_int_eq(rk_log_writer_close(&log_under_test.writer), RK_OK);
    ck_assert_int_eq(rk_log_writer_open(&log_under_test.writer, log_under_test.store, &settings, NULL), RK_OK);
    full_disk = rk_io_kernel_ops;
    full_disk.pwritev = write_on_full_disk;
    full_disk.fallocate = allocate_on_full_disk;
    full_disk.ftruncate = cut_on_full_disk;
    full_disk.open_at = count_open;
    rk_io = &full_disk;
}

/* Puts until one is refused, or deletes; returns how many were written. */
static unsigned write_until_full(const char *value)
{
    uint64_t location, sequence;
    unsigned n = 0;
    enum rk_err err;

    while ((err = test_log_stage(writer(), "key", value, &location, &sequence)) == RK_OK
           && (err = rk_log_writer_flush(writer())) == RK_OK)
        n++;
    ck_assert_int_eq(err, RK_ERR_NO_SPACE);
    ck_assert_int_eq(rk_log_writer_state(writer()), RK_OK);
    return n;
}

#define RESERVE_BYTES (64u << 10)

START_TEST(deletes_go_on_in_the_reserve)
{
    struct rk_disk_scan_end end;
    uint32_t file_number;
    uint64_t location, sequence;
    unsigned n_puts, n_deletes;

    reopen_with_reserve(RESERVE_BYTES);
    file_number = rk_log_writer_file_number(writer());
    test_log_put(writer(), "a", "1");
    fill_disk(0);
    n_puts = 1 + write_until_full("0123456789");
    ck_assert(rk_log_writer_is_full(writer()));
    ck_assert(rk_log_writer_look_for_room(writer()));
    /* The file is as large as it should be, and there is no room for the next. */
    ck_assert_uint_eq(rk_log_writer_file_number(writer()), file_number);
    ck_assert_int_eq(test_log_stage(writer(), "b", "0123456789", &location, &sequence), RK_ERR_NO_SPACE);
    n_deletes = write_until_full(NULL);
    ck_assert_uint_ge(n_deletes, RESERVE_BYTES / 48 - 8);
    ck_assert_uint_eq(scan_file(file_number, &end), n_puts + n_deletes);
    disk_is_full = false;
    ck_assert(!rk_log_writer_look_for_room(writer()));
    ck_assert(!rk_log_writer_is_full(writer()));
    test_log_put(writer(), "b", "2");
    ck_assert_uint_ne(rk_log_writer_file_number(writer()), file_number);
    (void)scan_file(file_number, &end);
    ck_assert_int_eq(end.kind, RK_DISK_SCAN_SEALED);
    fill_disk(0); /* and the new file has a reserve of its own */
    (void)write_until_full("0123456789");
    ck_assert_uint_ge(write_until_full(NULL), RESERVE_BYTES / 48 - 8);
    disk_is_full = false;
}
END_TEST

/* The file is cut back to its end, and what was preallocated behind that goes with it; the next put sees to a reserve
 * again before it is written. */
START_TEST(a_failed_write_does_not_cost_the_reserve)
{
    uint64_t location, sequence;

    reopen_with_reserve(RESERVE_BYTES);
    test_log_put(writer(), "a", "1");
    ck_assert_int_eq(test_log_stage(writer(), "a", "lost", &location, &sequence), RK_OK);
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_PWRITEV, .nth = 1, .errnum = EIO });
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_ERR_IO);
    test_io_remove();
    rk_io = &full_disk;
    fill_disk(RESERVE_BYTES + 4096);
    ck_assert_uint_le(write_until_full("0123456789"), 4096 / 64 + 1);
    ck_assert_uint_ge(write_until_full(NULL), RESERVE_BYTES / 48 - 8);
    disk_is_full = false;
}
END_TEST

START_TEST(a_roll_over_does_not_give_the_reserve_away)
{
    uint32_t file_number;

    reopen_with_reserve(RESERVE_BYTES);
    file_number = rk_log_writer_file_number(writer());
    fill_disk(RESERVE_BYTES / 2); /* for a file, not for one with a reserve */
    (void)write_until_full("0123456789");
    ck_assert_uint_ge(write_until_full(NULL), RESERVE_BYTES / 48 - 8);
    ck_assert_uint_eq(rk_log_writer_file_number(writer()), file_number);
    disk_is_full = false;
}
END_TEST

static uint64_t bytes_on_disk(uint32_t file_number)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    struct stat status;

    rk_disk_file_name(name, file_number);
    ck_assert_int_eq(fstatat(rk_log_store_dir_fd(log_under_test.store), name, &status, 0), 0);
    ck_assert_uint_le((uint64_t)status.st_size, FILE_BYTES);
    return (uint64_t)status.st_blocks * 512;
}

/* What is preallocated grows with what is there, and ends where the file does. */
START_TEST(a_small_store_takes_little)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES,
                                               .reserve_bytes = 16 << 20,
                                               .next_sequence = 1 };

    static char value[1001];

    memset(value, 'v', sizeof value - 1);
    ck_assert_int_eq(rk_log_writer_close(&log_under_test.writer), RK_OK);
    ck_assert_int_eq(rk_log_writer_open(&log_under_test.writer, log_under_test.store, &settings, NULL), RK_OK);
    for (unsigned i = 0; i < 3000; i++) {
        test_log_put(writer(), "key", value);
        ck_assert_uint_le(bytes_on_disk(rk_log_writer_file_number(writer())), FILE_BYTES);
    }
    ck_assert_uint_gt(rk_log_writer_file_number(writer()), 3);
    for (unsigned i = 0; i < FILE_BYTES / 48; i++) { /* deletes go on in the reserve, and then in the next file */
        ck_assert_int_eq(test_log_stage(writer(), "key", NULL, &(uint64_t){ 0 }, &(uint64_t){ 0 }), RK_OK);
        ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
        ck_assert_uint_le(bytes_on_disk(rk_log_writer_file_number(writer())), FILE_BYTES);
    }
}
END_TEST

/* Where a file may grow no more (RLIMIT_FSIZE), the next one goes on. */
START_TEST(a_file_that_may_not_grow_is_rolled_over)
{
    uint32_t file_number = rk_log_writer_file_number(writer());
    uint64_t location, sequence;

    test_log_put(writer(), "a", "1");
    ck_assert_int_eq(test_log_stage(writer(), "b", "2", &location, &sequence), RK_OK);
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_PWRITEV, .nth = 1, .errnum = EFBIG });
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_ERR_NO_SPACE);
    test_io_remove();
    test_log_put(writer(), "b", "2");
    ck_assert_uint_ne(rk_log_writer_file_number(writer()), file_number);
}
END_TEST

/* Else what is dead in the active file could not be had back by a merge. */
START_TEST(a_roll_over_that_is_asked_for_takes_the_reserve_along)
{
    uint32_t file_number;

    reopen_with_reserve(RESERVE_BYTES);
    file_number = rk_log_writer_file_number(writer());
    fill_disk(2 * RK_DISK_FILE_FRAME_BYTES); /* for a header and a trailer */
    (void)write_until_full("0123456789");
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_OK);
    ck_assert_uint_ne(rk_log_writer_file_number(writer()), file_number);
    ck_assert_uint_ge(write_until_full(NULL), RESERVE_BYTES / 48 - 8);
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_ERR_NO_SPACE); /* there is none any more */
    disk_is_full = false;
}
END_TEST

/* Room for some more in this file, of which nobody has anything, is no room. */
START_TEST(a_disk_without_room_for_the_next_file_stays_full)
{
    reopen_with_reserve(1 << 20);
    fill_disk(1 << 16);
    (void)write_until_full("0123456789");
    for (int round = 0; round < 3; round++) {
        ck_assert(rk_log_writer_look_for_room(writer()));
        ck_assert_uint_eq(write_until_full("0123456789"), 0);
    }
    fill_disk(3 << 20);
    ck_assert(!rk_log_writer_look_for_room(writer()));
    ck_assert_uint_gt(write_until_full("0123456789"), 0);
    disk_is_full = false;
}
END_TEST

/* Each try makes a file and removes it again; puts that are refused may be many. */
START_TEST(a_refused_put_tries_no_roll_over_of_its_own)
{
    unsigned n_before;

    reopen_with_reserve(1 << 20);
    fill_disk(1 << 16);
    (void)write_until_full("0123456789");
    n_before = n_opens;
    for (int round = 0; round < 50; round++)
        ck_assert_uint_eq(write_until_full("0123456789"), 0);
    ck_assert_uint_le(n_opens, n_before + 2); /* one, if this took a second */
    disk_is_full = false;
    ck_assert(!rk_log_writer_look_for_room(writer()));
    ck_assert_uint_gt(n_opens, n_before);
    ck_assert_int_eq(test_log_stage(writer(), "key", "0123456789", &(uint64_t){ 0 }, &(uint64_t){ 0 }), RK_OK);
}
END_TEST

START_TEST(a_put_does_not_fail_the_deletes_of_its_batch)
{
    uint64_t location, sequence;
    struct rk_disk_scan_end end;
    uint32_t file_number;
    unsigned n;

    reopen_with_reserve(RESERVE_BYTES);
    file_number = rk_log_writer_file_number(writer());
    fill_disk(0);
    n = write_until_full("0123456789");
    ck_assert_int_eq(test_log_stage(writer(), "a", NULL, &location, &sequence), RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
    ck_assert_int_eq(test_log_stage(writer(), "b", "1", &location, &sequence), RK_ERR_NO_SPACE);
    ck_assert_int_eq(test_log_stage(writer(), "c", NULL, &location, &sequence), RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(writer()), RK_OK);
    ck_assert_uint_eq(scan_file(file_number, &end), n + 2);
    disk_is_full = false;
}
END_TEST

/* Every call of a roll-over fails once, with a full disk and with a broken one. Then either it goes on as if nothing
 * had been, or the writing has ended; what was synced is there in any case. */
static void check_roll_failures(unsigned nth, int errnum, bool *failed_out)
{
    struct rk_disk_scan_end end;
    uint64_t location, sequence;
    size_t n_files, n_records = 0;
    enum rk_err err;

    open_log();
    test_log_put(writer(), "a", "1");
    test_log_put(writer(), "b", "2");
    test_io_install(&(struct test_io_fault){
        .calls = TEST_IO_ALL & ~(unsigned)(TEST_IO_FALLOCATE | TEST_IO_UNLINK), .nth = nth, .errnum = errnum });
    err = rk_log_writer_roll(writer());
    *failed_out = test_io_n_calls() >= nth;
    test_io_remove();
    if (err != RK_OK || errnum != ENOSPC) /* what had no room is tried again with the room of the reserve */
        ck_assert_int_eq(err != RK_OK, *failed_out);
    ck_assert_int_eq(rk_log_writer_state(writer()) == RK_ERR_READ_ONLY, err == RK_ERR_READ_ONLY);
    if (err == RK_ERR_READ_ONLY)
        ck_assert_int_eq(test_log_stage(writer(), "c", "3", &location, &sequence), RK_ERR_READ_ONLY);
    else
        test_log_put(writer(), "c", "3");
    (void)rk_log_writer_close(&log_under_test.writer);
    rk_log_store_close(&log_under_test.store);
    ck_assert_int_eq(rk_log_store_open(&log_under_test.store, log_under_test.path, NULL), RK_OK);
    n_files = rk_log_store_n_files(log_under_test.store);
    for (size_t i = 0; i < n_files; i++) {
        n_records += scan_file(rk_log_store_file(log_under_test.store, i), &end);
        ck_assert(end.kind == RK_DISK_SCAN_SEALED || i + 1 == n_files);
    }
    ck_assert_uint_eq(n_records, err == RK_ERR_READ_ONLY ? 2 : 3);
    close_log();
}

START_TEST(a_roll_over_may_fail_anywhere)
{
    bool failed = true;

    close_log();
    for (unsigned nth = 1; failed; nth++) {
        check_roll_failures(nth, ENOSPC, &failed);
        if (failed)
            check_roll_failures(nth, EIO, &failed);
    }
    open_log();
}
END_TEST

static bool is_in_folder(const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", log_under_test.path, name);
    return access(path, F_OK) == 0;
}

/* As on a btrfs that is full: all was written, and only the name cannot be changed. The file goes on, and rolls over
 * later. */
START_TEST(a_rename_without_room_is_tried_again)
{
    static const int errnums[] = { ENOSPC, EDQUOT };
    uint32_t file_number = rk_log_writer_file_number(writer());
    struct rk_disk_scan_end end;

    test_log_put(writer(), "a", "1");
    for (size_t i = 0; i < 2; i++) {
        test_io_install(
            &(struct test_io_fault){ .calls = TEST_IO_RENAME, .nth = 1, .forever = true, .errnum = errnums[i] });
        ck_assert_int_eq(rk_log_writer_roll(writer()), RK_ERR_NO_SPACE);
        ck_assert_uint_ge(test_io_n_calls(), 1);
        test_io_remove();
        ck_assert_int_eq(rk_log_writer_state(writer()), RK_OK);
        ck_assert_uint_eq(rk_log_writer_file_number(writer()), file_number);
        ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 1);
        ck_assert(!is_in_folder("MANIFEST.tmp"));
        ck_assert(!is_in_folder("0000000002.data") && !is_in_folder("0000000003.data"));
        ck_assert_uint_eq(scan_file(file_number, &end), 1 + i);
        ck_assert_int_eq(end.kind, RK_DISK_SCAN_OPEN);
        test_log_put(writer(), "b", "2");
        ck_assert_int_eq(rk_log_writer_sync(writer()), RK_OK);
        ck_assert_uint_eq(scan_file(file_number, &end), 2 + i);
    }
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_OK);
    ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 2);
    ck_assert_uint_eq(scan_file(file_number, &end), 3);
    ck_assert_int_eq(end.kind, RK_DISK_SCAN_SEALED);
    ck_assert_uint_eq(end.end_bytes, end.file_bytes);
}
END_TEST

/* And where the seal cannot be taken back after that, the sealed file must not grow. */
START_TEST(a_seal_that_cannot_be_taken_back_ends_the_writing)
{
    struct test_io_fault fault = { .calls = TEST_IO_RENAME | TEST_IO_FTRUNCATE, .forever = true, .errnum = ENOSPC };
    uint64_t location, sequence;
    struct rk_disk_scan_end end;

    test_log_put(writer(), "a", "1");
    fault.nth = 2; /* the first one ends the file behind its trailer */
    test_io_install(&fault);
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_ERR_READ_ONLY);
    test_io_remove();
    ck_assert_int_eq(test_log_stage(writer(), "b", "2", &location, &sequence), RK_ERR_READ_ONLY);
    ck_assert_uint_eq(scan_file(1, &end), 1);
    ck_assert_int_eq(end.kind, RK_DISK_SCAN_SEALED);
}
END_TEST

/* No sync that fails is taken for a full disk, whatever it says: after it, nobody knows what is there. */
START_TEST(a_directory_that_cannot_be_synced_is_not_full)
{
    struct test_io_fault fault = { .calls = TEST_IO_FSYNC, .forever = true, .errnum = ENOSPC };

    test_log_put(writer(), "a", "1");
    fault.nth = 2; /* the first one is of MANIFEST.tmp */
    test_io_install(&fault);
    ck_assert_int_eq(rk_log_writer_roll(writer()), RK_ERR_READ_ONLY);
    test_io_remove();
}
END_TEST

START_TEST(a_first_file_without_room_for_its_name_is_gone)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES, .next_sequence = 2 };
    struct rk_detail detail;

    test_log_put(writer(), "a", "1");
    ck_assert_int_eq(rk_log_writer_close(&log_under_test.writer), RK_OK);
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_RENAME, .nth = 1, .errnum = ENOSPC });
    ck_assert_int_eq(rk_log_writer_open(&log_under_test.writer, log_under_test.store, &settings, &detail),
                     RK_ERR_NO_SPACE);
    test_io_remove();
    ck_assert(!is_in_folder("0000000002.data") && !is_in_folder("MANIFEST.tmp"));
    ck_assert_uint_eq(rk_log_store_n_files(log_under_test.store), 1);
    ck_assert_int_eq(rk_log_writer_open(&log_under_test.writer, log_under_test.store, &settings, &detail), RK_OK);
}
END_TEST

static struct rk_io_ops syncing;
static uint64_t sequence_meanwhile;

static int sync_while_written(int fd)
{
    rk_io = &rk_io_kernel_ops;
    test_log_put(writer(), "b", "while it runs");
    sequence_meanwhile = rk_log_writer_last_sequence(writer());
    return rk_io_kernel_ops.fdatasync(fd);
}

/* What is flushed while fdatasync runs may not be on the disk when it ends: neither the sequence nor the marks of the
 * records that follow cover it before the next one. */
START_TEST(a_sync_covers_what_was_flushed_before_it_began)
{
    struct rk_disk_scan_item item;
    struct rk_disk_scan *scan = NULL;
    uint64_t end_bytes;

    test_log_put(writer(), "a", "before");
    end_bytes = rk_log_writer_end_bytes(writer());
    syncing = rk_io_kernel_ops;
    syncing.fdatasync = sync_while_written;
    rk_io = &syncing;
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_OK);
    ck_assert_uint_eq(sequence_meanwhile, 2);
    ck_assert_uint_eq(rk_log_writer_durable_sequence(writer()), 1);
    test_log_put(writer(), "c", "after");
    ck_assert_int_eq(rk_disk_scan_open(&scan, rk_log_store_dir_fd(log_under_test.store), 1,
                                       rk_log_store_identity(log_under_test.store), NULL),
                     RK_OK);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(rk_disk_scan_next(scan, &item, NULL), RK_OK);
    ck_assert_uint_eq((uint64_t)item.header.durable_units * RK_DISK_UNIT_BYTES, end_bytes);
    rk_disk_scan_close(&scan);
    ck_assert_int_eq(rk_log_writer_sync(writer()), RK_OK);
    ck_assert_uint_eq(rk_log_writer_durable_sequence(writer()), 3);
}
END_TEST

/* The syncer catches up with a writer that rolls over and never syncs by itself. */
START_TEST(the_syncer_makes_durable_what_is_flushed)
{
    struct rk_log_syncer *syncer = NULL;
    char value[2001];

    memset(value, 'v', 2000);
    value[2000] = '\0';
    ck_assert_int_eq(rk_log_syncer_start(&syncer, writer(), 1, NULL), RK_OK);
    for (int i = 0; i < 3000; i++) {
        test_log_put(writer(), "key", value);
        ck_assert_uint_le(rk_log_writer_durable_sequence(writer()), rk_log_writer_last_sequence(writer()));
    }
    rk_log_syncer_set_interval(syncer, 1000000);
    while (rk_log_writer_durable_sequence(writer()) < rk_log_writer_last_sequence(writer()))
        rk_log_syncer_request(syncer); /* the suite's time limit is the deadline */
    rk_log_syncer_stop(&syncer);
    ck_assert_ptr_null(syncer);
    ck_assert_int_eq(rk_log_writer_state(writer()), RK_OK);
}
END_TEST

START_TEST(the_syncer_needs_no_asking)
{
    struct rk_log_syncer *syncer = NULL;

    ck_assert_int_eq(rk_log_syncer_start(&syncer, writer(), 1, NULL), RK_OK);
    for (uint64_t i = 1; i <= 10; i++) {
        test_log_put(writer(), "a", "1");
        while (rk_log_writer_durable_sequence(writer()) < i)
            sched_yield(); /* the suite's time limit is the deadline */
    }
    rk_log_syncer_stop(&syncer);
}
END_TEST

static void put_many(void)
{
    char value[4001];

    memset(value, 'v', 4000);
    value[4000] = '\0';
    for (unsigned i = 0; i <= RK_LOG_WRITER_UNSYNCED_BYTES / 4000; i++)
        test_log_put(writer(), "key", value);
}

/* The interval is long: what makes it sync is that much was written. */
START_TEST(the_syncer_does_not_let_much_gather)
{
    struct rk_log_syncer *syncer = NULL;

    close_log();
    test_log_open(&log_under_test, 16 * (uint64_t)RK_LOG_WRITER_UNSYNCED_BYTES, 1);
    ck_assert_int_eq(rk_log_syncer_start(&syncer, writer(), 1000000, NULL), RK_OK);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t durable = rk_log_writer_durable_sequence(writer());

        put_many();
        while (rk_log_writer_durable_sequence(writer()) == durable)
            sched_yield(); /* the suite's time limit is the deadline */
    }
    rk_log_syncer_stop(&syncer);
    put_many(); /* nobody is called any more */
}
END_TEST

START_TEST(the_syncers_failure_is_seen_by_the_writer)
{
    struct rk_log_syncer *syncer = NULL;
    uint64_t location, sequence;

    test_log_put(writer(), "a", "1");
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_FDATASYNC, .nth = 1, .errnum = EIO });
    ck_assert_int_eq(rk_log_syncer_start(&syncer, writer(), 1, NULL), RK_OK);
    while (rk_log_writer_state(writer()) == RK_OK)
        rk_log_syncer_request(syncer);
    rk_log_syncer_stop(&syncer);
    ck_assert_int_eq(test_log_stage(writer(), "b", "no", &location, &sequence), RK_ERR_READ_ONLY);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_writer");
    TCase *tcase = tcase_create("writer");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, open_log, close_log);
    tcase_add_test(tcase, a_record_is_where_its_location_says);
    tcase_add_test(tcase, marks_follow_the_syncs);
    tcase_add_test(tcase, large_records_are_written_from_where_they_lie);
    tcase_add_test(tcase, a_full_batch_says_so);
    tcase_add_test(tcase, files_roll_over_and_are_sealed);
    tcase_add_test(tcase, an_empty_file_does_not_roll_over);
    tcase_add_test(tcase, an_empty_newest_file_gives_its_place_away);
    tcase_add_test(tcase, a_failed_write_is_cut_back);
    tcase_add_test(tcase, what_cannot_be_cut_back_ends_the_writing);
    tcase_add_test(tcase, a_failed_sync_is_never_retried);
    tcase_add_test(tcase, a_disk_that_cannot_preallocate_is_written_all_the_same);
    tcase_add_test(tcase, deletes_go_on_in_the_reserve);
    tcase_add_test(tcase, a_failed_write_does_not_cost_the_reserve);
    tcase_add_test(tcase, a_roll_over_does_not_give_the_reserve_away);
    tcase_add_test(tcase, a_roll_over_that_is_asked_for_takes_the_reserve_along);
    tcase_add_test(tcase, a_small_store_takes_little);
    tcase_add_test(tcase, a_file_that_may_not_grow_is_rolled_over);
    tcase_add_test(tcase, a_disk_without_room_for_the_next_file_stays_full);
    tcase_add_test(tcase, a_refused_put_tries_no_roll_over_of_its_own);
    tcase_add_test(tcase, a_put_does_not_fail_the_deletes_of_its_batch);
    tcase_add_test(tcase, a_roll_over_may_fail_anywhere);
    tcase_add_test(tcase, a_rename_without_room_is_tried_again);
    tcase_add_test(tcase, a_seal_that_cannot_be_taken_back_ends_the_writing);
    tcase_add_test(tcase, a_directory_that_cannot_be_synced_is_not_full);
    tcase_add_test(tcase, a_first_file_without_room_for_its_name_is_gone);
    tcase_add_test(tcase, a_sync_covers_what_was_flushed_before_it_began);
    tcase_add_test(tcase, the_syncer_makes_durable_what_is_flushed);
    tcase_add_test(tcase, the_syncer_needs_no_asking);
    tcase_add_test(tcase, the_syncer_does_not_let_much_gather);
    tcase_add_test(tcase, the_syncers_failure_is_seen_by_the_writer);
    suite_add_tcase(suite, tcase);
    return suite;
}
