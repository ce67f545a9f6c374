/* How a file ends, when what lies behind its whole records was chosen by somebody who knows the format: a client can
 * put whole records and headers into a value, and a power failure can lose the page with the header of the value's own
 * record. What a client wrote must neither make a torn tail look like damage nor come back as records. */
#include "base/base_detail.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "log/log_salvage.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "test_log.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES   (1u << 20)
#define FIRST        "0000000001.data"
#define VALUE_BYTES  8192u
#define ALIGNED_KEY  "8 bytes." /* after it the value begins at a multiple of 16 */
#define FORGED_KEY   "forged"
#define FORGED_BYTES 48u

_Static_assert((RK_RECORD_HEADER_BYTES + sizeof ALIGNED_KEY - 1) % RK_DISK_UNIT_BYTES == 0, "forgeries are found");

static struct test_log bed;
static uint8_t value[VALUE_BYTES];

static void setup(void)
{
    test_log_open(&bed, FILE_BYTES, 1);
}

static void teardown(void)
{
    test_log_close(&bed);
}

/* Fills the value with whole records, as if they followed last_sequence in the file, each with a mark at itself. The
 * value will begin at value_offset of the file. */
static void forge_records(uint64_t last_sequence, uint64_t value_offset)
{
    const struct rk_record_parts parts = { .type = RK_RECORD_PUT, .key = FORGED_KEY, .key_len = sizeof FORGED_KEY - 1 };
    struct rk_record_stamp stamp = { .sequence = last_sequence + 1, .write_time_ms = 1700000000000 };

    for (size_t at = 0; at + FORGED_BYTES <= sizeof value; at += FORGED_BYTES) {
        ck_assert_uint_eq(rk_record_build(value + at, &parts), FORGED_BYTES);
        stamp.sequence++;
        stamp.durable_units = (uint32_t)((value_offset + at) / RK_DISK_UNIT_BYTES);
        rk_record_stamp(value + at, &rk_record_plain, &stamp);
    }
}

/* Two records that are durable, then one that is not, full of forgeries. Returns its offset. */
static uint64_t write_forgeries(void)
{
    struct rk_location last =
        rk_disk_location_decode((test_log_put(bed.writer, "a", "1"), test_log_put(bed.writer, "b", "2")));
    uint64_t offset = last.offset_bytes + last.size_bytes;

    ck_assert_int_eq(rk_log_writer_sync(bed.writer), RK_OK);
    forge_records(2, offset + RK_RECORD_HEADER_BYTES + strlen(ALIGNED_KEY));
    (void)test_log_put_bytes(bed.writer, ALIGNED_KEY, value, sizeof value);
    return offset;
}

/* The page with the record's header never reached the disk. */
static void lose_header(uint64_t offset)
{
    size_t size;
    uint8_t *bytes = test_log_read_file(bed.path, FIRST, &size);

    memset(bytes + offset, 0, RK_RECORD_HEADER_BYTES);
    test_log_write_file(bed.path, FIRST, bytes, size);
    free(bytes);
}

/* Counts the records, and those with the forged key. */
static struct rk_disk_scan_end scan_file(uint32_t file_number, size_t *n_out, size_t *n_forged_out)
{
    struct rk_disk_scan *scan = NULL;
    struct rk_detail detail = { "" };
    struct rk_disk_scan_item item;
    struct rk_disk_scan_end end;

    ck_assert_msg(
        rk_disk_scan_open(&scan, rk_log_store_dir_fd(bed.store), file_number, rk_log_store_identity(bed.store), &detail)
            == RK_OK,
        "%s", detail.text);
    for (*n_out = *n_forged_out = 0; rk_disk_scan_next(scan, &item, &detail) == RK_OK; (*n_out)++)
        *n_forged_out +=
            item.header.key_len == strlen(FORGED_KEY) && memcmp(item.key, FORGED_KEY, item.header.key_len) == 0;
    end = *rk_disk_scan_end(scan);
    rk_disk_scan_close(&scan);
    return end;
}

START_TEST(what_a_value_promises_is_no_promise)
{
    uint64_t offset = write_forgeries();
    struct rk_disk_scan_end end;
    size_t n, n_forged;

    lose_header(offset);
    end = scan_file(1, &n, &n_forged);
    ck_assert_msg(end.kind == RK_DISK_SCAN_TORN, "kind %d at %llu: %s", (int)end.kind,
                  (unsigned long long)end.end_bytes, end.what);
    ck_assert_uint_eq(end.end_bytes, offset);
    ck_assert_uint_eq(n, 2);
}
END_TEST

/* The same, but it was durable, and a record behind it says so. */
START_TEST(what_a_record_promises_is_a_promise)
{
    uint64_t offset = write_forgeries();
    struct rk_disk_scan_end end;
    size_t n, n_forged;

    ck_assert_int_eq(rk_log_writer_sync(bed.writer), RK_OK);
    (void)test_log_put(bed.writer, "c", "3");
    lose_header(offset);
    end = scan_file(1, &n, &n_forged);
    ck_assert_int_eq(end.kind, RK_DISK_SCAN_DAMAGED);
    ck_assert_uint_eq(end.end_bytes, offset);
    ck_assert_uint_eq(n, 2);
}
END_TEST

static void on_lost(void *context, const struct rk_log_salvage_loss *loss)
{
    *(uint64_t *)context = loss->n_records;
}

static void on_replaced(void *context, const struct rk_log_salvage_file *file)
{
}

START_TEST(salvage_takes_no_record_out_of_a_value)
{
    uint64_t offset = write_forgeries();
    uint64_t n_lost = 0;
    struct rk_log_salvage_hooks hooks = { .lost = on_lost, .replaced = on_replaced, .context = &n_lost };
    struct rk_detail detail = { "" };
    size_t n, n_forged;

    (void)test_log_put(bed.writer, "c", "3");
    ck_assert_int_eq(rk_log_writer_close(&bed.writer), RK_OK);
    lose_header(offset);
    ck_assert_msg(rk_log_salvage(bed.store, &hooks, &detail) == RK_OK, "%s", detail.text);
    ck_assert_uint_eq(n_lost, 1);
    ck_assert_int_eq(scan_file(rk_log_store_file(bed.store, 0), &n, &n_forged).kind, RK_DISK_SCAN_SEALED);
    ck_assert_uint_eq(n_forged, 0);
    ck_assert_uint_eq(n, 3);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_scan");
    TCase *tcase = tcase_create("forgeries");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_a_value_promises_is_no_promise);
    tcase_add_test(tcase, what_a_record_promises_is_a_promise);
    tcase_add_test(tcase, salvage_takes_no_record_out_of_a_value);
    suite_add_tcase(suite, tcase);
    return suite;
}
