/* How far a long command is, on standard error, where that is a terminal. */
#ifndef RK_CLIENT_PROGRESS_H
#define RK_CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_CLIENT_PROGRESS_CELLS 32

struct rk_client_progress {
    const char *verb;     /* "importing" */
    uint64_t total_bytes; /* 0: not known, and then there is no bar */
    uint64_t n_keys, bytes;
    uint64_t shown_at_ns; /* 0: not yet */
    bool is_hidden;       /* the terminal is for something else */
};

/* "[############----]" without its brackets; percent above 100 is 100. Pure. */
void rk_client_progress_bar(unsigned percent, char cells_out[RK_CLIENT_PROGRESS_CELLS + 1]);

/* A key more, and so many bytes; shown ten times a second at most. */
void rk_client_progress_add(struct rk_client_progress *progress, size_t size);

/* Takes the line away, so that what is said next begins one. */
void rk_client_progress_end(struct rk_client_progress *progress);

#endif
