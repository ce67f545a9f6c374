/* What goes to the writer thread, or through it to the data files. */
#include "control/control_private.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "rackkv/control.h"
#include "writer/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- roll, sync ---- */

static json_t *refuse_write(const struct rk_control *control, enum rk_err err)
{
    struct rk_detail why = { "" };

    if (err != RK_ERR_CLOSED)
        rk_log_writer_why(control->log, &why);
    return rk_control_refuse_err(err, why.text);
}

struct roll {
    struct rk_log_writer *log;
    uint32_t before, after;
    enum rk_err err;
};

static void run_roll(void *context)
{
    struct roll *roll = context;

    roll->before = rk_log_writer_file_number(roll->log);
    roll->err = rk_log_writer_roll(roll->log);
    roll->after = rk_log_writer_file_number(roll->log);
}

json_t *rk_control_verb_roll(struct rk_control *control, const json_t *request)
{
    struct roll roll = { .log = control->log };
    enum rk_err err = rk_writer_call(control->settings.writer, run_roll, &roll);

    if (err == RK_OK)
        err = roll.err;
    if (err != RK_OK)
        return refuse_write(control, err);
    return json_pack("{s:b, s:b, s:o, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_ROLLED, roll.before != roll.after,
                     RK_CONTROL_SEALED, roll.before != roll.after ? rk_control_number(roll.before) : json_null(),
                     RK_CONTROL_ACTIVE, rk_control_number(roll.after));
}

json_t *rk_control_verb_sync(struct rk_control *control, const json_t *request)
{
    enum rk_err err = rk_log_writer_sync(control->log);

    if (err != RK_OK)
        return refuse_write(control, err);
    return json_pack("{s:b, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_DURABLE_SEQUENCE,
                     rk_control_number(rk_log_writer_durable_sequence(control->log)));
}

/* ---- whereis ---- */

/* A key as bytes: "key" is text, "key64" is base64. Allocated; NULL when not exactly one is there, or it is none. */
static uint8_t *decode_key(const json_t *request, size_t *size_out)
{
    const json_t *text = json_object_get(request, RK_CONTROL_KEY);
    const char *base64 = json_string_value(json_object_get(request, RK_CONTROL_KEY64));
    uint8_t *key;

    *size_out = text != NULL ? json_string_length(text) : base64 != NULL ? strlen(base64) : 0;
    if (*size_out == 0 || (text != NULL && base64 != NULL))
        return NULL;
    key = malloc(*size_out);
    if (key == NULL)
        return NULL;
    if (text != NULL) {
        memcpy(key, json_string_value(text), *size_out);
        return key;
    }
    if (sodium_base642bin(key, *size_out, base64, strlen(base64), NULL, size_out, NULL, sodium_base64_VARIANT_ORIGINAL)
        == 0)
        return key;
    free(key);
    return NULL;
}

struct lookup {
    struct rk_control *control;
    const uint8_t *key;
    size_t key_len;
    struct rk_location location;
    int fd;
    enum rk_err err;
};

/* The file is opened while its record is the key's newest: a merge may remove its name later. */
static void run_lookup(void *context)
{
    struct lookup *lookup = context;
    const struct rk_log_store *store = lookup->control->settings.store;
    struct rk_fingerprint fingerprint =
        rk_keydir_fingerprint(lookup->key, lookup->key_len, rk_log_store_identity(store)->hash_key);
    uint64_t location = rk_keydir_writer_lookup(lookup->control->settings.keydir, fingerprint);
    char name[RK_DISK_FILE_NAME_BYTES];

    if (location == 0) {
        lookup->err = RK_ERR_NOT_FOUND;
        return;
    }
    lookup->location = rk_disk_location_decode(location);
    rk_disk_file_name(name, lookup->location.file_number);
    lookup->fd = rk_open_file(rk_log_store_dir_fd(store), name, O_RDONLY, 0);
    lookup->err = lookup->fd >= 0 ? RK_OK : RK_ERR_IO;
}

static json_t *show_record(const struct lookup *lookup, const struct rk_record_header *header, uint64_t expiry_ms)
{
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", RK_CONTROL_OK, 1, RK_CONTROL_FILE,
                     rk_control_number(lookup->location.file_number), RK_CONTROL_OFFSET,
                     rk_control_number(lookup->location.offset_bytes), RK_CONTROL_SIZE,
                     rk_control_number(lookup->location.size_bytes), RK_CONTROL_SEQUENCE,
                     rk_control_number(header->sequence), RK_CONTROL_TYPE,
                     header->type == RK_RECORD_TOMBSTONE ? "tombstone" : "put", "key_bytes",
                     rk_control_number(header->key_len), RK_CONTROL_VALUE_BYTES, rk_control_number(header->value_len),
                     RK_CONTROL_WRITTEN_MS, rk_control_number(header->write_time_ms), RK_CONTROL_EXPIRES_MS,
                     expiry_ms != 0 ? rk_control_number(expiry_ms) : json_null());
}

/* Reads the record up to its key, to see that the file says the same as the keydir. */
static json_t *read_record(const struct lookup *lookup)
{
    const struct rk_log_store *store = lookup->control->settings.store;
    uint8_t bytes[RK_RECORD_HEADER_BYTES + sizeof(uint64_t)]; /* with the expiry; no record is smaller */
    struct rk_record_header header;
    ssize_t n = rk_io_pread_full(lookup->fd, bytes, sizeof bytes, (off_t)lookup->location.offset_bytes);

    if (n < 0)
        return rk_control_refuse_err(RK_ERR_IO, strerror(errno));
    if (n < (ssize_t)sizeof bytes
        || rk_record_decode_header(bytes, &rk_log_store_identity(store)->secret, &header) != RK_OK
        || header.key_len != lookup->key_len || rk_record_size_of(&header) != lookup->location.size_bytes)
        return rk_control_refuse("corrupt", "data file %u: the record at offset %llu is damaged",
                                 lookup->location.file_number, (unsigned long long)lookup->location.offset_bytes);
    return show_record(lookup, &header, rk_record_expiry_ms(&header, bytes));
}

static json_t *find_record(struct lookup *lookup)
{
    enum rk_err err = rk_writer_call(lookup->control->settings.writer, run_lookup, lookup);
    json_t *answer;

    if (err == RK_OK)
        err = lookup->err;
    if (err != RK_OK)
        return rk_control_refuse_err(err, err == RK_ERR_NOT_FOUND ? "there is no such key" : "");
    answer = read_record(lookup);
    (void)rk_io->close(lookup->fd); /* it was only read */
    return answer;
}

json_t *rk_control_verb_whereis(struct rk_control *control, const json_t *request)
{
    struct lookup lookup = { .control = control };
    uint8_t *key = decode_key(request, &lookup.key_len);
    json_t *answer;

    if (key == NULL)
        return rk_control_refuse(
            "usage", "whereis needs one key of at least one byte: \"key\" with its text, or \"key64\" with base64");
    lookup.key = key;
    answer = find_record(&lookup);
    free(key);
    return answer;
}
