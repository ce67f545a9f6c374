/* recovery_bench [-v VALUE_BYTES] [MILLIONS...]: how fast stores of so many keys (1 2 3 5 8 13 20) are recovered, as
 * CSV on standard output; with -v, only those with values of this size.
 *
 * Each store is made in a folder of its own in $TMPDIR (or the current one) and read from the page cache, by its hints
 * and then, without these, by its records. The floor is `cat` of the same files to /dev/null, in turns with the
 * recoveries. Rates are millions of records a second by the clock, with all processors, and for each second of
 * processor time; medians. Stores with large values stop at LARGE_KEYS keys. */
#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "disk/disk_hint.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "recover/recover.h"
#include "space/space.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_ROUNDS    5u
#define FILE_BYTES  (64ull << 20)
#define VALUE_BYTES 4096u /* at most */
#define LARGE_KEYS  2000000u

extern char **environ;

struct shape {
    uint64_t n_keys;
    uint32_t value_bytes;
    uint32_t n_writes; /* of each key */
};

struct timing {
    uint64_t clock_ns;
    uint64_t processor_ns;
};

struct bench {
    char *path;
    struct shape shape;
    struct rk_recovery result;
    double bytes_a_key;
};

static uint64_t processor_ns(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * RK_NS_PER_S
           + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void die(const char *what, const struct rk_detail *detail)
{
    (void)fprintf(stderr, "recovery_bench: %s: %s\n", what, detail->text);
    exit(EXIT_FAILURE);
}

static void open_store(const struct bench *bench, struct rk_log_store **store_out)
{
    struct rk_detail detail = { .text = "" };

    if (rk_log_store_open(store_out, bench->path, &detail) != RK_OK)
        die("opening the store", &detail);
}

static void stage(struct rk_log_writer *writer, const uint8_t *bytes, uint64_t size)
{
    uint64_t location, sequence;

    if (rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location, &sequence) == RK_OK)
        return;
    RK_ASSERT(rk_log_writer_flush(writer) == RK_OK);
    RK_ASSERT(rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location, &sequence)
              == RK_OK);
}

static void write_records(const struct bench *bench)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES, .next_sequence = 1 };
    static uint8_t bytes[VALUE_BYTES + 256], value[VALUE_BYTES];
    struct rk_log_writer *writer = NULL;
    struct rk_log_store *store = NULL;
    struct rk_detail detail = { .text = "" };

    open_store(bench, &store);
    if (rk_log_writer_open(&writer, store, &settings, &detail) != RK_OK)
        die("opening the log", &detail);
    for (uint64_t i = 0; i < bench->shape.n_keys * bench->shape.n_writes; i++) {
        uint64_t key = i % bench->shape.n_keys;
        struct rk_record_parts parts = { .type = RK_RECORD_PUT,
                                         .key = &key,
                                         .key_len = sizeof key,
                                         .value = value,
                                         .value_len = bench->shape.value_bytes };

        stage(writer, bytes, rk_record_build(bytes, &parts));
    }
    RK_ASSERT(rk_log_writer_flush(writer) == RK_OK && rk_log_writer_roll(writer) == RK_OK);
    RK_ASSERT(rk_log_writer_close(&writer) == RK_OK);
    rk_log_store_close(&store);
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, context);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

static void make_hints(const struct bench *bench)
{
    struct rk_log_store *store = NULL;
    struct rk_detail detail = { .text = "" };

    open_store(bench, &store);
    for (size_t i = 0; i < rk_log_store_n_files(store); i++) {
        struct rk_disk_identity identity = *rk_log_store_identity(store);
        struct rk_log_hint_maker maker = { .context = identity.hash_key, .fingerprint = make_fingerprint };

        if (rk_log_hint_make(rk_log_store_dir_fd(store), rk_log_store_file(store, i), &identity, &maker, &detail)
            != RK_OK)
            die("making a hint", &detail);
    }
    rk_log_store_close(&store);
}

static struct timing recover(struct bench *bench)
{
    struct rk_recover_hooks hooks = { .space = rk_space_create() };
    uint64_t start_ns, start_processor_ns;
    struct rk_keydir_writer *keydir = NULL;
    struct rk_log_store *store = NULL;
    struct rk_detail detail = { .text = "" };
    struct timing timing;

    open_store(bench, &store);
    RK_ASSERT(rk_keydir_writer_create(&keydir, 8ull << 30, NULL, NULL) == RK_OK);
    start_processor_ns = processor_ns();
    start_ns = rk_time_monotonic_ns();
    if (rk_recover_store(store, keydir, &hooks, &bench->result, &detail) != RK_OK)
        die("recovering", &detail);
    timing.clock_ns = rk_time_monotonic_ns() - start_ns;
    timing.processor_ns = processor_ns() - start_processor_ns;
    RK_ASSERT(bench->result.n_keys == bench->shape.n_keys);
    bench->bytes_a_key = (double)rk_keydir_writer_usage(keydir).used_bytes / (double)bench->shape.n_keys;
    rk_keydir_writer_destroy(&keydir);
    rk_log_store_close(&store);
    rk_space_destroy(&hooks.space);
    return timing;
}

