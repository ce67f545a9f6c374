/* The requests of the control protocol: each verb and each of its members is a row here and nowhere else. The server
 * checks requests by these tables, rackkvctl writes requests and its help from them, and doc/control.md, which has
 * examples of all, is checked against them. For any program that speaks the protocol; needs no other header. */
#ifndef RACKKV_CONTROL_H
#define RACKKV_CONTROL_H

/* Names of members. */
#define RK_CONTROL_COMMAND          "command" /* of every request */
#define RK_CONTROL_FILES            "files"
#define RK_CONTROL_ALL              "all"
#define RK_CONTROL_BYTES_PER_SECOND "bytes_per_second"
#define RK_CONTROL_PACED            "paced"
#define RK_CONTROL_KEY              "key"
#define RK_CONTROL_KEY64            "key64"

/* Names of members of answers, of whatever verb; doc/control.md says what each is. */
#define RK_CONTROL_OK                    "ok"
#define RK_CONTROL_ERROR                 "error"
#define RK_CONTROL_DETAIL                "detail"
#define RK_CONTROL_STATE                 "state"
#define RK_CONTROL_PID                   "pid"
#define RK_CONTROL_VERSION               "version"
#define RK_CONTROL_DATA_DIR              "data_dir"
#define RK_CONTROL_URLS                  "urls"
#define RK_CONTROL_UPTIME_SECONDS        "uptime_seconds"
#define RK_CONTROL_WORKERS               "workers"
#define RK_CONTROL_COUNT                 "count"
#define RK_CONTROL_STARTS                "starts"
#define RK_CONTROL_DEATHS                "deaths"
#define RK_CONTROL_DISK_FREE_BYTES       "disk_free_bytes"
#define RK_CONTROL_WRITES                "writes"
#define RK_CONTROL_KEYS                  "keys"
#define RK_CONTROL_LAST_SEQUENCE         "last_sequence"
#define RK_CONTROL_DURABLE_SEQUENCE      "durable_sequence"
#define RK_CONTROL_KEYDIR_USED_BYTES     "keydir_used_bytes"
#define RK_CONTROL_KEYDIR_MAX_BYTES      "keydir_max_bytes"
#define RK_CONTROL_LIVE_BYTES            "live_bytes"
#define RK_CONTROL_DEAD_BYTES            "dead_bytes"
#define RK_CONTROL_TOMBSTONE_BYTES       "tombstone_bytes"
#define RK_CONTROL_DATA_FILES            "data_files"
#define RK_CONTROL_MERGE                 "merge"
#define RK_CONTROL_RECOVERY              "recovery"
#define RK_CONTROL_DONE_BYTES            "done_bytes"
#define RK_CONTROL_TOTAL_BYTES           "total_bytes"
#define RK_CONTROL_RECORDS               "records"
#define RK_CONTROL_LOG_FILE              "log_file"
#define RK_CONTROL_RESCUE                "rescue"
#define RK_CONTROL_HOLES_BYTES           "holes_bytes"
#define RK_CONTROL_PAUSED                "paused"
#define RK_CONTROL_RATE_BYTES_PER_SECOND "rate_bytes_per_second"
#define RK_CONTROL_NEXT_CHECK_SECONDS    "next_check_seconds"
#define RK_CONTROL_CURRENT               "current"
#define RK_CONTROL_ID                    "id"
#define RK_CONTROL_CAUSE                 "cause"
#define RK_CONTROL_STARTED_MS            "started_ms"
#define RK_CONTROL_ELAPSED_SECONDS       "elapsed_seconds"
#define RK_CONTROL_READ_BYTES            "read_bytes"
#define RK_CONTROL_WRITTEN_BYTES         "written_bytes"
#define RK_CONTROL_RECLAIMED_BYTES       "reclaimed_bytes"
#define RK_CONTROL_RECORDS_COPIED        "records_copied"
#define RK_CONTROL_RECORDS_DROPPED       "records_dropped"
#define RK_CONTROL_WHY                   "why"
#define RK_CONTROL_MERGES                "merges"
#define RK_CONTROL_ROLLED                "rolled"
#define RK_CONTROL_FILE                  "file"
#define RK_CONTROL_OFFSET                "offset"
#define RK_CONTROL_SIZE                  "size"
#define RK_CONTROL_SEQUENCE              "sequence"
#define RK_CONTROL_TYPE                  "type"
#define RK_CONTROL_VALUE_BYTES           "value_bytes"
#define RK_CONTROL_EXPIRES_MS            "expires_ms"
#define RK_CONTROL_WRITTEN_MS            "written_ms"
#define RK_CONTROL_ACTIVE                "active"
#define RK_CONTROL_SEALED                "sealed"
#define RK_CONTROL_HINT                  "hint"
#define RK_CONTROL_FIRST_SEQUENCE        "first_sequence"
#define RK_CONTROL_FRAME_BYTES           "frame_bytes"
#define RK_CONTROL_PREALLOCATED_BYTES    "preallocated_bytes"
#define RK_CONTROL_OVERWRITTEN_BYTES     "overwritten_bytes"
#define RK_CONTROL_DELETED_BYTES         "deleted_bytes"
#define RK_CONTROL_EXPIRED_BYTES         "expired_bytes"
#define RK_CONTROL_GAIN_BYTES            "gain_bytes"
#define RK_CONTROL_ELIGIBLE              "eligible"
#define RK_CONTROL_REASON                "reason"
#define RK_CONTROL_EXPIRY_NOTE           "expiry_note"

