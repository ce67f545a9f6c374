/* What the store takes and gives, for the face in front of it. */
#ifndef RK_STORE_TYPES_H
#define RK_STORE_TYPES_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value longer than a record that is read whole comes piece by piece, each piece checked by itself. */
#define RK_STORE_PIECE_BYTES 65536u

/* Where a call puts bytes that live as long as the request: allocate(arena, size) never returns NULL. */
struct rk_store_arena {
    void *(*allocate)(void *arena, size_t size);
    void *arena;
};

struct rk_store_source; /* an open large value; pins its data file */

struct rk_store_value {
    uint64_t sequence;
    uint64_t write_time_ms;
    uint64_t expiry_ms; /* 0: none */
    const uint8_t *metadata;
    size_t metadata_len;
    size_t value_len;
    const uint8_t *value;           /* in the arena; NULL when `source` is set */
    struct rk_store_source *source; /* NULL, or a large value: to be released */
};

struct rk_store_write {
    bool is_delete;
    const void *key;
    size_t key_len;
    const void *metadata;
    size_t metadata_len;
    const void *value;
    size_t value_len;
    uint64_t expiry_ms; /* 0: none */
};

/* What became of a write. */
struct rk_store_write_result {
    enum rk_err err;   /* RK_OK; RK_ERR_NOT_FOUND (delete of an absent key); RK_ERR_NO_SPACE, RK_ERR_FULL (keydir);
                          RK_ERR_READ_ONLY, RK_ERR_IO, RK_ERR_TIMEOUT: may have happened unless `none` */
    bool none;         /* it certainly did not happen */
    bool replaced;     /* RK_OK: the key existed before */
    uint64_t sequence; /* of the write; for RK_ERR_NOT_FOUND the last one published when it was decided */
};

/* Names an operation that is under way; a generation makes a late completion of an old one harmless. 0: none. */
typedef uint64_t rk_store_ticket;

/* Callbacks: on the event-loop thread, never from inside the call that started the operation. */
typedef void rk_store_get_done_fn(void *context, enum rk_err err, const struct rk_store_value *value);
typedef void rk_store_piece_done_fn(void *context, enum rk_err err);
typedef void rk_store_write_done_fn(void *context, const struct rk_store_write_result *result);

#endif
