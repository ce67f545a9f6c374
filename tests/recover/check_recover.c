#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "log/log_writer.h"
#include "recover_bed.h"
#include "test_io.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void crash(void)
{
    bed_crash(&bed);
}

static void write_history(size_t n_sealed_ops, size_t n_newest_ops, unsigned sync_every)
{
    bed_open_writer(&bed);
    bed_write(&bed, n_sealed_ops, sync_every);
    ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    bed_write(&bed, n_newest_ops, sync_every);
}

START_TEST(an_empty_store_recovers)
{
    struct rk_recovery result;

    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.next_sequence, 1);
    ck_assert_uint_eq(result.n_files, 0);
    ck_assert(result.was_clean);
    bed_open_writer(&bed);
    crash();
    for (int round = 0; round < 3; round++) {
        bed_recover_all(&bed, &result);
        ck_assert_uint_eq(result.n_files, 1);
        ck_assert_uint_eq(result.n_records, 0);
    }
}
END_TEST

START_TEST(a_clean_stop_leaves_no_gap)
{
    struct rk_recovery result;

    for (int round = 0; round < 5; round++) {
        bed_open_writer(&bed);
        bed_write(&bed, 100, 10);
        bed_close_writer(&bed);
        bed_recover_all(&bed, &result);
        ck_assert(result.was_clean);
        ck_assert_uint_eq(result.next_sequence, bed.n_ops + 1);
        ck_assert_uint_eq(result.last_sequence, bed.n_ops);
        ck_assert_uint_eq(result.n_records, bed.n_ops);
        ck_assert_uint_eq(result.cut_file, 0);
    }
}
END_TEST

/* Sequences that a crash may have lost are not given out again, however often it crashes. */
START_TEST(a_crash_leaves_a_gap_in_the_sequences)
{
    uint64_t last = 0;

    for (int round = 0; round < 6; round++) {
        struct rk_recovery first, second;

        bed_open_writer(&bed);
        bed_write(&bed, round % 2 * 20, 10); /* every other time nothing is written */
        crash();
        bed_recover_all(&bed, &first);
        bed_recover_all(&bed, &second);
        ck_assert(!first.was_clean);
        ck_assert_uint_eq(first.cut_file, 0);
        ck_assert_uint_gt(first.next_sequence, last + (1u << 27));
        ck_assert_uint_eq(first.next_sequence, second.next_sequence);
        last = first.next_sequence;
    }
}
END_TEST

/* Nothing can be written, or nothing but a piece: no trailer, no file, no list. */
static void check_full_disk(bool is_closed, size_t short_bytes)
{
    struct rk_recovery result;
    uint32_t newest = rk_log_store_file(bed.store, rk_log_store_n_files(bed.store) - 1);
    size_t n_files = rk_log_store_n_files(bed.store);

    for (int round = 0; round < 3; round++) {
        test_io_install(&(struct test_io_fault){
            .calls = TEST_IO_PWRITEV, .nth = 1, .forever = true, .errnum = ENOSPC, .short_bytes = short_bytes });
        bed_recover_all(&bed, &result);
        ck_assert_int_eq(result.newest.is_sealed, is_closed); /* it was not written since */
        bed_open_writer(&bed);
        ck_assert_uint_eq(rk_log_writer_file_number(bed.writer), newest);
        crash();
        test_io_remove();
        ck_assert_uint_eq(rk_log_store_n_files(bed.store), n_files);
    }
}

