/* A store with a writer thread over real rings, and clients of it as workers have them: all in one process, each client
 * driven by the test's thread or by one of its own. */
#ifndef CLIENTS_BED_H
#define CLIENTS_BED_H

#include "stats/stats_store.h"
#include "store/store_client.h"

#include <stdatomic.h>
#include <stdbool.h>

#define BED_CLIENTS  2u
#define BED_MOVED_BY 1000u /* file numbers of copies */

struct bed_settings {
    bool sync_before_publish;
    uint64_t ring_bytes; /* 0: 1 MiB */
    bool really_syncs;   /* waits for the disk as a server does */
};

/* What the bed can be told, and what it counts. */
struct bed_disk {
    _Atomic bool cold;        /* the page cache has nothing */
    _Atomic unsigned n_reads; /* of data files, by clients */
    _Atomic unsigned n_syncs; /* of data files */
    _Atomic bool hold_syncs;  /* a sync does not end while this is set */
    _Atomic unsigned n_held;  /* syncs that have begun */
    _Atomic bool fail_syncs;
};

extern struct bed_disk bed_disk;

void bed_setup(const struct bed_settings *settings);
void bed_teardown(void);

/* A client, as the thread that drives it uses it. */
struct rk_store_client *bed_client(unsigned number);
struct rk_stats_client *bed_client_stats(unsigned number);
struct rk_stats_writer *bed_writer_stats(void);

/* A turn of the client's loop: what was written is shown, what is done is called back; waits for it if there is
 * nothing. The calling thread is a registered reader. */
void bed_turn(unsigned number);

/* What a callback was told. */
struct bed_told {
    _Atomic unsigned n_calls;
    struct rk_store_write_result result;
};

void bed_on_done(void *context, const struct rk_store_write_result *result);

/* Turns the client's loop until it was called. */
void bed_wait(unsigned number, struct bed_told *told);

/* Writes, and waits for it; value NULL: deletes. */
struct rk_store_write_result bed_write(unsigned number, const char *key, const char *value, uint64_t expiry_ms);

/* The key as a GET finds it: its value, terminated; NULL when it is absent. */
const char *bed_get(unsigned number, const char *key, struct rk_store_value *value_out);

/* Memory that lasts until the teardown; any thread. */
extern const struct rk_store_arena bed_arena;

/* Does to a key what a merge does: its record is in another file, the same byte for byte, and the keydir says so. Any
 * thread but the writer. Whether the key was there. */
bool bed_move(const char *key);

#endif
