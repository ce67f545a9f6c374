/* The protocol between real processes: children read in a section of their own and are killed or stopped there. The
 * parent starts no thread before it forks, and is no reader. */
#include "base/base_time.h"
#include "test_grace.h"
#include "test_main.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rk_grace_region *region;
static struct rk_grace_writer *grace;

static void setup(void)
{
    grace = test_grace_create(&region);
}

static void teardown(void)
{
    test_grace_destroy(&grace, &region);
}

/* The child: says on `ready` that it is inside its section (or, if it is to read nothing, that its agent runs), and
 * leaves the section when a byte comes on `leave`. */
static void run_child(unsigned slot, bool reads, int ready, int leave)
{
    struct rk_grace_agent *agent = NULL;
    char byte = 1;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (rk_grace_agent_start(&agent, region, slot, NULL) != RK_OK)
        _exit(1);
    rk_grace_register_thread();
    if (reads)
        rk_grace_read_lock();
    if (write(ready, &byte, 1) != 1 || read(leave, &byte, 1) != 1)
        _exit(2);
    if (reads)
        rk_grace_read_unlock();
    if (read(leave, &byte, 1) != 1)
        _exit(3);
    rk_grace_unregister_thread();
    rk_grace_agent_stop(&agent);
    _exit(0);
}

struct child {
    pid_t pid;
    int leave;
};

static struct child start_child(unsigned slot, uint32_t incarnation, bool reads)
{
    struct child child;
    int ready[2], leave[2];
    char byte;

    ck_assert(pipe(ready) == 0 && pipe(leave) == 0);
    rk_grace_writer_slot_open(grace, slot, incarnation);
    child.pid = fork();
    ck_assert_int_ge(child.pid, 0);
    if (child.pid == 0) {
        (void)close(ready[0]);
        (void)close(leave[1]);
        run_child(slot, reads, ready[1], leave[0]);
    }
    (void)close(ready[1]);
    (void)close(leave[0]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    child.leave = leave[1];
    return child;
}

static void tell_child(struct child child)
{
    ck_assert_int_eq(write(child.leave, "", 1), 1);
}

/* Reaps the child, dead or about to be; its wait status. */
static int reap_child(struct child child)
{
    int status = -1;

    while (waitpid(child.pid, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    (void)close(child.leave);
    return status;
}

START_TEST(a_section_in_another_process_holds_the_period_back)
{
    struct child child = start_child(0, 1, true);

    ck_assert(!test_grace_passes(grace, 1, TEST_WATCH_NS));
    tell_child(child);
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
    tell_child(child);
    ck_assert_int_eq(reap_child(child), 0);
    rk_grace_writer_slot_clear(grace, 0);
}
END_TEST

START_TEST(a_process_killed_inside_a_section_is_waited_for_until_its_slot_is_cleared)
{
    struct child reader = start_child(0, 1, true);
    struct child other = start_child(1, 2, false);
    uint64_t ticket;

    ck_assert(!test_grace_passes(grace, 1, TEST_WATCH_NS));
    ck_assert_int_eq(kill(reader.pid, SIGKILL), 0);
    ck_assert_int_eq(WTERMSIG(reap_child(reader)), SIGKILL);
    ck_assert(!test_grace_passes(grace, 1, TEST_WATCH_NS));
    rk_grace_writer_slot_clear(grace, 0);
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));

    reader = start_child(0, 3, true);
    ticket = rk_grace_writer_ticket(grace);
    ck_assert(!test_grace_passes(grace, ticket, TEST_WATCH_NS));
    ck_assert_int_eq(kill(reader.pid, SIGKILL), 0);
    ck_assert_int_eq(kill(other.pid, SIGKILL), 0);
    (void)reap_child(reader);
    (void)reap_child(other);
    rk_grace_writer_slot_clear(grace, 0);
    rk_grace_writer_slot_clear(grace, 1);
    ck_assert(test_grace_passes(grace, ticket, TEST_DEADLINE_NS));
}
END_TEST

START_TEST(a_stopped_process_delays_the_period_and_is_named)
{
    struct child idle = start_child(0, 1, false);
    struct child stopped = start_child(2, 2, false);
    unsigned slot = 99;
    uint64_t ticket;
    int status;

    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
    ck_assert_int_eq(kill(stopped.pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(stopped.pid, &status, WUNTRACED), stopped.pid);
    ck_assert(WIFSTOPPED(status));
    ticket = rk_grace_writer_ticket(grace);
    ck_assert(!test_grace_passes(grace, ticket, TEST_WATCH_NS));
    while (rk_grace_writer_waiting_ns(grace, rk_time_monotonic_ns(), &slot) == 0 || slot == 0)
        ck_assert(!test_grace_passes(grace, ticket, 1));
    ck_assert_uint_eq(slot, 2);
    ck_assert_int_eq(kill(stopped.pid, SIGCONT), 0);
    ck_assert(test_grace_passes(grace, ticket, TEST_DEADLINE_NS));
    ck_assert_int_eq(kill(stopped.pid, SIGKILL), 0);
    ck_assert_int_eq(kill(idle.pid, SIGKILL), 0);
    (void)reap_child(stopped);
    (void)reap_child(idle);
}
END_TEST

START_TEST(a_process_started_while_a_period_runs_is_not_waited_for)
{
    struct child first = start_child(0, 1, true);
    struct child late;
    uint64_t ticket;

    ck_assert(!test_grace_passes(grace, 1, TEST_WATCH_NS));
    late = start_child(1, 2, true);
    tell_child(first);
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
    ticket = rk_grace_writer_ticket(grace);
    ck_assert(!test_grace_passes(grace, ticket, TEST_WATCH_NS));
    tell_child(late);
    ck_assert(test_grace_passes(grace, ticket, TEST_DEADLINE_NS));
    tell_child(first);
    tell_child(late);
    ck_assert_int_eq(reap_child(first), 0);
    ck_assert_int_eq(reap_child(late), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("grace_process");
    TCase *processes = tcase_create("processes");

    tcase_add_checked_fixture(processes, setup, teardown);
    tcase_set_timeout(processes, 60);
    tcase_add_test(processes, a_section_in_another_process_holds_the_period_back);
    tcase_add_test(processes, a_process_killed_inside_a_section_is_waited_for_until_its_slot_is_cleared);
    tcase_add_test(processes, a_stopped_process_delays_the_period_and_is_named);
    tcase_add_test(processes, a_process_started_while_a_period_runs_is_not_waited_for);
    suite_add_tcase(suite, processes);
    return suite;
}
