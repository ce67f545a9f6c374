/* Merges against a model: what a client finds never changes, whatever is merged when, and however it ends. */
#include "base/base_io.h"
#include "disk/disk_hint.h"
#include "grace/grace.h"
#include "keydir/keydir.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge_model.h"
#include "space/space.h"
#include "test_io.h"
#include "test_main.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define N_OPS_DEFAULT 20000
/* One of those that meet what is rare: a hint in doubt, copies of a record, a hole over one of them, a restart. */
#define SEED_DEFAULT 77
#define N_FILES_MAX  512

static struct model model;

static void setup(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* thousands of files: none has to wait for a disk */
    rk_grace_register_thread();
    model_create(&model, 1);
}

static void teardown(void)
{
    model_destroy(&model);
    rk_grace_unregister_thread();
}

static void fill(unsigned n_keys, uint32_t value_len)
{
    for (unsigned i = 0; i < n_keys; i++)
        model_put(&model, i, value_len, 0);
}

START_TEST(what_is_overwritten_goes)
{
    uint64_t before;

    for (unsigned round = 0; round < 5; round++)
        fill(MODEL_KEYS, 200);
    model_roll(&model);
    before = model_disk_bytes(&model);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    model_check(&model);
    ck_assert_uint_lt(model_disk_bytes(&model), before / 3); /* with what the active file has preallocated */
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_OVERWRITTEN], 0);
    model_restart(&model, false, false);
    model_check(&model);
    model_restart(&model, false, true);
    model_check(&model);
}
END_TEST

START_TEST(a_tombstone_stays_while_there_is_something_to_hide)
{
    uint32_t newest[2];

    fill(MODEL_KEYS, 100);
    model_roll(&model);
    newest[0] = rk_log_writer_file_number(model.log);
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        model_delete(&model, i);
    model_roll(&model);
    ck_assert_int_eq(model_merge(&model, newest, 1), RK_OK);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], MODEL_KEYS);
    model_check(&model);
    model_restart(&model, true, false);
    model_check(&model);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], 0);
    ck_assert_uint_eq(rk_log_store_n_files(model.store), 1); /* the active one */
    model_restart(&model, false, true);
    model_check(&model);
}
END_TEST

START_TEST(what_expired_hides_what_it_replaced)
{
    uint32_t newest;

    fill(10, 100);
    model_roll(&model);
    newest = rk_log_writer_file_number(model.log);
    for (unsigned i = 0; i < 10; i++)
        model_put(&model, i, 50, 1);
    model_roll(&model);
    ck_assert_int_eq(model_merge(&model, &newest, 1), RK_OK);
    model_check(&model);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], 10);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_LIVE], 0);
    model_restart(&model, false, true);
    model_check(&model);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    ck_assert_uint_eq(rk_log_store_n_files(model.store), 1);
}
END_TEST

/* Ten keys with an older value in a file of their own, whose newest value has expired since, in another one. */
static uint32_t make_expired(unsigned after_s)
{
    uint32_t newest;

    fill(10, 100);
    model_roll(&model);
    newest = rk_log_writer_file_number(model.log);
    for (unsigned i = 0; i < 10; i++)
        model_put(&model, i, 50, (model.now_s + after_s) * 1000);
    model_roll(&model);
    model.now_s += after_s;
    return newest;
}

START_TEST(what_was_found_expired_hides_what_it_replaced)
{
    uint32_t newest = make_expired(7);

    ck_assert_int_eq(model_expire(&model), RK_OK);
    ck_assert_uint_eq(model.n_expired, 10);
    ck_assert_uint_eq(rk_space_file(model.space, newest).n_records[RK_SPACE_EXPIRED], 10);
    model_check(&model);
    ck_assert_int_eq(model_merge(&model, &newest, 1), RK_OK);
    model_check(&model);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], 10);
    model_restart(&model, false, true);
    model_check(&model);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_LIVE], 0);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    ck_assert_uint_eq(rk_log_store_n_files(model.store), 1);
}
END_TEST

/* The same, when a recovery found it. */
START_TEST(what_a_start_finds_expired_hides_what_it_replaced)
{
    uint32_t newest = make_expired(7);

    model_restart(&model, false, _i == 1);
    ck_assert_uint_eq(rk_space_file(model.space, newest).n_records[RK_SPACE_EXPIRED], 10);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_LIVE], 0);
    model_check(&model);
    ck_assert_int_eq(model_merge(&model, &newest, 1), RK_OK);
    model_restart(&model, false, false);
    model_check(&model);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], 10);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_LIVE], 0);
}
END_TEST

