/* keydir_bench [MILLIONS...]: figures of the keydir at these populations (1 2 3 5 8 13 20) as CSV on standard output.
 *
 * At each population and key length the keydir is filled, looked up in, updated and half emptied under real grace
 * periods. Work is done in chunks: first the fingerprints of a chunk, then the operations, so both times are known
 * ("with_hash" is their sum). Rates are millions a second of the thread's own processor time, so a busy machine
 * disturbs them less; those of two threads are the sum of both. Lookups are timed beside those in a plain array of the
 * same load and in liburcu's lock-free table, in turns in the same run. The last lines are about growing: the longest
 * single insert, by the clock and by the thread's own processor time, which leaves out what the scheduler took. */
#include "keydir_tables.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "grace/grace.h"
#include "grace/grace_region.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK         1024u
#define N_ROUNDS      5u /* of lookups; the median counts */
#define N_GROWTHS     3u /* what only one of them shows came from outside */
#define MAX_KEY_BYTES 512u

/* The keydir under test, with what it needs. */
struct bench {
    struct rk_grace_region *region;
    struct rk_grace_writer *grace;
    struct rk_grace_agent *agent;
    struct rk_keydir_writer *writer;
    size_t key_bytes;
};

/* Time spent on one kind of operation. */
struct timing {
    uint64_t n;
    uint64_t hash_ns;
    uint64_t op_ns;
};

static uint64_t processor_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); /* cannot fail for the own thread */
    return (uint64_t)time.tv_sec * RK_NS_PER_S + (uint64_t)time.tv_nsec;
}

static double rate(uint64_t n, uint64_t ns)
{
    return ns == 0 ? 0 : (double)n / (double)ns * 1e3; /* millions a second */
}

static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static struct rk_fingerprint fingerprint_of(uint64_t id, size_t key_bytes)
{
    static const uint8_t hash_key[RK_KEYDIR_HASH_KEY_BYTES] = "bench of keydir";
    uint8_t key[MAX_KEY_BYTES];

    memset(key + sizeof id, 'k', key_bytes - sizeof id);
    memcpy(key, &id, sizeof id);
    return rk_keydir_fingerprint(key, key_bytes, hash_key);
}

static void set_up(struct bench *bench, uint64_t n_keys)
{
    size_t region_bytes = rk_grace_region_bytes(1);

    bench->region = aligned_alloc(64, (region_bytes + 63) / 64 * 64);
    RK_ASSERT(bench->region != NULL);
    memset(bench->region, 0, region_bytes);
    bench->grace = rk_grace_writer_create(bench->region, 1);
    rk_grace_writer_slot_open(bench->grace, 0, 1);
    RK_ASSERT(rk_grace_agent_start(&bench->agent, bench->region, 0, NULL) == RK_OK);
    RK_ASSERT(rk_keydir_writer_create(&bench->writer, n_keys * 64 + (64 << 20), bench->grace, NULL) == RK_OK);
}

static void tear_down(struct bench *bench)
{
    rk_grace_agent_stop(&bench->agent);
    rk_keydir_writer_destroy(&bench->writer);
    rk_grace_writer_destroy(&bench->grace);
    free(bench->region);
}

static void reclaim(struct bench *bench)
{
    bool wanted = rk_keydir_writer_wants_grace(bench->writer);

    rk_keydir_writer_reclaim(bench->writer, rk_grace_writer_poll(bench->grace, wanted, rk_time_monotonic_ns()));
}

static void come_to_rest(struct bench *bench)
{
    struct timespec ms = { .tv_nsec = 1000000 };

    while (rk_keydir_writer_wants_grace(bench->writer)) {
        reclaim(bench);
        (void)nanosleep(&ms, NULL); /* shorter is fine */
    }
}

/* What an operation does with a chunk of fingerprints, and which ids it takes. */
struct operation {
    void (*run)(struct bench *bench, const struct rk_fingerprint *fingerprints, uint32_t n, uint64_t location);
    uint64_t (*pick_id)(uint64_t i, uint64_t n_keys);
};

static uint64_t in_order(uint64_t i, uint64_t n_keys)
{
    return i;
}

static uint64_t at_random(uint64_t i, uint64_t n_keys)
{
    return (uint64_t)((unsigned __int128)scramble(i) * n_keys >> 64);
}

static uint64_t absent(uint64_t i, uint64_t n_keys)
{
    return scramble(i) | 1ull << 63;
}

/* A new key, then an old one, in turns. */
static uint64_t new_and_old(uint64_t i, uint64_t n_keys)
{
    return i % 2 == 0 ? n_keys + i / 2 : at_random(i, n_keys);
}

