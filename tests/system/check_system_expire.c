/* What becomes of keys that have an expiry, in a real server. No client can give them one yet, so the data directory is
 * made here first (system_store.h).
 *
 * An expiry is a moment of the wall clock. So that a busy machine fails no test, nothing is expected of a moment, but
 * of what lies between two readings of the clock, one before a question and one after its answer: what has expired at
 * the first one must be gone, and what has not at the second one must be there. In between either will do. */
#include "base/base_time.h"
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "system_store.h"
#include "test_dir.h"
#include "test_main.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_LASTING       200u /* without an expiry */
#define N_SOON          200u /* expire while the test runs */
#define N_FAR           100u
#define N_KEYS          (N_LASTING + N_SOON + N_FAR)
#define N_OLDER         40u /* of those that expire soon, have an older value, which does not */
#define OLDER_BYTES     100u
#define VALUE_BYTES_MAX 1000u
#define LEAD_MS         1500u /* from the making of a store to the first expiry; more on a machine that needs it */
#define LEAD_MS_MAX     64000u
#define FAR_MS          UINT64_C(3600000)

enum layout {
    SPREAD, /* keys of each kind in both files; they expire in two different seconds */
    OLDER,  /* in file 1 what lasts, and the older values; the rest in file 2 */
};

struct key {
    unsigned file;
    uint64_t expiry_ms; /* 0: none */
    uint64_t record_bytes;
    unsigned version; /* of its value */
};

/* Bytes of a file by why they are there, or of all. */
struct space {
    uint64_t live, overwritten, deleted, expired, tombstones;
};

static char *dir;
static struct system_server *server;
static struct system_client client;
static struct key keys[N_KEYS];
static uint64_t lead_ms, first_expiry_ms, last_expiry_ms; /* of what expires soon */
static uint64_t older_bytes;

static void setup(void)
{
    dir = test_dir_create();
    server = NULL;
    client = (struct system_client){ .fd = -1 };
}