START_TEST(on_a_full_disk_the_newest_file_goes_on)
{
    static const size_t shorts[] = { 0, 1, 40, 79 };
    struct rk_recovery result;

    for (size_t i = 0; i < 8; i++) {
        bool is_closed = i % 2 == 1;

        write_history(20, 20, 5);
        if (is_closed)
            bed_close_writer(&bed);
        else
            crash();
        check_full_disk(is_closed, shorts[i / 2]);
        test_io_install(
            &(struct test_io_fault){ .calls = TEST_IO_PWRITEV, .nth = 1, .forever = true, .errnum = ENOSPC });
        bed_open_writer(&bed);
        test_io_remove();
        bed_write(&bed, 1, 0); /* there is room again */
        ck_assert_uint_eq(rk_log_writer_durable_sequence(bed.writer), rk_log_writer_last_sequence(bed.writer));
        bed_write(&bed, 20, 5);
        crash();
        bed_recover_all(&bed, &result);
        ck_assert_uint_eq(result.n_records, bed.n_ops);
    }
}
END_TEST

/* Its trailer says that all of it is durable, and stays when it cannot be cut off. */
START_TEST(a_newest_file_that_cannot_be_cut_ends_the_writing)
{
    for (unsigned nth = 1; nth <= 2; nth++) {
        struct rk_recovery result;

        write_history(20, 20, 5);
        bed_close_writer(&bed);
        test_io_install(
            &(struct test_io_fault){ .calls = TEST_IO_PWRITEV, .nth = 1, .forever = true, .errnum = ENOSPC });
        bed_open_writer(&bed);
        test_io_install(
            &(struct test_io_fault){ .calls = TEST_IO_FTRUNCATE | TEST_IO_FDATASYNC, .nth = nth, .errnum = EIO });
        ck_assert_int_eq(bed_try_write(&bed, 1, 1), RK_ERR_READ_ONLY);
        test_io_remove();
        ck_assert_int_eq(rk_log_writer_state(bed.writer), RK_ERR_READ_ONLY);
        crash();
        bed_recover_all(&bed, &result);
        ck_assert_uint_eq(result.n_records, bed.n_ops);
        ck_assert_int_eq(result.was_clean, nth == 1);
    }
}
END_TEST

static void check_refused(uint32_t number, size_t size)
{
    struct rk_recovery result;
    struct rk_detail detail = { "" };
    size_t size_after;
    char name[RK_DISK_FILE_NAME_BYTES];

    ck_assert_msg(bed_recover(&bed, &result, &detail) == RK_ERR_CORRUPT, "cut at %zu, and not noticed", size);
    rk_disk_file_name(name, number);
    ck_assert_ptr_nonnull(strstr(detail.text, name));
    free(bed_read_file(&bed, number, &size_after));
    ck_assert_uint_eq(size_after, size);
}

/* What is before durable_bytes is known to be durable: a shorter file is damage, and stays as it is. */
static void check_truncated(uint32_t number, const uint8_t *bytes, size_t size, size_t n_before, size_t durable_bytes)
{
    struct rk_recovery first, second;
    struct rk_detail detail = { "" };
    size_t n_whole = 0;

    for (size_t i = n_before; i < bed.n_ops; i++) {
        struct rk_location location = rk_disk_location_decode(bed.ops[i].location);

        n_whole += location.offset_bytes + location.size_bytes <= size;
    }
    bed_write_file(&bed, number, bytes, size);
    if (size < durable_bytes) {
        check_refused(number, size);
        return;
    }
    ck_assert_msg(bed_recover(&bed, &first, &detail) == RK_OK, "cut at %zu: %s", size, detail.text);
    ck_assert_uint_eq(first.n_records, n_before + n_whole);
    ck_assert_uint_eq(first.cut_bytes > 0, first.cut_file != 0);
    ck_assert(first.cut_file == 0 || first.cut_at_bytes + first.cut_bytes <= size);
    ck_assert_int_eq(bed_recover(&bed, &second, &detail), RK_OK);
    ck_assert_uint_eq(second.n_records, first.n_records);
    ck_assert_uint_eq(second.next_sequence, first.next_sequence);
    ck_assert_uint_eq(second.cut_file, 0);
}

/* Where the zeros begin for good. */
static size_t used_size(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size;
}

