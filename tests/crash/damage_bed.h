/* A small store to be damaged: what is in its files, and for a damage to one of them what may come of it.
 *
 *   begin ──> make ──> { cut | flip | random }* ──> make ... ──> end
 *
 * Each damage is made, the store is opened, and the damage is undone; the test fails, with the words of what was done,
 * unless
 * 1. what is not harmless is reported, in words that say where, and then nothing was changed;
 * 2. what is opened is the state after the first n writes, never with a wrong value or a deleted key, and opened again
 *    it is the same;
 * 3. of a newest file that was in use a cut behind the header leaves exactly the records before it, of a closed one it
 * is always reported, unless only the trailer is cut, and a flip costs none that had been durable;
 * 4. all of it takes no more than 64 MiB (begin sets the limit of the process; not under a sanitizer). */
#ifndef RK_TEST_DAMAGE_BED_H
#define RK_TEST_DAMAGE_BED_H

#include "sim_history.h"
#include "sim_image.h"

#define DAMAGE_RECORDS_MAX 4096 /* in the newest file */
#define DAMAGE_WHERE_BYTES 200

/* What damage to a file may lead to. */
enum damage_kind {
    DAMAGE_LOCK,   /* LOCK, SPARE: nothing is read of it: harmless */
    DAMAGE_HINT,   /* made anew: harmless */
    DAMAGE_HEAD,   /* STORE, MANIFEST: always reported */
    DAMAGE_SEALED, /* reported, or everything is there */
    DAMAGE_NEWEST, /* reported, or a torn tail */
};

struct damage_settings {
    uint64_t seed; /* the same one makes the same bytes */
    bool hints;
    bool expires;          /* some records have expiries, and some of these are past */
    bool holes;            /* over what is dead in the sealed files */
    bool spare;            /* the disk copies on write: there is a SPARE */
    bool closed;           /* the newest file was closed; or the process died */
    unsigned n_sealed;     /* files before the newest */
    uint64_t sealed_bytes; /* in each at least */
    uint64_t newest_bytes;
    unsigned batch_max; /* writes at once */
    uint32_t value_max;
};

struct damage_bed {
    char *root;
    struct sim_image image;
    enum damage_kind kinds[SIM_FILES_MAX];
    size_t used_sizes[SIM_FILES_MAX]; /* the preallocated end of the newest file is as good as one byte of it */
    bool is_closed;
    bool must_be_reported; /* the damage that is made at this moment */
    struct sim_history history;
    size_t n_sealed_writes;            /* in the files before the newest */
    uint64_t ends[DAMAGE_RECORDS_MAX]; /* of the records of the newest file */
    size_t n_ends;
    size_t n_promised;        /* of all writes: those that a mark says were durable */
    size_t at_least, at_most; /* so many writes may be there, if the store is opened */
    char where[DAMAGE_WHERE_BYTES];
    uint64_t n_cases, n_reported;
};

/* In files of `dir`, or in memory (NULL). */
struct damage_bed *damage_bed_begin(const char *dir);
void damage_bed_end(struct damage_bed **bed);

void damage_bed_make(struct damage_bed *bed, const struct damage_settings *settings);

/* Whether the name of this file of the image ends so. */
bool damage_bed_is(const struct damage_bed *bed, size_t file, const char *suffix);

void damage_bed_cut(struct damage_bed *bed, size_t file, size_t size);
void damage_bed_flip(struct damage_bed *bed, size_t file, size_t bit);

/* 1 to 64 bytes of garbage in some file: the round says which. */
void damage_bed_random(struct damage_bed *bed, uint64_t round);

#endif