static void teardown(void)
{
    system_client_close(&client);
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* ---- the store ---- */

static bool is_soon(unsigned i)
{
    return i >= N_LASTING && i < N_LASTING + N_SOON;
}

static bool has_older(unsigned i)
{
    return is_soon(i) && i < N_LASTING + N_OLDER;
}

static void make_key(char key[16], unsigned i)
{
    snprintf(key, 16, "key-%u", i);
}

/* No two values are the same. Returns its length. */
static size_t make_value(char value[VALUE_BYTES_MAX + 1], unsigned i, unsigned version)
{
    size_t size = version == 0 ? OLDER_BYTES : VALUE_BYTES_MAX / 2 + i * 7 % (VALUE_BYTES_MAX / 2);
    int len = snprintf(value, VALUE_BYTES_MAX, "%u of %u:", version, i);

    memset(value + len, (int)('a' + (i + version) % 26), size - (size_t)len);
    value[size] = '\0';
    return size;
}

static uint64_t put(struct system_store *store, unsigned i, unsigned version, uint64_t expiry_ms)
{
    char key[16], value[VALUE_BYTES_MAX + 1];
    size_t size = make_value(value, i, version);

    make_key(key, i);
    return system_store_put(store, key, value, size, expiry_ms);
}

static void plan_keys(enum layout layout)
{
    uint64_t now_ms = rk_time_wall_ms();

    first_expiry_ms = now_ms + lead_ms;
    last_expiry_ms = layout == SPREAD ? first_expiry_ms + 1000 : first_expiry_ms;
    for (unsigned i = 0; i < N_KEYS; i++) {
        keys[i] = (struct key){ .version = 1 };
        keys[i].file = layout == SPREAD ? 1 + i % 2 : i < N_LASTING ? 1 : 2;
        if (i >= N_LASTING)
            keys[i].expiry_ms = !is_soon(i) ? now_ms + FAR_MS : i / 2 % 2 == 0 ? first_expiry_ms : last_expiry_ms;
    }
}

static void put_file(struct system_store *store, unsigned file)
{
    for (unsigned i = 0; i < N_KEYS; i++)
        if (keys[i].file == file)
            keys[i].record_bytes = put(store, i, keys[i].version, keys[i].expiry_ms);
}

static void make_store(enum layout layout)
{
    struct system_store *store = system_store_create(dir);

    plan_keys(layout);
    older_bytes = 0;
    for (unsigned i = 0; layout == OLDER && i < N_KEYS; i++)
        if (has_older(i))
            older_bytes += put(store, i, 0, 0);
    put_file(store, 1);
    system_store_roll(store);
    put_file(store, 2);
    system_store_crash(&store); /* the server seals file 2 */
}

static void start_server(const char *const *arguments)
{
    server = system_server_start(dir, arguments);
    client.port = system_server_port(server);
}

static void kill_server(void)
{
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
}

/* A server that serves the store before anything in it has expired. */
static void start_before_expiry(enum layout layout, const char *const *arguments)
{
    for (lead_ms = LEAD_MS;; lead_ms *= 2) {
        ck_assert_uint_le(lead_ms, LEAD_MS_MAX);
        make_store(layout);
        start_server(arguments);
        if (rk_time_wall_ms() < first_expiry_ms)
            return;
        kill_server();
        test_dir_remove(&dir);
        dir = test_dir_create();
    }
}

/* ---- questions ---- */

/* What rackkvctl --json answers to the command: a new reference. */
static json_t *ask(const char *command)
{
    const char *answer = system_ctl(dir, command);
    json_t *object = json_loads(answer, 0, NULL);

    ck_assert_msg(json_is_true(json_object_get(object, "ok")), "%s: %s", command, answer);
    return object;
}

static uint64_t number_of(const json_t *object, const char *name)
{
    ck_assert_msg(json_is_integer(json_object_get(object, name)), "%s is no number", name);
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

/* A figure of a part of the stats: "writer" or "merge". */
static uint64_t stat_of(const char *part, const char *name)
{
    json_t *answer = ask("stats");
    uint64_t number = number_of(json_object_get(answer, part), name);

    json_decref(answer);
    return number;
}

static long deadline(void)
{
    return system_now_ms() + (long)lead_ms + SYSTEM_DEADLINE_MS;
}

static void wait_for_stat(const char *part, const char *name, uint64_t wanted)
{
    long until = deadline();
    uint64_t number;

    while ((number = stat_of(part, name)) != wanted) {
        ck_assert_msg(system_now_ms() < until, "%s.%s is %" PRIu64 ", not %" PRIu64, part, name, number, wanted);
        usleep(10000);
    }
}

static void data_path(char path[512], uint64_t file, const char *suffix)
{
    snprintf(path, 512, "%s/%010u.%s", dir, (unsigned)file, suffix);
}

static bool exists(uint64_t file, const char *suffix)
{
    char path[512];

    data_path(path, file, suffix);
    return access(path, F_OK) == 0;
}

static void wait_for_hint(unsigned file)
{
    long until = deadline();

    while (!exists(file, "hint")) {
        ck_assert_msg(system_now_ms() < until, "data file %u gets no hint", file);
        usleep(1000);
    }
}

static void remove_hints(void)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL)
        if (strstr(entry->d_name, ".hint") != NULL)
            ck_assert_int_eq(unlinkat(dirfd(folder), entry->d_name, 0), 0);
    closedir(folder);
}

/* ---- what must be so ---- */

/* Counted as expired is a record when its second is over. */
static bool counts_as_expired(const struct key *key, uint64_t now_ms)
{
    return key->expiry_ms != 0 && (key->expiry_ms + 999) / 1000 <= now_ms / 1000;
}

static void check_key(unsigned i)
{
    const struct key *key = &keys[i];
    char name[16], target[32], value[VALUE_BYTES_MAX + 1];
    struct system_response response;
    uint64_t asked_ms = rk_time_wall_ms();

    make_key(name, i);
    snprintf(target, sizeof target, "/v1/kv/%s", name);
    system_client_request(&client, "GET", target, NULL, 0, &response);
    if (response.status == 200) {
        (void)make_value(value, i, key->version); /* it ends with a NUL */
        ck_assert_str_eq(response.body, value);
        ck_assert_msg(key->expiry_ms == 0 || asked_ms < key->expiry_ms, "%s is there, and has expired", name);
    } else {
        ck_assert_msg(response.status == 404, "%s: %d", name, response.status);
        ck_assert_msg(key->expiry_ms != 0 && rk_time_wall_ms() >= key->expiry_ms, "%s is gone", name);
    }
    system_response_fini(&response);
}

