/* The bytes of a data directory, for programs that read one without the server. doc/disk-format.md explains them: what
 * the checksums cover, what a torn tail looks like, in which order things are replaced.
 *
 * All numbers are little-endian. Structs have no padding of their own: each member stands at the offset that the page
 * gives, which is asserted below. Lengths and counts come from a disk: bound them before you believe them. */
#ifndef RACKKV_DISK_H
#define RACKKV_DISK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define RACKKV_DISK_ASSERT(condition) static_assert(condition, #condition)
#else
#define RACKKV_DISK_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define RACKKV_DISK_AT(type, member, offset) RACKKV_DISK_ASSERT(offsetof(struct type, member) == (offset))

#define RACKKV_DISK_FORMAT_VERSION 2u

#define RACKKV_DISK_IDENTITY_MAGIC "RKSTORE1"
#define RACKKV_DISK_MANIFEST_MAGIC "RKMANIF1"
#define RACKKV_DISK_HINT_MAGIC     "RKHINT04"
#define RACKKV_DISK_RECORD_MAGIC   "RKV1" /* of file headers; other records have the store's own */

#define RACKKV_DISK_UNIT_BYTES  16u    /* records begin at multiples of it */
#define RACKKV_DISK_BLOCK_BYTES 65536u /* of a large value that has a CRC of its own */
#define RACKKV_DISK_VALUE_MAX   (1u << 30)
#define RACKKV_DISK_FILES_MAX   (1u << 20) /* in a MANIFEST */
#define RACKKV_DISK_NUMBER_MAX  16777215u  /* of a data file */

/* STORE */
struct rackkv_disk_identity {
    char magic[8];
    uint32_t crc; /* of the struct, with this member as zeros */
    uint32_t format_version;
    uint8_t uuid[16];
    uint8_t hash_key[16]; /* a secret */
    uint64_t created_ms;
    uint8_t zeros[8];
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_identity) == 64);
RACKKV_DISK_AT(rackkv_disk_identity, crc, 8);
RACKKV_DISK_AT(rackkv_disk_identity, format_version, 12);
RACKKV_DISK_AT(rackkv_disk_identity, uuid, 16);
RACKKV_DISK_AT(rackkv_disk_identity, hash_key, 32);
RACKKV_DISK_AT(rackkv_disk_identity, created_ms, 48);

/* MANIFEST: this, then the numbers of the data files, 4 bytes each, oldest to newest, then fields up to the end. Its
 * version is its own: 2 has no fields. */
#define RACKKV_DISK_MANIFEST_VERSION 3u

struct rackkv_disk_manifest {
    char magic[8];
    uint32_t crc; /* of the whole file, with this member as zeros */
    uint32_t format_version;
    uint8_t uuid[16];
    uint64_t edition;
    uint32_t next_number;
    uint32_t n_files;
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_manifest) == 48);
RACKKV_DISK_AT(rackkv_disk_manifest, crc, 8);
RACKKV_DISK_AT(rackkv_disk_manifest, format_version, 12);
RACKKV_DISK_AT(rackkv_disk_manifest, uuid, 16);
RACKKV_DISK_AT(rackkv_disk_manifest, edition, 32);
RACKKV_DISK_AT(rackkv_disk_manifest, next_number, 40);
RACKKV_DISK_AT(rackkv_disk_manifest, n_files, 44);

enum rackkv_disk_field_tag { RACKKV_DISK_LAST_SEQUENCE = 1, RACKKV_DISK_CLOSED = 2 };

/* Tags ascend. LAST_SEQUENCE: no higher one than b had been given out. CLOSED: in data file a all before offset b is
 * durable. */
struct rackkv_disk_manifest_field {
    uint32_t tag;
    uint32_t a;
    uint64_t b;
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_manifest_field) == 16);
RACKKV_DISK_AT(rackkv_disk_manifest_field, a, 4);
RACKKV_DISK_AT(rackkv_disk_manifest_field, b, 8);

enum rackkv_disk_type {
    RACKKV_DISK_PUT = 1,
    RACKKV_DISK_TOMBSTONE = 2,
    RACKKV_DISK_BATCH_BEGIN = 3,
    RACKKV_DISK_BATCH_COMMIT = 4,
    RACKKV_DISK_FILE_HEADER = 5,
    RACKKV_DISK_FILE_TRAILER = 6,
    RACKKV_DISK_HOLE = 7
};

enum rackkv_disk_flag { RACKKV_DISK_HAS_EXPIRY = 1, RACKKV_DISK_HAS_BLOCK_CRCS = 2 };

/* A record: this, then expiry (8) and block CRCs (4 each) where they are flagged, key, metadata, value, zeros. */
struct rackkv_disk_record {
    uint8_t magic[4];
    uint8_t type;
    uint8_t flags;
    uint16_t key_bytes;
    uint32_t header_crc; /* of the struct, with this member as zeros, begun with the store's seed */
    uint32_t body_crc;
    uint64_t sequence;
    uint8_t write_time_ms[6];
    uint16_t metadata_bytes;
    uint32_t value_bytes;
    uint32_t durable_units;
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_record) == 40);
RACKKV_DISK_AT(rackkv_disk_record, type, 4);
RACKKV_DISK_AT(rackkv_disk_record, flags, 5);
RACKKV_DISK_AT(rackkv_disk_record, key_bytes, 6);
RACKKV_DISK_AT(rackkv_disk_record, header_crc, 8);
RACKKV_DISK_AT(rackkv_disk_record, body_crc, 12);
RACKKV_DISK_AT(rackkv_disk_record, sequence, 16);
RACKKV_DISK_AT(rackkv_disk_record, write_time_ms, 24);
RACKKV_DISK_AT(rackkv_disk_record, metadata_bytes, 30);
RACKKV_DISK_AT(rackkv_disk_record, value_bytes, 32);
RACKKV_DISK_AT(rackkv_disk_record, durable_units, 36);

