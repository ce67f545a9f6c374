/* A merged data file while it is made: records of older files, byte for byte, in any order.
 *
 *   create -> { begin_record -> append* }* -> finish -> [the hint] -> settle -> [the MANIFEST] -> close
 *
 *   0        80
 *   +--------+--------+--------+- - - - - -+
 *   | header | record | record |           |   preallocated up to what is expected
 *   +--------+--------+--------+- - - - - -+
 * Written in pieces that begin at multiples of RK_LOG_MERGED_PIECE_BYTES, so that each lies in pages of its own; the
 * kernel is told to write them out while the next ones are made, so that no sync, nor one of the writer, finds a whole
 * file to write out.
 *
 * 1. Sequences and CRCs of the records stay; marks mean nothing: all of the file is durable before it is listed.
 * 2. Until it is listed nothing needs it: what fails is closed with `remove`, and leaves nothing.
 * 3. What came from the disk and not from the page cache (`is_cold`) leaves the cache again: nobody had asked for it.
 */
#ifndef RK_LOG_MERGED_H
#define RK_LOG_MERGED_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_LOG_MERGED_PIECE_BYTES (32u << 10)

struct rk_detail;
struct rk_disk_identity;
struct rk_log_merged;

struct rk_log_merged_settings {
    int dir_fd;
    const struct rk_disk_identity *identity; /* stays the caller's */
    uint32_t file_number;
    uint64_t sequence;       /* the highest that may have been given out */
    uint64_t expected_bytes; /* of all records */
};

/* RK_OK; RK_ERR_NO_SPACE, RK_ERR_IO: nothing is left. Any one thread of the master. */
enum rk_err rk_log_merged_create(struct rk_log_merged **merged_out, const struct rk_log_merged_settings *settings,
                                 struct rk_detail *detail);

/* The size that the file would have, sealed, with a record of size_bytes (padded) more. */
uint64_t rk_log_merged_size_with(const struct rk_log_merged *merged, uint64_t size_bytes);
uint64_t rk_log_merged_n_records(const struct rk_log_merged *merged);

/* A record of size_bytes comes next, in one or more pieces; its location. */
uint64_t rk_log_merged_begin_record(struct rk_log_merged *merged, uint64_t sequence, uint64_t size_bytes);

/* RK_OK; RK_ERR_NO_SPACE, RK_ERR_IO: close it with `remove`. */
enum rk_err rk_log_merged_append(struct rk_log_merged *merged, const uint8_t *bytes, size_t size, bool is_cold,
                                 struct rk_detail *detail);

/* Writes what is left and the trailer, and makes all of it durable. The same results. */
enum rk_err rk_log_merged_finish(struct rk_log_merged *merged, uint64_t sequence, struct rk_detail *detail);

/* After finish, when what was written is on the disk: drops from the page cache what nobody had asked for. */
void rk_log_merged_settle(struct rk_log_merged *merged);

/* NULL inside is fine. */
void rk_log_merged_close(struct rk_log_merged **merged, bool remove);

#endif
