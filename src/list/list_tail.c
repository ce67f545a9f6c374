#include "list/list_tail.h"

#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_window.h"

#include <errno.h>

/* A file while it is read. */
struct reading {
    struct rk_list_tail *tail;
    const struct rk_list_where *where;
    struct rk_disk_window window;
    uint64_t file_bytes;
    uint64_t last_sequence; /* what has a higher one was not published when the reading began */
    bool is_second;         /* after one that ended early */
    bool is_whole;          /* it came to the trailer, or to what was not published */
    bool is_doubtful;       /* the checksum of the record in hand does not fit */
};

struct rk_list_tail *rk_list_tail_create(uint32_t file_number, size_t bytes_max)
{
    struct rk_list_tail *tail = rk_mem_calloc(1, sizeof *tail);

    tail->file_number = file_number;
    tail->bytes_max = bytes_max;
    tail->offset = RK_DISK_FILE_FRAME_BYTES;
    tail->order = rk_list_order_create();
    rk_list_buffer_assign(&tail->low, "", 0);
    return tail;
}

void rk_list_tail_destroy(struct rk_list_tail **tail)
{
    if (*tail == NULL)
        return;
    rk_list_order_destroy(&(*tail)->order);
    rk_list_buffer_fini(&(*tail)->low);
    rk_list_buffer_fini(&(*tail)->high);
    free(*tail);
    *tail = NULL;
}

/* ---- the window of keys ---- */

static int compare(const struct rk_list_buffer *bound, const void *key, size_t key_len)
{
    return rk_disk_keys_compare(bound->bytes, bound->len, key, key_len);
}

static bool is_in_window(const struct rk_list_tail *tail, const void *key, size_t key_len)
{
    return compare(&tail->low, key, key_len) <= 0 && (!tail->has_high || compare(&tail->high, key, key_len) > 0);
}

/* The highest keys go until the others fit; one stays. */
static void shrink(struct rk_list_tail *tail)
{
    const struct rk_list_node *last;

    while (rk_list_order_bytes(tail->order) > tail->bytes_max) {
        last = rk_list_order_last(tail->order);
        if (last == rk_list_order_seek(tail->order, "", 0))
            return;
        rk_list_buffer_assign(&tail->high, rk_list_node_key(last), last->key_len);
        tail->has_high = true;
        rk_list_order_remove(tail->order, tail->high.bytes, tail->high.len, UINT64_MAX);
    }
}

/* ---- records ---- */

static void take_record(const struct reading *reading, const struct rk_record_header *header, const uint8_t *bytes)
{
    struct rk_list_tail *tail = reading->tail;
    struct rk_disk_key key = {
        .key = bytes + rk_record_key_offset(header),
        .key_len = header->key_len,
        .value_len = header->value_len,
        .sequence = header->sequence,
        .expiry_ms = rk_record_expiry_ms(header, bytes),
        .location = rk_disk_location_encode((struct rk_location){ .file_number = tail->file_number,
                                                                  .offset_bytes = tail->offset,
                                                                  .size_bytes = (uint32_t)rk_record_size_of(header) }),
    };

    if (!is_in_window(tail, key.key, key.key_len))
        return;
    if (header->type == RK_RECORD_TOMBSTONE)
        rk_list_order_remove(tail->order, key.key, key.key_len, key.sequence);
    else
        rk_list_order_put(tail->order, &key, reading->is_doubtful);
    shrink(tail);
}

/* The part of the record that a check of its key needs. */
static size_t checked_bytes(const struct rk_record_header *header)
{
    return rk_record_value_offset(header) + (rk_record_n_blocks(header) > 0 ? 0 : header->value_len);
}

static bool has_key(const struct rk_record_header *header)
{
    return header->type == RK_RECORD_PUT || header->type == RK_RECORD_TOMBSTONE;
}

/* What stands at the tail's offset. RK_ERR_NOT_FOUND: there is no whole record that was published. */
static enum rk_err find_record(struct reading *reading, struct rk_record_header *header, const uint8_t **bytes_out)
{
    uint64_t rest = reading->file_bytes - reading->tail->offset;
    enum rk_err err;

