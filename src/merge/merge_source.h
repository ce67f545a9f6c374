/* A sealed data file as a merge reads it: first what it holds, by its hint or by a scan, then those of its records that
 * are still wanted, each checked to its last byte before it is copied.
 *
 *   open -> { next -> [read -> [copy]] }* -> close
 *
 * What is dead is not read, where a hint says so. A hint is read once, so it is in doubt until its end: when it turns
 * out wrong (RK_ERR_MISMATCH), a scan says all entries again. What was copied until then is as good as any copy, for
 * its records were checked; what was taken for dead may have been alive. But nothing may be copied twice: of two copies
 * the keydir names one, a start the one that is further behind, and a hole may have taken that.
 *
 * What came from the disk and not from the page cache leaves the cache again. */
#ifndef RK_MERGE_SOURCE_H
#define RK_MERGE_SOURCE_H

#include "disk/disk_hint.h"
#include "disk/disk_record.h"
#include "keydir/keydir.h"

struct rk_detail;
struct rk_disk_identity;
struct rk_log_merged;
struct rk_merge_source;

static inline struct rk_fingerprint rk_merge_fingerprint(const struct rk_disk_hint_entry *entry)
{
    return (struct rk_fingerprint){ .high = entry->fingerprint_high, .low = entry->fingerprint_low };
}

/* What stands before the value. Valid until the next call. */
struct rk_merge_record {
    struct rk_record_header header;
    uint64_t expiry_ms; /* 0: none */
    const uint8_t *key;
    const uint8_t *bytes; /* from its begin; all of it, unless it has block CRCs */
    bool is_cold;
};

/* RK_OK; RK_ERR_IO, RK_ERR_CORRUPT. Any one thread of the master. */
enum rk_err rk_merge_source_open(struct rk_merge_source **source_out, int dir_fd,
                                 const struct rk_disk_identity *identity, uint32_t file_number,
                                 const struct rk_disk_file_summary *summary, struct rk_detail *detail);
void rk_merge_source_close(struct rk_merge_source **source);

/* The next 1 to n_max entries, in the order of their offsets: RK_OK; RK_ERR_NOT_FOUND after the last one;
 * RK_ERR_MISMATCH: the next call begins with the first one again; RK_ERR_IO, RK_ERR_CORRUPT. */
enum rk_err rk_merge_source_next(struct rk_merge_source *source, struct rk_disk_hint_entry *entries_out, size_t n_max,
                                 size_t *n_out, struct rk_detail *detail);

/* Reads the record of an entry, for which the keydir had its location (a tombstone, or what has expired: perhaps
 * nothing), and checks it, but for a value with block CRCs. RK_ERR_MISMATCH: as of next; RK_ERR_IO, RK_ERR_CORRUPT. */
enum rk_err rk_merge_source_read(struct rk_merge_source *source, const struct rk_disk_hint_entry *entry,
                                 struct rk_merge_record *record_out, struct rk_detail *detail);

/* Appends the record that was read, which the file has begun (rk_log_merged_begin_record). RK_ERR_IO, RK_ERR_CORRUPT,
 * RK_ERR_NO_SPACE. */
enum rk_err rk_merge_source_copy(struct rk_merge_source *source, const struct rk_merge_record *record,
                                 struct rk_log_merged *merged, struct rk_detail *detail);

/* So many bytes were read so far. */
uint64_t rk_merge_source_read_bytes(const struct rk_merge_source *source);

#endif
