/* What the tests of the log share: records put through a writer, and data files read as plain bytes. */
#ifndef RK_TEST_LOG_H
#define RK_TEST_LOG_H

#include "log/log_writer.h"

struct rk_log_store;

/* A store in a folder of its own, with a writer. */
struct test_log {
    char *path;
    struct rk_log_store *store;
    struct rk_log_writer *writer;
};

void test_log_open(struct test_log *log, uint64_t file_size_bytes, uint64_t next_sequence);
void test_log_close(struct test_log *log); /* closes what is open, removes the folder */

/* Stages a put (or, without a value, a tombstone) of strings. */
enum rk_err test_log_stage(struct rk_log_writer *writer, const char *key, const char *value, uint64_t *location_out,
                           uint64_t *sequence_out);

/* Stage and flush; asserts that both work. Returns the location. */
uint64_t test_log_put(struct rk_log_writer *writer, const char *key, const char *value);

/* The same for a value of any bytes. */
uint64_t test_log_put_bytes(struct rk_log_writer *writer, const char *key, const void *value, uint32_t value_len);

/* Removes what is not listed, as a start does after it has looked at all of it. */
void test_log_sweep(const struct rk_log_store *store);

/* A whole file of the folder, to be freed. */
uint8_t *test_log_read_file(const char *path, const char *name, size_t *size_out);
void test_log_write_file(const char *path, const char *name, const void *bytes, size_t size);

#endif
