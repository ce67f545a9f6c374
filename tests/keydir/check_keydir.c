#include "keydir_bed.h"
#include "test_main.h"

#include "base/base_detail.h"
#include "keydir/keydir_check_writer.h"
#include "keydir/keydir_layout.h"
#include "keydir/keydir_resize.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB         (1ull << 20)
#define LIMBO_BYTES (64 * MIB / 8) /* so much of a keydir of 64 MiB may be in limbo at any time */

/* The published vector of SipHash-2-4 with 128 bits: key 00..0f, no message. */
START_TEST(fingerprint_is_siphash)
{
    uint8_t hash_key[RK_KEYDIR_HASH_KEY_BYTES];
    struct rk_fingerprint fingerprint;

    for (uint8_t i = 0; i < sizeof hash_key; i++)
        hash_key[i] = i;
    fingerprint = rk_keydir_fingerprint("", 0, hash_key);
    ck_assert_uint_eq(fingerprint.high, 0xe6a825ba047f81a3ull);
    ck_assert_uint_eq(fingerprint.low, 0x1472f66du);
}
END_TEST

START_TEST(empty_answers_nothing)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 10, false, 1);

    keydir_bed_verify(bed);
    keydir_bed_delete(bed, 3);
    keydir_bed_relocate(bed, 3, true);
    ck_assert_uint_eq(rk_keydir_writer_usage(bed->writer).n_pages, 1);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).used_bytes, 16384);
    keydir_bed_destroy(&bed);
}
END_TEST

/* Phases that grow, churn, shrink and empty the keydir, so that pages split, merge and are reused in all orders. */
static void run_model(bool with_grace, uint64_t seed)
{
    static const unsigned put_percent[] = { 95, 50, 20, 85, 50, 5 };
    const uint32_t n_ids = 60000;
    struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, with_grace, seed);

    for (unsigned phase = 0; phase < sizeof put_percent / sizeof put_percent[0]; phase++) {
        for (uint32_t op = 0; op < 80000; op++) {
            uint32_t id = (uint32_t)(keydir_bed_random(bed) % n_ids);
            uint64_t dice = keydir_bed_random(bed) % 100;

            if (dice < 10)
                keydir_bed_relocate(bed, id, dice < 5);
            else if (keydir_bed_random(bed) % 100 < put_percent[phase])
                keydir_bed_put(bed, id);
            else
                keydir_bed_delete(bed, id);
            if (with_grace && op % 512 == 0)
                keydir_bed_pass_once(bed);
        }
        keydir_bed_verify(bed);
    }
    keydir_bed_pass(bed);
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}

START_TEST(model_without_grace)
{
    run_model(false, 7);
}
END_TEST

START_TEST(model_with_grace)
{
    run_model(true, 8);
}
END_TEST

/* One key that comes and goes without end must not eat the page while no grace period passes. */
START_TEST(same_key_again_and_again)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 1000, true, 2);

    for (uint32_t id = 0; id < 1000; id++)
        keydir_bed_put(bed, id);
    for (int i = 0; i < 50000; i++) {
        keydir_bed_delete(bed, 77);
        keydir_bed_put(bed, 77);
        if (i % 3 == 0)
            keydir_bed_pass_once(bed);
    }
    keydir_bed_verify(bed);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).used_bytes, MIB);
    keydir_bed_destroy(&bed);
}
END_TEST

START_TEST(bytes_a_key)
{
    const uint32_t n_ids = 400000;
    struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, true, 3);

    for (uint32_t id = 0; id < n_ids; id++) {
        keydir_bed_put(bed, id);
        if (id % 1024 == 0)
            keydir_bed_pass_once(bed);
        if (id % 50000 == 49999) {
            struct rk_keydir_usage usage;

            keydir_bed_pass(bed);
            usage = rk_keydir_writer_usage(bed->writer);
            ck_assert_uint_eq(usage.limbo_bytes, 0);
            ck_assert_msg((double)usage.used_bytes / (id + 1) <= (id > 100000 ? 25.0 : 28.0), "%.2f bytes a key at %u",
                          (double)usage.used_bytes / (id + 1), id + 1);
        }
    }
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}
END_TEST

