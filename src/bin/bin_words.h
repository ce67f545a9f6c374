/* rackkv's command line: options before and behind the command's name, up to the first operand. */
#ifndef RK_BIN_WORDS_H
#define RK_BIN_WORDS_H

#include "client/client_verbs.h"

/* What was said that is not of one request. */
struct rk_bin_words {
    const char *url;     /* NULL: not said */
    uint64_t timeout_ms; /* 0: not said */
    bool json;
    bool help;
    bool version;
    struct rk_client_options options; /* of the command's request */
};

/* The options that every command takes. */
struct rk_bin_option {
    const char *name;
    const char *argument; /* NULL: it has none */
    char letter;          /* '\0': it has none */
    const char *help;     /* lines, each but the last with an end */
};

extern const struct rk_bin_option rk_bin_options[];
extern const size_t rk_bin_n_options;

/* After saying what is wrong. */
#define RK_BIN_WORDS_UNKNOWN (-1) /* there is no such option, or its argument is missing */
#define RK_BIN_WORDS_WRONG   (-2) /* an option's argument is wrong */

/* Reads options up to the first operand, whose index is returned, or one of the two above. argv[0] is the name of the
 * program, or of the command, whose options are taken as well then; NULL: there is no command yet. */
int rk_bin_words_read(int argc, char **argv, const struct rk_client_verb *verb, struct rk_bin_words *words);

void rk_bin_words_fini(struct rk_bin_words *words);

#endif
