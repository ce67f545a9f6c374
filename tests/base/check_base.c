#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_detail.h"
#include "base/base_err.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "base/base_plural.h"
#include "base/base_pulse.h"
#include "base/base_sched.h"
#include "base/base_thread.h"
#include "test_dir.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

START_TEST(crc_of_the_standard_vectors)
{
    unsigned char bytes[32] = { 0 };

    /* RFC 3720 appendix B.4 and the usual check value. */
    ck_assert_uint_eq(rk_crc32c(0, "123456789", 9), 0xe3069283u);
    ck_assert_uint_eq(rk_crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, 32);
    ck_assert_uint_eq(rk_crc32c(0, bytes, 32), 0x62a8ab43u);
}
END_TEST

START_TEST(crc_of_pieces_is_the_crc_of_the_whole)
{
    const char *text = "the quick brown fox";
    size_t size = strlen(text);

    for (size_t cut = 0; cut <= size; cut++)
        ck_assert_uint_eq(rk_crc32c(rk_crc32c(0, text, cut), text + cut, size - cut), rk_crc32c(0, text, size));
}
END_TEST

/* Whatever is short or long, and wherever it begins: byte by byte comes to the same. */
START_TEST(crc_is_the_same_at_every_size)
{
    static unsigned char bytes[1200];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 256);
    for (size_t at = 0; at < 16; at++) {
        uint32_t crc = 0;

        for (size_t size = 0; at + size < sizeof bytes; size++) {
            ck_assert_uint_eq(rk_crc32c(0, bytes + at, size), crc);
            crc = rk_crc32c(crc, bytes + at + size, 1);
        }
    }
}
END_TEST

START_TEST(numbers_are_little_endian)
{
    unsigned char bytes[8];

    rk_bytes_store64(bytes, 0x0102030405060708ull);
    ck_assert_uint_eq(bytes[0], 8);
    ck_assert_uint_eq(bytes[7], 1);
    ck_assert_uint_eq(rk_bytes_load64(bytes), 0x0102030405060708ull);
    ck_assert_uint_eq(rk_bytes_load32(bytes), 0x05060708u);
    ck_assert_uint_eq(rk_bytes_load16(bytes + 1), 0x0607u);
}
END_TEST

START_TEST(detail_is_wrapped_from_the_outside)
{
    struct rk_detail detail;

    rk_detail_set(&detail, "file %d is missing", 12);
    rk_detail_wrap(&detail, "%s", "MANIFEST");
    ck_assert_str_eq(detail.text, "MANIFEST: file 12 is missing");
    rk_detail_set(NULL, "nobody asked");
    rk_detail_wrap(NULL, "nobody asked");
}
END_TEST

START_TEST(detail_too_long_is_cut)
{
    struct rk_detail detail;
    char long_text[2 * RK_DETAIL_BYTES];

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    rk_detail_set(&detail, "%s", long_text);
    ck_assert_uint_eq(strlen(detail.text), RK_DETAIL_BYTES - 1);
    rk_detail_wrap(&detail, "%s", "front");
    ck_assert_uint_eq(strlen(detail.text), RK_DETAIL_BYTES - 1);
    ck_assert_int_eq(strncmp(detail.text, "front: xxx", 10), 0);
}
END_TEST

START_TEST(one_thing_is_not_counted_as_many)
{
    ck_assert_str_eq(rk_plural(0), "s");
    ck_assert_str_eq(rk_plural(1), "");
    ck_assert_str_eq(rk_plural(2), "s");
    ck_assert_str_eq(rk_plural(UINT64_C(1) << 32 | 1), "s");
}
END_TEST

