#include "fake_backend.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "fake_listing.h"
#include "http/http_backend.h"
#include "stats/stats_block.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS       1000
#define PATIENCE_MS   8000
#define WRITE_TIME_MS 1795377843123ull /* Sun, 22 Nov 2026 20:04:03 GMT */
#define N_BUCKETS     1024

struct entry {
    struct entry *next;
    uint8_t *key, *value, *metadata;
    size_t key_len, value_len, metadata_len;
    uint64_t sequence, expiry_ms;
};

struct rk_store_source {
    uint8_t *value;
    size_t value_len;
};

struct operation {
    struct operation *next;
    rk_store_ticket ticket;
    enum { OPERATION_WRITE, OPERATION_UPDATE, OPERATION_GET, OPERATION_PIECE, OPERATION_SLICE } kind;
    void *context;
    rk_store_write_done_fn *write_done;
    rk_store_get_done_fn *get_done;
    rk_store_piece_done_fn *piece_done;
    rk_list_done_fn *list_done;
    struct rk_listing *listing;
    struct rk_store_write_result result;
    enum rk_err err;
    struct rk_store_value value;
    struct rk_store_update update;
    struct rk_store_arena arena;
};

static struct fake {
    struct fake_control *control;
    struct rk_http_server *server;
    struct entry *buckets[N_BUCKETS];
    struct operation *first, **last;
    uint64_t last_ticket;
    uint64_t sequence;
    int done_fd;
    bool started_now; /* inside a call: no done callback may come */
} fake;

/* libh2o 2.2.5 does not free its queue of messages between threads: 88 bytes of each server. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_multithread_create_queue";
}

/* ---- the table ---- */

static void *copy(const void *bytes, size_t len)
{
    void *own = rk_mem_calloc(1, len);

    if (len > 0)
        memcpy(own, bytes, len);
    return own;
}

static struct entry **find(const void *key, size_t key_len)
{
    uint64_t hash = 14695981039346656037u;
    struct entry **slot;

    for (size_t i = 0; i < key_len; i++)
        hash = (hash ^ ((const uint8_t *)key)[i]) * 1099511628211u;
    for (slot = &fake.buckets[hash % N_BUCKETS]; *slot != NULL; slot = &(*slot)->next)
        if ((*slot)->key_len == key_len && memcmp((*slot)->key, key, key_len) == 0)
            break;
    return slot;
}

static void remove_entry(struct entry **slot)
{
    struct entry *entry = *slot;

    *slot = entry->next;
    free(entry->key);
    free(entry->value);
    free(entry->metadata);
    free(entry);
}

static bool apply_write(const struct rk_store_write *write)
{
    struct entry **slot = find(write->key, write->key_len);
    bool existed = *slot != NULL;
    struct entry *entry;

    if (existed)
        remove_entry(slot);
    if (write->is_delete)
        return existed;
    entry = rk_mem_calloc(1, sizeof *entry);
    entry->next = *slot;
    entry->key = copy(write->key, write->key_len);
    entry->key_len = write->key_len;
    entry->value = copy(write->value, write->value_len);
    entry->value_len = write->value_len;
    entry->metadata = copy(write->metadata, write->metadata_len);
    entry->metadata_len = write->metadata_len;
    entry->sequence = fake.sequence;
    entry->expiry_ms = write->expiry_ms;
    *slot = entry;
    return existed;
}

/* ---- what ends later ---- */

static struct operation *queue(rk_store_ticket *ticket_out, void *context)
{
    static const uint64_t one = 1;
    struct operation *operation = rk_mem_calloc(1, sizeof *operation);

    operation->ticket = *ticket_out = ++fake.last_ticket;
    operation->context = context;
    *fake.last = operation;
    fake.last = &operation->next;
    RK_ASSERT(write(fake.done_fd, &one, sizeof one) == sizeof one);
    return operation;
}

static void finish_update(struct operation *operation);
static void finish_slice(struct operation *operation);

