#include "footprint_load.h"

#include "system_client.h"
#include "system_server.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define N_THREADS    2u
#define N_CLIENTS    32u /* of each thread */
#define N_STRIDES    (N_THREADS * N_CLIENTS)
#define BATCH        16u /* requests at once on a connection */
#define PER_TURN     3u  /* requests that one key can add to a batch */
#define GET_EVERY    4u
#define DELETE_AFTER 1000u /* keys of the connection between the last write of a key and its DELETE */
#define PATIENCE_MS  (10 * SYSTEM_DEADLINE_MS)

enum method { METHOD_PUT, METHOD_GET, METHOD_DELETE };

struct expected {
    unsigned key;
    int status;
    unsigned round;
};

struct client {
    const struct space_pass *pass;
    struct system_client socket;
    unsigned number;   /* its keys are this, this + N_STRIDES, ... */
    unsigned n_keys;   /* of its own */
    unsigned stride;   /* they are gone through in steps of so many */
    unsigned position; /* how many of them the pass has gone through */
    uint32_t random;
    uint64_t n_requests;
    unsigned n_expected, n_answered; /* of the batch that is out */
    struct expected expected[BATCH];
    size_t n_in, n_out;
    char in[16384], out[BATCH * 256];
};

struct thread {
    pthread_t id;
    struct client clients[N_CLIENTS];
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

bool space_key_is_doomed(unsigned key)
{
    return mix(key + 1) & 1;
}

static void make_value(char value[SPACE_VALUE_BYTES + 1], unsigned key, unsigned round)
{
    size_t len = (size_t)snprintf(value, SPACE_VALUE_BYTES, "%08u.%02u.", key, round);
    uint64_t bits = mix((uint64_t)key << 32 | round);

    for (; len < SPACE_VALUE_BYTES; bits = mix(bits + 1))
        for (unsigned i = 0; i < 12 && len < SPACE_VALUE_BYTES; i++)
            value[len++] = (char)('0' + (bits >> 5 * i & 31));
    value[SPACE_VALUE_BYTES] = '\0';
}

static unsigned common_divisor(unsigned a, unsigned b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

static unsigned key_at(const struct client *client, unsigned position)
{
    return client->number + N_STRIDES * (unsigned)((uint64_t)position * client->stride % client->n_keys);
}

static void ask(struct client *client, enum method method, unsigned key, int status, unsigned round)
{
    static const char *const names[] = { "PUT", "GET", "DELETE" };
    char value[SPACE_VALUE_BYTES + 1] = "", length[64] = "";

    if (method == METHOD_PUT) {
        make_value(value, key, round);
        snprintf(length, sizeof length, "Content-Length: %u\r\n", SPACE_VALUE_BYTES);
    }
    client->n_out += (size_t)snprintf(client->out + client->n_out, sizeof client->out - client->n_out,
                                      "%s /v1/kv/key%08u HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s", names[method], key,
                                      length, value);
    client->expected[client->n_expected++] = (struct expected){ key, status, round };
    client->n_requests++;
}

static bool is_deleted(const struct client *client, unsigned position)
{
    return client->pass->kind != SPACE_WRITE && space_key_is_doomed(key_at(client, position))
           && position + DELETE_AFTER < client->position;
}

/* The key as the pass has left it so far. */
static void ask_for(struct client *client, unsigned position)
{
    unsigned round = client->pass->round, key = key_at(client, position);

    if (position >= client->position && round == 0)
        ask(client, METHOD_GET, key, 404, 0);
    else if (position >= client->position)
        ask(client, METHOD_GET, key, 200, round - 1);
    else
        ask(client, METHOD_GET, key, is_deleted(client, position) ? 404 : 200, round);
}

static unsigned n_positions(const struct client *client)
{
    return client->n_keys + (client->pass->kind == SPACE_WRITE_AND_DELETE ? DELETE_AFTER : 0);
}

static void ask_next(struct client *client)
{
    unsigned position = client->position++;

    if (client->pass->kind == SPACE_CHECK) {
        unsigned key = key_at(client, position);

        ask(client, METHOD_GET, key, space_key_is_doomed(key) ? 404 : 200, client->pass->round);
        return;
    }
    if (position < client->n_keys)
        ask(client, METHOD_PUT, key_at(client, position), client->pass->round == 0 ? 201 : 204, client->pass->round);
    if (client->pass->kind == SPACE_WRITE_AND_DELETE && position >= DELETE_AFTER
        && space_key_is_doomed(key_at(client, position - DELETE_AFTER)))
        ask(client, METHOD_DELETE, key_at(client, position - DELETE_AFTER), 204, 0);
    if (position % GET_EVERY == 0) {
        client->random = client->random * 1664525u + 1013904223u;
        ask_for(client, (unsigned)((uint64_t)client->random * client->n_keys >> 32));
    }
}

/* Whether there was something to send. */
static bool send_batch(struct client *client)
{
    client->n_out = client->n_expected = client->n_answered = 0;
    while (client->n_expected + PER_TURN <= BATCH && client->position < n_positions(client))
        ask_next(client);
    ck_assert_msg(client->n_out == 0 || system_client_send_bytes(&client->socket, client->out, client->n_out),
                  "sending: %s", strerror(errno));
    return client->n_out > 0;
}

/* The length of the body that the head announces. */
static size_t body_length(const char *head)
{
    const char *line = strcasestr(head, "\r\ncontent-length:");

    return line == NULL ? 0 : strtoul(line + strlen("\r\ncontent-length:"), NULL, 10);
}

static void check_answer(const struct expected *expected, const char *head, const char *body, size_t body_len)
{
    char value[SPACE_VALUE_BYTES + 1];
    int status = atoi(head + strlen("HTTP/1.1 "));

    ck_assert_msg(status == expected->status, "key %u, round %u: not %d: %.*s", expected->key, expected->round,
                  expected->status, (int)(body - head + (ptrdiff_t)body_len), head);
    if (status != 200)
        return;
    make_value(value, expected->key, expected->round);
    ck_assert_msg(body_len == SPACE_VALUE_BYTES && memcmp(body, value, body_len) == 0,
                  "key %u, round %u holds another value: %.*s", expected->key, expected->round, (int)body_len, body);
}

/* The length of the answer at the front of what was received; 0: not all of it is there. */
static size_t take_answer(struct client *client, char *at, size_t size)
{
    char *body = memmem(at, size, "\r\n\r\n", 4);
    size_t body_len;

    if (body == NULL)
        return 0;
    body[2] = '\0'; /* the head alone, for who looks for headers */
    body_len = body_length(at);
    body[2] = '\r';
    body += 4;
    if ((size_t)(body - at) + body_len > size)
        return 0;
    ck_assert_uint_lt(client->n_answered, client->n_expected);
    check_answer(&client->expected[client->n_answered++], at, body, body_len);
    return (size_t)(body - at) + body_len;
}

static void take_answers(struct client *client)
{
    ssize_t n = recv(client->socket.fd, client->in + client->n_in, sizeof client->in - client->n_in, 0);
    size_t used = 0, took;

    ck_assert_msg(n > 0, "the connection broke: %s", n < 0 ? strerror(errno) : "ended");
    client->n_in += (size_t)n;
    while ((took = take_answer(client, client->in + used, client->n_in - used)) > 0)
        used += took;
    client->n_in -= used;
    memmove(client->in, client->in + used, client->n_in);
}

static void init_client(struct client *client, const struct space_pass *pass, unsigned number)
{
    *client = (struct client){ .pass = pass, .number = number, .random = number * 7919 + pass->round };
    client->n_keys = pass->n_keys / N_STRIDES + (number < pass->n_keys % N_STRIDES);
    client->stride = 1 + (unsigned)(mix(pass->round + 1) % client->n_keys);
    while (common_divisor(client->stride, client->n_keys) != 1)
        client->stride++;
    ck_assert(system_client_open(&client->socket, pass->port));
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    struct pollfd fds[N_CLIENTS];
    unsigned n_busy = 0;

    for (unsigned i = 0; i < N_CLIENTS; i++) {
        bool busy = send_batch(&thread->clients[i]);

        fds[i] = (struct pollfd){ .fd = busy ? thread->clients[i].socket.fd : -1, .events = POLLIN };
        n_busy += busy;
    }
    while (n_busy > 0) {
        ck_assert_msg(poll(fds, N_CLIENTS, PATIENCE_MS) > 0, "no answer for %d ms", PATIENCE_MS);
        for (unsigned i = 0; i < N_CLIENTS; i++) {
            if (fds[i].fd < 0 || fds[i].revents == 0)
                continue;
            take_answers(&thread->clients[i]);
            if (thread->clients[i].n_answered == thread->clients[i].n_expected && !send_batch(&thread->clients[i])) {
                fds[i].fd = -1;
                n_busy--;
            }
        }
    }
    return NULL;
}

uint64_t space_load_run(const struct space_pass *pass)
{
    struct thread *threads = calloc(N_THREADS, sizeof *threads);
    uint64_t n_requests = 0;

    ck_assert_ptr_nonnull(threads);
    for (unsigned i = 0; i < N_STRIDES; i++)
        init_client(&threads[i / N_CLIENTS].clients[i % N_CLIENTS], pass, i);
    for (unsigned i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i].id, NULL, run_thread, &threads[i]), 0);
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(threads[i].id, NULL);
    for (unsigned i = 0; i < N_STRIDES; i++) {
        n_requests += threads[i / N_CLIENTS].clients[i % N_CLIENTS].n_requests;
        system_client_close(&threads[i / N_CLIENTS].clients[i % N_CLIENTS].socket);
    }
    free(threads);
    return n_requests;
}
