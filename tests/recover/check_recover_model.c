/* Recovery by any number of threads against a model: random puts and deletes over many files, some of them merged in
 * any order or copied and still listed, with hints that are there, missing or damaged, listed in any order. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "disk/disk_manifest.h"
#include "disk/disk_scan.h"
#include "keydir/keydir_check_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint_make.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "log/log_writer.h"
#include "recover/recover.h"
#include "space/space.h"
#include "test_dir.h"
#include "test_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_KEYS       20000u
#define N_OPS        120000u
#define FILE_BYTES   (256u << 10)
#define KEYDIR_BYTES (64ull << 20)
#define FILES_MAX    128u

/* What was written last to a key. */
struct known {
    uint64_t sequence;
    bool is_deleted;
};

static char *dir;
static struct rk_log_store *store;
static struct known known[N_KEYS];
static uint64_t random_state;

static uint64_t random_below(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void must(bool condition, const char *what, unsigned key)
{
    if (!condition)
        ck_abort_msg("key %u: %s", key, what);
}

static int no_sync(int fd)
{
    return 0;
}

static void create_store(void)
{
    static struct rk_io_ops ops;

    ops = rk_io_kernel_ops;
    ops.fdatasync = no_sync;
    ops.fsync = no_sync;
    rk_io = &ops;
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
    dir = test_dir_create();
    ck_assert_int_eq(rk_log_store_open(&store, dir, NULL), RK_OK);
    memset(known, 0, sizeof known);
}

static void destroy_store(void)
{
    rk_log_store_close(&store);
    test_dir_remove(&dir);
    rk_io = &rk_io_kernel_ops;
}

static void reopen_store(void)
{
    struct rk_detail detail = { .text = "" };

    rk_log_store_close(&store);
    ck_assert_msg(rk_log_store_open(&store, dir, &detail) == RK_OK, "%s", detail.text);
}

static void write_op(struct rk_log_writer *writer, unsigned key, bool is_delete)
{
    struct rk_record_parts parts = { .type = is_delete ? RK_RECORD_TOMBSTONE : RK_RECORD_PUT,
                                     .key = &key,
                                     .key_len = sizeof key,
                                     .value = "0123456789abcdef0123456789abcdef",
                                     .value_len = is_delete ? 0 : (uint32_t)random_below(33) };
    uint64_t location, sequence, size;
    uint8_t bytes[256];
    enum rk_err err;

    size = rk_record_build(bytes, &parts);
    err = rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location, &sequence);
    if (err == RK_ERR_FULL) {
        must(rk_log_writer_flush(writer) == RK_OK, "not written", key);
        err = rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location, &sequence);
    }
    must(err == RK_OK, "not staged", key);
    known[key] = (struct known){ .sequence = sequence, .is_deleted = is_delete };
}

/* The last file is sealed, or has an open end, as after a crash. */
static void write_history(bool is_closed)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = FILE_BYTES, .next_sequence = 1 };
    struct rk_log_writer *writer = NULL;
    uint32_t newest;
    size_t n_files;

    ck_assert_int_eq(rk_log_writer_open(&writer, store, &settings, NULL), RK_OK);
    for (unsigned i = 0; i < N_OPS; i++)
        write_op(writer, (unsigned)random_below(N_KEYS), random_below(4) == 0);
    ck_assert_int_eq(rk_log_writer_flush(writer), RK_OK);
    n_files = rk_log_store_n_files(store);
    newest = rk_log_store_file(store, n_files - 1);
    ck_assert_int_eq(rk_log_writer_close(&writer), RK_OK);
    ck_assert(n_files > 20 && n_files < FILES_MAX);
    if (!is_closed) {
        char name[RK_DISK_FILE_NAME_BYTES];
        struct stat status;

        rk_disk_file_name(name, newest);
        ck_assert_int_eq(fstatat(rk_log_store_dir_fd(store), name, &status, 0), 0);
        rk_log_store_close(&store);
        ck_assert_int_eq(chdir(dir), 0);
        ck_assert_int_eq(truncate(name, status.st_size - RK_DISK_FILE_FRAME_BYTES), 0);
        ck_assert_int_eq(rk_log_store_open(&store, dir, NULL), RK_OK);
    }
}

