/* One client: a keep-alive connection, requests that it draws by lot, and what it saw. Keys are registers, with
 * conditions, expiry and deletes (linear_check.h); besides there are counters and lists, which only grow
 * (linear_count.h). Used by one thread. */
#ifndef RK_LINEAR_CLIENT_H
#define RK_LINEAR_CLIENT_H

#include "linear_check.h"
#include "linear_count.h"
#include "system_client.h"

#include <stdatomic.h>

#define LINEAR_N_COUNTERS 4u
#define LINEAR_N_LISTS    64u
#define LINEAR_N_THINGS   (LINEAR_N_COUNTERS + LINEAR_N_LISTS) /* counters first */

/* What all clients count together. */
struct linear_tally {
    _Atomic size_t n_answered;
    _Atomic size_t n_written;
    _Atomic size_t n_refused; /* answers that say that nothing happened */
};

/* What was done with a thing. */
struct linear_thing_op {
    struct linear_count_op op; /* of an append the position is known in the end */
    uint64_t word;             /* that was appended; of a read of a list, its last one */
    bool answered;
};

struct linear_client {
    struct linear_tally *tally;
    unsigned n_keys;
    unsigned n_cold_keys;
    uint16_t number;
    uint32_t random;
    uint64_t last_value;
    struct system_client connection;
    uint8_t *bytes;      /* the value that is sent */
    uint64_t *sequences; /* of each key, the last one that it was told */
    struct linear_op *ops;
    size_t n_ops;
    size_t n_ops_room;
    struct linear_thing_op *thing_ops;
    size_t n_thing_ops;
    size_t n_thing_ops_room;
    char wrong[LINEAR_WHY_BYTES]; /* the first answer that no server may give */
};

void linear_client_init(struct linear_client *client, unsigned number, uint32_t seed, unsigned n_keys,
                        unsigned n_cold_keys, struct linear_tally *tally);
void linear_client_fini(struct linear_client *client);

/* One request, drawn by lot. The connection is open. */
void linear_client_step(struct linear_client *client);

/* Reads a key. */
void linear_client_read(struct linear_client *client, uint32_t key);

/* Reads a thing as it is: a counter's number, a list's words (to free; *n_out of them, in order). False: no answer. */
bool linear_client_read_counter(struct linear_client *client, unsigned thing, uint64_t *number_out);
bool linear_client_read_list(struct linear_client *client, unsigned thing, uint64_t **words_out, size_t *n_out);

/* The clock of all histories. */
uint64_t linear_now_ns(void);

#endif
