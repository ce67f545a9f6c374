#include "keydir_bed.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_check_writer.h"

#include <check.h>
#include <stdlib.h>

/* Stands in for the real thing: a period ends when the test says so. */
struct rk_grace_writer {
    uint64_t ticket;
};

static struct rk_grace_writer bed_grace = { .ticket = 1 };

uint64_t rk_grace_writer_ticket(const struct rk_grace_writer *grace)
{
    return grace->ticket;
}

uint64_t keydir_bed_ticket(void)
{
    return bed_grace.ticket;
}

struct rk_fingerprint keydir_bed_fingerprint(uint32_t id)
{
    static const uint8_t hash_key[RK_KEYDIR_HASH_KEY_BYTES] = "0123456789abcdef";

    return rk_keydir_fingerprint(&id, sizeof id, hash_key);
}

uint64_t keydir_bed_random(struct keydir_bed *bed)
{
    bed->random ^= bed->random << 13;
    bed->random ^= bed->random >> 7;
    bed->random ^= bed->random << 17;
    return bed->random;
}

struct keydir_bed *keydir_bed_create(uint64_t max_bytes, uint32_t n_ids, bool with_grace, uint64_t seed)
{
    struct keydir_bed *bed = rk_mem_calloc(1, sizeof *bed);

    bed->n_ids = n_ids;
    bed->random = seed * 0x9e3779b97f4a7c15ull + 1;
    bed->expected = rk_mem_calloc(n_ids, sizeof *bed->expected);
    ck_assert_int_eq(rk_keydir_writer_create(&bed->writer, max_bytes, with_grace ? &bed_grace : NULL, NULL), RK_OK);
    ck_assert_int_eq(rk_keydir_attach(&bed->reader, rk_keydir_writer_memfd(bed->writer), NULL), RK_OK);
    return bed;
}

void keydir_bed_destroy(struct keydir_bed **bed)
{
    rk_keydir_detach(&(*bed)->reader);
    rk_keydir_writer_destroy(&(*bed)->writer);
    free((*bed)->expected);
    free(*bed);
    *bed = NULL;
}

/* An assertion of check costs a system call even when it holds; here are millions. */
static void expect_equal(uint32_t id, uint64_t expected, uint64_t found)
{
    if (found != expected)
        ck_abort_msg("id %u: expected %llu, found %llu", id, (unsigned long long)expected, (unsigned long long)found);
}

void keydir_bed_put(struct keydir_bed *bed, uint32_t id)
{
    uint64_t location = ++bed->n_locations;

    expect_equal(id, bed->expected[id], rk_keydir_writer_put(bed->writer, keydir_bed_fingerprint(id), location));
    bed->n_keys += bed->expected[id] == 0;
    bed->expected[id] = location;
}

void keydir_bed_delete(struct keydir_bed *bed, uint32_t id)
{
    expect_equal(id, bed->expected[id], rk_keydir_writer_delete(bed->writer, keydir_bed_fingerprint(id)));
    bed->n_keys -= bed->expected[id] != 0;
    bed->expected[id] = 0;
}

void keydir_bed_relocate(struct keydir_bed *bed, uint32_t id, bool expect_right)
{
    uint64_t location = ++bed->n_locations;
    uint64_t expected = expect_right && bed->expected[id] != 0 ? bed->expected[id] : bed->expected[id] + 1;
    bool moved = rk_keydir_writer_relocate(bed->writer, keydir_bed_fingerprint(id), expected, location);

    expect_equal(id, expected == bed->expected[id], moved);
    if (moved)
        bed->expected[id] = location;
}

void keydir_bed_pass_once(struct keydir_bed *bed)
{
    uint64_t passed = bed_grace.ticket++;

    rk_keydir_writer_reclaim(bed->writer, passed);
}

void keydir_bed_pass(struct keydir_bed *bed)
{
    for (int turn = 0; turn < 1000000 && rk_keydir_writer_wants_grace(bed->writer); turn++)
        keydir_bed_pass_once(bed);
    ck_assert(!rk_keydir_writer_wants_grace(bed->writer));
}

/* All keys again, many at a time. */
static void verify_many(const struct keydir_bed *bed)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];
    uint64_t locations[RK_KEYDIR_MANY];

    for (uint32_t first = 0; first < bed->n_ids; first += RK_KEYDIR_MANY) {
        uint32_t n = bed->n_ids - first < RK_KEYDIR_MANY ? bed->n_ids - first : RK_KEYDIR_MANY;

        for (uint32_t i = 0; i < n; i++)
            fingerprints[i] = keydir_bed_fingerprint(first + i);
        rk_keydir_lookup_many_rcu(bed->reader, fingerprints, n, locations);
        for (uint32_t i = 0; i < n; i++)
            expect_equal(first + i, bed->expected[first + i], locations[i]);
    }
}

void keydir_bed_verify(struct keydir_bed *bed)
{
    struct rk_detail detail = { .text = "" };

    ck_assert_msg(rk_keydir_check_writer(bed->writer, &detail) == RK_OK, "%s", detail.text);
    ck_assert_uint_eq(rk_keydir_writer_usage(bed->writer).n_keys, bed->n_keys);
    for (uint32_t id = 0; id < bed->n_ids; id++) {
        struct rk_fingerprint fingerprint = keydir_bed_fingerprint(id);

        expect_equal(id, bed->expected[id], rk_keydir_writer_lookup(bed->writer, fingerprint));
        expect_equal(id, bed->expected[id], rk_keydir_lookup_rcu(bed->reader, fingerprint));
    }
    verify_many(bed);
}
