/* What a merge has done to records, to be told to the keydir and to the space table: by the writer thread, in groups,
 * once the file with the copies is listed. Each move is "if the key is still there": a write that came meanwhile wins,
 * and then the copy is dead from the start. */
#ifndef RK_STORE_STORE_MOVES_WRITER_H
#define RK_STORE_STORE_MOVES_WRITER_H

#include <stddef.h>
#include <stdint.h>

#define RK_STORE_MOVES_MAX   (2u << 20) /* of one merged file; the file ends there */
#define RK_STORE_MOVES_GROUP 256u       /* at once: all writes wait for them */

struct rk_keydir_writer;
struct rk_store_space;

enum rk_store_move_kind {
    RK_STORE_MOVE_RECORD,    /* copied: the key is at `to` */
    RK_STORE_MOVE_TOMBSTONE, /* copied: counts at `to`, too */
    RK_STORE_MOVE_EXPIRED,   /* not copied: the key is gone; a tombstone at `to`, unless 0, stands for it */
};

struct rk_store_move {
    uint64_t fingerprint_high;
    uint32_t fingerprint_low;
    uint32_t kind;
    uint64_t from;
    uint64_t to;
};

struct rk_store_moves {
    struct rk_store_move *moves;
    size_t n_moves;
    size_t n_places;
};

/* Makes room for so many at once, where it is known how many will come. */
void rk_store_moves_reserve(struct rk_store_moves *moves, size_t n_moves);

/* One more, to be filled in. */
struct rk_store_move *rk_store_moves_add(struct rk_store_moves *moves);
void rk_store_moves_fini(struct rk_store_moves *moves);

/* Writer thread. */
void rk_store_moves_apply(const struct rk_store_move *moves, size_t n_moves, struct rk_keydir_writer *keydir,
                          struct rk_store_space *space);

#endif
