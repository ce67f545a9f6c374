/* A disk that forgets: the bytes and names that are durable, and what came after and may or may not have reached it.
 *
 * 1. A file's bytes and size are durable as of its last SIM_SYNC; a name as of the last SIM_SYNC_NAMES. Neither implies
 *    the other.
 * 2. Of what is not durable, an image has whatever its kind says; durable bytes are never touched, so a torn write does
 *    no harm to its neighbours.
 * 3. A rename is one step: a name has the old file or the new one. */
#ifndef RK_TEST_SIM_DISK_H
#define RK_TEST_SIM_DISK_H

#include "sim_image.h"
#include "sim_trace.h"

#include <stdbool.h>

/* What became of the bytes. */
enum sim_kind {
    SIM_DROPPED,  /* nothing after the last sync */
    SIM_KEPT,     /* everything */
    SIM_PREFIX,   /* everything up to some byte of some operation */
    SIM_PAGES,    /* some 4 KiB pages */
    SIM_SECTORS,  /* some sectors of 512 bytes */
    SIM_ZEROS,    /* the size, and zeros */
    SIM_GARBAGE,  /* the size, and what was on the disk before */
    SIM_EXTENDED, /* nothing, but the size, up to the end of the page */
    SIM_MIXED,    /* each file as it pleases */
    SIM_N_KINDS,
};

/* What became of the names. */
enum sim_names {
    SIM_NAMES_DROPPED,
    SIM_NAMES_KEPT,
    SIM_NAMES_PREFIX,
    SIM_NAMES_ANY,
    SIM_N_NAMES,
};

struct sim_disk;

/* The base as in sim_record_begin. */
struct sim_disk *sim_disk_create(const struct sim_trace *trace, const struct sim_image *base);
void sim_disk_destroy(struct sim_disk **disk);

/* One operation more has been done. */
void sim_disk_apply(struct sim_disk *disk, const struct sim_op *op);

/* Whether there is anything for a failure to choose from. */
bool sim_disk_has_loose_bytes(const struct sim_disk *disk);
bool sim_disk_has_loose_names(const struct sim_disk *disk);

/* What a power failure could leave now; the same seed gives the same image. The image's memory is used again. */
void sim_disk_image(const struct sim_disk *disk, enum sim_kind kind, enum sim_names names, uint64_t seed,
                    struct sim_image *image);

/* A generator for whoever wants to be the same in every run. */
uint64_t sim_random(uint64_t *state);

const char *sim_kind_name(enum sim_kind kind);
const char *sim_names_name(enum sim_names names);

#endif
