/* The body of a listing, slice by slice: a page, or a stream of lines (NDJSON). Runs on the lister's thread, and knows
 * nothing of the request: that may be gone.
 *
 *   {"keys":[{...},...],"prefixes":["a/",...],"complete":false,"after":"k"}        a page
 *
 *   {"key":"a",...}                                                                a stream
 *   {"prefix":"a/"}
 *   {"complete":true}
 *
 * A page ends with its limit, with its last key, or when it was worked for as long as limits.list_time says: not
 * complete then. A stream ends with its last key alone. */
#ifndef RK_HTTP_LIST_PAGE_H
#define RK_HTTP_LIST_PAGE_H

#include "list/list_types.h"

struct rk_http_list_settings {
    bool is_stream;
    bool with_values;
    unsigned limit;   /* entries of a page */
    uint64_t time_ns; /* that a page may be worked for */
};

/* What makes the body; it is destroyed by the listing that takes it, or else by its own destroy. */
struct rk_list_fill rk_http_list_page(const struct rk_http_list_settings *settings);

#endif