static void finish(struct operation *operation)
{
    RK_ASSERT(!fake.started_now);
    if (operation->kind == OPERATION_UPDATE)
        finish_update(operation);
    if (operation->kind == OPERATION_WRITE || operation->kind == OPERATION_UPDATE)
        operation->write_done(operation->context, &operation->result);
    else if (operation->kind == OPERATION_GET)
        operation->get_done(operation->context, operation->err, &operation->value);
    else if (operation->kind == OPERATION_SLICE)
        finish_slice(operation);
    else
        operation->piece_done(operation->context, operation->err);
    free(operation);
}

static void on_done(void *context)
{
    while (fake.first != NULL && !fake.control->hold) {
        struct operation *operation = fake.first;

        fake.first = operation->next;
        if (fake.first == NULL)
            fake.last = &fake.first;
        finish(operation);
    }
}

static void fake_cancel(void *self, rk_store_ticket ticket)
{
    for (struct operation **slot = &fake.first; *slot != NULL; slot = &(*slot)->next) {
        struct operation *operation = *slot;

        if (operation->ticket != ticket)
            continue;
        *slot = operation->next;
        if (fake.last == &operation->next)
            fake.last = slot;
        if (operation->kind == OPERATION_GET && operation->value.source != NULL) {
            free(operation->value.source);
            fake.control->n_released++;
        }
        free(operation);
        fake.control->n_cancelled++;
        return;
    }
    RK_ASSERT(!"a ticket that is known");
}

/* ---- the calls ---- */

static enum rk_err fill_value(const struct entry *entry, const struct rk_store_arena *arena,
                              struct rk_store_value *value)
{
    static const uint8_t damaged[] = { 1, 255, 255 };

    *value = (struct rk_store_value){ .sequence = fake.sequence };
    if (fake.control->get_error != RK_OK)
        return (enum rk_err)fake.control->get_error;
    if (entry == NULL)
        return RK_ERR_NOT_FOUND;
    value->sequence = entry->sequence;
    value->write_time_ms = WRITE_TIME_MS;
    value->expiry_ms = entry->expiry_ms;
    value->metadata = fake.control->bad_metadata ? damaged : entry->metadata;
    value->metadata_len = fake.control->bad_metadata ? sizeof damaged : entry->metadata_len;
    value->value_len = entry->value_len;
    if (entry->value_len > RK_STORE_PIECE_BYTES) {
        value->source = rk_mem_calloc(1, sizeof *value->source);
        value->source->value = entry->value;
        value->source->value_len = entry->value_len;
        fake.control->n_sources++;
    } else
        value->value = memcpy(arena->allocate(arena->arena, entry->value_len), entry->value, entry->value_len);
    return RK_OK;
}

static enum rk_err fake_get(void *self, const void *key, size_t key_len, const struct rk_store_arena *arena,
                            struct rk_store_value *value_out, rk_store_get_done_fn *done, void *context,
                            rk_store_ticket *ticket_out)
{
    struct operation *operation;

    fake.control->n_gets++;
    if (!fake.control->delay_gets)
        return fill_value(*find(key, key_len), arena, value_out);
    operation = queue(ticket_out, context);
    operation->kind = OPERATION_GET;
    operation->get_done = done;
    operation->err = fill_value(*find(key, key_len), arena, &operation->value);
    return RK_ERR_AGAIN;
}

static enum rk_err fake_read_piece(void *self, struct rk_store_source *source, size_t offset, uint8_t *bytes,
                                   size_t size, rk_store_piece_done_fn *done, void *context,
                                   rk_store_ticket *ticket_out)
{
    struct fake_control *control = fake.control;
    enum rk_err err = offset >= control->piece_error_at ? (enum rk_err)control->piece_error : RK_OK;
    struct operation *operation;

    RK_ASSERT(offset % RK_STORE_PIECE_BYTES == 0 && size > 0 && offset + size <= source->value_len);
    RK_ASSERT(size == RK_STORE_PIECE_BYTES || offset + size == source->value_len);
    memcpy(bytes, source->value + offset, size);
    control->n_pieces++;
    if (!control->delay_pieces)
        return err;
    operation = queue(ticket_out, context);
    operation->kind = OPERATION_PIECE;
    operation->piece_done = done;
    operation->err = err;
    return RK_ERR_AGAIN;
}

