/* rackkv: the client, and the way to start a server. One table of commands; what they do is in src/client. */
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_suggest.h"
#include "client/client_buffer.h"
#include "client/client_command.h"
#include "client/client_server.h"
#include "client/client_shell.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was said before and after the command's name. */
struct settings {
    const char *url;
    bool json;
    bool help;
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
    if (rk_client_create(&session->client, url, &detail) == RK_OK)
        return RK_CLIENT_EXIT_DONE;
    return refuse_usage(detail.text, "");
}

static enum rk_client_exit close_session(struct rk_client_session *session, enum rk_client_exit code)
{
    rk_client_destroy(&session->client);
    return rk_client_finish(code);
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

/* VALUE as it is, "-" for standard input, "@file" for a file. */
static enum rk_err read_value(const char *text, struct rk_client_buffer *value, struct rk_detail *detail)
{
    enum rk_err err;
    int fd;

    if (strcmp(text, "-") == 0)
        return rk_client_buffer_read(value, STDIN_FILENO, "standard input", detail);
    if (text[0] != '@')
        return rk_client_buffer_append(value, text, strlen(text)) ? RK_OK : RK_ERR_NO_MEMORY;
    fd = rk_open_file(AT_FDCWD, text + 1, O_RDONLY, 0);
    if (fd < 0) {
        rk_detail_set(detail, "%s: %s", text + 1, rk_open_text(errno));
        return RK_ERR_IO;
    }
    err = rk_client_buffer_read(value, fd, text + 1, detail);
    (void)close(fd); /* it was only read */
    return err;
}

static enum rk_client_exit put_value(const struct rk_client_session *session, const char *key, const char *text)
{
    struct rk_client_buffer value = { .size = 0 };
    struct rk_detail detail = { "out of memory" };
    enum rk_err err = read_value(text, &value, &detail);
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
    return rk_client_finish(RK_CLIENT_EXIT_DONE);
}

static enum rk_client_exit run_version(const struct settings *settings, char **operands)
{
    puts(settings->json ? "{\"version\":\"" PACKAGE_VERSION "\"}" : "rackkv " PACKAGE_VERSION);
    return rk_client_finish(RK_CLIENT_EXIT_DONE);
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
      "Stores VALUE under KEY. A VALUE of - is read from standard input, one of @FILE from that file, byte for byte.\n"
      "Options stand before the key, so that a value may begin with a dash.\n"
      "\n"
      "Example: tar -c dir | rackkv put backup/dir -\n" },
    { "get", "KEY", "print a value", 1, 1, run_get,
      "Writes the value's bytes to standard output, and nothing else. On a terminal, a value that is not text is "
      "shown\n"
      "with \\xHH for the bytes that can't be printed. Exit code 1: there is no such key.\n" },
    { "delete", "KEY", "delete a key", 1, 1, run_delete, "Exit code 1: there is no such key.\n" },
    { "exists", "KEY", "is there such a key? (exit code 0 or 1)", 1, 1, run_exists,
      "Says nothing; the exit code is the answer: 0 yes, 1 no. With --json it prints the answer as well.\n" },
    { "shell", "", "a prompt: PUT k v, GET k, DELETE k ...", 0, 0, run_shell,
      "A prompt with history and completion. From a pipe it runs one command a line, and its exit code is 1 if any of\n"
      "them failed. HELP lists the commands. rackkv without any command, on a terminal, is the same.\n"
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
    puts("RackKV: a key-value store over HTTP.\n\nUsage: rackkv [--url URL] [--json] COMMAND\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-8s %-12s %s\n", commands[i].name, strlen(commands[i].operands) > 12 ? "..." : commands[i].operands,
               commands[i].summary);
    puts("\n"
         "  -u, --url URL   where the server is: http://host:port or unix:/path\n"
         "                  (default: $RACKKV_URL, else " RK_CLIENT_URL_DEFAULT ")\n"
         "      --json      one JSON object on standard output, stable for programs\n"
         "\n"
         "Exit codes: 0 done, 1 failed or absent, 2 wrong usage, 4 no server answers.\n"
         "More: rackkv help COMMAND, rackkv(1)");
}

static void print_command_help(const struct command *command)
{
    printf("rackkv %s: %s\n\nUsage: rackkv %s%s%s%s\n", command->name, command->summary, command->name,
           command->run != NULL ? " [--url URL] [--json]" : "", command->operands[0] != '\0' ? " " : "",
           command->operands);
    if (command->help[0] != '\0')
        printf("\n%s", command->help);
}

static enum rk_client_exit refuse_unknown(const char *name)
{
    const struct command *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (size_t i = 0; i < N_COMMANDS; i++) {
        size_t distance = rk_suggest_distance(name, commands[i].name);

        if (distance < best_distance && rk_suggest_is_close(name, commands[i].name, distance)) {
            best = &commands[i];
            best_distance = distance;
        }
    }
    fprintf(stderr, "rackkv: there is no command %s", name);
    if (best != NULL)
        fprintf(stderr, "; did you mean %s?", best->name);
    fprintf(stderr, "\nTry: rackkv help\n");
    return RK_CLIENT_EXIT_USAGE;
}

/* Reads options up to the first operand, whose index is returned; -1 after saying what is wrong. */
static int read_options(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {
        { "url", required_argument, NULL, 'u' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    optind = 0; /* begins anew */
    while ((option = getopt_long(argc, argv, "+u:h", options, NULL)) != -1) {
        if (option == 'u')
            settings->url = optarg;
        else if (option == 'j')
            settings->json = true;
        else if (option == 'h')
            settings->help = true;
        else
            return -1; /* getopt_long has said it */
    }
    return optind;
}

/* Translates the options of `open` into rackkvd's, which knows what they mean, and says what is wrong with them.
 * Returns the letter of what ended it: '?' a wrong one, 'h' a wish for help, 0 all were read. */
static int read_open_options(int argc, char **argv, char **server_argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "option", required_argument, NULL, 'o' },
        { "daemon", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static char config_flag[] = "-c", option_flag[] = "-o", daemon_flag[] = "--daemon";
    size_t n = 1;
    int option;

    optind = 0; /* begins anew */
    while ((option = getopt_long(argc, argv, "+c:o:h", options, NULL)) != -1) {
        if (option == '?' || option == 'h')
            return option;
        server_argv[n++] = option == 'd' ? daemon_flag : option == 'c' ? config_flag : option_flag;
        if (option != 'd')
            server_argv[n++] = optarg;
    }
    return 0;
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
    int end = read_open_options(argc, argv, server_argv);
    enum rk_client_exit code;

    if (end == 'h') {
        print_command_help(lookup_command("open"));
        code = rk_client_finish(RK_CLIENT_EXIT_DONE);
    } else if (end == '?')
        code = refuse_usage("usage: rackkv open ", lookup_command("open")->operands);
    else if (optind < argc)
        code = refuse_usage("open takes no operand: ", argv[optind]);
    else
        code = become_server(server_argv);
    free(server_argv);
    return code;
}

/* argv[0] is the command's name. */
static enum rk_client_exit run_command(int argc, char **argv, struct settings *settings)
{
    const struct command *command = lookup_command(argv[0]);
    int first;

    if (command == NULL)
        return refuse_unknown(argv[0]);
    if (command->run == NULL)
        return run_open(argc, argv);
    first = read_options(argc, argv, settings);
    if (first < 0)
        return refuse_usage("usage: rackkv ", command->name);
    if (settings->help) {
        print_command_help(command);
        return rk_client_finish(RK_CLIENT_EXIT_DONE);
    }
    if (argc - first < command->min_operands || argc - first > command->max_operands) {
        fprintf(stderr, "rackkv: usage: rackkv %s [--url URL] [--json] %s\nTry: rackkv help %s\n", command->name,
                command->operands, command->name);
        return RK_CLIENT_EXIT_USAGE;
    }
    return command->run(settings, argv + first);
}

int main(int argc, char **argv)
{
    struct settings settings = { .url = NULL };
    char *no_operands[] = { NULL };
    int first;

    (void)setlocale(LC_CTYPE, ""); /* which characters can be printed; without a locale, ASCII */
    first = read_options(argc, argv, &settings);
    if (first < 0)
        return RK_CLIENT_EXIT_USAGE;
    if (settings.help)
        return run_help(&settings, no_operands);
    if (first < argc)
        return run_command(argc - first, argv + first, &settings);
    if (isatty(STDIN_FILENO))
        return run_shell(&settings, no_operands);
    return refuse_usage("a command is needed", "");
}
