/* rackkvd: the server. Arguments and the table of roles; what happens is in master/ and worker/. */
#include "base/base_detail.h"
#include "base/base_diag.h"
#include "bin/bin_daemon.h"
#include "conf/conf.h"
#include "master/master.h"
#include "worker/worker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE      2
#define N_OVERRIDES_MAX 64

/* What a process of this binary can be. The master starts the others by name. */
struct role {
    const char *option;
    const char *arguments;
    int (*run)(int argc, char **argv);
    const char *purpose;
};

static int run_worker_role(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "rackkvd: --worker is for the master's use only: --worker SLOT MASTER_PID\n");
        return EXIT_USAGE;
    }
    return rk_worker_main((unsigned)strtoul(argv[0], NULL, 10), (int)strtol(argv[1], NULL, 10));
}

static const struct role roles[] = {
    { "--worker", "SLOT MASTER_PID", run_worker_role, "serves HTTP; started by the master, never by hand" },
};

struct options {
    const char *conf_file;
    const char *overrides[N_OVERRIDES_MAX];
    size_t n_overrides;
    bool test;
    bool print;
    bool daemon;
    bool single;
    bool salvage;
};

static void print_usage(FILE *out)
{
    (void)fprintf(out, "usage: rackkvd [-c FILE] [-o SECTION.KEY=VALUE]... [-t | -T] [-f | --daemon] [--single]\n"
                       "               [--salvage]\n"
                       "\n"
                       "  -c, --config FILE         read the configuration from FILE (YAML)\n"
                       "  -o, --option S.K=V        set one value, after the file; may be repeated\n"
                       "  -t, --test                check the configuration and say whether it is good\n"
                       "  -T, --print               print the configuration as it would be used\n"
                       "  -f, --foreground          stay in the foreground (the default)\n"
                       "      --daemon              go to the background once the server is ready\n"
                       "      --single              one process: master and one worker, for a debugger\n"
                       "      --salvage             start although data is damaged or missing: put what is of\n"
                       "                            no use into quarantine/, and say what is lost\n"
                       "  -V, --version             print the version\n"
                       "  -h, --help                print this\n"
                       "\n"
                       "Signals: TERM, INT stop; QUIT drains, then stops.\n"
                       "Exit codes: 0 stopped as asked, 1 failed, 2 usage or configuration.\n");
}

static int usage_error(const char *what, const char *argument)
{
    (void)fprintf(stderr, "rackkvd: %s%s\ntry: rackkvd --help\n", what, argument);
    return EXIT_USAGE;
}

enum long_option { OPTION_DAEMON = 256, OPTION_SINGLE, OPTION_SALVAGE };

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "option", required_argument, NULL, 'o' },
    { "test", no_argument, NULL, 't' },
    { "print", no_argument, NULL, 'T' },
    { "foreground", no_argument, NULL, 'f' },
    { "daemon", no_argument, NULL, OPTION_DAEMON },
    { "single", no_argument, NULL, OPTION_SINGLE },
    { "salvage", no_argument, NULL, OPTION_SALVAGE },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool take_option(struct options *options, int option, const char *argument)
{
    switch (option) {
    case 'c':
        options->conf_file = argument;
        return true;
    case 'o':
        if (options->n_overrides == N_OVERRIDES_MAX)
            return false;
        options->overrides[options->n_overrides++] = argument;
        return true;
    case 't':
        options->test = true;
        return true;
    case 'T':
        options->print = true;
        return true;
    case 'f':
        options->daemon = false;
        return true;
    case OPTION_DAEMON:
        options->daemon = true;
        return true;
    case OPTION_SINGLE:
        options->single = true;
        return true;
    case OPTION_SALVAGE:
        options->salvage = true;
        return true;
    default:
        return false;
    }
}

/* Whether to go on; otherwise *exit_code_out is set. */
static bool parse_arguments(struct options *options, int argc, char **argv, int *exit_code_out)
{
    int option;

    *exit_code_out = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, "c:o:tTfVh", long_options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            if (option == 'h')
                print_usage(stdout);
            else
                (void)printf("rackkvd %s\n", PACKAGE_VERSION);
            *exit_code_out = EXIT_SUCCESS;
            return false;
        }
        if (!take_option(options, option, optarg)) {
            if (option != '?')
                *exit_code_out = usage_error("too many of -o: ", optarg);
            else
                (void)fprintf(stderr, "try: rackkvd --help\n"); /* getopt has said what is wrong */
            return false;
        }
    }
    if (optind < argc) {
        *exit_code_out = usage_error("unexpected argument: ", argv[optind]);
        return false;
    }
    return true;
}

static enum rk_err load_conf(struct rk_conf *conf, const struct options *options, struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    if (options->conf_file != NULL)
        err = rk_conf_load_file(conf, options->conf_file, detail);
    for (size_t i = 0; err == RK_OK && i < options->n_overrides; i++)
        err = rk_conf_override(conf, options->overrides[i], detail);
    return err == RK_OK ? rk_conf_check(conf, detail) : err;
}

static int serve(const struct rk_conf *conf, const struct options *options)
{
    struct rk_master_options master = { .conf = conf,
                                        .program = "/proc/self/exe",
                                        .salvage = options->salvage,
                                        .run_worker = options->single ? rk_worker_run : NULL };
    struct rk_detail detail;

    if (options->daemon) {
        if (rk_bin_daemon_start(conf->server.data_dir, &detail) != RK_OK) {
            (void)fprintf(stderr, "rackkvd: %s\n", detail.text);
            return EXIT_FAILURE;
        }
        master.on_ready = rk_bin_daemon_ready;
    }
    return rk_master_run(&master);
}

static int run_server(int argc, char **argv)
{
    struct options options = { .conf_file = NULL };
    struct rk_detail detail = { .text = "" };
    struct rk_conf conf;
    int exit_code;

    if (!parse_arguments(&options, argc, argv, &exit_code))
        return exit_code;
    rk_conf_init(&conf);
    if (load_conf(&conf, &options, &detail) != RK_OK) {
        (void)fprintf(stderr, "rackkvd: %s\n", detail.text);
        exit_code = EXIT_USAGE;
    } else if (options.print) {
        rk_conf_print(&conf, stdout);
        exit_code = EXIT_SUCCESS;
    } else if (options.test) {
        (void)printf("rackkvd: the configuration %s is good\n",
                     options.conf_file != NULL ? options.conf_file : "(defaults)");
        exit_code = EXIT_SUCCESS;
    } else {
        exit_code = serve(&conf, &options);
    }
    rk_conf_fini(&conf);
    return exit_code;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(argv[1], roles[i].option) == 0)
            return roles[i].run(argc - 2, argv + 2);
    return run_server(argc, argv);
}
