#include "client/client_shell.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "client/client_edit.h"
#include "client/client_line.h"
#include "client/client_shell_verb.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shell {
    struct rk_client_session session;
    bool ended;
};

/* Beside the commands on a key (client_shell_verb.h), which the program has as well. */
struct shell_command {
    const char *name;
    const char *operands;
    const char *summary;
    size_t max_operands;
    enum rk_client_exit (*run)(struct shell *shell, const struct rk_client_line *line);
};

static bool word_is(struct rk_client_bytes word, const char *name)
{
    return strlen(name) == word.size && strncasecmp(name, word.bytes, word.size) == 0;
}

/* ---- the shell's own ---- */

/* The original's flags are taken, and change nothing: who may write, and when it is durable, the server decides. */
static enum rk_client_exit run_open(struct shell *shell, const struct rk_client_line *line)
{
    for (size_t i = 1; i < line->n_words; i++)
        if (!word_is(line->words[i], "-rw") && !word_is(line->words[i], "-sync"))
            return rk_client_refuse(&shell->session,
                                    "usage: OPEN [-rw] [-sync] (another server: rackkv --url URL shell)");
    return rk_client_command_open(&shell->session);
}

static enum rk_client_exit run_exit(struct shell *shell, const struct rk_client_line *line)
{
    shell->ended = true;
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_line *line);

static const struct shell_command commands[] = {
    { "OPEN", "[-rw] [-sync]", "ask the server whether it is there, and say where it is", 2, run_open },
    { "HELP", "[COMMAND]", "print this, or about one command", 1, run_help },
    { "EXIT", "", "leave (as does Control-D)", 0, run_exit },
    { "QUIT", "", "the same", 0, run_exit },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_line *line)
{
    const struct rk_client_verb *verb = line->n_words > 1 ? rk_client_shell_verb_lookup(line->words[1]) : NULL;
    char name[RK_CLIENT_SHELL_NAME_BYTES];

    if (verb != NULL) {
        rk_client_shell_verb_print_help(verb);
        return RK_CLIENT_EXIT_DONE;
    }
    for (size_t i = 0; i < rk_client_n_verbs; i++)
        if (rk_client_verbs[i].kind == RK_CLIENT_VERB_KEY)
            printf("  %-6s %-13s %s\n", rk_client_shell_name(rk_client_verbs[i].name, name),
                   rk_client_verbs[i].operands, rk_client_verbs[i].summary);
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-6s %-13s %s\n", commands[i].name, commands[i].operands, commands[i].summary);
    puts("Commands may be written in small letters. Values of several words need no quotes: PUT city Old Town\n"
         "A word that begins with a quote ends at the next one: 'as it stands', or \"with escapes\", which are\n"
         "\\\" \\' \\\\ \\n \\r \\t and \\xHH for any byte:\n"
         "  PUT \"my key\" \"two\\nlines, and a zero byte: \\x00\"\n"
         "Options stand before the key (HELP PUT lists those of PUT); a key that begins with -- stands in quotes:\n"
         "  PUT --ttl 10m session/7 ada\n"
         "Elsewhere quotes, backslashes, - and @ are characters like any other.");
    return RK_CLIENT_EXIT_DONE;
}

