#include "linear_driver.h"

#include "linear_client.h"
#include "system_server.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_OUTAGES_MAX 100000
#define RETRY_US      1000 /* nobody listens */

struct runner {
    struct linear_driver *driver;
    pthread_t thread;
    struct linear_client client;
};

struct outage {
    enum linear_outage what;
    uint64_t from_ns;
    uint64_t to_ns;
};

struct linear_driver {
    struct linear_driver_settings settings;
    _Atomic int port; /* 0: nobody serves yet */
    _Atomic bool stopping;
    bool is_joined;
    struct linear_tally tally;
    struct outage *outages;
    size_t n_outages;
    uint64_t lasts[LINEAR_N_THINGS]; /* in the end: the positions of counters and lists */
    uint64_t *words[LINEAR_N_THINGS];
    struct runner runners[]; /* one more than there are threads: the last reads everything at the end */
};

/* Connected to whoever serves now. */
static bool connect_client(struct runner *runner)
{
    struct system_client *connection = &runner->client.connection;
    int port = runner->driver->port;

    if (port != 0 && (connection->fd >= 0 || system_client_open(connection, port)))
        return true;
    usleep(RETRY_US);
    return false;
}

static void *runner_main(void *argument)
{
    struct runner *runner = argument;
    struct linear_driver *driver = runner->driver;

    while (!driver->stopping && driver->tally.n_answered < driver->settings.n_ops_max) {
        if (!connect_client(runner))
            continue;
        linear_client_step(&runner->client);
        if (driver->settings.think_us > 0)
            usleep(driver->settings.think_us);
    }
    system_client_close(&runner->client.connection);
    return NULL;
}

struct linear_driver *linear_driver_start(const struct linear_driver_settings *settings)
{
    struct linear_driver *driver = calloc(1, sizeof *driver + (settings->n_clients + 1) * sizeof driver->runners[0]);

    driver->settings = *settings;
    driver->outages = calloc(N_OUTAGES_MAX, sizeof *driver->outages);
    for (unsigned i = 0; i <= settings->n_clients; i++) {
        driver->runners[i].driver = driver;
        linear_client_init(&driver->runners[i].client, i, settings->seed, settings->n_keys, settings->n_cold_keys,
                           &driver->tally);
    }
    for (unsigned i = 0; i < settings->n_clients; i++)
        ck_assert_int_eq(pthread_create(&driver->runners[i].thread, NULL, runner_main, &driver->runners[i]), 0);
    return driver;
}

void linear_driver_serve(struct linear_driver *driver, int port)
{
    driver->port = port;
}

size_t linear_driver_n_answered(const struct linear_driver *driver)
{
    return driver->tally.n_answered;
}

size_t linear_driver_n_written(const struct linear_driver *driver)
{
    return driver->tally.n_written;
}

size_t linear_driver_n_refused(const struct linear_driver *driver)
{
    return driver->tally.n_refused;
}

bool linear_driver_wait(struct linear_driver *driver, size_t n_more, long timeout_ms)
{
    long deadline = system_now_ms() + timeout_ms;
    size_t target = driver->tally.n_answered + n_more;

    while (driver->tally.n_answered < target && driver->tally.n_answered < driver->settings.n_ops_max) {
        if (system_now_ms() > deadline)
            return false;
        usleep(RETRY_US);
    }
    return true;
}

void linear_driver_note_outage(struct linear_driver *driver, enum linear_outage outage, uint64_t from_ns,
                               uint64_t to_ns)
{
    ck_assert_uint_lt(driver->n_outages, N_OUTAGES_MAX);
    driver->outages[driver->n_outages++] = (struct outage){ outage, from_ns, to_ns };
}

static void join_clients(struct linear_driver *driver)
{
    driver->stopping = true;
    for (unsigned i = 0; i < driver->settings.n_clients && !driver->is_joined; i++)
        pthread_join(driver->runners[i].thread, NULL);
    driver->is_joined = true;
}

static void read_things(struct linear_driver *driver, struct linear_client *last)
{
    for (unsigned thing = 0; thing < LINEAR_N_THINGS; thing++) {
        size_t n_words = 0;

        if (thing < LINEAR_N_COUNTERS) {
            ck_assert_msg(linear_client_read_counter(last, thing, &driver->lasts[thing]), "counter %u at the end",
                          thing);
        } else {
            ck_assert_msg(linear_client_read_list(last, thing, &driver->words[thing], &n_words), "list %u at the end",
                          thing);
            driver->lasts[thing] = n_words;
        }
    }
}

void linear_driver_stop(struct linear_driver *driver)
{
    struct linear_client *last = &driver->runners[driver->settings.n_clients].client;

    join_clients(driver);
    last->connection.port = driver->port;
    for (uint32_t key = 0; key < driver->settings.n_keys + driver->settings.n_cold_keys; key++) {
        size_t n_before = last->n_ops;

        linear_client_read(last, key);
        ck_assert_msg(last->n_ops == n_before + 1, "key %" PRIu32 " could not be read at the end", key);
    }
    read_things(driver, last);
    system_client_close(&last->connection);
}

/* A write of which nobody knew whether it would happen: when the next master served. */
static uint64_t latest_end_of_unknown(const struct linear_driver *driver, const struct linear_op *op)
{
    for (size_t i = 0; i < driver->n_outages; i++)
        if (driver->outages[i].what == LINEAR_MASTER_KILLED && driver->outages[i].from_ns >= op->start_ns)
            return driver->outages[i].to_ns;
    return LINEAR_NEVER;
}

/* When a write without an answer had happened at the latest: when somebody else served in place of the process that was
 * killed under it. */
