#include "keydir/keydir.h"

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

void rk_keydir_prefetch_rcu(const struct rk_keydir *keydir, struct rk_fingerprint fingerprint)
{
    rk_keydir_prefetch_inline(keydir, fingerprint);
}
