/* The writer thread of the master: takes what its source has, commits it in batches, answers, and keeps grace periods
 * going. The only thread that touches the active data file and changes the keydir.
 *
 *   create -> (recovery) -> start -> stop -> destroy
 *
 * It knows a source of requests (writer_source.h), not the rings that are the usual one. */
#ifndef RK_WRITER_H
#define RK_WRITER_H

#include "writer/writer_source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rk_detail;
struct rk_doorbell;
struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_writer;
struct rk_stats_writer;
struct rk_space;
struct rk_writer;

struct rk_writer_settings {
    struct rk_keydir_writer *keydir;
    struct rk_grace_writer *grace;
    struct rk_space *space; /* the thread's, while it runs */
    const uint8_t *hash_key;
    bool sync_before_publish;
    struct rk_doorbell *doorbell; /* on the board */
    int event_fd;                 /* the writer's own bell */
    int notice_event_fd;          /* written when writes begin or cease to be refused */
    _Atomic uint64_t *last_sequence;
    struct rk_stats_writer *stats;
    struct rk_writer_source source;
};

/* Main thread. Everything handed in stays the caller's, and stays until destroy. */
struct rk_writer *rk_writer_create(const struct rk_writer_settings *settings);
void rk_writer_destroy(struct rk_writer **writer);

/* Main thread, once there is a log to write to: after recovery. */
enum rk_err rk_writer_start(struct rk_writer *writer, struct rk_log_writer *log, struct rk_detail *detail);

/* Main thread: takes what the source still has, then ends the thread. Workers should be gone. */
void rk_writer_stop(struct rk_writer *writer);

/* Main thread: between start and stop. */
bool rk_writer_is_running(const struct rk_writer *writer);

/* Any thread of the master but the writer itself: has the writer thread call run(context) between two batches, and
 * waits for that. Short: all writes wait. RK_ERR_CLOSED: the thread does not run (any more), nothing was called. */
enum rk_err rk_writer_call(struct rk_writer *writer, void (*run)(void *context), void *context);

/* Any thread of the master but the writer: whether a grace ticket has passed, which was drawn in a call. The writer
 * sees to it that it will, if nobody reads for ever; ask again some milliseconds later. */
bool rk_writer_grace_has_passed(struct rk_writer *writer, uint64_t ticket);

#endif