static void fake_release(void *self, struct rk_store_source *source)
{
    free(source);
    fake.control->n_released++;
}

static enum rk_err fake_write(void *self, const struct rk_store_write *write, rk_store_write_done_fn *done,
                              void *context, rk_store_ticket *ticket_out)
{
    struct fake_control *control = fake.control;
    struct operation *operation;
    bool existed;

    (*(write->is_delete ? &control->n_deletes : &control->n_puts))++;
    if (control->submit_error != RK_OK)
        return (enum rk_err)control->submit_error;
    operation = queue(ticket_out, context);
    operation->kind = OPERATION_WRITE;
    operation->write_done = done;
    operation->result.err = (enum rk_err)control->write_error;
    operation->result.none = control->write_none;
    operation->result.sequence = fake.sequence;
    if (operation->result.err != RK_OK)
        return RK_OK;
    existed = write->is_delete && *find(write->key, write->key_len) == NULL;
    if (existed) {
        operation->result.err = RK_ERR_NOT_FOUND;
        return RK_OK;
    }
    control->last_durability = write->durability;
    operation->result.synced = write->durability == RK_STORE_SYNCED || control->all_synced;
    operation->result.sequence = ++fake.sequence;
    operation->result.replaced = apply_write(write);
    return RK_OK;
}

/* ---- listings ---- */

struct rk_listing {
    struct fake_listing own;
    rk_store_ticket ticket; /* 0: no slice is under way */
    unsigned n_slices;
};

