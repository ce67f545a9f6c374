/* rackkvctl: administration of a running server over its control socket. One table of commands; what they do is in
 * src/client (client_admin.h), what is asked and answered in doc/control.md. */
#include "base/base_detail.h"
#include "base/base_stdio.h"
#include "base/base_suggest.h"
#include "bin/bin_protocol.h"
#include "bin/bin_socket.h"
#include "client/client_admin.h"
#include "client/client_control.h"
#include "client/client_duration.h"
#include "client/client_locale.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OVERRIDES_MAX 64
#define NAME_BYTES    64

struct settings {
    const char *socket;
    const char *conf_file;
    const char *overrides[OVERRIDES_MAX];
    size_t n_overrides;
    uint64_t timeout_ms; /* 0: none was given */
    bool json;
    bool exact;
    bool all;
    bool wait;
    bool help;
    bool version;
};

struct command {
    const char *name; /* one word or two */
    const char *operands;
    const char *summary;
    size_t min_operands;
    size_t max_operands;
    bool takes_merge_options; /* --all, --wait */
    rk_client_admin_fn *run;  /* NULL: it needs no server */
    const char *help;
};

static const struct command commands[] = {
    { "ping", "", "is the server there, and does it serve?", 0, 0, false, rk_client_admin_ping,
      "Prints its state, serving or recovering. Exit code 3: no server runs there.\n" },
    { "status", "", "what it is doing: one screen", 0, 0, false, rk_client_admin_status, "" },
    { "stats", "", "all counters", 0, 0, false, rk_client_admin_stats,
      "Counts since the server was started, of the writer and of each worker; bytes and seconds. A worker's counts go\n"
      "on in the one that replaces it.\n" },
    { "merge start", "[FILE...] [--all] [--wait]", "give back the space of dead records", 0, SIZE_MAX, true,
      rk_client_admin_merge_start,
      "Merges the data files with these numbers; with --all every file, after the active one was sealed; with neither\n"
      "those that merge.policy would (explain-space says which).\n"
      "\n"
      "      --all    every data file\n"
      "      --wait   returns when the merge is over, and shows how far it is\n"
      "\n"
      "Exit code 1: nothing to merge, a merge is under way, or with --wait: it failed or was cancelled.\n" },
    { "merge pause", "", "stand still, and start nothing", 0, 0, false, rk_client_admin_merge_pause,
      "A merge that runs goes on with merge resume. A restart forgets the pause.\n" },
    { "merge resume", "", "go on after merge pause", 0, 0, false, rk_client_admin_merge_resume, "" },
    { "merge cancel", "", "end the merge that runs", 0, 0, false, rk_client_admin_merge_cancel,
      "What it has finished stays, the rest is as before. Exit code 1: none runs.\n" },
    { "merge status", "", "the merge that runs, and when the next may", 0, 0, false, rk_client_admin_merge_status, "" },
    { "merge history", "", "the last merges, newest first", 0, 0, false, rk_client_admin_merge_history, "" },
    { "merge rate", "[BYTES|unlimited|paced]", "show or set how fast a merge may be", 0, 1, false,
      rk_client_admin_merge_rate,
      "BYTES is what is copied in a second, as 50MiB; the merge yields to requests besides. paced is no limit but "
      "that;\n"
      "unlimited is as fast as the disk. It counts from now on until the next restart, which reads merge.rate.\n"
      "\n"
      "Example: rackkvctl merge rate 20MiB\n" },
    { "roll", "", "seal the active data file, begin another", 0, 0, false, rk_client_admin_roll, "" },
    { "sync", "", "make all that was written durable", 0, 0, false, rk_client_admin_sync,
      "In mode log.sync: always it is durable already.\n" },
    { "reopen", "", "begin a new log file, after the old one was moved", 0, 0, false, rk_client_admin_reopen,
      "The same as the signal USR1: opens server.log_file by its name again, and has the workers do so. Exit code 1: "
      "messages\n"
      "go to standard error.\n" },
    { "file list", "", "the data files", 0, 0, false, rk_client_admin_file_list, "" },
    { "explain-space", "", "where every byte of every data file is", 0, 0, false, rk_client_admin_explain_space,
      "For each data file what is live, what is dead and why (overwritten, deleted, expired), tombstones, the file's "
      "own\n"
      "frame and what is preallocated: they add up to its size (see it with --bytes). The last column says whether a\n"
      "merge would take it, and why not. What has expired is looked for first; not while a merge runs.\n" },
    { "whereis", "KEY", "file and offset of a key's newest record", 1, 1, false, rk_client_admin_whereis,
      "Exit code 1: there is no such key. A key that begins with a dash stands behind --.\n" },
    { "version", "", "print the version of this program", 0, 0, false, NULL, "" },
    { "help", "[COMMAND]", "print this, or about one command", 0, 2, false, NULL, "" },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static enum rk_client_exit refuse_usage(const struct settings *settings, const char *text)
{
    rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_USAGE, "usage", text);
    if (!settings->json)
        fputs("Try: rackkvctl help\n", stderr);
    return RK_CLIENT_EXIT_USAGE;
}

