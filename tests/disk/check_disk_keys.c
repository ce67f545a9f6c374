/* The sorted keys of a hint, as readers see them, beside a model. */
#include "disk/disk_keys.h"

#include "base/base_bytes.h"
#include "base/base_io.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "keys_model.h"
#include "log/log_hint_builder.h"
#include "log/log_keys_sort.h"
#include "test_dir.h"
#include "test_io.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NUMBER 7u
#define HINT        "0000000007.hint"
#define N_SEEKS     300
#define FILE_SHIFT  40

static char *dir;
static int dir_fd;
static const uint8_t uuid[RK_DISK_UUID_BYTES] = "0123456789abcde";
static struct rk_disk_file_summary summary; /* of a data file that is not there: nobody reads it */
static struct keys_model model;

static void setup(void)
{
    dir = test_dir_create();
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void teardown(void)
{
    keys_model_destroy(&model);
    (void)close(dir_fd);
    test_dir_remove(&dir);
}

/* A hint of what the model has. */
static void make_hint(unsigned shape, size_t n_items, uint64_t seed)
{
    struct rk_log_hint_builder *builder = NULL;

    keys_model_create(&model, shape, n_items, seed);
    summary = (struct rk_disk_file_summary){
        .file_bytes = 4096, .has_trailer = true, .trailer_crc = 77, .trailer = { .n_records = n_items }
    };
    ck_assert_int_eq(rk_log_hint_builder_create(&builder, dir_fd, FILE_NUMBER, n_items, NULL), RK_OK);
    for (size_t i = 0; i < n_items; i++) {
        const struct rk_log_keys_item *item = &model.items[i];
        struct rk_disk_hint_entry entry = { .expiry_s = item->is_tombstone ? RK_DISK_EXPIRY_TOMBSTONE : 0,
                                            .location = (uint64_t)FILE_NUMBER << FILE_SHIFT | item->key.location,
                                            .sequence = item->key.sequence };

        ck_assert_int_eq(rk_log_hint_builder_add(builder, &entry, &item->key, NULL), RK_OK);
    }
    ck_assert_int_eq(rk_log_hint_builder_finish(builder, uuid, &summary, NULL), RK_OK);
    rk_log_hint_builder_destroy(&builder);
}

static struct rk_disk_keys *open_keys(void)
{
    struct rk_disk_keys *keys = NULL;

    ck_assert_int_eq(rk_disk_keys_open(&keys, dir_fd, FILE_NUMBER, uuid, &summary), RK_OK);
    return keys;
}

/* From number `at` on, at most n_max; how it ends. */
static enum rk_err check_from(struct rk_disk_keys *keys, size_t at, size_t n_max)
{
    struct rk_disk_key key;
    enum rk_err err = RK_OK;

    for (size_t n = 0; n < n_max && (err = rk_disk_keys_next(keys, &key)) == RK_OK; n++, at++) {
        ck_assert_uint_lt(at, model.n_keys);
        ck_assert(keys_model_same(&key, &model.keys[at]));
        ck_assert_uint_eq(key.location >> FILE_SHIFT, FILE_NUMBER);
    }
    ck_assert(err != RK_ERR_NOT_FOUND || at == model.n_keys);
    return err;
}

/* A key that is there, or is not: a part of one, one with a byte more, one with a byte changed. */
static size_t random_key(uint8_t *key, uint64_t *state)
{
    const struct rk_disk_key *some = &model.items[keys_model_random(state) % model.n_items].key;
    uint64_t r = keys_model_random(state);
    size_t n = some->key_len;

    memcpy(key, some->key, n);
    if (r % 4 == 1)
        n = keys_model_random(state) % n;
    else if (r % 4 == 2 && n < RK_RECORD_KEY_MAX)
        key[n++] = (uint8_t)(r >> 8);
    else if (r % 4 == 3)
        key[keys_model_random(state) % n] ^= (uint8_t)(r >> 8);
    return n;
}

static void check_seeks(struct rk_disk_keys *keys, uint64_t seed)
{
    static uint8_t key[RK_RECORD_KEY_MAX];
    uint64_t state = seed;

    for (unsigned i = 0; i < N_SEEKS; i++) {
        size_t key_len = random_key(key, &state);

        ck_assert_int_eq(rk_disk_keys_seek(keys, key, key_len), RK_OK);
        (void)check_from(keys, keys_model_find(&model, key, key_len), keys_model_random(&state) % 400);
    }
    ck_assert_int_eq(rk_disk_keys_seek(keys, "", 0), RK_OK);
    ck_assert_int_eq(check_from(keys, 0, SIZE_MAX), RK_ERR_NOT_FOUND);
    memset(key, 0xff, sizeof key);
    ck_assert_int_eq(rk_disk_keys_seek(keys, key, sizeof key), RK_OK);
    for (int i = 0; i < 2; i++) /* behind the end it stays there */
        ck_assert_int_eq(check_from(keys, keys_model_find(&model, key, sizeof key), SIZE_MAX), RK_ERR_NOT_FOUND);
}

START_TEST(any_keys_from_anywhere)
{
    static const size_t sizes[] = { 1, 3, 300, 20000 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n_items = _i == 3 && sizes[i] > 300 ? 1000 : sizes[i];
        struct rk_disk_keys *keys;

        make_hint((unsigned)_i, n_items, i + 1);
        keys = open_keys();
        ck_assert_uint_eq(rk_disk_keys_count(keys), model.n_keys);
        ck_assert_int_eq(check_from(keys, 0, SIZE_MAX), RK_ERR_NOT_FOUND);
        check_seeks(keys, i + 1);
        rk_disk_keys_close(&keys);
        keys_model_destroy(&model);
    }
}
END_TEST

/* More than a sort keeps in memory. */
START_TEST(more_keys_than_fit_into_memory)
{
    size_t n_items = RK_LOG_KEYS_SORT_BYTES / 50;
    struct rk_disk_keys *keys;

    make_hint(1, n_items, 1);
    keys = open_keys();
    ck_assert_int_eq(check_from(keys, 0, SIZE_MAX), RK_ERR_NOT_FOUND);
    rk_disk_keys_close(&keys);
}
END_TEST

START_TEST(nothing_but_tombstones)
{
    struct rk_disk_keys *keys;

    make_hint(0, 0, 1);
    keys = open_keys();
    ck_assert_uint_eq(rk_disk_keys_count(keys), 0);
    ck_assert_int_eq(check_from(keys, 0, 1), RK_ERR_NOT_FOUND);
    ck_assert_int_eq(rk_disk_keys_seek(keys, "a", 1), RK_OK);
    ck_assert_int_eq(check_from(keys, 0, 1), RK_ERR_NOT_FOUND);
    rk_disk_keys_close(&keys);
}
END_TEST

static uint8_t *read_hint(size_t *size_out)
{
    struct stat status;
    int fd = openat(dir_fd, HINT, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes;

    ck_assert_int_eq(fstat(fd, &status), 0);
    *size_out = (size_t)status.st_size;
    bytes = malloc(*size_out);
    ck_assert_int_eq(rk_io_pread_full(fd, bytes, *size_out, 0), (ssize_t)*size_out);
    (void)close(fd);
    return bytes;
}

static void write_hint(const uint8_t *bytes, size_t size)
{
    int fd = openat(dir_fd, HINT, O_WRONLY | O_TRUNC | O_CLOEXEC);

    ck_assert_int_eq(rk_io_pwrite_full(fd, bytes, size, 0), 0);
    (void)close(fd);
}

static void write_byte(const uint8_t *bytes, size_t at)
{
    int fd = openat(dir_fd, HINT, O_WRONLY | O_CLOEXEC);

    ck_assert_int_eq(rk_io_pwrite_full(fd, bytes + at, 1, (off_t)at), 0);
    (void)close(fd);
}

/* Whatever bit is wrong, no key is, and none is left out without a word. */
START_TEST(a_bit_that_flips_is_found)
{
    struct rk_disk_hint_header header;
    struct rk_disk_keys *keys;
    size_t size;
    uint8_t *bytes;

    make_hint(1, 400, 1);
    bytes = read_hint(&size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    for (size_t bit = 8 * header.keys_offset; bit < 8 * size; bit += 13) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_byte(bytes, bit / 8);
        keys = open_keys();
        ck_assert_int_eq(check_from(keys, 0, SIZE_MAX), RK_ERR_CORRUPT);
        if (rk_disk_keys_seek(keys, model.keys[model.n_keys - 1].key, model.keys[0].key_len) == RK_OK)
            (void)check_from(keys, model.n_keys - 1, SIZE_MAX);
        rk_disk_keys_close(&keys);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_byte(bytes, bit / 8);
    }
    free(bytes);
}
END_TEST

/* The second entry of the first block says that its key begins like this many bytes of the first one's. */
static void share(uint8_t *block, size_t n_shared)
{
    size_t size = rk_disk_keys_block_size(block);
    struct rk_disk_keys_block reader;
    struct rk_disk_keys_entry entry;

    ck_assert_int_eq(rk_disk_keys_block_open(&reader, block, size), RK_OK);
    ck_assert_int_eq(rk_disk_keys_block_next(&reader, &entry), RK_OK);
    ck_assert_uint_lt(n_shared, 128); /* a number of one byte */
    block[reader.at - block] = (uint8_t)n_shared;
    rk_disk_keys_block_seal(block, size, 0, reader.n_left + 1);
}

/* With a checksum that fits: nobody but a program with a fault writes such a thing, and it must not be read into. */
START_TEST(no_key_shares_more_than_there_is)
{
    struct rk_disk_hint_header header;
    struct rk_disk_keys *keys;
    size_t size;
    uint8_t *bytes;

    make_hint(1, 20, 1);
    bytes = read_hint(&size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    for (size_t more = 1; more < 4; more++) {
        share(bytes + header.keys_offset, model.keys[0].key_len + more);
        write_hint(bytes, size);
        keys = open_keys();
        ck_assert_int_eq(check_from(keys, 0, SIZE_MAX), RK_ERR_CORRUPT);
        rk_disk_keys_close(&keys);
    }
    free(bytes);
}
END_TEST

static enum rk_err open_result(const uint8_t *of_uuid, const struct rk_disk_file_summary *of)
{
    struct rk_disk_keys *keys = NULL;
    enum rk_err err = rk_disk_keys_open(&keys, dir_fd, FILE_NUMBER, of_uuid, of);

    rk_disk_keys_close(&keys);
    return err;
}

START_TEST(keys_of_another_file_are_none)
{
    struct rk_disk_file_summary other;
    size_t size;
    uint8_t *bytes;

    ck_assert_int_eq(open_result(uuid, &summary), RK_ERR_NOT_FOUND);
    make_hint(1, 50, 1);
    ck_assert_int_eq(open_result(uuid, &summary), RK_OK);
    ck_assert_int_eq(open_result((const uint8_t *)"0123456789abcdX", &summary), RK_ERR_CORRUPT);
    other = summary;
    other.trailer_crc++;
    ck_assert_int_eq(open_result(uuid, &other), RK_ERR_CORRUPT);
    other = summary;
    other.has_trailer = false;
    ck_assert_int_eq(open_result(uuid, &other), RK_ERR_CORRUPT);
    bytes = read_hint(&size);
    write_hint(bytes, size - 1);
    ck_assert_int_eq(open_result(uuid, &summary), RK_ERR_CORRUPT);
    write_hint(bytes, 100);
    ck_assert_int_eq(open_result(uuid, &summary), RK_ERR_CORRUPT);
    free(bytes);
}
END_TEST

/* What versions before this one made. */
START_TEST(an_older_hint_has_no_sorted_keys)
{
    struct rk_disk_hint_header header;
    size_t size;
    uint8_t *bytes;

    make_hint(1, 50, 1);
    bytes = read_hint(&size);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    ck_assert(header.has_sorted_keys);
    header.has_sorted_keys = false;
    rk_disk_hint_header_encode(bytes, &header);
    write_hint(bytes, size);
    ck_assert_mem_eq(bytes, "RKHINT03", 8);
    ck_assert_int_eq(open_result(uuid, &summary), RK_ERR_NOT_FOUND);
    free(bytes);
}
END_TEST

START_TEST(reads_may_fail)
{
    bool failed = true;

    make_hint(1, 5000, 1);
    for (unsigned nth = 1; failed; nth++) {
        struct rk_disk_keys *keys = NULL;
        enum rk_err err;

        test_io_install(&(struct test_io_fault){
            .calls = TEST_IO_OPEN | TEST_IO_FSTAT | TEST_IO_PREAD, .nth = nth, .errnum = EIO });
        err = rk_disk_keys_open(&keys, dir_fd, FILE_NUMBER, uuid, &summary);
        if (err == RK_OK)
            err = rk_disk_keys_seek(keys, model.keys[9].key, model.keys[9].key_len);
        if (err == RK_OK)
            err = check_from(keys, 9, SIZE_MAX);
        failed = test_io_n_calls() >= nth;
        test_io_remove();
        ck_assert_int_eq(err, failed ? RK_ERR_IO : RK_ERR_NOT_FOUND);
        rk_disk_keys_close(&keys);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("disk_keys");
    TCase *tcase = tcase_create("keys");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, any_keys_from_anywhere, 0, KEYS_MODEL_SHAPES);
    tcase_add_test(tcase, more_keys_than_fit_into_memory);
    tcase_add_test(tcase, nothing_but_tombstones);
    tcase_add_test(tcase, a_bit_that_flips_is_found);
    tcase_add_test(tcase, no_key_shares_more_than_there_is);
    tcase_add_test(tcase, keys_of_another_file_are_none);
    tcase_add_test(tcase, an_older_hint_has_no_sorted_keys);
    tcase_add_test(tcase, reads_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}
