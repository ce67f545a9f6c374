#include "stats/stats_names.h"

#define WRITER(member) .scope = RK_STATS_WRITER, .offset = offsetof(struct rk_stats_writer, member)
#define MERGE(member)  .scope = RK_STATS_MERGE, .offset = offsetof(struct rk_stats_merge, member)
#define SLOT(member)   .scope = RK_STATS_SLOT, .offset = offsetof(struct rk_stats_slot, member)

/* A row, and what it is in a scrape: the family, without the rackkv_ of all, and its labels. Rows of one family stand
 * together, and the first says what they all are. */
#define ROW(where, NAME, UNIT, HELP, ...)                                                 \
    {                                                                                     \
        where, .name = NAME, .unit = RK_STATS_##UNIT, .help = HELP, .metric = __VA_ARGS__ \
    }
#define NOW(where, NAME, UNIT, HELP, ...)                                                                   \
    {                                                                                                       \
        where, .name = NAME, .unit = RK_STATS_##UNIT, .is_gauge = true, .help = HELP, .metric = __VA_ARGS__ \
    }
#define LABEL(text)  .labels = text
#define FAMILY(text) .family = text
#define EACH_WORKER  .by_worker = true

const struct rk_stats_name rk_stats_names[] = {
    ROW(WRITER(puts), "puts", PLAIN, "Values that were written.", "writes_total", LABEL("op=\"put\""),
        FAMILY("Writes that were done.")),
    ROW(WRITER(deletes), "deletes", PLAIN, "Keys that were deleted, or were asked to be.", "writes_total",
        LABEL("op=\"delete\"")),
    ROW(WRITER(failed), "failed", PLAIN, "Writes that were answered with an error.", "writes_failed_total"),
    ROW(WRITER(write_errors), "write_errors", PLAIN, "Batches of writes that could not be written, for any reason.",
        "log_write_errors_total"),
    ROW(WRITER(batches), "batches", PLAIN, "Batches of writes: one append each.", "commits_total"),
    ROW(WRITER(syncs), "syncs", PLAIN, "Times that a batch was made durable before it was answered.",
        "log_fsyncs_total"),
    ROW(WRITER(appended_bytes), "appended_bytes", BYTES, "Bytes of the records that were written.",
        "log_appended_bytes_total"),
    NOW(WRITER(keys), "keys", PLAIN, "Keys that are there.", "keys"),
    NOW(WRITER(keydir_used_bytes), "keydir_used_bytes", BYTES, "Memory of the keydir in use.", "keydir_used_bytes"),
    NOW(WRITER(keydir_limbo_bytes), "keydir_limbo_bytes", BYTES,
        "Memory of the keydir that waits for the end of a grace period.", "keydir_limbo_bytes"),
    NOW(WRITER(keydir_max_bytes), "keydir_max_bytes", BYTES, "What the keydir may take: keydir.max_bytes.",
        "keydir_max_bytes"),
    NOW(WRITER(keydir_pages), "keydir_pages", PLAIN, "Pages of the keydir.", "keydir_pages"),
    NOW(WRITER(live_bytes), "live_bytes", BYTES, "Bytes of records in the data files that are wanted.", "live_bytes"),
    NOW(WRITER(dead_bytes), "dead_bytes", BYTES,
        "Bytes of records that are overwritten, deleted, or were expired at the last look.", "dead_bytes"),
    NOW(WRITER(tombstone_bytes), "tombstone_bytes", BYTES, "Bytes of tombstones in the data files.", "tombstone_bytes"),
    ROW(WRITER(grace_periods), "grace_periods", PLAIN, "Grace periods that have ended.", "keydir_grace_periods_total"),
    NOW(WRITER(grace_last_ns), "grace_last_seconds", NS, "How long the last grace period took.",
        "keydir_grace_period_seconds"),
    NOW(WRITER(grace_max_ns), "grace_max_seconds", NS, "The longest grace period so far.",
        "keydir_grace_period_max_seconds"),
    NOW(WRITER(last_sequence), "last_sequence", PLAIN, "The sequence of the last write that is visible.",
        "last_sequence"),
    NOW(WRITER(durable_sequence), "durable_sequence", PLAIN, "The sequence up to which all writes are durable.",
        "durable_sequence"),
    /* It is told in words: rackkv_refused, the status. */
    NOW(WRITER(refused), "refused", PLAIN, "Why writes are refused, as a number of the server's own; 0: they are not.",
        NULL),

    NOW(MERGE(running), "running", PLAIN, "1 while a merge runs.", "merge_running"),
    ROW(MERGE(done), "done", PLAIN, "Merges that were done.", "merges_total", LABEL("result=\"done\""),
        FAMILY("Merges, by how they ended.")),
    ROW(MERGE(cancelled), "cancelled", PLAIN, "Merges that were cancelled.", "merges_total",
        LABEL("result=\"cancelled\"")),
    ROW(MERGE(failed), "failed", PLAIN, "Merges that failed.", "merges_total", LABEL("result=\"failed\"")),
    ROW(MERGE(read_bytes), "read_bytes", BYTES, "Bytes of data files that merges have read.", "merge_read_bytes_total"),
    ROW(MERGE(written_bytes), "written_bytes", BYTES, "Bytes that merges have written.", "merge_written_bytes_total"),
    ROW(MERGE(reclaimed_bytes), "reclaimed_bytes", BYTES, "Bytes of files that are gone, less what was written for it.",
        "merge_reclaimed_bytes_total"),
    ROW(MERGE(copied_records), "copied_records", PLAIN, "Records that merges have copied.",
        "merge_copied_records_total"),
    ROW(MERGE(dropped_records), "dropped_records", PLAIN, "Records and tombstones that merges have left out.",
        "merge_dropped_records_total"),
    ROW(MERGE(expired_records), "expired_records", PLAIN, "Records that were found to have expired.", "expired_total"),

    ROW(SLOT(starts), "starts", PLAIN, "Processes that were started in this slot.", "worker_starts_total", EACH_WORKER),
    ROW(SLOT(deaths), "deaths", PLAIN, "Processes that ended without being asked to.", "worker_restarts_total",
        LABEL("reason=\"died\""), EACH_WORKER),
    ROW(SLOT(client.hits), "hits", PLAIN, "Reads that found the key.", "reads_total", LABEL("result=\"hit\""),
        FAMILY("Reads of keys, by what they found.")),
    ROW(SLOT(client.misses), "misses", PLAIN, "Reads that did not find the key.", "reads_total",
        LABEL("result=\"miss\"")),
    ROW(SLOT(client.read_errors), "read_errors", PLAIN, "Reads that failed.", "reads_total", LABEL("result=\"error\"")),
    ROW(SLOT(client.disk_reads), "disk_reads", PLAIN, "Reads that the page cache did not have.", "disk_reads_total"),
    ROW(SLOT(client.corrupt), "corrupt", PLAIN, "Reads that found damage.", "crc_errors_total"),
    ROW(SLOT(client.ring_full), "ring_full", PLAIN, "Writes that were refused because the ring to the writer was full.",
        "ring_full_total"),
    ROW(SLOT(client.listed_keys), "listed_keys", PLAIN, "Keys that listings have found.", "listed_keys_total"),
    ROW(SLOT(client.list_reads), "list_reads", PLAIN, "Records that listings had to read for that.",
        "list_reads_total"),
    ROW(SLOT(http.connections_accepted), "connections_accepted", PLAIN, "Connections that were accepted.",
        "connections_accepted_total", EACH_WORKER),
    NOW(SLOT(http.connections_open), "connections_open", PLAIN, "Connections that are open.", "connections",
        LABEL("state=\"open\""), EACH_WORKER),
    ROW(SLOT(http.connections_timed_out), "connections_timed_out", PLAIN,
        "Connections that were closed for being idle or slow.", "connections_timed_out_total"),
    ROW(SLOT(http.connections_left), "connections_left", PLAIN, "Clients that were gone before their answer.",
        "connections_left_total"),
    NOW(SLOT(http.upload_bytes), "upload_bytes", BYTES, "Bytes of requests that are buffered and not answered.",
        "upload_memory_bytes", EACH_WORKER),
    ROW(SLOT(http.accept_pauses), "accept_pauses", PLAIN,
        "Times that accepting stopped: as many as may be, or no descriptor.", "accept_pauses_total"),
    { .name = NULL },
};

const char *const rk_stats_op_names[RK_STATS_HTTP_N_OPS] = {
    [RK_STATS_HTTP_GET] = "get",         [RK_STATS_HTTP_HEAD] = "head", [RK_STATS_HTTP_PUT] = "put",
    [RK_STATS_HTTP_DELETE] = "delete",   [RK_STATS_HTTP_LIST] = "list", [RK_STATS_HTTP_SERVICE] = "service",
    [RK_STATS_HTTP_REFUSED] = "refused",
};

const char *const rk_stats_status_names[RK_STATS_HTTP_N_STATUSES] = {
#define STATUS_NAME(status) #status,
    RK_STATS_HTTP_STATUSES(STATUS_NAME)
#undef STATUS_NAME
        "other",
};
