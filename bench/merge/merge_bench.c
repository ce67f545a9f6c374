/* How fast merges give space back, and what that costs: for each size of value and each share of dead bytes, files of
 * records are written, keys are overwritten until that share is dead, and all sealed files are merged. Beside it, a
 * file of as many bytes as were live is copied (read, write, fdatasync), as cp does. On one folder, five times each, of
 * which the fastest counts. Giving the blocks of old files and their hints back to the file system is timed by itself
 * (links keep them until the merge is over): it depends on the size of what is dead, and cp does not do it.
 *
 *   merge_bench FOLDER MIB [VALUE_BYTES [DEAD_PERCENT]]    prints a table, comma-separated; of one size or share only
 */
#include "merge_bed.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "disk/disk_file.h"
#include "disk/disk_record.h"
#include "grace/grace.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge/merge.h"
#include "space/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (1u << 20)
#define N_COPIES   5
#define N_MERGES   5

static struct rk_merge_progress last_progress;

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Keys once, then so many of them again, spread over all, that this share of all bytes is dead. */
static void fill(uint64_t total_bytes, uint32_t value_len, unsigned dead_percent)
{
    uint8_t *bytes = rk_mem_calloc(1, value_len + 1);
    struct bed_value value = { bytes, value_len };
    uint64_t n_records = total_bytes / rk_record_size(16, 0, value_len, false);
    uint64_t n_dead = n_records * dead_percent / 100, n_keys = n_records - n_dead;

    memset(bytes, 'v', value_len);
    for (uint64_t i = 0; i < n_keys; i++)
        bed_put(&value, i, 0);
    for (uint64_t i = 0; i < n_dead; i++)
        bed_put(&value, (i * 2654435761u) % n_keys, 0);
    bed_seal();
    free(bytes);
}

static void on_gone(void *context)
{
}

static enum rk_err on_turn(void *context, const struct rk_merge_progress *progress)
{
    last_progress = *progress;
    return RK_OK;
}

static void merge_all(void)
{
    uint32_t files[4096];
    struct rk_merge_settings settings = { .store = store,
                                          .log = log_writer,
                                          .keydir = keydir,
                                          .space = space,
                                          .files = files,
                                          .file_size_bytes = BED_FILE_BYTES,
                                          .call = bed_call,
                                          .gone = on_gone,
                                          .turn = on_turn };
    struct rk_detail detail = { "" };
    uint32_t number;

    for (size_t i = 0; settings.n_files < 4096 && (number = rk_log_store_file(store, i)) != 0; i++)
        if (number != rk_log_writer_file_number(log_writer))
            files[settings.n_files++] = number;
    if (rk_merge_run(&settings, &detail) != RK_OK)
        bed_die("merging", detail.text);
}

/* What cp does with a file of so many bytes, and one fdatasync at the end. Seconds. */
static double copy_file(const char *folder, uint64_t size)
{
    char from[4096], to[4096];
    uint8_t *bytes = rk_mem_calloc(1, COPY_BYTES);
    uint64_t begun_ns;
    int in, out;

    snprintf(from, sizeof from, "%s/merge_bench.from", folder);
    snprintf(to, sizeof to, "%s/merge_bench.to", folder);
    in = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (uint64_t at = 0; at < size; at += COPY_BYTES)
        if (rk_io_pwrite_full(in, bytes, COPY_BYTES, (off_t)at) != 0)
            bed_die(from, strerror(errno));
    (void)fdatasync(in); /* so that the copy is not charged for it */
    begun_ns = rk_time_monotonic_ns();
    out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (uint64_t at = 0; at < size; at += COPY_BYTES) {
        if (rk_io_pread_full(in, bytes, COPY_BYTES, (off_t)at) < 0
            || rk_io_pwrite_full(out, bytes, COPY_BYTES, (off_t)at) != 0)
            bed_die(to, strerror(errno));
    }
    if (fdatasync(out) != 0)
        bed_die(to, strerror(errno));
    begun_ns = rk_time_monotonic_ns() - begun_ns;
    close(in);
    close(out);
    (void)unlink(from);
    (void)unlink(to);
    free(bytes);
    return (double)begun_ns / 1e9;
}

static void keep_file(int dir_fd, const char *name, bool keep)
{
    char kept[RK_DISK_FILE_NAME_BYTES + 8];

    (void)snprintf(kept, sizeof kept, "%s.kept", name); /* fits */
    if (keep ? linkat(dir_fd, name, dir_fd, kept, 0) != 0 : unlinkat(dir_fd, kept, 0) != 0)
        bed_die(kept, strerror(errno));
}

