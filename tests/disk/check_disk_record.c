#include "base/base_bytes.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_secret.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

static const struct rk_record_stamp stamp = { .sequence = 0x1122334455667788,
                                              .write_time_ms = 0xa1b2c3d4e5f6,
                                              .durable_units = 0x1234567 };

static const struct rk_record_secret secret = { .magic = 0x89abcdef, .crc_seed = 0x01234567 };

/* Bytes that differ from their neighbours, so that a shift shows. */
static uint8_t *make_bytes(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    uint32_t state = 12345;

    for (size_t i = 0; i < size; i++) {
        state = state * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(state >> 16);
    }
    return bytes;
}

struct sample {
    struct rk_record_parts parts;
    uint8_t *bytes;
    uint64_t size;
};

static void make_sample(struct sample *sample, size_t key_len, size_t metadata_len, size_t value_len,
                        uint64_t expiry_ms)
{
    sample->parts = (struct rk_record_parts){
        .type = RK_RECORD_PUT,
        .key = make_bytes(key_len),
        .key_len = (uint16_t)key_len,
        .metadata = make_bytes(metadata_len),
        .metadata_len = (uint16_t)metadata_len,
        .value = make_bytes(value_len),
        .value_len = (uint32_t)value_len,
        .expiry_ms = expiry_ms,
    };
    sample->size = rk_record_size(key_len, metadata_len, value_len, expiry_ms != 0);
    sample->bytes = malloc(sample->size); /* exactly: the sanitizer sees a byte too much */
    memset(sample->bytes, 0xee, sample->size);
    ck_assert_uint_eq(rk_record_build(sample->bytes, &sample->parts), sample->size);
}

static void free_sample(struct sample *sample)
{
    free((void *)(uintptr_t)sample->parts.key);
    free((void *)(uintptr_t)sample->parts.metadata);
    free((void *)(uintptr_t)sample->parts.value);
    free(sample->bytes);
}

static void check_view(const struct sample *sample, const struct rk_record_view *view)
{
    const struct rk_record_parts *parts = &sample->parts;

    ck_assert_int_eq(view->header.type, parts->type);
    ck_assert_uint_eq(view->header.sequence, stamp.sequence);
    ck_assert_uint_eq(view->header.write_time_ms, stamp.write_time_ms);
    ck_assert_uint_eq(view->header.durable_units, stamp.durable_units);
    ck_assert_uint_eq(view->expiry_ms, parts->expiry_ms);
    ck_assert_uint_eq(view->header.key_len, parts->key_len);
    ck_assert_uint_eq(view->header.metadata_len, parts->metadata_len);
    ck_assert_uint_eq(view->header.value_len, parts->value_len);
    ck_assert(memcmp(view->key, parts->key, parts->key_len) == 0);
    ck_assert(memcmp(view->metadata, parts->metadata, parts->metadata_len) == 0);
    ck_assert(memcmp(view->value, parts->value, parts->value_len) == 0);
    ck_assert_uint_eq(rk_record_size_of(&view->header), sample->size);
}

/* There and back, unstamped and stamped; the padding is zeros. */
static void check_round_trip(size_t key_len, size_t metadata_len, size_t value_len, uint64_t expiry_ms)
{
    struct sample sample;
    struct rk_record_header header;
    struct rk_record_view view;

    make_sample(&sample, key_len, metadata_len, value_len, expiry_ms);
    ck_assert_int_eq(rk_record_decode_header(sample.bytes, &secret, &header), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_record_decode_unstamped_header(sample.bytes, &header), RK_OK);
    ck_assert_uint_eq(rk_record_size_of(&header), sample.size);
    ck_assert_int_eq(rk_record_check_body(&header, sample.bytes, true), RK_OK);
    rk_record_stamp(sample.bytes, &secret, &stamp);
    ck_assert_int_eq(rk_record_decode(sample.bytes, sample.size, &secret, &view), RK_OK);
    check_view(&sample, &view);
    for (size_t i = rk_record_value_offset(&view.header) + value_len; i < sample.size; i++)
        ck_assert_uint_eq(sample.bytes[i], 0);
    free_sample(&sample);
}

