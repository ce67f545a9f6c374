#include "base/base_diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static char program_name[32] = "rackkv";
static char role_name[32] = "";
static enum rk_diag_level max_level = RK_DIAG_INFO;

void rk_diag_setup(const char *program, const char *role)
{
    (void)snprintf(program_name, sizeof program_name, "%s", program);
    (void)snprintf(role_name, sizeof role_name, "%s", role);
}

void rk_diag_set_level(enum rk_diag_level level)
{
    max_level = level;
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

static void print_line(enum rk_diag_level level, const char *format, va_list args)
{
    char line[1024];
    size_t used = format_prefix(line, sizeof line, level);
    int n = vsnprintf(line + used, sizeof line - used - 1, format, args);

    if (n > 0)
        used += (size_t)n;
    if (used > sizeof line - 2)
        used = sizeof line - 2;
    line[used++] = '\n';
    (void)!write(STDERR_FILENO, line, used); /* there is nowhere left to complain */
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
