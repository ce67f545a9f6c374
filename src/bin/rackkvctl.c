/* rackkvctl: administration of a running server over its control socket. Its commands are the rows of bin_ctl.c; what
 * they do is in src/client (client_admin.h), what is asked and answered in doc/control.md. */
#include "base/base_detail.h"
#include "base/base_stdio.h"
#include "bin/bin_ctl.h"
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

static enum rk_client_exit refuse_usage(const struct settings *settings, const char *text)
{
    rk_client_admin_fail(settings->json, RK_CLIENT_EXIT_USAGE, "usage", text);
    if (!settings->json)
        fputs("Try: rackkvctl help\n", stderr);
    return RK_CLIENT_EXIT_USAGE;
}

static enum rk_client_exit refuse_unknown(const struct settings *settings, char *const *words, size_t n_words)
{
    char wrong[RK_BIN_CTL_NAME_BYTES], list[128], text[384];
    const char *meant;

    (void)snprintf(wrong, sizeof wrong, "%.30s%s%.30s", words[0], n_words > 1 ? " " : "", n_words > 1 ? words[1] : "");
    meant = rk_bin_ctl_suggest(wrong);
    if (meant == NULL)
        meant = rk_bin_ctl_suggest(words[0]);
    if (meant != NULL)
        (void)snprintf(text, sizeof text, "there is no command '%s'; did you mean '%s'?", wrong, meant);
    else if (rk_bin_ctl_list_group(words[0], list, sizeof list))
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

static enum rk_client_exit run_with_server(const struct settings *settings, const struct rk_bin_ctl_command *command,
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
    const struct rk_bin_ctl_command *command;
    size_t n_taken;

    if (n_words == 0) {
        rk_bin_ctl_print_help();
        return RK_CLIENT_EXIT_DONE;
    }
    command = rk_bin_ctl_lookup(words, n_words, &n_taken);
    if (command != NULL)
        rk_bin_ctl_print_command(command);
    else if (n_words > 1 || !rk_bin_ctl_print_group(words[0]))
        return refuse_unknown(settings, words, n_words);
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit run_words(const struct settings *settings, char **words, size_t n_words)
{
    struct rk_client_admin_words rest = { .all = settings->all, .wait = settings->wait };
    const struct rk_bin_ctl_command *command;
    size_t n_taken;
    char text[256];

    if (settings->version)
        return print_version(settings);
    if (settings->help)
        return run_help(settings, words, n_words);
    if (n_words == 0)
        return refuse_usage(settings, "a command is needed");
    command = rk_bin_ctl_lookup(words, n_words, &n_taken);
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
