#include "merge/merge_private.h"

#define TURN_BYTES  (128u << 10)
#define TURN_STEPS  8192u
#define PAUSE_STEPS 64u

enum rk_err rk_merge_turn(struct rk_merge *merge, uint64_t bytes, size_t steps)
{
    merge->turn_bytes += bytes;
    merge->turn_steps += steps;
    merge->pause_steps += steps;
    if (merge->pause_steps >= PAUSE_STEPS) {
        merge->pause_steps = 0;
        if (merge->settings->pause != NULL)
            merge->settings->pause(merge->settings->context);
    }
    if (merge->turn_bytes < TURN_BYTES && merge->turn_steps < TURN_STEPS)
        return RK_OK;
    merge->turn_bytes = 0;
    merge->turn_steps = 0;
    return merge->settings->turn(merge->settings->context, &merge->progress);
}
