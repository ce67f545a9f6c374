/* What the halves of a batch share: writer_batch.c decides and stages, writer_batch_commit.c writes, publishes and
 * answers. */
#ifndef RK_WRITER_BATCH_PRIVATE_H
#define RK_WRITER_BATCH_PRIVATE_H

#include "keydir/keydir.h"
#include "writer/writer_batch.h"
#include "writer/writer_pending.h"
#include "writer/writer_request.h"

#define RK_WRITER_BATCH_OPS_MAX 2048u

struct batch_op {
    struct rk_fingerprint fingerprint;
    uint64_t ticket;
    uint64_t location; /* 0: not staged; it is answered with `err` as it is */
    uint64_t sequence;
    uint64_t replaced; /* the location before, once published; of RK_ERR_CHANGED: where the key is */
    enum rk_err err;
    bool none;
    bool is_delete;
    bool is_conditional;
    bool after_pending; /* what was done depends on an operation of the same batch */
    bool waits;         /* for the sync: so it wants it, or so does what it depends on */
    bool is_due;        /* what it replaced may have expired */
    uint16_t slot;
    uint32_t expiry_s;
};

struct rk_writer_batch {
    struct rk_writer_batch_settings settings;
    size_t n_ops;
    size_t n_staged;
    size_t n_waiting; /* of these, for the sync */
    uint64_t published_sequence;
    uint64_t published_ms; /* when it publishes; 0: nobody has asked yet */
    size_t n_new_keys;     /* at most so many of the staged puts add a key */
    uint64_t done_bytes;   /* of the message that is being added */
    struct batch_op ops[RK_WRITER_BATCH_OPS_MAX];
    struct rk_writer_pending *pending;
    struct rk_writer_copies copies;
};

#endif