/* All of them, for whoever goes through them. */
#define RK_CONTROL_ANSWER_MEMBERS                                                                                    \
    RK_CONTROL_OK, RK_CONTROL_ERROR, RK_CONTROL_DETAIL, RK_CONTROL_STATE, RK_CONTROL_PID, RK_CONTROL_VERSION,        \
        RK_CONTROL_DATA_DIR, RK_CONTROL_URLS, RK_CONTROL_UPTIME_SECONDS, RK_CONTROL_WORKERS, RK_CONTROL_COUNT,       \
        RK_CONTROL_STARTS, RK_CONTROL_DEATHS, RK_CONTROL_DISK_FREE_BYTES, RK_CONTROL_WRITES, RK_CONTROL_KEYS,        \
        RK_CONTROL_LAST_SEQUENCE, RK_CONTROL_DURABLE_SEQUENCE, RK_CONTROL_KEYDIR_USED_BYTES,                         \
        RK_CONTROL_KEYDIR_MAX_BYTES, RK_CONTROL_LIVE_BYTES, RK_CONTROL_DEAD_BYTES, RK_CONTROL_TOMBSTONE_BYTES,       \
        RK_CONTROL_DATA_FILES, RK_CONTROL_MERGE, RK_CONTROL_RECOVERY, RK_CONTROL_DONE_BYTES, RK_CONTROL_TOTAL_BYTES, \
        RK_CONTROL_RECORDS, RK_CONTROL_LOG_FILE, RK_CONTROL_RESCUE, RK_CONTROL_HOLES_BYTES, RK_CONTROL_PAUSED,       \
        RK_CONTROL_RATE_BYTES_PER_SECOND, RK_CONTROL_PACED, RK_CONTROL_NEXT_CHECK_SECONDS, RK_CONTROL_CURRENT,       \
        RK_CONTROL_ID, RK_CONTROL_CAUSE, RK_CONTROL_STARTED_MS, RK_CONTROL_ELAPSED_SECONDS, RK_CONTROL_FILES,        \
        RK_CONTROL_READ_BYTES, RK_CONTROL_WRITTEN_BYTES, RK_CONTROL_RECLAIMED_BYTES, RK_CONTROL_RECORDS_COPIED,      \
        RK_CONTROL_RECORDS_DROPPED, RK_CONTROL_WHY, RK_CONTROL_MERGES, RK_CONTROL_ROLLED, RK_CONTROL_FILE,           \
        RK_CONTROL_OFFSET, RK_CONTROL_SIZE, RK_CONTROL_SEQUENCE, RK_CONTROL_TYPE, RK_CONTROL_VALUE_BYTES,            \
        RK_CONTROL_EXPIRES_MS, RK_CONTROL_WRITTEN_MS, RK_CONTROL_ACTIVE, RK_CONTROL_SEALED, RK_CONTROL_HINT,         \
        RK_CONTROL_FIRST_SEQUENCE, RK_CONTROL_FRAME_BYTES, RK_CONTROL_PREALLOCATED_BYTES,                            \
        RK_CONTROL_OVERWRITTEN_BYTES, RK_CONTROL_DELETED_BYTES, RK_CONTROL_EXPIRED_BYTES, RK_CONTROL_GAIN_BYTES,     \
        RK_CONTROL_ELIGIBLE, RK_CONTROL_REASON, RK_CONTROL_EXPIRY_NOTE