/* cat *.data > /dev/null */
static uint64_t run_cat(const struct bench *bench)
{
    char *command = NULL, *argv[] = { "sh", "-c", NULL, NULL };
    uint64_t start_ns = rk_time_monotonic_ns();
    int status = -1;
    pid_t pid;

    RK_ASSERT(asprintf(&command, "cat '%s'/*.data > /dev/null", bench->path) > 0);
    argv[2] = command;
    RK_ASSERT(posix_spawnp(&pid, "sh", NULL, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid);
    RK_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    free(command);
    return rk_time_monotonic_ns() - start_ns;
}

/* All files of the store whose name ends so; all of them for "". */
static void remove_files(const struct bench *bench, const char *ending)
{
    DIR *dir = opendir(bench->path);
    const struct dirent *entry;

    RK_ASSERT(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name), ending_length = strlen(ending);

        if (length >= ending_length && strcmp(entry->d_name + length - ending_length, ending) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0); /* but for . and .. */
    }
    closedir(dir);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static uint64_t median(uint64_t *ns)
{
    qsort(ns, N_ROUNDS, sizeof *ns, compare_numbers);
    return ns[N_ROUNDS / 2];
}

/* Recovers some times, with a cat before each; medians of both. */
static struct timing measure(struct bench *bench, uint64_t *cat_ns_out)
{
    uint64_t clock_ns[N_ROUNDS], used_ns[N_ROUNDS], cat_ns[N_ROUNDS];

    for (unsigned round = 0; round < N_ROUNDS; round++) {
        struct timing timing;

        cat_ns[round] = run_cat(bench);
        timing = recover(bench);
        clock_ns[round] = timing.clock_ns;
        used_ns[round] = timing.processor_ns;
    }
    *cat_ns_out = median(cat_ns);
    return (struct timing){ .clock_ns = median(clock_ns), .processor_ns = median(used_ns) };
}

static double rate(uint64_t n, uint64_t ns)
{
    return (double)n / (double)ns;
}

static void measure_shape(struct shape shape)
{
    const char *parent = getenv("TMPDIR");
    struct bench bench = { .shape = shape };
    struct timing hints, scan;
    uint64_t cat_ns;

    RK_ASSERT(asprintf(&bench.path, "%s/rackkv-bench-XXXXXX", parent != NULL ? parent : ".") > 0);
    RK_ASSERT(mkdtemp(bench.path) != NULL);
    write_records(&bench);
    make_hints(&bench);
    hints = measure(&bench, &cat_ns);
    RK_ASSERT(bench.result.n_hints == bench.result.n_files);
    remove_files(&bench, ".hint");
    scan = measure(&bench, &cat_ns);
    printf("%.1f,%u,%u,%llu,%.0f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f\n", (double)shape.n_keys / 1e6,
           shape.value_bytes, shape.n_writes, (unsigned long long)bench.result.n_files,
           (double)bench.result.n_bytes / 1e6, rate(bench.result.n_records, hints.clock_ns) * 1e3,
           rate(bench.result.n_records, hints.processor_ns) * 1e3, rate(bench.result.n_records, scan.clock_ns) * 1e3,
           rate(bench.result.n_records, scan.processor_ns) * 1e3, rate(bench.result.n_bytes, cat_ns),
           rate(bench.result.n_bytes, scan.clock_ns), rate(cat_ns, scan.clock_ns), bench.bytes_a_key);
    fflush(stdout);
    remove_files(&bench, "");
    (void)rmdir(bench.path); /* what stays behind is seen */
    free(bench.path);
}

/* The size of values that was asked for; 0: all. Leaves optind at the first number of keys. */
static uint32_t wanted_value_bytes(int argc, char **argv)
{
    uint32_t wanted = 0;
    int option;

    while ((option = getopt(argc, argv, "v:")) != -1) {
        if (option != 'v') {
            (void)fprintf(stderr, "usage: recovery_bench [-v VALUE_BYTES] [MILLIONS...]\n");
            exit(2);
        }
        wanted = (uint32_t)strtoul(optarg, NULL, 10);
    }
    return wanted;
}

int main(int argc, char **argv)
{
    static const char *usual[] = { "1", "2", "3", "5", "8", "13", "20" };
    static const struct shape shapes[] = { { .value_bytes = 15, .n_writes = 1 },
                                           { .value_bytes = 15, .n_writes = 3 },
                                           { .value_bytes = 1024, .n_writes = 1 },
                                           { .value_bytes = 4096, .n_writes = 1 } };
    uint32_t wanted = wanted_value_bytes(argc, argv);
    const char *const *millions = argc > optind ? (const char *const *)argv + optind : usual;
    int n = argc > optind ? argc - optind : (int)(sizeof usual / sizeof usual[0]);

    printf("millions,value_bytes,writes_a_key,files,megabytes,hints,hints_a_processor,scan,scan_a_processor,"
           "cat_gigabytes,scan_gigabytes,scan_to_cat,bytes_a_key\n");
    for (unsigned i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int j = 0; j < n; j++) {
            struct shape shape = shapes[i];

            shape.n_keys = (uint64_t)(atof(millions[j]) * 1e6);
            if ((wanted == 0 || wanted == shape.value_bytes)
                && shape.n_keys * shape.n_writes * (shape.value_bytes + 48) <= LARGE_KEYS * 1100ull)
                measure_shape(shape);
        }
    }
    return EXIT_SUCCESS;
}
