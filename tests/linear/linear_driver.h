/* Clients (linear_client.h) that use a server as hard as they are told to: each on a thread and a keep-alive connection
 * of its own, all on the same few keys, with values that are never written twice and tell who wrote them. */
#ifndef RK_LINEAR_DRIVER_H
#define RK_LINEAR_DRIVER_H

#include "linear_client.h"

struct linear_driver;

struct linear_driver_settings {
    unsigned n_clients;
    unsigned n_keys;
    unsigned n_cold_keys; /* more of them; one of sixteen operations is on one of these */
    size_t n_ops_max;     /* the clients stop by themselves after so many answers */
    unsigned think_us;    /* between an answer and the next request; 0: none */
    uint32_t seed;
};

/* Starts the clients; they use a server as soon as there is one (linear_driver_serve). */
struct linear_driver *linear_driver_start(const struct linear_driver_settings *settings);

/* The server's port on 127.0.0.1, from now on. */
void linear_driver_serve(struct linear_driver *driver, int port);

/* How many requests were answered. */
size_t linear_driver_n_answered(const struct linear_driver *driver);

/* Waits for so many answers more; whether they came, or the clients have stopped by themselves, before the deadline. */
bool linear_driver_wait(struct linear_driver *driver, size_t n_more, long timeout_ms);

/* How many puts and deletes were done, and how many were refused and said that nothing had happened. */
size_t linear_driver_n_written(const struct linear_driver *driver);
size_t linear_driver_n_refused(const struct linear_driver *driver);

/* Who was killed between two moments. */
enum linear_outage { LINEAR_WORKER_KILLED, LINEAR_MASTER_KILLED };

/* What was under way at `from_ns`, when a process was killed, and got no answer, had happened by `to_ns` or never will:
 * from then on somebody else served. When it was the master, that is so for all writes before whose outcome was
 * unknown. In the order of time. */
void linear_driver_note_outage(struct linear_driver *driver, enum linear_outage outage, uint64_t from_ns,
                               uint64_t to_ns);

/* Stops the clients, and reads every key once more. */
void linear_driver_stop(struct linear_driver *driver);

/* After stop: checks what was seen; false, and why, when a value was never written or the history is not linearizable.
 * Says how much there was. */
bool linear_driver_check(struct linear_driver *driver, const char *what, char why[LINEAR_WHY_BYTES]);

void linear_driver_destroy(struct linear_driver **driver);

#endif
