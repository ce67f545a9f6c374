#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "disk/disk_location.h"
#include "disk/disk_manifest.h"
#include "log/log_lock.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "log/log_watch.h"
#include "test_dir.h"
#include "test_io.h"
#include "test_log.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;

static void make_dir(void)
{
    dir = test_dir_create();
}

static void remove_dir(void)
{
    test_io_remove();
    test_dir_remove(&dir);
}

static void remove_name(const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert_int_eq(unlink(path), 0);
}

static struct rk_log_store *open_store(void)
{
    struct rk_log_store *store = NULL;
    struct rk_detail detail = { "" };

    ck_assert_msg(rk_log_store_open(&store, dir, &detail) == RK_OK, "%s", detail.text);
    return store;
}

static void check_files(const struct rk_log_store *store, size_t n, const uint32_t *files)
{
    ck_assert_uint_eq(rk_log_store_n_files(store), n);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(rk_log_store_file(store, i), files[i]);
    ck_assert_uint_eq(rk_log_store_file(store, n), 0);
}

static void change(struct rk_log_store *store, uint32_t removed, uint32_t added)
{
    struct rk_disk_manifest_change one = {
        .removed = &removed, .n_removed = removed != 0, .added = &added, .n_added = added != 0
    };
    struct rk_detail detail = { "" };

    ck_assert_msg(rk_log_store_change(store, &one, &detail) == RK_OK, "%s", detail.text);
}

START_TEST(a_new_store_stays_who_it_is)
{
    struct rk_log_store *store = open_store();
    struct rk_disk_identity identity = *rk_log_store_identity(store);
    static const uint8_t zeros[16];

    ck_assert_mem_ne(identity.uuid, zeros, 16);
    ck_assert_mem_ne(identity.hash_key, zeros, 16);
    ck_assert_mem_ne(identity.uuid, identity.hash_key, 16);
    check_files(store, 0, NULL);
    rk_log_store_close(&store);
    ck_assert_ptr_null(store);
    store = open_store();
    ck_assert_mem_eq(rk_log_store_identity(store)->uuid, identity.uuid, 16);
    ck_assert_mem_eq(rk_log_store_identity(store)->hash_key, identity.hash_key, 16);
    ck_assert_uint_eq(rk_log_store_identity(store)->created_ms, identity.created_ms);
    rk_log_store_close(&store);
}
END_TEST

START_TEST(a_directory_is_made_but_not_its_parent)
{
    char path[256];
    struct rk_log_store *store = NULL;
    struct rk_detail detail;

    snprintf(path, sizeof path, "%s/new", dir);
    ck_assert_int_eq(rk_log_store_open(&store, path, &detail), RK_OK);
    rk_log_store_close(&store);
    snprintf(path, sizeof path, "%s/no/new", dir);
    ck_assert_int_ne(rk_log_store_open(&store, path, &detail), RK_OK);
    ck_assert_ptr_nonnull(strstr(detail.text, path));
    ck_assert_ptr_null(store);
}
END_TEST

START_TEST(changes_keep_the_order_of_age)
{
    struct rk_log_store *store = open_store();
    struct rk_detail detail;
    struct rk_disk_manifest_change staged = { .added = (const uint32_t[]){ 77 }, .n_added = 1 };

    for (uint32_t i = 1; i <= 5; i++) {
        ck_assert_uint_eq(rk_log_store_next_number(store), i);
        change(store, 0, i);
    }
    check_files(store, 5, (const uint32_t[]){ 1, 2, 3, 4, 5 });
    change(store, 3, 9);
    ck_assert_int_eq(rk_log_store_change(store,
                                         &(struct rk_disk_manifest_change){ .removed = (const uint32_t[]){ 2, 1 },
                                                                            .n_removed = 2,
                                                                            .added = (const uint32_t[]){ 7, 8 },
                                                                            .n_added = 2 },
                                         &detail),
                     RK_OK);
    change(store, 5, 0);
    ck_assert_int_eq(rk_log_store_stage(store, &staged, &detail), RK_OK);
    rk_log_store_abort(store);
    for (int round = 0; round < 2; round++) {
        check_files(store, 4, (const uint32_t[]){ 7, 8, 9, 4 });
        rk_log_store_close(&store);
        store = open_store();
    }
    ck_assert_uint_eq(rk_log_store_next_number(store), 6);
    ck_assert_uint_eq(rk_log_store_next_number(store), 10);
    rk_log_store_close(&store);
}
END_TEST

