#include "disk/disk_location.h"
#include "test_main.h"

#include <signal.h>

/* Classes whose size a record can have. */
static unsigned last_class(void)
{
    return rk_disk_class_of_size(RK_DISK_RECORD_BYTES_MAX);
}

START_TEST(classes_ascend_and_each_is_its_own)
{
    ck_assert_uint_eq(rk_disk_size_of_class(0), 0);
    for (unsigned size_class = 1; size_class <= last_class(); size_class++) {
        uint64_t size = rk_disk_size_of_class(size_class);

        ck_assert_uint_gt(size, rk_disk_size_of_class(size_class - 1));
        ck_assert_uint_eq(size % RK_DISK_UNIT_BYTES, 0);
        ck_assert_uint_eq(rk_disk_class_of_size(size), size_class);
        ck_assert_uint_eq(rk_disk_class_of_size(size - 1), size_class);
        if (size < RK_DISK_RECORD_BYTES_MAX)
            ck_assert_uint_eq(rk_disk_class_of_size(size + 1), size_class + 1);
    }
    ck_assert_uint_eq(rk_disk_size_of_class(last_class()), RK_DISK_RECORD_BYTES_MAX);
    ck_assert_uint_lt(last_class(), 4096);
}
END_TEST

/* A plain condition: libcheck writes a line for each of its assertions, and this is asked a million times. */
static void check_padding(uint64_t size, uint64_t allowed)
{
    uint64_t padded = rk_disk_padded_size(size);

    if (padded < size || padded - size > allowed)
        ck_abort_msg("%llu is padded to %llu", (unsigned long long)size, (unsigned long long)padded);
}

START_TEST(small_classes_are_exact_and_padding_is_bounded)
{
    for (uint64_t size = 1; size < 256 * 16; size++)
        check_padding(size, (16 - size % 16) % 16);
    for (uint64_t size = 256 * 16; size < (1u << 21); size++)
        check_padding(size, 15 + size / 128);
    for (uint64_t size = 1u << 21; size <= RK_DISK_RECORD_BYTES_MAX - 4099; size += 4099)
        check_padding(size, size / 128);
}
END_TEST

START_TEST(a_location_comes_back)
{
    static const uint32_t file_numbers[] = { 1, 2, 0x800000, RK_DISK_FILE_NUMBER_MAX };
    static const uint64_t offsets[] = { 0, 16, 1u << 20, RK_DISK_FILE_BYTES_MAX / 2, RK_DISK_FILE_BYTES_MAX - 16 };
    static const unsigned classes[] = { 1, 3, 127, 128, 255, 256, 1000 };

    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 5; j++)
            for (size_t k = 0; k < 7; k++) {
                struct rk_location in = { file_numbers[i], (uint32_t)rk_disk_size_of_class(classes[k]), offsets[j] };
                uint64_t word = rk_disk_location_encode(in);
                struct rk_location out = rk_disk_location_decode(word);

                ck_assert_uint_ne(word, 0);
                ck_assert_uint_eq(out.file_number, in.file_number);
                ck_assert_uint_eq(out.size_bytes, in.size_bytes);
                ck_assert_uint_eq(out.offset_bytes, in.offset_bytes);
                ck_assert_uint_eq(word >> 40, in.file_number);
                ck_assert_uint_eq(word >> 12 & 0xfffffff, in.offset_bytes / 16);
                ck_assert_uint_eq(word & 0xfff, classes[k]);
            }
}
END_TEST

START_TEST(a_size_that_no_record_has_is_decoded_as_0)
{
    ck_assert_uint_eq(rk_disk_location_decode(0xfff).size_bytes, 0);
    ck_assert_uint_eq(rk_disk_location_decode(last_class() + 1).size_bytes, 0);
    ck_assert_uint_eq(rk_disk_location_decode(last_class()).size_bytes, RK_DISK_RECORD_BYTES_MAX);
}
END_TEST

START_TEST(a_size_of_no_class_cannot_be_encoded)
{
    (void)rk_disk_location_encode((struct rk_location){ .file_number = 1, .size_bytes = 256 * 16 + 16 });
}
END_TEST

START_TEST(file_0_cannot_be_encoded)
{
    (void)rk_disk_location_encode((struct rk_location){ .file_number = 0, .size_bytes = 16 });
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_location");
    TCase *tcase = tcase_create("location");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, classes_ascend_and_each_is_its_own);
    tcase_add_test(tcase, small_classes_are_exact_and_padding_is_bounded);
    tcase_add_test(tcase, a_location_comes_back);
    tcase_add_test(tcase, a_size_that_no_record_has_is_decoded_as_0);
    tcase_add_test_raise_signal(tcase, a_size_of_no_class_cannot_be_encoded, SIGABRT);
    tcase_add_test_raise_signal(tcase, file_0_cannot_be_encoded, SIGABRT);
    suite_add_tcase(suite, tcase);
    return suite;
}
