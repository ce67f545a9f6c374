/* The checker of histories, checked: by hand-made histories, by random ones that are linear because they were made so,
 * by the same with two operations exchanged, and against an exhaustive search where that is possible. */
#include "linear_check.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OPS_MAX     1100
#define N_CLIENTS_MAX 16
#define N_RANDOM      200
#define N_EXHAUSTIVE  20000

static struct linear_op ops[N_OPS_MAX];
static size_t n_ops;
static char why[LINEAR_WHY_BYTES];

/* ---- by hand ---- */

struct written {
    bool good;
    const char *what;
    /* p VALUE:SEQUENCE@START-END, d 0:..., g ...; END 0: no answer, and nobody knows when; ...! : no answer, END known.
     * What a write found: + nothing, ~ something, =SEQUENCE. xFROM-TO: when it expires. s: a get that was told the
     * sequence alone */
    const char *history;
};

static const struct written table[] = {
    { true, "nothing", "" },
    { true, "absent from the beginning", "g0:0@1-2 g0:0@3-4" },
    { true, "one write, read", "p1:1@1-2 g1:1@3-4" },
    { true, "read while it is written", "p1:1@1-9 g1:1@2-3 g1:1@4-5" },
    { true, "absent, then present, while it is written", "p1:1@1-9 g0:0@2-3 g1:1@4-5" },
    { false, "present, then absent, while it is written", "p1:1@1-9 g1:1@2-3 g0:0@4-5" },
    { false, "a read of a value that nobody wrote", "p1:1@1-2 g7:2@3-4" },
    { false, "a read before its write", "g1:1@1-2 p1:1@3-4" },
    { false, "a lost write", "p1:1@1-2 g0:0@3-4" },
    { false, "a lost write, the sequence told", "p1:1@1-2 g0:1@3-4" },
    { false, "a stale read", "p1:1@1-2 p2:2@3-4 g1:1@5-6" },
    { true, "an old read that began before the write ended", "p1:1@1-2 p2:2@3-6 g1:1@5-7" },
    { false, "new, then old", "p1:1@1-2 p2:2@3-20 g2:2@4-5 g1:1@6-7" },
    { true, "old, then new", "p1:1@1-2 p2:2@3-20 g1:1@4-5 g2:2@6-7" },
    { false, "two readers see two writes in different orders",
      "p1:1@1-20 p2:2@1-20 g1:1@2-3 g2:2@4-5 g2:2@2-3 g1:1@4-5" },
    { true, "a delete", "p1:1@1-2 d0:2@3-4 g0:2@5-6" },
    { true, "a delete, the read behind with an older sequence", "p1:1@1-2 d0:2@3-6 g0:1@5-7" },
    { false, "a delete that did nothing", "p1:1@1-2 d0:2@3-4 g1:1@5-6" },
    { false, "a delete that comes back", "p1:1@1-2 d0:2@3-4 g0:2@5-6 g1:1@7-8" },
    { true, "written again", "p1:1@1-2 d0:2@3-4 p2:3@5-6 g2:3@7-8" },
    { false, "absent though it was written again", "p1:1@1-2 d0:2@3-4 p2:3@5-6 g0:3@7-8" },
    { true, "absent between two writes at once", "p1:1@1-2 d0:2@3-9 p2:3@3-9 g0:1@4-5 g2:3@6-7" },
    { false, "absent, but the delete is older than what was read", "p1:1@1-2 d0:2@3-20 p2:3@3-20 g2:3@4-5 g0:1@6-7" },
    { false, "two writes of one sequence", "p1:1@1-2 p2:1@3-4" },
    { false, "sequences against real time", "p1:2@1-2 p2:1@3-4" },
    { true, "sequences against the order of starts", "p1:2@1-9 p2:1@3-9 g1:2@10-11" },
    { false, "a value with two sequences", "p1:1@1-2 g1:2@3-4" },
    { false, "a read that names another write's sequence", "p1:1@1-3 p2:2@1-3 g1:2@4-5" },
    { true, "without an answer, never read", "p1:1@1-2 p2:0@3-0 g1:1@5-6" },
    { true, "without an answer, read much later", "p1:1@1-2 p2:0@3-0 g1:1@5-6 g2:9@7-8 g2:9@9-10" },
    { false, "without an answer, read and lost", "p1:1@1-2 p2:0@3-0 g2:9@7-8 g1:1@9-10" },
    { false, "without an answer, read before it was sent", "p1:1@1-2 g2:9@3-4 p2:0@5-0" },
    { true, "a delete without an answer", "p1:1@1-2 d0:0@3-0 g1:1@5-6 g0:5@7-8 g0:5@9-10" },
    { true, "a delete without an answer, between two writes", "p1:1@1-2 d0:0@3-0 g0:1@4-5 p2:3@6-7 g2:3@8-9" },
    { false, "a delete without an answer explains one absence", "p1:1@1-2 d0:0@3-0 g0:1@4-5 p2:3@6-7 g0:3@8-9" },
    { false, "a delete without an answer, sent too late", "p1:1@1-2 g0:1@3-4 d0:0@5-0" },
    { false, "a delete without an answer that was over by then", "p1:1@1-2 d0:0@3-4! g1:1@5-6 g0:1@7-8" },
    { false, "a delete without an answer, from before the write", "d0:0@1-2! p1:1@3-4 g0:1@5-6" },
    { true, "the instant of an end and of a start overlap", "p1:1@1-2 p2:2@3-5 g1:1@5-6" },
    { true, "created, replaced", "p1:1@1-2+ p2:2@3-4~ g2:2@5-6" },
    { false, "replaced nothing", "p1:1@1-2~" },
    { false, "created over a value", "p1:1@1-2 p2:2@3-4+" },
    { true, "created after a delete", "p1:1@1-2 d0:2@3-4~ p2:3@5-6+" },
    { false, "deleted twice", "p1:1@1-2 d0:2@3-4~ d0:3@5-6~" },
    { true, "created after a delete without an answer", "p1:1@1-2 d0:0@3-0 p2:3@5-6+ g2:3@7-8" },
    { false, "created twice after one delete without an answer", "p1:1@1-2 d0:0@3-0 p2:3@5-6+ p3:4@7-8+" },
    { false, "created, with a delete that came too late", "p1:1@1-2 p2:3@5-6+ d0:0@7-0" },
    { true, "compared and set", "p1:1@1-2 p2:2@3-4=1 p3:3@5-6=2" },
    { false, "compared with an older one", "p1:1@1-2 p2:2@3-4=1 p3:3@5-6=1" },
    { false, "two at once for the same one", "p1:1@1-2 p2:2@3-9=1 p3:3@3-9=1" },
    { true, "one without an answer, and one that was for the same", "p1:1@1-2 p2:0@3-0=1 p3:3@3-9=1" },
    { false, "one without an answer that was done, for the same", "p1:1@1-2 p2:0@3-0=1 p3:3@3-9=1 g2:2@4-5" },
    { true, "one without an answer that was done, then the next", "p1:1@1-2 p2:0@3-0=1 p3:3@3-9=2 g2:2@4-5" },
    { false, "a delete without an answer between", "p1:1@1-2 d0:0@3-0 p2:2@3-9=1 g0:1@4-5 g2:2@10-11" },
    { true, "a delete of another write without an answer", "p1:1@1-2 p2:2@3-4 d0:0@3-0=2 g0:2@5-6" },
    { false, "a delete of the older write without an answer", "p1:1@1-2 p2:2@3-4 d0:0@3-0=1 g0:2@5-6" },
    { true, "told the sequence", "p1:1@1-2 s0:1@3-4 p2:2@5-6 s0:2@7-8" },
    { false, "told an old sequence", "p1:1@1-2 p2:2@5-6 s0:1@7-8" },
    { false, "told a sequence that nobody wrote", "p1:1@1-2 s0:2@3-4" },
    { false, "told the sequence of a delete", "p1:1@1-2 d0:2@3-4 s0:2@5-6" },
    { true, "told one that may be of a write without an answer", "p1:1@1-2 p2:0@3-0 s0:2@5-6" },
    { true, "expired", "p1:1@1-2x10-12 g1:1@3-4 g0:1@13-14 p2:2@15-16+" },
    { false, "expired, but read", "p1:1@1-2x10-12 g1:1@13-14" },
    { false, "expired, but replaced", "p1:1@1-2x10-12 p2:2@13-14~" },
    { false, "expired, but compared with", "p1:1@1-2x10-12 p2:2@13-14=1" },
    { false, "absent before it expired", "p1:1@1-2x10-12 g0:1@5-6" },
    { false, "created before it had expired", "p1:1@1-2x10-12 p2:2@5-6+" },
    { true, "either, while it expires", "p1:1@1-2x10-12 g1:1@11-11 g0:1@11-11 p2:2@11-11+" },
    { false, "expired and back", "p1:1@1-2x10-12 g0:1@10-10 g1:1@11-11" },
    { true, "expired after it was found, before it was replaced", "p1:1@1-2x10-12 g0:1@13-14 p2:2@11-16~" },
    { true, "written anew, it does not expire", "p1:1@1-2x10-12 p2:2@5-6~ g2:2@20-21" },
};