START_TEST(numbers_go_round_and_skip_what_is_there)
{
    struct rk_disk_manifest manifest = {
        .edition = 1, .next_number = RK_DISK_FILE_NUMBER_MAX, .n_files = 2, .files = (uint32_t[]){ 1, 2 }
    };
    struct rk_log_store *store = open_store();
    uint8_t bytes[64];

    memcpy(manifest.uuid, rk_log_store_identity(store)->uuid, 16);
    rk_log_store_close(&store);
    rk_disk_manifest_encode(bytes, &manifest);
    test_log_write_file(dir, "MANIFEST", bytes, rk_disk_manifest_size(&manifest));
    store = open_store();
    ck_assert_uint_eq(rk_log_store_next_number(store), RK_DISK_FILE_NUMBER_MAX);
    ck_assert_uint_eq(rk_log_store_next_number(store), 3);
    rk_log_store_close(&store);
}
END_TEST

START_TEST(the_lock_is_refused_while_held)
{
    struct rk_log_store *store = open_store(), *other = NULL;
    struct rk_detail detail;
    char pid[32];

    ck_assert_int_eq(rk_log_store_open(&other, dir, &detail), RK_ERR_BUSY);
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    ck_assert_ptr_nonnull(strstr(detail.text, pid));
    ck_assert_ptr_nonnull(strstr(detail.text, dir));
    rk_log_store_close(&store);
    store = open_store();
    rk_log_store_close(&store);
}
END_TEST

/* The child stands for a worker: it has the descriptor, and outlives the one who locked. */
START_TEST(the_lock_is_free_after_the_last_holder_died)
{
    struct rk_log_store *store = open_store(), *other = NULL;
    struct rk_detail detail;
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        for (;;)
            pause();
    }
    rk_log_store_close(&store);
    ck_assert_int_eq(rk_log_store_open(&other, dir, &detail), RK_ERR_BUSY);
    remove_name("LOCK"); /* the child has the folder, too */
    ck_assert_int_eq(rk_log_store_open(&other, dir, &detail), RK_ERR_BUSY);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    store = open_store();
    rk_log_store_close(&store);
}
END_TEST

/* Opens the store with the file damaged; whatever comes, the file itself is not changed. */
static void check_damaged(const char *name, const uint8_t *bytes, size_t size)
{
    struct rk_log_store *store = NULL;
    struct rk_detail detail = { "" };
    enum rk_err err;
    uint8_t *after;
    size_t size_after;

    test_log_write_file(dir, name, bytes, size);
    err = rk_log_store_open(&store, dir, &detail);
    ck_assert_msg(err == RK_ERR_CORRUPT || err == RK_ERR_MISMATCH, "%s", rk_err_text(err));
    ck_assert_ptr_nonnull(strstr(detail.text, name));
    after = test_log_read_file(dir, name, &size_after);
    ck_assert_uint_eq(size_after, size);
    ck_assert(memcmp(after, bytes, size) == 0);
    free(after);
}

