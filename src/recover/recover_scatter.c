#include "recover/recover_scatter.h"

#include "base/base_mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Chunks double up to the largest; from HUGE_BYTES on they are worth large pages, with which thousands of blocks need
 * no more than a few hundred entries of the processor's page cache. */
#define CHUNK_BYTES_MIN ((size_t)64 << 10)
#define CHUNK_BYTES_MAX ((size_t)32 << 20)
#define HUGE_BYTES      ((size_t)2 << 20)

#define BLOCK_ENTRIES (RK_RECOVER_SCATTER_BLOCK_BYTES / sizeof(struct rk_disk_hint_entry) - 1)

struct block {
    const struct block *previous;
    uint64_t n_before; /* entries of the part in earlier blocks */
    uint8_t unused[sizeof(struct rk_disk_hint_entry) - sizeof(struct block *) - sizeof(uint64_t)];
    struct rk_disk_hint_entry entries[BLOCK_ENTRIES];
};

_Static_assert(sizeof(struct block) == RK_RECOVER_SCATTER_BLOCK_BYTES,
               "cursors find the end of a block by its address");

struct chunk {
    struct chunk *next;
    void *memory;   /* to be freed */
    uint8_t *bytes; /* aligned */
    size_t size;
};

struct rk_recover_scatter_arena {
    struct chunk *first;
    struct chunk *current; /* NULL before the first block */
    size_t used;           /* of the current one */
};

void rk_recover_scatter_init(struct rk_recover_scatter *scatter, uint32_t part_bits)
{
    *scatter = (struct rk_recover_scatter){ .part_mask = (1ull << part_bits) - 1,
                                            .cursors = rk_mem_calloc((size_t)1 << part_bits, sizeof *scatter->cursors),
                                            .arena = rk_mem_calloc(1, sizeof *scatter->arena) };
}

void rk_recover_scatter_fini(struct rk_recover_scatter *scatter)
{
    while (scatter->arena != NULL && scatter->arena->first != NULL) {
        struct chunk *next = scatter->arena->first->next;

        free(scatter->arena->first->memory);
        free(scatter->arena->first);
        scatter->arena->first = next;
    }
    free(scatter->arena);
    free(scatter->cursors);
    scatter->arena = NULL;
    scatter->cursors = NULL;
}

void rk_recover_scatter_restart(struct rk_recover_scatter *scatter, const struct rk_recover_scatter_range *range)
{
    scatter->range = *range;
    scatter->range_mask = (1ull << range->range_bits) - 1;
    scatter->arena->current = NULL;
    memset(scatter->cursors, 0, (scatter->part_mask + 1) * sizeof *scatter->cursors);
}

static struct chunk *add_chunk(size_t size)
{
    struct chunk *chunk = rk_mem_calloc(1, sizeof *chunk);
    size_t alignment = size >= HUGE_BYTES ? HUGE_BYTES : RK_RECOVER_SCATTER_BLOCK_BYTES;

    chunk->size = size;
    chunk->memory = rk_mem_calloc(1, size + alignment);
    chunk->bytes = (uint8_t *)chunk->memory + alignment - (uintptr_t)chunk->memory % alignment;
    if (size >= HUGE_BYTES)
        (void)madvise(chunk->bytes, size, MADV_HUGEPAGE); /* or small pages it is */
    return chunk;
}

/* The next chunk in use: one of an earlier filling, or a new one twice as large as the last. */
static void advance(struct rk_recover_scatter_arena *arena)
{
    struct chunk **next = arena->current != NULL ? &arena->current->next : &arena->first;
    size_t size = arena->current != NULL ? arena->current->size * 2 : CHUNK_BYTES_MIN;

    if (*next == NULL)
        *next = add_chunk(size < CHUNK_BYTES_MAX ? size : CHUNK_BYTES_MAX);
    arena->current = *next;
    arena->used = 0;
}

void rk_recover_scatter_extend(struct rk_recover_scatter *scatter, uint64_t part)
{
    struct rk_recover_scatter_arena *arena = scatter->arena;
    struct rk_disk_hint_entry *cursor = scatter->cursors[part];
    struct block *block;

    if (arena->current == NULL || arena->used == arena->current->size)
        advance(arena);
    block = (struct block *)(void *)(arena->current->bytes + arena->used);
    arena->used += sizeof *block;
    block->previous = cursor != NULL ? (const struct block *)(const void *)cursor - 1 : NULL;
    block->n_before = cursor != NULL ? block->previous->n_before + BLOCK_ENTRIES : 0;
    scatter->cursors[part] = block->entries;
}

/* Entries of one block: its address is the end of the entries, rounded. */
static const struct block *block_of(const struct rk_disk_hint_entry *entry)
{
    return (const struct block *)((uintptr_t)entry / RK_RECOVER_SCATTER_BLOCK_BYTES * RK_RECOVER_SCATTER_BLOCK_BYTES);
}

size_t rk_recover_scatter_count(const struct rk_recover_scatter *scatter, uint64_t part)
{
    const struct rk_disk_hint_entry *end = scatter->cursors[part];

    return end != NULL ? (size_t)(block_of(end - 1)->n_before + (uint64_t)(end - block_of(end - 1)->entries)) : 0;
}

bool rk_recover_scatter_last(const struct rk_recover_scatter *scatter, uint64_t part,
                             struct rk_recover_scatter_piece *piece_out)
{
    const struct rk_disk_hint_entry *end = scatter->cursors[part];

    if (end == NULL)
        return false;
    piece_out->entries = block_of(end - 1)->entries;
    piece_out->n_entries = (size_t)(end - piece_out->entries);
    return true;
}

bool rk_recover_scatter_previous(struct rk_recover_scatter_piece *piece)
{
    const struct block *previous = block_of(piece->entries)->previous;

    if (previous == NULL)
        return false;
    piece->entries = previous->entries;
    piece->n_entries = BLOCK_ENTRIES;
    return true;
}
