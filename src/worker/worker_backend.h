/* The store's client, in the form in which http asks for it. */
#ifndef RK_WORKER_WORKER_BACKEND_H
#define RK_WORKER_WORKER_BACKEND_H

struct rk_http_backend;
struct rk_store_client;

/* Fills in the table; the client must outlive its users. */
void rk_worker_backend_init(struct rk_http_backend *backend, struct rk_store_client *client);

#endif
