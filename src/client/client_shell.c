#include "client/client_shell.h"

#include "base/base_detail.h"
#include "client/client_edit.h"
#include "client/client_line.h"

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
    size_t n_operands;
    enum rk_client_exit (*run)(struct shell *shell, const struct rk_client_bytes *operands);
};

static enum rk_client_exit run_put(struct shell *shell, const struct rk_client_bytes *operands)
{
    return rk_client_command_put(&shell->session, operands[0], operands[1]);
}

static enum rk_client_exit run_get(struct shell *shell, const struct rk_client_bytes *operands)
{
    return rk_client_command_get(&shell->session, operands[0]);
}

static enum rk_client_exit run_delete(struct shell *shell, const struct rk_client_bytes *operands)
{
    return rk_client_command_delete(&shell->session, operands[0]);
}

static enum rk_client_exit run_open(struct shell *shell, const struct rk_client_bytes *operands)
{
    return rk_client_command_open(&shell->session);
}

static enum rk_client_exit run_exit(struct shell *shell, const struct rk_client_bytes *operands)
{
    shell->ended = true;
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_bytes *operands);

static const struct shell_command commands[] = {
    { "PUT", "KEY VALUE", "store a value", 2, run_put },
    { "GET", "KEY", "print a value", 1, run_get },
    { "DELETE", "KEY", "delete a key", 1, run_delete },
    { "OPEN", "", "ask the server whether it is there, and say where it is", 0, run_open },
    { "HELP", "", "print this", 0, run_help },
    { "EXIT", "", "leave (as does Control-D)", 0, run_exit },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_bytes *operands)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-6s %-10s %s\n", commands[i].name, commands[i].operands, commands[i].summary);
    puts("Commands may be written in small letters. A word with spaces or odd bytes stands in double quotes:\n"
         "  PUT \"my key\" \"two\\nlines, and a zero byte: \\x00\"");
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit refuse(struct shell *shell, const char *format, const char *a, const char *b)
    __attribute__((format(printf, 2, 0)));

static enum rk_client_exit refuse(struct shell *shell, const char *format, const char *a, const char *b)
{
    struct rk_detail detail;

    rk_detail_set(&detail, format, a, b);
    return rk_client_report(&shell->session, RK_ERR_INVALID, &detail);
}

static const struct shell_command *lookup_command(struct rk_client_bytes name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strlen(commands[i].name) == name.size && strncasecmp(commands[i].name, name.bytes, name.size) == 0)
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
        return refuse(shell, "there is no such command; HELP lists them%s%s", "", "");
    if (line->n_words - 1 != command->n_operands)
        return refuse(shell, "usage: %s %s (a word with spaces stands in double quotes)", command->name,
                      command->operands);
    if (command->n_operands > 0 && line->words[1].size == 0)
        return refuse(shell, "a key has at least one byte%s%s", "", "");
    return command->run(shell, line->words + 1);
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
