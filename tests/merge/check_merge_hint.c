/* Merges of files whose hints are wrong: a merge acts by a hint before it has seen all of it, and must come to the same
 * as one that reads the data files. A look for what has expired must not act by such a hint at all. */
#include "disk/disk_hint.h"
#include "grace/grace.h"
#include "keydir/keydir.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge_model.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define N_ROUNDS     60
#define VALUE_LEN    12 /* so small that a file has more records than are looked up at once */
#define N_OPS        400
#define IN_EXPIRY    12 /* of an entry */
#define IN_LOCATION  17 /* the offset */
#define IN_SEQUENCE  24
#define ANYWHERE     RK_DISK_HINT_ENTRY_BYTES
#define N_SPOILT_MAX 3

static struct model model;

static void setup(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* none of the many files has to wait for a disk */
    rk_grace_register_thread();
    model_create(&model, 1);
}

static void teardown(void)
{
    model_destroy(&model);
    rk_grace_unregister_thread();
}

static void make_history(void)
{
    for (unsigned i = 0; i < N_OPS; i++) {
        unsigned key = model_random(&model, MODEL_KEYS);

        if (model_random(&model, 3) == 0)
            model_delete(&model, key);
        else
            model_put(&model, key, model_random(&model, VALUE_LEN), model_random_expiry(&model));
    }
    model_roll(&model);
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, context);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

/* Flips a bit of the n-th entry; of any byte of it with ANYWHERE. */
static void spoil_entry(int fd, unsigned n, unsigned in_entry)
{
    off_t at = (off_t)(RK_DISK_HINT_HEADER_BYTES + n * RK_DISK_HINT_ENTRY_BYTES);
    uint8_t byte;

    at += in_entry < ANYWHERE ? in_entry : model_random(&model, RK_DISK_HINT_ENTRY_BYTES);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1u << (in_entry == IN_EXPIRY && model_random(&model, 2) == 0 ? 0 : model_random(&model, 8)));
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

static void spoil_hint(uint32_t file_number, unsigned in_entry)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    uint8_t bytes[RK_DISK_HINT_HEADER_BYTES];
    struct rk_disk_hint_header header;
    int fd;

    rk_disk_hint_name(name, file_number);
    fd = openat(rk_log_store_dir_fd(model.store), name, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
    ck_assert_int_eq(rk_disk_hint_header_decode(bytes, &header), RK_OK);
    for (unsigned i = model_random(&model, N_SPOILT_MAX) + 1; header.n_entries > 0 && i > 0; i--)
        spoil_entry(fd, model_random(&model, (unsigned)header.n_entries), in_entry);
    (void)close(fd);
}

/* Every sealed file gets a hint that is right, and then in one case of two is not. */
static void make_hints(unsigned in_entry)
{
    struct rk_disk_identity identity = *rk_log_store_identity(model.store);
    struct rk_log_hint_maker maker = { .context = identity.hash_key, .fingerprint = make_fingerprint };
    uint32_t number;

    for (size_t i = 0; (number = rk_log_store_file(model.store, i)) != 0; i++) {
        if (number == rk_log_writer_file_number(model.log))
            continue;
        ck_assert_int_eq(rk_log_hint_make(rk_log_store_dir_fd(model.store), number, &identity, &maker, NULL), RK_OK);
        if (model_random(&model, 2) == 0)
            spoil_hint(number, in_entry);
    }
}

static void let_some_expire(void)
{
    model.now_s += model_random(&model, 40);
    ck_assert_int_eq(model_expire(&model), RK_OK);
    model_check(&model);
}

/* What a merge did, and the hints that it wrote, which the restart reads. */
static void check_all(void)
{
    model_check(&model);
    model_restart(&model, model_random(&model, 2) == 0, false);
    model_check(&model);
}

START_TEST(a_wrong_hint_changes_nothing)
{
    static const unsigned wrong[] = { 0, 8, IN_EXPIRY, IN_LOCATION, IN_SEQUENCE, ANYWHERE };
    uint32_t files[64];

    for (unsigned round = 0; round < N_ROUNDS; round++) {
        size_t n_files;

        make_history();
        make_hints(wrong[_i]);
        let_some_expire();
        n_files = model_choose(&model, files, sizeof files / sizeof *files);
        if (n_files > 0)
            ck_assert_int_eq(model_merge(&model, files, n_files), RK_OK);
        check_all();
        make_hints(wrong[_i]);
        if (round % 4 == 3)
            ck_assert_int_eq(model_merge(&model, NULL, 0), RK_OK);
        check_all();
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store merge hint");
    TCase *tcase = tcase_create("hint");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_wrong_hint_changes_nothing, 0, 6);
    suite_add_tcase(suite, tcase);
    return suite;
}