/* ---- help ---- */

static void print_options(void)
{
    puts("  -s, --socket SOCKET         the server's control socket\n"
         "  -c, --config FILE           its configuration, which says where the socket is\n"
         "  -o, --option SECTION.KEY=VALUE\n"
         "                              the same as that of rackkvd\n"
         "                              (default: $RACKKV_SOCKET, else ./data/control.sock)\n"
         "  -t, --timeout TIME          how long the command may take, as 500ms or 5s\n"
         "      --json                  one JSON object on standard output, stable for programs\n"
         "  -b, --bytes                 sizes in tables with all their digits\n"
         "  -h, --help                  about a command\n"
         "  -V, --version               print the version\n"
         "\n"
         "Exit codes: 0 done, 1 failed or absent, 2 wrong usage, 3 no server runs there, 4 it does not answer.\n"
         "More: rackkvctl help COMMAND, rackkvctl(8)");
}

static void print_help(void)
{
    puts("Administration of a RackKV server, over its control socket.\n\n"
         "Usage: rackkvctl [-s SOCKET | -c FILE] [--json] COMMAND\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-14s %s\n", commands[i].name, commands[i].summary);
    puts("");
    print_options();
}

static void print_command_help(const struct command *command)
{
    printf("rackkvctl %s: %s\n\nUsage: rackkvctl [OPTIONS] %s%s%s\n", command->name, command->summary, command->name,
           command->operands[0] != '\0' ? " " : "", command->operands);
    if (command->help[0] != '\0')
        printf("\n%s", command->help);
    rk_bin_protocol_print(command->name);
}

/* All commands whose first word is this; whether there are any. */
static bool print_group_help(const char *group)
{
    size_t len = strlen(group), n = 0;

    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strncmp(commands[i].name, group, len) == 0 && commands[i].name[len] == ' ' && ++n > 0)
            printf("rackkvctl %s %s\n    %s\n", commands[i].name, commands[i].operands, commands[i].summary);
    return n > 0;
}

/* ---- which command ---- */

/* The command that the first words name, two words before one; *n_words_out of them. */
static const struct command *lookup_command(char *const *words, size_t n_words, size_t *n_words_out)
{
    char pair[NAME_BYTES];

    if (n_words > 1)
        (void)snprintf(pair, sizeof pair, "%.30s %.30s", words[0], words[1]);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        bool is_pair = n_words > 1 && strcmp(commands[i].name, pair) == 0;

        if (!is_pair && (n_words == 0 || strcmp(commands[i].name, words[0]) != 0))
            continue;
        *n_words_out = is_pair ? 2 : 1;
        return &commands[i];
    }
    return NULL;
}

static const char *suggest_command(const char *wrong)
{
    const char *best = NULL;

    for (size_t i = 0; i < N_COMMANDS; i++)
        best = rk_suggest_better(wrong, commands[i].name, best);
    return best;
}

