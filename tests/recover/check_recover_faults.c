/* A script of puts and deletes with roll-overs, during which every n-th operation on files fails, for all n: what was
 * acknowledged is there after a recovery, what was refused is not, and a full disk is a state that ends. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "recover/recover.h"
#include "ring/ring_messages.h"
#include "stats/stats_store.h"
#include "test_dir.h"
#include "test_io.h"
#include "test_main.h"
#include "writer/writer_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_KEYS       5
#define N_OPS        40
#define KEYDIR_BYTES (4u << 20)
#define FILE_BYTES   1024
#define VALUE_BYTES  100

static char *dir;
static struct rk_log_store *store;
static struct rk_log_writer *log_writer;
static struct rk_keydir_writer *keydir;
static struct rk_writer_batch *batch;
static struct rk_stats_writer stats;
static struct rk_ring_completion last_answer;

/* What is known of a key: the number of the value that was acknowledged last (0: absent), and one whose outcome is
 * unknown (-1: none). */
struct known {
    int acknowledged;
    int unknown;
};

static struct known own_keys[N_KEYS];
static struct known *keys = own_keys; /* or shared with a child that may die */

static void on_answer(void *context, unsigned slot, const struct rk_ring_completion *completion)
{
    last_answer = *completion;
}

static void on_published(void *context, uint64_t sequence)
{
}

/* The linker puts these in the place of the allocator's, for our code (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t n, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t n, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);

static unsigned nth_allocation; /* fails; 0: none does */
static unsigned n_allocations;

static bool allocation_fails(void)
{
    return nth_allocation != 0 && ++n_allocations == nth_allocation;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t n, size_t size)
{
    return allocation_fails() ? NULL : __real_reallocarray(memory, n, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    return allocation_fails() ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}

static void setup(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* hundreds of stores: none has to wait for a disk */
}

static void open_store(void)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES, .reserve_bytes = 512 };
    struct rk_recovery recovery;
    struct rk_detail detail = { .text = "" };

    ck_assert_msg(rk_log_store_open(&store, dir, &detail) == RK_OK, "%s", detail.text);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, &detail), RK_OK);
    ck_assert_msg(rk_recover_store(store, keydir, NULL, &recovery, &detail) == RK_OK, "%s", detail.text);
    settings.next_sequence = recovery.next_sequence;
    ck_assert_msg(rk_log_writer_open(&log_writer, store, &settings, &detail) == RK_OK, "%s", detail.text);
    batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = log_writer,
        .keydir = keydir,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .sync_before_publish = true,
        .stats = &stats,
        .answer = on_answer,
        .published = on_published,
    });
}

static void close_store(void)
{
    rk_writer_batch_destroy(&batch);
    (void)rk_log_writer_close(&log_writer); /* some faults have broken it */
    rk_keydir_writer_destroy(&keydir);
    rk_log_store_close(&store);
}

static void make_value(char value[VALUE_BYTES + 1], int number)
{
    memset(value, '.', VALUE_BYTES);
    value[VALUE_BYTES] = '\0';
    snprintf(value, VALUE_BYTES, "%d", number);
}

/* One request and its answer; number 0 is a delete. */
static void do_op(unsigned key, int number)
{
    char name[8], value[VALUE_BYTES + 1];
    struct rk_record_parts parts = { .type = number != 0 ? RK_RECORD_PUT : RK_RECORD_TOMBSTONE,
                                     .key = name,
                                     .value = value,
                                     .value_len = number != 0 ? VALUE_BYTES : 0 };
    uint8_t message[512] = { 0 };
    uint64_t size;

    parts.key_len = (uint16_t)snprintf(name, sizeof name, "k%u", key);
    make_value(value, number);
    size = rk_record_build(message + sizeof(struct rk_ring_request), &parts);
    *(struct rk_ring_request *)message = (struct rk_ring_request){ .ticket = 1, .record_bytes = size };
    ck_assert_int_eq(rk_writer_batch_add(batch, 0, message, sizeof(struct rk_ring_request) + size, 1), RK_OK);
    rk_writer_batch_commit(batch);
    if (last_answer.err == RK_OK)
        keys[key].acknowledged = number;
    else if (last_answer.err != RK_ERR_NOT_FOUND && (last_answer.flags & RK_RING_NONE) == 0)
        keys[key].unknown = number;
}

static void do_script(void)
{
    for (unsigned i = 0; i < N_OPS; i++)
        do_op(i % N_KEYS, i % 7 == 6 ? 0 : (int)i + 1);
}

/* The number of the value that the keydir leads to, 0 when there is none. */
static int read_number(unsigned key)
{
    char name[RK_DISK_FILE_NAME_BYTES], key_text[8];
    int key_len = snprintf(key_text, sizeof key_text, "k%u", key);
    uint64_t word = rk_keydir_writer_lookup(
        keydir, rk_keydir_fingerprint(key_text, (size_t)key_len, rk_log_store_identity(store)->hash_key));
    struct rk_location location = rk_disk_location_decode(word);
    struct rk_record_view view;
    uint8_t bytes[512];
    int fd;

    if (word == 0)
        return 0;
    rk_disk_file_name(name, location.file_number);
    fd = openat(rk_log_store_dir_fd(store), name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, bytes, location.size_bytes, (off_t)location.offset_bytes), location.size_bytes);
    close(fd);
    ck_assert_int_eq(rk_record_decode(bytes, location.size_bytes, &rk_log_store_identity(store)->secret, &view), RK_OK);
    return atoi((const char *)view.value);
}

