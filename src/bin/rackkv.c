/* rackkv: the client, and the way to start a server. Its commands are the rows of src/client/client_verbs.c, and what
 * they do is in src/client; here is who runs them, and what the program does by itself. */
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_stdio.h"
#include "bin/bin_help.h"
#include "bin/bin_open.h"
#include "bin/bin_words.h"
#include "client/client_locale.h"
#include "client/client_server.h"
#include "client/client_shell.h"
#include "client/client_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --url, else $RACKKV_URL, else the default. The session ends with close_session. */
static enum rk_client_exit open_session(struct rk_client_session *session, const struct rk_bin_words *words)
{
    const char *url = words->url != NULL ? words->url : getenv("RACKKV_URL");
    struct rk_detail detail;

    *session = (struct rk_client_session){ .json = words->json, .terminal = isatty(STDOUT_FILENO) != 0 };
    if (url == NULL || url[0] == '\0')
        url = RK_CLIENT_URL_DEFAULT;
    if (rk_client_create(&session->client, url, &detail) != RK_OK)
        return rk_bin_help_refuse(detail.text, "");
    rk_client_set_timeout(session->client, words->timeout_ms);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit close_session(struct rk_client_session *session, enum rk_client_exit code)
{
    rk_client_destroy(&session->client);
    return code;
}

/* ---- commands that ask a server ---- */

static struct rk_client_bytes bytes_of(const char *text)
{
    return (struct rk_client_bytes){ text, text != NULL ? strlen(text) : 0 };
}

/* The second operand may be a file, or standard input. */
static enum rk_client_exit run_with_value(const struct rk_client_session *session, const struct rk_client_verb *verb,
                                          struct rk_client_words *words)
{
    struct rk_client_buffer value = { .size = 0 };
    struct rk_detail detail = { "" };
    enum rk_err err = rk_client_value_read(words->value.bytes, &value, &detail);
    enum rk_client_exit code;

    words->value = (struct rk_client_bytes){ value.bytes, value.size };
    if (err == RK_OK)
        code = verb->run(session, words);
    else
        code = rk_client_report(session, err, NULL, &detail);
    rk_client_buffer_fini(&value);
    return code;
}

static enum rk_client_exit run_verb(const struct rk_bin_words *said, const struct rk_client_verb *verb, char **operands)
{
    struct rk_client_words words = { .key = bytes_of(operands[0]), .options = &said->options };
    struct rk_client_session session;
    enum rk_client_exit code;

    if (verb->kind == RK_CLIENT_VERB_KEY && operands[0][0] == '\0')
        return rk_bin_help_refuse("a key has at least one byte", "");
    if (operands[0] != NULL)
        words.value = bytes_of(operands[1]);
    code = open_session(&session, said);
    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    code = verb->takes_value ? run_with_value(&session, verb, &words) : verb->run(&session, &words);
    return close_session(&session, code);
}

static enum rk_client_exit run_shell(const struct rk_bin_words *words)
{
    struct rk_client_session session;
    enum rk_client_exit code = open_session(&session, words);

    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    return close_session(&session, rk_client_shell_run(session.client, session.json));
}

/* ---- commands about the program ---- */

static enum rk_client_exit run_help(const char *name)
{
    const struct rk_client_verb *verb = name != NULL ? rk_client_verb_lookup(bytes_of(name)) : NULL;

    if (name != NULL && verb == NULL)
        return rk_bin_help_refuse_unknown(name);
    if (verb != NULL)
        rk_bin_help_print_verb(verb);
    else
        rk_bin_help_print();
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_version(const struct rk_bin_words *words)
{
    puts(words->json ? "{\"version\":\"" PACKAGE_VERSION "\"}" : "rackkv " PACKAGE_VERSION);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_program_verb(const struct rk_bin_words *words, const struct rk_client_verb *verb,
                                            char **operands)
{
    if (strcmp(verb->name, "shell") == 0)
        return run_shell(words);
    if (strcmp(verb->name, "help") == 0)
        return run_help(operands[0]);
    if (strcmp(verb->name, "version") == 0)
        return run_version(words);
    rk_bin_help_print_completion();
    return RK_CLIENT_EXIT_DONE;
}

/* ---- open ---- */

static enum rk_client_exit become_server(char **server_argv)
{
    struct rk_detail detail;

    (void)rk_client_server_exec(server_argv, &detail);
    fprintf(stderr, "rackkv: %s\n", detail.text);
    return RK_CLIENT_EXIT_FAILED;
}

static enum rk_client_exit run_open(int argc, char **argv, const struct rk_client_verb *verb)
{
    char **server_argv = rk_mem_calloc(2 * (size_t)argc + 2, sizeof *server_argv);
    int first = argc;
    enum rk_bin_open asked = rk_bin_open_read(argc, argv, server_argv, &first);
    enum rk_client_exit code;

    if (asked == RK_BIN_OPEN_HELP) {
        rk_bin_help_print_verb(verb);
        code = RK_CLIENT_EXIT_DONE;
    } else if (asked == RK_BIN_OPEN_WRONG)
        code = rk_bin_help_refuse("usage: rackkv open ", verb->operands);
    else if (first < argc)
        code = rk_bin_help_refuse("open takes no operand: ", argv[first]);
    else
        code = become_server(server_argv);
    free(server_argv);
    return code;
}

/* ---- which ---- */

/* argv[0] is the command's name. */
static enum rk_client_exit run_command(int argc, char **argv, struct rk_bin_words *words)
{
    const struct rk_client_verb *verb = rk_client_verb_lookup(bytes_of(argv[0]));
    int first;

    if (verb == NULL)
        return rk_bin_help_refuse_unknown(argv[0]);
    if (verb->kind == RK_CLIENT_VERB_SERVER && (words->url != NULL || words->json || words->timeout_ms != 0))
        return rk_bin_help_refuse("open starts a server, and takes none of --url, --json and --timeout", "");
    if (verb->kind == RK_CLIENT_VERB_SERVER)
        return run_open(argc, argv, verb);
    first = rk_bin_words_read(argc, argv, verb, words);
    if (first == RK_BIN_WORDS_WRONG)
        return RK_CLIENT_EXIT_USAGE;
    if (first < 0)
        return rk_bin_help_refuse_operands(verb);
    if (words->version)
        return run_version(words);
    if (words->help)
        return run_help(verb->name);
    if (argc - first < verb->min_operands || argc - first > verb->max_operands)
        return rk_bin_help_refuse_operands(verb);
    return verb->run != NULL ? run_verb(words, verb, argv + first) : run_program_verb(words, verb, argv + first);
}

static enum rk_client_exit run(int argc, char **argv, struct rk_bin_words *words)
{
    int first;

    rk_client_locale_set_up();
    first = rk_bin_words_read(argc, argv, NULL, words);
    if (first < 0)
        return RK_CLIENT_EXIT_USAGE;
    if (words->version)
        return run_version(words);
    if (words->help)
        return run_help(NULL);
    if (first < argc)
        return run_command(argc - first, argv + first, words);
    if (isatty(STDIN_FILENO))
        return run_shell(words);
    return rk_bin_help_refuse("a command is needed", "");
}

int main(int argc, char **argv)
{
    struct rk_bin_words words = { .url = NULL };
    enum rk_client_exit code;

    if (!rk_stdio_open())
        return RK_CLIENT_EXIT_FAILED; /* and there is nowhere to say it */
    code = run(argc, argv, &words);
    rk_bin_words_fini(&words);
    return rk_client_finish(code);
}
