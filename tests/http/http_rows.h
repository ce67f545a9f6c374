/* Requests in a row to the server of the bed, and what each is answered with. A refusal before a body ends its
 * connection, so each has its own. The first write has the sequence 1001; what is written was written at ROWS_THEN. */
#ifndef RK_HTTP_ROWS_H
#define RK_HTTP_ROWS_H

#include "http_bed.h"

#include <stddef.h>

#define ROWS_THEN "Sun, 22 Nov 2026 20:04:03 GMT"

struct row {
    const char *first;  /* method and target */
    const char *fields; /* lines, each with its "\n" */
    const char *body;   /* NULL: none, and no Content-Length */
    int status;
    const char *has;    /* header lines of the answer, with "\n" between them; "!Name": it has none of that name */
    const char *answer; /* the body, or a part of it when it is a problem; NULL: whatever it is */
};

/* One request, to the bed that is started. */
void check_row(const struct row *row);

/* What the head of this answer has to have: row->has. */
void check_row_headers(const struct row *row, const struct raw_answer *answer);

/* The text of a request. To free. */
char *format_row(const struct row *row);

/* A server of its own for all of them. */
void check_rows(const struct row *rows, size_t n_rows);

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

#endif