/* What stands behind an operation; returns what is behind that. */
static const char *read_suffix(const char *text, struct linear_op *op)
{
    unsigned long long from, to;
    int used = 0;

    if (*text == '+' || *text == '~') {
        op->before = *text == '+' ? LINEAR_FOUND_NOTHING : LINEAR_FOUND_SOMETHING;
        return text + 1;
    }
    if (sscanf(text, "=%llu%n", &from, &used) == 1) {
        op->before = LINEAR_FOUND_SEQUENCE;
        op->before_sequence = from;
    } else if (sscanf(text, "x%llu-%llu%n", &from, &to, &used) == 2) {
        op->expires_from_ns = from;
        op->expires_to_ns = to;
    }
    return text + used;
}

static void read_history(const char *text)
{
    n_ops = 0;
    while (*text != '\0') {
        struct linear_op *op = &ops[n_ops++];
        unsigned long long value, sequence, start, end;
        int used = 0;

        ck_assert_int_eq(sscanf(text + 1, "%llu:%llu@%llu-%llu%n", &value, &sequence, &start, &end, &used), 4);
        *op = (struct linear_op){ .kind = *text == 'p'   ? LINEAR_PUT
                                          : *text == 'd' ? LINEAR_DELETE
                                                         : LINEAR_GET,
                                  .answered = end != 0 && text[1 + used] != '!',
                                  .start_ns = start,
                                  .end_ns = end != 0 ? end : LINEAR_NEVER,
                                  .value = *text == 's' ? LINEAR_VALUE_UNTOLD : value,
                                  .sequence = sequence };
        text += 1 + used;
        text += strspn(text, "!");
        text = read_suffix(read_suffix(text, op), op);
        text += strspn(text, " ");
    }
}

