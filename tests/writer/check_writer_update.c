/* Conditional writes from end to end below http: clients as workers have them, rings, the writer thread, files. */
#include "base/base_time.h"
#include "clients_bed.h"
#include "grace/grace.h"
#include "test_main.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one update of a test does: a decision, and what it saw. */
struct change {
    struct bed_told told;
    unsigned n_decisions;
    bool was_there; /* what the last decision saw */
    uint64_t sequence;
    uint64_t location;
    size_t value_len;
    char seen[64]; /* of the value, if it is short */
    bool stops;    /* decides so */
    bool deletes;
    enum rk_store_durability durability;
    uint64_t expiry_ms; /* of what it writes */
    const char *value;  /* what it writes; NULL: one more than the number that is there */
    char number[24];
    unsigned moves; /* of the record, each between a decision and its write */
    const char *key;
    rk_store_ticket ticket;
};

static void see(struct change *change, const struct rk_store_value *current)
{
    change->n_decisions++;
    change->was_there = current != NULL;
    change->seen[0] = '\0';
    if (current == NULL)
        return;
    ck_assert_ptr_null(current->source);
    change->sequence = current->sequence;
    change->location = current->location;
    change->value_len = current->value_len;
    if (current->value != NULL && current->value_len < sizeof change->seen) {
        memcpy(change->seen, current->value, current->value_len);
        change->seen[current->value_len] = '\0';
    }
}

static enum rk_store_decision decide(void *context, const struct rk_store_value *current, struct rk_store_write *write)
{
    struct change *change = context;

    see(change, current);
    if (change->stops)
        return RK_STORE_DECIDED_STOP;
    if (change->n_decisions <= change->moves)
        ck_assert(bed_move(change->key));
    if (change->value == NULL)
        snprintf(change->number, sizeof change->number, "%llu", strtoull(change->seen, NULL, 10) + 1);
    write->is_delete = change->deletes;
    write->value = change->value != NULL ? change->value : change->number;
    write->value_len = change->deletes ? 0 : strlen(write->value);
    write->durability = change->durability;
    write->expiry_ms = change->expiry_ms;
    return RK_STORE_DECIDED_WRITE;
}

static void begin(unsigned client, const char *key, bool folds, struct change *change)
{
    struct rk_store_update update = {
        .key = key, .key_len = strlen(key), .wants_value = true, .folds = folds, .decide = decide
    };

    change->key = key;
    ck_assert_int_eq(
        rk_store_client_update(bed_client(client), &update, &bed_arena, bed_on_done, &change->told, &change->ticket),
        RK_OK);
    ck_assert_uint_eq(change->told.n_calls, 0);
}

/* The callback of an update is given its `told`, which is the first member. */
static void run(unsigned client, const char *key, struct change *change)
{
    begin(client, key, false, change);
    bed_wait(client, &change->told);
}

static void setup(void)
{
    bed_setup(&(struct bed_settings){ .sync_before_publish = true });
}