/* "merge" alone, or "merge" and what it has not. */
static bool list_group(const char *group, char *text, size_t size)
{
    size_t len = strlen(group), used = 0;

    for (size_t i = 0; i < N_COMMANDS && used < size; i++)
        if (strncmp(commands[i].name, group, len) == 0 && commands[i].name[len] == ' ')
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", commands[i].name + len + 1);
    return used > 0;
}

static enum rk_client_exit refuse_unknown(const struct settings *settings, char *const *words, size_t n_words)
{
    char wrong[NAME_BYTES], list[128], text[384];
    const char *meant;

    (void)snprintf(wrong, sizeof wrong, "%.30s%s%.30s", words[0], n_words > 1 ? " " : "", n_words > 1 ? words[1] : "");
    meant = suggest_command(wrong);
    if (meant == NULL)
        meant = suggest_command(words[0]);
    if (meant != NULL)
        (void)snprintf(text, sizeof text, "there is no command '%s'; did you mean '%s'?", wrong, meant);
    else if (list_group(words[0], list, sizeof list))
        (void)snprintf(text, sizeof text, "%s needs one of: %s", words[0], list);
    else
        (void)snprintf(text, sizeof text, "there is no command '%s'", wrong);
    return refuse_usage(settings, text);
}

/* ---- where the server is ---- */

static enum rk_client_exit report_no_server(const struct settings *settings, enum rk_err err, const char *path,
                                            const struct rk_detail *detail)
{
    char text[RK_DETAIL_BYTES + 128];

    if (err == RK_ERR_NOT_FOUND) {
        (void)snprintf(text, sizeof text,
                       "%.700s: no server runs here; say where with -s SOCKET, -c FILE or RACKKV_SOCKET", path);
        return rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_NOT_RUNNING, "not_running", text);
    }
    if (err == RK_ERR_CLOSED)
        return rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_NOT_RUNNING, "not_running", detail->text);
    if (err == RK_ERR_INVALID || err == RK_ERR_TOO_LARGE)
        return rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_USAGE, "usage", detail->text);
    return rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_UNREACHABLE, "unreachable", detail->text);
}

static enum rk_client_exit run_with_server(const struct settings *settings, const struct command *command,
                                           const struct rk_client_admin_words *words)
{
    struct rk_client_admin admin = { .json = settings->json,
                                     .exact = settings->exact,
                                     .terminal = isatty(STDOUT_FILENO) != 0 };
    struct rk_bin_socket_words where = { settings->socket, settings->conf_file, settings->overrides,
                                         settings->n_overrides };
    struct rk_detail detail = { "" };
    char *path = rk_bin_socket_find(&where, &detail);
    enum rk_client_exit code;
    enum rk_err err;

    if (path == NULL)
        return rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_USAGE, "usage", detail.text);
    err = rk_client_control_open(&admin.control, path, settings->timeout_ms, &detail);
    code = err == RK_OK ? command->run(&admin, words) : report_no_server(settings, err, path, &detail);
    rk_client_control_close(&admin.control);
    free(path);
    return code;
}

/* ---- arguments ---- */

enum long_option { OPTION_JSON = 256, OPTION_ALL, OPTION_WAIT };

