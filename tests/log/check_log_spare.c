/* The spare of a disk that copies on write, over a table of file operations that says so: what is believed, what is
 * given back, and what puts find meanwhile. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "log/log_spare.h"
#include "log/log_store.h"
#include "test_dir.h"
#include "test_log.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_BYTES  (64u << 10)
#define WHOLE_BYTES (SIZE_BYTES + SIZE_BYTES / 8) /* with what comes on top */
#define FILE_BYTES  (1u << 20)

static char *dir;
static int dir_fd;
static bool copies, cannot_allocate, cannot_cut;

static int copies_on_write(int fd)
{
    (void)fd;
    return copies;
}

/* A file system that has less room than it is asked for may have given some of it. */
static int allocate(int fd, int mode, off_t offset, off_t size)
{
    if (!cannot_allocate)
        return rk_io_kernel_ops.fallocate(fd, mode, offset, size);
    ck_assert_int_eq(rk_io_kernel_ops.fallocate(fd, mode, offset, size / 2), 0);
    errno = ENOSPC;
    return -1;
}

static int cut(int fd, off_t size)
{
    if (!cannot_cut)
        return rk_io_kernel_ops.ftruncate(fd, size);
    errno = EIO;
    return -1;
}

static void set_up(void)
{
    static struct rk_io_ops ops;

    dir = test_dir_create();
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    copies = true;
    cannot_allocate = cannot_cut = false;
    ops = rk_io_kernel_ops;
    ops.copies_on_write = copies_on_write;
    ops.fallocate = allocate;
    ops.ftruncate = cut;
    rk_io = &ops;
}

static void tear_down(void)
{
    rk_io = &rk_io_kernel_ops;
    close(dir_fd);
    test_dir_remove(&dir);
}

/* Its size, and that all of it is there; -1: there is none. */
static long spare_size(int folder_fd)
{
    struct stat status;

    if (fstatat(folder_fd, "SPARE", &status, 0) != 0)
        return -1;
    ck_assert_int_ge(status.st_blocks * 512, status.st_size);
    return (long)status.st_size;
}

static void leave_file(off_t allocated_bytes, off_t size)
{
    int fd = openat(dir_fd, "SPARE", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    if (allocated_bytes > 0)
        ck_assert_int_eq(posix_fallocate(fd, 0, allocated_bytes), 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    close(fd);
}

START_TEST(other_disks_need_none)
{
    struct rk_log_spare spare;

    copies = false;
    rk_log_spare_init(&spare, dir_fd, SIZE_BYTES);
    ck_assert_uint_eq(spare.size_bytes, 0);
    ck_assert(!rk_log_spare_make(&spare));
    rk_log_spare_give_up(&spare);
    ck_assert(!spare.is_given_up);
    ck_assert_int_eq(spare_size(dir_fd), -1);
}
END_TEST

START_TEST(it_is_made_given_up_and_made_again)
{
    struct rk_log_spare spare, found;

    rk_log_spare_init(&spare, dir_fd, SIZE_BYTES);
    ck_assert(!spare.is_there && !spare.is_given_up);
    ck_assert_int_eq(spare_size(dir_fd), -1); /* not before it is asked for */
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(rk_log_spare_make(&spare));
        ck_assert(spare.is_there && !spare.is_given_up);
        ck_assert_int_eq(spare_size(dir_fd), WHOLE_BYTES);
        rk_log_spare_init(&found, dir_fd, SIZE_BYTES);
        ck_assert(found.is_there && !found.is_given_up);
        cannot_allocate = true;
        ck_assert(rk_log_spare_make(&spare)); /* it is there: nothing to do */
        cannot_allocate = false;
        rk_log_spare_give_up(&spare);
        ck_assert(!spare.is_there && spare.is_given_up);
        ck_assert_int_eq(spare_size(dir_fd), -1);
    }
}
END_TEST

/* Of another setting, cut, or with a size and no blocks: what matters is what the disk holds for it. */
START_TEST(one_that_is_too_short_is_made_anew)
{
    static const struct {
        off_t allocated_bytes, size;
    } files[] = { { 0, 0 }, { 0, WHOLE_BYTES }, { WHOLE_BYTES / 2, WHOLE_BYTES / 2 }, { SIZE_BYTES, WHOLE_BYTES } };
    struct rk_log_spare spare;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        leave_file(files[i].allocated_bytes, files[i].size);
        rk_log_spare_init(&spare, dir_fd, SIZE_BYTES);
        ck_assert_msg(!spare.is_there, "file %zu was believed", i);
        ck_assert(rk_log_spare_make(&spare));
        ck_assert_int_eq(spare_size(dir_fd), WHOLE_BYTES);
    }
}
END_TEST

