/* Listings of a store beside the model of the merges: whatever was written, deleted, expired, merged, punched, hinted
 * and started again, a listing shows what the model has; and while all that goes on, each key that lives throughout
 * once.
 *
 * RK_LIST_STEPS asks for more. */
#include "../merge/merge_model.h"
#include "base/base_time.h"
#include "disk/disk_file.h"
#include "disk/disk_hint.h"
#include "disk/disk_secret.h"
#include "grace/grace.h"
#include "keydir/keydir_writer.h"
#include "list/list_cursor.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "stats/stats_store.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct model model;
static struct rk_list_where where;
static struct rk_list_tails tails;
static _Atomic uint64_t last_sequence;
static _Atomic bool is_cancelled;
static struct rk_stats_client stats;
static bool has_holes; /* else values that expire */
static size_t n_damaged;
static size_t n_shown; /* of all listings, so that one that shows nothing is noticed */

/* The clock is the model's. */
uint64_t __wrap_rk_time_wall_ms(void);
uint64_t __wrap_rk_time_wall_ms(void)
{
    return model.now_s * 1000;
}

/* ---- the model's keys ---- */

static bool lives(unsigned number)
{
    const struct model_key *key = &model.keys[number];

    return key->exists && (key->expiry_ms == 0 || key->expiry_ms > model.now_s * 1000);
}

static struct rk_list_span key_of(unsigned number, char room[16])
{
    return (struct rk_list_span){ (const uint8_t *)room, (size_t)snprintf(room, 16, "key-%u", number) };
}

static unsigned number_of(struct rk_list_span key)
{
    char text[16] = "";

    ck_assert_uint_lt(key.len, sizeof text);
    memcpy(text, key.at, key.len);
    ck_assert_msg(strncmp(text, "key-", 4) == 0, "%s", text);
    return (unsigned)strtoul(text + 4, NULL, 10);
}

static int compare(struct rk_list_span a, struct rk_list_span b)
{
    return rk_disk_keys_compare(a.at, a.len, b.at, b.len);
}

static struct rk_list_span span(const char *text)
{
    return (struct rk_list_span){ (const uint8_t *)text, strlen(text) };
}

static bool begins_with(struct rk_list_span key, struct rk_list_span prefix)
{
    return key.len >= prefix.len && memcmp(key.at, prefix.at, prefix.len) == 0;
}

/* ---- the store, as a lister sees it ---- */

static void attach(size_t tail_bytes)
{
    where.keydir = rk_keydir_writer_reader(model.keydir);
    where.hash_key = rk_log_store_identity(model.store)->hash_key;
    where.secret = rk_disk_secret_derive(where.hash_key);
    where.dir_fd = rk_log_store_dir_fd(model.store);
    where.last_sequence = &last_sequence;
    where.stats = &stats;
    rk_list_tails_init(&tails, tail_bytes);
}

static struct rk_list_cursor *begin(const struct rk_list_ask *ask)
{
    return rk_list_cursor_create(ask, &where, &tails, &is_cancelled);
}

/* The next entry, in slices that are over at once. */
static enum rk_err next(struct rk_list_cursor *cursor, struct rk_list_item *item)
{
    enum rk_err err;

    last_sequence = rk_log_writer_last_sequence(model.log); /* all is published that is written */
    while ((err = rk_list_cursor_next(cursor, item)) == RK_ERR_AGAIN) {
        if (model_random(&model, 20) == 0)
            rk_list_cursor_rest(cursor);
        rk_list_cursor_begin_slice(cursor, 0);
    }
    ck_assert_msg(err == RK_OK || err == RK_ERR_NOT_FOUND, "%s", rk_err_text(err));
    return err;
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, where.hash_key);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

/* As the hinter would; of one that is not sealed, or was read by a listing before. */
static void make_some_hint(void)
{
    const struct rk_log_hint_maker maker = { .fingerprint = make_fingerprint };
    size_t n = rk_log_store_n_files(model.store);
    struct rk_detail detail;

    if (n > 1)
        (void)rk_log_hint_make(where.dir_fd, rk_log_store_file(model.store, model_random(&model, (unsigned)n - 1)),
                               rk_log_store_identity(model.store), &maker, &detail);
}