static void check_every_damage(const char *name)
{
    size_t size;
    uint8_t *bytes = test_log_read_file(dir, name, &size);

    for (size_t cut = 0; cut < size; cut++)
        check_damaged(name, bytes, cut);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check_damaged(name, bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bytes[size] = 0;
    check_damaged(name, bytes, size + 1);
    test_log_write_file(dir, name, bytes, size);
    free(bytes);
}

START_TEST(every_damage_to_identity_and_list_is_found)
{
    struct rk_log_store *store = open_store();

    for (uint32_t i = 1; i <= 3; i++)
        change(store, 0, i);
    rk_log_store_close(&store);
    check_every_damage("STORE");
    check_every_damage("MANIFEST");
    store = open_store();
    check_files(store, 3, (const uint32_t[]){ 1, 2, 3 });
    rk_log_store_close(&store);
}
END_TEST

START_TEST(what_is_missing_is_not_made_anew_over_data)
{
    static const char *const names[] = { "STORE", "MANIFEST" };
    struct rk_log_store *store = open_store();
    struct rk_detail detail;
    char path[256];

    rk_log_store_close(&store);
    test_log_write_file(dir, "0000000003.data", "x", 1);
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        uint8_t *bytes = test_log_read_file(dir, names[i], &size);

        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rk_log_store_open(&store, dir, &detail), RK_ERR_CORRUPT);
        ck_assert_ptr_nonnull(strstr(detail.text, names[i]));
        ck_assert_int_ne(access(path, F_OK), 0);
        test_log_write_file(dir, names[i], bytes, size);
        free(bytes);
    }
}
END_TEST

START_TEST(a_sweep_removes_our_own_names_only)
{
    static const char *const gone[] = { "0000000002.data", "0000000002.hint",     "MANIFEST.tmp",
                                        "STORE.tmp",       "0000000001.hint.tmp", "0000000001.keys.tmp" };
    static const char *const kept[] = { "0000000001.data", "0000000001.hint", "notes.txt", "000000002.data",
                                        "MANIFEST.old",    "STORE",           "LOCK" };
    struct rk_log_store *store = open_store();
    char path[256];

    change(store, 0, 1);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        test_log_write_file(dir, gone[i], "x", 1);
    for (size_t i = 0; i < 5; i++)
        test_log_write_file(dir, kept[i], "x", 1);
    test_log_sweep(store);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, gone[i]);
        ck_assert_msg(access(path, F_OK) != 0, "%s", path);
    }
    for (size_t i = 0; i < 7; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, kept[i]);
        ck_assert_msg(access(path, F_OK) == 0, "%s", path);
    }
    rk_log_store_close(&store);
}
END_TEST

/* Every call of making a store fails once: an error, and the next open finds or makes a store. */
START_TEST(a_store_can_be_made_after_any_failure)
{
    bool failed = true;

    for (unsigned nth = 1; failed; nth++) {
        struct rk_log_store *store = NULL;
        struct rk_detail detail = { "" };
        char path[256];

        snprintf(path, sizeof path, "%s/%u", dir, nth);
        test_io_install(
            &(struct test_io_fault){ .calls = TEST_IO_ALL & ~(unsigned)TEST_IO_UNLINK, .nth = nth, .errnum = EIO });
        failed = rk_log_store_open(&store, path, &detail) != RK_OK;
        ck_assert(failed == (test_io_n_calls() >= nth));
        ck_assert(!failed || strstr(detail.text, path) != NULL);
        test_io_remove();
        rk_log_store_close(&store);
        ck_assert_msg(rk_log_store_open(&store, path, &detail) == RK_OK, "%s", detail.text);
        rk_log_store_close(&store);
    }
}
END_TEST

/* Every call of a change fails once: the old list or the new one, both here and after a restart, and after a stage that
 * failed certainly the old one. */
START_TEST(a_change_that_fails_leaves_one_of_the_two_lists)
{
    bool failed = true;
    struct rk_log_store *store = open_store();

    change(store, 0, 1);
    for (unsigned nth = 1; failed; nth++) {
        uint32_t added = nth + 1;
        struct rk_disk_manifest_change one = { .added = &added, .n_added = 1 };
        size_t n_before = rk_log_store_n_files(store);
        struct rk_detail detail;
        bool staged;

        test_io_install(&(struct test_io_fault){ .calls = TEST_IO_ALL, .nth = nth, .errnum = ENOSPC });
        staged = rk_log_store_stage(store, &one, &detail) == RK_OK;
        failed = !staged || rk_log_store_commit(store, &detail) != RK_OK;
        test_io_remove();
        ck_assert_uint_eq(rk_log_store_n_files(store), failed ? n_before : n_before + 1);
        rk_log_store_close(&store);
        store = open_store();
        if (!staged)
            ck_assert_uint_eq(rk_log_store_n_files(store), n_before);
        else if (!failed)
            ck_assert_uint_eq(rk_log_store_n_files(store), n_before + 1);
        else
            ck_assert_uint_le(rk_log_store_n_files(store), n_before + 1);
    }
    rk_log_store_close(&store);
}
END_TEST