/* The records of a file that are the newest of their keys, all tombstones, and some that nobody needs. */
static size_t choose_records(uint32_t number, struct rk_disk_scan_item *items, size_t n_max)
{
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    size_t n = 0;

    ck_assert_int_eq(rk_disk_scan_open(&scan, rk_log_store_dir_fd(store), number, rk_log_store_identity(store), NULL),
                     RK_OK);
    while (rk_disk_scan_next(scan, &item, NULL) == RK_OK) {
        unsigned key;

        memcpy(&key, item.key, sizeof key);
        if (n < n_max
            && (known[key].sequence == item.header.sequence || item.header.type == RK_RECORD_TOMBSTONE
                || random_below(8) == 0))
            items[n++] = item;
    }
    ck_assert_uint_lt(n, n_max);
    rk_disk_scan_close(&scan);
    return n;
}

static void copy_record(int fd, struct rk_disk_file_trailer *totals, const struct rk_disk_scan_item *item)
{
    struct rk_location location = rk_disk_location_decode(item->location);
    char name[RK_DISK_FILE_NAME_BYTES];
    uint8_t bytes[256];
    int from;

    rk_disk_file_name(name, location.file_number);
    from = openat(rk_log_store_dir_fd(store), name, O_RDONLY | O_CLOEXEC);
    must(from >= 0 && pread(from, bytes, location.size_bytes, (off_t)location.offset_bytes) == location.size_bytes
             && pwrite(fd, bytes, location.size_bytes, (off_t)totals->size_bytes) == location.size_bytes,
         "not copied", 0);
    close(from);
    totals->size_bytes += location.size_bytes;
    if (totals->n_records == 0 || item->header.sequence < totals->first_sequence)
        totals->first_sequence = item->header.sequence;
    if (item->header.sequence > totals->last_sequence)
        totals->last_sequence = item->header.sequence;
    totals->n_records++;
}

/* Some files become one, their records in any order; some of the files stay listed beside it, as if the merge had been
 * stopped after the output was listed. */
static void merge_some(void)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(store);
    struct rk_disk_file_header header = { .file_number = rk_log_store_next_number(store),
                                          .format_version = RK_DISK_FORMAT_VERSION,
                                          .kind = RK_DISK_FILE_MERGED };
    struct rk_disk_scan_item *items = rk_mem_calloc(N_OPS, sizeof *items);
    struct rk_disk_file_trailer totals = { .size_bytes = RK_DISK_FILE_FRAME_BYTES };
    struct rk_record_stamp stamp = { 0 };
    uint8_t frame[RK_DISK_FILE_FRAME_BYTES];
    char name[RK_DISK_FILE_NAME_BYTES];
    uint32_t removed[8];
    struct rk_disk_manifest_change change = { .removed = removed, .added = &header.file_number, .n_added = 1 };
    size_t n_items = 0;
    int fd;

    for (int i = 0; i < 5; i++) {
        uint32_t number = rk_log_store_file(store, (size_t)i * 3 + random_below(3));

        n_items += choose_records(number, items + n_items, N_OPS - n_items);
        if (random_below(2) == 0)
            removed[change.n_removed++] = number;
    }
    memcpy(header.uuid, identity->uuid, sizeof header.uuid);
    rk_disk_file_name(name, header.file_number);
    fd = openat(rk_log_store_dir_fd(store), name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    rk_disk_file_header_build(frame, &header, &stamp);
    ck_assert_int_eq(pwrite(fd, frame, sizeof frame, 0), sizeof frame);
    for (; n_items > 0; n_items--) {
        size_t at = random_below(n_items);

        copy_record(fd, &totals, &items[at]);
        items[at] = items[n_items - 1];
    }
    rk_disk_file_trailer_build(frame, &totals, &identity->secret, &stamp);
    ck_assert_int_eq(pwrite(fd, frame, sizeof frame, (off_t)totals.size_bytes), sizeof frame);
    close(fd);
    ck_assert_int_eq(rk_log_store_change(store, &change, NULL), RK_OK);
    free(items);
}

/* Lists the files in any order; only the last one, which may have an open end, stays the last. */
static void shuffle_manifest(bool last_stays)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(store);
    uint32_t numbers[FILES_MAX];
    struct rk_disk_manifest manifest = { .edition = rk_log_store_edition(store) + 1,
                                         .next_number = rk_log_store_next_number(store),
                                         .n_files = (uint32_t)rk_log_store_n_files(store),
                                         .files = numbers };
    uint8_t bytes[4096];
    int fd = openat(rk_log_store_dir_fd(store), "MANIFEST", O_WRONLY | O_TRUNC | O_CLOEXEC);

    for (uint32_t i = 0; i < manifest.n_files; i++)
        numbers[i] = rk_log_store_file(store, i);
    for (uint32_t i = manifest.n_files - (last_stays ? 1 : 0); i > 1; i--) {
        uint32_t at = (uint32_t)random_below(i), number = numbers[at];

        numbers[at] = numbers[i - 1];
        numbers[i - 1] = number;
    }
    memcpy(manifest.uuid, identity->uuid, sizeof manifest.uuid);
    rk_disk_manifest_encode(bytes, &manifest);
    ck_assert_int_eq(pwrite(fd, bytes, rk_disk_manifest_size(&manifest), 0), rk_disk_manifest_size(&manifest));
    close(fd);
    reopen_store();
}

