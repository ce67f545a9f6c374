#include "store/store_get.h"

#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "base/base_time.h"
#include "grace/grace.h"
#include "keydir/keydir.h"
#include "store/store_op.h"

#include <stdlib.h>
#include <string.h>

/* Every record without block CRCs fits: the longest key, metadata and unblocked value, and padding. */
#define WHOLE_BYTES_MAX (RK_RECORD_HEADER_BYTES + 8u + RK_RECORD_KEY_MAX + RK_RECORD_METADATA_MAX + 66u * 1024u)

/* Somebody else writes the key each time that it is looked at. */
#define TRIES_MAX 1000u

/* Metadata of a large value beyond this costs a second read. */
#define LIKELY_METADATA_BYTES 4096u

struct lookup {
    struct rk_fingerprint fingerprint;
    uint64_t word; /* of the location; 0: absent */
    struct rk_location location;
    struct rk_store_file *file;
    const void *key;
    size_t key_len;
};

/* How many bytes to read first. */
static size_t first_read_bytes(const struct lookup *lookup)
{
    size_t size = lookup->location.size_bytes;
    size_t head;

    if (size <= WHOLE_BYTES_MAX)
        return size;
    head =
        RK_RECORD_HEADER_BYTES + 8 + 4 * (size / RK_RECORD_BLOCK_BYTES + 1) + lookup->key_len + LIKELY_METADATA_BYTES;
    return head < size ? head : size;
}

static bool is_expired(uint64_t expiry_ms)
{
    return expiry_ms != 0 && expiry_ms <= rk_time_wall_ms();
}

/* The head of a large record, whole: the bytes that were read first, or as many as it says when those were too few. */
static enum rk_err complete_head(const struct lookup *lookup, const struct rk_record_header *header,
                                 const struct rk_store_arena *arena, uint8_t **bytes, size_t size)
{
    size_t head_bytes = rk_record_value_offset(header);

    if (head_bytes <= size)
        return RK_OK;
    *bytes = arena->allocate(arena->arena, head_bytes);
    return rk_io_pread_full(lookup->file->fd, *bytes, head_bytes, (off_t)lookup->location.offset_bytes)
                   == (ssize_t)head_bytes
               ? RK_OK
               : RK_ERR_IO;
}

static struct rk_store_source *open_source(const struct lookup *lookup, const struct rk_record_header *header,
                                           const struct rk_store_arena *arena, uint8_t *head)
{
    struct rk_store_source *source = arena->allocate(arena->arena, sizeof *source);

    *source = (struct rk_store_source){ .file = lookup->file,
                                        .location = lookup->location,
                                        .header = *header,
                                        .head_bytes = rk_record_value_offset(header),
                                        .head = head };
    rk_store_file_pin(source->file);
    return source;
}

static bool is_wanted(const struct lookup *lookup, const struct rk_record_header *header, const uint8_t *key)
{
    if (header->type != RK_RECORD_PUT)
        return false;
    return RK_PLANTED(key_not_compared)
           || (header->key_len == lookup->key_len && memcmp(key, lookup->key, lookup->key_len) == 0);
}

static enum rk_err take_large(struct rk_store_client *client, const struct lookup *lookup,
                              const struct rk_store_arena *arena, uint8_t *bytes, size_t size,
                              struct rk_store_value *value_out)
{
    struct rk_record_header header;
    size_t key_offset;
    enum rk_err err = rk_record_decode_header(bytes, &client->secret, &header);

    if (err == RK_OK
        && (header.type == RK_RECORD_HOLE || rk_record_n_blocks(&header) == 0
            || rk_record_size_of(&header) != lookup->location.size_bytes))
        err = RK_ERR_CORRUPT;
    if (err == RK_OK)
        err = complete_head(lookup, &header, arena, &bytes, size);
    if (err == RK_OK)
        err = rk_record_check_body(&header, bytes, false);
    if (err != RK_OK)
        return err;
    key_offset = rk_record_key_offset(&header);
    if (!is_wanted(lookup, &header, bytes + key_offset))
        return RK_ERR_NOT_FOUND;
    *value_out = (struct rk_store_value){ .location = lookup->word,
                                          .sequence = header.sequence,
                                          .write_time_ms = header.write_time_ms,
                                          .expiry_ms = rk_record_expiry_ms(&header, bytes),
                                          .metadata = bytes + key_offset + header.key_len,
                                          .metadata_len = header.metadata_len,
                                          .value_len = header.value_len };
    if (is_expired(value_out->expiry_ms))
        return RK_ERR_NOT_FOUND;
    value_out->source = open_source(lookup, &header, arena, bytes);
    return RK_OK;
}