static void run_puts(struct bench *bench, const struct rk_fingerprint *fingerprints, uint32_t n, uint64_t location)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i % RK_KEYDIR_MANY == 0)
            rk_keydir_writer_prefetch(bench->writer, &fingerprints[i], n - i < RK_KEYDIR_MANY ? n - i : RK_KEYDIR_MANY);
        (void)rk_keydir_writer_put(bench->writer, fingerprints[i], location + i);
    }
    reclaim(bench);
}

static void run_deletes(struct bench *bench, const struct rk_fingerprint *fingerprints, uint32_t n, uint64_t location)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i % RK_KEYDIR_MANY == 0)
            rk_keydir_writer_prefetch(bench->writer, &fingerprints[i], n - i < RK_KEYDIR_MANY ? n - i : RK_KEYDIR_MANY);
        (void)rk_keydir_writer_delete(bench->writer, fingerprints[i]);
    }
    reclaim(bench);
}

static struct timing run_operation(struct bench *bench, const struct operation *operation, uint64_t n, uint64_t n_keys)
{
    struct rk_fingerprint fingerprints[CHUNK];
    struct timing timing = { .n = n };

    for (uint64_t from = 0; from < n; from += CHUNK) {
        uint32_t n_chunk = n - from < CHUNK ? (uint32_t)(n - from) : CHUNK;
        uint64_t start_ns = processor_ns(), hashed_ns;

        for (uint32_t i = 0; i < n_chunk; i++)
            fingerprints[i] = fingerprint_of(operation->pick_id(from + i, n_keys), bench->key_bytes);
        hashed_ns = processor_ns();
        operation->run(bench, fingerprints, n_chunk, from + 1);
        timing.hash_ns += hashed_ns - start_ns;
        timing.op_ns += processor_ns() - hashed_ns;
    }
    return timing;
}

/* Lookups, of one of three tables, by one thread or two; of the keydir one by one, or MANY at once. */
enum table { KEYDIR, MANY, PLAIN, PEER };

struct looker {
    const struct rk_keydir *keydir;
    const struct plain_table *plain;
    const struct peer_table *peer;
    enum table table;
    uint64_t (*pick_id)(uint64_t i, uint64_t n_keys);
    uint64_t n_keys;
    uint64_t n;
    uint64_t first;
    uint64_t sum;
    size_t key_bytes;
    struct timing timing;
    pthread_t thread;
};

static uint64_t look_up_many(const struct looker *looker, const struct rk_fingerprint *fingerprints)
{
    uint64_t locations[RK_KEYDIR_MANY], sum = 0;

    rk_grace_read_lock();
    rk_keydir_lookup_many_rcu(looker->keydir, fingerprints, RK_KEYDIR_MANY, locations);
    rk_grace_read_unlock();
    for (uint32_t i = 0; i < RK_KEYDIR_MANY; i++)
        sum += locations[i];
    return sum;
}

static uint64_t look_up_chunk(const struct looker *looker, const struct rk_fingerprint *fingerprints)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; looker->table == MANY && i < CHUNK; i += RK_KEYDIR_MANY)
        sum += look_up_many(looker, &fingerprints[i]);
    for (uint32_t i = 0; looker->table != MANY && i < CHUNK; i++) {
        if (looker->table == PLAIN) {
            sum += plain_table_lookup(looker->plain, fingerprints[i]);
            continue;
        }
        rk_grace_read_lock();
        sum += looker->table == KEYDIR ? rk_keydir_lookup_rcu(looker->keydir, fingerprints[i])
                                       : peer_table_lookup(looker->peer, fingerprints[i]);
        rk_grace_read_unlock();
    }
    return sum;
}

static void *run_looker(void *arg)
{
    struct looker *looker = arg;
    struct rk_fingerprint fingerprints[CHUNK];

    rk_grace_register_thread();
    looker->timing = (struct timing){ .n = looker->n / CHUNK * CHUNK };
    for (uint64_t from = 0; from + CHUNK <= looker->n; from += CHUNK) {
        uint64_t start_ns = processor_ns(), hashed_ns;

        for (uint32_t i = 0; i < CHUNK; i++)
            fingerprints[i] =
                fingerprint_of(looker->pick_id(looker->first + from + i, looker->n_keys), looker->key_bytes);
        hashed_ns = processor_ns();
        looker->sum += look_up_chunk(looker, fingerprints);
        looker->timing.hash_ns += hashed_ns - start_ns;
        looker->timing.op_ns += processor_ns() - hashed_ns;
    }
    rk_grace_unregister_thread();
    return NULL;
}

/* One turn: the timing, summed over the threads, each on its own ids. */
static struct timing look_up(struct looker looker, enum table table, unsigned n_threads, unsigned round)
{
    struct looker lookers[2];
    struct timing timing = { .n = 0 };

