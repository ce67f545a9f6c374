/* The counters of a running server, as they lie in its shared memory, for any program that may read that: all numbers
 * of a scrape without a request, a lock or a system call.
 *
 * The master keeps the region open under the name "rackkv-board": in /proc/PID/fd it is the descriptor whose target
 * begins with "/memfd:rackkv-board". Map it shared and read-only, and find the block in it (rk_stats_find). It is there
 * as long as it is mapped; a server that was started again has another one.
 *
 *   +----------------+ 0    rk_stats_head
 *   | head           |      which layout this is, how many slots
 *   +----------------+ 64   rk_stats_writer
 *   | writer         |      the writer thread
 *   +----------------+ 256  rk_stats_merge
 *   | merge          |      the compactor
 *   +----------------+ 384  rk_stats_slot
 *   | slots[n_slots] |      a worker process each: it may die, its slot goes on with the next one
 *   +----------------+
 *
 * 1. Each number is written by one process and right by itself; two of one block may be an instant apart.
 * 2. A number never goes back, but for those that say what is now (gauges: src/stats/stats_names.c knows which).
 * 3. A change of this layout is another RK_STATS_LAYOUT.
 *
 * C11 or C++17; needs no other header of ours. */
#ifndef RACKKV_STATS_H
#define RACKKV_STATS_H

#ifdef __cplusplus
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
typedef std::atomic<uint64_t> rk_counter;
#define RK_STATS_ALIGNED           alignas(64)
#define RK_STATS_ASSERT(what, why) static_assert(what, why)
#else
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef _Atomic uint64_t rk_counter;
#define RK_STATS_ALIGNED           _Alignas(64)
#define RK_STATS_ASSERT(what, why) _Static_assert(what, why)
#endif

#define RK_STATS_MAGIC  "RKVSTATS" /* 8 bytes, without the zero */
#define RK_STATS_LAYOUT 3

struct rk_stats_head {
    RK_STATS_ALIGNED char magic[8];
    uint32_t layout; /* RK_STATS_LAYOUT */
    uint32_t n_slots;
    uint32_t slot_bytes; /* sizeof(struct rk_stats_slot) */
    uint64_t started_ms; /* when the server was started, since 1970 */
};

struct rk_stats_writer {
    RK_STATS_ALIGNED rk_counter puts; /* published */
    rk_counter deletes;
    rk_counter failed;       /* answered with an error */
    rk_counter write_errors; /* batches that could not be written, for any reason */
    rk_counter batches;
    rk_counter syncs;
    rk_counter appended_bytes; /* of what was published */
    rk_counter keys;
    rk_counter keydir_used_bytes;
    rk_counter keydir_limbo_bytes;
    rk_counter keydir_max_bytes;
    rk_counter keydir_pages;
    rk_counter live_bytes; /* of the records of all data files */
    rk_counter dead_bytes; /* overwritten, deleted, or expired at the last look */
    rk_counter tombstone_bytes;
    rk_counter grace_periods;
    rk_counter grace_last_ns;
    rk_counter grace_max_ns;
    rk_counter last_sequence;
    rk_counter durable_sequence;
    /* Why writes are refused, as minus an error of the server's own; 0: they are not. The server tells it in words:
     * /readyz, rackkvctl status. */
    rk_counter refused;
};

/* The compactor's. */
struct rk_stats_merge {
    RK_STATS_ALIGNED rk_counter running; /* 1 or 0 */
    rk_counter done;                     /* merges, by how they ended */
    rk_counter cancelled;
    rk_counter failed;
    rk_counter read_bytes;      /* of data files */
    rk_counter written_bytes;   /* to merged files */
    rk_counter reclaimed_bytes; /* of files that are gone, less what was written */
    rk_counter copied_records;
    rk_counter dropped_records;
    rk_counter expired_records; /* found since the start: by looks, or by the merge itself */
};

/* What a worker reads and writes. */
struct rk_stats_client {
    RK_STATS_ALIGNED rk_counter hits;
    rk_counter misses;
    rk_counter disk_reads; /* not in the page cache: a reader thread did it */
    rk_counter corrupt;
    rk_counter read_errors;
    rk_counter ring_full;
    rk_counter listed_keys; /* that listings have found */
    rk_counter list_reads;  /* records that had to be read for that */
};

enum rk_stats_http_op {
    RK_STATS_HTTP_GET,
    RK_STATS_HTTP_HEAD,
    RK_STATS_HTTP_PUT,
    RK_STATS_HTTP_DELETE,
    RK_STATS_HTTP_LIST,
    RK_STATS_HTTP_SERVICE, /* what is asked of the server and not of a key; OPTIONS */
    RK_STATS_HTTP_REFUSED, /* before an operation was known */
    RK_STATS_HTTP_N_OPS
};

/* The statuses that are answered; the last entry counts all others. */
#define RK_STATS_HTTP_STATUSES(X) \
    X(200)                        \
    X(201)                        \
    X(204)                        \
    X(206)                        \
    X(304)                        \
    X(400)                        \
    X(404)                        \
    X(405)                        \
    X(409)                        \
    X(412)                        \
    X(413)                        \
    X(414)                        \
    X(416)                        \
    X(417)                        \
    X(431)                        \
    X(500)                        \
    X(501)                        \
    X(503)                        \
    X(505)                        \
    X(507)

