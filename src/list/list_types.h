/* What a listing takes and gives, for the face in front of it: nothing here knows files or threads.
 *
 * A listing is made in slices. For each, `run` of its fill is called, on a thread of the lister: it takes entry after
 * entry from the reader and writes what is to be sent, until RK_LIST_SLICE_BYTES are there or the reader says
 * RK_ERR_AGAIN. Between two slices nobody works for it. */
#ifndef RK_LIST_TYPES_H
#define RK_LIST_TYPES_H

#include "base/base_err.h"
#include "list/list_buffer.h"

#include <stdbool.h>

#define RK_LIST_SLICE_BYTES (128u << 10)

struct rk_list_span {
    const uint8_t *at;
    size_t len;
};

/* Which keys: those that begin with the prefix, behind `after`. What several of them share, up to the first delimiter
 * behind the prefix, is one entry. All may be empty. */
struct rk_list_ask {
    struct rk_list_span prefix;
    struct rk_list_span after;
    struct rk_list_span delimiter;
    bool with_values;
};

/* One entry. Its bytes stay until the reader is asked for the next one. */
struct rk_list_item {
    bool is_prefix; /* `key` is what several share, the delimiter included; there is nothing else */
    struct rk_list_span key;
    uint64_t sequence;
    uint64_t expiry_ms; /* 0: none */
    uint32_t value_len;
    struct rk_list_span metadata; /* both with values only */
    struct rk_list_span value;    /* at NULL: it is large, and comes by piece() */
};

struct rk_list_reader {
    void *self;

    /* RK_OK; RK_ERR_NOT_FOUND: that was all; RK_ERR_AGAIN: the slice has taken its time; RK_ERR_CORRUPT, RK_ERR_IO,
     * RK_ERR_LIMIT, RK_ERR_CLOSED: it cannot go on. */
    enum rk_err (*next)(void *self, struct rk_list_item *item_out);

    /* The next bytes of the last entry's large value: RK_OK; RK_ERR_NOT_FOUND: that was all; RK_ERR_CORRUPT,
     * RK_ERR_IO. They stay until the next call. */
    enum rk_err (*piece)(void *self, struct rk_list_span *bytes_out);

    /* Where it is: all up to here, this included, was shown or is not there. Empty: it has not begun. */
    struct rk_list_span (*position)(void *self);
};

struct rk_list_fill {
    /* RK_OK: there is more; RK_ERR_NOT_FOUND: `out` has the end; else: it failed. */
    enum rk_err (*run)(void *state, const struct rk_list_reader *reader, struct rk_list_buffer *out);
    void (*destroy)(void *state);
    void *state;
};

struct rk_listing;

/* A slice is there, or err is RK_ERR_NOT_FOUND and it is the last one, or it failed. The bytes stay until the next
 * slice is asked for, or the listing ends. On the event-loop thread, never from inside the call that asked for it. */
typedef void rk_list_done_fn(void *context, enum rk_err err, struct rk_list_span bytes);

#endif
