#include "space/space.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"

#include <stdlib.h>
#include <string.h>

/* A put touches one or two rows, so a row is found without a search: file numbers are handed out one by one, and the
 * rows of neighbours are allocated together. The table of chunks is half a MiB of addresses, touched as far as it is
 * used. */
#define ROWS_OF_CHUNK 256u
#define N_CHUNKS      ((RK_DISK_FILE_NUMBER_MAX + 1) / ROWS_OF_CHUNK)

struct rk_space {
    bool knows_expiries; /* it has heard of one, ever */
    struct rk_space_file total;
    struct rk_space_file *chunks[N_CHUNKS];
};

struct rk_space *rk_space_create(void)
{
    return rk_mem_calloc(1, sizeof(struct rk_space));
}

void rk_space_destroy(struct rk_space **space)
{
    if (*space == NULL)
        return;
    for (size_t i = 0; i < N_CHUNKS; i++)
        free((*space)->chunks[i]);
    free(*space);
    *space = NULL;
}

static struct rk_space_file *row_of(struct rk_space *space, uint32_t file_number)
{
    struct rk_space_file **chunk = &space->chunks[file_number / ROWS_OF_CHUNK];
    struct rk_space_file *row;

    if (*chunk == NULL)
        *chunk = rk_mem_calloc(ROWS_OF_CHUNK, sizeof **chunk);
    row = &(*chunk)[file_number % ROWS_OF_CHUNK];
    row->file_number = file_number;
    return row;
}

static void count(struct rk_space_file *row, enum rk_space_column column, uint64_t size_bytes)
{
    row->n_records[column]++;
    row->bytes[column] += size_bytes;
}

static void discount(struct rk_space_file *row, enum rk_space_column column, uint64_t size_bytes)
{
    RK_ASSERT(row->n_records[column] > 0 && row->bytes[column] >= size_bytes);
    row->n_records[column]--;
    row->bytes[column] -= size_bytes;
}

void rk_space_add(struct rk_space *space, uint64_t location, enum rk_space_column column)
{
    struct rk_location place = rk_disk_location_decode(location);

    count(row_of(space, place.file_number), column, place.size_bytes);
    count(&space->total, column, place.size_bytes);
}

void rk_space_add_hole(struct rk_space *space, uint32_t file_number, uint64_t n_records, uint64_t bytes)
{
    struct rk_space_file *row = row_of(space, file_number);

    row->n_records[RK_SPACE_OVERWRITTEN] += n_records;
    row->bytes[RK_SPACE_OVERWRITTEN] += bytes;
    space->total.n_records[RK_SPACE_OVERWRITTEN] += n_records;
    space->total.bytes[RK_SPACE_OVERWRITTEN] += bytes;
}

void rk_space_move(struct rk_space *space, uint64_t location, enum rk_space_column from, enum rk_space_column to)
{
    struct rk_location place = rk_disk_location_decode(location);
    struct rk_space_file *row = row_of(space, place.file_number);

    discount(row, from, place.size_bytes);
    count(row, to, place.size_bytes);
    discount(&space->total, from, place.size_bytes);
    count(&space->total, to, place.size_bytes);
}

static void keep_first(struct rk_space *space, struct rk_space_file *row, uint32_t expiry_s)
{
    space->knows_expiries |= rk_disk_is_expiry(expiry_s);
    if (rk_disk_is_expiry(expiry_s) && (row->first_expiry_s == 0 || expiry_s < row->first_expiry_s))
        row->first_expiry_s = expiry_s;
}

void rk_space_note_expiry(struct rk_space *space, uint32_t file_number, uint32_t expiry_s)
{
    if (rk_disk_is_expiry(expiry_s))
        keep_first(space, row_of(space, file_number), expiry_s);
}

uint32_t rk_space_take_expiry(struct rk_space *space, uint32_t file_number)
{
    struct rk_space_file *row = row_of(space, file_number);
    uint32_t expiry_s = row->first_expiry_s;

    row->first_expiry_s = 0;
    row->taken_expiry_s = expiry_s;
    return expiry_s;
}

void rk_space_give_expiry(struct rk_space *space, uint32_t file_number, uint32_t expiry_s)
{
    rk_space_note_expiry(space, file_number, expiry_s);
    row_of(space, file_number)->taken_expiry_s = 0;
}

/* The second is rounded up: the record may have expired at any time in the one before it. */
static bool is_due(uint32_t expiry_s, uint64_t now_ms)
{
    return expiry_s != 0 && ((uint64_t)expiry_s - 1) * 1000 < now_ms;
}

bool rk_space_knows_expiries(const struct rk_space *space)
{
    return space->knows_expiries;
}

bool rk_space_may_have_expired(const struct rk_space *space, uint64_t location, uint64_t now_ms)
{
    uint32_t file_number = rk_disk_location_decode(location).file_number;
    const struct rk_space_file *chunk = space->chunks[file_number / ROWS_OF_CHUNK];
    const struct rk_space_file *row = chunk != NULL ? &chunk[file_number % ROWS_OF_CHUNK] : NULL;

    return row != NULL && (is_due(row->first_expiry_s, now_ms) || is_due(row->taken_expiry_s, now_ms));
}

static void add_row(struct rk_space *space, struct rk_space_file *row, const struct rk_space_file *other)
{
    for (size_t column = 0; column < RK_SPACE_N_COLUMNS; column++) {
        row->n_records[column] += other->n_records[column];
        row->bytes[column] += other->bytes[column];
    }
    keep_first(space, row, other->first_expiry_s);
}

void rk_space_add_all(struct rk_space *space, const struct rk_space *other)
{
    for (size_t i = 0; i < N_CHUNKS; i++)
        for (size_t j = 0; other->chunks[i] != NULL && j < ROWS_OF_CHUNK; j++)
            if (other->chunks[i][j].file_number != 0)
                add_row(space, row_of(space, other->chunks[i][j].file_number), &other->chunks[i][j]);
    add_row(space, &space->total, &other->total);
}

void rk_space_forget(struct rk_space *space, uint32_t file_number)
{
    struct rk_space_file *row = row_of(space, file_number);

    for (size_t column = 0; column < RK_SPACE_N_COLUMNS; column++) {
        space->total.n_records[column] -= row->n_records[column];
        space->total.bytes[column] -= row->bytes[column];
    }
    memset(row, 0, sizeof *row);
}

struct rk_space_file rk_space_file(const struct rk_space *space, uint32_t file_number)
{
    const struct rk_space_file *chunk = space->chunks[file_number / ROWS_OF_CHUNK];
    struct rk_space_file row = { .file_number = file_number };

    RK_ASSERT(file_number <= RK_DISK_FILE_NUMBER_MAX);
    if (chunk != NULL && chunk[file_number % ROWS_OF_CHUNK].file_number != 0)
        row = chunk[file_number % ROWS_OF_CHUNK];
    return row;
}

struct rk_space_file rk_space_total(const struct rk_space *space)
{
    return space->total;
}
