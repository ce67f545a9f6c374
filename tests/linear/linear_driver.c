#include "linear_driver.h"

#include "linear_value.h"
#include "system_client.h"
#include "system_server.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define N_OUTAGES_MAX 100000
#define COLD_EVERY    16
#define RETRY_US      1000 /* nobody listens */

struct client {
    struct linear_driver *driver;
    pthread_t thread;
    uint16_t number;
    uint32_t random;
    uint64_t last_value;
    struct system_client connection;
    uint8_t *bytes; /* the value that is sent */
    struct linear_op *ops;
    size_t n_ops;
    size_t n_ops_room;
    char wrong[LINEAR_WHY_BYTES]; /* the first answer that no server may give */
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
    _Atomic size_t n_answered;
    _Atomic size_t n_written;
    _Atomic size_t n_refused; /* answers that say that nothing happened */
    struct outage *outages;
    size_t n_outages;
    struct client clients[]; /* one more than there are threads: the last reads every key at the end */
};

uint64_t linear_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static unsigned random_below(struct client *client, unsigned n)
{
    client->random = client->random * 1664525u + 1013904223u;
    return (client->random >> 8) % n;
}

static void record(struct client *client, const struct linear_op *op)
{
    if (client->n_ops == client->n_ops_room) {
        client->n_ops_room = client->n_ops_room * 2 + 1024;
        client->ops = realloc(client->ops, client->n_ops_room * sizeof *client->ops);
    }
    client->ops[client->n_ops++] = *op;
}

static void complain(struct client *client, const struct linear_op *op, const struct system_response *response)
{
    static const char *const kinds[] = { "PUT", "DELETE", "GET" };

    if (client->wrong[0] == '\0')
        snprintf(client->wrong, sizeof client->wrong, "client %u: %s of key %" PRIu32 " was answered with: %.200s",
                 client->number, kinds[op->kind], op->key, response->head);
}

static uint64_t header_number(const struct system_response *response, const char *name)
{
    const char *text = system_response_header(response, name);

    return text != NULL ? strtoull(text + (text[0] == '"'), NULL, 10) : 0;
}

static bool says_none(const struct system_response *response)
{
    const char *outcome = system_response_header(response, "RackKV-Outcome");

    return response->status == 507 || (outcome != NULL && strcmp(outcome, "none") == 0);
}

static void note_absent(struct client *client, struct linear_op *op, const struct system_response *response)
{
    op->answered = true;
    op->sequence = header_number(response, "RackKV-Seq");
    if (system_response_header(response, "RackKV-Seq") == NULL)
        complain(client, op, response);
    record(client, op);
}

static void note_read(struct client *client, struct linear_op *op, const struct system_response *response)
{
    if (response->status == 404) {
        note_absent(client, op, response);
    } else if (response->status == 200) {
        op->answered = true;
        op->value = linear_value_read(response->body, response->body_len);
        op->sequence = header_number(response, "ETag");
        if (op->value == 0)
            complain(client, op, response);
        record(client, op);
    } else if (response->status != 0 && !says_none(response)) {
        complain(client, op, response);
    }
}

/* A write that did not happen is no part of the history. The end of one without an answer is when we knew that none
 * comes: linear_driver_check makes of it what it can. */
static void note_write(struct client *client, struct linear_op *op, const struct system_response *response)
{
    bool done = response->status == 204 || (op->kind == LINEAR_PUT && response->status == 201);

    if (op->kind == LINEAR_DELETE && response->status == 404) {
        op->kind = LINEAR_GET;
        note_absent(client, op, response);
        return;
    }
    if (says_none(response)) {
        client->driver->n_refused++;
        return;
    }
    if (!done && response->status != 0 && response->status != 503 && response->status != 504)
        complain(client, op, response);
    op->answered = done;
    client->driver->n_written += done;
    op->sequence = done ? header_number(response, "RackKV-Seq") : 0;
    if (done && op->sequence == 0)
        complain(client, op, response);
    op->is_unknown = !done && response->status != 0;
    record(client, op);
}

static void run_op(struct client *client, struct linear_op *op)
{
    static const char *const methods[] = { "PUT", "DELETE", "GET" };
    struct system_response response;
    char target[32];
    size_t size = 0;

    snprintf(target, sizeof target, "/v1/kv/key-%u", op->key);
    if (op->kind == LINEAR_PUT) {
        op->value = ++client->last_value;
        size = linear_value_make(op->value, client->bytes);
    }
    op->client = client->number;
    op->start_ns = linear_now_ns();
    system_client_request(&client->connection, methods[op->kind], target, op->kind == LINEAR_PUT ? client->bytes : NULL,
                          size, &response);
    op->end_ns = linear_now_ns();
    if (op->kind == LINEAR_GET)
        note_read(client, op, &response);
    else
        note_write(client, op, &response);
    client->driver->n_answered += response.status != 0;
    system_response_fini(&response);
}

/* Connected to whoever serves now. */
static bool connect_client(struct client *client)
{
    int port = client->driver->port;

    if (port != 0 && (client->connection.fd >= 0 || system_client_open(&client->connection, port)))
        return true;
    usleep(RETRY_US);
    return false;
}

/* Cold keys stand behind the others. What is written now is dead in a moment, but for them: they are what merges copy.
 */
