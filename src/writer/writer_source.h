/* Where the writer thread takes its input from, and where it answers. The rings of the workers are one source
 * (writer_rings.h); a list in memory is another, for tests; a replicated log could be a third.
 *
 *   the writer thread, in a round:   next* -> commit -> show_answers      (commit calls answer, once for each request,
 *                                                                          and show_answers before it waits for a disk)
 *   between two rounds:              between_rounds, is_waiting
 *
 * 1. An input stays as it is from next until the next call of next: the writer copies it.
 * 2. Requests of one sender are answered in the order in which they came, but for those that are answered before a sync
 *    that others wait for.
 * 3. Nothing here blocks. A source with a new input wakes the writer (settings.event_fd of writer.h).
 *
 * All calls are the writer thread's. */
#ifndef RK_WRITER_WRITER_SOURCE_H
#define RK_WRITER_WRITER_SOURCE_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_ring_completion;

/* One message (ring_messages.h) and who sent it. */
struct rk_writer_input {
    unsigned sender;
    const uint8_t *message;
    uint64_t size;
};

struct rk_writer_source {
    /* RK_OK; RK_ERR_NOT_FOUND when this round is at an end: a sender must not keep the others waiting for ever. */
    enum rk_err (*next)(void *context, struct rk_writer_input *input_out);
    /* The input that next returned last is nothing that a sender of ours would send: it was done up to where it ceases
     * to make sense. */
    void (*reject)(void *context, unsigned sender);
    void (*answer)(void *context, unsigned sender, const struct rk_ring_completion *completion);
    /* Answers were given. */
    void (*show_answers)(void *context);
    /* Nothing of the writer's refers to a sender now: those that are closing can be let go. */
    void (*between_rounds)(void *context);
    /* Whether there is something to do; asked after the writer's doorbell is armed. */
    bool (*is_waiting)(void *context);
    void *context;
};

#endif
