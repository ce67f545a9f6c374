/* The thread of the listings, and what the event loop asks of it: many at once, ended at any moment, and nothing that
 * stays when nobody asks. */
#include "../log/test_log.h"
#include "base/base_time.h"
#include "grace/grace.h"
#include "keydir/keydir_writer.h"
#include "list/list_lister.h"
#include "log/log_store.h"
#include "stats/stats_store.h"
#include "test_main.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define N_KEYS      3000
#define FILE_BYTES  65536
#define DEADLINE_NS (60 * RK_NS_PER_S)

static struct test_log store;
static struct rk_keydir_writer *keydir;
static struct rk_lister *lister;
static int event_fd;
static _Atomic uint64_t last_sequence;
static struct rk_stats_client stats;
static _Atomic unsigned n_destroyed;

static void put(unsigned number)
{
    char key[16];
    uint64_t location;

    snprintf(key, sizeof key, "k%05u", number);
    location = test_log_put(store.writer, key, "a value of some bytes");
    (void)rk_keydir_writer_put(
        keydir, rk_keydir_fingerprint(key, strlen(key), rk_log_store_identity(store.store)->hash_key), location);
}

static void setup(void)
{
    rk_grace_register_thread();
    test_log_open(&store, FILE_BYTES, 1);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, 16 << 20, NULL, NULL), RK_OK);
    for (unsigned i = 0; i < N_KEYS; i++)
        put(i * 7919 % N_KEYS);
    last_sequence = rk_log_writer_last_sequence(store.writer);
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    n_destroyed = 0;
    lister = rk_lister_create(&(struct rk_lister_settings){
        .keydir = rk_keydir_writer_reader(keydir),
        .hash_key = rk_log_store_identity(store.store)->hash_key,
        .data_dir_fd = rk_log_store_dir_fd(store.store),
        .event_fd = event_fd,
        .last_sequence = &last_sequence,
        .stats = &stats,
    });
}

static void teardown(void)
{
    rk_lister_destroy(&lister);
    ck_assert_ptr_eq(lister, NULL);
    rk_keydir_writer_destroy(&keydir);
    test_log_close(&store);
    close(event_fd);
    rk_grace_unregister_thread();
}

/* ---- a listing that counts ---- */

/* The listing's own, as long as it is: also after its client has ended it. */
struct counting {
    unsigned n_keys;
    unsigned keys_a_slice; /* at most */
};

struct client {
    struct rk_listing *listing; /* NULL: it is over */
    const struct counting *counting;
    unsigned n_keys;
    unsigned n_slices;
    enum rk_err err;
};

/* What is written is a number a key; they must ascend without a gap. */
static enum rk_err fill_run(void *state, const struct rk_list_reader *reader, struct rk_list_buffer *out)
{
    struct counting *counting = state;
    struct rk_list_item item;

    for (unsigned n = 0; n < counting->keys_a_slice; n++) {
        enum rk_err err = reader->next(reader->self, &item);

        if (err != RK_OK)
            return err == RK_ERR_AGAIN ? RK_OK : err;
        rk_list_buffer_append(out, item.key.at, item.key.len);
        counting->n_keys++;
    }
    return RK_OK;
}

static void fill_destroy(void *state)
{
    free(state);
    n_destroyed++;
}

static void on_slice(void *context, enum rk_err err, struct rk_list_span bytes)
{
    struct client *client = context;

    ck_assert_uint_eq(bytes.len % 6, 0);
    client->n_slices++;
    client->n_keys = client->counting->n_keys;
    client->err = err;
    if (err == RK_OK) {
        rk_lister_more(lister, client->listing, on_slice, client);
        return;
    }
    rk_lister_end(lister, client->listing);
    client->listing = NULL;
}

static enum rk_err begin(struct client *client, unsigned keys_a_slice)
{
    static const struct rk_list_ask ask = { .prefix = { (const uint8_t *)"", 0 },
                                            .after = { (const uint8_t *)"", 0 },
                                            .delimiter = { (const uint8_t *)"", 0 } };
    struct counting *counting = calloc(1, sizeof *counting);
    struct rk_list_fill fill = { .run = fill_run, .destroy = fill_destroy, .state = counting };
    enum rk_err err;

    counting->keys_a_slice = keys_a_slice;
    *client = (struct client){ .counting = counting };
    err = rk_lister_open(lister, &ask, &fill, &client->listing);
    if (err != RK_OK)
        free(counting);
    return err;
}

