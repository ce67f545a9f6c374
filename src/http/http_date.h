/* Dates of HTTP (RFC 9110 section 5.6.7), read: the form that is sent today, and the two that are obsolete and have to
 * be understood. Written they are by http_text.h. Pure. */
#ifndef RK_HTTP_DATE_H
#define RK_HTTP_DATE_H

#include "http/http_target.h"

#include <stdint.h>

/* Seconds since 1970, which may be before it. False, and nothing set, when it is no date. A year of two digits is one
 * of 1970 to 2069: nothing that is stored here is older. Any thread. */
bool rk_http_date_parse(struct rk_http_span text, int64_t *seconds_out);

#endif
