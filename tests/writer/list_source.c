#include "list_source.h"

#include "disk/disk_record.h"
#include "shm/shm_doorbell.h"
#include "test_main.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_SENDERS  4
#define N_LIST_MAX 8192

struct item {
    unsigned sender;
    uint8_t *message;
    uint64_t size;
};

struct sender {
    struct rk_ring_completion answers[N_LIST_MAX];
    unsigned n_answers;
    unsigned n_shown;
    unsigned n_rejected;
};

struct list_source {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int event_fd;
    uint64_t n_tickets;
    struct item items[N_LIST_MAX];
    unsigned n_items;
    unsigned n_taken;
    bool in_round;
    bool held;
    struct sender senders[N_SENDERS];
};

static enum rk_err next(void *context, struct rk_writer_input *input_out)
{
    struct list_source *source = context;
    enum rk_err err = RK_ERR_NOT_FOUND;

    pthread_mutex_lock(&source->mutex);
    if (source->n_taken < source->n_items && !source->held) {
        struct item *item = &source->items[source->n_taken++];

        *input_out = (struct rk_writer_input){ .sender = item->sender, .message = item->message, .size = item->size };
        source->in_round = true;
        err = RK_OK;
    }
    pthread_mutex_unlock(&source->mutex);
    return err;
}

static void reject(void *context, unsigned sender)
{
    struct list_source *source = context;

    pthread_mutex_lock(&source->mutex);
    source->senders[sender].n_rejected++;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->mutex);
}

static void answer(void *context, unsigned sender, const struct rk_ring_completion *completion)
{
    struct list_source *source = context;

    pthread_mutex_lock(&source->mutex);
    source->senders[sender].answers[source->senders[sender].n_answers++] = *completion;
    pthread_mutex_unlock(&source->mutex);
}

static void show_answers(void *context)
{
    struct list_source *source = context;

    pthread_mutex_lock(&source->mutex);
    source->in_round = false;
    for (unsigned i = 0; i < N_SENDERS; i++)
        source->senders[i].n_shown = source->senders[i].n_answers;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->mutex);
}

static void between_rounds(void *context)
{
    ck_assert(!list_source_is_in_round(context));
}

static bool is_waiting(void *context)
{
    struct list_source *source = context;
    bool waiting;

    pthread_mutex_lock(&source->mutex);
    waiting = source->n_taken < source->n_items && !source->held;
    pthread_mutex_unlock(&source->mutex);
    return waiting;
}

struct list_source *list_source_create(int event_fd)
{
    struct list_source *source = calloc(1, sizeof *source);

    ck_assert_ptr_nonnull(source);
    pthread_mutex_init(&source->mutex, NULL);
    pthread_cond_init(&source->changed, NULL);
    source->event_fd = event_fd;
    return source;
}

void list_source_destroy(struct list_source **source)
{
    for (unsigned i = 0; i < (*source)->n_items; i++)
        free((*source)->items[i].message);
    pthread_cond_destroy(&(*source)->changed);
    pthread_mutex_destroy(&(*source)->mutex);
    free(*source);
    *source = NULL;
}

struct rk_writer_source list_source_of(struct list_source *source)
{
    return (struct rk_writer_source){ .next = next,
                                      .reject = reject,
                                      .answer = answer,
                                      .show_answers = show_answers,
                                      .between_rounds = between_rounds,
                                      .is_waiting = is_waiting,
                                      .context = source };
}

static void append(struct list_source *source, unsigned sender, uint8_t *message, uint64_t size)
{
    ck_assert_uint_lt(source->n_items, N_LIST_MAX);
    source->items[source->n_items++] = (struct item){ .sender = sender, .message = message, .size = size };
    rk_doorbell_wake(source->event_fd);
}

uint64_t list_source_put(struct list_source *source, unsigned sender, const char *key, const char *value)
{
    return list_source_put_so(source, sender, key, value, RK_RING_AS_CONFIGURED);
}

uint64_t list_source_put_so(struct list_source *source, unsigned sender, const char *key, const char *value,
                            enum rk_ring_durability durability)
{
    struct rk_record_parts parts = { .type = value != NULL ? RK_RECORD_PUT : RK_RECORD_TOMBSTONE,
                                     .key = key,
                                     .key_len = (uint16_t)strlen(key),
                                     .value = value,
                                     .value_len = value != NULL ? (uint32_t)strlen(value) : 0 };
    uint64_t record_bytes = rk_record_size(parts.key_len, 0, parts.value_len, false);
    struct rk_ring_request *head = calloc(1, sizeof *head + record_bytes);
    uint64_t ticket;

    ck_assert_ptr_nonnull(head);
    rk_record_build((uint8_t *)(head + 1), &parts);
    head->record_bytes = (uint32_t)record_bytes;
    head->durability = (uint8_t)durability;
    pthread_mutex_lock(&source->mutex);
    ticket = head->ticket = ++source->n_tickets;
    append(source, sender, (uint8_t *)head, sizeof *head + record_bytes);
    pthread_mutex_unlock(&source->mutex);
    return ticket;
}

void list_source_put_garbage(struct list_source *source, unsigned sender)
{
    pthread_mutex_lock(&source->mutex);
    append(source, sender, calloc(1, 256), 256);
    pthread_mutex_unlock(&source->mutex);
}

unsigned list_source_wait(struct list_source *source, unsigned sender, unsigned n_wanted,
                          struct rk_ring_completion *answers_out)
{
    unsigned n;

    pthread_mutex_lock(&source->mutex);
    while (source->senders[sender].n_shown < n_wanted)
        pthread_cond_wait(&source->changed, &source->mutex); /* the test's own limit ends it */
    n = source->senders[sender].n_shown;
    memcpy(answers_out, source->senders[sender].answers, n * sizeof answers_out[0]);
    pthread_mutex_unlock(&source->mutex);
    return n;
}

unsigned list_source_n_shown(struct list_source *source, unsigned sender)
{
    unsigned n;

    pthread_mutex_lock(&source->mutex);
    n = source->senders[sender].n_shown;
    pthread_mutex_unlock(&source->mutex);
    return n;
}

unsigned list_source_n_rejected(struct list_source *source, unsigned sender)
{
    unsigned n;

    pthread_mutex_lock(&source->mutex);
    n = source->senders[sender].n_rejected;
    pthread_mutex_unlock(&source->mutex);
    return n;
}

bool list_source_is_in_round(struct list_source *source)
{
    bool in_round;

    pthread_mutex_lock(&source->mutex);
    in_round = source->in_round;
    pthread_mutex_unlock(&source->mutex);
    return in_round;
}

void list_source_hold(struct list_source *source)
{
    pthread_mutex_lock(&source->mutex);
    source->held = true;
    pthread_mutex_unlock(&source->mutex);
}

void list_source_release(struct list_source *source)
{
    pthread_mutex_lock(&source->mutex);
    source->held = false;
    pthread_mutex_unlock(&source->mutex);
    rk_doorbell_wake(source->event_fd);
}