START_TEST(a_clock_that_is_set_back_brings_nothing_older_back)
{
    uint32_t newest = make_expired(7);

    ck_assert_int_eq(model_expire(&model), RK_OK);
    model.now_s -= 5;
    ck_assert_int_eq(model_merge(&model, &newest, 1), RK_OK);
    model_restart(&model, false, false);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_LIVE], 0);
    ck_assert_uint_eq(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], 10);
}
END_TEST

static void put_again(struct model *put_to)
{
    for (unsigned i = 0; i < 10; i++)
        model_put(put_to, i, 30, 0);
}

/* A look, or a merge, has seen that they have expired; before it can say so they are put again. */
START_TEST(what_is_put_again_meanwhile_stays)
{
    uint32_t newest = make_expired(7);

    model.meanwhile = put_again;
    model.meanwhile_left = 2; /* the first one asks for something */
    ck_assert_int_eq(_i == 0 ? model_expire(&model) : model_merge(&model, &newest, 1), RK_OK);
    ck_assert_uint_eq(model.keys[0].expiry_ms, 0);
    ck_assert_uint_eq(model.n_expired, 0);
    model_check(&model);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    model_check(&model);
    model_restart(&model, true, true);
    model_check(&model);
}
END_TEST

static const struct rk_io_ops *unwatched;
static unsigned n_lists;

static int rename_when_all_is_durable(int dir_fd, const char *from, const char *to)
{
    if (strcmp(to, "MANIFEST") == 0) {
        n_lists++;
        ck_assert_uint_eq(rk_log_writer_durable_sequence(model.log), rk_log_writer_last_sequence(model.log));
    }
    return unwatched->rename_at(dir_fd, from, to);
}

/* What has not expired, and is taken for what hides because something newer is: of that newer one a power failure may
 * leave nothing, and then this one is the newest. */
START_TEST(a_tombstone_for_what_lives_waits_for_what_replaced_it)
{
    struct rk_io_ops ops = *rk_io;
    uint32_t newest;

    fill(11, 100);
    model_roll(&model);
    for (unsigned i = 0; i < 5; i++)
        model_put(&model, i, 50, (model.now_s + 100) * 1000);
    model_put(&model, 10, 50, model.now_s * 1000);
    ck_assert_int_eq(model_expire(&model), RK_OK);
    newest = rk_log_writer_file_number(model.log);
    model_roll(&model);
    for (unsigned i = 0; i < 5; i++)
        model_delete(&model, i);
    ck_assert_uint_lt(rk_log_writer_durable_sequence(model.log), rk_log_writer_last_sequence(model.log));
    unwatched = rk_io;
    ops.rename_at = rename_when_all_is_durable;
    rk_io = &ops;
    n_lists = 0;
    ck_assert_int_eq(model_merge(&model, &newest, 1), RK_OK);
    rk_io = unwatched;
    ck_assert_uint_eq(n_lists, 2); /* beside the input, and without it */
    ck_assert_uint_ge(rk_space_total(model.space).n_records[RK_SPACE_TOMBSTONE], 10);
    model_check(&model);
    model_restart(&model, true, false);
    model_check(&model);
}
END_TEST

/* However many: one edition of the list, and nothing is written. */
START_TEST(files_of_which_nothing_is_wanted_go_at_once)
{
    struct rk_io_ops ops = *rk_io;

    for (unsigned i = 0; i < 20; i++) {
        fill(10, 300);
        model_roll(&model);
    }
    fill(10, 300);
    unwatched = rk_io;
    ck_assert_int_eq(rk_log_writer_sync(model.log), RK_OK);
    ops.rename_at = rename_when_all_is_durable;
    rk_io = &ops;
    n_lists = 0;
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    rk_io = unwatched;
    ck_assert_uint_eq(n_lists, 1);
    ck_assert_uint_eq(rk_log_store_n_files(model.store), 1);
    model_check(&model);
}
END_TEST

/* Thousands of files take a while, and nothing of them is read. */
START_TEST(whole_dead_files_are_progress)
{
    for (unsigned i = 0; i < 100; i++) {
        fill(1, 10);
        model_roll(&model);
    }
    fill(1, 10);
    model.n_halfway = 0;
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    ck_assert_uint_eq(rk_log_store_n_files(model.store), 1);
    ck_assert_uint_gt(model.n_halfway, 0);
}
END_TEST