START_TEST(an_update_sees_what_is_there_and_writes_upon_it)
{
    struct change first = { .value = NULL }, second = { .value = NULL }, third = { .deletes = true };

    run(0, "n", &first);
    ck_assert(!first.was_there && !first.told.result.replaced);
    run(1, "n", &second);
    ck_assert(second.was_there && second.told.result.replaced);
    ck_assert_str_eq(second.seen, "1");
    ck_assert_uint_eq(second.sequence, first.told.result.sequence);
    ck_assert_uint_ne(second.location, 0);
    ck_assert_str_eq(bed_get(0, "n", NULL), "2");
    run(0, "n", &third);
    ck_assert_int_eq(third.told.result.err, RK_OK);
    ck_assert_ptr_null(bed_get(1, "n", NULL));
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

START_TEST(a_loop_does_not_sleep_over_an_update)
{
    struct change change = { .stops = true };

    ck_assert(!rk_store_client_waiting(bed_client(0)));
    begin(0, "a", false, &change);
    ck_assert(rk_store_client_waiting(bed_client(0)));
    ck_assert_int_eq(rk_store_client_poll(bed_client(0)), RK_OK);
    ck_assert_uint_eq(change.told.n_calls, 1);
    ck_assert_int_eq(rk_store_client_poll(bed_client(0)), RK_OK); /* the lane ends */
    ck_assert(!rk_store_client_waiting(bed_client(0)));
}
END_TEST

START_TEST(who_stops_writes_nothing)
{
    struct change first = { .value = "1" }, stops = { .stops = true };

    run(0, "a", &first);
    run(1, "a", &stops);
    ck_assert_int_eq(stops.told.result.err, RK_ERR_PRECONDITION);
    ck_assert(stops.told.result.none);
    ck_assert_uint_eq(stops.told.result.sequence, first.told.result.sequence);
    ck_assert_uint_eq(stops.sequence, first.told.result.sequence);
    ck_assert_str_eq(bed_get(0, "a", NULL), "1");
    ck_assert_uint_eq(rk_counter_get(&bed_writer_stats()->puts), 1);
}
END_TEST

START_TEST(what_is_not_there_is_not_deleted)
{
    struct change change = { .deletes = true };

    run(0, "a", &change);
    ck_assert_int_eq(change.told.result.err, RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(rk_counter_get(&bed_writer_stats()->appended_bytes), 0);
}
END_TEST

/* ---- the lane of a key ---- */

#define N_FOLDED 10u

START_TEST(what_waits_and_folds_is_one_record)
{
    struct change changes[N_FOLDED] = { { .value = NULL } };
    unsigned n_last = 0;

    for (unsigned i = 0; i < N_FOLDED; i++)
        begin(0, "n", true, &changes[i]);
    for (unsigned i = 0; i < N_FOLDED; i++) {
        char seen[8];

        bed_wait(0, &changes[i].told);
        snprintf(seen, sizeof seen, "%u", i);
        ck_assert_str_eq(changes[i].seen, i > 0 ? seen : "");
        ck_assert_int_eq(changes[i].told.result.err, RK_OK);
        ck_assert_int_eq(changes[i].told.result.replaced, i > 0);
        ck_assert(changes[i].told.result.synced);
        ck_assert_uint_eq(changes[i].told.result.sequence, 1);
        ck_assert_uint_eq(changes[i].n_decisions, 1);
        n_last += !changes[i].told.result.folded;
    }
    ck_assert_uint_eq(n_last, 1);
    ck_assert(!changes[N_FOLDED - 1].told.result.folded);
    ck_assert_str_eq(bed_get(0, "n", NULL), "10");
    ck_assert_uint_eq(rk_counter_get(&bed_writer_stats()->puts), 1);
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

START_TEST(a_group_has_an_end)
{
    static struct change changes[1024 + 100];
    unsigned n = sizeof changes / sizeof changes[0];

    memset(changes, 0, sizeof changes);
    for (unsigned i = 0; i < n; i++)
        begin(0, "n", true, &changes[i]);
    bed_wait(0, &changes[n - 1].told);
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(changes[i].told.result.folded, i != 1023 && i != n - 1);
    ck_assert_uint_eq(rk_counter_get(&bed_writer_stats()->puts), 2);
    ck_assert_str_eq(bed_get(0, "n", NULL), "1124");
}
END_TEST

START_TEST(what_does_not_fold_waits_for_its_turn)
{
    struct change changes[3] = { { .value = NULL } };

    begin(0, "n", true, &changes[0]);
    begin(0, "n", false, &changes[1]);
    begin(0, "n", true, &changes[2]);
    for (unsigned i = 0; i < 3; i++) {
        bed_wait(0, &changes[i].told);
        ck_assert(!changes[i].told.result.folded);
        ck_assert_uint_eq(changes[i].told.result.sequence, i + 1);
        ck_assert_uint_eq(changes[i].n_decisions, 1);
    }
    ck_assert_str_eq(bed_get(0, "n", NULL), "3");
}
END_TEST

START_TEST(a_group_is_as_durable_as_its_safest)
{
    struct change changes[2] = { { .durability = RK_STORE_WRITTEN }, { .durability = RK_STORE_SYNCED } };
    struct change alone = { .durability = RK_STORE_WRITTEN };

    begin(0, "n", true, &changes[0]);
    begin(0, "n", true, &changes[1]);
    bed_wait(0, &changes[0].told);
    ck_assert(changes[0].told.result.synced && changes[0].told.result.folded);
    ck_assert(changes[1].told.result.synced);
    run(0, "n", &alone);
    ck_assert(!alone.told.result.synced);
}
END_TEST

/* What is configured here is to wait for nothing. */
START_TEST(a_group_is_synced_whoever_of_it_asks_for_it)
{
    struct change changes[3] = { { .durability = RK_STORE_AS_CONFIGURED } };

    changes[_i].durability = RK_STORE_SYNCED;
    for (unsigned i = 0; i < 3; i++)
        begin(0, "n", true, &changes[i]);
    for (unsigned i = 0; i < 3; i++) {
        bed_wait(0, &changes[i].told);
        ck_assert(changes[i].told.result.synced);
    }
    ck_assert_uint_eq(changes[0].told.result.sequence, changes[2].told.result.sequence);
    changes[_i] = (struct change){ .durability = RK_STORE_WRITTEN };
    run(0, "n", &changes[_i]);
    ck_assert(!changes[_i].told.result.synced);
}
END_TEST

START_TEST(who_stops_upon_others_is_told_when_they_are_written)
{
    struct change write = { .value = "x" }, stop = { .stops = true };

    atomic_store(&bed_disk.n_held, 0);
    atomic_store(&bed_disk.hold_syncs, true);
    begin(0, "n", true, &write);
    begin(0, "n", true, &stop);
    while (atomic_load(&bed_disk.n_held) == 0)
        bed_turn(0);
    ck_assert_str_eq(stop.seen, "x");
    ck_assert_uint_eq(stop.told.n_calls, 0);
    atomic_store(&bed_disk.hold_syncs, false);
    bed_wait(0, &stop.told);
    ck_assert_int_eq(stop.told.result.err, RK_ERR_PRECONDITION);
    ck_assert_uint_eq(stop.told.result.sequence, write.told.result.sequence);
    ck_assert(!write.told.result.folded);
}
END_TEST

START_TEST(a_failure_is_that_of_all_who_are_in_it)
{
    struct change changes[3] = { { .value = NULL }, { .value = NULL }, { .stops = true } };

    atomic_store(&bed_disk.fail_syncs, true);
    for (unsigned i = 0; i < 3; i++)
        begin(0, "n", true, &changes[i]);
    for (unsigned i = 0; i < 3; i++) {
        bed_wait(0, &changes[i].told);
        ck_assert_int_eq(changes[i].told.result.err, RK_ERR_READ_ONLY);
        ck_assert(!changes[i].told.result.none);
    }
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

/* ---- others ---- */

/* Another client's write lies in the writer's ring before the update's own. */
START_TEST(who_was_slower_decides_anew)
{
    struct change change = { .value = NULL };
    struct rk_store_write write = { .key = "n", .key_len = 1, .value = "40", .value_len = 2 };
    struct bed_told told = { 0 };
    rk_store_ticket ticket;

    (void)bed_write(0, "n", "1", 0);
    atomic_store(&bed_disk.n_held, 0);
    atomic_store(&bed_disk.hold_syncs, true);
    ck_assert_int_eq(rk_store_client_write(bed_client(1), &write, bed_on_done, &told, &ticket), RK_OK);
    rk_store_client_flush(bed_client(1));
    while (atomic_load(&bed_disk.n_held) == 0)
        bed_turn(1);
    begin(0, "n", false, &change);
    while (change.n_decisions == 0)
        bed_turn(0);
    ck_assert_str_eq(change.seen, "1"); /* the other one is not published yet */
    atomic_store(&bed_disk.hold_syncs, false);
    bed_wait(0, &change.told);
    bed_wait(1, &told);
    ck_assert_uint_eq(change.n_decisions, 2);
    ck_assert_str_eq(change.seen, "40");
    ck_assert_str_eq(bed_get(0, "n", NULL), "41");
}
END_TEST

START_TEST(a_merge_in_between_is_not_seen)
{
    struct change change = { .value = NULL, .moves = 1 };
    uint64_t sequence = bed_write(0, "n", "1", 0).sequence;

    run(0, "n", &change);
    ck_assert_int_eq(change.told.result.err, RK_OK);
    ck_assert_uint_eq(change.n_decisions, 2);
    ck_assert_uint_eq(change.sequence, sequence);
    ck_assert_uint_ge(change.location >> 40, BED_MOVED_BY);
    ck_assert_str_eq(bed_get(1, "n", NULL), "2");
}
END_TEST

START_TEST(an_update_that_nothing_lets_go_through_ends)
{
    struct change change = { .moves = UINT_MAX };

    (void)bed_write(0, "n", "1", 0);
    run(0, "n", &change);
    ck_assert_int_eq(change.told.result.err, RK_ERR_AGAIN);
    ck_assert(change.told.result.none);
    ck_assert_uint_eq(change.n_decisions, 1000);
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

START_TEST(each_has_its_tries)
{
    struct change changes[3] = { { .moves = 600 }, { .moves = 600 }, { .moves = 600 } };

    (void)bed_write(0, "n", "1", 0);
    for (unsigned i = 0; i < 3; i++)
        begin(0, "n", false, &changes[i]);
    for (unsigned i = 0; i < 3; i++) {
        bed_wait(0, &changes[i].told);
        ck_assert_int_eq(changes[i].told.result.err, RK_OK);
    }
    ck_assert_str_eq(bed_get(0, "n", NULL), "4");
}
END_TEST

/* ---- values of any size ---- */

#define LARGE_BYTES (40u * RK_STORE_PIECE_BYTES + 1000u)

struct touch {
    struct bed_told told;
    bool wants_value;
    unsigned n_decisions;
    uint8_t *was; /* the value that is to be there */
};

/* Gives the value a new expiry, which is to write it again. */
static enum rk_store_decision touch(void *context, const struct rk_store_value *current, struct rk_store_write *write)
{
    struct touch *change = context;

    change->n_decisions++;
    ck_assert_ptr_nonnull(current);
    ck_assert_ptr_null(current->source);
    ck_assert_uint_eq(current->value_len, LARGE_BYTES);
    ck_assert_uint_eq(current->metadata_len, 4);
    ck_assert_mem_eq(current->metadata, "type", 4);
    if (!change->wants_value)
        return RK_STORE_DECIDED_STOP;
    ck_assert(memcmp(current->value, change->was, LARGE_BYTES) == 0);
    write->value = current->value;
    write->value_len = current->value_len;
    write->metadata = current->metadata;
    write->metadata_len = current->metadata_len;
    write->expiry_ms = rk_time_wall_ms() + 3600000;
    return RK_STORE_DECIDED_WRITE;
}

static void begin_touch(struct touch *change, rk_store_ticket *ticket_out)
{
    struct rk_store_update update = {
        .key = "large", .key_len = 5, .wants_value = change->wants_value, .decide = touch
    };

    ck_assert_int_eq(rk_store_client_update(bed_client(0), &update, &bed_arena, bed_on_done, &change->told, ticket_out),
                     RK_OK);
}

static uint8_t *write_large(void)
{
    uint8_t *bytes = bed_arena.allocate(NULL, LARGE_BYTES);
    struct rk_store_write write = {
        .key = "large", .key_len = 5, .metadata = "type", .metadata_len = 4, .value = bytes, .value_len = LARGE_BYTES
    };
    struct bed_told told = { 0 };
    rk_store_ticket ticket;

    for (size_t i = 0; i < LARGE_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    ck_assert_int_eq(rk_store_client_write(bed_client(0), &write, bed_on_done, &told, &ticket), RK_OK);
    bed_wait(0, &told);
    ck_assert_int_eq(told.result.err, RK_OK);
    return bytes;
}

static void setup_interval(void)
{
    bed_setup(&(struct bed_settings){ .sync_before_publish = false });
}

static void setup_large(void)
{
    bed_setup(&(struct bed_settings){ .sync_before_publish = true, .ring_bytes = 16 << 20 });
}

START_TEST(a_large_value_comes_whole_or_not_at_all)
{
    struct touch change = { .wants_value = _i / 2 == 0, .was = write_large() };
    rk_store_ticket ticket;

    atomic_store(&bed_disk.cold, _i % 2 == 1);
    begin_touch(&change, &ticket);
    bed_wait(0, &change.told);
    ck_assert_int_eq(change.told.result.err, change.wants_value ? RK_OK : RK_ERR_PRECONDITION);
    ck_assert_uint_eq(change.n_decisions, 1);
    begin_touch(&change, &ticket); /* of what was touched */
    change.told.n_calls = 0;
    bed_wait(0, &change.told);
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

/* Cancelled after so many turns, at which it is reading here, and writing there; the one behind it goes on. */
START_TEST(a_large_value_that_nobody_wants_any_more_is_let_go)
{
    struct touch first = { .wants_value = true, .was = write_large() }, second = first;
    rk_store_ticket tickets[2];
    unsigned n_calls, n_decisions;

    atomic_store(&bed_disk.cold, _i % 2 == 1);
    begin_touch(&first, &tickets[0]);
    begin_touch(&second, &tickets[1]);
    for (int i = 0; i < _i / 2; i++)
        bed_turn(0);
    n_calls = first.told.n_calls;
    n_decisions = first.n_decisions;
    rk_store_client_cancel(bed_client(0), tickets[0]);
    rk_store_client_cancel(bed_client(0), tickets[0]);
    bed_wait(0, &second.told);
    ck_assert_int_eq(second.told.result.err, RK_OK);
    ck_assert_uint_eq(first.told.n_calls, n_calls);
    ck_assert_uint_eq(first.n_decisions, n_decisions);
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

/* ---- cancel ---- */

START_TEST(who_waits_and_is_cancelled_is_not_asked)
{
    struct change changes[4] = { { .value = NULL } };

    for (unsigned i = 0; i < 4; i++)
        begin(0, "n", true, &changes[i]);
    rk_store_client_cancel(bed_client(0), changes[0].ticket);
    rk_store_client_cancel(bed_client(0), changes[2].ticket);
    bed_wait(0, &changes[3].told);
    ck_assert_uint_eq(changes[0].n_decisions + changes[2].n_decisions, 0);
    ck_assert_uint_eq(changes[0].told.n_calls + changes[2].told.n_calls, 0);
    ck_assert_uint_eq(changes[1].told.n_calls, 1);
    ck_assert_str_eq(bed_get(0, "n", NULL), "2");
    begin(0, "n", true, &changes[0]);
    rk_store_client_cancel(bed_client(0), changes[0].ticket); /* the only one */
    bed_turn(0);
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

START_TEST(who_is_cancelled_while_it_is_written_keeps_its_place)
{
    struct change changes[2] = { { .value = NULL } };

    atomic_store(&bed_disk.n_held, 0);
    atomic_store(&bed_disk.hold_syncs, true);
    begin(0, "n", true, &changes[0]);
    begin(0, "n", true, &changes[1]);
    while (atomic_load(&bed_disk.n_held) == 0)
        bed_turn(0);
    rk_store_client_cancel(bed_client(0), changes[1].ticket);
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 3);
    atomic_store(&bed_disk.hold_syncs, false);
    bed_wait(0, &changes[0].told);
    bed_turn(0);
    ck_assert_uint_eq(changes[1].told.n_calls, 0);
    ck_assert_str_eq(bed_get(0, "n", NULL), "2"); /* it may have happened, and it has */
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

START_TEST(who_is_cancelled_before_it_is_decided_anew_is_left_out)
{
    struct change changes[2] = { { .moves = 1 } };

    (void)bed_write(0, "n", "1", 0);
    begin(0, "n", true, &changes[0]);
    begin(0, "n", true, &changes[1]);
    rk_store_client_flush(bed_client(0));
    ck_assert_int_eq(rk_store_client_poll(bed_client(0)), RK_OK);
    ck_assert_uint_eq(changes[1].n_decisions, 1);
    rk_store_client_cancel(bed_client(0), changes[1].ticket); /* its condition will not hold */
    bed_wait(0, &changes[0].told);
    ck_assert_uint_eq(changes[0].n_decisions, 2);
    ck_assert_uint_eq(changes[1].n_decisions, 1);
    ck_assert(!changes[0].told.result.folded);
    ck_assert_str_eq(bed_get(0, "n", NULL), "2");
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(0)), 0);
}
END_TEST

START_TEST(what_is_under_way_at_the_end_is_forgotten)
{
    static struct change changes[8];

    (void)bed_write(0, "n", "1", 0);
    atomic_store(&bed_disk.cold, true);
    memset(changes, 0, sizeof changes);
    for (unsigned i = 0; i < 8; i++)
        begin(0, i % 2 == 0 ? "n" : "m", i < 4, &changes[i]);
    rk_store_client_flush(bed_client(0));
    ck_assert_int_eq(rk_store_client_poll(bed_client(0)), RK_OK);
}
END_TEST

/* ---- what has expired ---- */

START_TEST(what_has_expired_was_not_there)
{
    uint64_t past_ms = rk_time_wall_ms() - 1;
    struct change change = { .value = "new" }, stops = { .stops = true };

    atomic_store(&bed_disk.cold, _i == 1);
    ck_assert(!bed_write(0, "a", "1", past_ms).replaced);
    ck_assert(!bed_write(0, "a", "2", past_ms).replaced);
    ck_assert_int_eq(bed_write(1, "a", NULL, 0).err, RK_ERR_NOT_FOUND);
    ck_assert_int_eq(bed_write(1, "a", NULL, 0).err, RK_ERR_NOT_FOUND);
    (void)bed_write(0, "a", "1", past_ms);
    run(1, "a", &stops);
    ck_assert(!stops.was_there);
    run(1, "a", &change);
    ck_assert(!change.was_there && !change.told.result.replaced);
    ck_assert_int_eq(change.told.result.err, RK_OK);
    ck_assert(bed_write(0, "a", "3", 0).replaced);
    ck_assert_int_eq(bed_write(1, "a", NULL, 0).err, RK_OK);
    (void)bed_write(0, "a", "1", past_ms);
    change = (struct change){ .deletes = true };
    run(1, "a", &change);
    ck_assert_int_eq(change.told.result.err, RK_ERR_NOT_FOUND);
}
END_TEST

START_TEST(what_may_have_expired_and_has_not_was_there)
{
    uint64_t now_ms = rk_time_wall_ms();

    ck_assert(!bed_write(0, "other", "1", now_ms - 1).replaced); /* something in the file has */
    ck_assert(!bed_write(0, "a", "1", now_ms + 3600000).replaced);
    ck_assert(bed_write(0, "a", "2", 0).replaced);
    ck_assert(bed_write(0, "a", "3", 0).replaced);
    ck_assert_int_eq(bed_write(0, "a", NULL, 0).err, RK_OK);
    ck_assert_uint_gt(atomic_load(&bed_disk.n_reads), 0);
}
END_TEST

START_TEST(what_cannot_have_expired_is_not_read)
{
    uint64_t now_ms = rk_time_wall_ms();

    (void)bed_write(0, "a", "1", 0);
    ck_assert(bed_write(0, "a", "2", now_ms + 3600000).replaced);
    ck_assert(bed_write(0, "a", "3", 0).replaced);
    ck_assert_int_eq(bed_write(0, "a", NULL, 0).err, RK_OK);
    ck_assert_uint_eq(atomic_load(&bed_disk.n_reads), 0);
}
END_TEST

/* The instant at which it expires is that of the write that replaces it. */
START_TEST(what_expires_meanwhile_is_one_or_the_other)
{
    for (unsigned i = 0; i < 50; i++) {
        uint64_t expiry_ms = rk_time_wall_ms() + 2, before_ms;
        bool replaced;

        (void)bed_write(0, "a", "1", expiry_ms);
        before_ms = rk_time_wall_ms();
        replaced = bed_write(0, "a", "2", 0).replaced;
        if (before_ms >= expiry_ms)
            ck_assert(!replaced);
        if (rk_time_wall_ms() < expiry_ms)
            ck_assert(replaced);
    }
}
END_TEST

/* ---- workers against each other, and merges in between ---- */

#define N_AT_ONCE_MAX 32u

static unsigned n_each;    /* increments of each client */
static unsigned n_at_once; /* of these */
static bool only_n;        /* all fold, and are of one key */
static _Atomic bool is_over;

static void *increment(void *argument)
{
    unsigned client = *(unsigned *)argument, n_begun = 0, n_done = 0;
    static struct change changes[BED_CLIENTS][N_AT_ONCE_MAX];
    bool is_under_way[N_AT_ONCE_MAX] = { false };

    rk_grace_register_thread();
    while (n_done < n_each) {
        for (unsigned i = 0; i < n_at_once; i++) {
            struct change *change = &changes[client][i];

            if (is_under_way[i] && atomic_load(&change->told.n_calls) > 0) {
                ck_assert_int_eq(change->told.result.err, RK_OK);
                is_under_way[i] = false;
                n_done++;
            }
            if (!is_under_way[i] && n_begun < n_each) {
                *change = (struct change){ .value = NULL };
                begin(client, i % 4 != 0 || only_n ? "n" : "m", i % 4 != 1 || only_n, change);
                is_under_way[i] = true;
                n_begun++;
            }
        }
        bed_turn(client);
    }
    ck_assert_uint_eq(rk_store_client_n_pending(bed_client(client)), 0);
    rk_grace_unregister_thread();
    return NULL;
}

/* In mode `always` a commit is what costs time: one at a time costs one for each increment. */
START_TEST(many_who_increment_one_key_share_commits)
{
    unsigned numbers[BED_CLIENTS] = { 0, 1 };
    pthread_t threads[BED_CLIENTS];

    n_each = 64 * 20;
    n_at_once = 32;
    only_n = true;
    for (unsigned i = 0; i < BED_CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, increment, &numbers[i]), 0);
    for (unsigned i = 0; i < BED_CLIENTS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(strtoul(bed_get(0, "n", NULL), NULL, 10), BED_CLIENTS * n_each);
    ck_assert_uint_le(atomic_load(&bed_disk.n_syncs), BED_CLIENTS * n_each / 10);
}
END_TEST

/* Increments a second, of one key by all clients with so many each at once. */
static double increments_a_second(unsigned n_clients, unsigned n_at_once_each, unsigned n_increments)
{
    unsigned numbers[BED_CLIENTS] = { 0, 1 };
    uint64_t began_ns = rk_time_monotonic_ns();
    pthread_t threads[BED_CLIENTS];

    n_each = n_increments / n_clients;
    n_at_once = n_at_once_each;
    only_n = true;
    for (unsigned i = 0; i < n_clients; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, increment, &numbers[i]), 0);
    for (unsigned i = 0; i < n_clients; i++)
        pthread_join(threads[i], NULL);
    return n_increments * 1e9 / (double)(rk_time_monotonic_ns() - began_ns);
}

static void setup_disk(void)
{
    bed_setup(&(struct bed_settings){ .sync_before_publish = true, .really_syncs = true });
}

/* RK_UPDATE_DISK=1 has it, in TMPDIR: 64 clients x 1,000. */
START_TEST(sixty_four_are_ten_times_as_fast_as_one)
{
    double one = increments_a_second(1, 1, 1000);
    double many = increments_a_second(BED_CLIENTS, 32, 64000);

    printf("increments a second, one at a time: %.0f; 64 at a time: %.0f\n", one, many);
    ck_assert_str_eq(bed_get(0, "n", NULL), "65000");
    ck_assert(many >= 10 * one);
}
END_TEST

static void *move(void *argument)
{
    (void)argument;
    while (!atomic_load(&is_over)) {
        (void)bed_move("n");
        (void)bed_move("m");
    }
    return NULL;
}

START_TEST(no_increment_is_lost)
{
    unsigned numbers[BED_CLIENTS] = { 0, 1 };
    const char *rounds = getenv("RK_UPDATE_ROUNDS");
    pthread_t threads[BED_CLIENTS], mover;

    n_each = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : 2000;
    n_at_once = 8;
    only_n = false;
    atomic_store(&is_over, false);
    for (unsigned i = 0; i < BED_CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, increment, &numbers[i]), 0);
    ck_assert_int_eq(pthread_create(&mover, NULL, move, NULL), 0);
    for (unsigned i = 0; i < BED_CLIENTS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&is_over, true);
    pthread_join(mover, NULL);
    ck_assert_uint_eq(strtoul(bed_get(0, "n", NULL), NULL, 10) + strtoul(bed_get(0, "m", NULL), NULL, 10),
                      BED_CLIENTS * n_each);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_update_sees_what_is_there_and_writes_upon_it);
    tcase_add_test(tcase, a_loop_does_not_sleep_over_an_update);
    tcase_add_test(tcase, who_stops_writes_nothing);
    tcase_add_test(tcase, what_is_not_there_is_not_deleted);
    tcase_add_test(tcase, what_waits_and_folds_is_one_record);
    tcase_add_test(tcase, a_group_has_an_end);
    tcase_add_test(tcase, what_does_not_fold_waits_for_its_turn);
    tcase_add_test(tcase, a_group_is_as_durable_as_its_safest);
    tcase_add_test(tcase, who_stops_upon_others_is_told_when_they_are_written);
    tcase_add_test(tcase, a_failure_is_that_of_all_who_are_in_it);
    tcase_add_test(tcase, who_was_slower_decides_anew);
    tcase_add_test(tcase, a_merge_in_between_is_not_seen);
    tcase_add_test(tcase, each_has_its_tries);
    tcase_add_test(tcase, an_update_that_nothing_lets_go_through_ends);
    tcase_add_test(tcase, who_waits_and_is_cancelled_is_not_asked);
    tcase_add_test(tcase, who_is_cancelled_while_it_is_written_keeps_its_place);
    tcase_add_test(tcase, who_is_cancelled_before_it_is_decided_anew_is_left_out);
    tcase_add_test(tcase, what_is_under_way_at_the_end_is_forgotten);
    tcase_add_test(tcase, what_may_have_expired_and_has_not_was_there);
    tcase_add_test(tcase, what_cannot_have_expired_is_not_read);
    tcase_add_test(tcase, what_expires_meanwhile_is_one_or_the_other);
    tcase_add_loop_test(tcase, what_has_expired_was_not_there, 0, 2);
    tcase_add_test(tcase, many_who_increment_one_key_share_commits);
    tcase_add_test(tcase, no_increment_is_lost);
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("writer update");
    TCase *tcase = tcase_create("update"), *large = tcase_create("large"), *interval = tcase_create("interval");

    tcase_add_checked_fixture(tcase, setup, bed_teardown);
    tcase_set_timeout(tcase, 60);
    add_tests(tcase);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(interval, setup_interval, bed_teardown);
    tcase_add_loop_test(interval, a_group_is_synced_whoever_of_it_asks_for_it, 0, 3);
    suite_add_tcase(suite, interval);
    tcase_add_checked_fixture(large, setup_large, bed_teardown);
    tcase_set_timeout(large, 60);
    if (getenv("RK_UPDATE_DISK") != NULL) {
        TCase *disk = tcase_create("disk");

        tcase_add_checked_fixture(disk, setup_disk, bed_teardown);
        tcase_set_timeout(disk, 300);
        tcase_add_test(disk, sixty_four_are_ten_times_as_fast_as_one);
        suite_add_tcase(suite, disk);
    }
    tcase_add_loop_test(large, a_large_value_comes_whole_or_not_at_all, 0, 4);
    tcase_add_loop_test(large, a_large_value_that_nobody_wants_any_more_is_let_go, 0, 12);
    suite_add_tcase(suite, large);
    return suite;
}
