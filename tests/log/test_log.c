#include "test_log.h"

#include "base/base_detail.h"
#include "log/log_store.h"
#include "log/log_unlisted.h"
#include "test_dir.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void test_log_open(struct test_log *log, uint64_t file_size_bytes, uint64_t next_sequence)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = file_size_bytes, .next_sequence = next_sequence };
    struct rk_detail detail = { "" };

    log->path = test_dir_create();
    ck_assert_msg(rk_log_store_open(&log->store, log->path, &detail) == RK_OK, "%s", detail.text);
    ck_assert_msg(rk_log_writer_open(&log->writer, log->store, &settings, &detail) == RK_OK, "%s", detail.text);
}

void test_log_close(struct test_log *log)
{
    (void)rk_log_writer_close(&log->writer); /* some tests have broken it */
    rk_log_store_close(&log->store);
    test_dir_remove(&log->path);
}

enum rk_err test_log_stage(struct rk_log_writer *writer, const char *key, const char *value, uint64_t *location_out,
                           uint64_t *sequence_out)
{
    struct rk_record_parts parts = {
        .type = value != NULL ? RK_RECORD_PUT : RK_RECORD_TOMBSTONE,
        .key = key,
        .key_len = (uint16_t)strlen(key),
        .value = value,
        .value_len = value != NULL ? (uint32_t)strlen(value) : 0,
    };
    uint8_t bytes[4096];
    uint64_t size = rk_record_size(parts.key_len, 0, parts.value_len, false);

    ck_assert_uint_le(size, sizeof bytes);
    ck_assert_uint_eq(rk_record_build(bytes, &parts), size);
    return rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1700000000000, location_out,
                               sequence_out);
}

uint64_t test_log_put(struct rk_log_writer *writer, const char *key, const char *value)
{
    uint64_t location = 0, sequence = 0;

    ck_assert_int_eq(test_log_stage(writer, key, value, &location, &sequence), RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(writer), RK_OK);
    return location;
}

uint64_t test_log_put_bytes(struct rk_log_writer *writer, const char *key, const void *value, uint32_t value_len)
{
    struct rk_record_parts parts = {
        .type = RK_RECORD_PUT, .key = key, .key_len = (uint16_t)strlen(key), .value = value, .value_len = value_len
    };
    uint64_t size = rk_record_size(parts.key_len, 0, value_len, false), location = 0, sequence = 0;
    uint8_t *bytes = malloc(size);

    ck_assert_uint_eq(rk_record_build(bytes, &parts), size);
    ck_assert_int_eq(
        rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1700000000000, &location, &sequence),
        RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(writer), RK_OK);
    free(bytes);
    return location;
}

uint8_t *test_log_read_file(const char *path, const char *name, size_t *size_out)
{
    char full[512];
    struct stat status;
    uint8_t *bytes;
    int fd;

    snprintf(full, sizeof full, "%s/%s", path, name);
    fd = open(full, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s", full);
    ck_assert_int_eq(fstat(fd, &status), 0);
    bytes = malloc((size_t)status.st_size + 1);
    ck_assert_int_eq(read(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
    *size_out = (size_t)status.st_size;
    return bytes;
}

void test_log_write_file(const char *path, const char *name, const void *bytes, size_t size)
{
    char full[512];
    int fd;

    snprintf(full, sizeof full, "%s/%s", path, name);
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "%s", full);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

void test_log_sweep(const struct rk_log_store *store)
{
    struct rk_log_unlisted unlisted;
    struct rk_detail detail = { "" };

    ck_assert_msg(rk_log_unlisted_look(store, &unlisted, &detail) == RK_OK, "%s", detail.text);
    ck_assert_msg(rk_log_unlisted_sweep(store, &unlisted, NULL, NULL, &detail) == RK_OK, "%s", detail.text);
    rk_log_unlisted_fini(&unlisted);
}
