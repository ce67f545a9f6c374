#include "merge_bed.h"

#include "base/base_detail.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "space/space.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEYDIR_BYTES ((uint64_t)4 << 30)
#define N_STAGED     512u

struct rk_log_store *store;
struct rk_log_writer *log_writer;
struct rk_keydir_writer *keydir;
struct rk_space *space;

struct staged {
    struct rk_fingerprint fingerprint;
    uint64_t location;
    uint32_t expiry_s;
};

static struct staged staged[N_STAGED];
static size_t n_staged;

void bed_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

void bed_open(const char *path)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = BED_FILE_BYTES, .next_sequence = 1 };
    struct rk_detail detail = { "" };

    if (rk_log_store_open(&store, path, &detail) != RK_OK
        || rk_log_writer_open(&log_writer, store, &settings, &detail) != RK_OK
        || rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, &detail) != RK_OK)
        bed_die("opening a store", detail.text);
    space = rk_space_create();
}

void bed_close(const char *path)
{
    DIR *folder;
    const struct dirent *entry;

    (void)rk_log_writer_close(&log_writer); /* it goes anyway */
    rk_space_destroy(&space);
    rk_keydir_writer_destroy(&keydir);
    rk_log_store_close(&store);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        (void)unlinkat(dirfd(folder), entry->d_name, 0); /* not . and .. */
    if (folder != NULL)
        closedir(folder);
    (void)rmdir(path); /* seen if it stays */
}

static void publish(const struct staged *op)
{
    uint64_t replaced = rk_keydir_writer_put(keydir, op->fingerprint, op->location);

    rk_space_add(space, op->location, RK_SPACE_LIVE);
    rk_space_note_expiry(space, rk_disk_location_decode(op->location).file_number, op->expiry_s);
    if (replaced != 0)
        rk_space_move(space, replaced, RK_SPACE_LIVE, RK_SPACE_OVERWRITTEN);
}

static void flush(void)
{
    if (rk_log_writer_flush(log_writer) != RK_OK)
        bed_die("writing", "it failed");
    for (size_t i = 0; i < n_staged; i++)
        publish(&staged[i]);
    n_staged = 0;
}

static enum rk_err stage(const uint8_t *bytes, uint64_t size, uint64_t *location_out)
{
    uint64_t sequence;

    return rk_log_writer_stage(log_writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, location_out, &sequence);
}

void bed_put(const struct bed_value *value, uint64_t number, uint64_t expiry_ms)
{
    static _Alignas(16) uint8_t bytes[1u << 20];
    char key[24];
    struct rk_record_parts parts = {
        .type = RK_RECORD_PUT, .key = key, .value = value->bytes, .value_len = value->len, .expiry_ms = expiry_ms
    };
    struct staged op = { .expiry_s = rk_disk_expiry_s(RK_RECORD_PUT, expiry_ms) };
    uint64_t size;
    enum rk_err err;

    parts.key_len = (uint16_t)snprintf(key, sizeof key, "key-%012llu", (unsigned long long)number);
    (void)rk_keydir_writer_has_room(keydir, 1); /* makes it; 4 GiB is enough */
    size = rk_record_build(bytes, &parts);
    op.fingerprint = rk_keydir_fingerprint(key, parts.key_len, rk_log_store_identity(store)->hash_key);
    err = stage(bytes, size, &op.location);
    if (err == RK_ERR_FULL) {
        flush();
        err = stage(bytes, size, &op.location);
    }
    if (err != RK_OK)
        bed_die("writing", rk_err_text(err));
    staged[n_staged++] = op;
    if (n_staged == N_STAGED || size > 16384) /* of a large one the log keeps no copy */
        flush();
}

void bed_seal(void)
{
    flush();
    if (rk_log_writer_roll(log_writer) != RK_OK)
        bed_die("rolling over", "it failed");
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, rk_log_store_identity(store)->hash_key);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

/* As the server does in the background. */
void bed_make_hints(void)
{
    struct rk_log_hint_maker maker = { .fingerprint = make_fingerprint };
    struct rk_detail detail = { "" };
    uint32_t number;

    for (size_t i = 0; (number = rk_log_store_file(store, i)) != 0; i++)
        if (number != rk_log_writer_file_number(log_writer)
            && rk_log_hint_make(rk_log_store_dir_fd(store), number, rk_log_store_identity(store), &maker, &detail)
                   != RK_OK)
            bed_die("making a hint", detail.text);
}

enum rk_err bed_call(void *context, void (*run)(void *argument), void *argument)
{
    run(argument);
    return RK_OK;
}
