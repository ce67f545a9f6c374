/* Writes the seeds: fuzz_seeds FOLDER, with a folder for each target in it. Run by make fuzz-seeds when a format
 * changes; what it writes is committed. */
#include "fuzz_data.h"

#include "disk/disk_hint.h"
#include "disk/disk_identity.h"
#include "disk/disk_location.h"
#include "disk/disk_manifest.h"
#include "disk/disk_scan.h"
#include "log/log_keys_tree.h"

#include "base/base_crc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;
static uint8_t bytes[FUZZ_DATA_BYTES_MAX];

/* `first` is the byte before the contents, or -1 for none. */
static void write_seed(const char *target, const char *name, int first, const void *contents, size_t size)
{
    char path[4096];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", root, target);
    (void)mkdir(path, 0777); /* it may be there */
    snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    out = fopen(path, "we");
    if (out == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    if (first >= 0)
        (void)fputc(first, out);
    if (fwrite(contents, 1, size, out) != size || fclose(out) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static size_t build(enum rk_disk_file_kind kind, bool sealed, uint32_t large_value)
{
    return fuzz_data_build(bytes,
                           &(struct fuzz_data_options){ .kind = kind, .sealed = sealed, .large_value = large_value });
}

static void write_scan_seeds(void)
{
    size_t size = build(RK_DISK_FILE_APPENDED, true, 0);

    write_seed("scan", "sealed", 0, bytes, size);
    write_seed("scan", "sealed-fixed", 1, bytes, size);
    write_seed("scan", "torn", 0, bytes, size - RK_DISK_FILE_FRAME_BYTES - 10);
    size = build(RK_DISK_FILE_APPENDED, false, 0);
    memset(bytes + size, 0, 100);
    write_seed("scan", "open", 1, bytes, size);
    write_seed("scan", "preallocated", 0, bytes, size + 100);
    bytes[size / 2] ^= 1;
    write_seed("scan", "damaged", 0, bytes, size);
    size = build(RK_DISK_FILE_MERGED, true, 0);
    write_seed("scan", "merged", 1, bytes, size);
    size = build(RK_DISK_FILE_APPENDED, true, RK_RECORD_BLOCK_BYTES + 1); /* its value in two blocks is zeros */
    write_seed("scan", "blocks-cut", 1, bytes, 800);
}

static void write_hint_seeds(void)
{
    static uint8_t hint[4096];
    size_t size = build(RK_DISK_FILE_MERGED, true, 0), at = RK_DISK_HINT_HEADER_BYTES;
    struct rk_disk_hint_header header = { .file_number = FUZZ_DATA_FILE, .data_bytes = size };
    struct rk_disk_file_summary summary;
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;

    fuzz_data_serve(&(struct fuzz_file){ "0000000001.data", bytes, size }, 1);
    if (rk_disk_file_summarize(3, FUZZ_DATA_FILE, &fuzz_data_identity.secret, &summary, NULL) != RK_OK
        || rk_disk_scan_open(&scan, 3, FUZZ_DATA_FILE, &fuzz_data_identity, NULL) != RK_OK)
        abort();
    for (; rk_disk_scan_next(scan, &item, NULL) == RK_OK; at += RK_DISK_HINT_ENTRY_BYTES) {
        struct rk_disk_hint_entry entry = { .fingerprint_high = ++header.n_entries,
                                            .expiry_s = rk_disk_expiry_s(item.header.type, item.expiry_ms),
                                            .location = item.location,
                                            .sequence = item.header.sequence };

        rk_disk_hint_entry_encode(hint + at, &entry);
    }
    rk_disk_scan_close(&scan);
    memcpy(header.uuid, fuzz_data_identity.uuid, sizeof header.uuid);
    header.trailer_crc = summary.trailer_crc;
    header.entries_crc = rk_crc32c(0, hint + RK_DISK_HINT_HEADER_BYTES, at - RK_DISK_HINT_HEADER_BYTES);
    header.keys_offset = at; /* sorted keys are another target's */
    header.has_sorted_keys = true;
    rk_disk_hint_header_encode(hint, &header);
    write_seed("hint", "good", 0, hint, at);
    write_seed("hint", "good-fixed", 1, hint, at);
    header.has_sorted_keys = false;
    rk_disk_hint_header_encode(hint, &header);
    write_seed("hint", "older", 1, hint, at);
    write_seed("hint", "cut", 1, hint, at - 5);
}

struct sink {
    uint8_t bytes[4096];
    size_t size;
};

static bool write_to_sink(void *context, const uint8_t *from, size_t size)
{
    struct sink *sink = context;

    memcpy(sink->bytes + sink->size, from, size);
    sink->size += size;
    return true;
}

/* The first byte says that checksums are made to fit, the second where the root is. */
static void write_keys_seed(const char *name, unsigned n_keys, unsigned padding)
{
    struct sink sink = { .size = 1 };
    struct rk_log_keys_tree *tree = rk_log_keys_tree_create(write_to_sink, &sink);
    uint64_t root_at;
    char key[2000];

    for (unsigned i = 0; i < n_keys; i++) {
        struct rk_disk_key record = { .key = (const uint8_t *)key, .sequence = i + 1, .value_len = 100 * i };

        record.key_len = (uint16_t)snprintf(key, sizeof key, "key-%u%0*u", i, (int)padding, i * i);
        if (!rk_log_keys_tree_add(tree, &record))
            abort();
    }
    if (!rk_log_keys_tree_finish(tree, &root_at))
        abort();
    sink.bytes[0] = (uint8_t)root_at;
    rk_log_keys_tree_destroy(&tree);
    write_seed("keys", name, 1, sink.bytes, sink.size);
}

/* Two blocks below a root, so short that the root's place fits into a byte: no writer makes them so. */
static void write_two_levels(void)
{
    static const char *const names[] = { "key-1", "key-5" };
    struct sink sink = { .size = 1 };
    size_t size = RK_DISK_KEYS_HEAD_BYTES, at[2];
    uint8_t block[256];

    for (unsigned i = 0; i < 2; i++) {
        struct rk_disk_keys_entry entry = { .n_rest = 5, .rest = (const uint8_t *)names[i], .key.sequence = i + 1 };

        at[i] = sink.size - 1;
        size = RK_DISK_KEYS_HEAD_BYTES;
        size += rk_disk_keys_entry_encode(block + size, 0, &entry);
        rk_disk_keys_block_seal(block, size, 0, 1);
        (void)write_to_sink(&sink, block, size);
    }
    sink.bytes[0] = (uint8_t)(sink.size - 1);
    size = RK_DISK_KEYS_HEAD_BYTES;
    for (unsigned i = 0; i < 2; i++) {
        struct rk_disk_keys_entry entry = { .n_rest = 5 * i, .rest = (const uint8_t *)names[i], .child = at[i] };

        size += rk_disk_keys_entry_encode(block + size, 1, &entry);
    }
    rk_disk_keys_block_seal(block, size, 1, 2);
    (void)write_to_sink(&sink, block, size);
    write_seed("keys", "two-levels", 1, sink.bytes, sink.size);
}

static void write_keys_seeds(void)
{
    write_keys_seed("one", 1, 1);
    write_keys_seed("nine", 9, 1);
    write_keys_seed("long", 2, 300);
    write_two_levels();
}

static void write_manifest_seeds(void)
{
    uint32_t files[3] = { 7, 2, RK_DISK_FILE_NUMBER_MAX };
    struct rk_disk_manifest manifest = { .edition = 3, .next_number = 8, .files = files };
    struct rk_disk_identity identity = { .created_ms = 1700000000000 };

    memcpy(manifest.uuid, fuzz_data_identity.uuid, sizeof manifest.uuid);
    for (manifest.n_files = 0; manifest.n_files <= 3; manifest.n_files += 3) {
        char name[32];

        rk_disk_manifest_encode(bytes, &manifest);
        snprintf(name, sizeof name, "manifest-%u", manifest.n_files);
        write_seed("manifest", name, manifest.n_files > 0, bytes, rk_disk_manifest_size(&manifest));
    }
    manifest.n_files = 3;
    manifest.last_sequence = 1000;
    manifest.closed_file = RK_DISK_FILE_NUMBER_MAX;
    manifest.closed_bytes = 4096;
    rk_disk_manifest_encode(bytes, &manifest);
    write_seed("manifest", "manifest-fields", 1, bytes, rk_disk_manifest_size(&manifest));
    memcpy(identity.uuid, fuzz_data_identity.uuid, sizeof identity.uuid);
    memcpy(identity.hash_key, "0123456789abcdef", sizeof identity.hash_key);
    rk_disk_identity_encode(bytes, &identity);
    write_seed("manifest", "store", 0, bytes, RK_DISK_IDENTITY_BYTES);
    write_seed("manifest", "store-fixed", 1, bytes, RK_DISK_IDENTITY_BYTES);
}

struct text {
    const char *name;
    const char *text;
};

static void write_texts(const char *target, const struct text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        write_seed(target, texts[i].name, -1, texts[i].text, strlen(texts[i].text));
}

static void write_conf_seeds(void)
{
    static const struct text texts[] = {
        { "nested", "server:\n  workers: 2\n  data_dir: ./data\nhttp:\n  listen: [ 127.0.0.1:8080 ]\n" },
        { "flat", "server.workers: auto\nlog.file_size: 64MiB\nlog.sync: always\n" },
        { "override", "server.workers=3" },
        { "unknown", "servr:\n  workers: 2\n" },
        { "broken", "http: [ \"127.0.0.1:80\n" },
        { "alias", "a: &x [ 1 ]\nb: *x\n" },
    };

    write_texts("conf", texts, sizeof texts / sizeof texts[0]);
}

static void write_http_seeds(void)
{
    static const struct text texts[] = {
        { "path", "/v1/kv/a%2Fb?x=1" },
        { "query", "/v1/kv?key=a%20b&ttl=1" },
        { "legacy", "/put?key=a+b&val=%00%ff" },
        { "get", "GET /v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n" },
        { "put", "PUT /put?key=a HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nX: y\r\n\r\nbody" },
        { "chunked", "POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" },
        { "smuggled", "PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\ncontent-length: 0\r\n\r\n" },
        { "shortest", "T / HTTP/1.0\r\n\r\n" },
        { "metadata", "\x01\x02\x01" },
    };

    write_texts("http", texts, sizeof texts / sizeof texts[0]);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
        return 2;
    }
    root = argv[1];
    (void)mkdir(root, 0777); /* it may be there */
    write_scan_seeds();
    write_hint_seeds();
    write_keys_seeds();
    write_manifest_seeds();
    write_conf_seeds();
    write_http_seeds();
    return EXIT_SUCCESS;
}