enum rk_stats_http_status {
#define RK_STATS_HTTP_ENUM(status) RK_STATS_HTTP_##status,
    RK_STATS_HTTP_STATUSES(RK_STATS_HTTP_ENUM)
#undef RK_STATS_HTTP_ENUM
        RK_STATS_HTTP_OTHER,
    RK_STATS_HTTP_N_STATUSES
};

/* A worker's connections and answers. */
struct rk_stats_http {
    rk_counter requests[RK_STATS_HTTP_N_OPS][RK_STATS_HTTP_N_STATUSES]; /* answered */
    rk_counter connections_accepted;
    rk_counter connections_open;      /* now */
    rk_counter connections_left;      /* the client was gone before the answer */
    rk_counter upload_bytes;          /* buffered now, of requests that are not answered */
    rk_counter connections_timed_out; /* closed for being idle or slow */
    rk_counter accept_pauses;         /* accepting stopped: as many as may be, or no descriptor, no memory */
};

struct rk_stats_slot {
    struct rk_stats_client client;
    RK_STATS_ALIGNED struct rk_stats_http http;
    RK_STATS_ALIGNED rk_counter starts; /* by the master: processes started in this slot */
    rk_counter deaths;                  /* of these, ended without being asked to */
};

struct rk_stats_block {
    struct rk_stats_head head;
    struct rk_stats_writer writer;
    struct rk_stats_merge merge;
#ifndef __cplusplus /* which has no such member: rk_stats_slot_of */
    struct rk_stats_slot slots[];
#endif
};

RK_STATS_ASSERT(sizeof(rk_counter) == 8, "a counter is a word");
RK_STATS_ASSERT(offsetof(struct rk_stats_head, layout) == 8, "head.layout");
RK_STATS_ASSERT(offsetof(struct rk_stats_head, n_slots) == 12, "head.n_slots");
RK_STATS_ASSERT(offsetof(struct rk_stats_head, slot_bytes) == 16, "head.slot_bytes");
RK_STATS_ASSERT(offsetof(struct rk_stats_head, started_ms) == 24, "head.started_ms");
RK_STATS_ASSERT(offsetof(struct rk_stats_block, writer) == 64, "the writer follows the head");
RK_STATS_ASSERT(offsetof(struct rk_stats_writer, keys) == 56, "writer.keys");
RK_STATS_ASSERT(offsetof(struct rk_stats_writer, live_bytes) == 96, "writer.live_bytes");
RK_STATS_ASSERT(offsetof(struct rk_stats_writer, last_sequence) == 144, "writer.last_sequence");
RK_STATS_ASSERT(offsetof(struct rk_stats_writer, refused) == 160, "writer.refused");
RK_STATS_ASSERT(offsetof(struct rk_stats_block, merge) == 256, "the compactor follows the writer");
RK_STATS_ASSERT(offsetof(struct rk_stats_merge, expired_records) == 72, "merge.expired_records");
RK_STATS_ASSERT(sizeof(struct rk_stats_block) == 384, "the slots follow the compactor");
RK_STATS_ASSERT(offsetof(struct rk_stats_client, ring_full) == 40, "client.ring_full");
RK_STATS_ASSERT(offsetof(struct rk_stats_client, list_reads) == 56, "client.list_reads");
RK_STATS_ASSERT(offsetof(struct rk_stats_slot, http) == 64, "http follows client");
RK_STATS_ASSERT(offsetof(struct rk_stats_http, connections_accepted)
                    == 8 * RK_STATS_HTTP_N_OPS * RK_STATS_HTTP_N_STATUSES,
                "the table of requests comes first");
RK_STATS_ASSERT(offsetof(struct rk_stats_slot, starts) % 64 == 0, "the master's words are on a line of their own");
RK_STATS_ASSERT(sizeof(struct rk_stats_slot) % 64 == 0, "slots share no line");

/* The block in a mapping of so many bytes; NULL: there is none of this layout. */
static inline const struct rk_stats_block *rk_stats_find(const void *map, size_t bytes)
{
    const char *at = (const char *)map;

    for (size_t i = 0; i + sizeof(struct rk_stats_block) <= bytes; i += 64) {
        const struct rk_stats_block *block = (const struct rk_stats_block *)(const void *)(at + i);

        if (memcmp(at + i, RK_STATS_MAGIC, 8) != 0)
            continue;
        if (block->head.layout == RK_STATS_LAYOUT && block->head.slot_bytes == sizeof(struct rk_stats_slot)
            && (bytes - i - sizeof *block) / sizeof(struct rk_stats_slot) >= block->head.n_slots)
            return block;
    }
    return NULL;
}

/* The counters of a slot, from 0 on. */
static inline const struct rk_stats_slot *rk_stats_slot_of(const struct rk_stats_block *block, unsigned slot)
{
    return (const struct rk_stats_slot *)(const void *)(block + 1) + slot;
}

/* The number, as it is now. */
static inline uint64_t rk_counter_get(const rk_counter *counter)
{
#ifdef __cplusplus
    return counter->load(std::memory_order_relaxed);
#else
    return atomic_load_explicit(counter, memory_order_relaxed);
#endif
}

#endif
