#include "writer/writer_rings.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "ring/ring.h"
#include "ring/ring_messages.h"
#include "shm/shm_doorbell.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum slot_state { SLOT_CLOSED, SLOT_OPEN, SLOT_CLOSING, SLOT_BROKEN };

struct slot {
    _Atomic uint32_t state; /* enum slot_state */
    bool answered;          /* in this round */
    struct rk_writer_slot settings;
    struct rk_ring_consumer requests;
    struct rk_ring_producer completions;
};

struct rk_writer_rings {
    int event_fd;
    int notice_event_fd;
    unsigned n_slots;
    unsigned first;  /* the slot with which this round began */
    unsigned n_done; /* slots of this round that have been emptied */
    struct slot slots[];
};

static enum slot_state state_of(const struct slot *slot)
{
    return (enum slot_state)atomic_load_explicit(&slot->state, memory_order_acquire);
}

static void set_state(struct slot *slot, enum slot_state state)
{
    atomic_store_explicit(&slot->state, state, memory_order_release);
}

static void mark_broken(struct rk_writer_rings *rings, struct slot *slot)
{
    uint32_t open = SLOT_OPEN;

    if (atomic_compare_exchange_strong(&slot->state, &open, SLOT_BROKEN))
        rk_doorbell_wake(rings->notice_event_fd);
}

static void reject(void *context, unsigned sender)
{
    struct rk_writer_rings *rings = context;

    mark_broken(rings, &rings->slots[sender]);
}

/* Whether the slot has a request, which is put into `input_out`. */
static bool next_of_slot(struct rk_writer_rings *rings, unsigned number, struct rk_writer_input *input_out)
{
    struct slot *slot = &rings->slots[number];
    uint8_t *message = NULL;
    uint64_t size = 0;
    enum rk_err err;

    if (state_of(slot) != SLOT_OPEN)
        return false;
    err = rk_ring_next(&slot->requests, &message, &size);
    *input_out = (struct rk_writer_input){ .sender = number, .message = message, .size = size };
    if (err == RK_OK)
        return true;
    if (err != RK_ERR_NOT_FOUND)
        mark_broken(rings, slot);
    rk_ring_release(&slot->requests); /* all of it was copied */
    return false;
}

static enum rk_err next(void *context, struct rk_writer_input *input_out)
{
    struct rk_writer_rings *rings = context;

    for (; rings->n_done < rings->n_slots; rings->n_done++)
        if (next_of_slot(rings, (rings->first + rings->n_done) % rings->n_slots, input_out))
            return RK_OK;
    rings->first = (rings->first + 1) % rings->n_slots;
    rings->n_done = 0;
    return RK_ERR_NOT_FOUND;
}

static void answer(void *context, unsigned sender, const struct rk_ring_completion *completion)
{
    struct rk_writer_rings *rings = context;
    struct slot *slot = &rings->slots[sender];
    void *message;

    if (state_of(slot) != SLOT_OPEN)
        return; /* died meanwhile: nobody waits for this */
    message = rk_ring_reserve(&slot->completions, sizeof *completion);
    if (message == NULL) {
        mark_broken(rings, slot); /* more requests under way than a worker of ours allows itself */
        return;
    }
    memcpy(message, completion, sizeof *completion);
    rk_ring_commit(&slot->completions);
    slot->answered = true;
}

static void show_answers_of(struct slot *slot)
{
    if (!slot->answered)
        return;
    slot->answered = false;
    (void)rk_ring_publish(&slot->completions);                                /* there is something: it was answered */
    (void)rk_doorbell_ring(slot->settings.doorbell, slot->settings.event_fd); /* or it is awake */
}

static void show_answers(void *context)
{
    struct rk_writer_rings *rings = context;

    for (unsigned i = 0; i < rings->n_slots; i++)
        if (state_of(&rings->slots[i]) == SLOT_OPEN)
            show_answers_of(&rings->slots[i]);
}

/* Nothing of the writer's points into a ring: now a slot can be let go. */
static void let_go(void *context)
{
    struct rk_writer_rings *rings = context;

    for (unsigned i = 0; i < rings->n_slots; i++) {
        if (state_of(&rings->slots[i]) != SLOT_CLOSING)
            continue;
        rings->slots[i].answered = false;
        set_state(&rings->slots[i], SLOT_CLOSED);
        rk_doorbell_wake(rings->notice_event_fd);
    }
}

static bool is_waiting(void *context)
{
    struct rk_writer_rings *rings = context;

    for (unsigned i = 0; i < rings->n_slots; i++) {
        enum slot_state state = state_of(&rings->slots[i]);

        if (state == SLOT_CLOSING || (state == SLOT_OPEN && rk_ring_waiting(&rings->slots[i].requests)))
            return true;
    }
    return false;
}

struct rk_writer_rings *rk_writer_rings_create(unsigned n_slots, int event_fd, int notice_event_fd)
{
    struct rk_writer_rings *rings = rk_mem_calloc(1, sizeof *rings + n_slots * sizeof rings->slots[0]);

    rings->n_slots = n_slots;
    rings->event_fd = event_fd;
    rings->notice_event_fd = notice_event_fd;
    return rings;
}

void rk_writer_rings_destroy(struct rk_writer_rings **rings)
{
    free(*rings);
    *rings = NULL;
}

struct rk_writer_source rk_writer_rings_source(struct rk_writer_rings *rings)
{
    return (struct rk_writer_source){ .next = next,
                                      .reject = reject,
                                      .answer = answer,
                                      .show_answers = show_answers,
                                      .between_rounds = let_go,
                                      .is_waiting = is_waiting,
                                      .context = rings };
}

void rk_writer_rings_open(struct rk_writer_rings *rings, unsigned number, const struct rk_writer_slot *settings,
                          uint64_t incarnation)
{
    struct slot *slot = &rings->slots[number];

    RK_ASSERT(state_of(slot) == SLOT_CLOSED);
    rk_ring_format(settings->requests, settings->ring_bytes, incarnation);
    rk_ring_format(settings->completions, RK_RING_COMPLETION_BYTES, incarnation);
    slot->settings = *settings;
    rk_ring_consumer_init(&slot->requests, settings->requests, settings->ring_bytes);
    rk_ring_producer_init(&slot->completions, settings->completions, RK_RING_COMPLETION_BYTES);
    rk_doorbell_disarm(settings->doorbell);
    set_state(slot, SLOT_OPEN);
}

void rk_writer_rings_close(struct rk_writer_rings *rings, unsigned slot, bool nobody_takes)
{
    set_state(&rings->slots[slot], nobody_takes ? SLOT_CLOSED : SLOT_CLOSING);
    if (!nobody_takes)
        rk_doorbell_wake(rings->event_fd);
}

bool rk_writer_rings_is_closed(const struct rk_writer_rings *rings, unsigned slot)
{
    return state_of(&rings->slots[slot]) == SLOT_CLOSED;
}

bool rk_writer_rings_is_broken(const struct rk_writer_rings *rings, unsigned slot)
{
    return state_of(&rings->slots[slot]) == SLOT_BROKEN;
}
