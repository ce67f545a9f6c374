#include "system_store.h"

#include "base/base_detail.h"
#include "base/base_time.h"
#include "disk/disk_record.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "test_io.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_BYTES (64u << 20) /* system_store_roll alone begins files */

struct system_store {
    struct rk_log_store *files;
    struct rk_log_writer *log;
};

struct system_store *system_store_create(const char *dir)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_SIZE_BYTES, .next_sequence = 1 };
    struct system_store *store = calloc(1, sizeof *store);
    struct rk_detail detail = { "" };

    ck_assert_ptr_nonnull(store);
    ck_assert_msg(rk_log_store_open(&store->files, dir, &detail) == RK_OK, "%s", detail.text);
    ck_assert_msg(rk_log_writer_open(&store->log, store->files, &settings, &detail) == RK_OK, "%s", detail.text);
    return store;
}

static enum rk_err stage(struct system_store *store, const uint8_t *record, uint64_t record_bytes)
{
    uint64_t location, sequence;

    return rk_log_writer_stage(store->log, record, record + RK_RECORD_HEADER_BYTES, record_bytes, rk_time_wall_ms(),
                               &location, &sequence);
}

uint64_t system_store_put(struct system_store *store, const char *key, const void *value, size_t value_len,
                          uint64_t expiry_ms)
{
    struct rk_record_parts parts = { .type = RK_RECORD_PUT,
                                     .key = key,
                                     .key_len = (uint16_t)strlen(key),
                                     .value = value,
                                     .value_len = (uint32_t)value_len,
                                     .expiry_ms = expiry_ms };
    uint64_t record_bytes = rk_record_size(strlen(key), 0, value_len, expiry_ms != 0);
    uint8_t *record = calloc(1, record_bytes);

    ck_assert_ptr_nonnull(record);
    (void)rk_record_build(record, &parts); /* the size that we have */
    ck_assert_int_eq(stage(store, record, record_bytes), RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(store->log), RK_OK); /* what was staged may not have been copied */
    free(record);
    return record_bytes;
}

uint64_t system_store_tombstone_bytes(const char *key)
{
    return rk_record_size(strlen(key), 0, 0, false);
}

void system_store_roll(struct system_store *store)
{
    ck_assert_int_eq(rk_log_writer_roll(store->log), RK_OK);
}

/* A log that cannot be made durable is not sealed. */
void system_store_crash(struct system_store **store)
{
    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_FDATASYNC, .nth = 1, .forever = true, .errnum = EIO });
    ck_assert_int_ne(rk_log_writer_close(&(*store)->log), RK_OK);
    test_io_remove();
    rk_log_store_close(&(*store)->files);
    free(*store);
    *store = NULL;
}
