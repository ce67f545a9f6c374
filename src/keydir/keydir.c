#include "keydir/keydir.h"

#include "base/base_assert.h"
#include "base/base_bytes.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "keydir/keydir_layout.h"

#include <errno.h>
#include <sodium/crypto_shorthash_siphash24.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == RK_KEYDIR_HASH_KEY_BYTES, "hash key");

struct rk_fingerprint rk_keydir_fingerprint(const void *key, size_t key_len,
                                            const uint8_t hash_key[RK_KEYDIR_HASH_KEY_BYTES])
{
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    struct rk_fingerprint fingerprint;

    (void)crypto_shorthash_siphashx24(hash, key, key_len, hash_key); /* always 0 */
    fingerprint.high = rk_bytes_load64(hash);
    fingerprint.low = rk_bytes_load32(hash + 8);
    if (fingerprint.high == 0 && fingerprint.low == 0)
        fingerprint.low = 1; /* all zeros marks a free entry */
    return fingerprint;
}

/* Whether the numbers of the header lie inside each other and inside the file. */
static bool geometry_fits(const struct rk_keydir_header *header, uint64_t file_bytes)
{
    return header->region_bytes == file_bytes && header->max_depth < 32
           && header->directory_off == RK_KEYDIR_HEADER_BYTES && header->extents_off % RK_KEYDIR_EXTENT_BYTES == 0
           && header->extents_off >= header->directory_off + (8ull << header->max_depth)
           && header->extents_off < file_bytes
           && header->n_extents == (file_bytes - header->extents_off) / RK_KEYDIR_EXTENT_BYTES;
}

static enum rk_err check_header(const struct rk_keydir_header *header, uint64_t file_bytes, struct rk_detail *detail)
{
    if (header->magic != RK_KEYDIR_MAGIC) {
        rk_detail_set(detail, "keydir: the shared memory is not a keydir");
        return RK_ERR_MISMATCH;
    }
    if (header->version != RK_KEYDIR_VERSION || header->layout != RK_KEYDIR_LAYOUT) {
        rk_detail_set(detail, "keydir: version %u layout %016llx, this program reads version %u layout %016llx",
                      header->version, (unsigned long long)header->layout, RK_KEYDIR_VERSION,
                      (unsigned long long)RK_KEYDIR_LAYOUT);
        return RK_ERR_MISMATCH;
    }
    if (!geometry_fits(header, file_bytes)) {
        rk_detail_set(detail, "keydir: the header does not fit the %llu bytes of shared memory",
                      (unsigned long long)file_bytes);
        return RK_ERR_MISMATCH;
    }
    return RK_OK;
}

enum rk_err rk_keydir_attach(struct rk_keydir **keydir_out, int memfd, struct rk_detail *detail)
{
    struct rk_keydir *keydir;
    struct stat status;
    enum rk_err err;
    void *map;

    if (fstat(memfd, &status) != 0) {
        rk_detail_set(detail, "keydir: fstat: %s", strerror(errno));
        return rk_err_from_errno(errno);
    }
    if ((uint64_t)status.st_size < RK_KEYDIR_HEADER_BYTES) {
        rk_detail_set(detail, "keydir: the shared memory is too small");
        return RK_ERR_MISMATCH;
    }
    map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, memfd, 0);
    if (map == MAP_FAILED) {
        rk_detail_set(detail, "keydir: mmap: %s", strerror(errno));
        return rk_err_from_errno(errno);
    }
    err = check_header(map, (uint64_t)status.st_size, detail);
    if (err != RK_OK) {
        (void)munmap(map, (size_t)status.st_size); /* nothing can be done about it */
        return err;
    }
    (void)madvise(map, (size_t)status.st_size, MADV_DONTDUMP); /* a core of every worker needs no keydir */
    keydir = rk_mem_calloc(1, sizeof *keydir);
    keydir->header = map;
    keydir->directory = (_Atomic uint64_t *)(void *)((uint8_t *)map + keydir->header->directory_off);
    keydir->extents = (uint8_t *)map + keydir->header->extents_off;
    keydir->region_bytes = (size_t)status.st_size;
    *keydir_out = keydir;
    return RK_OK;
}

void rk_keydir_detach(struct rk_keydir **keydir)
{
    if (*keydir == NULL)
        return;
    (void)munmap((*keydir)->header, (*keydir)->region_bytes); /* the same range that mmap returned */
    free(*keydir);
    *keydir = NULL;
}

uint64_t rk_keydir_lookup_rcu(const struct rk_keydir *keydir, struct rk_fingerprint fingerprint)
{
    return rk_keydir_lookup_inline(keydir, fingerprint);
}

_Static_assert(RK_KEYDIR_MANY <= UINT8_MAX + 1, "numbers of keys are bytes");

/* What rk_keydir_bucket_lookup finds, without a branch: of many keys each would be predicted wrongly now and then. The
 * location is loaded before the fingerprint (guarantee 1). */
static uint64_t look_into(struct rk_keydir_bucket *bucket, struct rk_fingerprint fingerprint)
{
    uint64_t found = 0;

    for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
        uint64_t location = atomic_load_explicit(&bucket->location[i], memory_order_acquire);
        uint64_t high = atomic_load_explicit(&bucket->high[i], memory_order_relaxed);
        uint32_t low = atomic_load_explicit(&bucket->low[i], memory_order_relaxed);
        uint64_t is_it = (uint64_t)(high == fingerprint.high) & (uint64_t)(low == fingerprint.low);

        found |= location & -is_it;
    }
    return found;
}

/* Looks for all keys in their homes; puts the numbers of those that may be elsewhere into `rest_out`, and says how many
 * there are. */
static size_t look_at_home(const struct rk_keydir_spot *spots, const struct rk_fingerprint *fingerprints, size_t n,
                           uint64_t *locations_out, uint8_t *rest_out)
{
    size_t n_rest = 0;

    for (size_t i = 0; i < n; i++) {
        struct rk_keydir_bucket *home = &spots[i].buckets[spots[i].home];
        uint32_t hint;

        locations_out[i] = look_into(home, fingerprints[i]);
        hint = atomic_load_explicit(&home->hint, memory_order_acquire);
        rest_out[n_rest] = (uint8_t)i; /* stays when it counts */
        n_rest += (size_t)(locations_out[i] == 0) & (size_t)((hint & rk_keydir_tag_bit(fingerprints[i].low)) != 0);
    }
    return n_rest;
}

void rk_keydir_lookup_many_rcu(const struct rk_keydir *keydir, const struct rk_fingerprint *fingerprints, size_t n,
                               uint64_t *locations_out)
{
    struct rk_keydir_spot spots[RK_KEYDIR_MANY];
    uint8_t rest[RK_KEYDIR_MANY];
    size_t n_rest;

    RK_ASSERT(n <= RK_KEYDIR_MANY);
    for (size_t i = 0; i < n; i++)
        spots[i] = rk_keydir_prefetch_home(keydir, fingerprints[i]);
    n_rest = look_at_home(spots, fingerprints, n, locations_out, rest);
    for (size_t i = 0; i < n_rest; i++)
        rk_keydir_prefetch_neighbours(&spots[rest[i]]);
    for (size_t i = 0; i < n_rest; i++) {
        const struct rk_keydir_spot *spot = &spots[rest[i]];

        locations_out[rest[i]] = rk_keydir_page_lookup(spot->buckets, spot->n_buckets, fingerprints[rest[i]]);
    }
}
