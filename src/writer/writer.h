/* The writer thread of the master: drains the request rings of all workers, commits batches, answers, and keeps grace
 * periods going. The only thread that touches the active data file and changes the keydir.
 *
 * A slot is closed, or open for one worker process:
 *
 *     main thread                                writer thread
 *     open: format rings, state = OPEN    ---->  takes requests
 *     the worker died (waitpid)
 *     close: state = CLOSING              ---->  lets go of the rings, state = CLOSED, writes the notice eventfd
 *     is_closed: yes, open again
 *
 * 1. Rings are formatted only while their slot is CLOSED, which only the writer says, and only between two batches.
 * 2. A worker that breaks the format of its rings gets no answer any more, and is named by
 * rk_writer_slot_is_broken. */
#ifndef RK_WRITER_H
#define RK_WRITER_H

#include "base/base_err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rk_detail;
struct rk_doorbell;
struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_writer;
struct rk_ring;
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
    int notice_event_fd;          /* written when the main thread should look: closed, broken, refusing writes */
    _Atomic uint64_t *last_sequence;
    struct rk_stats_writer *stats;
    unsigned n_slots;
};

/* Main thread. Everything handed in stays the caller's, and stays until destroy. */
struct rk_writer *rk_writer_create(const struct rk_writer_settings *settings);
void rk_writer_destroy(struct rk_writer **writer);

/* Main thread, once there is a log to write to: after recovery. Slots may be opened and closed before. */
enum rk_err rk_writer_start(struct rk_writer *writer, struct rk_log_writer *log, struct rk_detail *detail);

/* Main thread: takes what the rings still hold, then ends the thread. Workers should be gone. */
void rk_writer_stop(struct rk_writer *writer);

/* Any thread of the master but the writer itself: has the writer thread call run(context) between two batches, and
 * waits for that. Short: all writes wait. RK_ERR_CLOSED: the thread does not run (any more), nothing was called. */
enum rk_err rk_writer_call(struct rk_writer *writer, void (*run)(void *context), void *context);

/* Any thread of the master but the writer: whether a grace ticket has passed, which was drawn in a call. The writer
 * sees to it that it will, if nobody reads for ever; ask again some milliseconds later. */
bool rk_writer_grace_has_passed(struct rk_writer *writer, uint64_t ticket);

/* What the rings of a slot are, and how its worker is woken. */
struct rk_writer_slot {
    struct rk_ring *requests;
    struct rk_ring *completions;
    uint64_t ring_bytes;
    struct rk_doorbell *doorbell;
    int event_fd;
};

/* Main thread; see the drawing. */
void rk_writer_slot_open(struct rk_writer *writer, unsigned slot, const struct rk_writer_slot *rings,
                         uint64_t incarnation);
void rk_writer_slot_close(struct rk_writer *writer, unsigned slot);
bool rk_writer_slot_is_closed(const struct rk_writer *writer, unsigned slot);

/* Main thread: whether the worker of this slot broke its rings, and should be killed. */
bool rk_writer_slot_is_broken(const struct rk_writer *writer, unsigned slot);

#endif
