#include "control/control_jobs.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_thread.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum rk_err rk_control_jobs_init(struct rk_control_jobs *jobs, json_t *(*answer)(void *context, const json_t *request),
                                 void *context, struct rk_detail *detail)
{
    *jobs = (struct rk_control_jobs){ .answer = answer, .context = context };
    jobs->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (jobs->done_fd >= 0)
        return RK_OK;
    rk_detail_set(detail, "making an eventfd: %s", strerror(errno));
    return RK_ERR_LIMIT;
}

void rk_control_jobs_fini(struct rk_control_jobs *jobs)
{
    for (size_t i = 0; i < RK_CONTROL_JOBS_MAX; i++)
        RK_ASSERT(!jobs->jobs[i].is_taken);
    if (jobs->done_fd >= 0)
        (void)close(jobs->done_fd);
    jobs->done_fd = -1;
}

static void *job_main(void *argument)
{
    struct rk_control_job *job = argument;

    job->answer = job->jobs->answer(job->jobs->context, job->request);
    /* Partner: the acquire load of rk_control_jobs_take. */
    atomic_store_explicit(&job->is_done, true, memory_order_release);
    (void)eventfd_write(job->jobs->done_fd, 1); /* the count of a few cannot be full */
    return NULL;
}

enum rk_err rk_control_jobs_start(struct rk_control_jobs *jobs, struct rk_control_client *client, json_t *request,
                                  struct rk_detail *detail)
{
    struct rk_control_job *job = NULL;

    for (size_t i = 0; i < RK_CONTROL_JOBS_MAX && job == NULL; i++)
        if (!jobs->jobs[i].is_taken)
            job = &jobs->jobs[i];
    if (job == NULL)
        return RK_ERR_AGAIN;
    *job = (struct rk_control_job){ .jobs = jobs, .client = client, .request = request };
    if (rk_thread_start(&job->thread, "rk-control-job", job_main, job, detail) != RK_OK)
        return RK_ERR_LIMIT;
    job->is_taken = job->is_running = true;
    return RK_OK;
}

/* Waits for the end of its thread, once. */
static void join(struct rk_control_job *job)
{
    if (!job->is_running)
        return;
    pthread_join(job->thread, NULL);
    job->is_running = false;
}

bool rk_control_jobs_take(struct rk_control_jobs *jobs, struct rk_control_client **client_out, json_t **answer_out)
{
    eventfd_t n_done;

    (void)eventfd_read(jobs->done_fd, &n_done); /* all that are done are looked at, however many that says */
    for (size_t i = 0; i < RK_CONTROL_JOBS_MAX; i++) {
        struct rk_control_job *job = &jobs->jobs[i];

        /* Partner: the release store of job_main. */
        if (!job->is_taken || !atomic_load_explicit(&job->is_done, memory_order_acquire))
            continue;
        join(job);
        json_decref(job->request);
        *client_out = job->client;
        *answer_out = job->answer;
        job->is_taken = false;
        return true;
    }
    return false;
}

void rk_control_jobs_forget(struct rk_control_jobs *jobs, const struct rk_control_client *client)
{
    for (size_t i = 0; i < RK_CONTROL_JOBS_MAX; i++)
        if (jobs->jobs[i].client == client)
            jobs->jobs[i].client = NULL;
}

void rk_control_jobs_finish(struct rk_control_jobs *jobs)
{
    for (size_t i = 0; i < RK_CONTROL_JOBS_MAX; i++)
        join(&jobs->jobs[i]);
}
