/* The commands of rackkvctl: one table, a row each, and what it says of itself. */
#ifndef RK_BIN_CTL_H
#define RK_BIN_CTL_H

#include "client/client_admin.h"

#define RK_BIN_CTL_NAME_BYTES 64

struct rk_bin_ctl_command {
    const char *name; /* one word or two */
    const char *operands;
    const char *summary;
    size_t min_operands;
    size_t max_operands;
    bool takes_merge_options; /* --all, --wait */
    rk_client_admin_fn *run;  /* NULL: it needs no server */
    const char *help;
};

/* The command that the first words name, two words before one; *n_words_out of them. NULL: there is none. */
const struct rk_bin_ctl_command *rk_bin_ctl_lookup(char *const *words, size_t n_words, size_t *n_words_out);

/* What was probably meant; NULL: nothing comes near. */
const char *rk_bin_ctl_suggest(const char *wrong);

/* The second words of those commands whose first word this is ("start, pause, ..."); false: there are none. */
bool rk_bin_ctl_list_group(const char *group, char *text, size_t size);

/* All commands; one; those whose first word this is (false: there are none). */
void rk_bin_ctl_print_help(void);
void rk_bin_ctl_print_command(const struct rk_bin_ctl_command *command);
bool rk_bin_ctl_print_group(const char *group);

#endif