START_TEST(what_it_got_is_given_back_when_it_cannot_be_made)
{
    struct rk_log_spare spare;

    for (unsigned i = 0; i < 2; i++) {
        rk_log_spare_init(&spare, dir_fd, SIZE_BYTES);
        if (i > 0)
            rk_log_spare_give_up(&spare);
        cannot_allocate = true;
        ck_assert(!rk_log_spare_make(&spare));
        ck_assert_int_eq(spare_size(dir_fd), -1);
        ck_assert(!spare.is_there && spare.is_given_up == (i > 0));
        cannot_allocate = false;
        cannot_cut = true;
        ck_assert(!rk_log_spare_make(&spare));
        ck_assert_int_eq(spare_size(dir_fd), -1);
        ck_assert(!spare.is_there && spare.is_given_up == (i > 0));
        cannot_cut = false;
    }
}
END_TEST

static void open_writer(struct test_log *log)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES,
                                               .spare_bytes = SIZE_BYTES,
                                               .next_sequence = 1 };
    struct rk_detail detail = { "" };

    log->path = test_dir_create();
    ck_assert_int_eq(rk_log_store_open(&log->store, log->path, &detail), RK_OK);
    ck_assert_int_eq(rk_log_writer_open(&log->writer, log->store, &settings, &detail), RK_OK);
}

/* What the active file holds already is for puts; no more than that. */
static void fill_active(struct rk_log_writer *writer)
{
    uint64_t location, sequence;
    char value[3001];
    enum rk_err err = RK_OK;

    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (unsigned i = 0; err == RK_OK && i < 2 * FILE_BYTES / sizeof value; i++) {
        err = test_log_stage(writer, "filler", value, &location, &sequence);
        ck_assert_int_eq(rk_log_writer_flush(writer), RK_OK);
    }
    ck_assert_int_eq(err, RK_ERR_NO_SPACE);
    ck_assert_uint_eq(rk_log_writer_file_number(writer), 1);
}

/* Given up: neither a put nor a roll-over nor a look takes the room that is a merge's, deletes go on; until the merge is
 * over and it is made again. */
START_TEST(puts_wait_until_it_is_made_again)
{
    struct test_log log;
    uint64_t location, sequence;
    int store_fd;

    open_writer(&log);
    store_fd = rk_log_store_dir_fd(log.store);
    test_log_put(log.writer, "a", "1");
    rk_log_writer_take_spare(log.writer);
    ck_assert_int_eq(spare_size(store_fd), WHOLE_BYTES);
    test_log_put(log.writer, "b", "2");
    rk_log_writer_open_spare(log.writer);
    ck_assert_int_eq(spare_size(store_fd), -1);
    cannot_allocate = true;
    fill_active(log.writer);
    ck_assert_int_eq(test_log_stage(log.writer, "a", NULL, &location, &sequence), RK_OK);
    ck_assert_int_eq(rk_log_writer_flush(log.writer), RK_OK);
    cannot_allocate = false; /* it could be made, but a merge has it */
    ck_assert(rk_log_writer_look_for_room(log.writer));
    ck_assert_int_eq(spare_size(store_fd), -1);
    rk_log_writer_close_spare(log.writer);
    cannot_allocate = true;
    ck_assert(rk_log_writer_look_for_room(log.writer));
    ck_assert_int_eq(spare_size(store_fd), -1);
    cannot_allocate = false;
    ck_assert(!rk_log_writer_look_for_room(log.writer));
    ck_assert_int_eq(spare_size(store_fd), WHOLE_BYTES);
    test_log_put(log.writer, "c", "3");
    test_log_close(&log);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("log_spare");
    TCase *tcase = tcase_create("spare");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, other_disks_need_none);
    tcase_add_test(tcase, it_is_made_given_up_and_made_again);
    tcase_add_test(tcase, one_that_is_too_short_is_made_anew);
    tcase_add_test(tcase, what_it_got_is_given_back_when_it_cannot_be_made);
    tcase_add_test(tcase, puts_wait_until_it_is_made_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
