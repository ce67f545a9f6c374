#include "client/client_figure.h"

#include "base/base_plural.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char unit_letters[] = "KMGTPE";

/* Three digits, or four below 1024; "" for bytes themselves. */
static int split_bytes(uint64_t bytes, double *number_out, int *n_decimals_out)
{
    double number = (double)bytes;
    int unit = -1;

    while (number >= 1023.5 && unit + 1 < (int)sizeof unit_letters - 1) {
        number /= 1024;
        unit++;
    }
    *number_out = number;
    *n_decimals_out = unit < 0 ? 0 : number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    return unit;
}

const char *rk_client_figure_bytes(uint64_t bytes, bool exact, char text_out[RK_CLIENT_FIGURE_BYTES])
{
    double number;
    int n_decimals, unit = split_bytes(bytes, &number, &n_decimals);

    if (exact || unit < 0)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%" PRIu64, bytes);
    else
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%.*f%c", n_decimals, number, unit_letters[unit]);
    return text_out;
}

const char *rk_client_figure_size(uint64_t bytes, char text_out[RK_CLIENT_FIGURE_BYTES])
{
    double number;
    int n_decimals, unit = split_bytes(bytes, &number, &n_decimals);

    if (unit < 0)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%" PRIu64 " byte%s", bytes, rk_plural(bytes));
    else
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%.*f %ciB", n_decimals, number, unit_letters[unit]);
    return text_out;
}

const char *rk_client_figure_duration(double seconds, char text_out[RK_CLIENT_FIGURE_BYTES])
{
    uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;

    if (seconds < 10)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%.1f s", seconds > 0 ? seconds : 0.0);
    else if (s < 60)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%" PRIu64 " s", s);
    else if (s < 3600)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%" PRIu64 " m %" PRIu64 " s", s / 60, s % 60);
    else if (s < 86400)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%" PRIu64 " h %" PRIu64 " m", s / 3600, s / 60 % 60);
    else
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
    return text_out;
}

const char *rk_client_figure_time(uint64_t ms, char text_out[RK_CLIENT_FIGURE_BYTES])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;

    if (localtime_r(&seconds, &parts) == NULL
        || strftime(text_out, RK_CLIENT_FIGURE_BYTES, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        (void)snprintf(text_out, RK_CLIENT_FIGURE_BYTES, "?");
    return text_out;
}