    for (unsigned i = 0; i < n_threads; i++) {
        lookers[i] = looker;
        lookers[i].table = table;
        lookers[i].first = ((uint64_t)round * 2 + i) << 40;
        RK_ASSERT(pthread_create(&lookers[i].thread, NULL, run_looker, &lookers[i]) == 0);
    }
    for (unsigned i = 0; i < n_threads; i++) {
        RK_ASSERT(pthread_join(lookers[i].thread, NULL) == 0);
        timing.n += lookers[i].timing.n;
        timing.hash_ns += lookers[i].timing.hash_ns / n_threads; /* at the same time */
        timing.op_ns += lookers[i].timing.op_ns / n_threads;
    }
    return timing;
}

static int compare_rates(const void *a, const void *b)
{
    const struct timing *left = a, *right = b;
    double difference = rate(left->n, left->op_ns) - rate(right->n, right->op_ns);

    return difference < 0 ? -1 : difference > 0;
}

static struct timing median(struct timing rounds[N_ROUNDS])
{
    qsort(rounds, N_ROUNDS, sizeof rounds[0], compare_rates);
    return rounds[N_ROUNDS / 2];
}

/* Everything that is found out at one population and key length. */
struct figures {
    struct timing insert, hit, many, miss, two, plain, peer, update, mixed, delete;
    struct rk_keydir_usage usage;
};

static void measure_lookups(struct bench *bench, struct looker looker, struct figures *figures)
{
    struct timing hit[N_ROUNDS], many[N_ROUNDS], miss[N_ROUNDS], two[N_ROUNDS], plain[N_ROUNDS], peer[N_ROUNDS];

    for (unsigned round = 0; round < N_ROUNDS; round++) {
        looker.pick_id = at_random;
        hit[round] = look_up(looker, KEYDIR, 1, round);
        many[round] = look_up(looker, MANY, 1, round);
        plain[round] = looker.plain != NULL ? look_up(looker, PLAIN, 1, round) : (struct timing){ 0 };
        two[round] = look_up(looker, KEYDIR, 2, round);
        peer[round] = looker.peer != NULL ? look_up(looker, PEER, 1, round) : (struct timing){ 0 };
        looker.pick_id = absent;
        miss[round] = look_up(looker, KEYDIR, 1, round);
    }
    figures->hit = median(hit);
    figures->many = median(many);
    figures->miss = median(miss);
    figures->two = median(two);
    figures->plain = median(plain);
    figures->peer = median(peer);
}

/* The other tables hold the same keys; they are measured with the shortest keys only. */
static void measure_beside(struct bench *bench, uint64_t n_keys, struct figures *figures)
{
    struct looker looker = { .keydir = rk_keydir_writer_reader(bench->writer),
                             .n_keys = n_keys,
                             .n = n_keys < 2000000 ? n_keys : 2000000,
                             .key_bytes = bench->key_bytes };
    double load = (double)n_keys * 64 / 3 / (double)figures->usage.used_bytes;
    struct plain_table *plain = NULL;
    struct peer_table *peer = NULL;

    if (bench->key_bytes == 8) {
        plain = plain_table_create(n_keys, load);
        peer = peer_table_create(n_keys);
        for (uint64_t id = 0; id < n_keys; id++) {
            plain_table_put(plain, fingerprint_of(id, bench->key_bytes), id + 1);
            if (peer != NULL)
                peer_table_put(peer, fingerprint_of(id, bench->key_bytes), id + 1);
        }
    }
    looker.plain = plain;
    looker.peer = peer;
    measure_lookups(bench, looker, figures);
    if (plain != NULL)
        plain_table_destroy(&plain);
    if (peer != NULL)
        peer_table_destroy(&peer);
}

static void print_heading(void)
{
    printf("millions,key_bytes,bytes_a_key,pages,insert,insert_with_hash,lookup,lookup_with_hash,lookup_absent,"
           "lookup_2_threads,lookup_plain_array,lookup_rculfhash,update,update_with_hash,insert_and_update,"
           "delete,delete_with_hash,lookup_to_plain,two_to_one,lookup_many\n");
}

