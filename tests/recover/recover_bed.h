/* A store with a known history, for the tests of recovery: what was written in which order, and what must be there
 * after so many of the writes. */
#ifndef RK_TEST_RECOVER_BED_H
#define RK_TEST_RECOVER_BED_H

#include "recover/recover.h"

#include <stddef.h>
#include <stdint.h>

#define BED_KEYS       12
#define BED_OPS_MAX    4096
#define BED_FILE_BYTES 4096

/* The sanitizers make a recovery twenty times as slow: then the tests of every byte take every n-th. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BED_STRIDE 17
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BED_STRIDE 17
#endif
#endif
#ifndef BED_STRIDE
#define BED_STRIDE 1
#endif

struct rk_log_store;
struct rk_log_writer;

struct bed_op {
    unsigned key;
    unsigned value; /* 0: deleted */
    uint64_t location;
};

struct bed {
    char *path;
    struct rk_log_store *store;
    struct rk_log_writer *writer;
    uint32_t state; /* of the random numbers */
    struct bed_op ops[BED_OPS_MAX];
    size_t n_ops;
};

/* Syncs do nothing until bed_destroy: thousands of recoveries must not wait for a disk. */
void bed_create(struct bed *bed, uint32_t seed);
void bed_destroy(struct bed *bed);

unsigned bed_random(struct bed *bed, unsigned below);

/* Opens a writer, after a recovery that must give everything; closes it. */
void bed_open_writer(struct bed *bed);
void bed_close_writer(struct bed *bed);

/* A put, or a delete (value_number 0), that is not synced: as stage and flush say; only what is RK_OK counts. */
enum rk_err bed_try_write(struct bed *bed, unsigned key_number, unsigned value_number);

/* n random puts and deletes, each synced with one chance in `sync_every` (0: never). */
void bed_write(struct bed *bed, size_t n, unsigned sync_every);

/* Recovers into a new keydir. RK_OK: the state is that after the first result->n_records writes, to the byte, or the
 * test fails. */
enum rk_err bed_recover(struct bed *bed, struct rk_recovery *result_out, struct rk_detail *detail);

/* The same, where records may have been merged: the state is that after all writes. */
void bed_recover_all(struct bed *bed, struct rk_recovery *result_out);

/* A data file, to be freed; and put back. */
uint8_t *bed_read_file(const struct bed *bed, uint32_t number, size_t *size_out);
void bed_write_file(const struct bed *bed, uint32_t number, const uint8_t *bytes, size_t size);

uint32_t bed_newest(const struct bed *bed);

/* What a crash leaves: the files as they are, of a writer that is gone. */
void bed_crash(struct bed *bed);

/* Makes the hint of a sealed file. */
enum rk_err bed_make_hint(const struct bed *bed, uint32_t number, struct rk_detail *detail);

#endif