START_TEST(every_code_has_its_own_sentence)
{
    static const enum rk_err codes[] = {
#define LIST_CODE(name, value, text) name,
        RK_ERR_TABLE(LIST_CODE)
#undef LIST_CODE
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(rk_err_text(codes[i]), rk_err_text(codes[j]));
    ck_assert_int_eq(rk_err_from_errno(ENOSPC), RK_ERR_NO_SPACE);
    ck_assert_int_eq(rk_err_from_errno(0), RK_OK);
}
END_TEST

/* Writes at most three bytes a call: every caller must go on after a short write. */
static ssize_t short_pwritev(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    size_t size = iov->iov_len < 3 ? iov->iov_len : 3;

    return pwrite(fd, iov->iov_base, size, offset);
}

START_TEST(short_writes_are_continued)
{
    struct rk_io_ops ops = rk_io_kernel_ops;
    char *path = test_dir_create();
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY);
    struct iovec iov[3] = { { "abcde", 5 }, { "", 0 }, { "fghijklm", 8 } };
    char back[32] = { 0 };
    int fd = rk_io->open_at(dir_fd, "file", O_CREAT | O_RDWR, 0600);

    ck_assert_int_ge(fd, 0);
    ops.pwritev = short_pwritev;
    rk_io = &ops;
    ck_assert_int_eq(rk_io_pwritev_full(fd, iov, 3, 2), 0);
    ck_assert_int_eq(rk_io_pwrite_full(fd, "xy", 2, 0), 0);
    rk_io = &rk_io_kernel_ops;
    ck_assert_int_eq(rk_io_pread_full(fd, back, sizeof back, 0), 15);
    ck_assert_str_eq(back, "xyabcdefghijklm");
    close(fd);
    close(dir_fd);
    test_dir_remove(&path);
}
END_TEST

struct beats {
    struct rk_pulse pulse;
    _Atomic unsigned n;
    bool is_long;
};

static void beat(void *context)
{
    struct beats *beats = context;

    atomic_fetch_add(&beats->n, 1);
    while (beats->is_long && rk_pulse_goes_on(&beats->pulse))
        sched_yield();
}

/* The suite's time limit is the deadline. */
static void wait_for_beats(struct beats *beats, unsigned n)
{
    while (atomic_load(&beats->n) < n)
        sched_yield();
}

/* Each of these would be waited for, or fail in words that do not help. */
START_TEST(only_files_are_opened)
{
    static const struct {
        const char *name;
        int flags;
        const char *words;
    } cases[] = {
        { "fifo", O_RDONLY, "is a FIFO, not a file" },
        { "fifo", O_WRONLY, "is a FIFO, not a file" },
        { "fifo", O_RDWR | O_CREAT | O_TRUNC, "is a FIFO, not a file" },
        { "socket", O_RDONLY, "is a socket, not a file" },
        { "folder", O_RDONLY, "is a folder, not a file" },
        { "folder", O_RDWR, "is a folder, not a file" },
        { "device", O_RDONLY, "is a device, not a file" },
        { "dangling", O_RDONLY, "is a symbolic link, not a file" },
        { "dangling", O_RDWR | O_CREAT, "is a symbolic link, not a file" },
        { "link to the fifo", O_RDONLY, "is a FIFO, not a file" },
        { "link to the file", O_RDWR | O_CREAT, "is a symbolic link, not a file" },
    };
    char *dir = test_dir_create();
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd;

    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", dir);
    ck_assert_int_eq(bind(socket_fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(mkfifoat(dir_fd, "fifo", 0600), 0);
    ck_assert_int_eq(mkdirat(dir_fd, "folder", 0700), 0);
    ck_assert_int_eq(symlinkat("/dev/null", dir_fd, "device"), 0);
    ck_assert_int_eq(symlinkat("/nonexistent/file", dir_fd, "dangling"), 0);
    ck_assert_int_eq(symlinkat("fifo", dir_fd, "link to the fifo"), 0);
    ck_assert_int_eq(symlinkat("file", dir_fd, "link to the file"), 0);
    ck_assert_int_ge(fd = rk_open_file(dir_fd, "file", O_RDWR | O_CREAT | O_EXCL, 0600), 0);
    close(fd);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        errno = 0;
        ck_assert_msg(rk_open_file(dir_fd, cases[i].name, cases[i].flags, 0600) == -1, "case %zu", i);
        ck_assert_msg(strcmp(rk_open_text(errno), cases[i].words) == 0, "case %zu: %s", i, rk_open_text(errno));
        ck_assert_int_eq(rk_err_from_errno(errno), RK_ERR_MISMATCH);
    }
    ck_assert_int_ge(fd = rk_open_file(dir_fd, "link to the file", O_RDONLY, 0), 0);
    close(fd);
    ck_assert_int_eq(rk_open_file(dir_fd, "nothing", O_RDONLY, 0), -1);
    ck_assert_int_eq(errno, ENOENT);
    close(socket_fd);
    close(dir_fd);
    test_dir_remove(&dir);
}
END_TEST

START_TEST(a_pulse_beats_at_once_at_intervals_and_when_asked)
{
    struct beats beats = { .n = 0 };

    ck_assert_int_eq(rk_pulse_start(&beats.pulse, "pulse", beat, &beats, 1000000, NULL), RK_OK);
    wait_for_beats(&beats, 1);
    rk_pulse_request(&beats.pulse);
    wait_for_beats(&beats, 2);
    rk_pulse_set_interval(&beats.pulse, 1);
    wait_for_beats(&beats, 5);
    rk_pulse_stop(&beats.pulse);
}
END_TEST

START_TEST(a_long_beat_ends_when_it_is_told)
{
    struct beats beats = { .is_long = true };

    ck_assert_int_eq(rk_pulse_start(&beats.pulse, "pulse", beat, &beats, 1, NULL), RK_OK);
    wait_for_beats(&beats, 1);
    rk_pulse_stop(&beats.pulse);
    ck_assert_uint_eq(atomic_load(&beats.n), 1);
}
END_TEST

static void *take_own_name(void *name_out)
{
    (void)prctl(PR_GET_NAME, name_out);
    return NULL;
}

/* Nobody gives it the name afterwards, over /proc (base_thread.c says why). */
START_TEST(a_thread_is_born_with_its_name)
{
    char before[16], name[16], after[16];
    pthread_t thread;

    (void)prctl(PR_GET_NAME, before);
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert_int_eq(rk_thread_start(&thread, "rk-newborn", take_own_name, name, NULL), RK_OK);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_str_eq(name, "rk-newborn");
    }
    (void)prctl(PR_GET_NAME, after);
    ck_assert_str_eq(after, before);
}
END_TEST