static uint64_t resident_bytes(const struct keydir_bed *bed)
{
    struct stat status;

    ck_assert_int_eq(fstat(rk_keydir_writer_memfd(bed->writer), &status), 0);
    return (uint64_t)status.st_blocks * 512;
}

/* What the figures say is what the system says. */
START_TEST(memory_goes_back)
{
    const uint32_t n_ids = 200000;
    struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, true, 4);
    uint64_t full_bytes;

    for (uint32_t id = 0; id < n_ids; id++) {
        keydir_bed_put(bed, id);
        if (id % 512 == 0)
            keydir_bed_pass_once(bed);
    }
    keydir_bed_pass(bed);
    full_bytes = rk_keydir_writer_usage(bed->writer).used_bytes;
    ck_assert_uint_eq(resident_bytes(bed), full_bytes);
    for (uint32_t id = 0; id < n_ids; id++) {
        if (id % 64 != 0)
            keydir_bed_delete(bed, id);
        if (id % 512 == 0)
            keydir_bed_pass_once(bed);
    }
    keydir_bed_pass(bed);
    keydir_bed_verify(bed);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).used_bytes, full_bytes / 16);
    ck_assert_uint_eq(resident_bytes(bed), rk_keydir_writer_usage(bed->writer).used_bytes);
    for (uint32_t id = 0; id < n_ids; id += 64)
        keydir_bed_delete(bed, id);
    keydir_bed_pass(bed);
    keydir_bed_verify(bed);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).n_pages, 2);
    keydir_bed_destroy(&bed);
}
END_TEST

static uint32_t fill_to_limit(struct keydir_bed *bed, uint32_t from)
{
    uint32_t id = from;

    while (id < bed->n_ids && rk_keydir_writer_has_room(bed->writer, 1)) {
        keydir_bed_put(bed, id++);
        if (id % 256 == 0)
            keydir_bed_pass_once(bed);
    }
    return id;
}

/* At the limit: no room for new keys; updates and deletes go on; what was deleted may be put again. */
START_TEST(limit_holds_and_lets_go)
{
    const uint32_t n_ids = 500000;
    struct keydir_bed *bed = keydir_bed_create(8 * MIB, n_ids, true, 5);
    uint32_t n_full = fill_to_limit(bed, 0);
    uint32_t n_again;

    ck_assert_uint_lt(n_full, n_ids);
    ck_assert_uint_gt(n_full, 8 * MIB / 40);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).used_bytes, 8 * MIB);
    for (uint32_t id = 0; id < n_full; id++)
        keydir_bed_put(bed, id);
    ck_assert(!rk_keydir_writer_has_room(bed->writer, 10000));
    for (uint32_t id = 0; id < n_full / 10; id++)
        keydir_bed_delete(bed, id);
    keydir_bed_pass(bed);
    ck_assert(rk_keydir_writer_has_room(bed->writer, n_full / 20));
    n_again = fill_to_limit(bed, n_full) - n_full;
    ck_assert_uint_ge(n_again, n_full / 20);
    ck_assert_uint_le(rk_keydir_writer_usage(bed->writer).used_bytes, 8 * MIB);
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}
END_TEST

/* The place of a deleted entry is nobody's until its own ticket has passed: not one less, and not one more. */
START_TEST(a_deleted_entry_is_free_when_its_ticket_has_passed)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 100, true, 8);
    uint64_t ticket;

    for (uint32_t id = 0; id < 100; id++)
        keydir_bed_put(bed, id);
    keydir_bed_pass(bed);
    ticket = keydir_bed_ticket();
    for (uint32_t id = 0; id < 3; id++)
        keydir_bed_delete(bed, id);
    ck_assert(rk_keydir_writer_wants_grace(bed->writer));
    rk_keydir_writer_reclaim(bed->writer, ticket - 1);
    ck_assert(rk_keydir_writer_wants_grace(bed->writer));
    rk_keydir_writer_reclaim(bed->writer, ticket);
    ck_assert(!rk_keydir_writer_wants_grace(bed->writer));
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}
END_TEST

static uint32_t deepest_page(const struct keydir_bed *bed, uint32_t depth)
{
    uint32_t deepest = 0;

    for (uint64_t i = 0; i < 1ull << depth; i++) {
        uint32_t page_depth = rk_keydir_word_depth(atomic_load(&bed->reader->directory[i]));

        if (page_depth > deepest)
            deepest = page_depth;
    }
    return deepest;
}

