/* What a script did to the disk: every operation that a power failure can undo, in order, and what had been promised to
 * the clients when it began. */
#ifndef RK_TEST_SIM_TRACE_H
#define RK_TEST_SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define SIM_NAME_BYTES 40

/* Counts of the writes of a history (sim_history.h), from its begin; and the time, since 1970. */
struct sim_promise {
    size_t n_submitted; /* handed to the store: no more than these can be found */
    size_t n_acked;     /* answered with success: survive the death of the process */
    size_t n_durable;   /* survive a power failure */
    uint64_t now_s;
    uint64_t latest_s; /* the clock may have been set back */
};

enum sim_op_kind {
    SIM_WRITE,
    SIM_TRUNCATE,
    SIM_ALLOCATE,
    SIM_PUNCH, /* zeros inside of the file, at once or whenever the disk likes */
    SIM_SYNC,  /* of a file's bytes and size, not of its name */
    SIM_CREATE,
    SIM_RENAME,
    SIM_UNLINK,
    SIM_SYNC_NAMES,
    SIM_MAKE_ROOT,
    SIM_SYNC_ROOT,
};

struct sim_op {
    enum sim_op_kind kind;
    uint32_t inode;
    uint64_t offset;
    uint64_t size;
    uint8_t *bytes; /* SIM_WRITE */
    char name[SIM_NAME_BYTES];
    char to[SIM_NAME_BYTES];    /* SIM_RENAME */
    struct sim_promise promise; /* when it began */
};

struct sim_trace {
    struct sim_op *ops;
    size_t n_ops;
    size_t max_ops;
    uint32_t n_inodes;
    struct sim_promise promise; /* now */
};

#endif
