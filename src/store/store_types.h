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
    uint64_t
        location; /* names this state of the key; 0: absent. Of RK_ERR_NOT_FOUND, too: one that has expired has one */
    uint64_t sequence;
    uint64_t write_time_ms;
    uint64_t expiry_ms; /* 0: none */
    const uint8_t *metadata;
    size_t metadata_len;
    size_t value_len;
    const uint8_t *value;           /* in the arena; NULL when `source` is set */
    struct rk_store_source *source; /* NULL, or a large value: to be released */
};

/* How durable a write is when it is answered, and before others see it. */
enum rk_store_durability {
    RK_STORE_AS_CONFIGURED, /* as the mode of the log says */
    RK_STORE_WRITTEN,       /* in the file; the sync comes later */
    RK_STORE_SYNCED,        /* it survives a power failure */
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
    enum rk_store_durability durability;
};

/* What became of a write. */
struct rk_store_write_result {
    enum rk_err err;   /* RK_OK; RK_ERR_NOT_FOUND (delete of an absent key); RK_ERR_NO_SPACE, RK_ERR_FULL (keydir);
                          RK_ERR_READ_ONLY, RK_ERR_IO, RK_ERR_TIMEOUT: may have happened unless `none`. Of an update
                          also RK_ERR_PRECONDITION: it was decided to stop; RK_ERR_AGAIN: others are always faster;
                          RK_ERR_CORRUPT, RK_ERR_LIMIT, RK_ERR_NO_MEMORY, RK_ERR_TOO_LARGE: all with `none` */
    bool none;         /* it certainly did not happen */
    bool replaced;     /* RK_OK: the key existed before, which one that has expired does not */
    bool synced;       /* RK_OK: it is durable */
    bool folded;       /* RK_OK: it has no record of its own: a later operation upon it has, `sequence` is that one's */
    uint64_t sequence; /* of the write; for RK_ERR_NOT_FOUND and RK_ERR_PRECONDITION the last one published when it was
                          decided */
};

/* Names an operation that is under way; a generation makes a late completion of an old one harmless. 0: none. */
typedef uint64_t rk_store_ticket;

/* Callbacks: on the event-loop thread, never from inside the call that started the operation. */
typedef void rk_store_get_done_fn(void *context, enum rk_err err, const struct rk_store_value *value);
typedef void rk_store_piece_done_fn(void *context, enum rk_err err);
typedef void rk_store_write_done_fn(void *context, const struct rk_store_write_result *result);

enum rk_store_decision { RK_STORE_DECIDED_WRITE, RK_STORE_DECIDED_STOP };

/* What is to become of a key, from what it is: `current` is NULL when it is absent, which one that has expired is.
 * Fills in *write_out, which is all zeros (the key need not be filled in), or stops. May be called several times, when
 * another has changed the key meanwhile: the last time counts. What write_out points to stays good until `done` or
 * cancel, and so does what `current` points to. On the event-loop thread, never after cancel or `done`; calls nothing
 * of the store. */
typedef enum rk_store_decision rk_store_decide_fn(void *context, const struct rk_store_value *current,
                                                  struct rk_store_write *write_out);

/* An operation that reads a key and then writes it, as one step among all that anybody does to the key. */
struct rk_store_update {
    const void *key;
    size_t key_len;
    bool wants_value; /* the whole value in current->value, however large; otherwise it may be NULL there. `source` is
                         NULL in either case */
    bool folds;       /* may be decided upon what another operation of this worker has decided and not written yet: then
                         current->sequence and location are 0, and both are one record */
    rk_store_decide_fn *decide;
};

#endif
