/* What a request can be told when it is not done: one table of status, stable code and sentence, and the body made of
 * it: application/problem+json (RFC 9457). Pure.
 *
 * Clients match `code` and never the sentence: a code, once published, keeps its name and meaning. */
#ifndef RK_HTTP_PROBLEM_H
#define RK_HTTP_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

/* name, status, reason, code, the sentence a person reads (both plain ASCII without quotes and backslashes) */
#define RK_HTTP_PROBLEM_TABLE(X)                                                                                      \
    X(BAD_REQUEST_LINE, 400, "Bad Request", "bad-request-line", "the first line is not: method, target, HTTP/1.1")    \
    X(BAD_TARGET, 400, "Bad Request", "bad-target",                                                                   \
      "the target is neither a path that begins with a slash nor an http URL, nor * with OPTIONS")                    \
    X(BARE_LINE_FEED, 400, "Bad Request", "bare-line-feed", "a line of the head does not end in CR LF")               \
    X(BAD_FIELD, 400, "Bad Request", "bad-field", "a line of the head is not: name, colon, printable text")           \
    X(FOLDED_HEADER, 400, "Bad Request", "folded-header", "a line of the head begins with a space or a tab")          \
    X(REPEATED_HEADER, 400, "Bad Request", "repeated-header", "a field that may come once comes twice")               \
    X(TWO_FRAMINGS, 400, "Bad Request", "two-framings", "Content-Length and Transfer-Encoding exclude each other")    \
    X(BAD_CONTENT_LENGTH, 400, "Bad Request", "bad-content-length", "Content-Length is not a decimal number")         \
    X(OLD_TRANSFER_ENCODING, 400, "Bad Request", "old-transfer-encoding", "HTTP/1.0 has no Transfer-Encoding")        \
    X(BAD_TRANSFER_ENCODING, 400, "Bad Request", "bad-transfer-encoding",                                             \
      "Transfer-Encoding has to be chunked, and nothing else")                                                        \
    X(MISSING_HOST, 400, "Bad Request", "missing-host", "HTTP/1.1 needs a Host header")                               \
    X(BAD_HOST, 400, "Bad Request", "bad-host", "Host is not the name of one host, with a port or without")           \
    X(BAD_BODY, 400, "Bad Request", "bad-body", "the body could not be read as its headers describe it")              \
    X(BAD_ESCAPE, 400, "Bad Request", "bad-escape", "a percent sign is not followed by two hexadecimal digits")       \
    X(REPEATED_PARAMETER, 400, "Bad Request", "repeated-parameter", "the key or a query parameter is given twice")    \
    X(UNKNOWN_PARAMETER, 400, "Bad Request", "unknown-parameter", "this request takes no such query parameter")       \
    X(UNKNOWN_HEADER, 400, "Bad Request", "unknown-header", "this request takes no such RackKV header")               \
    X(MISSING_KEY, 400, "Bad Request", "missing-key", "no key is given")                                              \
    X(EMPTY_KEY, 400, "Bad Request", "empty-key", "a key has at least one byte")                                      \
    X(MISSING_VALUE, 400, "Bad Request", "missing-value", "no value is given: val= or value=")                        \
    X(BAD_METADATA, 400, "Bad Request", "bad-metadata", "a header that is stored is too long or not plain text")      \
    X(BAD_CONDITION, 400, "Bad Request", "bad-condition", "a condition is no list of entity tags, or no date")        \
    X(BAD_CONTENT_RANGE, 400, "Bad Request", "content-range", "a value is written whole, never a part of it")         \
    X(BAD_TTL, 400, "Bad Request", "bad-ttl",                                                                         \
      "a time to live is a whole number of seconds, or of ms, s, m, h or d, at least 1 ms, and ends before the year " \
      "10000")                                                                                                        \
    X(BAD_EXPIRES, 400, "Bad Request", "bad-expires",                                                                 \
      "an expiry is a whole number of seconds since 1970, at least 1, before the year 10000")                         \
    X(BAD_DURABILITY, 400, "Bad Request", "bad-durability", "RackKV-Durability is written or synced")                 \
    X(BAD_OP, 400, "Bad Request", "unknown-operation", "op is incr, append or touch")                                 \
    X(BAD_BY, 400, "Bad Request", "bad-by", "by is a whole number of 64 bits, with a minus or without")               \
    X(BAD_LIMIT, 400, "Bad Request", "bad-limit",                                                                     \
      "limit is a whole number, at least 1; a page has 1000 entries at most")                                         \
    X(BAD_DELIMITER, 400, "Bad Request", "bad-delimiter", "a delimiter has at least one byte")                        \
    X(BAD_VALUES, 400, "Bad Request", "bad-values", "values is 1 or 0")                                               \
    X(BAD_BASE64, 400, "Bad Request", "bad-base64", "prefix64 and after64 are base64 with its padding")               \
    X(NOT_FOUND, 404, "Not Found", "not-found", "there is no such key")                                               \
    X(NO_ENDPOINT, 404, "Not Found", "no-such-endpoint", "nothing is served at this path")                            \
    X(METHOD, 405, "Method Not Allowed", "method-not-allowed", "the Allow header lists what this path takes")         \
    X(NOT_A_NUMBER, 409, "Conflict", "not-a-number", "the value is no whole number of 64 bits")                       \
    X(NUMBER_OVERFLOW, 409, "Conflict", "number-overflow", "the sum does not fit into 64 bits")                       \
    X(CONDITION, 412, "Precondition Failed", "condition-failed", "the key is not as the condition wants it")          \
    X(VALUE_TOO_LARGE, 413, "Content Too Large", "value-too-large", "the value is larger than limits.max_value")      \
    X(KEY_TOO_LONG, 414, "URI Too Long", "key-too-long", "the key is longer than limits.max_key")                     \
    X(TARGET_TOO_LONG, 414, "URI Too Long", "target-too-long", "the request target is too long")                      \
    X(RANGE, 416, "Range Not Satisfiable", "range-not-satisfiable", "the value has no such bytes")                    \
    X(EXPECTATION, 417, "Expectation Failed", "expectation-failed", "only 100-continue can be expected")              \
    X(HEAD_TOO_LARGE, 431, "Request Header Fields Too Large", "head-too-large",                                       \
      "the head of the request is larger than limits.max_head")                                                       \
    X(TOO_MANY_FIELDS, 431, "Request Header Fields Too Large", "too-many-fields",                                     \
      "the head of the request has more fields than limits.max_fields")                                               \
    X(DAMAGED, 500, "Internal Server Error", "damaged-value", "the stored value failed its checksum")                 \
    X(READ_ERROR, 500, "Internal Server Error", "read-error", "the stored value could not be read")                   \
    X(INTERNAL, 500, "Internal Server Error", "internal-error", "the server could not do this")                       \
    X(UNKNOWN_CODING, 501, "Not Implemented", "unknown-coding", "of the transfer codings only chunked is known")      \
    X(BUSY, 503, "Service Unavailable", "busy", "too much work is waiting; try again")                                \
    X(UPLOAD_MEMORY, 503, "Service Unavailable", "upload-memory",                                                     \
      "the bodies that are being sent use up limits.upload_memory; try again")                                        \
    X(TIMEOUT, 503, "Service Unavailable", "timeout", "no answer came in time")                                       \
    X(READ_ONLY, 503, "Service Unavailable", "read-only", "writes are refused until a restart")                       \
    X(WRITE_ERROR, 503, "Service Unavailable", "write-error", "the write failed")                                     \
    X(NOT_READY, 503, "Service Unavailable", "not-ready", "the server is not ready")                                  \
    X(BAD_VERSION, 505, "HTTP Version Not Supported", "bad-version", "only HTTP/1.1 and HTTP/1.0 are spoken")         \
    X(NO_SPACE, 507, "Insufficient Storage", "no-space", "the disk is full: see rackkvctl status")                    \
    X(KEYDIR_FULL, 507, "Insufficient Storage", "keydir-full", "keydir.max_bytes is used up: no new keys")

