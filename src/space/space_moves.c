#include "space/space_moves.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "keydir/keydir_writer.h"
#include "space/space.h"

#include <stdlib.h>

_Static_assert(sizeof(struct rk_space_moves_entry) == 32, "two millions of them are 64 MiB");

void rk_space_moves_reserve(struct rk_space_moves *moves, size_t n_moves)
{
    if (n_moves <= moves->n_places)
        return;
    moves->n_places = n_moves;
    moves->moves = rk_mem_resize(moves->moves, moves->n_places, sizeof *moves->moves);
}

struct rk_space_moves_entry *rk_space_moves_add(struct rk_space_moves *moves)
{
    if (moves->n_moves == moves->n_places)
        rk_space_moves_reserve(moves, moves->n_places == 0 ? 4096 : moves->n_places * 2);
    return &moves->moves[moves->n_moves++];
}

void rk_space_moves_fini(struct rk_space_moves *moves)
{
    free(moves->moves);
    *moves = (struct rk_space_moves){ .moves = NULL };
}

static struct rk_fingerprint fingerprint_of(const struct rk_space_moves_entry *move)
{
    return (struct rk_fingerprint){ .high = move->fingerprint_high, .low = move->fingerprint_low };
}

/* The source's record is dead by its copy, as it would be for a recovery that finds both: one of two that have the same
 * sequence. A copy that comes too late is dead by what came before it. */
static void relocate(const struct rk_space_moves_entry *move, struct rk_keydir_writer *keydir, struct rk_space *space)
{
    if (rk_keydir_writer_relocate(keydir, fingerprint_of(move), move->from, move->to)) {
        rk_space_move(space, move->from, RK_SPACE_LIVE, RK_SPACE_OVERWRITTEN);
        rk_space_add(space, move->to, RK_SPACE_LIVE);
        return;
    }
    rk_space_add(space, move->to,
                 rk_keydir_writer_lookup(keydir, fingerprint_of(move)) != 0 ? RK_SPACE_OVERWRITTEN : RK_SPACE_DELETED);
}

static void expire(const struct rk_space_moves_entry *move, struct rk_keydir_writer *keydir, struct rk_space *space)
{
    if (move->to != 0)
        rk_space_add(space, move->to, RK_SPACE_TOMBSTONE);
    if (rk_keydir_writer_lookup(keydir, fingerprint_of(move)) != move->from)
        return;
    (void)rk_keydir_writer_delete(keydir, fingerprint_of(move)); /* it was at `from` */
    rk_space_move(space, move->from, RK_SPACE_LIVE, RK_SPACE_EXPIRED);
}

static void apply(const struct rk_space_moves_entry *move, struct rk_keydir_writer *keydir, struct rk_space *space)
{
    if (move->kind == RK_SPACE_MOVES_RECORD)
        relocate(move, keydir, space);
    else if (move->kind == RK_SPACE_MOVES_EXPIRED)
        expire(move, keydir, space);
    else
        rk_space_add(space, move->to, RK_SPACE_TOMBSTONE);
}

/* As many as the processor can be asked for ahead. */
static void apply_some(const struct rk_space_moves_entry *moves, size_t n_moves, struct rk_keydir_writer *keydir,
                       struct rk_space *space)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];

    for (size_t i = 0; i < n_moves; i++)
        fingerprints[i] = fingerprint_of(&moves[i]);
    rk_keydir_writer_prefetch(keydir, fingerprints, n_moves);
    for (size_t i = 0; i < n_moves; i++)
        apply(&moves[i], keydir, space);
}

void rk_space_moves_apply(const struct rk_space_moves_entry *moves, size_t n_moves, struct rk_keydir_writer *keydir,
                          struct rk_space *space)
{
    RK_ASSERT(n_moves <= RK_SPACE_MOVES_GROUP);
    for (size_t at = 0; at < n_moves; at += RK_KEYDIR_MANY)
        apply_some(&moves[at], n_moves - at < RK_KEYDIR_MANY ? n_moves - at : RK_KEYDIR_MANY, keydir, space);
}