/* A byte among the sorted keys of some hint: such a file is read itself from then on. */
static void damage_some_hint(void)
{
    uint32_t number = rk_log_store_file(model.store, model_random(&model, (unsigned)rk_log_store_n_files(model.store)));
    uint8_t bytes[RK_DISK_HINT_HEADER_BYTES], byte;
    struct rk_disk_hint_header header;
    char name[RK_DISK_FILE_NAME_BYTES];
    off_t at;
    int fd;

    rk_disk_hint_name(name, number);
    fd = openat(where.dir_fd, name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    ck_assert_int_eq(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
    if (rk_disk_hint_header_decode(bytes, &header) == RK_OK && header.has_sorted_keys && header.keys_bytes > 0) {
        at = (off_t)(header.keys_offset + model_random(&model, (unsigned)header.keys_bytes));
        ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1 << model_random(&model, 8));
        ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
        n_damaged++;
    }
    close(fd);
}

/* ---- what must be ---- */

static void check_item(const struct rk_list_item *item, bool with_values)
{
    unsigned number = number_of(item->key);

    ck_assert_uint_eq(item->sequence, model.keys[number].sequence);
    ck_assert_uint_eq(item->expiry_ms, model.keys[number].expiry_ms);
    ck_assert_uint_eq(item->value_len, model.keys[number].value_len);
    if (!with_values)
        return;
    ck_assert_ptr_ne(item->value.at, NULL);
    ck_assert_uint_eq(item->value.len, model.keys[number].value_len);
    for (size_t i = 0; i < item->value.len; i++)
        ck_assert_uint_eq(item->value.at[i], (uint8_t)(model.keys[number].value * 31u + i));
}

/* What is above `last`, and what of the key is shown: itself, or what it shares. False: nothing. */
static bool is_shown(unsigned number, const struct rk_list_ask *ask, struct rk_list_span last,
                     struct rk_list_span *shown, char room[16])
{
    struct rk_list_span key = key_of(number, room);
    const uint8_t *found = NULL;

    if (!lives(number) || !begins_with(key, ask->prefix))
        return false;
    if (ask->delimiter.len > 0)
        found = memmem(key.at + ask->prefix.len, key.len - ask->prefix.len, ask->delimiter.at, ask->delimiter.len);
    if (found != NULL)
        key.len = (size_t)(found - key.at) + ask->delimiter.len;
    *shown = key;
    return compare(key, last) > 0;
}

/* The lowest that the model shows above `last`. */
static bool find_expected(const struct rk_list_ask *ask, struct rk_list_span last, struct rk_list_span *lowest,
                          char room[16])
{
    bool is_found = false;

    for (unsigned number = 0; number < MODEL_KEYS; number++) {
        char other[16];
        struct rk_list_span shown;

        if (!is_shown(number, ask, last, &shown, other) || (is_found && compare(shown, *lowest) >= 0))
            continue;
        memcpy(room, other, sizeof other);
        *lowest = (struct rk_list_span){ (const uint8_t *)room, shown.len };
        is_found = true;
    }
    return is_found;
}

static struct rk_list_ask random_ask(char after[16])
{
    static const char *const prefixes[] = { "", "", "key-", "key-1", "key-49", "k", "key-4x", "z" };
    static const char *const delimiters[] = { "", "", "-", "1", "y-", "-3" };
    struct rk_list_ask ask = { .prefix = span(prefixes[model_random(&model, 8)]),
                               .delimiter = span(delimiters[model_random(&model, 6)]),
                               .after = span(""),
                               .with_values = model_random(&model, 3) == 0 };

    if (model_random(&model, 2) == 0)
        ask.after = key_of(model_random(&model, MODEL_KEYS), after);
    return ask;
}

/* Nothing changes meanwhile: the listing is what the model has. */
static void check_still(void)
{
    char after[16], room[16], last_room[16];
    struct rk_list_ask ask = random_ask(after);
    struct rk_list_cursor *cursor = begin(&ask);
    struct rk_list_span last = ask.after, expected;
    struct rk_list_item item;

    rk_list_cursor_begin_slice(cursor, 0);
    while (next(cursor, &item) == RK_OK) {
        ck_assert(find_expected(&ask, last, &expected, room));
        ck_assert_msg(compare(item.key, expected) == 0, "'%.*s' is shown, not '%.*s'", (int)item.key.len, item.key.at,
                      (int)expected.len, expected.at);
        if (!item.is_prefix)
            check_item(&item, ask.with_values);
        memcpy(last_room, item.key.at, item.key.len);
        last = (struct rk_list_span){ (const uint8_t *)last_room, item.key.len };
        n_shown++;
        ck_assert(compare(rk_list_cursor_position(cursor), last) == 0);
    }
    ck_assert_msg(!find_expected(&ask, last, &expected, room), "'%.*s' is missing", (int)expected.len, expected.at);
    rk_list_cursor_destroy(&cursor);
}

/* ---- steps ---- */

static void merge_some(void)
{
    uint32_t files[16];
    size_t n = model_choose(&model, files, 16);

    if (n > 0)
        ck_assert_int_eq(model_merge(&model, files, n), RK_OK);
}

/* A change of anything; not a restart. */
static void step(void)
{
    unsigned chance = model_random(&model, 200);

    if (chance < 110)
        model_put(&model, model_random(&model, MODEL_KEYS), model_random(&model, 300),
                  has_holes ? 0 : model_random_expiry(&model));
    else if (chance < 150)
        model_delete(&model, model_random(&model, MODEL_KEYS));
    else if (chance < 160)
        model_roll(&model);
    else if (chance < 175)
        make_some_hint();
    else if (chance < 180)
        merge_some();
    else if (chance < 184 && has_holes)
        ck_assert_int_eq(model_punch(&model), RK_OK);
    else if (chance < 188 && !has_holes)
        (void)model_expire(&model);
    else if (chance < 190)
        damage_some_hint();
    else if (chance < 194)
        model.now_s += model_random(&model, 100);
}

/* Changes between its entries, and every now and then the client goes on with another cursor behind what it has. */
static void check_under_change(void)
{
    bool lived[MODEL_KEYS], was_dead[MODEL_KEYS], shown[MODEL_KEYS] = { false };
    struct rk_list_ask ask = { .prefix = span(""), .after = span(""), .delimiter = span("") };
    struct rk_list_cursor *cursor = begin(&ask);
    struct rk_list_item item;
    char last_room[16];

    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        lived[i] = lives(i);
        was_dead[i] = !lives(i);
    }
    rk_list_cursor_begin_slice(cursor, 0);
    while (next(cursor, &item) == RK_OK) {
        unsigned number = number_of(item.key);

        ck_assert_msg(!shown[number], "key %u comes twice", number);
        ck_assert_msg(!was_dead[number], "key %u was never there", number);
        ck_assert(ask.after.len == 0 || compare(ask.after, item.key) < 0);
        shown[number] = true;
        memcpy(last_room, item.key.at, item.key.len);
        ask.after = (struct rk_list_span){ (const uint8_t *)last_room, item.key.len };
        for (unsigned n = model_random(&model, 6); n > 0; n--) {
            step();
            for (unsigned i = 0; i < MODEL_KEYS; i++) {
                lived[i] = lived[i] && lives(i);
                was_dead[i] = was_dead[i] && !lives(i);
            }
        }
        if (model_random(&model, 10) == 0) {
            rk_list_cursor_destroy(&cursor);
            cursor = begin(&ask);
        }
        rk_list_cursor_begin_slice(cursor, 0);
        n_shown++;
    }
    for (unsigned i = 0; i < MODEL_KEYS; i++)
        ck_assert_msg(!lived[i] || shown[i], "key %u is missing", i);
    rk_list_cursor_destroy(&cursor);
}

