/* A store that a benchmark fills: log, keydir and space table as the writer thread has them, on the calling thread. */
#ifndef RK_BENCH_MERGE_BED_H
#define RK_BENCH_MERGE_BED_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

#define BED_FILE_BYTES (512u << 20)

extern struct rk_log_store *store;
extern struct rk_log_writer *log_writer;
extern struct rk_keydir_writer *keydir;
extern struct rk_space *space;

struct bed_value {
    const uint8_t *bytes;
    uint32_t len;
};

/* Says what failed, and exits with 1. */
void bed_die(const char *what, const char *why);

/* An empty store at the path; close removes it. */
void bed_open(const char *path);
void bed_close(const char *path);

/* Key number so-and-so, of 16 bytes. expiry_ms: 0 for none. It is there once the file is sealed. */
void bed_put(const struct bed_value *value, uint64_t number, uint64_t expiry_ms);
void bed_seal(void);

/* Of all sealed files, as the server makes them in the background. */
void bed_make_hints(void);

/* Runs at once what the writer thread is to run. */
enum rk_err bed_call(void *context, void (*run)(void *argument), void *argument);

#endif