static void make_fingerprint(void *context, const uint8_t *key, size_t key_len, struct rk_disk_hint_entry *entry)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key, key_len, context);

    entry->fingerprint_high = fingerprint.high;
    entry->fingerprint_low = fingerprint.low;
}

/* Two files of four get a hint, and one of these a damaged one. */
static void make_some_hints(void)
{
    struct rk_disk_identity identity = *rk_log_store_identity(store);
    struct rk_log_hint_maker maker = { .context = identity.hash_key, .fingerprint = make_fingerprint };

    for (size_t i = 0; i < rk_log_store_n_files(store); i++) {
        uint32_t number = rk_log_store_file(store, i);
        char name[RK_DISK_FILE_NAME_BYTES];
        uint64_t dice = random_below(4);
        int fd;

        if (dice > 1 || rk_log_hint_make(rk_log_store_dir_fd(store), number, &identity, &maker, NULL) != RK_OK)
            continue;
        if (dice == 0)
            continue;
        rk_disk_hint_name(name, number);
        fd = openat(rk_log_store_dir_fd(store), name, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite(fd, "damage", 6, (off_t)random_below(2000)), 6);
        close(fd);
    }
}

/* The record at the location is the key's newest. */
static void check_record(unsigned key, uint64_t word, const int *fds)
{
    struct rk_location location = rk_disk_location_decode(word);
    struct rk_record_view view;
    uint8_t bytes[256];

    must(location.file_number < FILES_MAX && location.size_bytes <= sizeof bytes, "no location", key);
    must(pread(fds[location.file_number], bytes, location.size_bytes, (off_t)location.offset_bytes)
             == (ssize_t)location.size_bytes,
         "its file is too short", key);
    must(rk_record_decode(bytes, location.size_bytes, &rk_log_store_identity(store)->secret, &view) == RK_OK,
         "its record is damaged", key);
    must(view.header.key_len == sizeof key && memcmp(view.key, &key, sizeof key) == 0, "not its record", key);
    must(view.header.type == RK_RECORD_PUT && view.header.sequence == known[key].sequence, "not its newest", key);
}

static void check_keydir(struct rk_keydir_writer *keydir)
{
    const uint8_t *hash_key = rk_log_store_identity(store)->hash_key;
    struct rk_detail detail = { .text = "" };
    uint64_t n_keys = 0;
    int fds[FILES_MAX];

    ck_assert_msg(rk_keydir_check_writer(keydir, &detail) == RK_OK, "%s", detail.text);
    for (uint32_t number = 0; number < FILES_MAX; number++) {
        char name[RK_DISK_FILE_NAME_BYTES];

        rk_disk_file_name(name, number);
        fds[number] = openat(rk_log_store_dir_fd(store), name, O_RDONLY | O_CLOEXEC);
    }
    for (unsigned key = 0; key < N_KEYS; key++) {
        bool is_there = known[key].sequence != 0 && !known[key].is_deleted;
        uint64_t word = rk_keydir_writer_lookup(keydir, rk_keydir_fingerprint(&key, sizeof key, hash_key));

        must(is_there == (word != 0), is_there ? "gone" : "there, although it was deleted", key);
        n_keys += is_there;
        if (is_there)
            check_record(key, word, fds);
    }
    for (uint32_t number = 0; number < FILES_MAX; number++)
        if (fds[number] >= 0)
            close(fds[number]);
    ck_assert_uint_eq(rk_keydir_writer_usage(keydir).n_keys, n_keys);
}

