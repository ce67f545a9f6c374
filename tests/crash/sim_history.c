#include "sim_history.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "sim_keys.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYDIR_BYTES (1u << 20)
#define KEYDIR_USES  512 /* a recovery fills extents that nothing has been in, and they come to an end */

static char value_room[SIM_VALUE_MAX];
static char key_room[SIM_KEY_BYTES];
static uint8_t record_room[SIM_VALUE_MAX + 4096];

void sim_history_copy(struct sim_history *to, const struct sim_history *from)
{
    memcpy(to->writes, from->writes, from->n_writes * sizeof from->writes[0]);
    to->n_writes = from->n_writes;
    to->is_merged = from->is_merged;
    to->n_least = from->n_least;
    to->n_most = from->n_most;
    to->now_s = from->now_s;
    to->latest_s = from->latest_s;
    to->may_be_damaged = from->may_be_damaged;
}

size_t sim_key_make(char key[SIM_KEY_BYTES], unsigned key_number)
{
    return (size_t)snprintf(key, SIM_KEY_BYTES, "key%u", key_number);
}

/* No two writes have the same value, nor the same bytes at the same place of one. */
static void make_value(size_t index, uint32_t len)
{
    static char letters[SIM_VALUE_MAX + 26];
    char number[24];
    size_t n = (size_t)snprintf(number, sizeof number, "%zu:", index);

    if (letters[0] == '\0')
        for (size_t i = 0; i < sizeof letters; i++)
            letters[i] = (char)('a' + i % 26);
    memcpy(value_room, letters + index % 26, len);
    memcpy(value_room, number, n < len ? n : len);
}

void sim_history_parts(const struct sim_history *history, size_t index, struct rk_record_parts *parts_out)
{
    const struct sim_write *write = &history->writes[index];

    *parts_out = (struct rk_record_parts){ .type = write->is_delete ? RK_RECORD_TOMBSTONE : RK_RECORD_PUT,
                                           .key = key_room,
                                           .key_len = (uint16_t)sim_key_make(key_room, write->key),
                                           .value = value_room,
                                           .value_len = write->value_len,
                                           .expiry_ms = write->expiry_ms };
    make_value(index, write->value_len);
}

enum presence {
    GONE,
    THERE,
    EITHER,
};

/* What is found of a key whose newest write this is; NULL: it has none. */
static enum presence presence_of(const struct sim_history *history, const struct sim_write *write)
{
    if (write == NULL || write->is_delete)
        return GONE;
    if (write->expiry_ms == 0 || write->expiry_ms > history->latest_s * 1000)
        return THERE;
    if (write->expiry_ms <= history->now_s * 1000)
        return GONE;
    return history->is_merged ? EITHER : THERE;
}

static void must(bool condition, const char *where, unsigned key_number, const char *what)
{
    if (!condition)
        ck_abort_msg("%s: key%u %s", where, key_number, what);
}

static void check_value(const struct sim_history *history, size_t index, const struct rk_log_store *store,
                        uint64_t word, const char *where)
{
    struct rk_location location = rk_disk_location_decode(word);
    unsigned key_number = history->writes[index].key;
    char name[RK_DISK_FILE_NAME_BYTES];
    struct rk_record_parts parts;
    struct rk_record_view view;
    int fd;

    rk_disk_file_name(name, location.file_number);
    fd = rk_io->open_at(rk_log_store_dir_fd(store), name, O_RDONLY, 0);
    must(fd >= 0, where, key_number, "is in a file that is gone");
    must(location.size_bytes <= sizeof record_room, where, key_number, "is too large");
    must(rk_io->pread(fd, record_room, location.size_bytes, (off_t)location.offset_bytes)
             == (ssize_t)location.size_bytes,
         where, key_number, "is beyond the end of its file");
    (void)rk_io->close(fd);
    if (rk_record_decode(record_room, location.size_bytes, &rk_log_store_identity(store)->secret, &view) != RK_OK) {
        must(history->may_be_damaged, where, key_number, "is damaged");
        return;
    }
    sim_history_parts(history, index, &parts);
    must(view.header.type == RK_RECORD_PUT && view.header.key_len == parts.key_len
             && memcmp(view.key, parts.key, parts.key_len) == 0 && view.expiry_ms == parts.expiry_ms,
         where, key_number, "is another record");
    must(view.header.value_len == parts.value_len && memcmp(view.value, parts.value, parts.value_len) == 0, where,
         key_number, "has a wrong value");
}

