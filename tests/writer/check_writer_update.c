/* Conditional writes from end to end below http: clients as workers have them, rings, the writer thread, files. */
#include "base/base_time.h"
#include "clients_bed.h"
#include "grace/grace.h"
#include "test_main.h"

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
    bool moves_first; /* the record is moved before the first decision is written */
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
    if (change->moves_first && change->n_decisions == 1)
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

static void setup_interval(void)
{
    bed_setup(&(struct bed_settings){ .sync_before_publish = false });
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

Suite *test_suite(void)
{
    Suite *suite = suite_create("writer update");
    TCase *tcase = tcase_create("update");

    tcase_add_checked_fixture(tcase, setup, bed_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_update_sees_what_is_there_and_writes_upon_it);
    suite_add_tcase(suite, tcase);
    (void)setup_interval;
    return suite;
}
