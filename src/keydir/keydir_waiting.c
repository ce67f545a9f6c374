#include "keydir/keydir_waiting.h"

#include "base/base_mem.h"

#include <stdlib.h>

#define RING_NOTES (1u << 17) /* 4 million deletes a second at 30 grace periods a second; 3 MiB, touched when used */

void rk_keydir_waiting_init(struct rk_keydir_waiting *waiting)
{
    *waiting = (struct rk_keydir_waiting){ .ring = rk_mem_calloc(RING_NOTES, sizeof *waiting->ring) };
}

void rk_keydir_waiting_fini(struct rk_keydir_waiting *waiting)
{
    free(waiting->ring);
    waiting->ring = NULL;
}

bool rk_keydir_waiting_push(struct rk_keydir_waiting *waiting, struct rk_keydir_waiting_note note)
{
    if (waiting->end - waiting->first == RING_NOTES)
        return false;
    waiting->ring[waiting->end++ % RING_NOTES] = note;
    return true;
}

bool rk_keydir_waiting_pop(struct rk_keydir_waiting *waiting, uint64_t passed, struct rk_keydir_waiting_note *note_out)
{
    const struct rk_keydir_waiting_note *oldest = &waiting->ring[waiting->first % RING_NOTES];

    if (rk_keydir_waiting_is_empty(waiting) || oldest->ticket > passed)
        return false;
    *note_out = *oldest;
    waiting->first++;
    if (rk_keydir_waiting_is_empty(waiting))
        waiting->first = waiting->end = 0; /* a quiet keydir uses the same few lines again */
    return true;
}
