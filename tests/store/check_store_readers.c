/* Reader threads: none waits for the read of another one. */
#include "base/base_io.h"
#include "store/store_readers.h"
#include "test_dir.h"
#include "test_main.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEADLINE_MS 60000

static char *dir;
static int fd, bell;
static struct rk_io_ops ops;
static struct rk_store_readers *readers;

/* A disk on which the read at offset 0 lasts until it is let go. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_stuck, is_let_go;

static ssize_t read_slowly(int from, void *bytes, size_t size, off_t offset)
{
    pthread_mutex_lock(&lock);
    if (offset == 0) {
        is_stuck = true;
        pthread_cond_broadcast(&changed);
        while (!is_let_go)
            pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    return rk_io_kernel_ops.pread(from, bytes, size, offset);
}

static void setup(void)
{
    char *path;

    dir = test_dir_create();
    ck_assert_int_gt(asprintf(&path, "%s/file", dir), 0);
    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    free(path);
    ck_assert_int_eq(write(fd, "abcdefgh", 8), 8);
    bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    is_stuck = is_let_go = false;
    ops = rk_io_kernel_ops;
    ops.pread = read_slowly;
    rk_io = &ops;
    ck_assert_int_eq(rk_store_readers_create(&readers, 2, bell, NULL), RK_OK);
}

static void teardown(void)
{
    rk_store_readers_destroy(&readers);
    rk_io = &rk_io_kernel_ops;
    close(bell);
    close(fd);
    test_dir_remove(&dir);
}

static void submit(uint64_t offset, size_t size)
{
    struct rk_store_read_job *job = rk_store_read_job_create(size);

    ck_assert_ptr_nonnull(job);
    job->fd = fd;
    job->offset = offset;
    job->ticket = offset;
    rk_store_readers_submit(readers, job);
}

/* The next one that is done. */
static void expect(uint64_t ticket, enum rk_err err, const char *bytes)
{
    struct rk_store_read_job *job;

    while ((job = rk_store_readers_collect(readers)) == NULL) {
        struct pollfd rung = { .fd = bell, .events = POLLIN };
        uint64_t n;

        ck_assert_msg(poll(&rung, 1, DEADLINE_MS) == 1, "read %u was not done", (unsigned)ticket);
        ck_assert_int_eq(read(bell, &n, sizeof n), sizeof n);
    }
    ck_assert_uint_eq(job->ticket, ticket);
    ck_assert_int_eq(job->err, err);
    if (err == RK_OK)
        ck_assert_mem_eq(job->bytes, bytes, strlen(bytes));
    free(job);
}

static void let_go(void)
{
    pthread_mutex_lock(&lock);
    is_let_go = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void await_stuck(void)
{
    pthread_mutex_lock(&lock);
    while (!is_stuck)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* Both are in the queue before a thread has taken the second one; or, in the other turn, the first is already stuck. */
START_TEST(a_read_that_is_stuck_holds_up_no_other)
{
    submit(0, 2);
    if (_i == 1)
        await_stuck();
    submit(2, 2);
    submit(4, 2);
    expect(2, RK_OK, "cd");
    expect(4, RK_OK, "ef");
    ck_assert_ptr_null(rk_store_readers_collect(readers));
    let_go();
    expect(0, RK_OK, "ab");
}
END_TEST

START_TEST(a_read_says_how_it_went)
{
    submit(6, 2);
    expect(6, RK_OK, "gh");
    submit(7, 2); /* one byte behind the end */
    expect(7, RK_ERR_CORRUPT, "");
    close(fd);
    submit(4, 2);
    expect(4, RK_ERR_IO, "");
    fd = -1;
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store readers");
    TCase *tcase = tcase_create("readers");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_read_that_is_stuck_holds_up_no_other, 0, 2);
    tcase_add_test(tcase, a_read_says_how_it_went);
    suite_add_tcase(suite, tcase);
    return suite;
}