static bool renames_fail;
static unsigned n_renames_left; /* so many; the sync behind the last one fails */

static int rename_or_not(int dir_fd, const char *from, const char *to)
{
    if (renames_fail) {
        errno = ENOSPC;
        return -1;
    }
    n_renames_left -= strcmp(to, "MANIFEST") == 0;
    return unwatched->rename_at(dir_fd, from, to);
}

static int sync_or_not(int fd)
{
    if (n_renames_left > 0 || renames_fail)
        return unwatched->fsync(fd);
    errno = EIO;
    return -1;
}

static enum rk_err merge_with_failures(bool fail_renames)
{
    struct rk_io_ops ops = *rk_io;
    enum rk_err err;

    unwatched = rk_io;
    ops.rename_at = rename_or_not;
    ops.fsync = sync_or_not;
    renames_fail = fail_renames;
    n_renames_left = 1;
    rk_io = &ops;
    err = model_merge(&model, NULL, 0);
    rk_io = unwatched;
    return err;
}

static unsigned n_data_files(void)
{
    char pattern[600];
    glob_t found;
    unsigned n = 0;

    (void)snprintf(pattern, sizeof pattern, "%s/*.data", rk_log_store_path(model.store));
    if (glob(pattern, 0, NULL, &found) == 0)
        n = (unsigned)found.gl_pathc;
    globfree(&found);
    return n;
}

/* An output that surely is not listed gives its space back at once; one that may be listed stays. */
START_TEST(an_output_goes_only_when_it_is_not_listed)
{
    unsigned n_before;

    fill(MODEL_KEYS, 200);
    model_roll(&model);
    fill(MODEL_KEYS / 2, 200);
    n_before = n_data_files();
    ck_assert_int_eq(merge_with_failures(true), RK_ERR_NO_SPACE);
    ck_assert_uint_eq(n_data_files(), n_before);
    ck_assert_int_eq(merge_with_failures(false), RK_ERR_IO);
    ck_assert_uint_eq(n_data_files(), n_before + 1);
    model_restart(&model, true, false);
    model_check(&model);
}
END_TEST

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, context);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

/* The entries of the file's hint, which is there and is not in doubt. */
static size_t read_hint(uint32_t file_number, struct rk_disk_hint_entry *entries, size_t max)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(model.store);
    struct rk_disk_file_summary summary;
    struct rk_disk_hint *hint = NULL;
    size_t n = 0;

    ck_assert_int_eq(
        rk_disk_file_summarize(rk_log_store_dir_fd(model.store), file_number, &identity->secret, &summary, NULL),
        RK_OK);
    ck_assert_int_eq(rk_disk_hint_open(&hint, rk_log_store_dir_fd(model.store), file_number, identity->uuid, &summary),
                     RK_OK);
    while (n < max && rk_disk_hint_next(hint, &entries[n]) == RK_OK)
        n++;
    rk_disk_hint_close(&hint);
    return n;
}

/* It is written while the file is: it must say what reading the file would say. */
START_TEST(the_hint_of_a_merged_file_is_that_of_its_records)
{
    static struct rk_disk_hint_entry beside[MODEL_KEYS * 4], anew[MODEL_KEYS * 4];
    struct rk_disk_identity identity = *rk_log_store_identity(model.store);
    struct rk_log_hint_maker maker = { .context = identity.hash_key, .fingerprint = make_fingerprint };
    uint32_t files[2], merged;
    size_t n;

    fill(MODEL_KEYS, 10);
    model_roll(&model);
    files[0] = rk_log_writer_file_number(model.log);
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        if (i % 3 == 0)
            model_delete(&model, i);
        else
            model_put(&model, i, 20, i % 3 == 1 ? 1 : (i % 4) * (UINT64_MAX / 4));
    model_roll(&model);
    ck_assert_int_eq(model_merge(&model, files, 1), RK_OK);
    merged = rk_log_store_file(model.store, rk_log_store_n_files(model.store) - 2);
    n = read_hint(merged, beside, MODEL_KEYS * 4);
    ck_assert_uint_eq(n, MODEL_KEYS);
    ck_assert_int_eq(rk_log_hint_make(rk_log_store_dir_fd(model.store), merged, &identity, &maker, NULL), RK_OK);
    ck_assert_uint_eq(read_hint(merged, anew, MODEL_KEYS * 4), n);
    ck_assert_mem_eq(beside, anew, n * sizeof *beside);
}
END_TEST