static void check_keys(void)
{
    for (unsigned i = 0; i < N_KEYS; i++)
        check_key(i);
}

/* The file's figures are those of the answer, and add up to its size, which is that on the disk. */
static struct space check_figures(const json_t *file)
{
    struct space space = { .live = number_of(file, "live_bytes"),
                           .overwritten = number_of(file, "overwritten_bytes"),
                           .deleted = number_of(file, "deleted_bytes"),
                           .expired = number_of(file, "expired_bytes"),
                           .tombstones = number_of(file, "tombstone_bytes") };
    uint64_t sum = space.live + space.overwritten + space.deleted + space.expired + space.tombstones
                   + number_of(file, "frame_bytes") + number_of(file, "preallocated_bytes");
    struct stat status;
    char path[512];

    data_path(path, number_of(file, "file"), "data");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(sum, number_of(file, "size"));
    ck_assert_uint_eq(number_of(file, "size"), (uint64_t)status.st_size);
    return space;
}

/* What the server says of one file, or with 0 of all. While nothing is merged. */
static struct space ask_space(uint64_t file_number)
{
    json_t *answer = ask("explain-space");
    struct space sum = { 0 };
    const json_t *file;
    size_t i;

    json_array_foreach(json_object_get(answer, "files"), i, file)
    {
        struct space space = check_figures(file);

        if (file_number != 0 && number_of(file, "file") != file_number)
            continue;
        sum.live += space.live;
        sum.overwritten += space.overwritten;
        sum.deleted += space.deleted;
        sum.expired += space.expired;
        sum.tombstones += space.tombstones;
    }
    json_decref(answer);
    return sum;
}

/* The bytes of the file's records that count as expired at that time; of all its records at UINT64_MAX. */
static uint64_t bytes_of(unsigned file, uint64_t now_ms)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < N_KEYS; i++)
        if (keys[i].file == file && (now_ms == UINT64_MAX || counts_as_expired(&keys[i], now_ms)))
            bytes += keys[i].record_bytes;
    return bytes;
}

/* Who asks for the space gets it as of now, with nobody having looked before. Nothing was written since the start. */
static void check_space_of(unsigned file)
{
    uint64_t asked_ms = rk_time_wall_ms();
    struct space space = ask_space(file);
    uint64_t answered_ms = rk_time_wall_ms();

    ck_assert_uint_ge(space.expired, bytes_of(file, asked_ms));
    ck_assert_uint_le(space.expired, bytes_of(file, answered_ms));
    ck_assert_uint_eq(space.live + space.expired, bytes_of(file, UINT64_MAX));
    ck_assert_uint_eq(space.overwritten, file == 1 ? older_bytes : 0);
    ck_assert_uint_eq(space.deleted + space.tombstones, 0);
}

/* When all that is to expire has: the clock is what is waited for. */
static void wait_for_expiry(void)
{
    long until = deadline();
    struct key last = { .expiry_ms = last_expiry_ms };

    while (!counts_as_expired(&last, rk_time_wall_ms())) {
        ck_assert_msg(system_now_ms() < until, "the clock stands still");
        usleep(10000);
    }
}

static uint64_t soon_bytes(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < N_KEYS; i++)
        bytes += is_soon(i) ? keys[i].record_bytes : 0;
    return bytes;
}

static uint64_t tombstone_bytes(void)
{
    uint64_t bytes = 0;
    char name[16];

    for (unsigned i = 0; i < N_KEYS; i++) {
        make_key(name, i);
        bytes += is_soon(i) ? system_store_tombstone_bytes(name) : 0;
    }
    return bytes;
}

/* What has expired is gone, but for tombstones, and nothing else is. To who recovers, it is those that older values are
 * dead by. */
static void check_merged_space(uint64_t wanted_tombstones, uint64_t wanted_older)
{
    struct space space = ask_space(0);

    ck_assert_uint_eq(space.live, bytes_of(1, UINT64_MAX) + bytes_of(2, UINT64_MAX) - soon_bytes());
    ck_assert_uint_eq(space.expired, 0);
    ck_assert_uint_eq(space.tombstones, wanted_tombstones);
    ck_assert_uint_eq(space.overwritten + space.deleted, wanted_older);
}

