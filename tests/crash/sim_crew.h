/* Rounds of a long test, shared out among processes: one for each processor.
 *
 * A round is a number, and what it does depends on nothing else; so a failure's number is all that it takes to see it
 * again. The first failure ends them all. */
#ifndef RK_TEST_SIM_CREW_H
#define RK_TEST_SIM_CREW_H

#include <stdint.h>

#define SIM_CREW_FIGURES 4

struct sim_crew_member {
    unsigned index, n_members;
    uint64_t round;                     /* the one it is at, for the words when it dies */
    uint64_t figures[SIM_CREW_FIGURES]; /* to be added up */
};

/* How many there are: RK_CRASH_PROCESSES, or the processors; one if libcheck does not fork (CK_FORK=no). */
unsigned sim_crew_size(void);

/* Calls run in each process, and adds up the figures of all. The test fails if one of them does. */
void sim_crew_run(void (*run)(void *context, struct sim_crew_member *member), void *context,
                  uint64_t figures_out[SIM_CREW_FIGURES]);

#endif