START_TEST(histories_by_hand)
{
    const struct written *written = &table[_i];
    bool good;

    read_history(written->history);
    good = linear_check_key(ops, n_ops, why);
    ck_assert_msg(good == written->good, "%s: %s", written->what, good ? "accepted" : why);
}
END_TEST

/* ---- at random ---- */

static uint32_t random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 10) % n;
}

enum stage { STAGE_IDLE, STAGE_CALLED, STAGE_DONE };

/* A register, and clients that take random steps: each operation happens somewhere between its call and its answer. */
struct simulation {
    uint64_t now;
    uint64_t last_sequence;
    uint64_t value; /* what the register has: 0, nothing */
    uint64_t sequence;
    uint64_t next_value;
    uint64_t expires_ns;    /* 0: never */
    bool expires_some;      /* whether puts may expire */
    bool tells_found;       /* whether writes say what they found */
    unsigned n_lost_in_100; /* operations that get no answer */
    unsigned n_clients;
    enum stage stages[N_CLIENTS_MAX];
    struct linear_op under_way[N_CLIENTS_MAX];
};

static void call(struct simulation *sim, unsigned client)
{
    struct linear_op *op = &sim->under_way[client];
    unsigned dice = random_below(100);

    *op = (struct linear_op){ .kind = dice < 40   ? LINEAR_GET
                                      : dice < 75 ? LINEAR_PUT
                                                  : LINEAR_DELETE,
                              .client = (uint16_t)client,
                              .start_ns = sim->now };
    if (op->kind == LINEAR_PUT)
        op->value = sim->next_value++;
    op->sequence = sim->last_sequence; /* what a read that finds nothing may tell */
    sim->stages[client] = STAGE_CALLED;
}

