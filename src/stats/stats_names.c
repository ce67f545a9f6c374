#include "stats/stats_names.h"

#define WRITER(member) RK_STATS_WRITER, offsetof(struct rk_stats_writer, member)
#define MERGE(member)  RK_STATS_MERGE, offsetof(struct rk_stats_merge, member)
#define SLOT(member)   RK_STATS_SLOT, offsetof(struct rk_stats_slot, member)

const struct rk_stats_name rk_stats_names[] = {
    { WRITER(puts), "puts", RK_STATS_PLAIN, false, "Values that were written." },
    { WRITER(deletes), "deletes", RK_STATS_PLAIN, false, "Keys that were deleted, or were asked to be." },
    { WRITER(failed), "failed", RK_STATS_PLAIN, false, "Writes that were answered with an error." },
    { WRITER(write_errors), "write_errors", RK_STATS_PLAIN, false,
      "Batches of writes that could not be written, for any reason." },
    { WRITER(batches), "batches", RK_STATS_PLAIN, false, "Batches of writes: one append each." },
    { WRITER(syncs), "syncs", RK_STATS_PLAIN, false, "Times that a batch was made durable before it was answered." },
    { WRITER(appended_bytes), "appended_bytes", RK_STATS_BYTES, false, "Bytes of the records that were written." },
    { WRITER(keys), "keys", RK_STATS_PLAIN, true, "Keys that are there." },
    { WRITER(keydir_used_bytes), "keydir_used_bytes", RK_STATS_BYTES, true, "Memory of the keydir in use." },
    { WRITER(keydir_limbo_bytes), "keydir_limbo_bytes", RK_STATS_BYTES, true,
      "Memory of the keydir that waits for the end of a grace period." },
    { WRITER(keydir_max_bytes), "keydir_max_bytes", RK_STATS_BYTES, true,
      "What the keydir may take: keydir.max_bytes." },
    { WRITER(keydir_pages), "keydir_pages", RK_STATS_PLAIN, true, "Pages of the keydir." },
    { WRITER(live_bytes), "live_bytes", RK_STATS_BYTES, true, "Bytes of records in the data files that are wanted." },
    { WRITER(dead_bytes), "dead_bytes", RK_STATS_BYTES, true,
      "Bytes of records that are overwritten, deleted, or were expired at the last look." },
    { WRITER(tombstone_bytes), "tombstone_bytes", RK_STATS_BYTES, true, "Bytes of tombstones in the data files." },
    { WRITER(grace_periods), "grace_periods", RK_STATS_PLAIN, false, "Grace periods that have ended." },
    { WRITER(grace_last_ns), "grace_last_seconds", RK_STATS_NS, true, "How long the last grace period took." },
    { WRITER(grace_max_ns), "grace_max_seconds", RK_STATS_NS, true, "The longest grace period so far." },
    { WRITER(last_sequence), "last_sequence", RK_STATS_PLAIN, true, "The sequence of the last write that is visible." },
    { WRITER(durable_sequence), "durable_sequence", RK_STATS_PLAIN, true,
      "The sequence up to which all writes are durable." },
    { WRITER(refused), "refused", RK_STATS_PLAIN, true,
      "Why writes are refused, as a number of the server's own; 0: they are not." },

    { MERGE(running), "running", RK_STATS_PLAIN, true, "1 while a merge runs." },
    { MERGE(done), "done", RK_STATS_PLAIN, false, "Merges that were done." },
    { MERGE(cancelled), "cancelled", RK_STATS_PLAIN, false, "Merges that were cancelled." },
    { MERGE(failed), "failed", RK_STATS_PLAIN, false, "Merges that failed." },
    { MERGE(read_bytes), "read_bytes", RK_STATS_BYTES, false, "Bytes of data files that merges have read." },
    { MERGE(written_bytes), "written_bytes", RK_STATS_BYTES, false, "Bytes that merges have written." },
    { MERGE(reclaimed_bytes), "reclaimed_bytes", RK_STATS_BYTES, false,
      "Bytes of files that are gone, less what was written for it." },
    { MERGE(copied_records), "copied_records", RK_STATS_PLAIN, false, "Records that merges have copied." },
    { MERGE(dropped_records), "dropped_records", RK_STATS_PLAIN, false,
      "Records and tombstones that merges have left out." },
    { MERGE(expired_records), "expired_records", RK_STATS_PLAIN, false, "Records that were found to have expired." },

    { SLOT(starts), "starts", RK_STATS_PLAIN, false, "Processes that were started in this slot." },
    { SLOT(deaths), "deaths", RK_STATS_PLAIN, false, "Processes that ended without being asked to." },
    { SLOT(client.hits), "hits", RK_STATS_PLAIN, false, "Reads that found the key." },
    { SLOT(client.misses), "misses", RK_STATS_PLAIN, false, "Reads that did not find the key." },
    { SLOT(client.disk_reads), "disk_reads", RK_STATS_PLAIN, false, "Reads that the page cache did not have." },
    { SLOT(client.corrupt), "corrupt", RK_STATS_PLAIN, false, "Reads that found damage." },
    { SLOT(client.read_errors), "read_errors", RK_STATS_PLAIN, false, "Reads that failed." },
    { SLOT(client.ring_full), "ring_full", RK_STATS_PLAIN, false,
      "Writes that were refused because the ring to the writer was full." },
    { SLOT(http.connections_accepted), "connections_accepted", RK_STATS_PLAIN, false,
      "Connections that were accepted." },
    { SLOT(http.connections_open), "connections_open", RK_STATS_PLAIN, true, "Connections that are open." },
    { SLOT(http.connections_timed_out), "connections_timed_out", RK_STATS_PLAIN, false,
      "Connections that were closed for being idle or slow." },
    { SLOT(http.connections_left), "connections_left", RK_STATS_PLAIN, false,
      "Clients that were gone before their answer." },
    { SLOT(http.upload_bytes), "upload_bytes", RK_STATS_BYTES, true,
      "Bytes of requests that are buffered and not answered." },
    { SLOT(http.accept_pauses), "accept_pauses", RK_STATS_PLAIN, false,
      "Times that accepting stopped: as many as may be, or no descriptor." },
    { .name = NULL },
};

const char *const rk_stats_op_names[RK_STATS_HTTP_N_OPS] = {
    [RK_STATS_HTTP_GET] = "get",       [RK_STATS_HTTP_HEAD] = "head",       [RK_STATS_HTTP_PUT] = "put",
    [RK_STATS_HTTP_DELETE] = "delete", [RK_STATS_HTTP_SERVICE] = "service", [RK_STATS_HTTP_REFUSED] = "refused",
};

const char *const rk_stats_status_names[RK_STATS_HTTP_N_STATUSES] = {
#define STATUS_NAME(status) #status,
    RK_STATS_HTTP_STATUSES(STATUS_NAME)
#undef STATUS_NAME
        "other",
};