/* Each data file and each hint gets a second name, or loses it; seconds. */
static double keep_files(const char *path, bool keep)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t begun_ns = rk_time_monotonic_ns();

    for (uint32_t number = 1; number < rk_log_writer_file_number(log_writer); number++) {
        rk_disk_file_name(name, number);
        keep_file(dir_fd, name, keep);
        rk_disk_hint_name(name, number);
        keep_file(dir_fd, name, keep);
    }
    close(dir_fd);
    return (double)(rk_time_monotonic_ns() - begun_ns) / 1e9;
}

/* The shortest, as of merges: disks and processors have their moods, and only that is what they can do. */
static double copy_some_times(const char *folder, uint64_t size)
{
    double best = copy_file(folder, size);

    for (unsigned i = 1; i < N_COPIES; i++) {
        double seconds = copy_file(folder, size);

        best = seconds < best ? seconds : best;
    }
    return best;
}

/* Nothing that was written before is charged to what comes. */
static void write_all_out(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || syncfs(fd) != 0)
        bed_die(folder, strerror(errno));
    close(fd);
}

struct figures {
    double live_mib, written_mib, reclaimed_mib;
    double seconds, cpu_seconds, free_seconds;
};

static struct figures merge_once(const char *folder, uint64_t total_bytes, uint32_t value_len, unsigned dead_percent)
{
    const double mib = 1048576.0;
    struct figures figures;
    char path[4096];
    double begun_cpu;
    uint64_t begun_ns;

    snprintf(path, sizeof path, "%s/merge_bench.store", folder);
    bed_open(path);
    fill(total_bytes, value_len, dead_percent);
    bed_make_hints();
    figures.live_mib = (double)rk_space_total(space).bytes[RK_SPACE_LIVE] / mib;
    write_all_out(folder);
    (void)keep_files(path, true); /* not what is measured */
    begun_ns = rk_time_monotonic_ns();
    begun_cpu = cpu_seconds();
    merge_all();
    figures.cpu_seconds = cpu_seconds() - begun_cpu;
    figures.seconds = (double)(rk_time_monotonic_ns() - begun_ns) / 1e9;
    figures.free_seconds = keep_files(path, false);
    figures.written_mib = (double)last_progress.written_bytes / mib;
    figures.reclaimed_mib = (double)last_progress.removed_bytes / mib - figures.written_mib;
    bed_close(path);
    return figures;
}

static void measure(const char *folder, uint64_t total_bytes, uint32_t value_len, unsigned dead_percent)
{
    struct figures best = merge_once(folder, total_bytes, value_len, dead_percent);
    double copy_seconds;

    for (unsigned i = 1; i < N_MERGES; i++) {
        struct figures figures = merge_once(folder, total_bytes, value_len, dead_percent);

        best = figures.seconds < best.seconds ? figures : best;
    }
    write_all_out(folder);
    copy_seconds = copy_some_times(folder, (uint64_t)(best.live_mib * 1048576.0));
    printf("%u,%u,%.0f,%.0f,%.2f,%.2f,%.2f,%.1f,%.2f,%.2f\n", value_len, dead_percent, best.written_mib,
           best.reclaimed_mib, best.seconds, best.cpu_seconds, best.free_seconds, best.live_mib / best.seconds,
           copy_seconds / best.seconds, best.written_mib / best.reclaimed_mib);
    (void)fflush(stdout); /* seen if it fails */
}

/* All values, or the one that was asked for. */
static bool is_wanted(const char *wanted, unsigned value)
{
    return wanted == NULL || strtoul(wanted, NULL, 10) == value;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = { 100, 1000, 100000 };
    static const unsigned shares[] = { 10, 25, 40, 60, 75, 90 };

    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: merge_bench FOLDER MIB [VALUE_BYTES [DEAD_PERCENT]]\n");
        return 2;
    }
    rk_grace_register_thread();
    printf(
        "value_bytes,dead_percent,written_mib,reclaimed_mib,seconds,cpu_seconds,free_seconds,live_mib_per_s,rate_to_cp,"
        "written_per_reclaimed\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizeof shares / sizeof *shares; j++)
            if (is_wanted(argc > 3 ? argv[3] : NULL, sizes[i]) && is_wanted(argc > 4 ? argv[4] : NULL, shares[j]))
                measure(argv[1], strtoull(argv[2], NULL, 10) << 20, sizes[i], shares[j]);
    rk_grace_unregister_thread();
    return 0;
}
