/* Reader threads: pread on behalf of an event loop that must not wait for a disk.
 *
 * The event loop submits a job with a pinned descriptor; a thread reads; the loop collects the job when its doorbell's
 * eventfd says so. A job owns its buffer, so whoever asked may be gone by then. */
#ifndef RK_STORE_READERS_H
#define RK_STORE_READERS_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_store_file;
struct rk_store_readers;

struct rk_store_read_job {
    struct rk_store_read_job *next;
    struct rk_store_file *file; /* pinned by whoever submits, unpinned by whoever collects */
    int fd;
    uint64_t offset;
    size_t size;
    uint64_t ticket; /* the submitter's */
    enum rk_err err; /* out: RK_OK, RK_ERR_IO, RK_ERR_CORRUPT when the file ends before */
    uint8_t bytes[];
};

/* Starts n_threads; event_fd is written when a job is done; it stays the caller's. */
enum rk_err rk_store_readers_create(struct rk_store_readers **readers_out, unsigned n_threads, int event_fd,
                                    struct rk_detail *detail);

/* Ends the threads after the jobs in hand; frees what was not collected. */
void rk_store_readers_destroy(struct rk_store_readers **readers);

/* A job with a buffer of size bytes, or NULL when there is no memory. Free with free() if it is not submitted. */
struct rk_store_read_job *rk_store_read_job_create(size_t size);

/* Event-loop thread. */
void rk_store_readers_submit(struct rk_store_readers *readers, struct rk_store_read_job *job);

/* Event-loop thread: the next job that is done, to be freed by the caller; NULL when there is none. */
struct rk_store_read_job *rk_store_readers_collect(struct rk_store_readers *readers);

#endif
