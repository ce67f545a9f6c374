#include "bin/bin_open.h"

#include <getopt.h>
#include <stddef.h>

enum rk_bin_open rk_bin_open_read(int argc, char **argv, char **server_argv, int *first_out)
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
            return option == 'h' ? RK_BIN_OPEN_HELP : RK_BIN_OPEN_WRONG;
        server_argv[n++] = option == 'd' ? daemon_flag : option == 'c' ? config_flag : option_flag;
        if (option != 'd')
            server_argv[n++] = optarg;
    }
    *first_out = optind;
    return RK_BIN_OPEN_START;
}