static uint32_t choose_key(struct client *client)
{
    const struct linear_driver_settings *settings = &client->driver->settings;

    if (settings->n_cold_keys > 0 && random_below(client, COLD_EVERY) == 0)
        return settings->n_keys + random_below(client, settings->n_cold_keys);
    return random_below(client, settings->n_keys);
}

static void *client_main(void *argument)
{
    struct client *client = argument;
    struct linear_driver *driver = client->driver;

    while (!driver->stopping && driver->n_answered < driver->settings.n_ops_max) {
        unsigned dice = random_below(client, 100);
        struct linear_op op = { .kind = dice < 50   ? LINEAR_GET
                                        : dice < 85 ? LINEAR_PUT
                                                    : LINEAR_DELETE,
                                .key = choose_key(client) };

        if (!connect_client(client))
            continue;
        run_op(client, &op);
        if (driver->settings.think_us > 0)
            usleep(driver->settings.think_us);
    }
    system_client_close(&client->connection);
    return NULL;
}

static void init_client(struct linear_driver *driver, unsigned i)
{
    driver->clients[i] = (struct client){ .driver = driver,
                                          .number = (uint16_t)i,
                                          .random = driver->settings.seed * 7919u + i,
                                          .last_value = (uint64_t)(i + 1) << 40,
                                          .connection = { .fd = -1 },
                                          .bytes = malloc(LINEAR_VALUE_BYTES_MAX) };
}

struct linear_driver *linear_driver_start(const struct linear_driver_settings *settings)
{
    struct linear_driver *driver = calloc(1, sizeof *driver + (settings->n_clients + 1) * sizeof driver->clients[0]);

    driver->settings = *settings;
    driver->outages = calloc(N_OUTAGES_MAX, sizeof *driver->outages);
    for (unsigned i = 0; i <= settings->n_clients; i++)
        init_client(driver, i);
    for (unsigned i = 0; i < settings->n_clients; i++)
        ck_assert_int_eq(pthread_create(&driver->clients[i].thread, NULL, client_main, &driver->clients[i]), 0);
    return driver;
}

void linear_driver_serve(struct linear_driver *driver, int port)
{
    driver->port = port;
}

size_t linear_driver_n_answered(const struct linear_driver *driver)
{
    return driver->n_answered;
}

size_t linear_driver_n_written(const struct linear_driver *driver)
{
    return driver->n_written;
}

size_t linear_driver_n_refused(const struct linear_driver *driver)
{
    return driver->n_refused;
}

bool linear_driver_wait(struct linear_driver *driver, size_t n_more, long timeout_ms)
{
    long deadline = system_now_ms() + timeout_ms;
    size_t target = driver->n_answered + n_more;

    while (driver->n_answered < target && driver->n_answered < driver->settings.n_ops_max) {
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
        pthread_join(driver->clients[i].thread, NULL);
    driver->is_joined = true;
}

void linear_driver_stop(struct linear_driver *driver)
{
    struct client *last = &driver->clients[driver->settings.n_clients];

    join_clients(driver);
    last->connection.port = driver->port;
    for (uint32_t key = 0; key < driver->settings.n_keys + driver->settings.n_cold_keys; key++) {
        size_t n_before = last->n_ops;

        run_op(last, &(struct linear_op){ .kind = LINEAR_GET, .key = key });
        ck_assert_msg(last->n_ops == n_before + 1, "key %" PRIu32 " could not be read at the end", key);
    }
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
        n += driver->clients[i].n_ops;
    ops = calloc(n + 1, sizeof *ops);
    for (unsigned i = 0; i <= driver->settings.n_clients; i++)
        for (size_t at = 0; at < driver->clients[i].n_ops; at++) {
            struct linear_op *op = &ops[(*n_out)++];

            *op = driver->clients[i].ops[at];
            if (op->answered)
                continue;
            op->end_ns = latest_end(driver, op);
            (*n_unanswered_out)++;
        }
    return ops;
}

bool linear_driver_check(struct linear_driver *driver, const char *what, char why[LINEAR_WHY_BYTES])
{
    size_t n, n_unanswered, n_kinds[3] = { 0 };
    struct linear_op *ops = collect(driver, &n, &n_unanswered);
    uint64_t begin = linear_now_ns();
    bool good = true;

    for (unsigned i = 0; i <= driver->settings.n_clients && good; i++)
        if (driver->clients[i].wrong[0] != '\0') {
            memcpy(why, driver->clients[i].wrong, LINEAR_WHY_BYTES);
            good = false;
        }
    for (size_t i = 0; i < n; i++)
        n_kinds[ops[i].kind]++;
    good = good && linear_check(ops, n, why);
    printf("%s: %zu operations (%zu PUT, %zu DELETE, %zu GET or nothing found), %zu writes without an answer; %s in "
           "%" PRIu64 " ms\n",
           what, n, n_kinds[LINEAR_PUT], n_kinds[LINEAR_DELETE], n_kinds[LINEAR_GET], n_unanswered,
           good ? "linearizable, found" : "NOT linearizable, found", (linear_now_ns() - begin) / 1000000);
    free(ops);
    return good;
}

void linear_driver_destroy(struct linear_driver **driver)
{
    if (*driver == NULL)
        return;
    join_clients(*driver);
    for (unsigned i = 0; i <= (*driver)->settings.n_clients; i++) {
        free((*driver)->clients[i].ops);
        free((*driver)->clients[i].bytes);
    }
    free((*driver)->outages);
    free(*driver);
    *driver = NULL;
}
