/* Administration of a running server over its control socket: what rackkvctl(8) asks for. doc/control.md has every
 * request and its answer.
 *
 *   start -> serve (after recovery) -> stop
 *
 * 1. Requests of a connection are answered one after the other. Those that may have to wait, for a disk or for the
 *    compactor, hold up nobody else: each has a thread of its own, of which there are a few.
 * 2. Before serve, only what needs no data is answered; everything else is told "recovering".
 * 3. What only the writer thread may touch is asked for by rk_writer_call. */
#ifndef RK_CONTROL_H
#define RK_CONTROL_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

struct rk_board;
struct rk_control;
struct rk_detail;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_log_writer;
struct rk_stats_block;
struct rk_compactor;
struct rk_writer;

#define RK_CONTROL_URLS_MAX 16

/* All pointers but the strings, which are copied, stay until stop. */
struct rk_control_settings {
    const char *socket_path;
    const char *urls[RK_CONTROL_URLS_MAX]; /* where the server listens */
    size_t n_urls;
    uint64_t started_ns; /* when the server was, as rk_time_monotonic_ns counts */
    unsigned n_slots;
    const struct rk_board *board;
    const struct rk_stats_block *stats;
    struct rk_log_store *store;
    struct rk_keydir_writer *keydir;
    struct rk_writer *writer;
};

/* Main thread, all three. The errors of start are about the socket, and say so. */
enum rk_err rk_control_start(struct rk_control **control_out, const struct rk_control_settings *settings,
                             struct rk_detail *detail);

/* The writer thread and the compactor run. */
void rk_control_serve(struct rk_control *control, struct rk_log_writer *log, struct rk_compactor *compactor);

/* Before the writer thread and the compactor end. NULL inside is fine. */
void rk_control_stop(struct rk_control **control);

#endif
