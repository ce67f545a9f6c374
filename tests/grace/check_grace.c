/* The protocol within one process: agents and readers are threads; a slot that no agent serves stands for a process
 * that does not answer. */
#include "base/base_detail.h"
#include "base/base_time.h"
#include "test_grace.h"
#include "test_main.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define DISTANCE_NS RK_GRACE_PERIOD_DISTANCE_NS

static struct rk_grace_region *region;
static struct rk_grace_writer *grace;
static struct rk_grace_agent *agents[TEST_N_SLOTS];

static void setup(void)
{
    grace = test_grace_create(&region);
}

static void teardown(void)
{
    for (unsigned slot = 0; slot < TEST_N_SLOTS; slot++)
        rk_grace_agent_stop(&agents[slot]);
    test_grace_destroy(&grace, &region);
}

static void start_process(unsigned slot, uint32_t incarnation)
{
    struct rk_detail detail = { "" };

    rk_grace_writer_slot_open(grace, slot, incarnation);
    ck_assert_msg(rk_grace_agent_start(&agents[slot], region, slot, &detail) == RK_OK, "%s", detail.text);
}

/* What the agent of the slot would store. */
static void say_passed(unsigned slot, uint32_t incarnation, uint64_t period)
{
    atomic_store(&region->slots[slot].passed, rk_grace_passed_word(incarnation, period));
}

START_TEST(region_is_whole_cache_lines)
{
    ck_assert_uint_eq(rk_grace_region_bytes(0), 128);
    ck_assert_uint_eq(rk_grace_region_bytes(5), 128 + 5 * 64);
}
END_TEST

START_TEST(agent_refuses_what_it_cannot_serve)
{
    _Alignas(64) struct rk_grace_region stranger = { .magic = 1 };
    struct rk_grace_agent *agent = NULL;
    struct rk_detail detail = { "" };

    ck_assert_int_eq(rk_grace_agent_start(&agent, &stranger, 0, &detail), RK_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(detail.text, "magic"));
    stranger = (struct rk_grace_region){ .magic = RK_GRACE_REGION_MAGIC, .layout = RK_GRACE_REGION_LAYOUT + 1 };
    ck_assert_int_eq(rk_grace_agent_start(&agent, &stranger, 0, &detail), RK_ERR_MISMATCH);
    ck_assert_int_eq(rk_grace_agent_start(&agent, region, TEST_N_SLOTS, &detail), RK_ERR_INVALID);
    ck_assert_int_eq(rk_grace_agent_start(&agent, region, 0, NULL), RK_ERR_INVALID);
    ck_assert_ptr_null(agent);
    rk_grace_agent_stop(&agent);
}
END_TEST

START_TEST(periods_start_only_when_wanted_and_not_too_often)
{
    uint64_t now_ns = 5;

    ck_assert_uint_eq(rk_grace_writer_poll(grace, false, now_ns), 0);
    ck_assert_uint_eq(rk_grace_writer_ticket(grace), 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, now_ns), 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, now_ns + DISTANCE_NS - 1), 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, false, now_ns + DISTANCE_NS), 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, now_ns + DISTANCE_NS), 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, now_ns + 2 * DISTANCE_NS - 1), 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, now_ns + 1000 * DISTANCE_NS), 3);
}
END_TEST

START_TEST(a_ticket_waits_for_a_period_that_starts_after_it)
{
    rk_grace_writer_slot_open(grace, 0, 7);
    ck_assert_uint_eq(rk_grace_writer_ticket(grace), 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 0), 0);

    /* The period runs: it may have begun before what is unpublished now. */
    ck_assert_uint_eq(rk_grace_writer_ticket(grace), 2);
    say_passed(0, 7, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, false, 1), 1);
    ck_assert_uint_eq(rk_grace_writer_ticket(grace), 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS), 1);
    ck_assert_uint_eq(rk_grace_writer_ticket(grace), 3);
    say_passed(0, 7, 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS + 1), 2);
}
END_TEST

START_TEST(a_period_needs_every_open_slot)
{
    rk_grace_writer_slot_open(grace, 0, 1);
    rk_grace_writer_slot_open(grace, 2, 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 0), 0);
    say_passed(2, 2, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 0);
    say_passed(0, 1, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 2), 1);
}
END_TEST

START_TEST(only_the_owner_of_a_slot_and_the_period_that_runs_are_believed)
{
    rk_grace_writer_slot_open(grace, 0, 9);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 0), 0);
    say_passed(0, 8, 1); /* an earlier process */
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 0);
    say_passed(0, 9, 2); /* a period that did not start */
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 0);
    atomic_store(&region->slots[0].passed, UINT64_MAX);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 0);
    atomic_store(&region->slots[0].passed, 0);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 0);
    say_passed(0, 9, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 1);
}
END_TEST

