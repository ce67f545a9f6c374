/* The store's client, in the form in which http asks for it. */
#ifndef RK_WORKER_WORKER_BACKEND_H
#define RK_WORKER_WORKER_BACKEND_H

struct rk_http_backend;
struct rk_stats_writer;
struct rk_store_client;

/* What stands behind the table; it must outlive the server, and what it names too. */
struct rk_worker_backend {
    struct rk_store_client *client;
    const struct rk_stats_writer *writer; /* the writer's counters: whether writes are refused */
};

/* Fills in the table. */
void rk_worker_backend_init(struct rk_http_backend *table, struct rk_worker_backend *backend);

#endif