static void print_figures(uint64_t n_keys, size_t key_bytes, const struct figures *f)
{
    double hit = rate(f->hit.n, f->hit.op_ns);
    double plain = rate(f->plain.n, f->plain.op_ns);

    printf("%.0f,%zu,%.2f,%llu,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f\n",
           (double)n_keys / 1e6, key_bytes, (double)f->usage.used_bytes / (double)f->usage.n_keys,
           (unsigned long long)f->usage.n_pages, rate(f->insert.n, f->insert.op_ns),
           rate(f->insert.n, f->insert.op_ns + f->insert.hash_ns), hit, rate(f->hit.n, f->hit.op_ns + f->hit.hash_ns),
           rate(f->miss.n, f->miss.op_ns), rate(f->two.n, f->two.op_ns), plain, rate(f->peer.n, f->peer.op_ns),
           rate(f->update.n, f->update.op_ns), rate(f->update.n, f->update.op_ns + f->update.hash_ns),
           rate(f->mixed.n, f->mixed.op_ns), rate(f->delete.n, f->delete.op_ns),
           rate(f->delete.n, f->delete.op_ns + f->delete.hash_ns), plain > 0 ? hit / plain : 0,
           rate(f->two.n, f->two.op_ns) / hit, rate(f->many.n, f->many.op_ns));
    fflush(stdout);
}

static void measure_population(uint64_t n_keys, size_t key_bytes)
{
    static const struct operation insert = { run_puts, in_order }, update = { run_puts, at_random },
                                  mixed = { run_puts, new_and_old }, delete = { run_deletes, in_order };
    struct bench bench = { .key_bytes = key_bytes };
    struct figures figures;

    set_up(&bench, n_keys);
    figures.insert = run_operation(&bench, &insert, n_keys, n_keys);
    come_to_rest(&bench);
    figures.usage = rk_keydir_writer_usage(bench.writer);
    measure_beside(&bench, n_keys, &figures);
    figures.update = run_operation(&bench, &update, n_keys, n_keys);
    figures.mixed = run_operation(&bench, &mixed, n_keys / 5, n_keys);
    figures.delete = run_operation(&bench, &delete, n_keys / 2, n_keys);
    print_figures(n_keys, key_bytes, &figures);
    tear_down(&bench);
}

/* The longest of one kind of call. */
struct longest {
    uint64_t clock_ns, processor_ns;
    uint64_t n_over_ms; /* by processor time */
};

static void note_call(struct longest *longest, uint64_t clock_ns, uint64_t used_ns)
{
    longest->clock_ns = clock_ns > longest->clock_ns ? clock_ns : longest->clock_ns;
    longest->processor_ns = used_ns > longest->processor_ns ? used_ns : longest->processor_ns;
    longest->n_over_ms += used_ns > RK_NS_PER_MS;
}

static void print_longest(const char *call, uint64_t n_keys, const struct longest *longest)
{
    printf(
        "# growth to %.0f million keys: longest %s %.3f ms of processor time (%llu over 1 ms), %.3f ms by the clock\n",
        (double)n_keys / 1e6, call, (double)longest->processor_ns / 1e6, (unsigned long long)longest->n_over_ms,
        (double)longest->clock_ns / 1e6);
}

/* Every call by itself. */
static void measure_growth(uint64_t n_keys)
{
    struct bench bench = { .key_bytes = 8 };
    struct longest insert = { 0 }, reclaiming = { 0 };

    set_up(&bench, n_keys);
    for (uint64_t id = 0; id < n_keys; id++) {
        struct rk_fingerprint fingerprint = fingerprint_of(id, bench.key_bytes);
        uint64_t start_processor_ns = processor_ns(), start_ns = rk_time_monotonic_ns();

        (void)rk_keydir_writer_put(bench.writer, fingerprint, id + 1);
        note_call(&insert, rk_time_monotonic_ns() - start_ns, processor_ns() - start_processor_ns);
        if (id % 256 != 0)
            continue;
        start_processor_ns = processor_ns();
        start_ns = rk_time_monotonic_ns();
        reclaim(&bench);
        note_call(&reclaiming, rk_time_monotonic_ns() - start_ns, processor_ns() - start_processor_ns);
    }
    print_longest("insert", n_keys, &insert);
    print_longest("reclaim", n_keys, &reclaiming);
    tear_down(&bench);
}

int main(int argc, char **argv)
{
    static const char *usual[] = { "1", "2", "3", "5", "8", "13", "20" };
    static const size_t key_bytes[] = { 8, 64, 512 };
    const char *const *millions = argc > 1 ? (const char *const *)argv + 1 : usual;
    int n = argc > 1 ? argc - 1 : (int)(sizeof usual / sizeof usual[0]);
    uint64_t most = 0;

    rk_grace_register_thread();
    print_heading();
    for (int i = 0; i < n; i++) {
        uint64_t n_keys = (uint64_t)(atof(millions[i]) * 1e6);

        for (unsigned k = 0; k < sizeof key_bytes / sizeof key_bytes[0]; k++)
            measure_population(n_keys, key_bytes[k]);
        most = n_keys > most ? n_keys : most;
    }
    for (unsigned i = 0; i < N_GROWTHS; i++)
        measure_growth(most);
    rk_grace_unregister_thread();
    return EXIT_SUCCESS;
}
