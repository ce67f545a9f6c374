#include "client/client_progress.h"

#include "base/base_plural.h"
#include "base/base_time.h"
#include "client/client_figure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOW_EVERY_NS (RK_NS_PER_S / 10)

void rk_client_progress_bar(unsigned percent, char cells_out[RK_CLIENT_PROGRESS_CELLS + 1])
{
    size_t n_full = (size_t)(percent < 100 ? percent : 100) * RK_CLIENT_PROGRESS_CELLS / 100;

    memset(cells_out, '-', RK_CLIENT_PROGRESS_CELLS);
    memset(cells_out, '#', n_full);
    cells_out[RK_CLIENT_PROGRESS_CELLS] = '\0';
}

static void show(const struct rk_client_progress *progress)
{
    char cells[RK_CLIENT_PROGRESS_CELLS + 1], size[RK_CLIENT_FIGURE_BYTES];
    unsigned percent;

    fprintf(stderr, "\r\033[K%s ", progress->verb);
    if (progress->total_bytes > 0) {
        percent = (unsigned)(progress->bytes * 100 / progress->total_bytes);
        rk_client_progress_bar(percent, cells);
        fprintf(stderr, "[%s] %3u %%, ", cells, percent);
    }
    fprintf(stderr, "%" PRIu64 " key%s, %s", progress->n_keys, rk_plural(progress->n_keys),
            rk_client_figure_size(progress->bytes, size));
    (void)fflush(stderr);
}

void rk_client_progress_add(struct rk_client_progress *progress, size_t size)
{
    uint64_t now_ns = rk_time_monotonic_ns();

    progress->n_keys++;
    progress->bytes += size;
    if (progress->is_hidden || now_ns - progress->shown_at_ns < SHOW_EVERY_NS || isatty(STDERR_FILENO) == 0)
        return;
    progress->shown_at_ns = now_ns;
    show(progress);
}

void rk_client_progress_end(struct rk_client_progress *progress)
{
    if (progress->shown_at_ns != 0)
        fputs("\r\033[K", stderr);
    progress->shown_at_ns = 0;
}