    if (rest < RK_RECORD_HEADER_BYTES)
        return RK_ERR_NOT_FOUND;
    err = rk_disk_window_get(&reading->window, reading->tail->offset, RK_RECORD_HEADER_BYTES, bytes_out);
    if (err != RK_OK)
        return err;
    if (rk_record_decode_header(*bytes_out, &reading->where->secret, header) != RK_OK)
        return RK_ERR_NOT_FOUND;
    reading->is_whole = header->type == RK_RECORD_FILE_TRAILER
                        || (header->type != RK_RECORD_HOLE && header->sequence > reading->last_sequence);
    if (reading->is_whole || rk_record_size_of(header) > rest)
        return RK_ERR_NOT_FOUND;
    if (!has_key(header))
        return RK_OK;
    err = rk_disk_window_get(&reading->window, reading->tail->offset, checked_bytes(header), bytes_out);
    reading->is_doubtful = err == RK_OK && rk_record_check_body(header, *bytes_out, false) != RK_OK;
    return reading->is_doubtful && !reading->is_second ? RK_ERR_NOT_FOUND : err; /* a hole has come, perhaps */
}

/* The records of a hole had one sequence after the other in the file that is written to. */
static uint64_t last_sequence_of(const struct rk_record_header *header)
{
    return header->sequence + (header->type == RK_RECORD_HOLE ? rk_record_hole_records(header) - 1 : 0);
}

static enum rk_err read_records(struct reading *reading)
{
    struct rk_list_tail *tail = reading->tail;
    struct rk_record_header header;
    const uint8_t *bytes;
    enum rk_err err;

    while ((err = find_record(reading, &header, &bytes)) == RK_OK) {
        if (has_key(&header))
            take_record(reading, &header, bytes);
        if (last_sequence_of(&header) > tail->max_sequence)
            tail->max_sequence = last_sequence_of(&header);
        tail->offset += rk_record_size_of(&header);
        if (atomic_load_explicit(&reading->where->is_stopping, memory_order_relaxed))
            return RK_ERR_CLOSED;
    }
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

static bool ends_early(const struct reading *reading)
{
    const struct rk_list_tail *tail = reading->tail;

    return !reading->is_whole
           && (tail->is_sealed
               || (tail->max_sequence < reading->last_sequence && tail->read_again < reading->last_sequence));
}

static void forget(struct rk_list_tail *tail)
{
    rk_list_order_destroy(&tail->order);
    tail->order = rk_list_order_create();
    tail->has_high = false;
    tail->offset = RK_DISK_FILE_FRAME_BYTES;
}

static enum rk_err read_once(struct rk_list_tail *tail, const struct rk_list_where *where, bool is_second,
                             bool *ends_early_out)
{
    struct reading reading = { .tail = tail, .where = where, .is_second = is_second };
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    /* Partner: the release store of the writer, after the records were written and published. */
    reading.last_sequence = atomic_load_explicit(where->last_sequence, memory_order_acquire);
    rk_disk_file_name(name, tail->file_number);
    err = rk_disk_window_open(&reading.window, where->dir_fd, name, &reading.file_bytes);
    if (err == RK_OK && reading.file_bytes >= tail->offset)
        err = read_records(&reading);
    rk_disk_window_close(&reading.window);
    *ends_early_out = ends_early(&reading);
    if (is_second)
        tail->read_again = reading.last_sequence;
    return err;
}

enum rk_err rk_list_tail_read(struct rk_list_tail *tail, const struct rk_list_where *where)
{
    bool ends_early;
    enum rk_err err = read_once(tail, where, false, &ends_early);

    if (err != RK_OK || !ends_early)
        return err;
    forget(tail);
    err = read_once(tail, where, true, &ends_early);
    return err == RK_OK && tail->is_sealed && ends_early ? RK_ERR_CORRUPT : err;
}

/* ---- other windows ---- */

static enum rk_err move_window(struct rk_list_tail *tail, const struct rk_list_where *where, const void *low,
                               size_t low_len)
{
    rk_list_buffer_assign(&tail->low, low, low_len);
    forget(tail);
    return rk_list_tail_read(tail, where);
}

enum rk_err rk_list_tail_seek(struct rk_list_tail *tail, const struct rk_list_where *where, const void *key,
                              size_t key_len, const struct rk_list_node **node_out)
{
    enum rk_err err = RK_OK;

    if (!is_in_window(tail, key, key_len))
        err = move_window(tail, where, key, key_len);
    *node_out = err == RK_OK ? rk_list_order_seek(tail->order, key, key_len) : NULL;
    while (err == RK_OK && *node_out == NULL && tail->has_high) {
        err = move_window(tail, where, tail->high.bytes, tail->high.len);
        *node_out = err == RK_OK ? rk_list_order_seek(tail->order, key, key_len) : NULL;
    }
    return err;
}