/* A read sees what is there. */
static void happen_get(struct simulation *sim, struct linear_op *op)
{
    op->value = sim->value;
    if (op->value != 0 || random_below(2) == 0)
        op->sequence = op->value != 0 ? sim->sequence : sim->last_sequence;
    if (op->value != 0 && random_below(8) == 0)
        op->value = LINEAR_VALUE_UNTOLD;
}

/* What a write says that it has found. */
static void find(const struct simulation *sim, struct linear_op *op)
{
    op->before = sim->value == 0        ? LINEAR_FOUND_NOTHING
                 : random_below(2) == 0 ? LINEAR_FOUND_SOMETHING
                                        : LINEAR_FOUND_SEQUENCE;
    op->before_sequence = op->before == LINEAR_FOUND_SEQUENCE ? sim->sequence : 0;
    if (random_below(3) == 0 || !sim->tells_found)
        op->before = LINEAR_FOUND_ANYTHING;
}

static void happen(struct simulation *sim, unsigned client)
{
    struct linear_op *op = &sim->under_way[client];

    sim->stages[client] = STAGE_DONE;
    if (sim->expires_ns != 0 && sim->expires_ns <= sim->now)
        sim->value = 0;
    if (op->kind == LINEAR_GET) {
        happen_get(sim, op);
        return;
    }
    find(sim, op);
    sim->last_sequence += 1 + random_below(3);
    sim->sequence = op->sequence = sim->last_sequence;
    sim->value = op->kind == LINEAR_PUT ? op->value : 0;
    sim->expires_ns = 0;
    if (op->kind == LINEAR_PUT && sim->expires_some && random_below(4) == 0)
        sim->expires_ns = op->expires_from_ns = op->expires_to_ns = sim->now + 1 + random_below(40);
}

static void end(struct simulation *sim, unsigned client, bool answered)
{
    struct linear_op *op = &sim->under_way[client];

    sim->stages[client] = STAGE_IDLE;
    op->answered = answered;
    op->end_ns = answered || random_below(2) == 0 ? sim->now : LINEAR_NEVER;
    if (!answered)
        op->sequence = 0;
    if (!answered && op->before != LINEAR_FOUND_SEQUENCE)
        op->before = LINEAR_FOUND_ANYTHING; /* nobody was told; the sequence was in the request */
    if (answered || op->kind != LINEAR_GET)
        ops[n_ops++] = *op;
}

enum telling { TELLS_NOTHING, TELLS_FOUND, TELLS_FOUND_EXPIRES };