/* Tails of any width: a window of one key, of some, and of all. */
static const size_t widths[] = { 1, 700, 1 << 20 };

START_TEST(a_listing_is_what_the_model_has)
{
    unsigned n_steps = getenv("RK_LIST_STEPS") != NULL ? (unsigned)atoi(getenv("RK_LIST_STEPS")) : 4000;

    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* none of the many files has to wait for a disk */
    rk_grace_register_thread();
    has_holes = _i % 2 == 1;
    model_create(&model, 17 + (uint64_t)_i);
    attach(widths[_i / 2]);
    for (unsigned i = 0; i < n_steps; i++) {
        step();
        if (i % 8 == 0)
            check_still();
        if (i % 60 == 0)
            check_under_change();
        if (model_random(&model, 300) > 0)
            continue;
        rk_list_tails_fini(&tails);
        model_restart(&model, model_random(&model, 2) == 0, model_random(&model, 2) == 0);
        attach(widths[_i / 2]);
    }
    ck_assert_uint_gt(n_shown, n_steps);
    ck_assert_uint_gt(n_damaged, 0);
    rk_list_tails_fini(&tails);
    model_destroy(&model);
    rk_grace_unregister_thread();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("list_model");
    TCase *tcase = tcase_create("model");

    tcase_add_loop_test(tcase, a_listing_is_what_the_model_has, 0, 2 * (sizeof widths / sizeof widths[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