static void turn(void)
{
    struct pollfd pollfd = { .fd = event_fd, .events = POLLIN };
    uint64_t count;

    (void)poll(&pollfd, 1, 100);
    (void)!read(event_fd, &count, sizeof count);
    rk_lister_poll(lister);
}

static void finish(struct client *clients, size_t n)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;

    for (size_t i = 0; i < n; i++)
        while (clients[i].listing != NULL && rk_time_monotonic_ns() < deadline)
            turn();
    for (size_t i = 0; i < n; i++)
        ck_assert_ptr_eq(clients[i].listing, NULL);
}

static unsigned n_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* More than may have files open at once: each sees every key. */
START_TEST(many_at_once)
{
    struct client clients[20];

    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(begin(&clients[i], 1 + 40 * i), RK_OK);
        rk_lister_more(lister, clients[i].listing, on_slice, &clients[i]);
    }
    ck_assert_uint_eq(rk_lister_n_listings(lister), 20);
    finish(clients, 20);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(clients[i].err, RK_ERR_NOT_FOUND);
        ck_assert_uint_eq(clients[i].n_keys, N_KEYS);
    }
    ck_assert_uint_eq(rk_lister_n_listings(lister), 0);
    ck_assert_uint_eq(rk_counter_get(&stats.listed_keys), 20 * N_KEYS);
}
END_TEST

/* A listing may be ended before its first slice, while it waits, while it runs, and when its slice is there. */
START_TEST(ended_at_any_moment)
{
    struct client clients[8];

    for (unsigned round = 0; round < 300; round++) {
        for (unsigned i = 0; i < 8; i++) {
            ck_assert_int_eq(begin(&clients[i], 100), RK_OK);
            if (i > 0)
                rk_lister_more(lister, clients[i].listing, on_slice, &clients[i]);
        }
        for (unsigned n = round % 4; n > 0; n--)
            turn();
        for (unsigned i = 0; i < 8; i++)
            if (clients[i].listing != NULL)
                rk_lister_end(lister, clients[i].listing);
    }
    ck_assert_uint_eq(rk_lister_n_listings(lister), 0);
    ck_assert_int_eq(begin(&clients[0], N_KEYS), RK_OK);
    rk_lister_more(lister, clients[0].listing, on_slice, &clients[0]);
    finish(clients, 1);
    ck_assert_uint_eq(clients[0].n_keys, N_KEYS);
    rk_lister_destroy(&lister);
    ck_assert_uint_eq(n_destroyed, 300 * 8 + 1); /* all that was begun is freed, and once */
}
END_TEST

/* So many at most, also of those that do nothing; the lister ends with them under way. */
START_TEST(not_too_many)
{
    static struct client clients[200];
    unsigned n = 0;

    while (n < 200 && begin(&clients[n], 10) == RK_OK)
        n++;
    ck_assert_uint_ge(n, 64);
    ck_assert_uint_lt(n, 200);
    ck_assert_int_eq(begin(&clients[n], 10), RK_ERR_FULL);
    rk_lister_end(lister, clients[0].listing);
    ck_assert_int_eq(begin(&clients[0], 10), RK_OK);
    for (unsigned i = 0; i < n; i += 2)
        rk_lister_more(lister, clients[i].listing, on_slice, &clients[i]);
    turn();
}
END_TEST

/* Whoever does not ask for more has no file open after a while, and goes on where it was. */
START_TEST(who_waits_holds_no_files)
{
    uint64_t deadline = rk_time_monotonic_ns() + DEADLINE_NS;
    struct client client;
    unsigned n_before = n_fds();

    ck_assert_int_eq(begin(&client, 10), RK_OK);
    rk_lister_more(lister, client.listing, on_slice, &client);
    while (client.n_slices == 0 && rk_time_monotonic_ns() < deadline)
        turn();
    /* on_slice has asked for one more: that is there, and nobody takes it */
    while (n_fds() > n_before && rk_time_monotonic_ns() < deadline)
        (void)usleep(20000); /* nothing tells when it is done */
    ck_assert_uint_le(n_fds(), n_before);
    put(N_KEYS - 1); /* it moves, and is still there once */
    last_sequence = rk_log_writer_last_sequence(store.writer);
    finish(&client, 1);
    ck_assert_uint_eq(client.n_keys, N_KEYS);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("list_lister");
    TCase *tcase = tcase_create("lister");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, many_at_once);
    tcase_add_test(tcase, ended_at_any_moment);
    tcase_add_test(tcase, not_too_many);
    tcase_add_test(tcase, who_waits_holds_no_files);
    suite_add_tcase(suite, tcase);
    return suite;
}