START_TEST(the_newest_file_cut_at_every_byte)
{
    size_t size, n_before;
    uint32_t number;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 60, 3);
    ck_assert_int_eq(rk_log_writer_roll(bed.writer), RK_OK);
    n_before = bed.n_ops;
    bed_write(&bed, 25, 3);
    number = bed_newest(&bed);
    crash();
    bytes = bed_read_file(&bed, number, &size);
    ck_assert_uint_eq(size, BED_FILE_BYTES);
    for (size_t cut = 0; cut <= size; cut += cut < used_size(bytes, size) + 16 ? BED_STRIDE : 61)
        check_truncated(number, bytes, cut, n_before, RK_DISK_FILE_FRAME_BYTES);
    free(bytes);
}
END_TEST

START_TEST(a_closed_file_cut_at_every_byte)
{
    size_t size;
    uint8_t *bytes;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 3);
    bed_close_writer(&bed);
    bytes = bed_read_file(&bed, 1, &size);
    for (size_t cut = 0; cut <= size; cut += BED_STRIDE)
        check_truncated(1, bytes, cut, 0, size - RK_DISK_FILE_FRAME_BYTES);
    free(bytes);
}
END_TEST

START_TEST(a_sealed_file_that_is_cut_is_reported)
{
    struct rk_recovery result;
    size_t size, size_after;
    uint8_t *bytes, *after;

    write_history(25, 5, 3);
    crash();
    bytes = bed_read_file(&bed, 1, &size);
    for (size_t cut = 0; cut < size; cut += 3 * BED_STRIDE) {
        struct rk_detail detail = { "" };

        bed_write_file(&bed, 1, bytes, cut);
        ck_assert_int_eq(bed_recover(&bed, &result, &detail), RK_ERR_CORRUPT);
        ck_assert_ptr_nonnull(strstr(detail.text, "0000000001.data: damaged at byte"));
        after = bed_read_file(&bed, 1, &size_after);
        ck_assert(size_after == cut && memcmp(after, bytes, cut) == 0);
        free(after);
    }
    bytes[size] = 0;
    bed_write_file(&bed, 1, bytes, size + 1);
    ck_assert_int_eq(bed_recover(&bed, &result, NULL), RK_ERR_CORRUPT);
    bed_write_file(&bed, 1, bytes, size);
    bed_recover_all(&bed, &result);
    free(bytes);
}
END_TEST

