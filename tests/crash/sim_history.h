/* What was written, in the order of the log, and what must be there after the first n of the writes. */
#ifndef RK_TEST_SIM_HISTORY_H
#define RK_TEST_SIM_HISTORY_H

#include "recover/recover.h"
#include "sim_trace.h"

#include <stdbool.h>

#define SIM_KEYS       10
#define SIM_KEY_BYTES  16
#define SIM_WRITES_MAX 9216
#define SIM_VALUE_MAX  (200u << 10)
#define SIM_BEGIN_S    1700000000u /* since 1970: the clock of sim_fixed.h, and where those of scripts begin */

struct rk_keydir_writer;
struct rk_log_store;
struct rk_record_parts;

struct sim_write {
    unsigned key;
    bool is_delete;
    uint32_t value_len;
    uint64_t expiry_ms; /* 0: none */
    uint64_t sequence;  /* 0: not answered yet */
};

struct sim_history {
    struct sim_write writes[SIM_WRITES_MAX];
    size_t n_writes;
    bool is_merged; /* records may have gone: the state must be that after n_least to n_most writes */
    size_t n_least, n_most;
    uint64_t now_s;      /* of who opens the store: what expired by then is not there */
    uint64_t latest_s;   /* of who had it open: what expired by then may have been merged into "not there" */
    bool may_be_damaged; /* a record that recovery did not read may be damaged, as long as it says so when it is read */
};

/* A copy, of the writes that there are. */
void sim_history_copy(struct sim_history *to, const struct sim_history *from);

size_t sim_key_make(char key[SIM_KEY_BYTES], unsigned key_number);

/* What the write is built from; the pointers are into memory that the next call uses again. */
void sim_history_parts(const struct sim_history *history, size_t index, struct rk_record_parts *parts_out);

/* Opens the store at root and recovers it into a new keydir: the state is that after the first result->n_records
 * writes, to the byte, and nothing else; or the test fails, and says `where`. Where records were merged, the number of
 * writes comes in their place. */
void sim_history_recover(const struct sim_history *history, const char *root, const char *where,
                         struct rk_recovery *result_out);

/* The same, when damage may be found: an error is returned, and nothing is looked at. */
enum rk_err sim_history_try(const struct sim_history *history, const char *root, const char *where,
                            struct rk_recovery *result_out, struct rk_detail *detail);

#endif
