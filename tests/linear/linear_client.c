#include "linear_client.h"

#include "linear_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COLD_EVERY    16
#define THING_EVERY   16
#define TTL_MS_MAX    120u
#define CLOCK_NS      2000000u /* the server reads another clock, in whole milliseconds */
#define HEADERS_BYTES 128

static const char *const kinds[] = { "PUT", "DELETE", "GET" };

uint64_t linear_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void linear_client_init(struct linear_client *client, unsigned number, uint32_t seed, unsigned n_keys,
                        unsigned n_cold_keys, struct linear_tally *tally)
{
    *client = (struct linear_client){ .tally = tally,
                                      .n_keys = n_keys,
                                      .n_cold_keys = n_cold_keys,
                                      .number = (uint16_t)number,
                                      .random = seed * 7919u + number,
                                      .last_value = (uint64_t)(number + 1) << 40,
                                      .connection = { .fd = -1 },
                                      .bytes = malloc(LINEAR_VALUE_BYTES_MAX),
                                      .sequences = calloc(n_keys + n_cold_keys + 1, sizeof *client->sequences) };
}

void linear_client_fini(struct linear_client *client)
{
    system_client_close(&client->connection);
    free(client->bytes);
    free(client->sequences);
    free(client->ops);
    free(client->thing_ops);
}

static unsigned random_below(struct linear_client *client, unsigned n)
{
    client->random = client->random * 1664525u + 1013904223u;
    return (client->random >> 8) % n;
}

static void record(struct linear_client *client, const struct linear_op *op)
{
    if (client->n_ops == client->n_ops_room) {
        client->n_ops_room = client->n_ops_room * 2 + 1024;
        client->ops = realloc(client->ops, client->n_ops_room * sizeof *client->ops);
    }
    client->ops[client->n_ops++] = *op;
}

