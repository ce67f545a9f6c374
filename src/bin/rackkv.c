/* rackkv: the client, and the way to start a server. One table of commands; what they do is in src/client. */
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_stdio.h"
#include "base/base_suggest.h"
#include "bin/bin_open.h"
#include "client/client_buffer.h"
#include "client/client_command.h"
#include "client/client_duration.h"
#include "client/client_locale.h"
#include "client/client_server.h"
#include "client/client_shell.h"
#include "client/client_value.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was said before and after the command's name. */
struct settings {
    const char *url;
    uint64_t timeout_ms; /* 0: none was given */
    bool json;
    bool help;
    bool version;
};

struct command {
    const char *name;
    const char *operands;
    const char *summary;
    int min_operands;
    int max_operands;
    enum rk_client_exit (*run)(const struct settings *settings,
                               char **operands); /* NULL: `open` reads its own options */
    const char *help;
};

static const struct command *lookup_command(const char *name);
static void print_help(void);
static void print_command_help(const struct command *command);
static enum rk_client_exit refuse_unknown(const char *name);

static enum rk_client_exit refuse_usage(const char *what, const char *value)
{
    fprintf(stderr, "rackkv: %s%s\nTry: rackkv help\n", what, value);
    return RK_CLIENT_EXIT_USAGE;
}

/* --url, else $RACKKV_URL, else the default. The session ends with close_session. */
static enum rk_client_exit open_session(struct rk_client_session *session, const struct settings *settings)
{
    const char *url = settings->url != NULL ? settings->url : getenv("RACKKV_URL");
    struct rk_detail detail;

    *session = (struct rk_client_session){ .json = settings->json, .terminal = isatty(STDOUT_FILENO) != 0 };
    if (url == NULL || url[0] == '\0')
        url = RK_CLIENT_URL_DEFAULT;
    if (rk_client_create(&session->client, url, &detail) != RK_OK)
        return refuse_usage(detail.text, "");
    rk_client_set_timeout(session->client, settings->timeout_ms);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit close_session(struct rk_client_session *session, enum rk_client_exit code)
{
    rk_client_destroy(&session->client);
    return code;
}

/* get, delete, exists: one command on one key. */
static enum rk_client_exit run_on_key(const struct settings *settings, const char *key,
                                      enum rk_client_exit (*run)(const struct rk_client_session *session,
                                                                 struct rk_client_bytes key))
{
    struct rk_client_session session;
    enum rk_client_exit code;

    if (key[0] == '\0')
        return refuse_usage("a key has at least one byte", "");
    code = open_session(&session, settings);
    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    return close_session(&session, run(&session, (struct rk_client_bytes){ key, strlen(key) }));
}

static enum rk_client_exit run_get(const struct settings *settings, char **operands)
{
    return run_on_key(settings, operands[0], rk_client_command_get);
}

static enum rk_client_exit run_delete(const struct settings *settings, char **operands)
{
    return run_on_key(settings, operands[0], rk_client_command_delete);
}

static enum rk_client_exit run_exists(const struct settings *settings, char **operands)
{
    return run_on_key(settings, operands[0], rk_client_command_exists);
}

static enum rk_client_exit put_value(const struct rk_client_session *session, const char *key, const char *text)
{
    struct rk_client_buffer value = { .size = 0 };
    struct rk_detail detail = { "" };
    enum rk_err err = rk_client_value_read(text, &value, &detail);
    enum rk_client_exit code;

    if (err != RK_OK)
        code = rk_client_report(session, err, &detail);
    else
        code = rk_client_command_put(session, (struct rk_client_bytes){ key, strlen(key) },
                                     (struct rk_client_bytes){ value.bytes, value.size });
    rk_client_buffer_fini(&value);
    return code;
}

static enum rk_client_exit run_put(const struct settings *settings, char **operands)
{
    struct rk_client_session session;
    enum rk_client_exit code;

    if (operands[0][0] == '\0')
        return refuse_usage("a key has at least one byte", "");
    code = open_session(&session, settings);
    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    return close_session(&session, put_value(&session, operands[0], operands[1]));
}

static enum rk_client_exit run_shell(const struct settings *settings, char **operands)
{
    struct rk_client_session session;
    enum rk_client_exit code = open_session(&session, settings);

    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    return close_session(&session, rk_client_shell_run(session.client, session.json));
}

static enum rk_client_exit run_help(const struct settings *settings, char **operands)
{
    const struct command *command = operands[0] != NULL ? lookup_command(operands[0]) : NULL;

