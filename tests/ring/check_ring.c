#include "ring/ring.h"
#include "test_main.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 4096u

static struct rk_ring *ring;
static struct rk_ring_producer producer;
static struct rk_ring_consumer consumer;

static void setup_ring(uint64_t size)
{
    free(ring);
    ck_assert_int_eq(posix_memalign((void **)&ring, 4096, rk_ring_bytes(size)), 0); /* exactly: ASan sees the end */
    memset(ring, 0, rk_ring_bytes(size));
    rk_ring_format(ring, size, 1);
    rk_ring_producer_init(&producer, ring, size);
    rk_ring_consumer_init(&consumer, ring, size);
}

static void setup(void)
{
    setup_ring(SIZE);
}

static void teardown(void)
{
    free(ring);
    ring = NULL;
}

static bool is_filled(const uint8_t *bytes, uint64_t size, unsigned fill)
{
    for (uint64_t i = 0; i < size; i++)
        if (bytes[i] != fill)
            return false;
    return true;
}

static bool send_bytes(unsigned fill, uint64_t size)
{
    void *message = rk_ring_reserve(&producer, size);

    if (message == NULL)
        return false;
    memset(message, (int)fill, size);
    rk_ring_commit(&producer);
    rk_ring_publish(&producer);
    return true;
}

static void expect_bytes(unsigned fill, uint64_t expected_size)
{
    uint8_t *message;
    uint64_t size;

    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_OK);
    ck_assert_uint_eq(size, expected_size);
    ck_assert_uint_eq((uintptr_t)message % RK_RING_ALIGN_BYTES, 0);
    ck_assert(is_filled(message, size, fill));
}

static void expect_nothing(void)
{
    uint8_t *message;
    uint64_t size;

    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_NOT_FOUND);
}

START_TEST(a_message_comes_out_as_it_went_in)
{
    expect_nothing();
    for (uint64_t size = 0; size <= rk_ring_message_max(SIZE); size++) {
        ck_assert(send_bytes((unsigned)size & 0xff, size));
        expect_bytes((unsigned)size & 0xff, size);
        expect_nothing();
        rk_ring_release(&consumer);
    }
}
END_TEST

START_TEST(nothing_is_seen_before_it_is_published)
{
    memset(rk_ring_reserve(&producer, 8), 7, 8);
    rk_ring_commit(&producer);
    expect_nothing();
    ck_assert(!rk_ring_waiting(&consumer));
    ck_assert(rk_ring_publish(&producer));
    ck_assert(!rk_ring_publish(&producer));
    ck_assert(rk_ring_waiting(&consumer));
    expect_bytes(7, 8);
}
END_TEST

/* Where a worker can die on the way of a message. */
enum point { POINT_RESERVED, POINT_HALF_WRITTEN, POINT_COMMITTED, POINT_PUBLISHED, N_POINTS };

static void send_until(enum point point)
{
    uint8_t *message;

    ck_assert(send_bytes(1, 40)); /* one that is whole, before it */
    message = rk_ring_reserve(&producer, 200);
    if (point >= POINT_HALF_WRITTEN)
        memset(message, 2, 100);
    if (point >= POINT_COMMITTED) {
        memset(message, 2, 200);
        rk_ring_commit(&producer);
    }
    if (point >= POINT_PUBLISHED)
        rk_ring_publish(&producer);
    (void)kill(getpid(), SIGKILL);
}

