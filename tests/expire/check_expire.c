/* Looks for what has expired: what they read, what they find, and that whatever keeps them from it keeps it only until
 * the next one. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "expire/expire.h"
#include "grace/grace.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge_model.h"
#include "space/space.h"
#include "test_io.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct model model;

static void setup(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    rk_grace_register_thread();
    model_create(&model, 1);
}

static void teardown(void)
{
    model_destroy(&model);
    rk_grace_unregister_thread();
}

static uint32_t active(void)
{
    return rk_log_writer_file_number(model.log);
}

/* Puts the keys [first, end), of which each expires so many seconds from now; 0: none does. */
static void put_keys(unsigned first, unsigned end, unsigned after_s)
{
    for (unsigned i = first; i < end; i++)
        model_put(&model, i, 40, after_s > 0 ? (model.now_s + after_s) * 1000 : 0);
}

static uint64_t count(uint32_t file_number, enum rk_space_column column)
{
    return rk_space_file(model.space, file_number).n_records[column];
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, context);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

static void make_hint(uint32_t file_number)
{
    struct rk_disk_identity identity = *rk_log_store_identity(model.store);
    struct rk_log_hint_maker maker = { .context = identity.hash_key, .fingerprint = make_fingerprint };

    ck_assert_int_eq(rk_log_hint_make(rk_log_store_dir_fd(model.store), file_number, &identity, &maker, NULL), RK_OK);
}

static void flip_byte(uint32_t file_number, bool of_hint, off_t at)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    uint8_t byte;
    int fd;

    if (of_hint)
        rk_disk_hint_name(name, file_number);
    else
        rk_disk_file_name(name, file_number);
    fd = openat(rk_log_store_dir_fd(model.store), name, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* By its hint, by its records, and as the active file, which has no hint and no trailer. */
START_TEST(what_is_past_is_found_and_the_rest_stays)
{
    uint32_t file = active();

    put_keys(0, 10, 5);
    put_keys(10, 20, 50);
    put_keys(20, 30, 0);
    put_keys(5, 8, 0); /* overwritten: three of the ten have no expiry any more */
    model_delete(&model, 8);
    if (_i < 2)
        model_roll(&model);
    if (_i == 0)
        make_hint(file);
    model.now_s += 4;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 0);
    model.now_s += 1;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 6);
    ck_assert_uint_eq(count(file, RK_SPACE_EXPIRED), 6);
    ck_assert_uint_eq(count(file, RK_SPACE_LIVE), 23);
    ck_assert_uint_eq(count(file, RK_SPACE_OVERWRITTEN), 3);
    ck_assert_uint_eq(count(file, RK_SPACE_DELETED), 1);
    ck_assert_uint_eq(rk_space_file(model.space, file).first_expiry_s, model.now_s + 45);
    ck_assert_uint_eq(rk_space_file(model.space, file).taken_expiry_s, 0);
    ck_assert_uint_eq(rk_keydir_writer_usage(model.keydir).n_keys, 23);
    model_check(&model);
    put_keys(0, 3, 0); /* again, of three that had expired */
    model.now_s += 45;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 16);
    ck_assert_uint_eq(rk_space_file(model.space, file).first_expiry_s, 0);
    ck_assert_uint_eq(rk_keydir_writer_usage(model.keydir).n_keys, 16);
    model_check(&model);
}
END_TEST

START_TEST(nothing_is_read_while_nothing_is_due)
{
    struct test_io_fault count_opens = { .calls = TEST_IO_OPEN };
    const struct rk_io_ops *calm = rk_io;
    unsigned n_opens[3];

    put_keys(0, 10, 0);
    model_roll(&model);
    put_keys(10, 20, 30);
    model_roll(&model);
    for (unsigned i = 0; i < 3; i++) { /* not due; due; found already */
        model.now_s += i == 1 ? 30 : 0;
        test_io_install(&count_opens);
        ck_assert_int_eq(model_expire(&model), RK_OK);
        n_opens[i] = test_io_n_calls();
        test_io_remove();
        rk_io = calm;
    }
    ck_assert_uint_eq(n_opens[0], 0);
    ck_assert_uint_gt(n_opens[1], 0);
    ck_assert_uint_eq(n_opens[2], 0);
    ck_assert_uint_eq(model.n_expired, 10);
}
END_TEST

/* Merged files know their first expiry, and so do those of a start, by hints or without. */
START_TEST(a_first_expiry_survives_merges_and_restarts)
{
    uint32_t first = active(), merged;

    put_keys(0, 10, 0);
    put_keys(10, 20, 30);
    put_keys(20, 30, 40);
    model_roll(&model);
    ck_assert_int_eq(model_merge(&model, &first, 1), RK_OK);
    merged = rk_log_store_file(model.store, 0);
    ck_assert_uint_ne(merged, first);
    ck_assert_uint_eq(rk_space_file(model.space, merged).first_expiry_s, model.now_s + 30);
    for (unsigned i = 0; i < 2; i++) {
        model_restart(&model, false, i == 1);
        ck_assert_uint_eq(rk_space_file(model.space, merged).first_expiry_s, model.now_s + 30);
    }
    model.now_s += 30;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 10);
    model_restart(&model, false, false);
    ck_assert_uint_eq(count(merged, RK_SPACE_EXPIRED), 10);
    ck_assert_uint_eq(rk_space_file(model.space, merged).first_expiry_s, model.now_s + 10);
    model_check(&model);
}
END_TEST