static uint64_t latest_end(const struct linear_driver *driver, const struct linear_op *op)
{
    const struct outage *last = NULL;

    if (op->is_unknown)
        return latest_end_of_unknown(driver, op);
    if (op->end_ns - op->start_ns > (SYSTEM_DEADLINE_MS - 1000) * 1000000ull)
        return LINEAR_NEVER; /* the connection did not break */
    for (size_t i = 0; i < driver->n_outages && driver->outages[i].from_ns <= op->end_ns; i++)
        last = &driver->outages[i];
    if (last == NULL || last->to_ns < op->start_ns)
        return LINEAR_NEVER;
    return last->to_ns > op->end_ns ? last->to_ns : op->end_ns;
}

static struct linear_op *collect(const struct linear_driver *driver, size_t *n_out, size_t *n_unanswered_out)
{
    struct linear_op *ops;
    size_t n = 0;

    *n_out = *n_unanswered_out = 0;
    for (unsigned i = 0; i <= driver->settings.n_clients; i++)
        n += driver->runners[i].client.n_ops;
    ops = calloc(n + 1, sizeof *ops);
    for (unsigned i = 0; i <= driver->settings.n_clients; i++)
        for (size_t at = 0; at < driver->runners[i].client.n_ops; at++) {
            struct linear_op *op = &ops[(*n_out)++];

            *op = driver->runners[i].client.ops[at];
            if (op->answered)
                continue;
            op->end_ns = latest_end(driver, op);
            (*n_unanswered_out)++;
        }
    return ops;
}

/* ---- counters and lists ---- */

/* Where a word stands in its list; 0: nowhere. */
static uint64_t find_word(const struct linear_driver *driver, unsigned thing, uint64_t word)
{
    for (uint64_t i = 0; i < driver->lasts[thing]; i++)
        if (driver->words[thing][i] == word)
            return i + 1;
    return 0;
}

/* Completes what was recorded with what the end says. False: an append that was answered is not there, or a read saw
 * another list. */
static bool complete_thing(const struct linear_driver *driver, struct linear_thing_op *op, char *why)
{
    unsigned thing = op->op.thing;

    if (thing < LINEAR_N_COUNTERS)
        return true;
    if (op->op.is_write)
        op->op.position = find_word(driver, thing, op->word);
    if (op->op.is_write
            ? !op->answered || op->op.position != 0
            : op->op.position == 0
                  || (op->op.position <= driver->lasts[thing] && driver->words[thing][op->op.position - 1] == op->word))
        return true;
    snprintf(why, LINEAR_WHY_BYTES, "list %u: the word %" PRIx64 " is not where it was, at %" PRIu64 " of %" PRIu64,
             thing, op->word, op->op.position, driver->lasts[thing]);
    return false;
}

static bool check_things(const struct linear_driver *driver, size_t *n_out, char *why)
{
    struct linear_count_op *ops;
    size_t n = 0, at = 0;
    bool good = true;

    for (unsigned i = 0; i <= driver->settings.n_clients; i++)
        n += driver->runners[i].client.n_thing_ops;
    ops = calloc(n + 1, sizeof *ops);
    for (unsigned i = 0; i <= driver->settings.n_clients; i++)
        for (size_t j = 0; j < driver->runners[i].client.n_thing_ops; j++) {
            struct linear_thing_op op = driver->runners[i].client.thing_ops[j];

            good = good && complete_thing(driver, &op, why);
            ops[at++] = op.op;
        }
    *n_out = n;
    good = good && linear_count_check(ops, n, driver->lasts, LINEAR_N_THINGS, why);
    free(ops);
    return good;
}

bool linear_driver_check(struct linear_driver *driver, const char *what, char why[LINEAR_WHY_BYTES])
{
    size_t n, n_unanswered, n_things = 0, n_kinds[3] = { 0 }, n_found[4] = { 0 };
    struct linear_op *ops = collect(driver, &n, &n_unanswered);
    uint64_t begin = linear_now_ns();
    bool good = true;

    for (unsigned i = 0; i <= driver->settings.n_clients && good; i++)
        if (driver->runners[i].client.wrong[0] != '\0') {
            memcpy(why, driver->runners[i].client.wrong, LINEAR_WHY_BYTES);
            good = false;
        }
    for (size_t i = 0; i < n; i++) {
        n_kinds[ops[i].kind]++;
        n_found[ops[i].before] += ops[i].kind != LINEAR_GET;
    }
    good = good && check_things(driver, &n_things, why) && linear_check(ops, n, why);
    printf(
        "%s: %zu operations (%zu PUT, %zu DELETE, %zu GET or nothing found), %zu writes without an answer; %zu for a "
        "certain write; %zu on counters and lists; %s in %" PRIu64 " ms\n",
        what, n, n_kinds[LINEAR_PUT], n_kinds[LINEAR_DELETE], n_kinds[LINEAR_GET], n_unanswered,
        n_found[LINEAR_FOUND_SEQUENCE], n_things, good ? "linearizable, found" : "NOT linearizable, found",
        (linear_now_ns() - begin) / 1000000);
    free(ops);
    return good;
}

void linear_driver_destroy(struct linear_driver **driver)
{
    if (*driver == NULL)
        return;
    join_clients(*driver);
    for (unsigned i = 0; i <= (*driver)->settings.n_clients; i++)
        linear_client_fini(&(*driver)->runners[i].client);
    for (unsigned i = 0; i < LINEAR_N_THINGS; i++)
        free((*driver)->words[i]);
    free((*driver)->outages);
    free(*driver);
    *driver = NULL;
}