/* Each flip is reported, or harmless; bed_recover looks at every value. Returns how many were reported. */
static size_t check_flips(uint32_t number, bool is_newest)
{
    size_t size, n_reported = 0;
    uint8_t *bytes = bed_read_file(&bed, number, &size);
    size_t used = used_size(bytes, size);

    for (size_t bit = 0; bit < size * 8; bit += bit < used * 8 ? 7 * BED_STRIDE : 1009) {
        struct rk_recovery result;
        enum rk_err err;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bed_write_file(&bed, number, bytes, size);
        err = bed_recover(&bed, &result, NULL);
        ck_assert(err == RK_OK || err == RK_ERR_CORRUPT || err == RK_ERR_MISMATCH);
        ck_assert(err != RK_OK || is_newest || result.n_records == bed.n_ops);
        n_reported += err != RK_OK;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bed_write_file(&bed, number, bytes, size);
    free(bytes);
    return n_reported;
}

START_TEST(flips_in_a_sealed_file)
{
    write_history(25, 5, 3);
    crash();
    ck_assert_uint_gt(check_flips(1, false), 0);
}
END_TEST

START_TEST(flips_in_the_newest_file)
{
    write_history(10, 25, 3);
    crash();
    ck_assert_uint_gt(check_flips(2, true), 0);
}
END_TEST

START_TEST(flips_in_a_closed_file)
{
    struct rk_recovery result;

    bed_open_writer(&bed);
    bed_write(&bed, 25, 3);
    bed_close_writer(&bed);
    ck_assert_uint_gt(check_flips(1, true), 0);
    bed_recover_all(&bed, &result);
    ck_assert(result.was_clean);
}
END_TEST

/* The same flip in the newest file is a torn tail or damage, as later records say or do not say that it was durable. */
START_TEST(marks_tell_damage_from_a_torn_tail)
{
    for (int synced = 0; synced < 2; synced++) {
        struct rk_recovery result;
        struct rk_detail detail = { "" };
        struct rk_location victim;
        uint8_t *bytes;
        size_t size;

        destroy_bed();
        create_bed();
        bed_open_writer(&bed);
        bed_write(&bed, 5, 0);
        if (synced == 1)
            ck_assert_int_eq(rk_log_writer_sync(bed.writer), RK_OK);
        bed_write(&bed, 5, 0);
        crash();
        bytes = bed_read_file(&bed, 1, &size);
        victim = rk_disk_location_decode(bed.ops[3].location);
        memset(bytes + victim.offset_bytes, 0, victim.size_bytes); /* a page that never reached the disk */
        bed_write_file(&bed, 1, bytes, size);
        if (synced == 1) {
            ck_assert_int_eq(bed_recover(&bed, &result, &detail), RK_ERR_CORRUPT);
        } else {
            ck_assert_int_eq(bed_recover(&bed, &result, &detail), RK_OK);
            ck_assert_uint_eq(result.n_records, 3);
            ck_assert_uint_eq(result.cut_file, 1);
            ck_assert_uint_eq(result.cut_at_bytes, victim.offset_bytes);
            ck_assert_uint_eq(result.cut_records, 10 - 3 - 1);
        }
        free(bytes);
    }
}
END_TEST

/* Every file operation of a recovery fails, once or for good; the next recovery gives everything. */
static void check_recover_failures(bool forever)
{
    size_t size;
    uint8_t *bytes;
    bool failed = true;
    unsigned n_errors = 0;

    write_history(40, 10, 3);
    crash();
    bytes = bed_read_file(&bed, bed_newest(&bed), &size);
    bytes[size - 1] = 1; /* something to cut */
    for (unsigned nth = 1; failed; nth++) {
        const struct rk_io_ops *ops = rk_io;
        struct rk_keydir_writer *keydir = NULL;
        struct rk_recovery result;
        struct rk_detail detail = { "" };
        enum rk_err err;

        bed_write_file(&bed, bed_newest(&bed), bytes, size);
        ck_assert_int_eq(rk_keydir_writer_create(&keydir, 1 << 20, NULL, NULL), RK_OK);
        test_io_install(&(struct test_io_fault){
            .calls = TEST_IO_ALL, .nth = nth, .forever = forever, .errnum = nth % 2 ? EIO : ENOSPC });
        err = rk_recover_store(bed.store, keydir, NULL, &result, &detail);
        failed = test_io_n_calls() >= nth;
        rk_io = ops;
        rk_keydir_writer_destroy(&keydir);
        ck_assert(err == RK_OK || failed);
        ck_assert(err == RK_OK || strstr(detail.text, bed.path) != NULL);
        n_errors += err != RK_OK;
        bed_recover_all(&bed, &result);
    }
    ck_assert_uint_gt(n_errors, 15); /* a look for a hint is all that may fail unnoticed */
    free(bytes);
}

START_TEST(a_recovery_may_fail_anywhere)
{
    check_recover_failures(false);
}
END_TEST

START_TEST(a_recovery_may_die_anywhere)
{
    check_recover_failures(true);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    struct rk_recovery result;
    struct rk_detail detail;

    write_history(40, 10, 3);
    crash();
    ck_assert_int_eq(unlinkat(rk_log_store_dir_fd(bed.store), "0000000001.data", 0), 0);
    ck_assert_int_eq(bed_recover(&bed, &result, &detail), RK_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(detail.text, "0000000001.data"));
}
END_TEST

START_TEST(a_file_of_another_store_is_refused)
{
    struct rk_recovery result;
    struct rk_detail detail;
    struct bed *other = calloc(1, sizeof *other);
    size_t size;
    uint8_t *bytes;

    write_history(40, 10, 3);
    crash();
    bed_create(other, 2);
    bed_open_writer(other);
    bed_write(other, 5, 1);
    bed_close_writer(other);
    bytes = bed_read_file(other, 1, &size);
    bed_write_file(&bed, 1, bytes, size);
    ck_assert_int_eq(bed_recover(&bed, &result, &detail), RK_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(detail.text, "another store"));
    free(bytes);
    bed_destroy(other);
    free(other);
}
END_TEST

START_TEST(too_many_keys_name_the_limit)
{
    struct rk_keydir_writer *keydir = NULL;
    struct rk_recovery result;
    struct rk_detail detail = { "" };
    struct rk_log_writer_settings settings = { .file_size_bytes = 64 << 20, .next_sequence = 1 };
    uint64_t location, sequence;

    ck_assert_int_eq(rk_log_writer_open(&bed.writer, bed.store, &settings, &detail), RK_OK);
    for (unsigned i = 0; i < 100000; i++) {
        struct rk_record_parts parts = { .type = RK_RECORD_PUT, .key = &i, .key_len = sizeof i };
        uint8_t bytes[64];
        uint64_t size = rk_record_build(bytes, &parts);

        if (rk_log_writer_stage(bed.writer, bytes, bytes + 40, size, 1, &location, &sequence) == RK_ERR_FULL) {
            ck_assert_int_eq(rk_log_writer_flush(bed.writer), RK_OK);
            ck_assert_int_eq(rk_log_writer_stage(bed.writer, bytes, bytes + 40, size, 1, &location, &sequence), RK_OK);
        }
    }
    ck_assert_int_eq(rk_log_writer_flush(bed.writer), RK_OK);
    bed_close_writer(&bed);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, 1 << 20, NULL, NULL), RK_OK);
    ck_assert_int_eq(rk_recover_store(bed.store, keydir, NULL, &result, &detail), RK_ERR_FULL);
    ck_assert_ptr_nonnull(strstr(detail.text, "keydir.max_bytes"));
    rk_keydir_writer_destroy(&keydir);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, 16 << 20, NULL, NULL), RK_OK);
    ck_assert_int_eq(rk_recover_store(bed.store, keydir, NULL, &result, &detail), RK_OK);
    ck_assert_uint_eq(result.n_keys, 100000);
    rk_keydir_writer_destroy(&keydir);
}
END_TEST