static enum rk_err take_whole(struct rk_store_client *client, const struct lookup *lookup, const uint8_t *bytes,
                              size_t size, struct rk_store_value *value_out)
{
    struct rk_record_view view;
    enum rk_err err = rk_record_decode(bytes, size, &client->secret, &view);

    if (err != RK_OK)
        return err;
    /* Another key: its fingerprint collides with ours. The key that we were asked for is not there. */
    if (!is_wanted(lookup, &view.header, view.key) || is_expired(view.expiry_ms))
        return RK_ERR_NOT_FOUND;
    *value_out = (struct rk_store_value){ .location = lookup->word,
                                          .sequence = view.header.sequence,
                                          .write_time_ms = view.header.write_time_ms,
                                          .expiry_ms = view.expiry_ms,
                                          .metadata = view.metadata,
                                          .metadata_len = view.header.metadata_len,
                                          .value = view.value,
                                          .value_len = view.header.value_len };
    return RK_OK;
}

/* Checks what was read and makes a value of it. */
static enum rk_err take_record(struct rk_store_client *client, const struct lookup *lookup,
                               const struct rk_store_arena *arena, uint8_t *bytes, size_t size,
                               struct rk_store_value *value_out)
{
    enum rk_err err = lookup->location.size_bytes <= WHOLE_BYTES_MAX
                          ? take_whole(client, lookup, bytes, size, value_out)
                          : take_large(client, lookup, arena, bytes, size, value_out);

    if (err == RK_OK)
        rk_counter_add(&client->settings.stats->hits, 1);
    else if (err != RK_ERR_NOT_FOUND)
        err = rk_store_count_read_error(client, err);
    return err;
}

/* "Absent" is answered with a sequence: that one and all before it were published when the key was found absent. The
 * sequence is on a line that every write touches, so only a miss looks at it, and then must look the key up once more.
 */
static uint64_t lookup_rcu(struct rk_store_client *client, struct rk_fingerprint fingerprint, uint64_t *sequence_out)
{
    uint64_t word = rk_keydir_lookup_rcu(client->settings.keydir, fingerprint);

    if (word != 0)
        return word;
    *sequence_out = atomic_load_explicit(client->settings.last_sequence, memory_order_acquire);
    return rk_keydir_lookup_rcu(client->settings.keydir, fingerprint);
}

/* `word` not 0: there is a record, but of another key or expired. */
static enum rk_err not_found(struct rk_store_client *client, struct rk_store_value *value_out, uint64_t word,
                             uint64_t sequence)
{
    rk_counter_add(&client->settings.stats->misses, 1);
    *value_out = (struct rk_store_value){ .location = word, .sequence = sequence };
    return RK_ERR_NOT_FOUND;
}

/* Whether the record that was read, and is nothing to this key, is the one that its entry names, and a sequence that
 * was published while it was. */
static bool is_named_still(struct rk_store_client *client, const struct lookup *lookup, uint64_t *sequence_out)
{
    uint64_t word;

    *sequence_out = atomic_load_explicit(client->settings.last_sequence, memory_order_acquire);
    rk_grace_read_lock();
    word = rk_keydir_lookup_rcu(client->settings.keydir, lookup->fingerprint);
    rk_grace_read_unlock();
    return word == lookup->word || RK_PLANTED(expired_told_late);
}

/* The record is not in the page cache: the rest happens in rk_store_get_finish(). An operation that is there already
 * goes on. */
static enum rk_err get_later(struct rk_store_client *client, const struct lookup *lookup,
                             const struct rk_store_arena *arena, struct store_op **op_ref)
{
    struct store_op *op = *op_ref != NULL ? *op_ref : rk_store_op_start(client, OP_GET);
    enum rk_err err;

    if (op == NULL)
        return RK_ERR_FULL;
    if (*op_ref == NULL) {
        op->arena = *arena;
        op->bytes = arena->allocate(arena->arena, lookup->key_len);
        memcpy(op->bytes, lookup->key, lookup->key_len);
        op->size = lookup->key_len;
    }
    op->location = lookup->word;
    err = rk_store_submit_read(client, op, lookup->file, lookup->location.offset_bytes, first_read_bytes(lookup));
    if (err != RK_ERR_AGAIN && *op_ref == NULL)
        rk_store_op_end(client, op);
    else
        *op_ref = op;
    return err;
}