enum rk_http_problem {
    RK_HTTP_NO_PROBLEM,
#define RK_HTTP_PROBLEM_ENUM(name, status, reason, code, detail) RK_HTTP_PROBLEM_##name,
    RK_HTTP_PROBLEM_TABLE(RK_HTTP_PROBLEM_ENUM)
#undef RK_HTTP_PROBLEM_ENUM
        RK_HTTP_N_PROBLEMS
};

#define RK_HTTP_UNFINISHED RK_HTTP_N_PROBLEMS /* no problem yet: more has to come */

#define RK_HTTP_PROBLEM_TYPE "application/problem+json"

/* Room for a body with a limit; members come on top. */
#define RK_HTTP_PROBLEM_BYTES 384

struct rk_http_problem_text {
    int status;
    const char *reason;
    const char *code;
    const char *body; /* the whole body, when there is neither a limit nor anything else to add */
    size_t body_len;
};

/* Not for RK_HTTP_NO_PROBLEM. Any thread. */
const struct rk_http_problem_text *rk_http_problem_text(enum rk_http_problem problem);

/* Writes the body with "limit" (0: none) and further JSON members (NULL: none); returns its length. `out` has
 * RK_HTTP_PROBLEM_BYTES and the length of the members. Any thread. */
size_t rk_http_problem_format(enum rk_http_problem problem, uint64_t limit, const char *members, char *out);

#endif
