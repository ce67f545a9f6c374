#include "recover_bed.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "space/space.h"
#include "test_dir.h"
#include "test_io.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYDIR_BYTES (1u << 20)

static int no_sync(int fd)
{
    return 0;
}

static int no_advice(int fd, off_t offset, off_t size, int advice)
{
    return 0;
}

static void make_key(char key[16], unsigned number)
{
    snprintf(key, 16, "key%u", number);
}

/* The value that a number stands for: its length differs from that of its neighbours. */
static size_t make_value(char value[128], unsigned number)
{
    size_t size = number * 7 % 100;

    memset(value, 'a' + (int)(number % 26), size);
    return size + (size_t)snprintf(value + size, 128 - size, "%u", number);
}

void bed_create(struct bed *bed, uint32_t seed)
{
    static struct rk_io_ops ops;

    ops = rk_io_kernel_ops;
    ops.fdatasync = no_sync;
    ops.fsync = no_sync;
    ops.fadvise = no_advice;
    rk_io = &ops;
    memset(bed, 0, sizeof *bed);
    bed->state = seed * 2654435761u + 1;
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* in memory, thousands of truncations cost nothing */
    bed->path = test_dir_create();
    ck_assert_int_eq(rk_log_store_open(&bed->store, bed->path, NULL), RK_OK);
}

void bed_destroy(struct bed *bed)
{
    (void)rk_log_writer_close(&bed->writer); /* some tests have broken it */
    rk_log_store_close(&bed->store);
    test_dir_remove(&bed->path);
    rk_io = &rk_io_kernel_ops;
}

unsigned bed_random(struct bed *bed, unsigned below)
{
    bed->state = bed->state * 1664525u + 1013904223u;
    return (bed->state >> 8) % below;
}

void bed_open_writer(struct bed *bed)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = BED_FILE_BYTES };
    struct rk_recovery result;
    struct rk_detail detail = { "" };

    bed_recover_all(bed, &result);
    settings.next_sequence = result.next_sequence;
    settings.newest = &result.newest;
    ck_assert_msg(rk_log_writer_open(&bed->writer, bed->store, &settings, &detail) == RK_OK, "%s", detail.text);
}

void bed_close_writer(struct bed *bed)
{
    ck_assert_int_eq(rk_log_writer_close(&bed->writer), RK_OK);
}

enum rk_err bed_try_write(struct bed *bed, unsigned key_number, unsigned value_number)
{
    char key[16], value[128];
    struct rk_record_parts parts = { .type = value_number != 0 ? RK_RECORD_PUT : RK_RECORD_TOMBSTONE };
    uint8_t bytes[512];
    uint64_t location, sequence, size;
    enum rk_err err;

    make_key(key, key_number);
    parts.key = key;
    parts.key_len = (uint16_t)strlen(key);
    parts.value = value;
    if (value_number != 0)
        parts.value_len = (uint32_t)make_value(value, value_number);
    size = rk_record_build(bytes, &parts);
    err = rk_log_writer_stage(bed->writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location, &sequence);
    if (err == RK_OK)
        err = rk_log_writer_flush(bed->writer);
    if (err != RK_OK)
        return err;
    ck_assert_uint_lt(bed->n_ops, BED_OPS_MAX);
    bed->ops[bed->n_ops++] = (struct bed_op){ .key = key_number, .value = value_number, .location = location };
    return RK_OK;
}

void bed_write(struct bed *bed, size_t n, unsigned sync_every)
{
    for (size_t i = 0; i < n; i++) {
        unsigned key = bed_random(bed, BED_KEYS);

        ck_assert_int_eq(bed_try_write(bed, key, bed_random(bed, 4) == 0 ? 0 : (unsigned)bed->n_ops + 1), RK_OK);
        if (sync_every != 0 && bed_random(bed, sync_every) == 0)
            ck_assert_int_eq(rk_log_writer_sync(bed->writer), RK_OK);
    }
}

/* Plain conditions: libcheck writes a line for each of its assertions, and this is asked a million times. */
static void must(bool condition, const char *what, unsigned key_number)
{
    if (!condition)
        ck_abort_msg("key%u: %s", key_number, what);
}

static void check_value(const struct bed *bed, uint64_t word, unsigned key_number, unsigned value_number)
{
    struct rk_location location = rk_disk_location_decode(word);
    char name[RK_DISK_FILE_NAME_BYTES], key[16], value[128];
    size_t value_len = make_value(value, value_number);
    struct rk_record_view view;
    uint8_t bytes[512];
    int fd;

    make_key(key, key_number);
    rk_disk_file_name(name, location.file_number);
    fd = openat(rk_log_store_dir_fd(bed->store), name, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, "its file is gone", key_number);
    must(location.size_bytes <= sizeof bytes, "its record is too large", key_number);
    must(pread(fd, bytes, location.size_bytes, (off_t)location.offset_bytes) == (ssize_t)location.size_bytes,
         "its file is too short", key_number);
    close(fd);
    must(rk_record_decode(bytes, location.size_bytes, &rk_log_store_identity(bed->store)->secret, &view) == RK_OK,
         "its record is damaged", key_number);
    must(view.header.type == RK_RECORD_PUT, "it is deleted", key_number);
    must(view.header.key_len == strlen(key) && memcmp(view.key, key, strlen(key)) == 0, "not its record", key_number);
    must(view.header.value_len == value_len && memcmp(view.value, value, value_len) == 0, "a wrong value", key_number);
}