static void simulate(size_t n, unsigned n_clients, unsigned n_lost_in_100, enum telling telling)
{
    struct simulation sim = { .now = 1,
                              .last_sequence = 1,
                              .next_value = 1,
                              .expires_some = telling == TELLS_FOUND_EXPIRES,
                              .tells_found = telling != TELLS_NOTHING,
                              .n_clients = n_clients,
                              .n_lost_in_100 = n_lost_in_100 };

    for (n_ops = 0; n_ops < n; sim.now++) {
        unsigned client = random_below(n_clients);

        if (sim.stages[client] == STAGE_IDLE)
            call(&sim, client);
        else if (random_below(100) < sim.n_lost_in_100)
            end(&sim, client, false);
        else if (sim.stages[client] == STAGE_CALLED)
            happen(&sim, client);
        else
            end(&sim, client, true);
    }
    for (unsigned client = 0; client < n_clients; client++)
        if (sim.stages[client] != STAGE_IDLE)
            end(&sim, client, sim.stages[client] == STAGE_DONE);
}

START_TEST(random_linear_histories_are_accepted)
{
    for (unsigned i = 0; i < N_RANDOM; i++) {
        random_state = i;
        simulate(20 + random_below(1000), 2 + random_below(N_CLIENTS_MAX - 1), i % 4 == 0 ? 0 : i % 20,
                 (enum telling)(i % 3));
        ck_assert_msg(linear_check_key(ops, n_ops, why), "seed %u: %s", i, why);
        ck_assert_msg(linear_check(ops, n_ops, why), "seed %u: %s", i, why);
    }
}
END_TEST

static bool names_its_write(const struct linear_op *op)
{
    return op->answered && (op->kind != LINEAR_GET || op->value != 0);
}

/* Exchanges what two operations did, one of which ended before the other began and saw an older write. */
static bool swap_a_pair(void)
{
    for (unsigned tries = 0; tries < 100000; tries++) {
        struct linear_op *a = &ops[random_below((unsigned)n_ops)], *b = &ops[random_below((unsigned)n_ops)];
        struct linear_op was = *a;

        if (a->end_ns >= b->start_ns || a->sequence >= b->sequence || !names_its_write(a) || !names_its_write(b))
            continue;
        a->kind = b->kind;
        a->value = b->value;
        a->sequence = b->sequence;
        b->kind = was.kind;
        b->value = was.value;
        b->sequence = was.sequence;
        return true;
    }
    return false;
}

START_TEST(a_swapped_pair_is_refused)
{
    for (unsigned i = 0; i < N_RANDOM; i++) {
        random_state = i;
        simulate(20 + random_below(1000), 2 + random_below(N_CLIENTS_MAX - 1), i % 4 == 0 ? 0 : i % 20,
                 (enum telling)(i % 3));
        ck_assert(swap_a_pair());
        ck_assert_msg(!linear_check_key(ops, n_ops, why), "seed %u", i);
        ck_assert_uint_gt(strlen(why), 10);
    }
}
END_TEST

/* A read that was answered with the value before: the zones alone must refuse it, for its sequence is the right one of
 * that value. */
START_TEST(a_stale_read_is_refused)
{
    for (unsigned i = 0; i < N_RANDOM; i++) {
        struct linear_op *stale = NULL;
        struct linear_op newest = { .sequence = 0 };

        random_state = i;
        simulate(500, 2 + random_below(7), 0, TELLS_FOUND);
        for (size_t at = 0; at < n_ops; at++) /* in the order of ends */
            if (ops[at].kind != LINEAR_GET && ops[at].sequence > newest.sequence)
                newest = ops[at];
        for (size_t at = 0; at < n_ops; at++)
            if (ops[at].kind == LINEAR_PUT && ops[at].end_ns < newest.start_ns)
                stale = &ops[at];
        ops[n_ops] = *stale;
        ops[n_ops].kind = LINEAR_GET;
        ops[n_ops].start_ns = ops[n_ops - 1].end_ns + 1;
        ops[n_ops].end_ns = ops[n_ops].start_ns + 1;
        ck_assert_msg(!linear_check_key(ops, n_ops + 1, why), "seed %u", i);
    }
}
END_TEST

