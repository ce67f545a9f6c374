#include "client/client_shell.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "client/client_edit.h"
#include "client/client_line.h"
#include "client/client_verbs.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES 16

struct shell {
    struct rk_client_session session;
    bool ended;
};

/* Beside the commands on a key (client_verbs.h), which the program has as well. */
struct shell_command {
    const char *name;
    const char *operands;
    const char *summary;
    size_t max_operands;
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
    return rk_client_report(&shell->session, RK_ERR_INVALID, NULL, &detail);
}

static bool word_is(struct rk_client_bytes word, const char *name)
{
    return strlen(name) == word.size && strncasecmp(name, word.bytes, word.size) == 0;
}

/* As the shell writes a command's name. */
static const char *capitals(const char *name, char name_out[NAME_BYTES])
{
    size_t len = 0;

    for (; name[len] != '\0' && len + 1 < NAME_BYTES; len++)
        name_out[len] = (char)toupper((unsigned char)name[len]);
    name_out[len] = '\0';
    return name_out;
}

/* ---- the shell's own ---- */

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
    { "OPEN", "[-rw] [-sync]", "ask the server whether it is there, and say where it is", 2, run_open },
    { "HELP", "[COMMAND]", "print this, or about one command", 1, run_help },
    { "EXIT", "", "leave (as does Control-D)", 0, run_exit },
    { "QUIT", "", "the same", 0, run_exit },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static const struct rk_client_verb *lookup_verb(struct rk_client_bytes name)
{
    const struct rk_client_verb *verb = rk_client_verb_lookup(name);

    return verb != NULL && verb->kind == RK_CLIENT_VERB_KEY ? verb : NULL;
}

static enum rk_client_exit print_verb_help(const struct rk_client_verb *verb)
{
    char name[NAME_BYTES];

    printf("%s %s%s: %s\n", capitals(verb->name, name), verb->options != 0 ? "[OPTIONS] " : "", verb->operands,
           verb->summary);
    rk_client_verb_print_options(verb, stdout);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_help(struct shell *shell, const struct rk_client_line *line)
{
    const struct rk_client_verb *verb = line->n_words > 1 ? lookup_verb(line->words[1]) : NULL;
    char name[NAME_BYTES];

    if (verb != NULL)
        return print_verb_help(verb);
    for (size_t i = 0; i < rk_client_n_verbs; i++)
        if (rk_client_verbs[i].kind == RK_CLIENT_VERB_KEY)
            printf("  %-6s %-13s %s\n", capitals(rk_client_verbs[i].name, name), rk_client_verbs[i].operands,
                   rk_client_verbs[i].summary);
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

/* ---- commands on a key ---- */

static bool is_option(const struct rk_client_line *line, size_t at)
{
    struct rk_client_bytes word = at < line->n_words ? line->words[at] : (struct rk_client_bytes){ NULL, 0 };

    return word.size > 2 && !line->is_quoted[at] && memcmp(word.bytes, "--", 2) == 0;
}

/* One option, at *at_io, which moves past it. */
static enum rk_err read_option(const struct rk_client_verb *verb, const struct rk_client_line *line, size_t *at_io,
                               struct rk_client_options *options, struct rk_detail *detail)
{
    struct rk_client_bytes word = line->words[(*at_io)++];
    struct rk_client_bytes name = { (const char *)word.bytes + 2, word.size - 2 }, argument = { "", 0 };
    char verb_name[NAME_BYTES];
    enum rk_client_option_id id = rk_client_options_lookup(name, verb->options);

    if (id == RK_CLIENT_N_OPTIONS) {
        rk_detail_set(
            detail, "there is no option %.*s here (HELP %s lists them); a key that begins with -- stands in quotes",
            (int)(word.size < 80 ? word.size : 80), (const char *)word.bytes, capitals(verb->name, verb_name));
        return RK_ERR_INVALID;
    }
    if (rk_client_options_table[id].argument != NULL) {
        if (*at_io >= line->n_words) {
            rk_detail_set(detail, "behind --%s stands its %s", rk_client_options_table[id].name,
                          rk_client_options_table[id].argument);
            return RK_ERR_INVALID;
        }
        argument = line->words[(*at_io)++];
    }
    return rk_client_options_take(options, id, argument, detail);
}

static enum rk_client_exit refuse_usage(struct shell *shell, const struct rk_client_verb *verb)
{
    char name[NAME_BYTES];

    return refuse(shell, "usage: %s %s (a word with spaces stands in quotes)", capitals(verb->name, name),
                  verb->operands);
}

/* A value of several plain words is those words with one space between them, as in the original's client. */
static enum rk_client_exit run_operands(struct shell *shell, const struct rk_client_verb *verb,
                                        const struct rk_client_line *line, size_t first,
                                        const struct rk_client_options *options)
{
    struct rk_client_words words = { .options = options };
    size_t n_operands = line->n_words - first;

    if (n_operands < (size_t)verb->min_operands || (n_operands > (size_t)verb->max_operands && !verb->takes_value))
        return refuse_usage(shell, verb);
    if (n_operands > 2 && line->last_quoted > first + 1)
        return refuse_usage(shell, verb);
    words.key = line->words[first];
    if (words.key.size == 0)
        return refuse(shell, "a key has at least one byte");
    if (n_operands > 1)
        words.value = rk_client_line_rest(line, first + 1);
    return verb->run(&shell->session, &words);
}

static enum rk_client_exit run_verb(struct shell *shell, const struct rk_client_verb *verb,
                                    const struct rk_client_line *line)
{
    struct rk_client_options options = { .given = 0 };
    struct rk_detail detail;
    enum rk_client_exit code;
    enum rk_err err = RK_OK;
    size_t at = 1;

    while (err == RK_OK && at < RK_CLIENT_LINE_WORDS_MAX - 3 && is_option(line, at)) /* behind it are two operands */
        err = read_option(verb, line, &at, &options, &detail);
    if (err == RK_OK && is_option(line, at))
        code = refuse(shell, "these are more options than a line may have");
    else if (err != RK_OK)
        code = rk_client_report(&shell->session, err, NULL, &detail);
    else
        code = run_operands(shell, verb, line, at, &options);
    rk_client_options_fini(&options);
    return code;
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
    verb = lookup_verb(line->words[0]);
    if (verb != NULL)
        return run_verb(shell, verb, line);
    command = lookup_command(line->words[0]);
    if (command == NULL)
        return refuse(shell, "there is no such command; HELP lists them");
    if (line->n_words - 1 > command->max_operands)
        return refuse(shell, "usage: %s%s%s", command->name, command->operands[0] != '\0' ? " " : "",
                      command->operands);
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
static const char **list_words(char (*names)[NAME_BYTES])
{
    const char **words = rk_mem_calloc(rk_client_n_verbs + N_COMMANDS + 1, sizeof *words);
    size_t n = 0;

    for (size_t i = 0; i < rk_client_n_verbs; i++)
        if (rk_client_verbs[i].kind == RK_CLIENT_VERB_KEY)
            words[n++] = capitals(rk_client_verbs[i].name, names[i]);
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
    char(*names)[NAME_BYTES] = rk_mem_calloc(rk_client_n_verbs, sizeof *names);
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