START_TEST(a_killed_producer_leaves_whole_messages_and_a_ring_that_serves_again)
{
    int status;
    pid_t pid;

    free(ring);
    ring = mmap(NULL, rk_ring_bytes(SIZE), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(ring, MAP_FAILED);
    rk_ring_format(ring, SIZE, 1);
    rk_ring_producer_init(&producer, ring, SIZE);
    rk_ring_consumer_init(&consumer, ring, SIZE);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        send_until((enum point)_i);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_bytes(1, 40);
    if (_i == POINT_PUBLISHED)
        expect_bytes(2, 200);
    expect_nothing();
    rk_ring_format(ring, SIZE, 2); /* for who comes in its place */
    rk_ring_producer_init(&producer, ring, SIZE);
    rk_ring_consumer_init(&consumer, ring, SIZE);
    for (unsigned i = 0; i < 2 * SIZE / 100; i++) {
        ck_assert(send_bytes(i & 0xff, 100));
        expect_bytes(i & 0xff, 100);
        rk_ring_release(&consumer);
    }
    ck_assert_int_eq(munmap(ring, rk_ring_bytes(SIZE)), 0);
    ring = NULL;
}
END_TEST

START_TEST(a_full_ring_takes_nothing_and_loses_nothing)
{
    unsigned n_sent = 0;

    while (send_bytes(n_sent, 100))
        n_sent++;
    ck_assert_uint_eq(n_sent, SIZE / 128);
    for (unsigned i = 0; i < n_sent; i++)
        expect_bytes(i, 100);
    ck_assert(!send_bytes(0, 100)); /* read, but not released: still in use */
    rk_ring_release(&consumer);
    ck_assert(send_bytes(42, 100));
    expect_bytes(42, 100);
}
END_TEST

START_TEST(too_long_a_message_is_refused)
{
    ck_assert_ptr_null(rk_ring_reserve(&producer, rk_ring_message_max(SIZE) + 1));
    ck_assert_ptr_null(rk_ring_reserve(&producer, UINT64_MAX - 8));
    ck_assert(send_bytes(1, 1));
}
END_TEST

START_TEST(an_empty_ring_begins_at_its_front_again)
{
    setup_ring(1 << 20);
    for (unsigned i = 0; i < 100000; i++) {
        ck_assert(send_bytes(i & 0xff, 200));
        expect_bytes(i & 0xff, 200);
        rk_ring_release(&consumer);
    }
    /* 21.6 MB went through; nothing beyond the first message's place was ever touched. */
    ck_assert(is_filled((uint8_t *)ring + RK_RING_DATA_OFFSET + 256, (1 << 20) - 256, 0));
    ck_assert(send_bytes(9, rk_ring_message_max(1 << 20)));
    expect_bytes(9, rk_ring_message_max(1 << 20));
}
END_TEST

/* As many messages as fit are under way, of all sizes up to the longest: what comes out is what went in, round and
 * round, whether the size is a power of two or not. */
START_TEST(a_ring_may_have_any_size)
{
    static const uint64_t sizes[] = { 4096, 4112, 4128, 5008, 12272, 65520, 1048592 };
    const uint64_t size = sizes[_i];
    const uint64_t max = rk_ring_message_max(size);
    uint64_t n_sent = 0, n_taken = 0, random_sent = 1, random_taken = 1;

    setup_ring(size);
    ck_assert_uint_le(2 * (max + RK_RING_HEADER_BYTES), size);
    ck_assert_uint_eq(max % RK_RING_ALIGN_BYTES, 0); /* else it takes more than its half */
    while (n_taken < 20000) {
        random_sent = random_sent * 6364136223846793005u + 1442695040888963407u;
        while (send_bytes(n_sent & 0xff, (random_sent >> 33) % (max + 1))) {
            n_sent++;
            random_sent = random_sent * 6364136223846793005u + 1442695040888963407u;
        }
        random_sent = (random_sent - 1442695040888963407u) * 13877824140714322085u; /* the step back: it did not fit */
        ck_assert_uint_gt(n_sent, n_taken);
        for (uint64_t n = (n_sent - n_taken + 1) / 2; n > 0; n--) {
            random_taken = random_taken * 6364136223846793005u + 1442695040888963407u;
            expect_bytes(n_taken++ & 0xff, (random_taken >> 33) % (max + 1));
        }
        rk_ring_release(&consumer);
    }
}
END_TEST

START_TEST(the_longest_message_always_gets_through)
{
    static const uint64_t sizes[] = { 4096, 4112, 4128, 5008, 12272, 1048592 };
    const uint64_t max = rk_ring_message_max(sizes[_i]);

    setup_ring(sizes[_i]);
    for (uint64_t before = 0; before + RK_RING_HEADER_BYTES <= max; before += 16) {
        ck_assert(send_bytes(1, before)); /* wherever the one before it ends */
        expect_bytes(1, before);
        ck_assert(send_bytes(2, 16));
        rk_ring_release(&consumer);
        expect_bytes(2, 16);
        rk_ring_release(&consumer);
        ck_assert(send_bytes(3, max));
        expect_bytes(3, max);
        rk_ring_release(&consumer);
        before += sizes[_i] / 512 * 16;
    }
}
END_TEST

/* Whatever a producer writes, the consumer says CORRUPT and reads nothing out of bounds (ASan looks). */
START_TEST(a_hostile_producer_is_found_out)
{
    static const uint64_t tails[] = { 8, SIZE + 16, UINT64_MAX, UINT64_MAX - 15, (uint64_t)1 << 63 };
    uint64_t header[2] = { SIZE, 1 };
    uint8_t *message;
    uint64_t size;

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        atomic_store(&ring->tail, tails[i]);
        ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
    }
    atomic_store(&ring->tail, 64);
    memcpy((uint8_t *)ring + RK_RING_DATA_OFFSET, header, sizeof header); /* longer than what was published */
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
    header[0] = UINT64_MAX - 7;
    memcpy((uint8_t *)ring + RK_RING_DATA_OFFSET, header, sizeof header);
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
    header[0] = 16, header[1] = 3; /* no such kind */
    memcpy((uint8_t *)ring + RK_RING_DATA_OFFSET, header, sizeof header);
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
}
END_TEST

