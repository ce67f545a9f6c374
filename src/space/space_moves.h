/* What a merge has done to records, to be told to the keydir and to the space table: by the writer thread, in groups,
 * once the file with the copies is listed. Each move is "if the key is still there": a write that came meanwhile wins,
 * and then the copy is dead from the start. */
#ifndef RK_SPACE_MOVES_H
#define RK_SPACE_MOVES_H

#include <stddef.h>
#include <stdint.h>

#define RK_SPACE_MOVES_MAX   (2u << 20) /* of one merged file; the file ends there */
#define RK_SPACE_MOVES_GROUP 256u       /* at once: all writes wait for them */

struct rk_keydir_writer;
struct rk_space;

enum rk_space_moves_kind {
    RK_SPACE_MOVES_RECORD,    /* copied: the key is at `to` */
    RK_SPACE_MOVES_TOMBSTONE, /* copied: counts at `to`, too */
    RK_SPACE_MOVES_EXPIRED,   /* not copied: the key is gone; a tombstone at `to`, unless 0, stands for it */
};

struct rk_space_moves_entry {
    uint64_t fingerprint_high;
    uint32_t fingerprint_low;
    uint32_t kind;
    uint64_t from;
    uint64_t to;
};

struct rk_space_moves {
    struct rk_space_moves_entry *moves;
    size_t n_moves;
    size_t n_places;
};

/* Makes room for so many at once, where it is known how many will come. */
void rk_space_moves_reserve(struct rk_space_moves *moves, size_t n_moves);

/* One more, to be filled in. */
struct rk_space_moves_entry *rk_space_moves_add(struct rk_space_moves *moves);
void rk_space_moves_fini(struct rk_space_moves *moves);

/* Writer thread. */
void rk_space_moves_apply(const struct rk_space_moves_entry *moves, size_t n_moves, struct rk_keydir_writer *keydir,
                          struct rk_space *space);

#endif