/* The part inside the read section: RK_OK with the bytes, RK_ERR_AGAIN with an operation. */
static enum rk_err find_and_read_rcu(struct rk_store_client *client, struct lookup *lookup,
                                     const struct rk_store_arena *arena, uint64_t *sequence_out, uint8_t **bytes_out,
                                     struct store_op **op_ref)
{
    size_t size;
    enum rk_err err;

    lookup->word = lookup_rcu(client, lookup->fingerprint, sequence_out);
    if (lookup->word == 0)
        return RK_ERR_NOT_FOUND;
    lookup->location = rk_disk_location_decode(lookup->word);
    err = rk_store_files_get(client->files, lookup->location.file_number, &lookup->file);
    if (err != RK_OK)
        return rk_store_count_read_error(client, err);
    size = first_read_bytes(lookup);
    *bytes_out = arena->allocate(arena->arena, size);
    err = rk_store_read_cached(lookup->file->fd, *bytes_out, size, lookup->location.offset_bytes);
    if (err == RK_ERR_AGAIN)
        return get_later(client, lookup, arena, op_ref);
    return err == RK_OK ? RK_OK : rk_store_count_read_error(client, err);
}

/* Once more for each time that the entry changed while what it named was read, and had expired. RK_ERR_AGAIN: *op_ref
 * goes on. */
static enum rk_err get(struct rk_store_client *client, struct lookup *lookup, const struct rk_store_arena *arena,
                       struct rk_store_value *value_out, struct store_op **op_ref)
{
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        uint64_t sequence = 0;
        uint8_t *bytes = NULL;
        enum rk_err err;

        rk_grace_read_lock();
        err = find_and_read_rcu(client, lookup, arena, &sequence, &bytes, op_ref);
        rk_grace_read_unlock();
        /* Outside of the section: the bytes are ours, and a file that take_record() pins is open in our own table. */
        if (err == RK_OK)
            err = take_record(client, lookup, arena, bytes, first_read_bytes(lookup), value_out);
        if (err != RK_ERR_NOT_FOUND)
            return err;
        if (lookup->word == 0 || is_named_still(client, lookup, &sequence))
            return not_found(client, value_out, lookup->word, sequence);
    }
    return RK_ERR_FULL;
}

enum rk_err rk_store_client_get(struct rk_store_client *client, const void *key, size_t key_len,
                                const struct rk_store_arena *arena, struct rk_store_value *value_out,
                                rk_store_get_done_fn *done, void *context, rk_store_ticket *ticket_out)
{
    struct lookup lookup = { .fingerprint = rk_keydir_fingerprint(key, key_len, client->settings.hash_key),
                             .key = key,
                             .key_len = key_len };
    struct store_op *op = NULL;
    enum rk_err err = get(client, &lookup, arena, value_out, &op);

    if (err == RK_ERR_AGAIN) {
        op->done.get = done;
        op->context = context;
        *ticket_out = rk_store_op_ticket(client, op);
    }
    return err;
}

/* What a reader thread has read. RK_ERR_AGAIN: the entry has changed since, and the operation reads once more. */
static enum rk_err take_job(struct rk_store_client *client, struct store_op *op, const struct rk_store_read_job *job,
                            struct rk_store_value *value_out)
{
    struct lookup lookup = { .word = op->location,
                             .location = rk_disk_location_decode(op->location),
                             .file = job->file,
                             .key = op->bytes,
                             .key_len = op->size };
    uint64_t sequence;
    uint8_t *bytes;
    enum rk_err err;

    if (job->err != RK_OK)
        return rk_store_count_read_error(client, job->err);
    bytes = op->arena.allocate(op->arena.arena, job->size);
    memcpy(bytes, job->bytes, job->size);
    err = take_record(client, &lookup, &op->arena, bytes, job->size, value_out);
    if (err != RK_ERR_NOT_FOUND)
        return err;
    lookup.fingerprint = rk_keydir_fingerprint(lookup.key, lookup.key_len, client->settings.hash_key);
    if (is_named_still(client, &lookup, &sequence))
        return not_found(client, value_out, lookup.word, sequence);
    return get(client, &lookup, &op->arena, value_out, &op);
}

void rk_store_get_finish(struct rk_store_client *client, struct store_op *op, struct rk_store_read_job *job)
{
    struct rk_store_value value = { .sequence = 0 };
    rk_store_get_done_fn *done = op->done.get;
    void *context = op->context;
    enum rk_err err = RK_OK;

    if (done != NULL)
        err = take_job(client, op, job, &value);
    rk_store_file_unpin(job->file);
    free(job);
    if (err == RK_ERR_AGAIN)
        return;
    rk_store_op_end(client, op);
    if (done != NULL)
        done(context, err, &value);
}