static const struct option long_options[] = {
    { "socket", required_argument, NULL, 's' },
    { "config", required_argument, NULL, 'c' },
    { "option", required_argument, NULL, 'o' },
    { "timeout", required_argument, NULL, 't' },
    { "json", no_argument, NULL, OPTION_JSON },
    { "bytes", no_argument, NULL, 'b' },
    { "all", no_argument, NULL, OPTION_ALL },
    { "wait", no_argument, NULL, OPTION_WAIT },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

/* Options may stand behind the operands, so that -x behind whereis is taken for one. */
static void refuse_option(int argc, char **argv)
{
    bool takes_key = false;

    for (int i = 1; i < argc; i++)
        takes_key |= strcmp(argv[i], "whereis") == 0;
    if (takes_key)
        fputs("rackkvctl: a key that begins with a dash stands behind --: rackkvctl whereis -- KEY\n", stderr);
    fputs("Try: rackkvctl help\n", stderr);
}

static bool take_timeout(struct settings *settings, const char *text)
{
    struct rk_detail detail;

    if (rk_client_duration_parse("--timeout", text, &settings->timeout_ms, &detail) == RK_OK)
        return true;
    fprintf(stderr, "rackkvctl: %s\n", detail.text);
    return false;
}

/* False after saying what is wrong. */
static bool take_option(struct settings *settings, int option)
{
    switch (option) {
    case 's':
        settings->socket = optarg;
        return true;
    case 'c':
        settings->conf_file = optarg;
        return true;
    case 'o':
        if (settings->n_overrides == OVERRIDES_MAX) {
            fputs("rackkvctl: too many of -o\n", stderr);
            return false;
        }
        settings->overrides[settings->n_overrides++] = optarg;
        return true;
    case 't':
        return take_timeout(settings, optarg);
    case 'b':
        return settings->exact = true;
    case 'h':
        return settings->help = true;
    case 'V':
        return settings->version = true;
    case OPTION_JSON:
        return settings->json = true;
    case OPTION_ALL:
        return settings->all = true;
    case OPTION_WAIT:
        return settings->wait = true;
    default:
        return false; /* getopt_long has said it */
    }
}

static enum rk_client_exit print_version(const struct settings *settings)
{
    puts(settings->json ? "{\"ok\":true,\"version\":\"" PACKAGE_VERSION "\"}" : "rackkvctl " PACKAGE_VERSION);
    return RK_CLIENT_EXIT_DONE;
}

/* About these words, or about everything. */
static enum rk_client_exit run_help(const struct settings *settings, char *const *words, size_t n_words)
{
    const struct command *command;
    size_t n_taken;

    if (n_words == 0) {
        print_help();
        return RK_CLIENT_EXIT_DONE;
    }
    command = lookup_command(words, n_words, &n_taken);
    if (command != NULL)
        print_command_help(command);
    else if (n_words > 1 || !print_group_help(words[0]))
        return refuse_unknown(settings, words, n_words);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_words(const struct settings *settings, char **words, size_t n_words)
{
    struct rk_client_admin_words rest = { .all = settings->all, .wait = settings->wait };
    const struct command *command;
    size_t n_taken;
    char text[256];

    if (settings->version)
        return print_version(settings);
    if (settings->help)
        return run_help(settings, words, n_words);
    if (n_words == 0)
        return refuse_usage(settings, "a command is needed");
    command = lookup_command(words, n_words, &n_taken);
    if (command == NULL)
        return refuse_unknown(settings, words, n_words);
    rest.operands = words + n_taken;
    rest.n_operands = n_words - n_taken;
    if (rest.n_operands < command->min_operands || rest.n_operands > command->max_operands
        || (!command->takes_merge_options && (rest.all || rest.wait))) {
        (void)snprintf(text, sizeof text, "usage: rackkvctl [OPTIONS] %s%s%s", command->name,
                       command->operands[0] != '\0' ? " " : "", command->operands);
        return refuse_usage(settings, text);
    }
    if (command->run != NULL)
        return run_with_server(settings, command, &rest);
    return strcmp(command->name, "version") == 0 ? print_version(settings)
                                                 : run_help(settings, rest.operands, rest.n_operands);
}

static enum rk_client_exit run(int argc, char **argv)
{
    struct settings settings = { .socket = NULL };
    int option;

    rk_client_locale_set_up();
    while ((option = getopt_long(argc, argv, "s:c:o:t:bhV", long_options, NULL)) != -1)
        if (!take_option(&settings, option)) {
            refuse_option(argc, argv);
            return RK_CLIENT_EXIT_USAGE;
        }
    return run_words(&settings, argv + optind, (size_t)(argc - optind));
}

int main(int argc, char **argv)
{
    if (!rk_stdio_open())
        return RK_CLIENT_EXIT_FAILED; /* and there is nowhere to say it */
    return rk_client_finish(run(argc, argv));
}
