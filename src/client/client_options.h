/* What may be asked of a request besides its key and value: one table, from which the program's options, the shell's,
 * their help and the completion come. Pure. */
#ifndef RK_CLIENT_OPTIONS_H
#define RK_CLIENT_OPTIONS_H

#include "client/client_fields.h"

enum rk_client_option_id {
    RK_CLIENT_OPTION_IF_MATCH,
    RK_CLIENT_OPTION_IF_NONE_MATCH,
    RK_CLIENT_OPTION_TTL,
    RK_CLIENT_OPTION_TYPE,
    RK_CLIENT_OPTION_META,
    RK_CLIENT_OPTION_RANGE,
    RK_CLIENT_OPTION_DURABILITY,
    RK_CLIENT_OPTION_HEAD,
    RK_CLIENT_OPTION_DELIMITER,
    RK_CLIENT_OPTION_VALUES,
    RK_CLIENT_N_OPTIONS
};

/* A set of them. */
#define RK_CLIENT_OPTION_BIT(id) (1u << (id))

struct rk_client_options;

struct rk_client_option {
    const char *name;     /* without its dashes */
    const char *argument; /* NULL: it has none */
    char letter;          /* '\0': it has none */
    const char *help;
    enum rk_err (*take)(struct rk_client_options *options, struct rk_client_bytes argument, struct rk_detail *detail);
};

extern const struct rk_client_option rk_client_options_table[RK_CLIENT_N_OPTIONS];

/* What was asked for; zeroed: nothing. */
struct rk_client_options {
    struct rk_client_fields fields;
    struct rk_client_bytes delimiter; /* it is the caller's; size 0: none */
    unsigned given;                   /* the set of the options that were */
};

/* Takes one option with its argument (empty without one). RK_ERR_INVALID or RK_ERR_LIMIT with what is wrong, and what
 * would be right. */
enum rk_err rk_client_options_take(struct rk_client_options *options, enum rk_client_option_id id,
                                   struct rk_client_bytes argument, struct rk_detail *detail);

bool rk_client_options_has(const struct rk_client_options *options, enum rk_client_option_id id);

/* The option of that name among those of the set; RK_CLIENT_N_OPTIONS: there is none. */
enum rk_client_option_id rk_client_options_lookup(struct rk_client_bytes name, unsigned set);

void rk_client_options_fini(struct rk_client_options *options);

#endif