static bool has_name(const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* The folder is locked, and STORE: LOCK may go, and nobody else gets in, nor makes another one. */
START_TEST(a_store_without_its_lock_is_locked)
{
    struct rk_log_store *store = open_store(), *other = NULL;
    struct rk_detail detail;
    int fd = -1;

    remove_name("LOCK");
    ck_assert_int_eq(rk_log_store_open(&other, dir, &detail), RK_ERR_BUSY);
    ck_assert(!has_name("LOCK"));
    ck_assert_int_eq(rk_log_lock_file(rk_log_store_dir_fd(store), "STORE", &fd, &detail), RK_ERR_BUSY);
    rk_log_store_close(&store);
    store = open_store();
    ck_assert(has_name("LOCK"));
    rk_log_store_close(&store);
}
END_TEST

/* A program of before knows only LOCK. */
START_TEST(a_lock_without_the_folder_is_respected)
{
    struct rk_log_store *store = open_store(), *other = NULL;
    struct rk_detail detail;
    char path[256];
    int fd;

    rk_log_store_close(&store);
    (void)snprintf(path, sizeof path, "%s/LOCK", dir);
    ck_assert_int_ge(fd = open(path, O_RDWR | O_CLOEXEC), 0);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    ck_assert_int_eq(rk_log_store_open(&other, dir, &detail), RK_ERR_BUSY);
    close(fd);
    store = open_store();
    rk_log_store_close(&store);
}
END_TEST

START_TEST(what_is_lost_is_noticed)
{
    struct rk_log_store *store = open_store();
    char moved[256];
    uint8_t *bytes;
    size_t size;

    ck_assert_uint_eq(rk_log_watch_look(store), 0);
    remove_name("LOCK");
    ck_assert_uint_eq(rk_log_watch_look(store), 1u << RK_LOG_WATCHED_LOCK);
    test_log_write_file(dir, "LOCK", "1\n", 2); /* another one */
    ck_assert_uint_eq(rk_log_watch_look(store), 1u << RK_LOG_WATCHED_LOCK);
    remove_name("STORE");
    bytes = test_log_read_file(dir, "MANIFEST", &size);
    change(store, 0, 1);
    ck_assert_uint_eq(rk_log_watch_look(store), 1u << RK_LOG_WATCHED_LOCK | 1u << RK_LOG_WATCHED_STORE);
    test_log_write_file(dir, "MANIFEST", bytes, size); /* an older one */
    ck_assert((rk_log_watch_look(store) & 1u << RK_LOG_WATCHED_MANIFEST) != 0);
    remove_name("MANIFEST");
    ck_assert((rk_log_watch_look(store) & 1u << RK_LOG_WATCHED_MANIFEST) != 0);
    change(store, 0, 2); /* writes it anew */
    ck_assert((rk_log_watch_look(store) & 1u << RK_LOG_WATCHED_MANIFEST) == 0);
    (void)snprintf(moved, sizeof moved, "%s.moved", dir);
    ck_assert_int_eq(rename(dir, moved), 0);
    ck_assert((rk_log_watch_look(store) & 1u << RK_LOG_WATCHED_FOLDER) != 0);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert((rk_log_watch_look(store) & 1u << RK_LOG_WATCHED_FOLDER) != 0);
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_eq(rename(moved, dir), 0);
    ck_assert((rk_log_watch_look(store) & 1u << RK_LOG_WATCHED_FOLDER) == 0);
    free(bytes);
    rk_log_store_close(&store);
}
END_TEST

/* ---- the MANIFEST's fields ---- */

/* As the program of before wrote it: version 2, and nothing behind the list. */
START_TEST(a_list_of_before_is_read)
{
    static const uint32_t files[] = { 7, 2 };
    struct rk_log_store *store = open_store();
    uint8_t bytes[48 + 2 * 4] = "RKMANIF1";

    rk_bytes_store32(bytes + 12, 2);
    memcpy(bytes + 16, rk_log_store_identity(store)->uuid, 16);
    rk_bytes_store64(bytes + 32, 5);
    rk_bytes_store32(bytes + 40, 9);
    rk_bytes_store32(bytes + 44, 2);
    rk_bytes_store32(bytes + 48, files[0]);
    rk_bytes_store32(bytes + 52, files[1]);
    rk_bytes_store32(bytes + 8, rk_crc32c(0, bytes, sizeof bytes));
    rk_log_store_close(&store);
    test_log_write_file(dir, "MANIFEST", bytes, sizeof bytes);
    store = open_store();
    check_files(store, 2, files);
    ck_assert_uint_eq(rk_log_store_edition(store), 5);
    ck_assert_uint_eq(rk_log_store_last_sequence(store), 0);
    ck_assert_uint_eq(rk_log_store_closed_bytes(store, 2), 0);
    rk_log_store_close(&store);
}
END_TEST

static struct rk_log_store *reopen(struct rk_log_store *store)
{
    rk_log_store_close(&store);
    return open_store();
}

START_TEST(the_list_keeps_what_must_outlive_its_files)
{
    struct rk_log_store *store = open_store();
    uint32_t number = 1;
    struct rk_disk_manifest_change first = { .added = &number, .n_added = 1, .last_sequence = 1000 };
    struct rk_disk_manifest_change closed = { .last_sequence = 900, .closed_file = 1, .closed_bytes = 4096 };

    ck_assert_int_eq(rk_log_store_change(store, &first, NULL), RK_OK);
    ck_assert_int_eq(rk_log_store_change(store, &closed, NULL), RK_OK);
    store = reopen(store);
    ck_assert_uint_eq(rk_log_store_last_sequence(store), 1000); /* it never goes back */
    ck_assert_uint_eq(rk_log_store_closed_bytes(store, 1), 4096);
    ck_assert_uint_eq(rk_log_store_closed_bytes(store, 2), 0);
    ck_assert_int_eq(
        rk_log_store_change(
            store, &(struct rk_disk_manifest_change){ .added = (uint32_t[]){ 5 }, .n_added = 1, .before = 1 }, NULL),
        RK_OK); /* a merge beside it */
    store = reopen(store);
    ck_assert_uint_eq(rk_log_store_closed_bytes(store, 1), 4096);
    change(store, 0, 2); /* it is no longer the newest */
    store = reopen(store);
    ck_assert_uint_eq(rk_log_store_closed_bytes(store, 1), 0);
    ck_assert_uint_eq(rk_log_store_last_sequence(store), 1000);
    rk_log_store_close(&store);
}
END_TEST

/* The same bytes with another checksum that fits: what a field may not say. */
START_TEST(fields_that_do_not_fit_are_refused)
{
    static const struct {
        size_t at;
        uint32_t value;
        enum rk_err err;
    } cases[] = {
        { 52, 3, RK_ERR_MISMATCH },                            /* a tag of later */
        { 52, 2, RK_ERR_CORRUPT },                             /* one of the other field, with what it cannot mean */
        { 56, 1, RK_ERR_CORRUPT },                             /* a sequence has no a */
        { 68, 1, RK_ERR_CORRUPT },                             /* the same tag twice */
        { 68, 3, RK_ERR_MISMATCH }, { 72, 2, RK_ERR_CORRUPT }, /* closed, and not the newest file */
        { 80, 1, RK_ERR_CORRUPT },                             /* longer than any file */
        { 12, 4, RK_ERR_MISMATCH }, { 12, 2, RK_ERR_CORRUPT }, /* which has no fields */
    };
    struct rk_disk_manifest manifest = { .edition = 1, .next_number = 2, .n_files = 1, .files = (uint32_t[]){ 1 } };
    struct rk_disk_manifest decoded;
    uint8_t bytes[84], changed[84];
    struct rk_detail detail;

    manifest.last_sequence = 77;
    manifest.closed_file = 1;
    manifest.closed_bytes = 4096;
    ck_assert_uint_eq(rk_disk_manifest_size(&manifest), sizeof bytes);
    rk_disk_manifest_encode(bytes, &manifest);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(changed, bytes, sizeof changed);
        rk_bytes_store32(changed + cases[i].at, cases[i].value);
        rk_bytes_store32(changed + 8, 0);
        rk_bytes_store32(changed + 8, rk_crc32c(0, changed, sizeof changed));
        ck_assert_msg(rk_disk_manifest_decode(changed, sizeof changed, &decoded, &detail) == cases[i].err, "case %zu",
                      i);
    }
    ck_assert_int_eq(rk_disk_manifest_decode(bytes, sizeof bytes, &decoded, &detail), RK_OK);
    ck_assert_uint_eq(decoded.last_sequence, 77);
    rk_disk_manifest_fini(&decoded);
}
END_TEST

