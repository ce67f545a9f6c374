/* A part of the local day: "22:00-06:00". A codec: text in, minutes out. */
#ifndef RK_CONF_WINDOW_H
#define RK_CONF_WINDOW_H

#include <stdbool.h>

/* From the first minute on, up to the last and without it; it goes past midnight where the end is before the begin. */
struct rk_conf_window {
    unsigned begin_minute;
    unsigned end_minute;
};

/* True for a good window; else *problem_out says what it "has" or "is" that makes it wrong. Pure. */
bool rk_conf_window_parse(struct rk_conf_window *window_out, const char *text, const char **problem_out);

#endif