static void check_state(const struct sim_history *history, size_t n, const struct rk_log_store *store,
                        struct rk_keydir_writer *keydir, const char *where)
{
    const struct sim_write *last[SIM_KEYS] = { NULL };
    uint64_t n_keys = 0;

    if (n > history->n_writes)
        ck_abort_msg("%s: %zu records were found, and %zu written", where, n, history->n_writes);
    for (size_t i = 0; i < n; i++)
        last[history->writes[i].key] = &history->writes[i];
    for (unsigned i = 0; i < SIM_KEYS; i++) {
        char key[SIM_KEY_BYTES];
        size_t key_len = sim_key_make(key, i);
        uint64_t word = rk_keydir_writer_lookup(
            keydir, rk_keydir_fingerprint(key, key_len, rk_log_store_identity(store)->hash_key));
        enum presence presence = presence_of(history, last[i]);

        must(presence != GONE || word == 0, where, i,
             "is there, although it was deleted, has expired, or was never written");
        must(presence != THERE || word != 0, where, i, "is gone");
        if (word != 0)
            check_value(history, (size_t)(last[i] - history->writes), store, word, where);
        n_keys += word != 0;
    }
    if (rk_keydir_writer_usage(keydir).n_keys != n_keys)
        ck_abort_msg("%s: there are keys that nobody wrote", where);
}

/* What the store has of a key: its record, or nothing. */
struct finding {
    bool is_there;
    struct rk_record_view view;
    uint8_t *bytes;
};

static void find_key(const struct rk_log_store *store, struct rk_keydir_writer *keydir, unsigned key_number,
                     struct finding *finding, const char *where)
{
    char key[SIM_KEY_BYTES], name[RK_DISK_FILE_NAME_BYTES];
    size_t key_len = sim_key_make(key, key_number);
    uint64_t word =
        rk_keydir_writer_lookup(keydir, rk_keydir_fingerprint(key, key_len, rk_log_store_identity(store)->hash_key));
    struct rk_location location = rk_disk_location_decode(word);
    int fd;

    *finding = (struct finding){ .is_there = word != 0 };
    if (word == 0)
        return;
    rk_disk_file_name(name, location.file_number);
    fd = rk_io->open_at(rk_log_store_dir_fd(store), name, O_RDONLY, 0);
    must(fd >= 0, where, key_number, "is in a file that is gone");
    finding->bytes = malloc(location.size_bytes);
    must(rk_io->pread(fd, finding->bytes, location.size_bytes, (off_t)location.offset_bytes)
             == (ssize_t)location.size_bytes,
         where, key_number, "is beyond the end of its file");
    (void)rk_io->close(fd);
    must(rk_record_decode(finding->bytes, location.size_bytes, &rk_log_store_identity(store)->secret, &finding->view)
             == RK_OK,
         where, key_number, "is damaged");
}

static bool is_write(const struct sim_history *history, size_t index, const struct finding *finding)
{
    const struct sim_write *write = &history->writes[index];
    const struct rk_record_view *view = &finding->view;
    struct rk_record_parts parts;

    if (!finding->is_there)
        return presence_of(history, write) != THERE;
    if (presence_of(history, write) == GONE)
        return false;
    if (write->sequence != 0 && write->sequence != view->header.sequence)
        return false;
    sim_history_parts(history, index, &parts);
    return view->header.type == RK_RECORD_PUT && view->expiry_ms == parts.expiry_ms
           && view->header.value_len == parts.value_len && memcmp(view->value, parts.value, parts.value_len) == 0;
}

static bool is_state_after(const struct sim_history *history, size_t n, const struct finding findings[SIM_KEYS])
{
    bool is_decided[SIM_KEYS] = { false };

    for (size_t i = n; i > 0; i--) {
        unsigned key = history->writes[i - 1].key;

        if (!is_decided[key] && !is_write(history, i - 1, &findings[key]))
            return false;
        is_decided[key] = true;
    }
    for (unsigned key = 0; key < SIM_KEYS; key++)
        if (!is_decided[key] && findings[key].is_there)
            return false;
    return true;
}