static int compare_keys(struct rk_list_span a, struct rk_list_span b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool fake_find_above(struct rk_list_span key, struct rk_list_item *item_out)
{
    const struct entry *best = NULL;

    for (size_t i = 0; i < N_BUCKETS; i++)
        for (const struct entry *entry = fake.buckets[i]; entry != NULL; entry = entry->next) {
            struct rk_list_span own = { entry->key, entry->key_len };

            if (compare_keys(own, key) > 0
                && (best == NULL || compare_keys(own, (struct rk_list_span){ best->key, best->key_len }) < 0))
                best = entry;
        }
    if (best == NULL)
        return false;
    *item_out = (struct rk_list_item){ .key = { best->key, best->key_len },
                                       .sequence = best->sequence,
                                       .expiry_ms = best->expiry_ms,
                                       .value_len = (uint32_t)best->value_len,
                                       .metadata = { best->metadata, best->metadata_len },
                                       .value = { best->value, best->value_len } };
    return true;
}

static enum rk_err fake_list(void *self, const struct rk_list_ask *ask, const struct rk_list_fill *fill,
                             struct rk_listing **listing_out)
{
    if (fake.control->list_error != RK_OK)
        return (enum rk_err)fake.control->list_error;
    fake.control->n_listings++;
    *listing_out = rk_mem_calloc(1, sizeof **listing_out);
    fake_listing_init(&(*listing_out)->own, ask, fill);
    return RK_OK;
}

static void fake_list_more(void *self, struct rk_listing *listing, rk_list_done_fn *done, void *context)
{
    struct operation *operation;

    RK_ASSERT(listing->ticket == 0);
    operation = queue(&listing->ticket, context);
    operation->kind = OPERATION_SLICE;
    operation->list_done = done;
    operation->listing = listing;
}

static void finish_slice(struct operation *operation)
{
    struct fake_control *control = fake.control;
    struct rk_listing *listing = operation->listing;
    enum rk_err err = (enum rk_err)control->slice_error;

    listing->ticket = 0;
    control->n_slices++;
    if (err == RK_OK || listing->n_slices++ < control->slice_error_at)
        err = fake_listing_run(&listing->own, control->slice_entries);
    operation->list_done(operation->context, err,
                         (struct rk_list_span){ listing->own.out.bytes, listing->own.out.len });
}

static void fake_list_end(void *self, struct rk_listing *listing)
{
    if (listing->ticket != 0)
        fake_cancel(self, listing->ticket);
    fake.control->n_ended++;
    fake_listing_fini(&listing->own);
    free(listing);
}

/* ---- updates ---- */

static enum rk_err fake_update(void *self, const struct rk_store_update *update, const struct rk_store_arena *arena,
                               rk_store_write_done_fn *done, void *context, rk_store_ticket *ticket_out)
{
    struct operation *operation;

    fake.control->n_updates++;
    fake.control->last_folds = update->folds;
    if (fake.control->submit_error != RK_OK)
        return (enum rk_err)fake.control->submit_error;
    operation = queue(ticket_out, context);
    operation->kind = OPERATION_UPDATE;
    operation->write_done = done;
    operation->update = *update;
    operation->arena = *arena;
    return RK_OK;
}

/* The state as update gives it: the value whole. */
static void *fill_current(const struct entry *entry, const struct operation *operation, struct rk_store_value *value)
{
    const struct rk_store_arena *arena = &operation->arena;

    if (entry == NULL)
        return NULL;
    *value = (struct rk_store_value){
        .location = 4711,
        .sequence = fake.control->fold ? 0 : entry->sequence,
        .write_time_ms = WRITE_TIME_MS,
        .expiry_ms = entry->expiry_ms,
        .metadata = memcpy(arena->allocate(arena->arena, entry->metadata_len), entry->metadata, entry->metadata_len),
        .metadata_len = entry->metadata_len,
        .value_len = entry->value_len,
    };
    if (operation->update.wants_value)
        value->value = memcpy(arena->allocate(arena->arena, entry->value_len), entry->value, entry->value_len);
    return value;
}

static void finish_update(struct operation *operation)
{
    const struct rk_store_update *update = &operation->update;
    struct rk_store_write_result *result = &operation->result;
    struct entry *entry = *find(update->key, update->key_len);
    struct rk_store_value value;
    struct rk_store_write write = { .is_delete = false };
    enum rk_store_decision decision;

    RK_ASSERT(update->folds || !fake.control->fold);
    result->err = (enum rk_err)fake.control->write_error;
    result->none = fake.control->write_none;
    if (result->err != RK_OK)
        return;
    if (fake.control->decide_twice) { /* another was faster: what it had decided before is forgotten */
        struct rk_store_write forgotten = { .is_delete = false };

        (void)update->decide(operation->context, NULL, &forgotten);
    }
    decision = update->decide(operation->context, fill_current(entry, operation, &value), &write);
    result->sequence = fake.sequence;
    if (decision == RK_STORE_DECIDED_STOP) {
        result->err = RK_ERR_PRECONDITION;
        result->none = true;
        return;
    }
    fake.control->last_durability = write.durability;
    result->synced = write.durability == RK_STORE_SYNCED || fake.control->all_synced;
    result->folded = fake.control->fold;
    write.key = update->key;
    write.key_len = update->key_len;
    result->sequence = ++fake.sequence;
    result->replaced = apply_write(&write);
}

static uint64_t fake_last_sequence(void *self)
{
    return fake.sequence;
}

static enum rk_err fake_accepts(void *self)
{
    return (enum rk_err)fake.control->refuses;
}

static bool fake_ready(void *self, const char **why_out)
{
    if (!fake.control->not_ready)
        return true;
    *why_out = "\"state\":\"recovering\"";
    return false;
}

/* ---- the child ---- */

static void on_wake(void *context)
{
    if (fake.control->drain)
        rk_http_server_drain(fake.server);
    on_done(NULL);
}

static void on_awake(void *context)
{
    fake.control->n_awake++;
}

static void serve(struct fake_server *handle, const struct rk_http_settings *settings)
{
    const struct rk_http_backend backend = {
        .get = fake_get,
        .read_piece = fake_read_piece,
        .release = fake_release,
        .write = fake_write,
        .update = fake_update,
        .list = fake_list,
        .list_more = fake_list_more,
        .list_end = fake_list_end,
        .last_sequence = fake_last_sequence,
        .accepts = fake_accepts,
        .cancel = fake_cancel,
        .ready = fake_ready,
        .stats = handle->block,
    };

    fake.control = handle->control;
    fake.last = &fake.first;
    fake.sequence = 1000;
    fake.done_fd = eventfd(0, EFD_CLOEXEC);
    RK_ASSERT(fake.done_fd >= 0);
    RK_ASSERT(rk_http_server_create(&fake.server, settings, &backend, handle->stats, NULL) == RK_OK);
    rk_http_server_set_awake_hook(fake.server, on_awake, NULL);
    RK_ASSERT(rk_http_server_watch_eventfd(fake.server, fake.done_fd, on_done, NULL) == RK_OK);
    RK_ASSERT(rk_http_server_watch_eventfd(fake.server, handle->wake_fd, on_wake, NULL) == RK_OK);
    while (!handle->control->stop) {
        RK_ASSERT(rk_http_server_turn(fake.server, TURN_MS) == RK_OK);
        handle->control->n_turns++;
        handle->control->n_connections = rk_http_server_n_connections(fake.server);
        handle->control->n_requests = rk_http_server_n_requests(fake.server);
    }
    rk_http_server_destroy(&fake.server);
    for (size_t i = 0; i < N_BUCKETS; i++)
        while (fake.buckets[i] != NULL)
            remove_entry(&fake.buckets[i]);
    RK_ASSERT(fake.first == NULL); /* whatever was under way has been cancelled */
    RK_ASSERT(handle->control->n_sources == handle->control->n_released);
    RK_ASSERT(handle->control->n_listings == handle->control->n_ended);
}

static int listen_somewhere(int *port_out)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 1024), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port_out = ntohs(address.sin_port);
    return fd;
}

