/* Bytes as JSON: text as a string, anything else as base64. Pure. */
#ifndef RK_HTTP_JSON_H
#define RK_HTTP_JSON_H

#include "list/list_buffer.h"

#include <stdbool.h>

/* Whether the bytes are UTF-8 (RFC 3629), and so can be a string. Any bytes; any thread. */
bool rk_http_json_is_text(const uint8_t *bytes, size_t len);

/* Appends them as a string with its quotes; what is no UTF-8 among them becomes U+FFFD. Any thread. */
void rk_http_json_string(struct rk_list_buffer *out, const uint8_t *bytes, size_t len);

/* Appends base64 (RFC 4648 section 4) of them without quotes; padded, unless the length is a multiple of three. Any
 * thread. */
void rk_http_json_base64(struct rk_list_buffer *out, const uint8_t *bytes, size_t len);

/* Appends `"name":"text"`, or `"name64":"..."` where the bytes are no text. Any thread. */
void rk_http_json_member(struct rk_list_buffer *out, const char *name, const uint8_t *bytes, size_t len);

/* Appends what stands there, and a number. Any thread. */
void rk_http_json_raw(struct rk_list_buffer *out, const char *text);
void rk_http_json_number(struct rk_list_buffer *out, uint64_t number);

#endif
