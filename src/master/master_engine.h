/* What the master owns besides processes: the store with its writer thread, the board and the rings in shared memory.
 * Opened in order, closed in reverse; half opened is fine to close. */
#ifndef RK_MASTER_ENGINE_H
#define RK_MASTER_ENGINE_H

#include "base/base_err.h"
#include "shm/shm_handover.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_conf;
struct rk_detail;
struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_log_syncer;
struct rk_log_writer;
struct rk_ring;
struct rk_stats_block;
struct rk_compactor;
struct rk_log_hinter;
struct rk_space;
struct rk_writer;
struct rk_writer_rings;

struct rk_master_engine {
    unsigned n_slots;
    uint64_t ring_bytes;
    struct rk_shm_region board_region;
    struct rk_board *board;
    struct rk_stats_block *stats;
    struct rk_shm_region *rings; /* one for each slot */
    int *worker_bells;           /* eventfds, one for each slot */
    int writer_bell;
    int notice_fd; /* eventfd: the writer thread wants the main thread's attention */
    struct rk_log_store *store;
    struct rk_grace_writer *grace;
    struct rk_keydir_writer *keydir;
    struct rk_space *space; /* recovery's, then the writer thread's */
    struct rk_log_writer *log;
    uint64_t file_size_bytes;     /* of data files, as the disk allows; with the log */
    struct rk_log_syncer *syncer; /* mode `interval` only */
    struct rk_log_hinter *hinter;
    struct rk_compactor *compactor;       /* from serve on */
    struct rk_writer_rings *writer_rings; /* what the writer takes from */
    struct rk_writer *writer;
};

/* Opens the data directory and takes its lock: from then on no process of another server on it lives, and so none has
 * its ports. RK_ERR_BUSY when one does. Main thread, as all of these. */
enum rk_err rk_master_engine_lock(struct rk_master_engine *engine, const struct rk_conf *conf, unsigned n_slots,
                                  struct rk_detail *detail);

/* Makes all that workers attach to. What they may use comes with recovery (master_recovery.h), which opens the log, and
 * then serve. */
enum rk_err rk_master_engine_open(struct rk_master_engine *engine, const struct rk_conf *conf, uint32_t n_listeners,
                                  struct rk_detail *detail);

/* After recovery: starts the writer thread, and says on the board that requests are served. */
enum rk_err rk_master_engine_serve(struct rk_master_engine *engine, const struct rk_conf *conf,
                                   struct rk_detail *detail);

/* Ends the writer thread, syncs and closes the log. RK_OK, or what could not be made durable. */
enum rk_err rk_master_engine_close(struct rk_master_engine *engine);

/* What a worker had open or buffered, as it counted it, is gone with it. Main thread. */
void rk_master_engine_slot_clear_gauges(struct rk_master_engine *engine, unsigned slot);

/* Main thread: gives a slot, and its rings, to a process that is about to start. `incarnation` is new and not 0. */
void rk_master_engine_slot_open(struct rk_master_engine *engine, unsigned slot, uint32_t incarnation);

/* Main thread: takes both back from a process that is gone (waitpid). The slot is free when slot_is_closed says so. */
void rk_master_engine_slot_close(struct rk_master_engine *engine, unsigned slot);
bool rk_master_engine_slot_is_closed(const struct rk_master_engine *engine, unsigned slot);

/* Main thread: whether the process of this slot broke its rings, and should be killed. */
bool rk_master_engine_slot_is_broken(const struct rk_master_engine *engine, unsigned slot);

#endif