enum rackkv_disk_file_kind { RACKKV_DISK_APPENDED = 1, RACKKV_DISK_MERGED = 2 };

/* The value of a file header, and of a file trailer: the first and the last record of a data file, 80 bytes each. */
struct rackkv_disk_file_header {
    uint8_t uuid[16];
    uint32_t file_number;
    uint32_t format_version;
    uint32_t kind;
    uint8_t zeros[4];
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_file_header) == 32);
RACKKV_DISK_AT(rackkv_disk_file_header, file_number, 16);
RACKKV_DISK_AT(rackkv_disk_file_header, format_version, 20);
RACKKV_DISK_AT(rackkv_disk_file_header, kind, 24);

struct rackkv_disk_file_trailer {
    uint64_t n_records;
    uint64_t bytes_before;
    uint64_t first_sequence;
    uint64_t last_sequence;
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_file_trailer) == 32);
RACKKV_DISK_AT(rackkv_disk_file_trailer, bytes_before, 8);
RACKKV_DISK_AT(rackkv_disk_file_trailer, first_sequence, 16);
RACKKV_DISK_AT(rackkv_disk_file_trailer, last_sequence, 24);

/* A hint: this, then n entries; the keys, sorted, begin at keys_offset, in blocks. Of the older kind, keys_root and
 * n_keys are zeros, and the keys stand in the order of the entries, each with its length (2) before it. */
#define RACKKV_DISK_HINT_OLDER_MAGIC "RKHINT03"

struct rackkv_disk_hint {
    char magic[8];
    uint32_t crc; /* of the struct, with this member as zeros */
    uint32_t format_version;
    uint8_t uuid[16];
    uint32_t file_number;
    uint32_t entries_crc;
    uint32_t keys_crc;
    uint32_t trailer_crc; /* the header CRC of the data file's trailer */
    uint64_t n_entries;
    uint64_t data_bytes;
    uint64_t keys_bytes;
    uint64_t keys_offset;
    uint64_t keys_root; /* where the root's block begins, behind keys_offset */
    uint64_t n_keys;
    uint8_t zeros[32];
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_hint) == 128);
RACKKV_DISK_AT(rackkv_disk_hint, crc, 8);
RACKKV_DISK_AT(rackkv_disk_hint, format_version, 12);
RACKKV_DISK_AT(rackkv_disk_hint, uuid, 16);
RACKKV_DISK_AT(rackkv_disk_hint, file_number, 32);
RACKKV_DISK_AT(rackkv_disk_hint, entries_crc, 36);
RACKKV_DISK_AT(rackkv_disk_hint, keys_crc, 40);
RACKKV_DISK_AT(rackkv_disk_hint, trailer_crc, 44);
RACKKV_DISK_AT(rackkv_disk_hint, n_entries, 48);
RACKKV_DISK_AT(rackkv_disk_hint, data_bytes, 56);
RACKKV_DISK_AT(rackkv_disk_hint, keys_bytes, 64);
RACKKV_DISK_AT(rackkv_disk_hint, keys_offset, 72);
RACKKV_DISK_AT(rackkv_disk_hint, keys_root, 80);
RACKKV_DISK_AT(rackkv_disk_hint, n_keys, 88);

struct rackkv_disk_hint_entry {
    uint64_t fingerprint_high;
    uint32_t fingerprint_low;
    uint32_t expiry_s; /* 0: none; 1: a tombstone; 2^32 - 1: later than this member can say */
    uint64_t location; /* file number 24 bits, offset / 16 28 bits, size class 12 bits */
    uint64_t sequence;
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_hint_entry) == 32);
RACKKV_DISK_AT(rackkv_disk_hint_entry, fingerprint_low, 8);
RACKKV_DISK_AT(rackkv_disk_hint_entry, expiry_s, 12);
RACKKV_DISK_AT(rackkv_disk_hint_entry, location, 16);
RACKKV_DISK_AT(rackkv_disk_hint_entry, sequence, 24);

/* A block of a hint's keys: this, then its entries, of numbers of seven bits a byte (doc/disk-format.md). */
struct rackkv_disk_keys_block {
    uint32_t crc;   /* of what follows */
    uint32_t bytes; /* of all of it */
    uint8_t level;  /* 0: keys */
    uint8_t zero;
    uint16_t n_entries;
};
RACKKV_DISK_ASSERT(sizeof(struct rackkv_disk_keys_block) == 12);
RACKKV_DISK_AT(rackkv_disk_keys_block, bytes, 4);
RACKKV_DISK_AT(rackkv_disk_keys_block, level, 8);
RACKKV_DISK_AT(rackkv_disk_keys_block, n_entries, 10);

#endif
