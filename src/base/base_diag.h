/* Diagnostics: messages for the people who run the server. ("Log" means the data log, never these.)
 *
 * One line per message on standard error, written with one write(2), so that lines of several processes do not mix:
 *
 *   2026-11-22T20:04:03.123Z rackkvd[812] master: warning: worker 1 was killed by signal 9; starting another
 *
 * Only the floors that decide what to do print: bin, master, worker. Everything below fills in a struct rk_detail. */
#ifndef RK_BASE_DIAG_H
#define RK_BASE_DIAG_H

enum rk_diag_level { RK_DIAG_ERROR, RK_DIAG_WARNING, RK_DIAG_INFO, RK_DIAG_DEBUG };

/* Names the program and the role ("master", "worker 0") for every line from now on. The strings are copied. Main thread
 * of a process, before it starts others. */
void rk_diag_setup(const char *program, const char *role);

/* Lines above this level are dropped; the default is RK_DIAG_INFO. */
void rk_diag_set_level(enum rk_diag_level level);

/* Errors and warnings go to this descriptor as well, without the prefix; -1: to none. Any thread. */
void rk_diag_set_echo(int fd);

/* Prints one line; errno is kept. Any thread, never in a signal handler. */
void rk_diag(enum rk_diag_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints an error line and exits with the code: for a start that cannot go on. Main thread. */
void rk_fatal(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
