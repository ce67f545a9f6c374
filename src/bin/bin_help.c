#include "bin/bin_help.h"

#include "bin/bin_words.h"

#include <stdio.h>
#include <string.h>

static void print_common_options(void)
{
    char words[64], letter[8];

    for (size_t i = 0; i < rk_bin_n_options; i++) {
        const struct rk_bin_option *option = &rk_bin_options[i];
        const char *help = option->help;

        (void)snprintf(letter, sizeof letter, option->letter != '\0' ? "-%c, " : "    ", option->letter);
        (void)snprintf(words, sizeof words, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
                       option->argument != NULL ? option->argument : "");
        for (size_t n = 0; help[0] != '\0'; n++) {
            size_t len = strcspn(help, "\n");

            printf("  %-19s  %.*s\n", n == 0 ? words : "", (int)len, help);
            help += len + (help[len] == '\n');
        }
    }
}

void rk_bin_help_print(void)
{
    puts("RackKV: a key-value store over HTTP.\n\nUsage: rackkv [OPTIONS] COMMAND\n");
    for (size_t i = 0; i < rk_client_n_verbs; i++)
        printf("  %-10s %-10s %s\n", rk_client_verbs[i].name,
               strlen(rk_client_verbs[i].operands) > 10 ? "..." : rk_client_verbs[i].operands,
               rk_client_verbs[i].summary);
    puts("");
    print_common_options();
    puts("\n"
         "Exit codes: 0 done, 1 failed or absent, 2 wrong usage, 4 no RackKV server answers, 5 a condition does not "
         "hold,\n"
         "6 not allowed.\n"
         "More: rackkv help COMMAND, rackkv(1)");
}

void rk_bin_help_print_verb(const struct rk_client_verb *verb)
{
    printf("rackkv %s: %s\n\nUsage: rackkv %s%s%s%s\n", verb->name, verb->summary, verb->name,
           verb->kind != RK_CLIENT_VERB_SERVER ? " [OPTIONS]" : "", verb->operands[0] != '\0' ? " " : "",
           verb->operands);
    if (verb->help[0] != '\0')
        printf("\n%s", verb->help);
    if (verb->options != 0)
        puts("");
    rk_client_verb_print_options(verb, stdout);
}

/* ---- completion ---- */

static void print_words_of(const struct rk_client_verb *verb)
{
    for (unsigned id = 0; id < RK_CLIENT_N_OPTIONS; id++)
        if ((verb->options & RK_CLIENT_OPTION_BIT(id)) != 0)
            printf(" --%s", rk_client_options_table[id].name);
    if (verb->kind == RK_CLIENT_VERB_SERVER)
        fputs(" --config --option --daemon", stdout);
}

/* Commands come first, their options behind them; a file where a file may stand. */
void rk_bin_help_print_completion(void)
{
    puts("# bash: completes rackkv's commands and options; made by `rackkv completion`.\n"
         "_rackkv() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} at=0 command='' options=''");
    fputs("    local common='", stdout);
    for (size_t i = 0; i < rk_bin_n_options; i++)
        printf("%s--%s", i > 0 ? " " : "", rk_bin_options[i].name);
    fputs("' commands='", stdout);
    for (size_t i = 0; i < rk_client_n_verbs; i++)
        printf("%s%s", i > 0 ? " " : "", rk_client_verbs[i].name);
    puts("'\n"
         "    for ((at = 1; at < COMP_CWORD; at++)); do\n"
         "        [[ \" $commands \" == *\" ${COMP_WORDS[at]} \"* ]] && command=${COMP_WORDS[at]} && break\n"
         "    done\n"
         "    case $command in");
    for (size_t i = 0; i < rk_client_n_verbs; i++) {
        printf("    %s) options='", rk_client_verbs[i].name);
        print_words_of(&rk_client_verbs[i]);
        puts("' ;;");
    }
    puts("    esac\n"
         "    COMPREPLY=()\n"
         "    case $word in\n"
         "    -*) mapfile -t COMPREPLY < <(compgen -W \"$common $options\" -- \"$word\") ;;\n"
         "    *)\n"
         "        case $command in\n"
         "        '' | help) mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\") ;;\n"
         "        import | open) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
         "        esac\n"
         "        ;;\n"
         "    esac\n"
         "}\n"
         "complete -F _rackkv rackkv");
}

/* ---- what is wrong ---- */

enum rk_client_exit rk_bin_help_refuse(const char *what, const char *value)
{
    fprintf(stderr, "rackkv: %s%s\nTry: rackkv help\n", what, value);
    return RK_CLIENT_EXIT_USAGE;
}

enum rk_client_exit rk_bin_help_refuse_unknown(const char *name)
{
    const char *best = rk_client_verb_suggest(name);

    fprintf(stderr, "rackkv: there is no command %s", name);
    if (best != NULL)
        fprintf(stderr, "; did you mean %s?", best);
    fprintf(stderr, "\nTry: rackkv help\n");
    return RK_CLIENT_EXIT_USAGE;
}

enum rk_client_exit rk_bin_help_refuse_operands(const struct rk_client_verb *verb)
{
    fprintf(stderr, "rackkv: usage: rackkv %s [OPTIONS]%s%s\n", verb->name, verb->operands[0] != '\0' ? " " : "",
            verb->operands);
    if (verb->max_operands > 0)
        fprintf(
            stderr,
            "rackkv: options stand before it; what begins with a dash and is none stands behind --: rackkv %s -- %s\n",
            verb->name, verb->operands);
    fprintf(stderr, "Try: rackkv help %s\n", verb->name);
    return RK_CLIENT_EXIT_USAGE;
}
