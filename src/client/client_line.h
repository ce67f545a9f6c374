/* A line of the shell, split into words. Pure.
 *
 * Words stand between spaces or tabs. A word that begins with a quote, double or single, ends at the next one of its
 * kind. Within double quotes stand the escapes \" \' \\ \n \r \t and \xHH (any byte); within single quotes every byte
 * is itself. Elsewhere a quote or a backslash is a character like any other, so that {"a":1}, don't and C:\x need no
 * care. */
#ifndef RK_CLIENT_LINE_H
#define RK_CLIENT_LINE_H

#include "client/client.h"

#define RK_CLIENT_LINE_WORDS_MAX 64 /* more than any command has with its options */

struct rk_client_line {
    struct rk_client_bytes words[RK_CLIENT_LINE_WORDS_MAX];
    size_t n_words;     /* counts those past the array as well */
    size_t last_quoted; /* the number of the last word (from 1) that stood in quotes; 0: none did */
    bool is_quoted[RK_CLIENT_LINE_WORDS_MAX]; /* whether each word did */
    char *bytes;                              /* of all words, with one space behind each */
    const char *end;                          /* of the last word */
};

/* RK_ERR_INVALID with what is wrong and its column (from 1), or RK_ERR_NO_MEMORY. Free with rk_client_line_fini in any
 * case. */
enum rk_err rk_client_line_parse(struct rk_client_line *line_out, const char *text, size_t size,
                                 struct rk_detail *detail);

/* The words from the n-th on (from 0; it is there), joined by one space each. Valid as long as the line. */
struct rk_client_bytes rk_client_line_rest(const struct rk_client_line *line, size_t n);

void rk_client_line_fini(struct rk_client_line *line);

#endif