/* Verb, what "command" says, whether it is answered while the server recovers, whether its answer may have to wait (for
 * a disk, or for the compactor). */
#define RK_CONTROL_VERB_TABLE(X)                    \
    X(PING, "ping", true, false)                    \
    X(VERSION, "version", true, false)              \
    X(STATUS, "status", true, false)                \
    X(STATS, "stats", true, false)                  \
    X(REOPEN, "reopen", true, false)                \
    X(ROLL, "roll", false, true)                    \
    X(SYNC, "sync", false, true)                    \
    X(WHEREIS, "whereis", false, true)              \
    X(FILE_LIST, "file list", false, true)          \
    X(EXPLAIN_SPACE, "explain-space", false, true)  \
    X(MERGE_START, "merge start", false, true)      \
    X(MERGE_PAUSE, "merge pause", false, false)     \
    X(MERGE_RESUME, "merge resume", false, false)   \
    X(MERGE_CANCEL, "merge cancel", false, false)   \
    X(MERGE_STATUS, "merge status", false, false)   \
    X(MERGE_HISTORY, "merge history", false, false) \
    X(MERGE_RATE, "merge rate", false, false)

/* Verb, a member that it takes besides "command", its type, what it says. Whatever else a request has is an error. */
#define RK_CONTROL_MEMBER_TABLE(X)                                                                \
    X(WHEREIS, RK_CONTROL_KEY, TEXT, "the key, where it is UTF-8")                                \
    X(WHEREIS, RK_CONTROL_KEY64, TEXT, "the key in base64, where it is not")                      \
    X(MERGE_START, RK_CONTROL_FILES, FILES, "the data files to merge")                            \
    X(MERGE_START, RK_CONTROL_ALL, FLAG, "every data file, after the active one was sealed")      \
    X(MERGE_RATE, RK_CONTROL_BYTES_PER_SECOND, NUMBER, "what is copied in a second; 0: no limit") \
    X(MERGE_RATE, RK_CONTROL_PACED, FLAG, "whether a merge yields to requests")

/* Type, in words. */
#define RK_CONTROL_TYPE_TABLE(X)          \
    X(FLAG, "true or false")              \
    X(NUMBER, "a whole number from 0 on") \
    X(TEXT, "a string")                   \
    X(FILES, "a list of numbers of data files, as [1, 2]")

enum rk_control_verb_id {
#define RK_CONTROL_VERB_ENUM(id, name, while_recovering, may_wait) RK_CONTROL_VERB_##id,
    RK_CONTROL_VERB_TABLE(RK_CONTROL_VERB_ENUM)
#undef RK_CONTROL_VERB_ENUM
        RK_CONTROL_N_VERBS
};

enum rk_control_type {
#define RK_CONTROL_TYPE_ENUM(id, text) RK_CONTROL_TYPE_##id,
    RK_CONTROL_TYPE_TABLE(RK_CONTROL_TYPE_ENUM)
#undef RK_CONTROL_TYPE_ENUM
};

#endif
