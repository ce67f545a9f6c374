/* What the writer thread shows of itself and of what it owns, after each round; and whether writes are refused. */
#ifndef RK_WRITER_WRITER_FIGURES_H
#define RK_WRITER_WRITER_FIGURES_H

#include "base/base_err.h"

#include <stdint.h>

struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_writer;
struct rk_space;
struct rk_stats_writer;

struct rk_writer_figures {
    struct rk_keydir_writer *keydir;
    struct rk_grace_writer *grace;
    struct rk_space *space;
    struct rk_stats_writer *stats;
    int notice_event_fd;
    enum rk_err refusal; /* as last told to the main thread */
    uint64_t looked_for_room_ns;
};

/* Writes the counters anew. A disk that was full is looked at now and then, so that writes resume by themselves; when
 * writes begin or cease to be refused, the main thread is woken. Writer thread; main thread while that does not run. */
void rk_writer_figures_update(struct rk_writer_figures *figures, struct rk_log_writer *log);

#endif