    if (operands[0] != NULL && command == NULL)
        return refuse_unknown(operands[0]);
    if (command != NULL)
        print_command_help(command);
    else
        print_help();
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_version(const struct settings *settings, char **operands)
{
    puts(settings->json ? "{\"version\":\"" PACKAGE_VERSION "\"}" : "rackkv " PACKAGE_VERSION);
    return RK_CLIENT_EXIT_DONE;
}

static const struct command commands[] = {
    { "open", "[-c FILE] [-o section.key=value]... [--daemon]", "start a server", 0, 0, NULL,
      "Starts the server, rackkvd, in this terminal; Control-C stops it. Without a file it keeps its data in ./data "
      "and\n"
      "listens on 127.0.0.1:8080, with one worker a core.\n"
      "\n"
      "  -c, --config FILE           the configuration (rackkv.yaml(5))\n"
      "  -o, --option SECTION.KEY=VALUE\n"
      "                              sets one key, over the file; may be given several times\n"
      "      --daemon                returns when the server is ready, and leaves it in the background\n"
      "\n"
      "Example: rackkv open -o http.listen=127.0.0.1:9000,unix:/run/rackkv.sock -o log.sync=interval\n" },
    { "put", "KEY VALUE", "store a value", 2, 2, run_put,
      "Stores VALUE under KEY. A VALUE of - is read from standard input, one of @FILE from that file, byte for byte;\n"
      "@@TEXT is the value @TEXT. Options stand before the key, so that a value may begin with a dash; a key that "
      "does\n"
      "stands behind --.\n"
      "\n"
      "Examples: tar -c dir | rackkv put backup/dir -\n"
      "          rackkv put mail/7 @message.txt\n"
      "          rackkv put nick @@ada\n"
      "          rackkv put -- -dashed-key value\n" },
    { "get", "KEY", "print a value", 1, 1, run_get,
      "Writes the value's bytes to standard output, and nothing else. On a terminal, a value that is not text is "
      "shown\n"
      "with \\xHH for the bytes that can't be printed. Exit code 1: there is no such key. Whatever else goes wrong, "
      "no\n"
      "part of what another server answers is printed; of a value that was cut off the beginning may be.\n" },
    { "delete", "KEY", "delete a key", 1, 1, run_delete, "Exit code 1: there is no such key.\n" },
    { "exists", "KEY", "is there such a key? (exit code 0 or 1)", 1, 1, run_exists,
      "Says nothing; the exit code is the answer: 0 yes, 1 no. With --json it prints the answer as well.\n" },
    { "shell", "", "a prompt: PUT k v, GET k, DELETE k ...", 0, 0, run_shell,
      "A prompt with history and completion. From a pipe it runs one command a line, and its exit code is 1 if any of\n"
      "them failed. HELP lists the commands, and says how words are quoted. rackkv without any command, on a terminal, "
      "is the same.\n"
      "\n"
      "The history is kept in $RACKKV_HISTORY (empty: not at all), else in ~/.rackkv_history.\n"
      "\n"
      "Example: printf 'PUT a 1\\nGET a\\n' | rackkv shell\n" },
    { "help", "[COMMAND]", "print this, or about one command", 0, 1, run_help, "" },
    { "version", "", "print the version", 0, 0, run_version, "" },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *lookup_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_help(void)
{
    puts("RackKV: a key-value store over HTTP.\n\nUsage: rackkv [OPTIONS] COMMAND\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-8s %-12s %s\n", commands[i].name, strlen(commands[i].operands) > 12 ? "..." : commands[i].operands,
               commands[i].summary);
    puts("\n"
         "  -u, --url URL        where the server is: http://host:port or unix:/path\n"
         "                       (default: $RACKKV_URL, else " RK_CLIENT_URL_DEFAULT ")\n"
         "  -t, --timeout TIME   how long a request may take, as 500ms or 5s\n"
         "      --json           one JSON object on standard output, stable for programs\n"
         "  -h, --help           about a command\n"
         "  -V, --version        print the version\n"
         "\n"
         "Exit codes: 0 done, 1 failed or absent, 2 wrong usage, 4 no RackKV server answers, 5 a condition does not "
         "hold,\n"
         "6 not allowed.\n"
         "More: rackkv help COMMAND, rackkv(1)");
}

static void print_command_help(const struct command *command)
{
    printf("rackkv %s: %s\n\nUsage: rackkv %s%s%s%s\n", command->name, command->summary, command->name,
           command->run != NULL ? " [OPTIONS]" : "", command->operands[0] != '\0' ? " " : "", command->operands);
    if (command->help[0] != '\0')
        printf("\n%s", command->help);
}

static enum rk_client_exit refuse_unknown(const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < N_COMMANDS; i++)
        best = rk_suggest_better(name, commands[i].name, best);
    fprintf(stderr, "rackkv: there is no command %s", name);
    if (best != NULL)
        fprintf(stderr, "; did you mean %s?", best);
    fprintf(stderr, "\nTry: rackkv help\n");
    return RK_CLIENT_EXIT_USAGE;
}

static bool read_timeout(struct settings *settings, const char *text)
{
    struct rk_detail detail;

    if (rk_client_duration_parse("--timeout", text, &settings->timeout_ms, &detail) == RK_OK)
        return true;
    fprintf(stderr, "rackkv: %s\n", detail.text);
    return false;
}

/* Reads options up to the first operand, whose index is returned; -1 after saying what is wrong. */
static int read_options(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {
        { "url", required_argument, NULL, 'u' }, { "timeout", required_argument, NULL, 't' },
        { "json", no_argument, NULL, 'j' },      { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },   { NULL, 0, NULL, 0 },
    };
    int option;

    optind = 0; /* begins anew */
    while ((option = getopt_long(argc, argv, "+u:t:hV", options, NULL)) != -1) {
        if (option == 'u')
            settings->url = optarg;
        else if (option == 'j')
            settings->json = true;
        else if (option == 'h')
            settings->help = true;
        else if (option == 'V')
            settings->version = true;
        else if (option != 't' || !read_timeout(settings, optarg))
            return -1; /* it was said what is wrong */
    }
    return optind;
}

static enum rk_client_exit become_server(char **server_argv)
{
    struct rk_detail detail;