START_TEST(large_values_are_copied_whole)
{
    static const uint32_t sizes[] = { 65535, 65536, 65537, 200000, 300001, 700000 };

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        model_put(&model, i, sizes[i], 0);
        model_put(&model, 40, sizes[i], UINT64_MAX / 2);
    }
    model_roll(&model);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    model_check(&model);
    model_restart(&model, false, true);
    model_check(&model);
}
END_TEST

START_TEST(the_active_file_and_unknown_files_are_refused)
{
    uint32_t active = rk_log_writer_file_number(model.log), unknown = 4711;

    fill(10, 100);
    ck_assert_int_eq(model_merge(&model, &active, 1), RK_ERR_INVALID);
    ck_assert_int_eq(model_merge(&model, &unknown, 1), RK_ERR_INVALID);
    model_check(&model);
}
END_TEST

static int two_pages_free(int fd, struct statvfs *status)
{
    *status = (struct statvfs){ .f_bavail = 2, .f_frsize = 4096 };
    return 0;
}

START_TEST(a_disk_without_room_for_an_output_is_left_alone)
{
    struct rk_io_ops ops = *rk_io;
    const struct rk_io_ops *before = rk_io;

    for (unsigned round = 0; round < 4; round++)
        fill(MODEL_KEYS, 700);
    model_roll(&model);
    ops.fstatvfs = two_pages_free;
    rk_io = &ops;
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK); /* an output of 8 KiB fits; min_free is 0 */
    rk_io = before;
    model_check(&model);
}
END_TEST

/* Some steps that leave much to merge. */
static void make_history(void)
{
    for (unsigned i = 0; i < 300; i++) {
        unsigned key = model_random(&model, MODEL_KEYS);

        if (model_random(&model, 4) == 0)
            model_delete(&model, key);
        else
            model_put(&model, key, model_random(&model, 300), model_random_expiry(&model));
    }
    model_roll(&model);
}

START_TEST(a_merge_may_end_at_any_call_of_the_writer)
{
    for (unsigned n = 1; n < 40; n++) {
        make_history();
        model.calls_left = n;
        (void)model_merge(&model, NULL, 0); /* however it ends */
        model_restart(&model, n % 2 == 0, n % 3 == 0);
        model_check(&model);
    }
}
END_TEST

START_TEST(a_merge_may_be_cancelled_and_goes_on_later)
{
    make_history();
    model.turns_left = 1;
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_ERR_AGAIN);
    model_check(&model);
    ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
    model_check(&model);
}
END_TEST

/* Each operation on a file fails once, in turn. The store goes on; a restart finds all. */
START_TEST(any_operation_on_a_file_may_fail)
{
    static const unsigned kinds[] = { TEST_IO_OPEN,  TEST_IO_PREAD,     TEST_IO_PWRITEV, TEST_IO_FDATASYNC,
                                      TEST_IO_FSYNC, TEST_IO_FTRUNCATE, TEST_IO_RENAME,  TEST_IO_UNLINK };
    unsigned kind = kinds[_i];
    unsigned n_failed = 0;

    for (unsigned nth = 1; nth < 60; nth++) {
        struct test_io_fault fault = { .calls = kind, .nth = nth, .errnum = nth % 2 ? ENOSPC : EIO };
        const struct rk_io_ops *calm = rk_io;
        bool reached;

        make_history();
        test_io_install(&fault);
        n_failed += model_merge(&model, NULL, 0) != RK_OK;
        reached = test_io_n_calls() >= nth;
        test_io_remove();
        rk_io = calm;
        model_check(&model);
        model_restart(&model, nth % 3 == 0, nth % 5 == 0);
        model_check(&model);
        if (!reached)
            break;
    }
    ck_assert((n_failed > 0) == (kind != TEST_IO_UNLINK));
}
END_TEST

static void random_look(void)
{
    if (model_random(&model, 8) == 0)
        model.calls_left = 1 + model_random(&model, 6);
    if (model_expire(&model) == RK_ERR_CLOSED)
        model_restart(&model, model_random(&model, 2) == 0, false);
    model_check(&model);
}

