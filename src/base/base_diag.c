#include "base/base_diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static char program_name[32] = "rackkv";
static char role_name[32] = "";
static enum rk_diag_level max_level = RK_DIAG_INFO;
static _Atomic int echo_fd = -1;

void rk_diag_setup(const char *program, const char *role)
{
    (void)snprintf(program_name, sizeof program_name, "%s", program);
    (void)snprintf(role_name, sizeof role_name, "%s", role);
}

void rk_diag_set_level(enum rk_diag_level level)
{
    max_level = level;
}

void rk_diag_set_echo(int fd)
{
    atomic_store(&echo_fd, fd);
}

static size_t format_prefix(char *line, size_t size, enum rk_diag_level level)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    return (size_t)snprintf(line, size, "%s.%03ldZ %s[%d]%s%s: %s: ", stamp, now.tv_nsec / 1000000, program_name,
                            (int)getpid(), role_name[0] != '\0' ? " " : "", role_name, level_names[level]);
}

/* The message for somebody at a terminal, who needs no time and no process. */
static void echo(enum rk_diag_level level, const char *line, size_t prefix, size_t used)
{
    int fd = atomic_load(&echo_fd);

    if (fd >= 0)
        (void)dprintf(fd, "%s: %s%.*s", program_name, level == RK_DIAG_WARNING ? "warning: " : "", (int)(used - prefix),
                      line + prefix);
}

static void print_line(enum rk_diag_level level, const char *format, va_list args)
{
    char line[1024];
    size_t prefix = format_prefix(line, sizeof line, level), used = prefix;
    int n = vsnprintf(line + used, sizeof line - used - 1, format, args);

    if (n > 0)
        used += (size_t)n;
    if (used > sizeof line - 2)
        used = sizeof line - 2;
    line[used++] = '\n';
    (void)!write(STDERR_FILENO, line, used); /* there is nowhere left to complain */
    if (level <= RK_DIAG_WARNING)
        echo(level, line, prefix, used);
}

void rk_diag(enum rk_diag_level level, const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (level > max_level)
        return;
    va_start(args, format);
    print_line(level, format, args);
    va_end(args);
    errno = saved;
}

void rk_fatal(int exit_code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(RK_DIAG_ERROR, format, args);
    va_end(args);
    exit(exit_code);
}