    (void)rk_client_server_exec(server_argv, &detail);
    fprintf(stderr, "rackkv: %s\n", detail.text);
    return RK_CLIENT_EXIT_FAILED;
}

static enum rk_client_exit run_open(int argc, char **argv)
{
    char **server_argv = rk_mem_calloc(2 * (size_t)argc + 2, sizeof *server_argv);
    int first = argc;
    enum rk_bin_open asked = rk_bin_open_read(argc, argv, server_argv, &first);
    enum rk_client_exit code;

    if (asked == RK_BIN_OPEN_HELP) {
        print_command_help(lookup_command("open"));
        code = RK_CLIENT_EXIT_DONE;
    } else if (asked == RK_BIN_OPEN_WRONG)
        code = refuse_usage("usage: rackkv open ", lookup_command("open")->operands);
    else if (first < argc)
        code = refuse_usage("open takes no operand: ", argv[first]);
    else
        code = become_server(server_argv);
    free(server_argv);
    return code;
}

static enum rk_client_exit refuse_operands(const struct command *command)
{
    fprintf(stderr, "rackkv: usage: rackkv %s [OPTIONS]%s%s\n", command->name, command->operands[0] != '\0' ? " " : "",
            command->operands);
    if (command->max_operands > 0)
        fprintf(
            stderr,
            "rackkv: options stand before it; what begins with a dash and is none stands behind --: rackkv %s -- %s\n",
            command->name, command->operands);
    fprintf(stderr, "Try: rackkv help %s\n", command->name);
    return RK_CLIENT_EXIT_USAGE;
}

/* argv[0] is the command's name. */
static enum rk_client_exit run_command(int argc, char **argv, struct settings *settings)
{
    const struct command *command = lookup_command(argv[0]);
    int first;

    if (command == NULL)
        return refuse_unknown(argv[0]);
    if (command->run == NULL && (settings->url != NULL || settings->json || settings->timeout_ms != 0))
        return refuse_usage("open starts a server, and takes none of --url, --json and --timeout", "");
    if (command->run == NULL)
        return run_open(argc, argv);
    first = read_options(argc, argv, settings);
    if (first < 0)
        return refuse_operands(command);
    if (settings->version)
        return run_version(settings, NULL);
    if (settings->help) {
        print_command_help(command);
        return RK_CLIENT_EXIT_DONE;
    }
    if (argc - first < command->min_operands || argc - first > command->max_operands)
        return refuse_operands(command);
    return command->run(settings, argv + first);
}

static enum rk_client_exit run(int argc, char **argv)
{
    struct settings settings = { .url = NULL };
    char *no_operands[] = { NULL };
    int first;

    rk_client_locale_set_up();
    first = read_options(argc, argv, &settings);
    if (first < 0)
        return RK_CLIENT_EXIT_USAGE;
    if (settings.version)
        return run_version(&settings, no_operands);
    if (settings.help)
        return run_help(&settings, no_operands);
    if (first < argc)
        return run_command(argc - first, argv + first, &settings);
    if (isatty(STDIN_FILENO))
        return run_shell(&settings, no_operands);
    return refuse_usage("a command is needed", "");
}

int main(int argc, char **argv)
{
    if (!rk_stdio_open())
        return RK_CLIENT_EXIT_FAILED; /* and there is nowhere to say it */
    return rk_client_finish(run(argc, argv));
}
