/* Requests whose answers may have to wait, each on a thread of its own: so that none of them holds up the others, nor
 * those that are answered at once. The server's thread calls these functions; the job's thread only runs the answer.
 *
 *   init -> start, take, forget -> finish, take -> fini */
#ifndef RK_CONTROL_JOBS_H
#define RK_CONTROL_JOBS_H

#include "base/base_err.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct rk_control_client;
struct rk_control_jobs;
struct rk_detail;

/* Fewer than there are clients: some are always left that may be closed for a new one. */
#define RK_CONTROL_JOBS_MAX 8

struct rk_control_job {
    bool is_taken;
    bool is_running; /* its thread is to be joined */
    pthread_t thread;
    struct rk_control_jobs *jobs;
    struct rk_control_client *client; /* NULL: it is gone */
    json_t *request, *answer;
    _Atomic bool is_done; /* release by the job's thread: the answer is there */
};

struct rk_control_jobs {
    json_t *(*answer)(void *context, const json_t *request); /* any thread */
    void *context;
    int done_fd; /* an eventfd that is readable when a job is done */
    struct rk_control_job jobs[RK_CONTROL_JOBS_MAX];
};

/* RK_ERR_LIMIT without a descriptor for it. */
enum rk_err rk_control_jobs_init(struct rk_control_jobs *jobs, json_t *(*answer)(void *context, const json_t *request),
                                 void *context, struct rk_detail *detail);
void rk_control_jobs_fini(struct rk_control_jobs *jobs);

/* RK_OK: the request was taken over, and its answer comes; RK_ERR_AGAIN: all are busy; RK_ERR_LIMIT: no thread. */
enum rk_err rk_control_jobs_start(struct rk_control_jobs *jobs, struct rk_control_client *client, json_t *request,
                                  struct rk_detail *detail);

/* Whether a job was done; then its answer (a new reference, NULL without memory), and who asked (NULL: is gone). */
bool rk_control_jobs_take(struct rk_control_jobs *jobs, struct rk_control_client **client_out, json_t **answer_out);

/* The client is gone: nobody takes the answer. */
void rk_control_jobs_forget(struct rk_control_jobs *jobs, const struct rk_control_client *client);

/* Waits until all are done; their answers are there to be taken. */
void rk_control_jobs_finish(struct rk_control_jobs *jobs);

#endif
