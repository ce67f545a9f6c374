/* The operations of a worker that are under way, and the client that has them: what the files of the client share.
 * Nobody else includes this.
 *
 * A ticket is generation << 32 | (index + 1): what comes back late, for an operation that has ended, finds nobody. */
#ifndef RK_STORE_OP_H
#define RK_STORE_OP_H

#include "disk/disk_location.h"
#include "disk/disk_secret.h"
#include "ring/ring.h"
#include "ring/ring_messages.h"
#include "stats/stats_store.h"
#include "store/store_client.h"
#include "store/store_files.h"
#include "store/store_readers.h"

/* OP_REPLACED: a write that is done, while what it replaced is looked at. */
enum op_kind { OP_FREE, OP_GET, OP_PIECE, OP_WRITE, OP_REPLACED, OP_UPDATE };

/* One operation under way. */
struct store_op {
    enum op_kind kind;
    uint32_t generation;
    uint32_t next_free;
    union {
        rk_store_get_done_fn *get;
        rk_store_piece_done_fn *piece;
        rk_store_write_done_fn *write;
    } done; /* NULL inside: cancelled */
    void *context;
    struct rk_store_arena arena;    /* get */
    struct rk_store_source *source; /* piece; get of a large value */
    uint8_t *bytes;                 /* get: the key; piece: where it goes */
    size_t size;
    size_t block; /* piece */
    uint64_t location;
    bool is_delete;                      /* write */
    uint64_t replaced_ms;                /* OP_REPLACED: when that was */
    struct rk_store_write_result result; /* OP_REPLACED */
    struct rk_store_update_op *update;   /* OP_UPDATE */
};

/* A large value: its record without the value. */
struct rk_store_source {
    struct rk_store_file *file;
    struct rk_location location;
    struct rk_record_header header;
    size_t head_bytes; /* up to where the value begins */
    uint8_t *head;     /* in the arena of the request */
};

struct rk_store_client {
    struct rk_store_client_settings settings;
    struct rk_record_secret secret;
    struct rk_ring_producer requests;
    struct rk_ring_consumer completions;
    struct rk_store_files *files;
    uint64_t files_edition;   /* when files that are gone were last closed */
    uint64_t look_at_gone_ns; /* some of them were pinned: not before */
    struct rk_store_readers *readers;
    struct store_op *ops; /* RK_RING_PENDING_MAX */
    uint32_t first_free;  /* index + 1; 0: none */
    uint32_t n_used;      /* of the operations, ever */
    size_t n_pending;
    size_t n_jobs; /* of these, with a reader thread */
    struct rk_store_updates *updates;
    size_t n_lanes; /* of these; without any, nothing of theirs is to be done */
};

/* Takes an operation: NULL when too many are under way. */
struct store_op *rk_store_op_start(struct rk_store_client *client, enum op_kind kind);
void rk_store_op_end(struct rk_store_client *client, struct store_op *op);
rk_store_ticket rk_store_op_ticket(const struct rk_store_client *client, const struct store_op *op);
struct store_op *rk_store_op_find(struct rk_store_client *client, rk_store_ticket ticket);

/* It calls nobody back any more. */
void rk_store_op_cancel(struct rk_store_client *client, rk_store_ticket ticket);

/* Hands size bytes at the location to a reader thread. RK_ERR_AGAIN, or RK_ERR_NO_MEMORY. */
enum rk_err rk_store_submit_read(struct rk_store_client *client, const struct store_op *op, struct rk_store_file *file,
                                 uint64_t offset, size_t size);

/* Reads what the page cache has: RK_OK only if it was all of it; RK_ERR_AGAIN says ask the disk; RK_ERR_IO. */
enum rk_err rk_store_read_cached(int fd, void *bytes, size_t size, uint64_t offset);

/* Counts a read that failed, and says what the caller is told: RK_ERR_CORRUPT, RK_ERR_LIMIT, RK_ERR_NO_MEMORY, or
 * RK_ERR_IO. */
enum rk_err rk_store_count_read_error(struct rk_store_client *client, enum rk_err err);

#endif
