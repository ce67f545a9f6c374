/* HTTP/1 read a second time, slowly and obviously: a copy of each text, one character after the other, regular
 * expressions, and for chunks the question "could this still become a line?" asked by trying. Written from the same
 * rules (http_parser.h) and RFC 9112, sharing no code with the parser under test. */
#ifndef RK_TEST_SLOW_PARSER_H
#define RK_TEST_SLOW_PARSER_H

#include "http/http_parser.h"

#define SLOW_FIELDS_MAX 128

struct slow_field {
    char *name, *value; /* texts of their own */
};

struct slow_head {
    enum rk_http_problem problem; /* or RK_HTTP_UNFINISHED */
    size_t len;                   /* all of these only without a problem: */
    char *method, *target, *authority;
    bool is_1_0, has_close, has_keep_alive, expects, has_type, asks;
    enum rk_http_framing framing;
    uint64_t content_length;
    struct slow_field fields[SLOW_FIELDS_MAX];
    size_t n_fields;
};

void slow_parse_head(const char *bytes, size_t size, const struct rk_http_bounds *bounds, struct slow_head *head);
void slow_head_fini(struct slow_head *head);

/* The data of the body in *data_out, to be freed. Returns as rk_http_chunked_decode does when it is given all at once,
 * but keeps what comes after the body to itself. */
long slow_decode_chunks(const char *bytes, size_t size, char **data_out, size_t *len_out);

#endif