/* As large as its deepest page asks for, and no larger, while keys come and when they have gone. */
START_TEST(the_directory_is_as_deep_as_its_deepest_page)
{
    const uint32_t n_ids = 100000;
    struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, true, 9);
    uint32_t depth = 0, top_depth = 0;

    for (uint32_t i = 0; i < 2 * n_ids; i++) {
        if (i < n_ids)
            keydir_bed_put(bed, i);
        else
            keydir_bed_delete(bed, i - n_ids);
        if (i % 512 != 511)
            continue;
        keydir_bed_pass_once(bed);
        depth = atomic_load(&bed->reader->header->depth);
        top_depth = depth > top_depth ? depth : top_depth;
        ck_assert_uint_eq(depth, deepest_page(bed, depth));
    }
    ck_assert_uint_ge(top_depth, 5);
    keydir_bed_pass(bed);
    depth = atomic_load(&bed->reader->header->depth);
    ck_assert_uint_eq(depth, deepest_page(bed, depth));
    ck_assert_uint_lt(depth, 2);
    keydir_bed_destroy(&bed);
}
END_TEST

/* A keydir that is emptied while a reader sleeps: pages are made small again only as far as limbo may take it. */
START_TEST(limbo_is_bounded_while_the_keydir_is_emptied)
{
    const uint32_t n_ids = 1000000;
    struct keydir_bed *bed = keydir_bed_create(64 * MIB, n_ids, true, 10);
    struct rk_keydir_usage usage;
    uint64_t slept_from;

    for (uint32_t id = 0; id < n_ids; id++) {
        keydir_bed_put(bed, id);
        if (id % 512 == 0)
            keydir_bed_pass_once(bed);
    }
    keydir_bed_pass(bed);
    slept_from = keydir_bed_ticket() - 1;
    for (uint32_t id = 0; id < n_ids; id++) {
        keydir_bed_delete(bed, id);
        if (id % 512 != 0)
            continue;
        rk_keydir_writer_reclaim(bed->writer, slept_from);
        usage = rk_keydir_writer_usage(bed->writer);
        ck_assert_msg(usage.limbo_bytes <= LIMBO_BYTES + (usage.used_bytes - usage.limbo_bytes) / 8 + MIB,
                      "%llu in limbo, %llu in all", (unsigned long long)usage.limbo_bytes,
                      (unsigned long long)usage.used_bytes);
    }
    keydir_bed_pass(bed);
    ck_assert_uint_eq(rk_keydir_writer_usage(bed->writer).limbo_bytes, 0);
    keydir_bed_destroy(&bed);
}
END_TEST

/* A reader that never moves on: limbo grows, but only in proportion to the pages, and the limit stops new keys. */
START_TEST(limbo_is_bounded)
{
    struct keydir_bed *bed = keydir_bed_create(512 * MIB, 400000, true, 6);
    struct rk_keydir_usage usage;

    for (uint32_t id = 0; id < 400000; id++)
        keydir_bed_put(bed, id);
    usage = rk_keydir_writer_usage(bed->writer);
    ck_assert_msg(usage.limbo_bytes <= 32 * MIB + 4 * (usage.used_bytes - usage.limbo_bytes),
                  "%llu in limbo, %llu in all", (unsigned long long)usage.limbo_bytes,
                  (unsigned long long)usage.used_bytes);
    keydir_bed_pass(bed);
    for (int i = 0; i < 2000; i++)
        keydir_bed_pass_once(bed);
    keydir_bed_pass(bed);
    usage = rk_keydir_writer_usage(bed->writer);
    ck_assert_uint_eq(usage.limbo_bytes, 0);
    ck_assert_msg(usage.used_bytes <= 27 * usage.n_keys, "%llu bytes left", (unsigned long long)usage.used_bytes);
    keydir_bed_destroy(&bed);
}
END_TEST

START_TEST(readers_cannot_write)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 10, false, 1);
    int fd = rk_keydir_writer_memfd(bed->writer);
    int seals = fcntl(fd, F_GET_SEALS);
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_eq(map, MAP_FAILED);
    ck_assert_int_eq(errno, EACCES);
    ck_assert_int_eq(mprotect(bed->reader->header, 4096, PROT_READ | PROT_WRITE), -1);
    ck_assert_int_eq(seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    keydir_bed_destroy(&bed);
}
END_TEST