static const struct shell_command *lookup_command(struct rk_client_bytes name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (word_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static enum rk_client_exit run_words(struct shell *shell, const struct rk_client_line *line)
{
    const struct shell_command *command;
    const struct rk_client_verb *verb;

    if (line->n_words == 0)
        return RK_CLIENT_EXIT_DONE;
    verb = rk_client_shell_verb_lookup(line->words[0]);
    if (verb != NULL)
        return rk_client_shell_verb_run(&shell->session, verb, line);
    command = lookup_command(line->words[0]);
    if (command == NULL)
        return rk_client_refuse(&shell->session, "there is no command %.*s; HELP lists them",
                                (int)(line->words[0].size < 80 ? line->words[0].size : 80),
                                (const char *)line->words[0].bytes);
    if (line->n_words - 1 > command->max_operands)
        return rk_client_refuse(&shell->session, "usage: %s%s%s", command->name,
                                command->operands[0] != '\0' ? " " : "", command->operands);
    return command->run(shell, line);
}

static enum rk_client_exit run_line(struct shell *shell, const char *text, size_t size)
{
    struct rk_client_line line;
    struct rk_detail detail;
    enum rk_client_exit code;
    enum rk_err err = rk_client_line_parse(&line, text, size, &detail);

    code = err == RK_OK ? run_words(shell, &line) : rk_client_report(&shell->session, err, NULL, &detail);
    rk_client_line_fini(&line);
    (void)fflush(stdout); /* before the next prompt, and in order with standard error; rk_client_finish sees failures */
    return code;
}

/* $RACKKV_HISTORY (empty: none), else ~/.rackkv_history; NULL without either. On the heap. */
static char *find_history(void)
{
    const char *path = getenv("RACKKV_HISTORY"), *home = getenv("HOME");
    char *found = NULL;

    if (path != NULL)
        return path[0] != '\0' ? strdup(path) : NULL;
    if (home == NULL || home[0] == '\0' || asprintf(&found, "%s/.rackkv_history", home) < 0)
        return NULL;
    return found;
}

/* What Tab completes, in capitals; the texts of the commands on a key stand in `names`. */
static const char **list_words(char (*names)[RK_CLIENT_SHELL_NAME_BYTES])
{
    const char **words = rk_mem_calloc(rk_client_n_verbs + N_COMMANDS + 1, sizeof *words);
    size_t n = 0;

    for (size_t i = 0; i < rk_client_n_verbs; i++)
        if (rk_client_verbs[i].kind == RK_CLIENT_VERB_KEY)
            words[n++] = rk_client_shell_name(rk_client_verbs[i].name, names[i]);
    for (size_t i = 0; i < N_COMMANDS; i++)
        words[n++] = commands[i].name;
    return words;
}

static enum rk_client_exit run_prompt(struct shell *shell, const char *const *words)
{
    char *history_path = find_history();
    struct rk_client_edit *edit;
    const char *text;
    size_t size;

    edit = rk_client_edit_create("rackkv> ", history_path, words);
    free(history_path);
    if (edit == NULL) {
        fputs("rackkv: the terminal can't be edited on; give the commands through a pipe\n", stderr);
        return RK_CLIENT_EXIT_FAILED;
    }
    printf("RackKV " PACKAGE_VERSION ", %s. HELP lists the commands.\n", rk_client_url(shell->session.client));
    while (!shell->ended && (text = rk_client_edit_read(edit, &size)) != NULL)
        (void)run_line(shell, text, size); /* the person has seen it */
    if (!shell->ended)
        putchar('\n');
    rk_client_edit_destroy(&edit);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_terminal(struct shell *shell)
{
    char(*names)[RK_CLIENT_SHELL_NAME_BYTES] = rk_mem_calloc(rk_client_n_verbs, sizeof *names);
    const char **words = list_words(names);
    enum rk_client_exit code = run_prompt(shell, words);

    free(words);
    free(names);
    return code;
}

static enum rk_client_exit run_pipe(struct shell *shell)
{
    enum rk_client_exit result = RK_CLIENT_EXIT_DONE;
    size_t capacity = 0;
    char *text = NULL;
    ssize_t size;

    while (!shell->ended && result != RK_CLIENT_EXIT_UNREACHABLE && (size = getline(&text, &capacity, stdin)) >= 0) {
        enum rk_client_exit code;

        shell->session.line++;
        code = run_line(shell, text, (size_t)size);
        if (code != RK_CLIENT_EXIT_DONE)
            result = code;
    }
    if (ferror(stdin)) {
        perror("rackkv: standard input");
        result = RK_CLIENT_EXIT_FAILED;
    }
    free(text);
    return result;
}

enum rk_client_exit rk_client_shell_run(struct rk_client *client, bool json)
{
    struct shell shell = {
        .session = { .client = client, .json = json, .terminal = isatty(STDOUT_FILENO) != 0, .shell = true }
    };

    return isatty(STDIN_FILENO) ? run_terminal(&shell) : run_pipe(&shell);
}