static uint64_t slice_ns;

/* The kernel's; 0: it has none. The runtime is the fourth of the eight-byte words of its struct sched_attr. */
static uint64_t slice_of_this_thread(void)
{
    uint64_t attributes[6] = { 0 };

    ck_assert_int_eq(syscall(SYS_sched_getattr, 0, attributes, sizeof attributes, 0), 0);
    return attributes[3];
}

static void *take_policy(void *policy_out)
{
    int *policy = policy_out;

    rk_sched_serve();
    rk_sched_yield();
    slice_ns = slice_of_this_thread();
    policy[0] = sched_getscheduler(0);
    rk_sched_background();
    policy[1] = sched_getscheduler(0);
    rk_sched_serve();
    policy[2] = sched_getscheduler(0);
    return NULL;
}

/* Older kernels do not say how long the slices are, and then have none to be asked for. */
START_TEST(a_background_thread_stays_one)
{
    pthread_t thread;
    int policy[3];

    ck_assert_int_eq(rk_thread_start(&thread, "rk-sched", take_policy, policy, NULL), RK_OK);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(slice_ns == 0 || slice_ns == 100000);
    ck_assert_int_eq(slice_ns == 0, slice_of_this_thread() == 0);
    ck_assert_int_eq(policy[0], sched_getscheduler(0));
    ck_assert_int_eq(policy[1], SCHED_BATCH);
    ck_assert_int_eq(policy[2], SCHED_BATCH);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");

    tcase_add_test(tcase, a_background_thread_stays_one);
    tcase_add_test(tcase, crc_of_the_standard_vectors);
    tcase_add_test(tcase, crc_of_pieces_is_the_crc_of_the_whole);
    tcase_add_test(tcase, crc_is_the_same_at_every_size);
    tcase_add_test(tcase, numbers_are_little_endian);
    tcase_add_test(tcase, detail_is_wrapped_from_the_outside);
    tcase_add_test(tcase, detail_too_long_is_cut);
    tcase_add_test(tcase, one_thing_is_not_counted_as_many);
    tcase_add_test(tcase, every_code_has_its_own_sentence);
    tcase_add_test(tcase, short_writes_are_continued);
    tcase_add_test(tcase, only_files_are_opened);
    tcase_add_test(tcase, a_pulse_beats_at_once_at_intervals_and_when_asked);
    tcase_add_test(tcase, a_long_beat_ends_when_it_is_told);
    tcase_add_test(tcase, a_thread_is_born_with_its_name);
    suite_add_tcase(suite, tcase);
    return suite;
}