START_TEST(a_sequence_that_is_older_than_an_answer_is_refused)
{
    ops[0] = (struct linear_op){ .kind = LINEAR_PUT,
                                 .answered = true,
                                 .client = 1,
                                 .key = 1,
                                 .start_ns = 1,
                                 .end_ns = 2,
                                 .value = 100,
                                 .sequence = 5 };
    ops[1] = (struct linear_op){ .kind = LINEAR_GET,
                                 .answered = true,
                                 .client = 1,
                                 .key = 2,
                                 .start_ns = 3,
                                 .end_ns = 4,
                                 .value = 0,
                                 .sequence = 5 };
    ops[2] = (struct linear_op){ .kind = LINEAR_PUT,
                                 .answered = true,
                                 .client = 1,
                                 .key = 2,
                                 .start_ns = 5,
                                 .end_ns = 6,
                                 .value = 101,
                                 .sequence = 6 };
    ck_assert(linear_check(ops, 3, why));
    ops[1].sequence = 4; /* another key, but published was more than that */
    ck_assert(!linear_check(ops, 3, why));
    ops[1].sequence = 5;
    ops[2].sequence = 5;
    ck_assert(!linear_check(ops, 3, why));
}
END_TEST

/* ---- against an exhaustive search ---- */

struct search {
    uint64_t sequences[16];
    bool applied[16];
    size_t n_answered; /* still to come */
};

static bool may_come_next(const struct search *search, size_t next)
{
    for (size_t i = 0; i < n_ops; i++) {
        if (!search->applied[i] && ops[i].answered && ops[i].end_ns < ops[next].start_ns)
            return false;
        if (search->applied[i] && ops[i].start_ns > ops[next].end_ns)
            return false;
    }
    return true;
}

/* Whether a write with this sequence or a lower one is still to come. */
static bool comes_later(const struct search *search, uint64_t sequence)
{
    for (size_t i = 0; i < n_ops; i++)
        if (!search->applied[i] && ops[i].kind != LINEAR_GET && search->sequences[i] != 0
            && search->sequences[i] <= sequence)
            return true;
    return false;
}

static bool finds(const struct linear_op *op, uint64_t value, uint64_t sequence)
{
    switch (op->before) {
    case LINEAR_FOUND_NOTHING:
        return value == 0;
    case LINEAR_FOUND_SOMETHING:
        return value != 0;
    case LINEAR_FOUND_SEQUENCE:
        return value != 0 && sequence == op->before_sequence;
    default:
        return true;
    }
}

static bool is_known(const struct search *search, uint64_t sequence)
{
    for (size_t i = 0; i < n_ops; i++)
        if (ops[i].kind != LINEAR_GET && search->sequences[i] == sequence)
            return true;
    return false;
}

static bool sees(const struct search *search, const struct linear_op *op, uint64_t value, uint64_t sequence)
{
    if (op->value != LINEAR_VALUE_UNTOLD)
        return op->value == value;
    return value != 0 && (sequence == op->sequence || (sequence == 0 && !is_known(search, op->sequence)));
}

/* `sequence` is 0 where the write that stands has none that we know. */
static bool find_order(struct search *search, uint64_t value, uint64_t sequence)
{
    if (search->n_answered == 0)
        return true;
    for (size_t i = 0; i < n_ops; i++) {
        bool is_read = ops[i].kind == LINEAR_GET;
        bool found;

        if (search->applied[i] || !may_come_next(search, i))
            continue;
        if (is_read ? !sees(search, &ops[i], value, sequence) : !finds(&ops[i], value, sequence))
            continue;
        if (is_read && value == 0 && comes_later(search, ops[i].sequence))
            continue;
        if (!is_read && search->sequences[i] != 0 && comes_later(search, search->sequences[i] - 1))
            continue;
        search->applied[i] = true;
        search->n_answered -= ops[i].answered;
        found = find_order(search, is_read ? value : ops[i].value, is_read ? sequence : search->sequences[i]);
        search->n_answered += ops[i].answered;
        search->applied[i] = false;
        if (found)
            return true;
    }
    return false;
}

