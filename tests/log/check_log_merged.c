/* A merged file as it is written: where its pieces begin and end, and what leaves the page cache again. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_file.h"
#include "log/log_merged.h"
#include "log/log_store.h"
#include "test_log.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define PIECE        ((uint64_t)RK_LOG_MERGED_PIECE_BYTES)
#define HEADER_BYTES ((uint64_t)RK_DISK_FILE_FRAME_BYTES)
#define RECORD_BYTES 4096u

static struct test_log bed;
static struct rk_io_ops ops;
static struct rk_log_merged *merged;

/* The n-th write of records ends at ends[n]; the n-th piece that was dropped begins at drops[n]. */
static uint64_t ends[16], drops[16];
static unsigned n_ends, n_drops;

static ssize_t note_write(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    ssize_t n = rk_io_kernel_ops.pwritev(fd, iov, n_iov, offset);

    if (offset >= (off_t)HEADER_BYTES) {
        ck_assert_uint_lt(n_ends, sizeof ends / sizeof *ends);
        ends[n_ends++] = (uint64_t)(offset + n);
    }
    return n;
}

static int note_advice(int fd, off_t offset, off_t size, int advice)
{
    ck_assert_int_eq(advice, POSIX_FADV_DONTNEED);
    ck_assert_int_eq(size, (off_t)PIECE);
    ck_assert_uint_lt(n_drops, sizeof drops / sizeof *drops);
    drops[n_drops++] = (uint64_t)offset;
    return 0;
}

static void setup(void)
{
    struct rk_log_merged_settings settings;
    struct rk_detail detail = { "" };

    test_log_open(&bed, 1u << 20, 1);
    settings = (struct rk_log_merged_settings){ .dir_fd = rk_log_store_dir_fd(bed.store),
                                                .identity = rk_log_store_identity(bed.store),
                                                .file_number = 77,
                                                .sequence = 1,
                                                .expected_bytes = 4 * PIECE };
    ck_assert_int_eq(rk_log_merged_create(&merged, &settings, &detail), RK_OK);
    ops = rk_io_kernel_ops;
    ops.pwritev = note_write;
    ops.fadvise = note_advice;
    n_ends = n_drops = 0;
    rk_io = &ops;
}

static void teardown(void)
{
    rk_io = &rk_io_kernel_ops;
    rk_log_merged_close(&merged, true);
    test_log_close(&bed);
}

/* Records up to this many bytes of the file, all from the disk or none. */
static void append_until(uint64_t end_bytes, bool is_cold)
{
    static const uint8_t record[RECORD_BYTES];

    while (rk_log_merged_size_with(merged, RECORD_BYTES) - HEADER_BYTES <= end_bytes) {
        (void)rk_log_merged_begin_record(merged, 1, RECORD_BYTES);
        ck_assert_int_eq(rk_log_merged_append(merged, record, RECORD_BYTES, is_cold, NULL), RK_OK);
    }
}

START_TEST(pieces_end_at_multiples_of_their_size)
{
    append_until(3 * PIECE + RECORD_BYTES, false);
    ck_assert_uint_eq(n_ends, 3);
    for (unsigned i = 0; i < n_ends; i++)
        ck_assert_uint_eq(ends[i], (i + 1) * PIECE);
    ck_assert_int_eq(rk_log_merged_finish(merged, 1, NULL), RK_OK);
    rk_log_merged_settle(merged);
    ck_assert_uint_eq(n_drops, 0);
}
END_TEST

/* The first piece and the last one, which is not whole. */
START_TEST(what_came_from_the_disk_leaves_the_cache)
{
    append_until(PIECE, true);
    append_until(3 * PIECE, false);
    append_until(3 * PIECE + 3 * RECORD_BYTES, true);
    ck_assert_int_eq(rk_log_merged_finish(merged, 1, NULL), RK_OK);
    ck_assert_uint_eq(n_drops, 0); /* not before it is on the disk, and listed */
    rk_log_merged_settle(merged);
    ck_assert_uint_eq(n_drops, 2);
    ck_assert_uint_eq(drops[0], 0);
    ck_assert_uint_eq(drops[1], 3 * PIECE);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_merged");
    TCase *tcase = tcase_create("merged");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, pieces_end_at_multiples_of_their_size);
    tcase_add_test(tcase, what_came_from_the_disk_leaves_the_cache);
    suite_add_tcase(suite, tcase);
    return suite;
}
