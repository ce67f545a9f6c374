/* Data files in memory: good ones to begin with, and a table of file operations that reads them. */
#ifndef RK_TEST_FUZZ_DATA_H
#define RK_TEST_FUZZ_DATA_H

#include "log/log_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_DATA_BYTES_MAX (1u << 20)
#define FUZZ_DATA_FILE      1u

/* Whose files they are. */
extern const struct rk_disk_identity fuzz_data_identity;

struct fuzz_data_options {
    enum rk_disk_file_kind kind;
    bool sealed;
    uint32_t large_value; /* one more record, with a value of so many bytes; 0: none */
};

/* Puts, deletes, an expiry and metadata. Returns the size. */
size_t fuzz_data_build(uint8_t *bytes, const struct fuzz_data_options *options);

/* Makes the checksums of all records fit that can be reached from the first, whatever is in them. */
void fuzz_data_fix(uint8_t *bytes, size_t size);

/* Files for rk_io, until the next call; there are no others, and nothing can be written. */
struct fuzz_file {
    const char *name;
    const uint8_t *bytes;
    size_t size;
};

void fuzz_data_serve(const struct fuzz_file *files, size_t n_files);

#endif