START_TEST(the_bytes_are_as_drawn)
{
    struct rk_record_parts parts = { .type = RK_RECORD_PUT,
                                     .key = "kk",
                                     .key_len = 2,
                                     .metadata = "m",
                                     .metadata_len = 1,
                                     .value = "vvv",
                                     .value_len = 3,
                                     .expiry_ms = 0x0102030405 };
    uint8_t bytes[64];

    ck_assert_uint_eq(rk_record_build(bytes, &parts), 64);
    rk_record_stamp(bytes, &secret, &stamp);
    ck_assert_mem_eq(bytes, "\xef\xcd\xab\x89\x01\x01\x02\x00", 8);
    ck_assert_mem_eq(bytes + 8, "\xfa\xea\xbb\x18\xb2\xb1\xc4\x53", 8);
    ck_assert_mem_eq(bytes + 16, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
    ck_assert_mem_eq(bytes + 24, "\xf6\xe5\xd4\xc3\xb2\xa1\x01\x00", 8);
    ck_assert_mem_eq(bytes + 32, "\x03\x00\x00\x00\x67\x45\x23\x01", 8);
    ck_assert_mem_eq(bytes + 40, "\x05\x04\x03\x02\x01\x00\x00\x00kkmvvv\0\0", 16);
}
END_TEST

START_TEST(every_small_size_comes_back)
{
    for (size_t value_len = 0; value_len <= 300; value_len++)
        check_round_trip(1 + value_len % 7, value_len % 5, value_len, value_len % 3 == 0 ? 0 : 77);
    check_round_trip(RK_RECORD_KEY_MAX, RK_RECORD_METADATA_MAX, 0, 0);
    check_round_trip(RK_RECORD_KEY_MAX, RK_RECORD_METADATA_MAX, 65537, 1);
}
END_TEST

START_TEST(sizes_around_blocks_and_padding_steps_come_back)
{
    static const size_t edges[] = { 2032, 4096, 65536, 65536 * 2, 65536 * 3, 65536 * 16, 1 << 22 };

    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        for (size_t value_len = edges[i] - 2; value_len <= edges[i] + 2; value_len++)
            check_round_trip(3, 2, value_len, value_len % 2);
    for (size_t value_len = 4096 - 80; value_len < 4096 + 80; value_len++)
        check_round_trip(1, 0, value_len, 0);
}
END_TEST

START_TEST(every_truncation_is_torn)
{
    struct sample sample;
    struct rk_record_view view;

    make_sample(&sample, 5, 3, 90, 9);
    rk_record_stamp(sample.bytes, &secret, &stamp);
    for (size_t size = 0; size < sample.size; size++) {
        uint8_t *exact = malloc(size + 1);

        memcpy(exact, sample.bytes, size);
        exact[size] = 0x55;
        ck_assert_int_eq(rk_record_decode(exact, size, &secret, &view), RK_ERR_TORN);
        free(exact);
    }
    free_sample(&sample);
}
END_TEST

/* Every flip of one bit is found, but for those in the padding, which no value is made of. */
static void check_flips(size_t key_len, size_t metadata_len, size_t value_len, uint64_t expiry_ms)
{
    struct sample sample;
    struct rk_record_view view;
    size_t used;

    make_sample(&sample, key_len, metadata_len, value_len, expiry_ms);
    rk_record_stamp(sample.bytes, &secret, &stamp);
    ck_assert_int_eq(rk_record_decode(sample.bytes, sample.size, &secret, &view), RK_OK);
    used = rk_record_value_offset(&view.header) + value_len;
    for (size_t bit = 0; bit<used * 8; bit += value_len> 1000 ? 4099 : 1) {
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(rk_record_decode(sample.bytes, sample.size, &secret, &view), RK_OK);
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(rk_record_decode(sample.bytes, sample.size, &secret, &view), RK_OK);
    free_sample(&sample);
}

START_TEST(every_bit_flip_is_found)
{
    check_flips(1, 0, 0, 0);
    check_flips(7, 5, 100, 0);
    check_flips(7, 5, 100, 1700000000000);
    check_flips(9, 4, 200000, 1);
}
END_TEST

START_TEST(zeros_and_noise_are_no_record)
{
    uint8_t zeros[256] = { 0 };
    uint8_t *noise = make_bytes(1 << 16);
    struct rk_record_header header;
    struct rk_record_view view;

    ck_assert_int_eq(rk_record_decode_header(zeros, &secret, &header), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_record_decode_unstamped_header(zeros, &header), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_record_decode(zeros, sizeof zeros, &secret, &view), RK_ERR_CORRUPT);
    for (size_t i = 0; i + 256 < 1 << 16; i++)
        ck_assert_int_ne(rk_record_decode(noise + i, 256, &secret, &view), RK_OK);
    free(noise);
}
END_TEST

/* What somebody writes who knows the format and one of the two words only, or another store's. */
START_TEST(headers_of_another_secret_are_no_headers)
{
    const struct rk_record_secret others[] = {
        rk_record_plain,
        { .magic = secret.magic, .crc_seed = 0 },
        { .magic = secret.magic, .crc_seed = secret.crc_seed ^ 1 },
        { .magic = rk_record_plain.magic, .crc_seed = secret.crc_seed },
        { .magic = secret.magic ^ 0x80000000, .crc_seed = secret.crc_seed },
    };
    struct rk_record_header header;
    struct sample sample;

    make_sample(&sample, 3, 0, 10, 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        rk_record_stamp(sample.bytes, &others[i], &stamp);
        ck_assert_int_eq(rk_record_decode_header(sample.bytes, &others[i], &header), RK_OK);
        ck_assert_int_eq(rk_record_decode_header(sample.bytes, &secret, &header), RK_ERR_CORRUPT);
    }
    free_sample(&sample);
}
END_TEST

/* The hash by which another program would read the files. */
START_TEST(the_secret_follows_from_the_hash_key)
{
    uint8_t hash_key[RK_DISK_HASH_KEY_BYTES];
    struct rk_record_secret derived;

    for (uint8_t i = 0; i < sizeof hash_key; i++)
        hash_key[i] = i;
    derived = rk_disk_secret_derive(hash_key);
    ck_assert_uint_eq(derived.magic, 0x17b6e490);
    ck_assert_uint_eq(derived.crc_seed, 0xdd7923fa);
}
END_TEST

/* Headers that no writer makes, with a CRC that fits: a worker's ring may hold anything. */
START_TEST(lengths_and_flags_of_no_writer_are_refused)
{
    static const struct {
        size_t at;
        size_t width;
        uint32_t value;
    } pokes[] = {
        { 4, 1, 0 },
        { 4, 1, 8 },
        { 4, 1, 255 },
        { 5, 1, 4 },
        { 5, 1, 0x80 },
        { 5, 1, 2 },
        { 6, 2, 0 },
        { 32, 4, 65537 },
        { 32, 4, 0xffffffff },
        { 32, 4, (1u << 30) + 1 },
        { 4, 1, RK_RECORD_TOMBSTONE },
        { 4, 1, RK_RECORD_BATCH_BEGIN },
        { 4, 1, RK_RECORD_FILE_HEADER },
    };
    struct rk_record_parts parts = { .type = RK_RECORD_PUT, .key = "k", .key_len = 1, .value = "v", .value_len = 1 };
    uint8_t good[48], bad[48];
    struct rk_record_header header;

    rk_record_build(good, &parts);
    for (size_t i = 0; i < sizeof pokes / sizeof pokes[0]; i++) {
        memcpy(bad, good, sizeof bad);
        if (pokes[i].width == 1)
            bad[pokes[i].at] = (uint8_t)pokes[i].value;
        else if (pokes[i].width == 2)
            rk_bytes_store16(bad + pokes[i].at, (uint16_t)pokes[i].value);
        else
            rk_bytes_store32(bad + pokes[i].at, pokes[i].value);
        ck_assert_int_eq(rk_record_decode_unstamped_header(bad, &header), RK_ERR_CORRUPT);
        rk_record_stamp(bad, &secret, &stamp);
        ck_assert_int_eq(rk_record_decode_header(bad, &secret, &header), RK_ERR_CORRUPT);
    }
}
END_TEST

/* It is as large as what it stands for, whatever is behind its header; a client cannot send one. */
START_TEST(a_hole_is_made_of_a_header)
{
    struct rk_record_parts parts = { .type = RK_RECORD_PUT, .key = "k", .key_len = 1, .value = "v", .value_len = 1 };
    struct rk_record_header header;
    struct rk_record_view view;
    uint8_t bytes[48], hole[48];

    rk_record_build(bytes, &parts);
    rk_record_stamp(bytes, &secret, &stamp);
    memcpy(hole, bytes, sizeof hole);
    rk_record_make_hole(hole, &secret, 100000, 48 * 100000);
    ck_assert_mem_eq(hole + RK_RECORD_HOLE_HEAD_BYTES, bytes + RK_RECORD_HOLE_HEAD_BYTES,
                     sizeof bytes - RK_RECORD_HOLE_HEAD_BYTES);
    ck_assert_int_eq(rk_record_decode_header(hole, &secret, &header), RK_OK);
    ck_assert_int_eq(header.type, RK_RECORD_HOLE);
    ck_assert_uint_eq(rk_record_size_of(&header), 48 * 100000);
    ck_assert_uint_eq(rk_record_hole_records(&header), 100000);
    ck_assert_uint_eq(header.sequence, stamp.sequence);
    ck_assert_uint_eq(header.durable_units, stamp.durable_units);
    ck_assert_int_eq(rk_record_decode(hole, sizeof hole, &secret, &view), RK_ERR_CORRUPT);
    rk_record_build(bytes, &parts);
    bytes[4] = RK_RECORD_HOLE;
    ck_assert_int_eq(rk_record_decode_unstamped_header(bytes, &header), RK_ERR_CORRUPT);
}
END_TEST

START_TEST(a_tombstone_is_a_type)
{
    struct rk_record_parts parts = { .type = RK_RECORD_TOMBSTONE, .key = "gone", .key_len = 4 };
    uint8_t bytes[48];
    struct rk_record_view view;

    ck_assert_uint_eq(rk_record_build(bytes, &parts), 48);
    rk_record_stamp(bytes, &secret, &stamp);
    ck_assert_int_eq(rk_record_decode(bytes, sizeof bytes, &secret, &view), RK_OK);
    ck_assert_int_eq(view.header.type, RK_RECORD_TOMBSTONE);
}
END_TEST

START_TEST(blocks_are_checked_alone)
{
    struct sample sample;
    struct rk_record_header header;
    size_t value_offset;

    make_sample(&sample, 4, 0, 3 * 65536 + 100, 0);
    rk_record_stamp(sample.bytes, &secret, &stamp);
    ck_assert_int_eq(rk_record_decode_header(sample.bytes, &secret, &header), RK_OK);
    ck_assert_uint_eq(rk_record_n_blocks(&header), 4);
    value_offset = rk_record_value_offset(&header);
    sample.bytes[value_offset + 2 * 65536 + 5] ^= 1;
    ck_assert_int_eq(rk_record_check_body(&header, sample.bytes, false), RK_OK);
    ck_assert_int_eq(rk_record_check_body(&header, sample.bytes, true), RK_ERR_CORRUPT);
    for (size_t block = 0; block < 4; block++)
        ck_assert_int_eq(
            rk_record_check_block(&header, sample.bytes, block, sample.bytes + value_offset + block * 65536),
            block == 2 ? RK_ERR_CORRUPT : RK_OK);
    sample.bytes[RK_RECORD_HEADER_BYTES] ^= 1; /* a block's CRC is covered by the body's */
    ck_assert_int_eq(rk_record_check_body(&header, sample.bytes, false), RK_ERR_CORRUPT);
    free_sample(&sample);
}
END_TEST

START_TEST(the_largest_record_has_a_size)
{
    uint64_t size = rk_record_size(RK_RECORD_KEY_MAX, RK_RECORD_METADATA_MAX, RK_RECORD_VALUE_MAX, true);

    ck_assert_uint_gt(size, RK_RECORD_VALUE_MAX);
    ck_assert_uint_lt(size, RK_DISK_RECORD_BYTES_MAX);
}
END_TEST

START_TEST(file_header_and_trailer_come_back)
{
    struct rk_disk_file_header header = {
        .uuid = "0123456789abcde", .file_number = 7, .format_version = 1, .kind = RK_DISK_FILE_MERGED
    };
    struct rk_disk_file_trailer trailer = {
        .n_records = 3, .size_bytes = 4096, .first_sequence = 10, .last_sequence = 12
    };
    struct rk_disk_file_header header_back;
    struct rk_disk_file_trailer trailer_back;
    uint8_t bytes[RK_DISK_FILE_FRAME_BYTES];
    struct rk_record_view view;

    rk_disk_file_header_build(bytes, &header, &stamp);
    ck_assert_int_eq(rk_record_decode(bytes, sizeof bytes, &rk_record_plain, &view), RK_OK);
    ck_assert_int_eq(rk_disk_file_trailer_decode(&view, &trailer_back), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_disk_file_header_decode(&view, &header_back), RK_OK);
    ck_assert_mem_eq(header_back.uuid, header.uuid, sizeof header.uuid);
    ck_assert_uint_eq(header_back.file_number, 7);
    ck_assert_uint_eq(header_back.format_version, 1);
    ck_assert_int_eq(header_back.kind, RK_DISK_FILE_MERGED);
    rk_disk_file_trailer_build(bytes, &trailer, &secret, &stamp);
    ck_assert_int_eq(rk_record_decode(bytes, sizeof bytes, &secret, &view), RK_OK);
    ck_assert_int_eq(rk_disk_file_header_decode(&view, &header_back), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_disk_file_trailer_decode(&view, &trailer_back), RK_OK);
    ck_assert_mem_eq(&trailer_back, &trailer, sizeof trailer);
}
END_TEST

START_TEST(names_are_recognised_and_others_are_not)
{
    static const char *const others[] = { "",
                                          "1.data",
                                          "0000000001.dat",
                                          "0000000001.data2",
                                          "000000000a.data",
                                          "00000000001.data",
                                          "0000000000.data",
                                          "0016777216.data",
                                          "9999999999.data",
                                          "MANIFEST",
                                          "-000000001.data",
                                          " 000000001.data" };
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, 12);
    ck_assert_str_eq(name, "0000000012.data");
    ck_assert_uint_eq(rk_disk_file_number_of_name(name), 12);
    rk_disk_hint_name(name, RK_DISK_FILE_NUMBER_MAX);
    ck_assert_str_eq(name, "0016777215.hint");
    ck_assert_uint_eq(rk_disk_file_number_of_name(name), RK_DISK_FILE_NUMBER_MAX);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_uint_eq(rk_disk_file_number_of_name(others[i]), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_record");
    TCase *tcase = tcase_create("record");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_bytes_are_as_drawn);
    tcase_add_test(tcase, every_small_size_comes_back);
    tcase_add_test(tcase, sizes_around_blocks_and_padding_steps_come_back);
    tcase_add_test(tcase, every_truncation_is_torn);
    tcase_add_test(tcase, every_bit_flip_is_found);
    tcase_add_test(tcase, zeros_and_noise_are_no_record);
    tcase_add_test(tcase, headers_of_another_secret_are_no_headers);
    tcase_add_test(tcase, the_secret_follows_from_the_hash_key);
    tcase_add_test(tcase, lengths_and_flags_of_no_writer_are_refused);
    tcase_add_test(tcase, a_hole_is_made_of_a_header);
    tcase_add_test(tcase, a_tombstone_is_a_type);
    tcase_add_test(tcase, blocks_are_checked_alone);
    tcase_add_test(tcase, the_largest_record_has_a_size);
    tcase_add_test(tcase, file_header_and_trailer_come_back);
    tcase_add_test(tcase, names_are_recognised_and_others_are_not);
    suite_add_tcase(suite, tcase);
    return suite;
}
