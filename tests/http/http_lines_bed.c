#include "http_lines_bed.h"

#include <check.h>
#include <string.h>

struct rk_http_span bed_span(const char *text)
{
    return (struct rk_http_span){ text, strlen(text) };
}

const struct rk_http_line *bed_lines(struct bed_lines *bed, const char *text)
{
    if (text == NULL)
        return NULL;
    for (int i = 0; i < BED_LINES; i++) {
        const char *end = strchrnul(text, '\n');

        bed->line[i].value = (struct rk_http_span){ text, (size_t)(end - text) };
        bed->line[i].next = *end != '\0' ? &bed->line[i + 1] : NULL;
        if (*end == '\0')
            return bed->line;
        text = end + 1;
    }
    ck_abort_msg("the bed has room for %d lines", BED_LINES);
}
