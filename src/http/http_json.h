/* JSON (RFC 8259) as far as a line of a batch has it: an object of strings and numbers. Pure: no memory of its own.
 *
 * Strict: what is no JSON is an error, and so is text that is not UTF-8, or half a surrogate pair. */
#ifndef RK_HTTP_JSON_H
#define RK_HTTP_JSON_H

#include "http/http_target.h"

#include <stdbool.h>
#include <stddef.h>

/* What is read, and where what has to be decoded goes: never more bytes than are read. */
struct rk_http_json {
    const char *at;
    const char *end;
    char *room;
};

enum rk_http_json_kind { RK_HTTP_JSON_STRING, RK_HTTP_JSON_NUMBER };

struct rk_http_json_member {
    struct rk_http_span name;
    enum rk_http_json_kind kind;
    struct rk_http_span value; /* of a string: decoded; of a number: as it was written */
};

/* Any thread, all of them. The first member of the object: begin, then next while it says so; *good_out: whether all
 * that was read is an object, and there is nothing behind it. */
bool rk_http_json_begin(struct rk_http_json *json);
bool rk_http_json_next(struct rk_http_json *json, bool is_first, struct rk_http_json_member *member_out,
                       bool *good_out);

bool rk_http_json_is_utf8(const void *bytes, size_t len);

/* Standard base64, padded (RFC 4648 section 4); false for anything else. `room` has 3 bytes for each 4. */
bool rk_http_json_decode64(struct rk_http_span *text, char *room);

/* Writes "..." with the quotes, of UTF-8; returns the end. At most rk_http_json_string_bytes. */
char *rk_http_json_put_string(char *out, const void *text, size_t len);
size_t rk_http_json_string_bytes(const void *text, size_t len);

/* Writes "..." of any bytes in base64; returns the end: (len + 2) / 3 * 4 + 2 bytes. */
char *rk_http_json_put_64(char *out, const void *bytes, size_t len);

#endif