/* Every name that a start opens may be a FIFO, or nothing that it can read. */
START_TEST(names_that_are_no_files_are_refused_by_what_they_are)
{
    static const char *const names[] = { "STORE", "MANIFEST", "LOCK" };
    struct rk_log_store *store = open_store();
    struct rk_detail detail;
    char path[256], kept[256];

    rk_log_store_close(&store);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)snprintf(kept, sizeof kept, "%s/kept", dir);
        ck_assert_int_eq(rename(path, kept), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_ne(rk_log_store_open(&store, dir, &detail), RK_OK);
        ck_assert_msg(strstr(detail.text, names[i]) != NULL && strstr(detail.text, "is a FIFO, not a file") != NULL,
                      "%s", detail.text);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(symlink("/nonexistent/file", path), 0);
        ck_assert_int_ne(rk_log_store_open(&store, dir, &detail), RK_OK);
        ck_assert_msg(strstr(detail.text, "is a symbolic link") != NULL, "%s", detail.text);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rename(kept, path), 0);
    }
    store = open_store();
    rk_log_store_close(&store);
}
END_TEST

Suite *test_suite(void)

{
    Suite *suite = suite_create("log_store");
    TCase *tcase = tcase_create("store");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_dir, remove_dir);
    tcase_add_test(tcase, a_new_store_stays_who_it_is);
    tcase_add_test(tcase, a_directory_is_made_but_not_its_parent);
    tcase_add_test(tcase, changes_keep_the_order_of_age);
    tcase_add_test(tcase, numbers_go_round_and_skip_what_is_there);
    tcase_add_test(tcase, the_lock_is_refused_while_held);
    tcase_add_test(tcase, the_lock_is_free_after_the_last_holder_died);
    tcase_add_test(tcase, every_damage_to_identity_and_list_is_found);
    tcase_add_test(tcase, what_is_missing_is_not_made_anew_over_data);
    tcase_add_test(tcase, a_sweep_removes_our_own_names_only);
    tcase_add_test(tcase, a_store_can_be_made_after_any_failure);
    tcase_add_test(tcase, a_change_that_fails_leaves_one_of_the_two_lists);
    tcase_add_test(tcase, a_store_without_its_lock_is_locked);
    tcase_add_test(tcase, a_lock_without_the_folder_is_respected);
    tcase_add_test(tcase, what_is_lost_is_noticed);
    tcase_add_test(tcase, a_list_of_before_is_read);
    tcase_add_test(tcase, the_list_keeps_what_must_outlive_its_files);
    tcase_add_test(tcase, fields_that_do_not_fit_are_refused);
    tcase_add_test(tcase, names_that_are_no_files_are_refused_by_what_they_are);
    suite_add_tcase(suite, tcase);
    return suite;
}
