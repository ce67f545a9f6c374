/* Stands in for libFuzzer: runs a target over its seeds, and over mutations of them from a fixed start, the same in
 * every run. Arguments are files to run instead: what libFuzzer has found. */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 64
#define ROOM      (1u << 20)
#define SPARE     64u

struct seed {
    char name[64];
    uint8_t *bytes;
    size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t n_seeds;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint8_t *read_file(const char *path, size_t *size_out)
{
    FILE *in = fopen(path, "re");
    uint8_t *bytes = malloc(ROOM);

    if (in == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    *size_out = fread(bytes, 1, ROOM - SPARE, in);
    fclose(in);
    return bytes;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct seed *)a)->name, ((const struct seed *)b)->name);
}

static void read_seeds(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL && n_seeds < SEEDS_MAX) {
        struct seed *seed = &seeds[n_seeds];
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(seed->name, sizeof seed->name, "%.63s", entry->d_name);
        seed->bytes = read_file(path, &seed->size);
        n_seeds++;
    }
    if (dir != NULL)
        closedir(dir);
    qsort(seeds, n_seeds, sizeof *seeds, compare_names); /* a folder's order is nobody's */
}

/* Up to 64 bytes are taken out, put in or changed. */
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state)
{
    size_t at = next_random(state) % (size + 1), rest = size - at;
    size_t n = 1 + next_random(state) % (next_random(state) % 4 == 0 ? SPARE : 4);

    switch (next_random(state) % 5) {
    case 0:
        return at;
    case 1:
        n = n < rest ? n : rest;
        memmove(bytes + at, bytes + at + n, rest - n);
        return size - n;
    case 2:
        if (size + n > ROOM)
            return size;
        memmove(bytes + at + n, bytes + at, rest);
        for (size_t i = 0; i < n; i++)
            bytes[at + i] = (uint8_t)next_random(state);
        return size + n;
    case 3:
        for (size_t i = at; i < size && i < at + n; i++)
            bytes[i] = (uint8_t)next_random(state);
        return size;
    default:
        if (rest > 0)
            bytes[at] ^= (uint8_t)(1u << next_random(state) % 8);
        return size;
    }
}

/* A copy of exactly the size, so that a sanitizer sees a byte more. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *own = malloc(size > 0 ? size : 1);

    if (size > 0)
        memcpy(own, bytes, size);
    (void)LLVMFuzzerTestOneInput(own, size);
    free(own);
}

static void run_mutations(unsigned n_rounds)
{
    uint64_t state = 88172645463325252u;
    uint8_t *room = malloc(ROOM + SPARE);

    for (unsigned round = 0; round < n_rounds; round++) {
        const struct seed *seed = &seeds[next_random(&state) % n_seeds];
        size_t size = seed->size;

        memcpy(room, seed->bytes, size);
        for (uint64_t n = 1 + next_random(&state) % 4; n > 0; n--)
            size = mutate(room, size, &state);
        run(room, size);
    }
    free(room);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *bytes = read_file(argv[i], &size);

        run(bytes, size);
        free(bytes);
    }
    if (argc > 1)
        return EXIT_SUCCESS;
    read_seeds(FUZZ_SEEDS);
    if (n_seeds == 0) {
        fprintf(stderr, "%s: no seeds\n", FUZZ_SEEDS);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < n_seeds; i++)
        run(seeds[i].bytes, seeds[i].size);
    run_mutations(FUZZ_ROUNDS);
    printf("%zu seeds and %d mutations of them\n", n_seeds, FUZZ_ROUNDS);
    for (size_t i = 0; i < n_seeds; i++)
        free(seeds[i].bytes);
    return EXIT_SUCCESS;
}
