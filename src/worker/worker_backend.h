/* The store's client, in the form in which http asks for it. */
#ifndef RK_WORKER_BACKEND_H
#define RK_WORKER_BACKEND_H

#include <stdbool.h>

struct rk_board;
struct rk_http_backend;
struct rk_lister;
struct rk_stats_block;
struct rk_store_client;

/* What stands behind the table; it must outlive the server, and what it names too. */
struct rk_worker_backend {
    struct rk_store_client *client;
    struct rk_lister *lister;
    const struct rk_stats_block *stats; /* the writer's counters: whether writes are refused; the other workers' */
    unsigned slot;                      /* our own */
    const struct rk_board *board;       /* whether recovery is over */
    bool serving;                       /* it is */
    bool draining;                      /* the worker has stopped listening */
    char why[160];                      /* it is not ready, or does not take all */
};

/* Fills in the table. */
void rk_worker_backend_init(struct rk_http_backend *table, struct rk_worker_backend *backend);

#endif
