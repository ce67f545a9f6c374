/* One entry of a listing, as JSON. Pure: bytes in, bytes out; on the lister's thread.
 *
 *   {"key":"a","size":1,"etag":"\"12\"","seq":12,"expires":null}
 *   {"key64":"/w==",...,"content_type":"text/plain","meta":{"owner":"me"},"value":"1"}      with its value
 *
 * The value is the last member, so that a large one can follow piece by piece. */
#ifndef RK_HTTP_LIST_ROW_H
#define RK_HTTP_LIST_ROW_H

#include "list/list_types.h"

/* Appends the object of a key. With values: up to the value, which rk_http_list_row_value appends. RK_OK;
 * RK_ERR_CORRUPT: what is stored beside the value cannot be read. */
enum rk_err rk_http_list_row(struct rk_list_buffer *out, const struct rk_list_item *item, bool with_value);

/* Appends the value that is there, and the end of the object. */
void rk_http_list_row_value(struct rk_list_buffer *out, struct rk_list_span value);

/* The same of a large value, which is base64 whatever it is: its begin, each piece, and its end. Bytes that a piece
 * leaves over wait for the next one. */
struct rk_http_list_large {
    uint8_t left[3];
    size_t n_left;
};

void rk_http_list_row_large_begin(struct rk_list_buffer *out, struct rk_http_list_large *large);
void rk_http_list_row_large_piece(struct rk_list_buffer *out, struct rk_http_list_large *large,
                                  struct rk_list_span piece);
void rk_http_list_row_large_end(struct rk_list_buffer *out, struct rk_http_list_large *large);

#endif
