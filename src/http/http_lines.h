/* The values of one field: several lines are one list, in the order in which they came (RFC 9110 section 5.3). */
#ifndef RK_HTTP_LINES_H
#define RK_HTTP_LINES_H

#include "http/http_target.h"

struct rk_http_line {
    struct rk_http_span value; /* without the white space around it */
    const struct rk_http_line *next;
};

#endif