struct rk_http_settings fake_settings(void)
{
    return (struct rk_http_settings){
        .legacy = true,
        .max_connections = 1000,
        .max_linger_fds = 1000,
        .max_key_bytes = 4096,
        .max_value_bytes = 2 << 20,
        .max_head_bytes = 32768,
        .upload_memory_bytes = 64 << 20,
        .min_rate_bytes = 1024,
        .max_fields = 100,
        .list_time_ms = 60000,
        .request_timeout_ms = 10000,
        .idle_timeout_ms = 20000,
    };
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}

void fake_server_start(struct fake_server *server, const struct rk_http_settings *settings, void (*before)(void))
{
    struct rk_http_settings own = *settings;
    pid_t parent = getpid();

    server->control = shared_memory(sizeof *server->control);
    server->block = shared_memory(rk_stats_block_bytes(FAKE_SLOTS));
    rk_stats_block_init(server->block, FAKE_SLOTS);
    server->stats = &server->block->slots[0].http;
    server->wake_fd = eventfd(0, EFD_CLOEXEC);
    ck_assert_int_ge(server->wake_fd, 0);
    own.listener_fds[own.n_listeners++] = listen_somewhere(&server->port);
    fflush(NULL);
    server->pid = fork();
    ck_assert_int_ge(server->pid, 0);
    if (server->pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(1);
        if (before != NULL)
            before();
        serve(server, &own);
        exit(0); /* runs the leak check, where there is one */
    }
    for (size_t i = 0; i < own.n_listeners; i++)
        ck_assert_int_eq(close(own.listener_fds[i]), 0);
}

void fake_server_wake(struct fake_server *server)
{
    static const uint64_t one = 1;

    ck_assert_int_eq(write(server->wake_fd, &one, sizeof one), sizeof one);
}

void fake_server_stop(struct fake_server *server)
{
    int status;

    server->control->stop = true;
    fake_server_wake(server);
    ck_assert_int_eq(waitpid(server->pid, &status, 0), server->pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server ended with %#x", (unsigned)status);
    (void)close(server->wake_fd);
    (void)munmap(server->block, rk_stats_block_bytes(FAKE_SLOTS));
    (void)munmap(server->control, sizeof *server->control);
}

void fake_wait_for(_Atomic uint64_t *counter, uint64_t value)
{
    static const struct timespec pause = { .tv_nsec = 1000000 };
    uint64_t deadline_ns = rk_time_monotonic_ns() + PATIENCE_MS * RK_NS_PER_MS;

    while (*counter < value) {
        ck_assert_msg(rk_time_monotonic_ns() < deadline_ns, "waited in vain for %llu: %llu", (unsigned long long)value,
                      (unsigned long long)*counter);
        (void)nanosleep(&pause, NULL); /* between two looks; the deadline above decides */
    }
}