START_TEST(clearing_a_slot_ends_the_waiting_for_it)
{
    rk_grace_writer_slot_open(grace, 1, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 0), 0);
    rk_grace_writer_slot_clear(grace, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 1);
    rk_grace_writer_slot_open(grace, 1, 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS), 1);
    rk_grace_writer_slot_clear(grace, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS), 2);
}
END_TEST

START_TEST(a_slot_opened_late_holds_back_the_next_period_only)
{
    rk_grace_writer_slot_open(grace, 0, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 0), 0);
    rk_grace_writer_slot_open(grace, 1, 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 1), 0);
    say_passed(0, 1, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, 2), 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS), 1);
    say_passed(0, 1, 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS), 1);
    say_passed(1, 2, 2);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, DISTANCE_NS), 2);
}
END_TEST

START_TEST(waiting_names_the_slot_that_holds_back)
{
    unsigned slot = 99;

    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 50, &slot), 0);
    rk_grace_writer_slot_open(grace, 0, 1);
    rk_grace_writer_slot_open(grace, 3, 2);
    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 50, &slot), 0);
    ck_assert_uint_eq(slot, 99);
    (void)rk_grace_writer_poll(grace, true, 100);
    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 150, &slot), 50);
    ck_assert_uint_eq(slot, 0);
    say_passed(0, 1, 1);
    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 1150, &slot), 1050);
    ck_assert_uint_eq(slot, 3);
    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 1150, NULL), 1050);

    /* All have passed, and only the next poll is missing: nobody is to blame. */
    slot = 99;
    say_passed(3, 2, 1);
    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 2000, &slot), 0);
    (void)rk_grace_writer_poll(grace, false, 2000);
    ck_assert_uint_eq(rk_grace_writer_waiting_ns(grace, 2001, &slot), 0);
    ck_assert_uint_eq(slot, 99);
}
END_TEST

START_TEST(figures_count_periods_and_their_duration)
{
    struct rk_grace_figures figures = rk_grace_writer_figures(grace);

    ck_assert_uint_eq(figures.n_periods, 0);
    rk_grace_writer_slot_open(grace, 0, 1);
    (void)rk_grace_writer_poll(grace, true, 1000);
    say_passed(0, 1, 1);
    (void)rk_grace_writer_poll(grace, true, 1700);
    (void)rk_grace_writer_poll(grace, true, 1000 + DISTANCE_NS);
    say_passed(0, 1, 2);
    (void)rk_grace_writer_poll(grace, true, 1300 + DISTANCE_NS);
    figures = rk_grace_writer_figures(grace);
    ck_assert_uint_eq(figures.n_periods, 2);
    ck_assert_uint_eq(figures.last_ns, 300);
    ck_assert_uint_eq(figures.longest_ns, 700);
}
END_TEST

START_TEST(agents_pass_period_after_period)
{
    struct test_reader reader;
    uint64_t ticket;

    for (unsigned slot = 0; slot < TEST_N_SLOTS; slot++)
        start_process(slot, slot + 1);
    for (unsigned n = 0; n < 10; n++)
        ck_assert(test_grace_passes(grace, rk_grace_writer_ticket(grace), TEST_DEADLINE_NS));
    ck_assert_uint_ge(rk_grace_writer_figures(grace).n_periods, 10);

    /* Agents may answer within the poll that starts a period, and then it takes no time; this one does. */
    test_reader_enter(&reader);
    ticket = rk_grace_writer_ticket(grace);
    ck_assert(!test_grace_passes(grace, ticket, TEST_WATCH_NS));
    test_reader_leave(&reader);
    ck_assert(test_grace_passes(grace, ticket, TEST_DEADLINE_NS));
    ck_assert_uint_gt(rk_grace_writer_figures(grace).longest_ns, 0);
}
END_TEST

START_TEST(an_agent_that_starts_late_passes_what_runs)
{
    rk_grace_writer_slot_open(grace, 0, 1);
    ck_assert_uint_eq(rk_grace_writer_poll(grace, true, rk_time_monotonic_ns()), 0);
    ck_assert_int_eq(rk_grace_agent_start(&agents[0], region, 0, NULL), RK_OK);
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
}
END_TEST

START_TEST(a_read_section_holds_the_period_back_until_it_ends)
{
    struct test_reader reader;
    unsigned slot = 99;

    start_process(1, 1);
    test_reader_enter(&reader);
    ck_assert(!test_grace_passes(grace, 1, TEST_WATCH_NS));
    ck_assert_uint_gt(rk_grace_writer_waiting_ns(grace, rk_time_monotonic_ns(), &slot), 0);
    ck_assert_uint_eq(slot, 1);
    test_reader_leave(&reader);
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
}
END_TEST

START_TEST(sections_nest)
{
    struct test_reader reader;

    start_process(0, 1);
    test_reader_enter(&reader);
    rk_grace_register_thread();
    rk_grace_read_lock();
    rk_grace_read_lock();
    rk_grace_read_unlock();
    test_reader_leave(&reader);
    ck_assert(!test_grace_passes(grace, 1, TEST_WATCH_NS));
    rk_grace_read_unlock();
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
    rk_grace_unregister_thread();
}
END_TEST

