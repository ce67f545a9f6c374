/* The rings of all workers as the source of the writer thread.
 *
 * A slot is closed, or open for one worker process:
 *
 *     main thread                                writer thread
 *     open: format rings, state = OPEN    ---->  takes requests
 *     the worker died (waitpid)
 *     close: state = CLOSING              ---->  lets go of the rings, state = CLOSED, writes the notice eventfd
 *     is_closed: yes, open again
 *
 * 1. Rings are formatted only while their slot is CLOSED, which only the writer says, and only between two rounds.
 * 2. A worker that breaks the format of its rings gets no answer any more, and is named by rk_writer_rings_is_broken.
 * 3. Each round takes what every ring has once, and begins with another slot than the one before, so that no worker
 *    starves. */
#ifndef RK_WRITER_WRITER_RINGS_H
#define RK_WRITER_WRITER_RINGS_H

#include "writer/writer_source.h"

struct rk_doorbell;
struct rk_ring;
struct rk_writer_rings;

/* notice_event_fd is written when the main thread should look at a slot: closed, broken. event_fd is the writer's own
 * bell. */
struct rk_writer_rings *rk_writer_rings_create(unsigned n_slots, int event_fd, int notice_event_fd);
void rk_writer_rings_destroy(struct rk_writer_rings **rings);

/* What the writer thread takes from. Valid until destroy. */
struct rk_writer_source rk_writer_rings_source(struct rk_writer_rings *rings);

/* What the rings of a slot are, and how its worker is woken. */
struct rk_writer_slot {
    struct rk_ring *requests;
    struct rk_ring *completions;
    uint64_t ring_bytes;
    struct rk_doorbell *doorbell;
    int event_fd;
};

/* Main thread; see the drawing. close with `nobody_takes`: the writer thread does not run, the slot is closed at once.
 */
void rk_writer_rings_open(struct rk_writer_rings *rings, unsigned slot, const struct rk_writer_slot *settings,
                          uint64_t incarnation);
void rk_writer_rings_close(struct rk_writer_rings *rings, unsigned slot, bool nobody_takes);
bool rk_writer_rings_is_closed(const struct rk_writer_rings *rings, unsigned slot);

/* Main thread: whether the worker of this slot broke its rings, and should be killed. */
bool rk_writer_rings_is_broken(const struct rk_writer_rings *rings, unsigned slot);

#endif
