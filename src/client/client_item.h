/* A key with all that belongs to it, as a line of JSON: what `export` writes and `import` reads. Pure.
 *
 * {"key":"a","value":"1","ttl":60,"content_type":"text/plain","meta":{"owner":"me"}}
 *
 * Bytes that are no UTF-8 stand as base64 in "key64" and "value64". What a listing says besides ("size", "etag", "seq")
 * is passed over. The last line of an export is {"complete":true}. */
#ifndef RK_CLIENT_ITEM_H
#define RK_CLIENT_ITEM_H

#include "client/client_buffer.h"
#include "client/client_fields.h"

struct rk_client_item {
    struct rk_client_buffer key, value;
    struct rk_client_fields fields; /* of its PUT: expiry, type, metadata */
    bool has_key, has_value;        /* empty ones, too */
    bool is_listed;                 /* a server wrote the line: it says a sequence */
    bool is_end;                    /* the line is that of the end, and there is no key */
};

/* RK_ERR_INVALID with what is wrong, where, and what would be right; RK_ERR_NO_MEMORY. Free it in any case. */
enum rk_err rk_client_item_parse(struct rk_client_item *item_out, const char *line, size_t size,
                                 struct rk_detail *detail);
void rk_client_item_fini(struct rk_client_item *item);

/* Whether the line is {"complete":true}. */
bool rk_client_item_is_end(const char *line, size_t size);

#endif
