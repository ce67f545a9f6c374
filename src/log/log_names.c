#include "log/log_names.h"

#include "base/base_detail.h"
#include "base/base_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#define ENTRIES_BYTES (16u << 10)

/* Some of the directory's. */
struct entries {
    ssize_t n_bytes;
    _Alignas(struct dirent64) uint8_t bytes[ENTRIES_BYTES];
};

static enum rk_err fail(struct rk_detail *detail)
{
    int errnum = errno;

    rk_detail_set(detail, "cannot be listed: %s", strerror(errnum));
    return rk_err_from_errno(errnum);
}

static enum rk_err visit_entries(const struct entries *entries, rk_log_names_visit_fn *visit, void *context,
                                 struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    for (ssize_t at = 0; err == RK_OK && at < entries->n_bytes;) {
        const struct dirent64 *entry = (const void *)(entries->bytes + at);

        err = visit(context, entry->d_name, detail);
        at += entry->d_reclen;
    }
    return err;
}

enum rk_err rk_log_names_visit(int dir_fd, rk_log_names_visit_fn *visit, void *context, struct rk_detail *detail)
{
    int fd = rk_io->open_at(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    struct entries entries;
    enum rk_err err = RK_OK;

    if (fd < 0)
        return fail(detail);
    while (err == RK_OK && (entries.n_bytes = rk_io->getdents(fd, entries.bytes, sizeof entries.bytes)) > 0)
        err = visit_entries(&entries, visit, context, detail);
    if (err == RK_OK && entries.n_bytes < 0)
        err = fail(detail);
    (void)rk_io->close(fd); /* nothing was written through it */
    return err;
}