static void check_keys(unsigned nth)
{
    for (unsigned key = 0; key < N_KEYS; key++) {
        int number = read_number(key);

        ck_assert_msg(number == keys[key].acknowledged || number == keys[key].unknown,
                      "fault %u: key %u is %d; acknowledged %d, unknown %d", nth, key, number, keys[key].acknowledged,
                      keys[key].unknown);
    }
}

static void forget_keys(void)
{
    for (unsigned key = 0; key < N_KEYS; key++) {
        keys[key].acknowledged = 0;
        keys[key].unknown = -1;
    }
}

/* The script with one fault; whether the fault came. */
static bool run(const struct test_io_fault *fault, bool must_resume)
{
    bool came;

    forget_keys();
    dir = test_dir_create();
    open_store();
    test_io_install(fault);
    do_script();
    came = test_io_n_calls() >= fault->nth;
    test_io_remove();
    check_keys(fault->nth);
    if (must_resume) {
        (void)rk_log_writer_look_for_room(log_writer); /* as the writer thread does now and then; the put tells */
        do_op(0, 1000);
        ck_assert_int_eq(last_answer.err, RK_OK);
    }
    close_store();
    open_store(); /* recovers */
    check_keys(fault->nth);
    do_op(1, 1001);
    ck_assert_int_eq(last_answer.err, RK_OK);
    close_store();
    test_dir_remove(&dir);
    return came;
}

static const struct {
    unsigned calls;
    int errnum;
    bool forever;
    bool must_resume;
} faults[] = {
    { TEST_IO_PWRITEV | TEST_IO_FALLOCATE | TEST_IO_OPEN, ENOSPC, false, true },
    { TEST_IO_PWRITEV | TEST_IO_FALLOCATE | TEST_IO_OPEN, ENOSPC, true, true },
    { TEST_IO_PWRITEV, EIO, true, true },
    { TEST_IO_CHANGES | TEST_IO_OPEN, EIO, false, false },
    { TEST_IO_CHANGES, EIO, true, false },
    { TEST_IO_FDATASYNC | TEST_IO_FSYNC, EIO, false, false },
};

START_TEST(every_fault_leaves_what_was_acknowledged)
{
    struct test_io_fault fault = { .calls = faults[_i].calls,
                                   .errnum = faults[_i].errnum,
                                   .forever = faults[_i].forever };

    for (fault.nth = 1; run(&fault, faults[_i].must_resume); fault.nth++)
        ;
    ck_assert_uint_gt(fault.nth, N_OPS / 2);
}
END_TEST

/* In a child: a start, the script and an end, in which one allocation fails. Exits 0, or however it dies. */
static void run_short_of_memory(unsigned nth)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s.said", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, STDERR_FILENO);
    nth_allocation = nth;
    open_store();
    keys[N_KEYS].acknowledged = true; /* it has begun */
    do_script();
    close_store();
    nth_allocation = 0;
    _exit(n_allocations >= nth ? 0 : 42); /* 42: there are no so many */
}

/* What the dead process said. */
static void check_said(const char *text)
{
    char path[512], said[1024] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s.said", dir);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    ck_assert_msg(strstr(said, text) != NULL, "%s", said);
}

static void remove_store(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s.said", dir);
    unlink(path);
    test_dir_remove(&dir);
}

START_TEST(memory_that_runs_out_costs_nothing_that_was_acknowledged)
{
    int code = 0;

    keys = mmap(NULL, sizeof own_keys + sizeof own_keys[0], PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(keys, MAP_FAILED);
    for (unsigned nth = 1; code != 42; nth++) {
        pid_t pid;
        int status;

        forget_keys();
        keys[N_KEYS].acknowledged = false;
        dir = test_dir_create();
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            run_short_of_memory(nth);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status), "allocation %u: signal %d", nth, WTERMSIG(status));
        code = WEXITSTATUS(status);
        if (code == 1)
            check_said("out of memory");
        else if (code != 0 && code != 42 && keys[N_KEYS].acknowledged)
            check_said("check_error.c"); /* it was the test's own allocation; an open may also say no */
        open_store();
        check_keys(nth);
        close_store();
        remove_store();
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store_faults");
    TCase *tcase = tcase_create("faults");

    tcase_add_unchecked_fixture(tcase, setup, NULL);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_fault_leaves_what_was_acknowledged, 0, sizeof faults / sizeof faults[0]);
    tcase_add_test(tcase, memory_that_runs_out_costs_nothing_that_was_acknowledged);
    suite_add_tcase(suite, tcase);
    return suite;
}
