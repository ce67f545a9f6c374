/* What a listing asks for: the parameters of its query, read. Pure. */
#ifndef RK_HTTP_LIST_ASK_H
#define RK_HTTP_LIST_ASK_H

#include "http/http_target.h"
#include "list/list_types.h"

#define RK_HTTP_LIST_LIMIT_MAX 1000u

struct rk_http_list_ask {
    struct rk_list_ask keys;
    unsigned limit; /* entries of a page */
};

/* Reads them; decoded bytes are put into `room`, which has the length of the query. RK_HTTP_NO_PROBLEM, or what is
 * wrong, and with which parameter. Any thread. */
enum rk_http_problem rk_http_list_ask_read(const struct rk_http_target *target, size_t max_key_bytes, char *room,
                                           struct rk_http_list_ask *ask_out, enum rk_http_parameter *wrong_out);

#endif