/* Copies a record as it is, and counts it. */
static void merge_record(int fd, struct rk_disk_file_trailer *totals, const struct rk_disk_scan_item *item)
{
    struct rk_location location = rk_disk_location_decode(item->location);
    char name[RK_DISK_FILE_NAME_BYTES];
    uint8_t bytes[512];
    int from;

    rk_disk_file_name(name, location.file_number);
    from = openat(rk_log_store_dir_fd(bed.store), name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(from, 0);
    ck_assert_int_eq(pread(from, bytes, location.size_bytes, (off_t)location.offset_bytes), location.size_bytes);
    close(from);
    ck_assert_int_eq(pwrite(fd, bytes, location.size_bytes, (off_t)totals->size_bytes), location.size_bytes);
    totals->size_bytes += location.size_bytes;
    if (totals->n_records == 0 || item->header.sequence < totals->first_sequence)
        totals->first_sequence = item->header.sequence;
    if (item->header.sequence > totals->last_sequence)
        totals->last_sequence = item->header.sequence;
    totals->n_records++;
}

/* Whether a later write of the history has taken the record's place. */
static bool is_overwritten(uint64_t location)
{
    size_t at = 0;

    while (bed.ops[at].location != location)
        at++;
    for (size_t i = at + 1; i < bed.n_ops; i++)
        if (bed.ops[i].key == bed.ops[at].key)
            return true;
    return false;
}

/* What a merge does: copies what is live, and all tombstones, into a new file that takes the place of the oldest. */
static void merge_files(const uint32_t *numbers, size_t n)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(bed.store);
    struct rk_disk_file_header header = { .file_number = rk_log_store_next_number(bed.store),
                                          .format_version = RK_DISK_FORMAT_VERSION,
                                          .kind = RK_DISK_FILE_MERGED };
    struct rk_disk_file_trailer totals = { .size_bytes = RK_DISK_FILE_FRAME_BYTES };
    struct rk_record_stamp stamp = { 0 };
    uint8_t frame[RK_DISK_FILE_FRAME_BYTES];
    char name[RK_DISK_FILE_NAME_BYTES];
    struct rk_disk_manifest_change change = {
        .removed = numbers, .n_removed = n, .added = &header.file_number, .n_added = 1
    };
    int fd;

    memcpy(header.uuid, identity->uuid, sizeof header.uuid);
    rk_disk_file_name(name, header.file_number);
    fd = openat(rk_log_store_dir_fd(bed.store), name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    rk_disk_file_header_build(frame, &header, &stamp);
    ck_assert_int_eq(pwrite(fd, frame, sizeof frame, 0), sizeof frame);
    for (size_t i = 0; i < n; i++) {
        struct rk_disk_scan *scan = NULL;
        struct rk_disk_scan_item item;

        ck_assert_int_eq(rk_disk_scan_open(&scan, rk_log_store_dir_fd(bed.store), numbers[i], identity, NULL), RK_OK);
        while (rk_disk_scan_next(scan, &item, NULL) == RK_OK)
            if (item.header.type == RK_RECORD_TOMBSTONE || bed_random(&bed, 8) == 0 || !is_overwritten(item.location))
                merge_record(fd, &totals, &item);
        rk_disk_scan_close(&scan);
    }
    rk_disk_file_trailer_build(frame, &totals, &identity->secret, &stamp);
    ck_assert_int_eq(pwrite(fd, frame, sizeof frame, (off_t)totals.size_bytes), sizeof frame);
    close(fd);
    ck_assert_int_eq(rk_log_store_change(bed.store, &change, NULL), RK_OK);
}

/* Merges of files that are not neighbours mix old and new sequences in every way: the same state. */
START_TEST(files_may_hold_their_sequences_in_any_order)
{
    for (uint32_t seed = 1; seed <= 60; seed += BED_STRIDE) {
        struct rk_recovery result;
        uint32_t chosen[64];
        size_t n = 0, n_files;

        destroy_bed();
        bed_create(&bed, seed);
        bed_open_writer(&bed);
        bed_write(&bed, 300, 5);
        n_files = rk_log_store_n_files(bed.store);
        ck_assert_uint_ge(n_files, 6);
        for (size_t i = 0; i + 1 < n_files && n < 64; i++)
            if (bed_random(&bed, 2) == 0)
                chosen[n++] = rk_log_store_file(bed.store, i);
        if (seed % 2 == 0 && n > 1) { /* the order inside the merged file does not matter either */
            uint32_t swapped = chosen[0];

            chosen[0] = chosen[n - 1];
            chosen[n - 1] = swapped;
        }
        if (n > 0)
            merge_files(chosen, n);
        crash();
        bed_recover_all(&bed, &result);
        n_files = rk_log_store_n_files(bed.store);
        for (size_t i = 0; i < n_files; i++) /* some files by their hints */
            if (bed_random(&bed, 2) == 0)
                ck_assert_int_eq(bed_make_hint(&bed, rk_log_store_file(bed.store, i), NULL), RK_OK);
        bed_recover_all(&bed, &result);
    }
}
END_TEST

START_TEST(progress_reaches_the_end)
{
    struct rk_recovery result;

    write_history(200, 10, 0);
    bed_close_writer(&bed);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_records, 210);
    ck_assert_uint_eq(result.n_files, rk_log_store_n_files(bed.store));
    ck_assert_uint_gt(result.n_bytes, 210 * 48);
}
END_TEST

