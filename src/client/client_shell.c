#include "client/client_shell.h"

#include "base/base_detail.h"
#include "client/client_edit.h"
#include "client/client_line.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shell {
    struct rk_client_session session;
    bool ended;
};

struct shell_command {
    const char *name;
    const char *operands;
    const char *summary;
    size_t min_operands, max_operands;
    bool takes_key; /* as its first operand */
    enum rk_client_exit (*run)(struct shell *shell, const struct rk_client_line *line);
};

static enum rk_client_exit refuse(struct shell *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));

static enum rk_client_exit refuse(struct shell *shell, const char *format, ...)
{
    char text[RK_DETAIL_BYTES];
    struct rk_detail detail;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rk_detail_set(&detail, "%s", text);
    return rk_client_report(&shell->session, RK_ERR_INVALID, &detail);
}

#define PUT_USAGE "usage: PUT KEY VALUE (a word with spaces stands in quotes)"

/* A value of several plain words is those words with one space between them, as in the original's client. */
static enum rk_client_exit run_put(struct shell *shell, const struct rk_client_line *line)
{
    if (line->n_words > 3 && line->last_quoted > 2)
        return refuse(shell, PUT_USAGE);
    return rk_client_command_put(&shell->session, line->words[1], rk_client_line_rest(line, 2));
}

static enum rk_client_exit run_get(struct shell *shell, const struct rk_client_line *line)
{
    return rk_client_command_get(&shell->session, line->words[1]);
}

static enum rk_client_exit run_delete(struct shell *shell, const struct rk_client_line *line)
{
    return rk_client_command_delete(&shell->session, line->words[1]);
}

static bool word_is(struct rk_client_bytes word, const char *name)
{
    return strlen(name) == word.size && strncasecmp(name, word.bytes, word.size) == 0;
}

/* The original's flags are taken, and change nothing: who may write, and when it is durable, the server decides. */
static enum rk_client_exit run_open(struct shell *shell, const struct rk_client_line *line)
{
    for (size_t i = 1; i < line->n_words; i++)
        if (!word_is(line->words[i], "-rw") && !word_is(line->words[i], "-sync"))
            return refuse(shell, "usage: OPEN [-rw] [-sync] (another server: rackkv --url URL shell)");
    return rk_client_command_open(&shell->session);
}

static enum rk_client_exit run_exit(struct shell *shell, const struct rk_client_line *line)
{
    shell->ended = true;
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_line *line);

static const struct shell_command commands[] = {
    { "PUT", "KEY VALUE", "store a value", 2, SIZE_MAX, true, run_put },
    { "GET", "KEY", "print a value", 1, 1, true, run_get },
    { "DELETE", "KEY", "delete a key", 1, 1, true, run_delete },
    { "OPEN", "[-rw] [-sync]", "ask the server whether it is there, and say where it is", 0, 2, false, run_open },
    { "HELP", "", "print this", 0, 0, false, run_help },
    { "EXIT", "", "leave (as does Control-D)", 0, 0, false, run_exit },
    { "QUIT", "", "the same", 0, 0, false, run_exit },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_line *line)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-6s %-13s %s\n", commands[i].name, commands[i].operands, commands[i].summary);
    puts("Commands may be written in small letters. Values of several words need no quotes: PUT city Old Town\n"
         "A word that begins with a quote ends at the next one: 'as it stands', or \"with escapes\", which are\n"
         "\\\" \\' \\\\ \\n \\r \\t and \\xHH for any byte:\n"
         "  PUT \"my key\" \"two\\nlines, and a zero byte: \\x00\"\n"
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

    if (line->n_words == 0)
        return RK_CLIENT_EXIT_DONE;
    command = lookup_command(line->words[0]);
    if (command == NULL)
        return refuse(shell, "there is no such command; HELP lists them");
    if (line->n_words - 1 < command->min_operands || line->n_words - 1 > command->max_operands)
        return refuse(shell, "usage: %s%s%s%s", command->name, command->operands[0] != '\0' ? " " : "",
                      command->operands, command->takes_key ? " (a word with spaces stands in quotes)" : "");
    if (command->takes_key && line->words[1].size == 0)
        return refuse(shell, "a key has at least one byte");
    return command->run(shell, line);
}

static enum rk_client_exit run_line(struct shell *shell, const char *text, size_t size)
{
    struct rk_client_line line;
    struct rk_detail detail;
    enum rk_client_exit code;
    enum rk_err err = rk_client_line_parse(&line, text, size, &detail);

    code = err == RK_OK ? run_words(shell, &line) : rk_client_report(&shell->session, err, &detail);
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

static enum rk_client_exit run_terminal(struct shell *shell)
{
    const char *words[N_COMMANDS + 1] = { NULL };
    char *history_path = find_history();
    struct rk_client_edit *edit;
    const char *text;
    size_t size;

    for (size_t i = 0; i < N_COMMANDS; i++)
        words[i] = commands[i].name;
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
