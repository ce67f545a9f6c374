/* What the tests of grace periods share: a region, its writer, and readers that stay in a section until they are told
 * to leave. */
#ifndef RK_TEST_GRACE_H
#define RK_TEST_GRACE_H

#include "grace/grace.h"
#include "grace/grace_region.h"
#include "grace/grace_writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

/* Whatever must happen happens within this time, on a busy machine and under a sanitizer too. */
#define TEST_DEADLINE_NS 20000000000ull

/* What must not happen is watched for this long. */
#define TEST_WATCH_NS 60000000ull

#define TEST_N_SLOTS 4

/* A laid-out region in memory that children share, and its writer. */
struct rk_grace_writer *test_grace_create(struct rk_grace_region **region_out);
void test_grace_destroy(struct rk_grace_writer **grace, struct rk_grace_region **region);

/* Polls until the ticket passed, or the time is over; whether it passed. */
bool test_grace_passes(struct rk_grace_writer *grace, uint64_t ticket, uint64_t within_ns);

/* A thread that is inside a read section from the return of enter to that of leave. */
struct test_reader {
    pthread_t thread;
    sem_t entered;
    sem_t leave;
};

void test_reader_enter(struct test_reader *reader);
void test_reader_leave(struct test_reader *reader);

#endif
