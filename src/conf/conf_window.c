#include "conf/conf_window.h"

#include <string.h>

#define TIME_CHARS 5u /* HH:MM */

static bool parse_two_digits(const char *text, unsigned limit, unsigned *number_out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *number_out = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    return *number_out < limit;
}

static bool parse_time(const char *text, unsigned *minute_out)
{
    unsigned hour, minute;

    if (!parse_two_digits(text, 24, &hour) || text[2] != ':' || !parse_two_digits(text + 3, 60, &minute))
        return false;
    *minute_out = hour * 60 + minute;
    return true;
}

bool rk_conf_window_parse(struct rk_conf_window *window_out, const char *text, const char **problem_out)
{
    struct rk_conf_window window;

    *problem_out = "is not two times HH:MM-HH:MM from 00:00 to 23:59";
    if (strlen(text) != 2 * TIME_CHARS + 1 || text[TIME_CHARS] != '-' || !parse_time(text, &window.begin_minute)
        || !parse_time(text + TIME_CHARS + 1, &window.end_minute))
        return false;
    *problem_out = "ends when it begins (a merge at any time is merge.policy: auto)";
    if (window.begin_minute == window.end_minute)
        return false;
    *window_out = window;
    return true;
}
