/* Threads that do one thing together, and are gone afterwards. */
#ifndef RK_RECOVER_CREW_H
#define RK_RECOVER_CREW_H

struct rk_recover_crew_work {
    /* On each thread, with its number: takes what is to be done piece by piece, until nothing is left. */
    void (*work)(void *context, unsigned number);
    void (*watch)(void *context); /* some times a second on the calling thread; NULL: nobody watches */
    void *context;
};

/* Runs the work on at most n_threads threads, and returns when all of them have ended. 0: on the calling thread, with
 * number 0; the same when no thread can be had. */
void rk_recover_crew_run(const struct rk_recover_crew_work *work, unsigned n_threads);

/* As many as the process may use processors. */
unsigned rk_recover_crew_size(void);

#endif
