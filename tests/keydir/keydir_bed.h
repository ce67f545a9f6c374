/* A keydir with a plain table beside it that says what must be in it, and grace periods that the test makes end. */
#ifndef RK_TEST_KEYDIR_BED_H
#define RK_TEST_KEYDIR_BED_H

#include "keydir/keydir_writer.h"

struct keydir_bed {
    struct rk_keydir_writer *writer;
    struct rk_keydir *reader; /* a second mapping, read-only */
    uint64_t *expected;       /* by id: the location, or 0 */
    uint32_t n_ids;
    uint64_t n_keys;
    uint64_t n_locations; /* given so far */
    uint64_t random;
};

/* Ids 0 to n_ids - 1 can be used. Without grace what is deleted is free at once. */
struct keydir_bed *keydir_bed_create(uint64_t max_bytes, uint32_t n_ids, bool with_grace, uint64_t seed);
void keydir_bed_destroy(struct keydir_bed **bed);

struct rk_fingerprint keydir_bed_fingerprint(uint32_t id);
uint64_t keydir_bed_random(struct keydir_bed *bed);

/* One operation on the keydir and on the table; asserts that both say the same. */
void keydir_bed_put(struct keydir_bed *bed, uint32_t id);
void keydir_bed_delete(struct keydir_bed *bed, uint32_t id);
void keydir_bed_relocate(struct keydir_bed *bed, uint32_t id, bool expect_right);

/* Ends the grace period that would start now, and reclaims until nothing waits. */
void keydir_bed_pass(struct keydir_bed *bed);
/* Ends it, and reclaims once. */
void keydir_bed_pass_once(struct keydir_bed *bed);

/* What is deleted now is free when this ticket has passed. */
uint64_t keydir_bed_ticket(void);

/* Looks every id up, as writer and as reader; the counts must fit, too. */
void keydir_bed_verify(struct keydir_bed *bed);

#endif