/* ---- */

/* A record that was found expired is not counted again when its key is written, or deleted. */
static void write_anew(void)
{
    uint64_t expired = ask_space(0).expired;

    for (unsigned i = N_LASTING; i < N_LASTING + 10; i++) {
        char name[16], target[32], value[VALUE_BYTES_MAX + 1];
        size_t size = make_value(value, i, 2);

        make_key(name, i);
        snprintf(target, sizeof target, "/v1/kv/%s", name);
        ck_assert_int_eq(system_client_status(&client, "DELETE", target, NULL, 0), 404);
        ck_assert_int_eq(system_client_status(&client, "PUT", target, value, size), 201);
        keys[i].expiry_ms = 0;
        keys[i].version = 2;
    }
    ck_assert_uint_eq(ask_space(0).expired, expired);
    check_keys();
    wait_for_stat("writer", "keys", N_LASTING + N_FAR + 10);
}

/* Four times: files with hints, and files that must be scanned for what has expired; found at an interval, and because
 * somebody asks. */
START_TEST(what_expires_is_dead_and_explained)
{
    bool has_hints = _i % 2 == 0, at_interval = _i / 2 == 0;
    const char *arguments[] = {
        "-o", "server.workers=2",   "-o", at_interval ? "merge.check_interval=100ms" : "merge.check_interval=1h",
        "-o", "merge.policy=never", NULL,
    };

    start_before_expiry(SPREAD, arguments);
    wait_for_hint(1);
    wait_for_hint(2);
    if (!has_hints)
        remove_hints();
    check_keys();
    if (at_interval) {
        wait_for_stat("merge", "expired_records", N_SOON);
    } else {
        check_space_of(1);
        check_space_of(2);
        wait_for_expiry();
    }
    check_keys();
    check_space_of(1);
    check_space_of(2);
    ck_assert_uint_eq(ask_space(0).expired, soon_bytes());
    wait_for_stat("writer", "keys", N_LASTING + N_FAR);
    ck_assert_uint_eq(stat_of("writer", "dead_bytes"), soon_bytes());
    ck_assert_uint_eq(stat_of("merge", "expired_records"), N_SOON);
    ck_assert_uint_eq(exists(1, "hint"), has_hints);

    kill_server();
    start_server(arguments); /* recovery finds the same, and no look has anything to find */
    check_keys();
    check_space_of(1);
    check_space_of(2);
    wait_for_stat("writer", "keys", N_LASTING + N_FAR);
    ck_assert_uint_eq(stat_of("merge", "expired_records"), 0);
    write_anew();
}
END_TEST

static void wait_for_merge(void)
{
    long until = deadline();
    const json_t *merge;
    json_t *answer;

    while ((answer = ask("merge history"), merge = json_array_get(json_object_get(answer, "merges"), 0)) == NULL) {
        ck_assert_msg(system_now_ms() < until, "nothing is merged");
        json_decref(answer);
        usleep(10000);
    }
    ck_assert_str_eq(json_string_value(json_object_get(merge, "state")), "done");
    ck_assert_str_eq(json_string_value(json_object_get(merge, "cause")), "policy");
    ck_assert_uint_eq(number_of(merge, "files"), 1);
    ck_assert_uint_eq(number_of(merge, "reclaimed_bytes"),
                      soon_bytes() - tombstone_bytes()); /* the frames are as many as before */
    json_decref(answer);
}

/* Of all data files but the active one, which has space for what is to come. */
static uint64_t sealed_bytes(void)
{
    json_t *answer = ask("file list");
    uint64_t bytes = 0;
    const json_t *file;
    size_t i;

    json_array_foreach(json_object_get(answer, "files"), i, file) if (!json_is_true(json_object_get(file, "active")))
        bytes += number_of(file, "size");
    json_decref(answer);
    return bytes;
}