/* What the MANIFEST keeps, although no file says it any more. */
START_TEST(sequences_that_no_file_knows_are_not_given_out_again)
{
    struct rk_disk_manifest_change change = { .last_sequence = 1000000 };
    struct rk_recovery result;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 3);
    bed_close_writer(&bed);
    ck_assert_int_eq(rk_log_store_change(bed.store, &change, NULL), RK_OK);
    for (int round = 0; round < 2; round++) {
        bed_recover_all(&bed, &result);
        ck_assert_uint_eq(result.next_sequence, 1000001);
        ck_assert_uint_eq(result.last_sequence, 1000000);
    }
}
END_TEST

/* A copy of the file from when it was closed before, whole and with a trailer, and with its hint. */
START_TEST(an_older_copy_of_a_closed_file_is_found)
{
    struct rk_recovery result;
    struct rk_detail detail = { "" };
    struct rk_disk_manifest_change change = { .closed_file = 1 };
    size_t size;

    bed_open_writer(&bed);
    bed_write(&bed, 20, 3);
    bed_close_writer(&bed);
    free(bed_read_file(&bed, 1, &size));
    if (_i == 1)
        ck_assert_int_eq(bed_make_hint(&bed, 1, &detail), RK_OK);
    change.closed_bytes = size - RK_DISK_FILE_FRAME_BYTES;
    ck_assert_int_eq(rk_log_store_change(bed.store, &change, NULL), RK_OK);
    bed_recover_all(&bed, &result);
    ck_assert_uint_eq(result.n_hints, _i);
    change.closed_bytes += RK_DISK_UNIT_BYTES; /* as if one more record had been there */
    ck_assert_int_eq(rk_log_store_change(bed.store, &change, NULL), RK_OK);
    ck_assert_int_eq(bed_recover(&bed, &result, &detail), RK_ERR_CORRUPT);
    ck_assert_msg(strstr(detail.text, "its trailer is not where it was closed") != NULL, "%s", detail.text);
}
END_TEST