/* The keydir holds what the first n_ops writes leave, and nothing else. */
static void check_state(const struct bed *bed, struct rk_keydir_writer *keydir, size_t n_ops)
{
    unsigned values[BED_KEYS] = { 0 };
    uint64_t n_keys = 0;

    for (size_t i = 0; i < n_ops; i++)
        values[bed->ops[i].key] = bed->ops[i].value;
    for (unsigned i = 0; i < BED_KEYS; i++) {
        char key[16];
        struct rk_fingerprint fingerprint;
        uint64_t word;

        make_key(key, i);
        fingerprint = rk_keydir_fingerprint(key, strlen(key), rk_log_store_identity(bed->store)->hash_key);
        word = rk_keydir_writer_lookup(keydir, fingerprint);
        must(values[i] != 0 || word == 0, "there, although it was deleted", i);
        must(values[i] == 0 || word != 0, "gone", i);
        if (word == 0)
            continue;
        check_value(bed, word, i, values[i]);
        n_keys++;
    }
    ck_assert_uint_eq(rk_keydir_writer_usage(keydir).n_keys, n_keys);
}

/* Every record is counted, and as many are live as there are keys. */
static void check_system_footprint(const struct rk_space *space, const struct rk_recovery *result)
{
    struct rk_space_file total = rk_space_total(space);
    uint64_t n_records = 0;

    for (size_t column = 0; column < RK_SPACE_N_COLUMNS; column++)
        n_records += total.n_records[column];
    ck_assert_uint_eq(n_records, result->n_records);
    ck_assert_uint_eq(total.n_records[RK_SPACE_LIVE], result->n_keys);
    ck_assert_uint_eq(total.n_records[RK_SPACE_TOMBSTONE], result->n_tombstones);
}

static enum rk_err recover_to(struct bed *bed, bool all, struct rk_recovery *result_out, struct rk_detail *detail)
{
    struct rk_recover_hooks hooks = { .space = NULL };
    struct rk_keydir_writer *keydir = NULL;
    enum rk_err err;

    rk_log_store_close(&bed->store);
    err = rk_log_store_open(&bed->store, bed->path, detail);
    if (err != RK_OK)
        return err;
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    hooks.space = rk_space_create();
    err = rk_recover_store(bed->store, keydir, &hooks, result_out, detail);
    if (err == RK_OK) {
        ck_assert_uint_le(result_out->n_records, bed->n_ops);
        check_state(bed, keydir, all ? bed->n_ops : result_out->n_records);
        check_system_footprint(hooks.space, result_out);
    }
    rk_space_destroy(&hooks.space);
    rk_keydir_writer_destroy(&keydir);
    return err;
}

enum rk_err bed_recover(struct bed *bed, struct rk_recovery *result_out, struct rk_detail *detail)
{
    return recover_to(bed, false, result_out, detail);
}

void bed_recover_all(struct bed *bed, struct rk_recovery *result_out)
{
    struct rk_detail detail = { "" };

    ck_assert_msg(recover_to(bed, true, result_out, &detail) == RK_OK, "%s", detail.text);
}

uint8_t *bed_read_file(const struct bed *bed, uint32_t number, size_t *size_out)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    struct stat status;
    uint8_t *bytes;
    int fd;

    rk_disk_file_name(name, number);
    fd = openat(rk_log_store_dir_fd(bed->store), name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    bytes = malloc((size_t)status.st_size + 1);
    ck_assert_int_eq(read(fd, bytes, (size_t)status.st_size), status.st_size);
    close(fd);
    *size_out = (size_t)status.st_size;
    return bytes;
}

void bed_write_file(const struct bed *bed, uint32_t number, const uint8_t *bytes, size_t size)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    int fd;

    rk_disk_file_name(name, number);
    fd = openat(rk_log_store_dir_fd(bed->store), name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0); /* not O_TRUNC: some file systems then wait for the disk */
    close(fd);
}

uint32_t bed_newest(const struct bed *bed)
{
    return rk_log_store_file(bed->store, rk_log_store_n_files(bed->store) - 1);
}

void bed_crash(struct bed *bed)
{
    const struct rk_io_ops *ops = rk_io;

    test_io_install(&(struct test_io_fault){ .calls = TEST_IO_CHANGES, .nth = 1, .forever = true, .errnum = EIO });
    (void)rk_log_writer_close(&bed->writer); /* it cannot change anything any more */
    rk_io = ops;
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, context);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

enum rk_err bed_make_hint(const struct bed *bed, uint32_t number, struct rk_detail *detail)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(bed->store);
    struct rk_log_hint_maker maker = { .context = (void *)(uintptr_t)identity->hash_key,
                                       .fingerprint = make_fingerprint };

    return rk_log_hint_make(rk_log_store_dir_fd(bed->store), number, identity, &maker, detail);
}
