/* A line of the shell, split into words. Pure.
 *
 * Words stand between spaces or tabs. A word that begins with a double quote ends at the next one, and may hold spaces
 * and the escapes \" \\ \n \r \t and \xHH (any byte); a quote elsewhere is a character like any other, so that
 * {"a":1} needs no care. */
#ifndef RK_CLIENT_CLIENT_LINE_H
#define RK_CLIENT_CLIENT_LINE_H

#include "client/client.h"

#define RK_CLIENT_LINE_WORDS_MAX 4 /* one more than any command has */

struct rk_client_line {
    struct rk_client_bytes words[RK_CLIENT_LINE_WORDS_MAX];
    size_t n_words; /* counts those past the array as well */
    char *bytes;    /* of all words */
};

/* RK_ERR_INVALID with what is wrong and its column (from 1), or RK_ERR_NO_MEMORY. Free with rk_client_line_fini in any
 * case. */
enum rk_err rk_client_line_parse(struct rk_client_line *line_out, const char *text, size_t size,
                                 struct rk_detail *detail);
void rk_client_line_fini(struct rk_client_line *line);

#endif
