/* The files of one directory, as bytes: what is put where a store opens it. */
#ifndef RK_TEST_SIM_IMAGE_H
#define RK_TEST_SIM_IMAGE_H

#include "sim_trace.h"

#include <stdbool.h>

#define SIM_FILES_MAX 64

struct sim_bytes {
    uint8_t *at;
    size_t size;
    size_t capacity;
};

struct sim_file {
    char name[SIM_NAME_BYTES];
    struct sim_bytes bytes;
};

struct sim_image {
    bool has_root;
    size_t n_files;
    struct sim_file files[SIM_FILES_MAX];
};

/* What it grows by are zeros; the memory is kept. */
void sim_bytes_resize(struct sim_bytes *bytes, size_t size);

/* Without what is in LOCK: the pid, which nothing depends on. */
uint64_t sim_image_hash(const struct sim_image *image);

/* A copy of the bytes under one name more. */
void sim_image_add(struct sim_image *image, const char *name, const struct sim_bytes *bytes);

/* Files at root instead of what is there, and those at root; in memory, if that is in use (sim_memory.h): then the
 * image is lent. */
void sim_image_write(const struct sim_image *image, const char *root);
void sim_image_read(struct sim_image *image, const char *root);
void sim_image_free(struct sim_image *image);

#endif
