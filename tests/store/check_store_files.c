/* The data files that a worker has open: no more than it may, the one that was used longest ago goes first, and what is
 * pinned stays. */
#include "base/base_io.h"
#include "disk/disk_file.h"
#include "store/store_files.h"
#include "test_dir.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define N_FILES  200u
#define MAX_OPEN 8u

static char *dir;
static int dir_fd;
static struct rk_io_ops ops;
static struct rk_store_files *files;
static unsigned n_opened, n_open;
static unsigned n_left; /* opens until there are no descriptors */

static int open_counted(int at, const char *name, int flags, mode_t mode)
{
    int fd;

    if (n_left == 0) {
        errno = EMFILE;
        return -1;
    }
    fd = rk_io_kernel_ops.open_at(at, name, flags, mode);
    n_opened += fd >= 0;
    n_open += fd >= 0;
    n_left -= fd >= 0;
    return fd;
}

static int close_counted(int fd)
{
    n_open--;
    n_left++;
    return rk_io_kernel_ops.close(fd);
}

static void setup(void)
{
    dir = test_dir_create();
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (uint32_t number = 1; number <= N_FILES; number++) {
        char name[RK_DISK_FILE_NAME_BYTES];

        rk_disk_file_name(name, number);
        ck_assert_int_eq(close(openat(dir_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    }
    ops = rk_io_kernel_ops;
    ops.open_at = open_counted;
    ops.close = close_counted;
    rk_io = &ops;
    n_opened = n_open = 0;
    n_left = 1000;
    files = rk_store_files_create(dir_fd, MAX_OPEN);
}

static void teardown(void)
{
    rk_store_files_destroy(&files);
    ck_assert_uint_eq(n_open, 0);
    rk_io = &rk_io_kernel_ops;
    close(dir_fd);
    test_dir_remove(&dir);
}

static struct rk_store_file *get(uint32_t number)
{
    struct rk_store_file *file;

    ck_assert_int_eq(rk_store_files_get(files, number, &file), RK_OK);
    ck_assert_uint_eq(file->number, number);
    ck_assert_int_ge(fcntl(file->fd, F_GETFD), 0);
    return file;
}

static bool is_open(uint32_t number)
{
    unsigned before = n_opened;

    (void)get(number);
    return n_opened == before;
}

START_TEST(more_files_than_may_be_open_are_read_in_turns)
{
    for (unsigned round = 0; round < 3; round++)
        for (uint32_t number = 1; number <= N_FILES; number++) {
            (void)get(number);
            ck_assert_uint_le(n_open, MAX_OPEN);
        }
    ck_assert_uint_eq(n_opened, 3 * N_FILES);
    ck_assert_uint_eq(n_open, MAX_OPEN);
}
END_TEST

START_TEST(the_one_used_longest_ago_goes_first)
{
    for (uint32_t number = 1; number <= MAX_OPEN; number++)
        (void)get(number);
    (void)get(1);
    (void)get(MAX_OPEN + 1); /* in the place of 2 */
    ck_assert(is_open(1));
    ck_assert(is_open(3));
    ck_assert(!is_open(2)); /* in the place of 4 */
    ck_assert(is_open(5));
    ck_assert(!is_open(4));
}
END_TEST

START_TEST(what_is_pinned_stays)
{
    struct rk_store_file *pinned[MAX_OPEN + 2];

    for (uint32_t i = 0; i < MAX_OPEN + 2; i++) {
        pinned[i] = get(i + 1);
        rk_store_file_pin(pinned[i]);
    }
    ck_assert_uint_eq(n_open, MAX_OPEN + 2);
    (void)get(100);
    (void)get(101); /* in the place of 100 */
    ck_assert(!is_open(100));
    for (uint32_t i = 0; i < MAX_OPEN + 2; i++) {
        ck_assert(is_open(i + 1));
        rk_store_file_unpin(pinned[i]);
    }
    (void)get(102); /* back to what may be open */
    ck_assert_uint_eq(n_open, MAX_OPEN);
    ck_assert(is_open(MAX_OPEN + 2));
    ck_assert(!is_open(1));
}
END_TEST

START_TEST(without_a_descriptor_left_one_of_ours_goes)
{
    struct rk_store_file *file;

    n_left = 3;
    for (uint32_t number = 1; number <= 20; number++)
        (void)get(number);
    ck_assert_uint_eq(n_open, 3);
    for (uint32_t number = 18; number <= 20; number++)
        rk_store_file_pin(get(number));
    ck_assert_int_eq(rk_store_files_get(files, 1, &file), RK_ERR_LIMIT);
    rk_store_file_unpin(get(19));
    (void)get(1);
}
END_TEST

START_TEST(what_is_unlinked_is_closed)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    for (uint32_t number = 1; number <= 4; number++)
        (void)get(number);
    rk_store_file_pin(get(2));
    for (uint32_t number = 1; number <= 2; number++) {
        rk_disk_file_name(name, number);
        ck_assert_int_eq(unlinkat(dir_fd, name, 0), 0);
    }
    ck_assert(!rk_store_files_close_gone(files));
    ck_assert_uint_eq(n_open, 3);
    rk_store_file_unpin(get(2));
    ck_assert(rk_store_files_close_gone(files));
    ck_assert_uint_eq(n_open, 2);
    for (uint32_t number = 3; number <= 40; number++)
        (void)get(number); /* the order of use is whole */
    ck_assert_uint_eq(n_open, MAX_OPEN);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store files");
    TCase *tcase = tcase_create("files");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, more_files_than_may_be_open_are_read_in_turns);
    tcase_add_test(tcase, the_one_used_longest_ago_goes_first);
    tcase_add_test(tcase, what_is_pinned_stays);
    tcase_add_test(tcase, without_a_descriptor_left_one_of_ours_goes);
    tcase_add_test(tcase, what_is_unlinked_is_closed);
    suite_add_tcase(suite, tcase);
    return suite;
}
