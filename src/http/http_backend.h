/* What http needs of the store, handed in as a table, so that tests fake it. The worker fills it in with store_client's
 * functions; nothing here knows libh2o, rings or files.
 *
 * All calls are made on the event-loop thread of a worker, and `done` callbacks come on it too, never from inside the
 * call that started the operation. */
#ifndef RK_HTTP_HTTP_BACKEND_H
#define RK_HTTP_HTTP_BACKEND_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value longer than this is not returned whole by get, but read piece by piece through its `source`. A multiple of
 * the log's block size, so each piece can be checked by itself. */
#define RK_HTTP_PIECE_BYTES 65536u

/* Where a call puts bytes that live as long as the request: allocate(arena, size) never returns NULL. */
struct rk_http_arena {
    void *(*allocate)(void *arena, size_t size);
    void *arena;
};

struct rk_http_source; /* an open large value; pins its data file */

struct rk_http_value {
    uint64_t sequence;
    uint64_t write_time_ms;
    uint64_t expiry_ms; /* 0: none */
    const uint8_t *metadata;
    size_t metadata_len;
    size_t value_len;
    const uint8_t *value;          /* in the arena; NULL when `source` is set */
    struct rk_http_source *source; /* NULL, or a value over RK_HTTP_PIECE_BYTES: to be released */
};

/* A read that had to wait for the disk ends here: err and value as get would have returned them. */
typedef void rk_http_get_done_fn(void *context, enum rk_err err, const struct rk_http_value *value);

/* A piece arrived: RK_OK, or RK_ERR_CORRUPT, RK_ERR_IO. */
typedef void rk_http_piece_done_fn(void *context, enum rk_err err);

/* What became of a write. */
struct rk_http_write_result {
    enum rk_err
        err;       /* RK_OK; RK_ERR_NOT_FOUND (delete of an absent key); RK_ERR_NO_SPACE, RK_ERR_FULL (keydir): did not
                      happen; RK_ERR_READ_ONLY, RK_ERR_IO, RK_ERR_TIMEOUT: may have happened unless `none` is set */
    bool none;     /* it certainly did not happen */
    bool replaced; /* RK_OK: the key existed before */
    uint64_t sequence; /* of the write; for RK_ERR_NOT_FOUND the last one published when it was decided */
};

typedef void rk_http_write_done_fn(void *context, const struct rk_http_write_result *result);

struct rk_http_write {
    bool is_delete;
    const void *key;
    size_t key_len;
    const void *metadata;
    size_t metadata_len;
    const void *value;
    size_t value_len;
    uint64_t expiry_ms; /* 0: none */
};

/* Names an operation that is under way; generations make a late completion of an old one harmless. 0: none. */
typedef uint64_t rk_http_ticket;

struct rk_http_backend {
    void *self;

    /* RK_OK with *value_out; RK_ERR_NOT_FOUND with value_out->sequence set; RK_ERR_CORRUPT, RK_ERR_IO; RK_ERR_FULL: too
     * many reads wait. RK_ERR_AGAIN: the disk must be asked: *ticket_out is set, and `done` comes later, unless the
     * ticket is cancelled. The key is copied. */
    enum rk_err (*get)(void *self, const void *key, size_t key_len, const struct rk_http_arena *arena,
                       struct rk_http_value *value_out, rk_http_get_done_fn *done, void *context,
                       rk_http_ticket *ticket_out);

    /* Reads and checks the bytes [offset, offset + size) of a large value; offset is a multiple of RK_HTTP_PIECE_BYTES,
     * size is that, or less for the last piece. Results as get: RK_OK, RK_ERR_CORRUPT, RK_ERR_IO at once, or
     * RK_ERR_AGAIN and `done` later. `bytes` stays until then, or until cancel returned. */
    enum rk_err (*read_piece)(void *self, struct rk_http_source *source, size_t offset, uint8_t *bytes, size_t size,
                              rk_http_piece_done_fn *done, void *context, rk_http_ticket *ticket_out);
    void (*release)(void *self, struct rk_http_source *source);

    /* RK_OK: submitted, *ticket_out is set and `done` comes later. RK_ERR_AGAIN: the ring is full (503, none);
     * RK_ERR_TOO_LARGE. Everything is copied. */
    enum rk_err (*write)(void *self, const struct rk_http_write *write, rk_http_write_done_fn *done, void *context,
                         rk_http_ticket *ticket_out);

    /* `done` of this ticket is not called any more; what it started may still happen. */
    void (*cancel)(void *self, rk_http_ticket ticket);

    /* /readyz: whether to answer 200; otherwise a short text says why not (JSON members, such as
     * "\"state\":\"draining\""). */
    bool (*ready)(void *self, const char **why_out);
};

#endif