START_TEST(store_into_reader_map_is_a_fault)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 10, false, 1);

    signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit of it */
    atomic_store(&bed->reader->header->depth, 7);
}
END_TEST

static enum rk_err attach_changed(size_t off, uint8_t change, size_t file_bytes)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 10, false, 1);
    int fd = memfd_create("changed", MFD_CLOEXEC);
    uint8_t header[RK_KEYDIR_HEADER_BYTES];
    struct rk_keydir *keydir = NULL;
    struct rk_detail detail = { .text = "" };
    enum rk_err err;

    memcpy(header, bed->reader->header, sizeof header);
    header[off] ^= change;
    ck_assert_int_eq(ftruncate(fd, (off_t)(file_bytes != 0 ? file_bytes : bed->reader->region_bytes)), 0);
    ck_assert_int_eq(pwrite(fd, header, sizeof header, 0), (ssize_t)sizeof header);
    err = rk_keydir_attach(&keydir, fd, &detail);
    ck_assert(err == RK_OK ? keydir != NULL : keydir == NULL && detail.text[0] != '\0');
    rk_keydir_detach(&keydir);
    close(fd);
    keydir_bed_destroy(&bed);
    return err;
}

START_TEST(attach_refuses_others)
{
    int pipe_fds[2];
    struct rk_keydir *keydir = NULL;

    ck_assert_int_eq(attach_changed(0, 0, 0), RK_OK);
    ck_assert_int_eq(attach_changed(offsetof(struct rk_keydir_header, magic), 1, 0), RK_ERR_MISMATCH);
    ck_assert_int_eq(attach_changed(offsetof(struct rk_keydir_header, version), 1, 0), RK_ERR_MISMATCH);
    ck_assert_int_eq(attach_changed(offsetof(struct rk_keydir_header, layout), 1, 0), RK_ERR_MISMATCH);
    ck_assert_int_eq(attach_changed(offsetof(struct rk_keydir_header, extents_off) + 2, 1, 0), RK_ERR_MISMATCH);
    ck_assert_int_eq(attach_changed(offsetof(struct rk_keydir_header, max_depth), 0x40, 0), RK_ERR_MISMATCH);
    ck_assert_int_eq(attach_changed(0, 0, RK_KEYDIR_HEADER_BYTES), RK_ERR_MISMATCH);
    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(rk_keydir_attach(&keydir, pipe_fds[0], NULL), RK_ERR_MISMATCH);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    ck_assert_int_ne(rk_keydir_attach(&keydir, -1, NULL), RK_OK);
    ck_assert_ptr_null(keydir);
}
END_TEST

/* The examiner must see what it is there for: each kind of damage, made by hand, and mended again. */
static void expect_damage(const struct keydir_bed *bed, const char *text)
{
    struct rk_detail detail = { .text = "" };

    ck_assert_int_eq(rk_keydir_check_writer(bed->writer, &detail), RK_ERR_CORRUPT);
    ck_assert_msg(strstr(detail.text, text) != NULL, "expected \"%s\" in \"%s\"", text, detail.text);
}

static struct rk_keydir_target target_of(const struct keydir_bed *bed, uint32_t id, struct rk_keydir_place *place)
{
    struct rk_keydir_target target = rk_keydir_resize_target(bed->writer, keydir_bed_fingerprint(id).high);

    ck_assert(rk_keydir_page_find(&target.page, keydir_bed_fingerprint(id), place));
    return target;
}

