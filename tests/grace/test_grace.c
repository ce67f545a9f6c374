#include "test_grace.h"

#include "base/base_assert.h"
#include "base/base_time.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>

struct rk_grace_writer *test_grace_create(struct rk_grace_region **region_out)
{
    void *region =
        mmap(NULL, rk_grace_region_bytes(TEST_N_SLOTS), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    RK_ASSERT(region != MAP_FAILED);
    *region_out = region;
    return rk_grace_writer_create(region, TEST_N_SLOTS);
}

void test_grace_destroy(struct rk_grace_writer **grace, struct rk_grace_region **region)
{
    rk_grace_writer_destroy(grace);
    RK_ASSERT(munmap(*region, rk_grace_region_bytes(TEST_N_SLOTS)) == 0);
    *region = NULL;
}

bool test_grace_passes(struct rk_grace_writer *grace, uint64_t ticket, uint64_t within_ns)
{
    uint64_t deadline_ns = rk_time_monotonic_ns() + within_ns;

    while (rk_grace_writer_poll(grace, true, rk_time_monotonic_ns()) < ticket) {
        if (rk_time_monotonic_ns() > deadline_ns)
            return false;
        (void)sched_yield();
    }
    return true;
}

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        RK_ASSERT(errno == EINTR);
}

static void *read_until_told(void *context)
{
    struct test_reader *reader = context;

    rk_grace_register_thread();
    rk_grace_read_lock();
    RK_ASSERT(sem_post(&reader->entered) == 0);
    await(&reader->leave);
    rk_grace_read_unlock();
    rk_grace_unregister_thread();
    return NULL;
}

void test_reader_enter(struct test_reader *reader)
{
    RK_ASSERT(sem_init(&reader->entered, 0, 0) == 0 && sem_init(&reader->leave, 0, 0) == 0);
    RK_ASSERT(pthread_create(&reader->thread, NULL, read_until_told, reader) == 0);
    await(&reader->entered);
}

void test_reader_leave(struct test_reader *reader)
{
    RK_ASSERT(sem_post(&reader->leave) == 0);
    RK_ASSERT(pthread_join(reader->thread, NULL) == 0);
    RK_ASSERT(sem_destroy(&reader->entered) == 0 && sem_destroy(&reader->leave) == 0);
}