static void complain(struct linear_client *client, const char *what, uint32_t key,
                     const struct system_response *response)
{
    if (client->wrong[0] == '\0')
        snprintf(client->wrong, sizeof client->wrong, "client %u: %s of %" PRIu32 " was answered with: %.200s",
                 client->number, what, key, response->head);
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

/* ---- registers ---- */

static void note_absent(struct linear_client *client, struct linear_op *op, const struct system_response *response)
{
    *op = (struct linear_op){ .kind = LINEAR_GET,
                              .answered = true,
                              .client = op->client,
                              .key = op->key,
                              .start_ns = op->start_ns,
                              .end_ns = op->end_ns,
                              .sequence = header_number(response, "RackKV-Seq") };
    if (system_response_header(response, "RackKV-Seq") == NULL)
        complain(client, "something absent", op->key, response);
    record(client, op);
}

/* A condition did not hold (412), or nothing has changed (304): the ETag tells what is there, none that nothing is. */
static void note_told(struct linear_client *client, struct linear_op *op, const struct system_response *response)
{
    if (system_response_header(response, "ETag") == NULL) {
        note_absent(client, op, response);
        return;
    }
    *op = (struct linear_op){ .kind = LINEAR_GET,
                              .answered = true,
                              .client = op->client,
                              .key = op->key,
                              .start_ns = op->start_ns,
                              .end_ns = op->end_ns,
                              .value = LINEAR_VALUE_UNTOLD,
                              .sequence = header_number(response, "ETag") };
    client->sequences[op->key] = op->sequence;
    record(client, op);
}

static void note_read(struct linear_client *client, struct linear_op *op, const struct system_response *response)
{
    if (response->status == 404) {
        note_absent(client, op, response);
    } else if (response->status == 304) {
        note_told(client, op, response);
    } else if (response->status == 200) {
        op->answered = true;
        op->value = linear_value_read(response->body, response->body_len);
        op->sequence = client->sequences[op->key] = header_number(response, "ETag");
        if (op->value == 0)
            complain(client, "GET", op->key, response);
        record(client, op);
    } else if (response->status != 0 && !says_none(response)) {
        complain(client, "GET", op->key, response);
    }
}

static void note_done(struct linear_client *client, struct linear_op *op, const struct system_response *response)
{
    op->answered = true;
    op->sequence = client->sequences[op->key] = header_number(response, "RackKV-Seq");
    if (op->sequence == 0)
        complain(client, kinds[op->kind], op->key, response);
    if (op->before == LINEAR_FOUND_ANYTHING)
        op->before = response->status == 201 ? LINEAR_FOUND_NOTHING : LINEAR_FOUND_SOMETHING;
    client->tally->n_written++;
    record(client, op);
}

/* A write that did not happen is no part of the history. The end of one without an answer is when we knew that none
 * comes: linear_driver_check makes of it what it can. */
static void note_write(struct linear_client *client, struct linear_op *op, const struct system_response *response)
{
    if (response->status == 204 || (op->kind == LINEAR_PUT && response->status == 201)) {
        note_done(client, op, response);
    } else if (response->status == 412 && (op->before != LINEAR_FOUND_ANYTHING)) {
        note_told(client, op, response);
    } else if (op->kind == LINEAR_DELETE && response->status == 404) {
        note_absent(client, op, response);
    } else if (says_none(response)) {
        client->tally->n_refused++;
    } else {
        if (response->status != 0 && response->status != 503 && response->status != 504)
            complain(client, kinds[op->kind], op->key, response);
        op->is_unknown = response->status != 0;
        record(client, op);
    }
}

/* Chooses a condition: the header of it. */
static void choose_condition(struct linear_client *client, struct linear_op *op, char headers[HEADERS_BYTES])
{
    uint64_t sequence = client->sequences[op->key];
    unsigned dice = random_below(client, 8);

    if (op->kind == LINEAR_GET) {
        if (dice == 0 && sequence != 0)
            snprintf(headers, HEADERS_BYTES, "If-None-Match: \"%" PRIu64 "\"\r\n", sequence);
    } else if (dice < 2 && sequence != 0) {
        snprintf(headers, HEADERS_BYTES, "If-Match: \"%" PRIu64 "\"\r\n", sequence);
        op->before = LINEAR_FOUND_SEQUENCE;
        op->before_sequence = sequence;
    } else if (dice == 2 && op->kind == LINEAR_PUT) {
        snprintf(headers, HEADERS_BYTES, "If-None-Match: *\r\n");
        op->before = LINEAR_FOUND_NOTHING;
    }
}

/* Cold keys stay: they are what merges copy. */
static unsigned choose_ttl_ms(struct linear_client *client, const struct linear_op *op, char headers[HEADERS_BYTES])
{
    size_t len = strlen(headers);
    unsigned ttl_ms;

    if (op->kind != LINEAR_PUT || op->key >= client->n_keys || random_below(client, 10) > 0)
        return 0;
    ttl_ms = 1 + random_below(client, TTL_MS_MAX);
    snprintf(headers + len, HEADERS_BYTES - len, "RackKV-TTL: %ums\r\n", ttl_ms);
    return ttl_ms;
}

static void run_op(struct linear_client *client, struct linear_op *op, const char *headers, unsigned ttl_ms)
{
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
    system_client_request_with(&client->connection, kinds[op->kind], target, headers,
                               op->kind == LINEAR_PUT ? client->bytes : NULL, size, &response);
    op->end_ns = linear_now_ns();
    if (ttl_ms > 0) {
        op->expires_from_ns = op->start_ns + ttl_ms * 1000000ull - CLOCK_NS;
        op->expires_to_ns = response.status == 0 ? LINEAR_NEVER : op->end_ns + ttl_ms * 1000000ull + CLOCK_NS;
    }
    if (op->kind == LINEAR_GET)
        note_read(client, op, &response);
    else
        note_write(client, op, &response);
    client->tally->n_answered += response.status != 0;
    system_response_fini(&response);
}

void linear_client_read(struct linear_client *client, uint32_t key)
{
    run_op(client, &(struct linear_op){ .kind = LINEAR_GET, .key = key }, "", 0);
}

/* Cold keys stand behind the others. What is written now is dead in a moment, but for them. */
static uint32_t choose_key(struct linear_client *client)
{
    if (client->n_cold_keys > 0 && random_below(client, COLD_EVERY) == 0)
        return client->n_keys + random_below(client, client->n_cold_keys);
    return random_below(client, client->n_keys);
}

static void step_register(struct linear_client *client)
{
    unsigned dice = random_below(client, 100);
    struct linear_op op = { .kind = dice < 50   ? LINEAR_GET
                                    : dice < 85 ? LINEAR_PUT
                                                : LINEAR_DELETE,
                            .key = choose_key(client) };
    char headers[HEADERS_BYTES] = "";
    unsigned ttl_ms;

    choose_condition(client, &op, headers);
    ttl_ms = choose_ttl_ms(client, &op, headers);
    run_op(client, &op, headers, ttl_ms);
}

/* ---- counters and lists ---- */

#define WORD_BYTES 16u

static void record_thing(struct linear_client *client, const struct linear_thing_op *op)
{
    if (client->n_thing_ops == client->n_thing_ops_room) {
        client->n_thing_ops_room = client->n_thing_ops_room * 2 + 256;
        client->thing_ops = realloc(client->thing_ops, client->n_thing_ops_room * sizeof *client->thing_ops);
    }
    client->thing_ops[client->n_thing_ops++] = *op;
}

static bool is_list(unsigned thing)
{
    return thing >= LINEAR_N_COUNTERS;
}

/* The word at this place of a list. */
static uint64_t word_at(const struct system_response *response, size_t at)
{
    char word[WORD_BYTES + 1] = "";

    memcpy(word, response->body + at * WORD_BYTES, WORD_BYTES);
    return strtoull(word, NULL, 16);
}

/* What a read, or the answer to an increment, says. */
static bool read_position(const struct system_response *response, bool is_list, struct linear_thing_op *op)
{
    char *end;

    if (response->status == 404)
        return true;
    if (!is_list) {
        op->op.position = strtoull(response->body, &end, 10);
        return response->body_len > 0 && *end == '\0';
    }
    op->op.position = response->body_len / WORD_BYTES;
    if (response->body_len == 0 || response->body_len % WORD_BYTES != 0)
        return false;
    op->word = word_at(response, op->op.position - 1);
    return true;
}

static void note_thing(struct linear_client *client, struct linear_thing_op *op, const struct system_response *response)
{
    bool is_append = op->op.is_write && is_list(op->op.thing);
    bool done = response->status == 200 || (is_append && response->status == 201)
                || (!op->op.is_write && response->status == 404);

    if (done) {
        op->answered = true;
        client->tally->n_written += op->op.is_write;
        if (!is_append && !read_position(response, is_list(op->op.thing), op))
            complain(client, "a read or an increment", op->op.thing, response);
        record_thing(client, op);
    } else if (says_none(response)) {
        client->tally->n_refused += op->op.is_write;
    } else {
        if (response->status != 0 && response->status != 503 && response->status != 504)
            complain(client, op->op.is_write ? "an increment or append" : "a read", op->op.thing, response);
        op->op.end_ns = LINEAR_NEVER;
        if (op->op.is_write)
            record_thing(client, op);
    }
}

static void run_thing(struct linear_client *client, struct linear_thing_op *op, struct system_response *response)
{
    char target[48], word[WORD_BYTES + 1];
    bool is_append = op->op.is_write && is_list(op->op.thing);

    snprintf(target, sizeof target, "/v1/kv/thing-%u%s", op->op.thing,
             !op->op.is_write ? ""
             : is_append      ? "?op=append"
                              : "?op=incr");
    if (op->op.is_write)
        op->word = ++client->last_value;
    snprintf(word, sizeof word, "%016" PRIx64, op->word);
    op->op.start_ns = linear_now_ns();
    system_client_request(&client->connection, op->op.is_write ? "POST" : "GET", target, op->op.is_write ? word : NULL,
                          is_append ? WORD_BYTES : 0, response);
    op->op.end_ns = linear_now_ns();
    client->tally->n_answered += response->status != 0;
}

static void step_thing(struct linear_client *client)
{
    struct linear_thing_op op = { .op = { .is_write = random_below(client, 3) > 0 } };
    struct system_response response;

    op.op.thing = random_below(client, 2) == 0 ? random_below(client, LINEAR_N_COUNTERS)
                                               : LINEAR_N_COUNTERS + random_below(client, LINEAR_N_LISTS);
    run_thing(client, &op, &response);
    note_thing(client, &op, &response);
    system_response_fini(&response);
}

void linear_client_step(struct linear_client *client)
{
    if (random_below(client, THING_EVERY) == 0)
        step_thing(client);
    else
        step_register(client);
}

bool linear_client_read_counter(struct linear_client *client, unsigned thing, uint64_t *number_out)
{
    struct linear_thing_op op = { .op = { .thing = thing } };
    struct system_response response;
    bool good;

    run_thing(client, &op, &response);
    good = (response.status == 200 || response.status == 404) && read_position(&response, false, &op);
    *number_out = op.op.position;
    system_response_fini(&response);
    return good;
}

bool linear_client_read_list(struct linear_client *client, unsigned thing, uint64_t **words_out, size_t *n_out)
{
    struct linear_thing_op op = { .op = { .thing = thing } };
    struct system_response response;
    bool good;

    run_thing(client, &op, &response);
    good = (response.status == 200 || response.status == 404) && read_position(&response, true, &op);
    *n_out = good ? op.op.position : 0;
    *words_out = calloc(*n_out + 1, sizeof **words_out);
    for (size_t i = 0; i < *n_out; i++)
        (*words_out)[i] = word_at(&response, i);
    system_response_fini(&response);
    return good;
}