/* The hint says that some keys have expired which have not, and is not believed. */
START_TEST(a_hint_in_doubt_is_not_believed)
{
    uint32_t file = active();

    put_keys(0, 10, 100);
    put_keys(10, 11, 5);
    model_roll(&model);
    make_hint(file);
    flip_byte(file, true, RK_DISK_HINT_HEADER_BYTES + 3 * RK_DISK_HINT_ENTRY_BYTES + 15); /* half a year earlier */
    model.now_s += 5;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 1);
    model_check(&model);
}
END_TEST

/* A file that cannot be read does not keep the others from being looked at, and is looked at again. */
START_TEST(damage_is_told_and_tried_again)
{
    uint32_t damaged = active();
    uint64_t second;

    put_keys(0, 10, 5);
    second = rk_keydir_writer_lookup(model.keydir,
                                     rk_keydir_fingerprint("key-1", 5, rk_log_store_identity(model.store)->hash_key));
    model_roll(&model);
    put_keys(10, 20, 5);
    model_roll(&model);
    model.now_s += 5;
    flip_byte(damaged, false, (off_t)rk_disk_location_decode(second).offset_bytes + 60);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(model_expire(&model), RK_ERR_CORRUPT);
        ck_assert_msg(strstr(model.why.text, "data file 1: damaged at byte") != NULL, "%s", model.why.text);
        ck_assert_uint_eq(count(damaged, RK_SPACE_LIVE), 10);
        ck_assert_uint_eq(model.n_expired, 10);
    }
    flip_byte(damaged, false, (off_t)rk_disk_location_decode(second).offset_bytes + 60);
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 20);
    model_check(&model);
}
END_TEST

/* Given up in the middle, or the writer gone: the next look finds the rest. */
START_TEST(a_look_that_ended_early_is_made_up_for)
{
    uint64_t n_expired = 0;
    uint32_t first = active();

    for (unsigned i = 0; i < 6 * MODEL_KEYS; i++) /* so large that it takes a turn after less than a hundred */
        model_put(&model, i % MODEL_KEYS, 4000, (model.now_s + 5) * 1000);
    model.now_s += 5;
    model.turns_left = 1;
    ck_assert_int_eq(model_expire(&model), RK_ERR_AGAIN);
    for (uint32_t file = first; file <= active(); file++) /* nobody looks any more */
        ck_assert_uint_eq(rk_space_file(model.space, file).taken_expiry_s, 0);
    model_check(&model);
    model.turns_left = 3;
    ck_assert_int_eq(model_expire(&model), RK_ERR_AGAIN);
    n_expired = model.n_expired;
    ck_assert_uint_lt(n_expired, MODEL_KEYS);
    model_check(&model);
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, MODEL_KEYS);
    model_check(&model);
}
END_TEST

/* ---- writes in between ---- */

static unsigned calls_before_write;

/* What the writer thread does before it comes to the call: a client puts a key again that was just looked up. */
static enum rk_err call_after_a_write(void *context, void (*run)(void *argument), void *argument)
{
    if (calls_before_write-- == 0)
        model_put(&model, 3, 77, 0);
    run(argument);
    return RK_OK;
}

static enum rk_err go_on(void *context)
{
    return RK_OK;
}

START_TEST(a_write_that_came_meanwhile_wins)
{
    struct rk_expire_settings settings = { .store = model.store,
                                           .log = model.log,
                                           .keydir = model.keydir,
                                           .space = model.space,
                                           .call = call_after_a_write,
                                           .turn = go_on };
    uint64_t n_expired = 0;
    uint32_t file = active();

    put_keys(0, 10, 5);
    model.now_s += 5;
    settings.now_s = model.latest_s = model.now_s;
    calls_before_write = 1; /* the first one asks which files are due */
    ck_assert_int_eq(rk_expire_run(&settings, &n_expired, NULL), RK_OK);
    ck_assert_uint_eq(n_expired, 9);
    ck_assert_uint_eq(count(file, RK_SPACE_LIVE), 1);
    ck_assert_uint_eq(count(file, RK_SPACE_OVERWRITTEN), 1);
    model_check(&model);
}
END_TEST

/* An expiry that comes while the file is read, of a record behind those that are read, is known afterwards. */
START_TEST(an_expiry_that_came_meanwhile_is_not_forgotten)
{
    uint32_t file = active();

    put_keys(0, 10, 5);
    put_keys(10, 11, 60);
    model.now_s += 5;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    put_keys(20, 21, 20);
    ck_assert_uint_eq(rk_space_file(model.space, file).first_expiry_s, model.now_s + 20);
    model.now_s += 20;
    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 11);
    ck_assert_uint_eq(rk_space_file(model.space, file).first_expiry_s, model.now_s + 35);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store expire");
    TCase *tcase = tcase_create("expire");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, what_is_past_is_found_and_the_rest_stays, 0, 3);
    tcase_add_test(tcase, nothing_is_read_while_nothing_is_due);
    tcase_add_test(tcase, a_first_expiry_survives_merges_and_restarts);
    tcase_add_test(tcase, a_hint_in_doubt_is_not_believed);
    tcase_add_test(tcase, damage_is_told_and_tried_again);
    tcase_add_test(tcase, a_look_that_ended_early_is_made_up_for);
    tcase_add_test(tcase, a_write_that_came_meanwhile_wins);
    tcase_add_test(tcase, an_expiry_that_came_meanwhile_is_not_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}
