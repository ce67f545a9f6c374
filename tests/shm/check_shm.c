#include "base/base_detail.h"
#include "shm/shm_doorbell.h"
#include "shm/shm_handover.h"
#include "shm/shm_region.h"
#include "test_main.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(a_region_is_attached_as_it_was_made)
{
    struct rk_shm_region made, attached;

    ck_assert_int_eq(rk_shm_region_create(&made, RK_SHM_BOARD, "test", 8192, 77, NULL), RK_OK);
    made.bytes[8191] = 42;
    ck_assert_int_eq(rk_shm_region_attach(&attached, made.fd, RK_SHM_BOARD, 77, NULL), RK_OK);
    ck_assert_uint_eq(attached.size_bytes, 8192);
    ck_assert_uint_eq(attached.bytes[8191], 42);
    attached.bytes[100] = 43;
    ck_assert_uint_eq(made.bytes[100], 43);
    rk_shm_region_close(&attached);
    rk_shm_region_close(&made);
    rk_shm_region_close(&made);
}
END_TEST

START_TEST(another_region_is_refused)
{
    struct rk_shm_region made, attached = { .fd = -1 };
    struct rk_detail detail;
    int pipes[2];

    ck_assert_int_eq(rk_shm_region_create(&made, RK_SHM_BOARD, "test", 8192, 77, NULL), RK_OK);
    ck_assert_int_eq(rk_shm_region_attach(&attached, made.fd, RK_SHM_RINGS, 77, &detail), RK_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(detail.text, "another version"));
    ck_assert_int_eq(rk_shm_region_attach(&attached, made.fd, RK_SHM_BOARD, 78, NULL), RK_ERR_MISMATCH);
    made.bytes[0] ^= 1;
    ck_assert_int_eq(rk_shm_region_attach(&attached, made.fd, RK_SHM_BOARD, 77, NULL), RK_ERR_MISMATCH);
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(rk_shm_region_attach(&attached, pipes[0], RK_SHM_BOARD, 77, NULL), RK_ERR_MISMATCH);
    ck_assert_int_eq(rk_shm_region_attach(&attached, -1, RK_SHM_BOARD, 77, NULL), RK_ERR_MISMATCH);
    ck_assert_ptr_null(attached.bytes);
    rk_shm_region_close(&made);
}
END_TEST

START_TEST(a_doorbell_is_heard_once_and_only_by_a_sleeper)
{
    struct rk_doorbell doorbell = { .asleep = 0 };
    int fd = eventfd(0, EFD_NONBLOCK);
    uint64_t count;

    ck_assert(!rk_doorbell_ring(&doorbell, fd));
    rk_doorbell_arm(&doorbell);
    ck_assert(rk_doorbell_ring(&doorbell, fd));
    ck_assert(!rk_doorbell_ring(&doorbell, fd));
    ck_assert_int_eq(read(fd, &count, sizeof count), sizeof count);
    ck_assert_uint_eq(count, 1);
    rk_doorbell_arm(&doorbell);
    rk_doorbell_disarm(&doorbell);
    ck_assert(!rk_doorbell_ring(&doorbell, fd));
    rk_doorbell_drain(fd);
    close(fd);
}
END_TEST

/* A ping-pong in which each side sleeps without a bound: one lost wake-up and the test hangs into its time limit. */
#define N_ROUNDS 20000u

struct side {
    struct rk_doorbell *own, *other;
    _Atomic uint64_t *in, *out;
    int own_fd, other_fd;
};

static void *play(void *argument)
{
    struct side *side = argument;

    for (uint64_t round = 1; round <= N_ROUNDS; round++) {
        atomic_store_explicit(side->out, round, memory_order_seq_cst);
        rk_doorbell_ring(side->other, side->other_fd);
        while (atomic_load_explicit(side->in, memory_order_seq_cst) < round) {
            struct pollfd bell = { .fd = side->own_fd, .events = POLLIN };

            rk_doorbell_arm(side->own);
            if (atomic_load_explicit(side->in, memory_order_seq_cst) < round && poll(&bell, 1, -1) > 0)
                rk_doorbell_drain(side->own_fd);
            rk_doorbell_disarm(side->own);
        }
    }
    return NULL;
}

START_TEST(no_wake_up_is_lost)
{
    static struct rk_doorbell bells[2];
    static _Atomic uint64_t words[2];
    int fds[2] = { eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK) };
    struct side sides[2] = { { &bells[0], &bells[1], &words[0], &words[1], fds[0], fds[1] },
                             { &bells[1], &bells[0], &words[1], &words[0], fds[1], fds[0] } };
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, play, &sides[1]), 0);
    play(&sides[0]);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(words[0], N_ROUNDS);
    ck_assert_uint_eq(words[1], N_ROUNDS);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* A message with a descriptor between two without. */
START_TEST(a_descriptor_goes_with_its_message)
{
    int channel[2], null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC), got;
    struct stat sent, received;
    char message;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
    ck_assert_int_eq(rk_handover_receive(channel[1], &message, &got), -1);
    ck_assert_int_eq(got, -1);
    ck_assert_int_eq(send(channel[0], "d", 1, 0), 1);
    ck_assert(rk_handover_send_fd(channel[0], RK_HANDOVER_LOG, null_fd));
    ck_assert_int_eq(send(channel[0], "s", 1, 0), 1);
    ck_assert_int_eq(rk_handover_receive(channel[1], &message, &got), 1);
    ck_assert_int_eq(message, 'd');
    ck_assert_int_eq(got, -1);
    ck_assert_int_eq(rk_handover_receive(channel[1], &message, &got), 1);
    ck_assert_int_eq(message, RK_HANDOVER_LOG);
    ck_assert_int_eq(fstat(null_fd, &sent), 0);
    ck_assert_int_eq(fstat(got, &received), 0);
    ck_assert_uint_eq(sent.st_ino, received.st_ino);
    ck_assert_int_eq(fcntl(got, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(rk_handover_receive(channel[1], &message, &got), 1);
    ck_assert_int_eq(message, 's');
    ck_assert_int_eq(got, -1);
    close(channel[0]);
    ck_assert_int_eq(rk_handover_receive(channel[1], &message, &got), 0);
    close(channel[1]);
    close(null_fd);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("shm");
    TCase *tcase = tcase_create("shm");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_region_is_attached_as_it_was_made);
    tcase_add_test(tcase, another_region_is_refused);
    tcase_add_test(tcase, a_doorbell_is_heard_once_and_only_by_a_sleeper);
    tcase_add_test(tcase, no_wake_up_is_lost);
    tcase_add_test(tcase, a_descriptor_goes_with_its_message);
    suite_add_tcase(suite, tcase);
    return suite;
}