Suite *test_suite(void)

{
    Suite *suite = suite_create("store_recover");
    TCase *tcase = tcase_create("recover");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, create_bed, destroy_bed);
    tcase_add_test(tcase, an_empty_store_recovers);
    tcase_add_test(tcase, a_clean_stop_leaves_no_gap);
    tcase_add_test(tcase, a_crash_leaves_a_gap_in_the_sequences);
    tcase_add_test(tcase, on_a_full_disk_the_newest_file_goes_on);
    tcase_add_test(tcase, a_newest_file_that_cannot_be_cut_ends_the_writing);
    tcase_add_test(tcase, the_newest_file_cut_at_every_byte);
    tcase_add_test(tcase, a_closed_file_cut_at_every_byte);
    tcase_add_test(tcase, sequences_that_no_file_knows_are_not_given_out_again);
    tcase_add_loop_test(tcase, an_older_copy_of_a_closed_file_is_found, 0, 2);
    tcase_add_test(tcase, a_sealed_file_that_is_cut_is_reported);
    tcase_add_test(tcase, flips_in_a_sealed_file);
    tcase_add_test(tcase, flips_in_the_newest_file);
    tcase_add_test(tcase, flips_in_a_closed_file);
    tcase_add_test(tcase, marks_tell_damage_from_a_torn_tail);
    tcase_add_test(tcase, a_recovery_may_fail_anywhere);
    tcase_add_test(tcase, a_recovery_may_die_anywhere);
    tcase_add_test(tcase, a_missing_file_is_named);
    tcase_add_test(tcase, a_file_of_another_store_is_refused);
    tcase_add_test(tcase, too_many_keys_name_the_limit);
    tcase_add_test(tcase, files_may_hold_their_sequences_in_any_order);
    tcase_add_test(tcase, progress_reaches_the_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
