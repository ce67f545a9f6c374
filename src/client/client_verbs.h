/* The commands of rackkv and of its shell: one table, a row each. Their usage, help and completion come from it, and
 * the manual page is compared with it. */
#ifndef RK_CLIENT_VERBS_H
#define RK_CLIENT_VERBS_H

#include "client/client_command.h"

enum rk_client_verb_kind {
    RK_CLIENT_VERB_KEY,     /* on a key, its first operand: of the program and of the shell */
    RK_CLIENT_VERB_MANY,    /* on many keys: of the program */
    RK_CLIENT_VERB_SERVER,  /* starts a server: reads its own options */
    RK_CLIENT_VERB_PROGRAM, /* about the program itself */
};

struct rk_client_verb {
    const char *name;
    const char *operands;
    const char *summary;
    int min_operands, max_operands;
    enum rk_client_verb_kind kind;
    bool takes_value;          /* the second operand is a value */
    unsigned options;          /* RK_CLIENT_OPTION_BIT of those that it takes */
    rk_client_command_fn *run; /* NULL: it is the program's own */
    const char *help;
};

extern const struct rk_client_verb rk_client_verbs[];
extern const size_t rk_client_n_verbs;

/* NULL: there is none of that name. In any case of letters. */
const struct rk_client_verb *rk_client_verb_lookup(struct rk_client_bytes name);

/* What was probably meant by a name that is none; NULL: nothing comes near. */
const char *rk_client_verb_suggest(const char *wrong);

/* Prints the options that the command takes, a line each. */
void rk_client_verb_print_options(const struct rk_client_verb *verb, FILE *out);

#endif
