/* Prints what is documented by the table: the reference file, or (with an argument) the manual page. For make
 * conf-docs.
 */
#include "conf/conf.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--manual") == 0)
        rk_conf_print_manual(stdout);
    else
        rk_conf_print_reference(stdout);
    return ferror(stdout) != 0 || fflush(stdout) != 0;
}
