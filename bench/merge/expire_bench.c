/* What a look for expired records costs: a file of records with small values, of which so many in a hundred have an
 * expiry that is past. Read by its hint, and by its records (as the active file is). Beside it, what reading and
 * checking the hint costs that a look reads, and nothing else. Five times each, of which the fastest counts.
 *
 *   expire_bench FOLDER [MIB]      prints a table, comma-separated
 */
#include "merge_bed.h"

#include "base/base_detail.h"
#include "base/base_time.h"
#include "disk/disk_file.h"
#include "disk/disk_hint.h"
#include "disk/disk_record.h"
#include "expire/expire.h"
#include "grace/grace.h"
#include "log/log_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_BYTES 100u
#define N_ROUNDS    5u
#define NOW_S       1800000000u
#define FILE_NUMBER 1u

static enum rk_err on_turn(void *context)
{
    return RK_OK;
}

/* One file, sealed; every expiry that is not past is in an hour. */
static uint64_t fill(uint64_t bytes, unsigned past_percent)
{
    static const uint8_t contents[VALUE_BYTES];
    struct bed_value value = { contents, VALUE_BYTES };
    uint64_t n_records = bytes / rk_record_size(16, 0, VALUE_BYTES, true);

    for (uint64_t i = 0; i < n_records; i++)
        bed_put(&value, i, (NOW_S + (i % 100 < past_percent ? 0 : 3600)) * UINT64_C(1000));
    bed_seal();
    return n_records;
}

/* Reads the hint and checks all of it; seconds. */
static double check_hint(void)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(store);
    int dir_fd = rk_log_store_dir_fd(store);
    struct rk_disk_file_summary summary;
    struct rk_disk_hint *hint = NULL;
    uint64_t begun_ns = rk_time_monotonic_ns();

    if (rk_disk_file_summarize(dir_fd, FILE_NUMBER, &identity->secret, &summary, NULL) != RK_OK
        || rk_disk_hint_open(&hint, dir_fd, FILE_NUMBER, identity->uuid, &summary) != RK_OK)
        bed_die("reading the hint", "it failed");
    rk_disk_hint_close(&hint);
    return (double)(rk_time_monotonic_ns() - begun_ns) / 1e9;
}

static double look(uint64_t n_expected)
{
    struct rk_expire_settings settings = { .store = store,
                                           .log = log_writer,
                                           .keydir = keydir,
                                           .space = space,
                                           .now_s = NOW_S,
                                           .call = bed_call,
                                           .turn = on_turn };
    struct rk_detail detail = { "" };
    uint64_t n_expired = 0, begun_ns = rk_time_monotonic_ns();

    if (rk_expire_run(&settings, &n_expired, &detail) != RK_OK)
        bed_die("looking", detail.text);
    if (n_expired != n_expected)
        bed_die("looking", "it did not find what had expired");
    return (double)(rk_time_monotonic_ns() - begun_ns) / 1e9;
}

struct figures {
    uint64_t n_records;
    double by_hint, by_records, hint_alone; /* seconds */
};

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void measure_once(const char *path, uint64_t bytes, unsigned past_percent, struct figures *best)
{
    for (unsigned by_hint = 0; by_hint < 2; by_hint++) {
        double seconds;

        bed_open(path);
        best->n_records = fill(bytes, past_percent);
        if (by_hint) {
            bed_make_hints();
            best->hint_alone = least(best->hint_alone, check_hint());
        }
        seconds = look((best->n_records / 100 * past_percent)
                       + (best->n_records % 100 < past_percent ? best->n_records % 100 : past_percent));
        *(by_hint ? &best->by_hint : &best->by_records) = least(by_hint ? best->by_hint : best->by_records, seconds);
        bed_close(path);
    }
}

int main(int argc, char **argv)
{
    static const unsigned shares[] = { 1, 10, 50, 100 };
    uint64_t bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 400) << 20;
    char path[4096];

    if (argc < 2 || argc > 3 || bytes == 0 || bytes > BED_FILE_BYTES - (1u << 20)) {
        fprintf(stderr, "usage: expire_bench FOLDER [MIB], less than 511\n");
        return 2;
    }
    rk_grace_register_thread();
    snprintf(path, sizeof path, "%s/expire_bench.store", argv[1]);
    printf("past_percent,records,ns_by_hint,ns_by_records,ns_hint_alone,hint_alone_to_by_hint\n");
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        struct figures best = { .by_hint = 1e9, .by_records = 1e9, .hint_alone = 1e9 };

        for (unsigned round = 0; round < N_ROUNDS; round++)
            measure_once(path, bytes, shares[i], &best);
        printf("%u,%llu,%.1f,%.1f,%.1f,%.2f\n", shares[i], (unsigned long long)best.n_records,
               best.by_hint * 1e9 / (double)best.n_records, best.by_records * 1e9 / (double)best.n_records,
               best.hint_alone * 1e9 / (double)best.n_records, best.hint_alone / best.by_hint);
        (void)fflush(stdout); /* seen if it fails */
    }
    rk_grace_unregister_thread();
    return 0;
}
