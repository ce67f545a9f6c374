/* A store in memory behind the server under test, which runs in a child process: writes end in a later turn of the
 * loop, reads and pieces too when asked for, and whatever can go wrong can be made to. The test steers and watches it
 * through shared memory. */
#ifndef RK_TEST_FAKE_BACKEND_H
#define RK_TEST_FAKE_BACKEND_H

#include "http/http_server.h"

#include <stdatomic.h>
#include <sys/types.h>

struct fake_control {
    /* set by the test */
    _Atomic int write_error; /* enum rk_err of the next results */
    _Atomic bool write_none;
    _Atomic int submit_error; /* of write itself */
    _Atomic int get_error;    /* of get itself, or of its result when it is delayed */
    _Atomic bool delay_gets;
    _Atomic bool delay_pieces;
    _Atomic int piece_error; /* from the piece at this offset on */
    _Atomic uint64_t piece_error_at;
    _Atomic int list_error;  /* of list itself */
    _Atomic int slice_error; /* enum rk_err of the slices of listings, from this one of each on: */
    _Atomic unsigned slice_error_at;
    _Atomic unsigned slice_entries; /* at most, of a slice; 0: as many as fit */
    _Atomic bool hold;              /* nothing that was started ends */
    _Atomic bool bad_metadata;
    _Atomic bool not_ready;
    _Atomic bool fold;         /* updates are decided upon what is not written yet */
    _Atomic bool all_synced;   /* writes are durable when they are answered, whatever they ask for */
    _Atomic bool decide_twice; /* they are decided upon an absent key first */
    _Atomic int refuses;       /* enum rk_err of the puts that would be tried */
    _Atomic bool drain;
    _Atomic bool stop;

    /* counted by the backend */
    _Atomic uint64_t n_gets, n_puts, n_deletes, n_updates, n_pieces; /* started */
    _Atomic uint64_t n_cancelled;
    _Atomic bool last_folds;     /* of the last update */
    _Atomic int last_durability; /* enum rk_store_durability of the last write */
    _Atomic uint64_t n_sources, n_released;
    _Atomic uint64_t n_listings, n_slices, n_ended;
    _Atomic uint64_t n_awake;
    _Atomic uint64_t n_turns;
    _Atomic uint64_t n_connections, n_requests; /* what the server says, after each turn */
};

#define FAKE_SLOTS 2

struct fake_server {
    struct fake_control *control;
    struct rk_stats_block *block; /* of FAKE_SLOTS; the child is the first */
    struct rk_stats_http *stats;
    pid_t pid;
    int port;
    int wake_fd; /* an eventfd: the child looks at its orders when it is written */
};

/* Settings that suit most tests: small limits, long timeouts. */
struct rk_http_settings fake_settings(void);

/* Starts a child that serves on a port of 127.0.0.1, and on the listeners of the settings, which it takes. `before`
 * (may be NULL) runs in the child first. */
void fake_server_start(struct fake_server *server, const struct rk_http_settings *settings, void (*before)(void));

/* The child looks at its orders. */
void fake_server_wake(struct fake_server *server);

/* Ends the child, which destroys the server under test, and checks that it ended well. */
void fake_server_stop(struct fake_server *server);

/* Waits until the counter has at least the value; fails the test after a few seconds. */
void fake_wait_for(_Atomic uint64_t *counter, uint64_t value);

#endif