static size_t find_write(uint64_t value)
{
    for (size_t i = 0; i < n_ops; i++)
        if (ops[i].kind == LINEAR_PUT && ops[i].value == value)
            return i;
    return n_ops;
}

static bool is_linear(void)
{
    struct search search = { .n_answered = 0 };

    for (size_t i = 0; i < n_ops; i++) {
        search.n_answered += ops[i].answered;
        search.sequences[i] = ops[i].sequence;
    }
    for (size_t i = 0; i < n_ops; i++) {
        size_t write = find_write(ops[i].value);

        if (ops[i].kind != LINEAR_GET || ops[i].value == 0 || ops[i].value == LINEAR_VALUE_UNTOLD)
            continue;
        if (write == n_ops || (search.sequences[write] != 0 && search.sequences[write] != ops[i].sequence))
            return false;
        search.sequences[write] = ops[i].sequence;
    }
    for (size_t i = 0; i < n_ops; i++)
        for (size_t j = 0; j < i; j++)
            if (ops[i].kind != LINEAR_GET && ops[j].kind != LINEAR_GET && search.sequences[i] != 0
                && search.sequences[i] == search.sequences[j])
                return false;
    return find_order(&search, 0, 0);
}

/* Changes one thing; most histories are then wrong, some are not. */
static void disturb(void)
{
    struct linear_op *a = &ops[random_below((unsigned)n_ops)], *b = &ops[random_below((unsigned)n_ops)];
    struct linear_op was = *a;

    switch (random_below(3)) {
    case 0:
        a->start_ns = b->start_ns;
        a->end_ns = b->end_ns;
        b->start_ns = was.start_ns;
        b->end_ns = was.end_ns;
        return;
    case 1:
        if (a->kind == LINEAR_GET && b->answered && b->kind != LINEAR_DELETE) {
            a->value = b->value;
            a->sequence = b->sequence;
        }
        return;
    default:
        if (a->kind == LINEAR_GET && a->value == 0)
            a->sequence = random_below((unsigned)a->sequence + 4);
    }
}

START_TEST(an_exhaustive_search_agrees)
{
    unsigned n_good = 0, n_bad = 0;

    for (unsigned i = 0; i < N_EXHAUSTIVE; i++) {
        enum telling telling = i % 3 == 0 ? TELLS_NOTHING : TELLS_FOUND;
        bool is_lost = false, linear, accepted; /* a write that makes the checker milder */

        random_state = i;
        simulate(3 + random_below(6), 2 + random_below(3), i % 2 == 0 ? 0 : 15, telling);
        if (i % 4 != 0)
            disturb();
        for (size_t at = 0; at < n_ops; at++)
            is_lost |= !ops[at].answered && (ops[at].kind == LINEAR_DELETE || telling == TELLS_FOUND);
        linear = is_linear();
        accepted = linear_check_key(ops, n_ops, why);
        ck_assert_msg(!linear || accepted, "seed %u: %s", i, why);
        ck_assert_msg(linear || !accepted || is_lost, "seed %u was accepted", i);
        n_good += linear;
        n_bad += !accepted;
    }
    ck_assert_uint_gt(n_good, N_EXHAUSTIVE / 10);
    ck_assert_uint_gt(n_bad, N_EXHAUSTIVE / 10);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("linear");
    TCase *tcase = tcase_create("linear");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, histories_by_hand, 0, (int)(sizeof table / sizeof table[0]));
    tcase_add_test(tcase, random_linear_histories_are_accepted);
    tcase_add_test(tcase, a_swapped_pair_is_refused);
    tcase_add_test(tcase, a_stale_read_is_refused);
    tcase_add_test(tcase, a_sequence_that_is_older_than_an_answer_is_refused);
    tcase_add_test(tcase, an_exhaustive_search_agrees);
    suite_add_tcase(suite, tcase);
    return suite;
}
