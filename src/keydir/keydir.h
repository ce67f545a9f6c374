/* The keydir, as a reader sees it: fingerprint of a key -> location of its newest record. Read-only, any process.
 * Layout, guarantees and rules: keydir_layout.h and keydir/README. */
#ifndef RK_KEYDIR_H
#define RK_KEYDIR_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

#define RK_KEYDIR_HASH_KEY_BYTES 16
#define RK_KEYDIR_MANY           64u /* keys at once, at most */

struct rk_detail;
struct rk_keydir;

/* 96 bits of SipHash-2-4-128 of the key under the store's secret hash key: nobody can aim a collision.
 * Never all zeros. */
struct rk_fingerprint {
    uint64_t high;
    uint32_t low;
};

/* Any thread. */
struct rk_fingerprint rk_keydir_fingerprint(const void *key, size_t key_len,
                                            const uint8_t hash_key[RK_KEYDIR_HASH_KEY_BYTES]);

/* Maps the region of the memfd read-only and checks magic, version and layout (RK_ERR_MISMATCH). The descriptor may be
 * closed afterwards. Any process. */
enum rk_err rk_keydir_attach(struct rk_keydir **keydir_out, int memfd, struct rk_detail *detail);
void rk_keydir_detach(struct rk_keydir **keydir);

/* The location of the key's newest record, or 0 when there is none. Inside a read section (grace.h); the location, and
 * the file that it names, stay valid until the section ends. Never blocks, takes no lock, writes no shared memory. */
uint64_t rk_keydir_lookup_rcu(const struct rk_keydir *keydir, struct rk_fingerprint fingerprint);

/* The same for up to RK_KEYDIR_MANY keys of one read section: what one has to wait for in memory is asked for while
 * others are looked up. */
void rk_keydir_lookup_many_rcu(const struct rk_keydir *keydir, const struct rk_fingerprint *fingerprints, size_t n,
                               uint64_t *locations_out);

#endif
