/* `rackkv open`: from its options to those of rackkvd, which it becomes. */
#ifndef RK_BIN_OPEN_H
#define RK_BIN_OPEN_H

/* What is asked for, before anything is done. */
enum rk_bin_open { RK_BIN_OPEN_START, RK_BIN_OPEN_HELP, RK_BIN_OPEN_WRONG };

/* Reads the options (argv[0] is the command's name) and translates them into rackkvd's, which knows what they mean;
 * getopt_long has said what is wrong with them. *first_out is the index of the first operand. server_argv has room for
 * 2 * argc + 2. */
enum rk_bin_open rk_bin_open_read(int argc, char **argv, char **server_argv, int *first_out);

#endif