static void random_merge(void)
{
    uint32_t files[N_FILES_MAX];
    size_t n_files = model_choose(&model, files, N_FILES_MAX);

    if (n_files == 0)
        return;
    if (model_random(&model, 5) == 0)
        model.turns_left = 1 + model_random(&model, 3);
    if (model_random(&model, 8) == 0)
        model.calls_left = 1 + model_random(&model, 20);
    if (model_merge(&model, files, n_files) == RK_ERR_CLOSED)
        model_restart(&model, model_random(&model, 2) == 0, false); /* the writer thread is gone: the server ends */
    model_check(&model);
}

static void random_punch(void)
{
    if (model_random(&model, 8) == 0)
        model.calls_left = 1 + model_random(&model, 2);
    if (model_punch(&model) == RK_ERR_CLOSED)
        model_restart(&model, model_random(&model, 2) == 0, false);
    model_check(&model);
}

static void random_step(void)
{
    unsigned dice = model_random(&model, 1000);
    unsigned key = model_random(&model, MODEL_KEYS);

    if (dice < 550)
        model_put(&model, key, model_random(&model, dice < 5 ? 20000 : 300), model_random_expiry(&model));
    else if (dice < 750)
        model_delete(&model, key);
    else if (dice < 800)
        model.now_s += model_random(&model, 3) == 0 ? -(uint64_t)model_random(&model, 30) : model_random(&model, 30);
    else if (dice < 850)
        random_look();
    else if (dice < 900)
        model_roll(&model);
    else if (dice < 991)
        random_punch();
    else if (dice < 996)
        random_merge();
    else if (dice < 998)
        model_restart(&model, false, dice == 996);
    else
        model_restart(&model, true, dice == 998);
}

START_TEST(random_histories_with_merges)
{
    const char *wanted = getenv("RK_MERGE_OPS"), *seed = getenv("RK_MERGE_SEED");
    size_t n_ops = wanted != NULL ? strtoul(wanted, NULL, 10) : N_OPS_DEFAULT;

    model.random = seed != NULL ? strtoul(seed, NULL, 10) : SEED_DEFAULT;
    for (size_t i = 0; i < n_ops; i++) {
        random_step();
        if (i % 64 == 0)
            model_check(&model);
    }
    model_check(&model);
    printf("%zu operations, %zu merges, %llu records found expired: as the model says\n", n_ops, model.n_merges,
           (unsigned long long)model.n_expired);
    ck_assert_uint_gt(model.n_expired, 0);
    ck_assert_uint_gt(model.n_holes, 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store merge");
    TCase *tcase = tcase_create("merge");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, getenv("RK_MERGE_OPS") != NULL ? 7200 : 120);
    tcase_add_test(tcase, what_is_overwritten_goes);
    tcase_add_test(tcase, a_tombstone_stays_while_there_is_something_to_hide);
    tcase_add_test(tcase, what_expired_hides_what_it_replaced);
    tcase_add_test(tcase, what_was_found_expired_hides_what_it_replaced);
    tcase_add_loop_test(tcase, what_a_start_finds_expired_hides_what_it_replaced, 0, 2);
    tcase_add_test(tcase, a_clock_that_is_set_back_brings_nothing_older_back);
    tcase_add_loop_test(tcase, what_is_put_again_meanwhile_stays, 0, 2);
    tcase_add_test(tcase, a_tombstone_for_what_lives_waits_for_what_replaced_it);
    tcase_add_test(tcase, the_hint_of_a_merged_file_is_that_of_its_records);
    tcase_add_test(tcase, files_of_which_nothing_is_wanted_go_at_once);
    tcase_add_test(tcase, whole_dead_files_are_progress);
    tcase_add_test(tcase, an_output_goes_only_when_it_is_not_listed);
    tcase_add_test(tcase, large_values_are_copied_whole);
    tcase_add_test(tcase, the_active_file_and_unknown_files_are_refused);
    tcase_add_test(tcase, a_disk_without_room_for_an_output_is_left_alone);
    tcase_add_test(tcase, a_merge_may_end_at_any_call_of_the_writer);
    tcase_add_test(tcase, a_merge_may_be_cancelled_and_goes_on_later);
    tcase_add_loop_test(tcase, any_operation_on_a_file_may_fail, 0, 8);
    tcase_add_test(tcase, random_histories_with_merges);
    suite_add_tcase(suite, tcase);
    return suite;
}
