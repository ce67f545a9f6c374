/* Lines of a field out of strings, for the tables of the unit tests. */
#ifndef RK_HTTP_LINES_BED_H
#define RK_HTTP_LINES_BED_H

#include "http/http_lines.h"

#define BED_LINES 4

struct bed_lines {
    struct rk_http_line line[BED_LINES];
};

struct rk_http_span bed_span(const char *text);

/* One line, or more, with "\n" between them; NULL: none. */
const struct rk_http_line *bed_lines(struct bed_lines *bed, const char *text);

#endif
