#include "store/store_readers.h"

#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_thread.h"
#include "shm/shm_doorbell.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define N_THREADS_MAX 64u

struct job_queue {
    struct rk_store_read_job *first;
    struct rk_store_read_job **last;
};

struct rk_store_readers {
    pthread_mutex_t mutex; /* of this process alone: it dies with all who wait for it */
    pthread_cond_t work;
    struct job_queue waiting;
    struct job_queue done;
    bool stopping;
    int event_fd;
    unsigned n_threads;
    pthread_t threads[N_THREADS_MAX];
};

static void queue_init(struct job_queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_push(struct job_queue *queue, struct rk_store_read_job *job)
{
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
}

static struct rk_store_read_job *queue_pop(struct job_queue *queue)
{
    struct rk_store_read_job *job = queue->first;

    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    return job;
}

static void run_job(struct rk_store_read_job *job)
{
    ssize_t n = rk_io_pread_full(job->fd, job->bytes, job->size, (off_t)job->offset);

    if (n < 0)
        job->err = RK_ERR_IO;
    else if ((size_t)n < job->size)
        job->err = RK_ERR_CORRUPT; /* the keydir names bytes that the file does not have */
    else
        job->err = RK_OK;
}

static void *reader_main(void *argument)
{
    struct rk_store_readers *readers = argument;

    pthread_mutex_lock(&readers->mutex);
    for (;;) {
        struct rk_store_read_job *job = queue_pop(&readers->waiting);

        if (job == NULL) {
            if (readers->stopping)
                break;
            pthread_cond_wait(&readers->work, &readers->mutex);
            continue;
        }
        pthread_mutex_unlock(&readers->mutex);
        run_job(job);
        pthread_mutex_lock(&readers->mutex);
        queue_push(&readers->done, job);
        rk_doorbell_wake(readers->event_fd);
    }
    pthread_mutex_unlock(&readers->mutex);
    return NULL;
}

static enum rk_err start_threads(struct rk_store_readers *readers, unsigned n_threads, struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    while (readers->n_threads < n_threads && err == RK_OK) {
        err = rk_thread_start(&readers->threads[readers->n_threads], "rk-reader", reader_main, readers, detail);
        readers->n_threads += err == RK_OK;
    }
    return err;
}

enum rk_err rk_store_readers_create(struct rk_store_readers **readers_out, unsigned n_threads, int event_fd,
                                    struct rk_detail *detail)
{
    struct rk_store_readers *readers = rk_mem_calloc(1, sizeof *readers);
    enum rk_err err;

    pthread_mutex_init(&readers->mutex, NULL);
    pthread_cond_init(&readers->work, NULL);
    queue_init(&readers->waiting);
    queue_init(&readers->done);
    readers->event_fd = event_fd;
    err = start_threads(readers, n_threads < N_THREADS_MAX ? n_threads : N_THREADS_MAX, detail);
    if (err != RK_OK) {
        rk_store_readers_destroy(&readers);
        return err;
    }
    *readers_out = readers;
    return RK_OK;
}

static void free_queue(struct job_queue *queue)
{
    for (struct rk_store_read_job *job; (job = queue_pop(queue)) != NULL;)
        free(job);
}

void rk_store_readers_destroy(struct rk_store_readers **readers)
{
    struct rk_store_readers *self = *readers;

    if (self == NULL)
        return;
    pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    free_queue(&self->waiting);
    pthread_cond_broadcast(&self->work);
    pthread_mutex_unlock(&self->mutex);
    for (unsigned i = 0; i < self->n_threads; i++)
        pthread_join(self->threads[i], NULL);
    free_queue(&self->done);
    pthread_cond_destroy(&self->work);
    pthread_mutex_destroy(&self->mutex);
    free(self);
    *readers = NULL;
}

struct rk_store_read_job *rk_store_read_job_create(size_t size)
{
    struct rk_store_read_job *job = malloc(sizeof *job + size);

    if (job != NULL) {
        *job = (struct rk_store_read_job){ .fd = -1 };
        job->size = size;
    }
    return job;
}

void rk_store_readers_submit(struct rk_store_readers *readers, struct rk_store_read_job *job)
{
    pthread_mutex_lock(&readers->mutex);
    queue_push(&readers->waiting, job);
    pthread_cond_signal(&readers->work);
    pthread_mutex_unlock(&readers->mutex);
}

struct rk_store_read_job *rk_store_readers_collect(struct rk_store_readers *readers)
{
    struct rk_store_read_job *job;

    pthread_mutex_lock(&readers->mutex);
    job = queue_pop(&readers->done);
    pthread_mutex_unlock(&readers->mutex);
    return job;
}
