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