START_TEST(check_sees_damage_of_entries)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 20000, true, 9);
    struct rk_keydir_place place, other;
    struct rk_keydir_target target;
    struct rk_keydir_bucket *bucket;
    uint64_t high;
    uint32_t id = 0;

    for (uint32_t i = 0; i < bed->n_ids; i++)
        keydir_bed_put(bed, i);
    target = target_of(bed, 0, &place);
    bucket = &target.page.buckets[place.bucket];
    high = bucket->high[place.entry];
    bucket->high[place.entry] = high ^ 1;
    expect_damage(bed, "belongs to another page");
    bucket->high[place.entry] = high ^ 1ull << 63;
    expect_damage(bed, "is not where a lookup looks");
    bucket->high[place.entry] = high;
    bucket->location[place.entry] = 0;
    expect_damage(bed, "keys: the writer says 20000, there are 19999");
    bucket->location[place.entry] = bed->expected[0];
    do
        target = target_of(bed, ++id, &other);
    while (rk_keydir_home(keydir_bed_fingerprint(id).high, target.page.n_buckets) == other.bucket);
    bucket = &target.page.buckets[rk_keydir_home(keydir_bed_fingerprint(id).high, target.page.n_buckets)];
    high = bucket->hint;
    bucket->hint = 0;
    expect_damage(bed, "is not where a lookup looks");
    bucket->hint = (uint32_t)high;
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}
END_TEST

START_TEST(check_sees_damage_of_structure)
{
    struct keydir_bed *bed = keydir_bed_create(16 * MIB, 20000, true, 10);
    struct rk_keydir_writer *writer = bed->writer;
    uint64_t word;

    for (uint32_t i = 0; i < bed->n_ids; i++)
        keydir_bed_put(bed, i);
    ck_assert_uint_gt(writer->region.header->depth, 1);
    word = writer->region.directory[1];
    writer->region.directory[1] = writer->region.directory[0];
    expect_damage(bed, "names the extent of another page");
    writer->region.directory[1] = word + (1ull << 40);
    expect_damage(bed, "word 1 of the directory");
    writer->region.directory[1] = word & ~(0xffull << 32);
    expect_damage(bed, "is no word");
    writer->region.directory[1] = word;
    writer->extents.limbo_steps++;
    expect_damage(bed, "memory in limbo");
    writer->extents.limbo_steps--;
    ck_assert_uint_gt(writer->extents.n_limbo, 0);
    writer->extents.table[writer->extents.limbo_head].state = RK_KEYDIR_BARE;
    expect_damage(bed, "a list of extents");
    writer->extents.table[writer->extents.limbo_head].state = RK_KEYDIR_LIMBO;
    writer->extents.free_maps[rk_keydir_word_extent(word)][0] ^= 1;
    expect_damage(bed, "the map of free entries is wrong");
    writer->extents.free_maps[rk_keydir_word_extent(word)][0] ^= 1;
    keydir_bed_verify(bed);
    keydir_bed_destroy(&bed);
}
END_TEST

START_TEST(destroy_takes_nothing)
{
    struct rk_keydir_writer *writer = NULL;
    struct rk_detail detail = { .text = "" };

    rk_keydir_writer_destroy(&writer);
    ck_assert_int_eq(rk_keydir_writer_create(&writer, 1ull << 60, NULL, &detail), RK_ERR_TOO_LARGE);
    ck_assert_ptr_null(writer);
    ck_assert(detail.text[0] != '\0');
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("keydir");
    TCase *contract = tcase_create("contract");
    TCase *sizes = tcase_create("sizes");

    tcase_add_test(contract, fingerprint_is_siphash);
    tcase_add_test(contract, empty_answers_nothing);
    tcase_add_test(contract, readers_cannot_write);
    tcase_add_test_raise_signal(contract, store_into_reader_map_is_a_fault, SIGSEGV);
    tcase_add_test(contract, attach_refuses_others);
    tcase_add_test(contract, destroy_takes_nothing);
    tcase_add_test(contract, check_sees_damage_of_entries);
    tcase_add_test(contract, check_sees_damage_of_structure);
    suite_add_tcase(suite, contract);
    tcase_set_timeout(sizes, 60);
    tcase_add_test(sizes, model_without_grace);
    tcase_add_test(sizes, model_with_grace);
    tcase_add_test(sizes, same_key_again_and_again);
    tcase_add_test(sizes, bytes_a_key);
    tcase_add_test(sizes, memory_goes_back);
    tcase_add_test(sizes, limit_holds_and_lets_go);
    tcase_add_test(sizes, a_deleted_entry_is_free_when_its_ticket_has_passed);
    tcase_add_test(sizes, the_directory_is_as_deep_as_its_deepest_page);
    tcase_add_test(sizes, limbo_is_bounded);
    tcase_add_test(sizes, limbo_is_bounded_while_the_keydir_is_emptied);
    suite_add_tcase(suite, sizes);
    return suite;
}
