/* rackkvd: the server. Arguments and the table of roles; what happens is in master/ and worker/. */
#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_diag_file.h"
#include "base/base_machine.h"
#include "base/base_mem.h"
#include "base/base_stdio.h"
#include "bin/bin_daemon.h"
#include "conf/conf.h"
#include "master/master.h"
#include "master/master_probe.h"
#include "master/master_settle.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
                       "Signals: TERM, INT stop; QUIT drains, then stops; USR1 opens the log file again.\n"
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
    if (options->single)
        conf->server.workers = 1;
    return err;
}

/* What `auto` is here, and whether all of it can be had together. */
static enum rk_err settle(struct rk_conf *conf, struct rk_master_settled *settled, struct rk_detail *detail)
{
    struct rk_machine machine;

    rk_machine_look(&machine, "");
    return rk_master_settle(conf, &machine, settled, detail);
}

/* The log is where a daemon's log is looked for, in the folder of the store that is about to be made. */
static void make_folder(const char *data_dir)
{
    int parent_fd;
    char *parent;

    if (mkdir(data_dir, 0700) != 0)
        return; /* there already, or the open of the log says what is wrong */
    parent = rk_mem_strdup(data_dir);
    parent_fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (parent_fd < 0)
        return;             /* the start makes the store durable, or fails */
    (void)fsync(parent_fd); /* the same */
    (void)close(parent_fd); /* nothing was written through it */
}

static enum rk_err open_log(const struct rk_conf *conf, bool daemon, const char *path, struct rk_detail *detail)
{
    if (daemon && conf->server.log_file[0] == '\0')
        make_folder(conf->server.data_dir);
    return path != NULL ? rk_diag_file_open(path, detail) : RK_OK;
}

static int serve(const struct rk_conf *conf, const struct options *options)
{
    struct rk_master_options master = { .conf = conf,
                                        .program = "/proc/self/exe",
                                        .salvage = options->salvage,
                                        .run_worker = options->single ? rk_worker_run : NULL,
                                        .on_ready = options->daemon ? rk_bin_daemon_ready : NULL };
    char *log_path = rk_conf_log_file(conf, options->daemon);
    struct rk_detail detail;
    enum rk_err err = options->daemon ? rk_bin_daemon_start(log_path, &detail) : RK_OK;
    int exit_code = EXIT_FAILURE;

    if (err == RK_OK)
        err = open_log(conf, options->daemon, log_path, &detail);
    if (err == RK_OK)
        exit_code = rk_master_run(&master);
    else
        (void)fprintf(stderr, "rackkvd: %s\n", detail.text);
    free(log_path);
    return exit_code;
}

/* The same words before a start and instead of one. */
static int use_conf(const struct rk_conf *conf, const struct rk_master_settled *settled, const struct options *options)
{
    struct rk_detail detail = { .text = "" };

    if (options->print) {
        rk_conf_print(conf, settled->notes, settled->n_notes, stdout);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < settled->n_warnings; i++)
        (void)fprintf(stderr, "rackkvd: warning: %s\n", settled->warnings[i]);
    if (rk_master_probe(conf, &detail) != RK_OK) {
        (void)fprintf(stderr, "rackkvd: %s\n", detail.text);
        return EXIT_FAILURE;
    }
    if (!options->test)
        return serve(conf, options);
    (void)printf("rackkvd: the configuration %s is good\n",
                 options->conf_file != NULL ? options->conf_file : "(defaults)");
    return EXIT_SUCCESS;
}

static int run_server(int argc, char **argv)
{
    struct options options = { .conf_file = NULL };
    struct rk_detail detail = { .text = "" };
    struct rk_master_settled settled;
    struct rk_conf conf;
    int exit_code;

    if (!parse_arguments(&options, argc, argv, &exit_code))
        return exit_code;
    rk_conf_init(&conf);
    if (load_conf(&conf, &options, &detail) != RK_OK || settle(&conf, &settled, &detail) != RK_OK) {
        (void)fprintf(stderr, "rackkvd: %s\n", detail.text);
        exit_code = EXIT_USAGE;
    } else {
        exit_code = use_conf(&conf, &settled, &options);
    }
    rk_conf_fini(&conf);
    return exit_code;
}

int main(int argc, char **argv)
{
    int exit_code;

    if (!rk_stdio_open())
        return EXIT_FAILURE; /* and there is nowhere to say it */
    for (size_t i = 0; argc > 1 && i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(argv[1], roles[i].option) == 0)
            return roles[i].run(argc - 2, argv + 2);
    exit_code = run_server(argc, argv);
    return rk_stdio_finish() ? exit_code : EXIT_FAILURE;
}