START_TEST(agents_stop_at_once_and_others_take_no_notice)
{
    uint64_t began_ns = rk_time_monotonic_ns();

    start_process(3, 1);
    for (uint32_t incarnation = 2; incarnation < 102; incarnation++) {
        start_process(0, incarnation);
        rk_grace_agent_stop(&agents[0]);
        ck_assert_ptr_null(agents[0]);
        rk_grace_writer_slot_clear(grace, 0);
    }
    /* One lost wake-up each would be 100 s. */
    ck_assert_uint_lt(rk_time_monotonic_ns() - began_ns, TEST_DEADLINE_NS);
    ck_assert(test_grace_passes(grace, 1, TEST_DEADLINE_NS));
}
END_TEST

/* How many threads of this process have the name. (The thread sanitizer has one of its own, which inherits it.) */
static unsigned count_threads(const char *name)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    unsigned n = 0;

    ck_assert_ptr_nonnull(tasks);
    while ((task = readdir(tasks)) != NULL) {
        char path[300], comm[32] = "";
        FILE *file;

        (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        n += fgets(comm, sizeof comm, file) != NULL && strncmp(comm, name, strlen(name)) == 0;
        ck_assert_int_eq(fclose(file), 0);
    }
    ck_assert_int_eq(closedir(tasks), 0);
    return n;
}

START_TEST(the_agent_says_its_name)
{
    uint64_t deadline_ns = rk_time_monotonic_ns() + TEST_DEADLINE_NS;
    unsigned n;

    start_process(0, 1);
    n = count_threads("rk-grace");
    ck_assert_uint_gt(n, 0);
    rk_grace_agent_stop(&agents[0]);
    while (count_threads("rk-grace") == n) /* who was joined stays in /proc for a moment more */
        ck_assert_msg(rk_time_monotonic_ns() < deadline_ns, "it is still there");
}
END_TEST

static void *synchronize_standin(void *context)
{
    _Atomic bool *returned = context;

    rk_grace_standin_synchronize();
    atomic_store(returned, true);
    return NULL;
}

/* The stand-in for liburcu, in every build: it waits for the sections that ran before it, and for no other. */
START_TEST(the_standin_waits_for_sections_that_ran_before)
{
    uint64_t deadline_ns = rk_time_monotonic_ns() + TEST_WATCH_NS;
    _Atomic bool returned = false;
    pthread_t thread;

    rk_grace_standin_synchronize();
    rk_grace_standin_register_thread();
    rk_grace_standin_synchronize();
    rk_grace_standin_read_lock();
    rk_grace_standin_read_lock();
    ck_assert_int_eq(pthread_create(&thread, NULL, synchronize_standin, &returned), 0);
    rk_grace_standin_read_unlock();
    while (rk_time_monotonic_ns() < deadline_ns)
        ck_assert(!atomic_load(&returned));
    rk_grace_standin_read_unlock();
    rk_grace_standin_read_lock(); /* a later section: not waited for, if the waiting began before it */
    rk_grace_standin_read_unlock();
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(atomic_load(&returned));
    rk_grace_standin_unregister_thread();
    rk_grace_standin_synchronize();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("grace");
    TCase *rules = tcase_create("rules");
    TCase *threads = tcase_create("threads");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_test(rules, region_is_whole_cache_lines);
    tcase_add_test(rules, agent_refuses_what_it_cannot_serve);
    tcase_add_test(rules, periods_start_only_when_wanted_and_not_too_often);
    tcase_add_test(rules, a_ticket_waits_for_a_period_that_starts_after_it);
    tcase_add_test(rules, a_period_needs_every_open_slot);
    tcase_add_test(rules, only_the_owner_of_a_slot_and_the_period_that_runs_are_believed);
    tcase_add_test(rules, clearing_a_slot_ends_the_waiting_for_it);
    tcase_add_test(rules, a_slot_opened_late_holds_back_the_next_period_only);
    tcase_add_test(rules, waiting_names_the_slot_that_holds_back);
    tcase_add_test(rules, figures_count_periods_and_their_duration);
    suite_add_tcase(suite, rules);

    tcase_add_checked_fixture(threads, setup, teardown);
    tcase_set_timeout(threads, 60);
    tcase_add_test(threads, agents_pass_period_after_period);
    tcase_add_test(threads, an_agent_that_starts_late_passes_what_runs);
    tcase_add_test(threads, a_read_section_holds_the_period_back_until_it_ends);
    tcase_add_test(threads, sections_nest);
    tcase_add_test(threads, agents_stop_at_once_and_others_take_no_notice);
    tcase_add_test(threads, the_agent_says_its_name);
    tcase_add_test(threads, the_standin_waits_for_sections_that_ran_before);
    suite_add_tcase(suite, threads);
    return suite;
}