/* Back behind what was taken and not yet given back: less than the ring's size from what was given back, so that this
 * bound alone would take it. */
START_TEST(a_tail_that_goes_back_is_found_out)
{
    const uint64_t header[2] = { 16, 1 };
    uint8_t *message;
    uint64_t size;

    for (uint8_t i = 1; i <= 3; i++)
        ck_assert(send_bytes(i, 16));
    for (uint8_t i = 1; i <= 3; i++)
        expect_bytes(i, 16);
    memcpy((uint8_t *)ring + RK_RING_DATA_OFFSET + 96, header, sizeof header); /* what is there would pass */
    atomic_store(&ring->tail, 64);
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
    rk_ring_release(&consumer);
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
}
END_TEST

START_TEST(a_base_that_moves_under_messages_is_found_out)
{
    uint8_t *message;
    uint64_t size;

    ck_assert(send_bytes(1, 16));
    ck_assert(send_bytes(2, 16));
    expect_bytes(1, 16);
    expect_bytes(2, 16);
    atomic_store(&ring->base, 32);
    ck_assert(send_bytes(3, 16));
    ck_assert_int_eq(rk_ring_next(&consumer, &message, &size), RK_ERR_CORRUPT);
}
END_TEST

#define N_THREAD_MESSAGES 200000u

static uint64_t message_size(unsigned i)
{
    return 4 + (i * 2654435761u >> 16) % 700;
}

static void *produce(void *unused)
{
    for (unsigned i = 0; i < N_THREAD_MESSAGES;) {
        uint8_t *message = rk_ring_reserve(&producer, message_size(i));

        if (message == NULL) {
            rk_ring_publish(&producer);
            sched_yield();
            continue;
        }
        memset(message, (int)(i & 0xff), message_size(i));
        memcpy(message, &i, sizeof i);
        rk_ring_commit(&producer);
        if (++i % 7 == 0)
            rk_ring_publish(&producer);
    }
    rk_ring_publish(&producer);
    return NULL;
}

START_TEST(two_threads_lose_nothing)
{
    pthread_t thread;
    unsigned n = 0;

    setup_ring(16384);
    ck_assert_int_eq(pthread_create(&thread, NULL, produce, NULL), 0);
    while (n < N_THREAD_MESSAGES) {
        uint8_t *message;
        uint64_t size;
        unsigned number;

        if (rk_ring_next(&consumer, &message, &size) != RK_OK) {
            rk_ring_release(&consumer);
            sched_yield();
            continue;
        }
        memcpy(&number, message, sizeof number);
        ck_assert_uint_eq(number, n);
        ck_assert_uint_eq(size, message_size(n));
        if (size > sizeof number)
            ck_assert_uint_eq(message[size - 1], n & 0xff);
        if (++n % 5 == 0)
            rk_ring_release(&consumer);
    }
    pthread_join(thread, NULL);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("ring");
    TCase *tcase = tcase_create("ring");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_message_comes_out_as_it_went_in);
    tcase_add_test(tcase, nothing_is_seen_before_it_is_published);
    tcase_add_loop_test(tcase, a_killed_producer_leaves_whole_messages_and_a_ring_that_serves_again, 0, N_POINTS);
    tcase_add_test(tcase, a_full_ring_takes_nothing_and_loses_nothing);
    tcase_add_test(tcase, too_long_a_message_is_refused);
    tcase_add_test(tcase, an_empty_ring_begins_at_its_front_again);
    tcase_add_loop_test(tcase, a_ring_may_have_any_size, 0, 7);
    tcase_add_loop_test(tcase, the_longest_message_always_gets_through, 0, 6);
    tcase_add_test(tcase, a_hostile_producer_is_found_out);
    tcase_add_test(tcase, a_tail_that_goes_back_is_found_out);
    tcase_add_test(tcase, a_base_that_moves_under_messages_is_found_out);
    tcase_add_test(tcase, two_threads_lose_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
