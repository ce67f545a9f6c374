/* Figures for people. */
#ifndef RK_CLIENT_FIGURE_H
#define RK_CLIENT_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#define RK_CLIENT_FIGURE_BYTES 32

/* "0", "160", "12.3K", "1.00G" (of 1024), at most six characters; or with all digits. Pure. */
const char *rk_client_figure_bytes(uint64_t bytes, bool exact, char text_out[RK_CLIENT_FIGURE_BYTES]);

/* "12.3 KiB", "160 bytes". Pure. */
const char *rk_client_figure_size(uint64_t bytes, char text_out[RK_CLIENT_FIGURE_BYTES]);

/* "0.4 s", "12 s", "3 m 20 s", "5 h 12 m", "3 d 4 h". Pure. */
const char *rk_client_figure_duration(double seconds, char text_out[RK_CLIENT_FIGURE_BYTES]);

/* "2026-11-22 23:05:12", local time. Pure but for the time zone. */
const char *rk_client_figure_time(uint64_t ms, char text_out[RK_CLIENT_FIGURE_BYTES]);

#endif
