/* A server with two workers, and requests in a row to it: each with the sentence of the contract that it holds the
 * server to. In a row, {etag} is the entity tag that was seen last, {old} the one before it, {date} the last
 * Last-Modified. */
#ifndef RK_SYSTEM_ROWS_H
#define RK_SYSTEM_ROWS_H

#include "system_client.h"
#include "system_server.h"

struct row {
    const char *says;
    const char *first;  /* method and target */
    const char *fields; /* lines, each with its "\n" */
    const char *body;   /* NULL: none, and no Content-Length */
    int status;
    const char *has;    /* header lines, with "\n" between them; "!Name": none of that name; "Name:": some value */
    const char *answer; /* the body; of an error a part of it; NULL: whatever it is */
};

extern struct bed {
    char *dir;
    struct system_server *server;
    struct system_client client;
    char etag[32], old[32], date[64];
} bed;

void start_bed(void);
void stop_bed(void);
void check_row(const struct row *row);

#define CHECK_ROWS(rows)                                            \
    do {                                                            \
        start_bed();                                                \
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows)[0]; i++) \
            check_row(&(rows)[i]);                                  \
        stop_bed();                                                 \
    } while (0)

#endif