/* Each file's columns add up to the records that it has; live and tombstones are what they are. */
static void check_system_footprint(const struct rk_space *space, const struct rk_recovery *result)
{
    struct rk_space_file total = rk_space_total(space);
    uint64_t n_records = 0;

    ck_assert_uint_eq(total.n_records[RK_SPACE_LIVE], result->n_keys);
    ck_assert_uint_eq(total.n_records[RK_SPACE_TOMBSTONE], result->n_tombstones);
    ck_assert_uint_gt(total.n_records[RK_SPACE_OVERWRITTEN], 0);
    ck_assert_uint_gt(total.n_records[RK_SPACE_DELETED], 0);
    for (size_t i = 0; i < rk_log_store_n_files(store); i++) {
        struct rk_space_file row = rk_space_file(space, rk_log_store_file(store, i));
        struct stat status;
        uint64_t bytes = 2ull * RK_DISK_FILE_FRAME_BYTES;
        char name[RK_DISK_FILE_NAME_BYTES];

        for (size_t column = 0; column < RK_SPACE_N_COLUMNS; column++) {
            n_records += row.n_records[column];
            bytes += row.bytes[column];
        }
        rk_disk_file_name(name, row.file_number);
        ck_assert_int_eq(fstatat(rk_log_store_dir_fd(store), name, &status, 0), 0);
        ck_assert_uint_eq(bytes, (uint64_t)status.st_size);
    }
    ck_assert_uint_eq(n_records, result->n_records);
}

struct watched {
    uint64_t done_bytes, total_bytes, n_records;
};

static void watch(void *context, const struct rk_recover_progress *progress)
{
    struct watched *watched = context;

    ck_assert_uint_ge(progress->done_bytes, watched->done_bytes);
    ck_assert_uint_ge(progress->n_records, watched->n_records);
    ck_assert_uint_le(progress->done_bytes, progress->total_bytes);
    *watched = (struct watched){ progress->done_bytes, progress->total_bytes, progress->n_records };
}

static enum rk_err recover(unsigned n_threads, uint64_t memory_bytes, struct rk_detail *detail)
{
    struct watched watched = { 0 };
    struct rk_recover_hooks hooks = { .space = rk_space_create(),
                                      .context = &watched,
                                      .progress = watch,
                                      .n_threads = n_threads,
                                      .memory_bytes = memory_bytes };
    struct rk_keydir_writer *keydir = NULL;
    struct rk_recovery result;
    enum rk_err err;

    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    err = rk_recover_store(store, keydir, &hooks, &result, detail);
    if (err == RK_OK) {
        check_keydir(keydir);
        check_system_footprint(hooks.space, &result);
        ck_assert_uint_eq(watched.done_bytes, watched.total_bytes);
        ck_assert_uint_eq(watched.n_records, result.n_records);
    } else {
        ck_assert_uint_eq(rk_keydir_writer_usage(keydir).n_keys, 0);
    }
    rk_keydir_writer_destroy(&keydir);
    rk_space_destroy(&hooks.space);
    return err;
}

static void recover_all(unsigned n_threads, uint64_t memory_bytes)
{
    struct rk_detail detail = { .text = "" };

    ck_assert_msg(recover(n_threads, memory_bytes, &detail) == RK_OK, "%u threads: %s", n_threads, detail.text);
}

START_TEST(threads_and_passes_do_not_matter)
{
    random_state = (uint64_t)_i * 0x9e3779b97f4a7c15u + 1;
    write_history(_i % 2 == 0);
    merge_some();
    make_some_hints();
    shuffle_manifest(_i % 2 == 1);
    recover_all(3, 0);
    recover_all(2, 500000); /* for a twentieth of the records or so */
    recover_all(1, 2000000);
    recover_all(0, 0);
}
END_TEST

/* Two damaged files: every time it is the older one that is named, and nothing is in the keydir. */
START_TEST(the_oldest_damage_is_reported)
{
    char older[RK_DISK_FILE_NAME_BYTES], newer[RK_DISK_FILE_NAME_BYTES];

    random_state = 7;
    write_history(true);
    rk_disk_file_name(older, rk_log_store_file(store, 8));
    rk_disk_file_name(newer, rk_log_store_file(store, 9));
    for (unsigned i = 0; i < 2; i++) {
        int fd = openat(rk_log_store_dir_fd(store), i == 0 ? older : newer, O_WRONLY | O_CLOEXEC);

        ck_assert_int_eq(pwrite(fd, "damage", 6, i == 0 ? 200000 : 1000), 6); /* the newer one is found sooner */
        close(fd);
    }
    for (unsigned round = 0; round < 20; round++) {
        struct rk_detail detail = { .text = "" };

        ck_assert_int_eq(recover(round % 4, 0, &detail), RK_ERR_CORRUPT);
        ck_assert_msg(strstr(detail.text, older) != NULL, "%s", detail.text);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store_recover_model");
    TCase *tcase = tcase_create("model");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, create_store, destroy_store);
    tcase_add_loop_test(tcase, threads_and_passes_do_not_matter, 0, 4);
    tcase_add_test(tcase, the_oldest_damage_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}