/* The file of the older values is not merged, for little is dead in it: tombstones must hide them for ever. */
START_TEST(expiry_alone_starts_a_merge)
{
    bool is_killed = _i == 1;
    static const char *const arguments[] = {
        "-o", "server.workers=2",
        "-o", "merge.check_interval=100ms",
        "-o", "merge.trigger.dead_bytes=64KiB",
        "-o", "merge.threshold.dead_bytes=32KiB",
        "-o", "merge.threshold.small_file=0",
        "-o", "merge.min_free=0",
        NULL,
    };

    start_before_expiry(OLDER, arguments);
    check_keys();
    wait_for_merge();
    ck_assert(exists(1, "data") && !exists(2, "data"));
    ck_assert_uint_lt(sealed_bytes(), bytes_of(1, UINT64_MAX) + bytes_of(2, UINT64_MAX) - soon_bytes() / 2);
    check_keys();
    check_merged_space(tombstone_bytes(), older_bytes);
    ck_assert_uint_eq(stat_of("merge", "expired_records"), N_SOON);
    wait_for_stat("writer", "keys", N_LASTING + N_FAR);

    if (is_killed) {
        kill_server();
        remove_hints();
    } else {
        system_client_close(&client);
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    }
    start_server(arguments);
    check_keys();
    check_merged_space(tombstone_bytes(), older_bytes);
    ck_assert_uint_eq(stat_of("writer", "keys"), N_LASTING + N_FAR);
}
END_TEST

static void merge(const char *command)
{
    json_t *answer = ask(command);

    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(answer, "merge"), "state")), "done");
    json_decref(answer);
}

/* Twice: it was found before the merge that they have expired, and it is the merge that finds it. */
START_TEST(what_has_expired_hides_what_is_older)
{
    bool is_found_before = _i == 0;
    static const char *const arguments[] = {
        "-o", "server.workers=2", "-o", "merge.policy=never", "-o", "merge.check_interval=1h",
        "-o", "merge.min_free=0", NULL,
    };

    start_before_expiry(OLDER, arguments);
    wait_for_expiry();
    if (is_found_before)
        ck_assert_uint_eq(ask_space(2).expired, soon_bytes());
    merge("merge start 2 --wait");
    ck_assert(exists(1, "data") && !exists(2, "data"));
    check_keys();
    check_merged_space(tombstone_bytes(), older_bytes);

    kill_server();
    remove_hints();
    start_server(arguments);
    check_keys();
    check_merged_space(tombstone_bytes(), older_bytes);

    merge("merge start --all --wait"); /* now there is nothing left to hide */
    check_keys();
    check_merged_space(0, 0);
    kill_server();
    start_server(arguments);
    check_keys();
    check_merged_space(0, 0);
}
END_TEST

/* A merge takes the expiry of what it copies along: into the file, its hint, and what is known of the file. Twice: for
 * the server that has merged, and for one that has nothing but the file. */
START_TEST(what_was_merged_expires_as_well)
{
    bool is_killed = _i == 1, merged_before;
    static const char *const arguments[] = {
        "-o", "server.workers=2", "-o", "merge.policy=never", "-o", "merge.check_interval=1h",
        "-o", "merge.min_free=0", NULL,
    };
    struct space space;

    start_before_expiry(SPREAD, arguments);
    merge("merge start --all --wait");
    merged_before = rk_time_wall_ms() < first_expiry_ms; /* else it has found some, and they are gone */
    ck_assert(!exists(1, "data") && !exists(2, "data"));
    if (is_killed) {
        kill_server();
        remove_hints();
        start_server(arguments);
    }
    check_keys();
    wait_for_expiry();
    check_keys();
    space = ask_space(0);
    ck_assert_uint_eq(space.live, bytes_of(1, UINT64_MAX) + bytes_of(2, UINT64_MAX) - soon_bytes());
    ck_assert(merged_before ? space.expired == soon_bytes() : space.expired <= soon_bytes());
    wait_for_stat("writer", "keys", N_LASTING + N_FAR);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system expire");
    TCase *tcase = tcase_create("expire");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, what_expires_is_dead_and_explained, 0, 4);
    tcase_add_loop_test(tcase, expiry_alone_starts_a_merge, 0, 2);
    tcase_add_loop_test(tcase, what_has_expired_hides_what_is_older, 0, 2);
    tcase_add_loop_test(tcase, what_was_merged_expires_as_well, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