/* After how many writes it is the state. */
static size_t find_state(const struct sim_history *history, const struct rk_log_store *store,
                         struct rk_keydir_writer *keydir, const char *where)
{
    struct finding findings[SIM_KEYS];
    size_t n = history->n_most;
    uint64_t n_there = 0;

    for (unsigned i = 0; i < SIM_KEYS; i++) {
        find_key(store, keydir, i, &findings[i], where);
        n_there += findings[i].is_there;
    }
    if (rk_keydir_writer_usage(keydir).n_keys != n_there)
        ck_abort_msg("%s: there are keys that nobody wrote", where);
    while (n > history->n_least && !is_state_after(history, n, findings))
        n--;
    if (!is_state_after(history, n, findings))
        check_state(history, history->n_most, store, keydir, where); /* says what is wrong with it */
    if (!is_state_after(history, n, findings))
        ck_abort_msg("%s: not the state after %zu to %zu writes", where, history->n_least, history->n_most);
    for (unsigned i = 0; i < SIM_KEYS; i++)
        free(findings[i].bytes);
    return n;
}

/* A keydir with nothing in it. To make one costs ten times what a recovery does, so it is used again: recovery wants an
 * empty one with one page, which is what deletes leave. */
static struct rk_keydir_writer *borrow_keydir(void)
{
    static struct rk_keydir_writer *kept;
    static unsigned n_uses;
    static pid_t owner; /* it is shared memory: who was forked has one of his own */
    bool is_as_new = false;

    if (kept != NULL && n_uses < KEYDIR_USES && owner == getpid()) {
        struct rk_keydir_usage usage = rk_keydir_writer_usage(kept);

        is_as_new = usage.n_keys == 0 && usage.n_pages == 1;
    }
    if (!is_as_new) {
        rk_keydir_writer_destroy(&kept);
        n_uses = 0;
        owner = getpid();
        if (rk_keydir_writer_create(&kept, KEYDIR_BYTES, NULL, NULL) != RK_OK)
            ck_abort_msg("no keydir");
    }
    n_uses++;
    return kept;
}

static void empty_keydir(struct rk_keydir_writer *keydir, const struct rk_log_store *store)
{
    char key[SIM_KEY_BYTES];

    for (unsigned i = 0; i < SIM_KEYS && rk_keydir_writer_usage(keydir).n_keys > 0; i++) {
        size_t key_len = sim_key_make(key, i);

        (void)rk_keydir_writer_delete(
            keydir, rk_keydir_fingerprint(key, key_len, rk_log_store_identity(store)->hash_key)); /* or it has none */
    }
    rk_keydir_writer_reclaim(keydir, UINT64_MAX);
}

enum rk_err sim_history_try(const struct sim_history *history, const char *root, const char *where,
                            struct rk_recovery *result_out, struct rk_detail *detail)
{
    struct rk_keydir_writer *keydir;
    struct rk_recover_hooks hooks = { .now_s = history->now_s };
    struct rk_log_store *store = NULL;
    enum rk_err err = rk_log_store_open(&store, root, detail);

    if (err != RK_OK)
        return err;
    keydir = borrow_keydir();
    err = rk_recover_store(store, keydir, &hooks, result_out, detail);
    if (err == RK_OK && history->is_merged)
        result_out->n_records = find_state(history, store, keydir, where);
    else if (err == RK_OK)
        check_state(history, result_out->n_records, store, keydir, where);
    if (err == RK_OK)
        sim_keys_check(store, history->may_be_damaged, where);
    empty_keydir(keydir, store);
    rk_log_store_close(&store);
    return err;
}

void sim_history_recover(const struct sim_history *history, const char *root, const char *where,
                         struct rk_recovery *result_out)
{
    struct rk_detail detail = { "" };

    if (sim_history_try(history, root, where, result_out, &detail) != RK_OK)
        ck_abort_msg("%s: not opened: %s", where, detail.text);
}
