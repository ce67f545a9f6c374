#include "log/log_quarantine.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_planted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64
#define TRIES      1000

static enum rk_err fail(const char *name, const char *what, struct rk_detail *detail)
{
    int errnum = errno;

    rk_detail_set(detail, "%s: %s: %s", name, what, strerror(errnum));
    return rk_err_from_errno(errnum);
}

/* False where there is none. Nothing is opened but the name. */
static bool look(int dir_fd, const char *name, struct stat *status)
{
    int fd = rk_io->open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
    bool found;

    if (fd < 0)
        return false;
    found = rk_io->fstat(fd, status) == 0;
    (void)rk_io->close(fd); /* it was only looked at */
    return found;
}

static bool are_one(int dir_fd, const char *name, const char *other)
{
    struct stat a, b;

    return look(dir_fd, other, &b) && look(dir_fd, name, &a) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* The i-th name that a file may have there: the ones before may be those of others, since numbers go round. */
static void make_kept_name(char kept[NAME_BYTES], const char *name, unsigned i)
{
    if (i == 0)
        (void)snprintf(kept, NAME_BYTES, "%s/%s", RK_LOG_QUARANTINE, name);
    else
        (void)snprintf(kept, NAME_BYTES, "%s/%s.%u", RK_LOG_QUARANTINE, name, i);
}

static bool is_there(int dir_fd, const char *name)
{
    struct stat status;

    return look(dir_fd, name, &status);
}

bool rk_log_quarantine_has(int dir_fd, const char *name)
{
    char kept[NAME_BYTES];

    for (unsigned i = 0; i < TRIES; i++) {
        make_kept_name(kept, name, i);
        if (!is_there(dir_fd, kept))
            return false;
        if (are_one(dir_fd, name, kept))
            return true;
    }
    return false;
}

static enum rk_err link_somewhere(int dir_fd, const char *name, struct rk_detail *detail)
{
    char kept[NAME_BYTES];

    if (rk_log_quarantine_has(dir_fd, name))
        return RK_OK; /* a salvage that did not end */
    for (unsigned i = 0; i < TRIES; i++) {
        make_kept_name(kept, name, i);
        if (rk_io->link_at(dir_fd, name, kept) == 0)
            return RK_OK;
        if (errno != EEXIST)
            break;
    }
    return fail(name, "cannot be put into " RK_LOG_QUARANTINE, detail);
}

static enum rk_err sync_names(int dir_fd, const char *name, struct rk_detail *detail)
{
    int fd = rk_io->open_at(dir_fd, RK_LOG_QUARANTINE, O_RDONLY | O_DIRECTORY, 0);
    bool synced;

    if (fd < 0)
        return fail(name, "opening the directory " RK_LOG_QUARANTINE, detail);
    synced = rk_io->fsync(fd) == 0 && rk_io->fsync(dir_fd) == 0;
    if (!synced)
        (void)fail(name, "its name in " RK_LOG_QUARANTINE " cannot be made durable", detail);
    (void)rk_io->close(fd); /* a directory has nothing to lose */
    return synced ? RK_OK : RK_ERR_IO;
}

enum rk_err rk_log_quarantine_link(int dir_fd, const char *name, struct rk_detail *detail)
{
    enum rk_err err;

    if (RK_PLANTED(salvage_keeps_no_original))
        return RK_OK;
    if (rk_io->mkdir_at(dir_fd, RK_LOG_QUARANTINE, 0700) != 0 && errno != EEXIST)
        return fail(name, "making the directory " RK_LOG_QUARANTINE, detail);
    err = link_somewhere(dir_fd, name, detail);
    return err == RK_OK ? sync_names(dir_fd, name, detail) : err;
}

enum rk_err rk_log_quarantine_move(int dir_fd, const char *name, struct rk_detail *detail)
{
    enum rk_err err = rk_log_quarantine_link(dir_fd, name, detail);

    if (err != RK_OK)
        return err;
    if (rk_io->unlink_at(dir_fd, name) != 0)
        return fail(name, "cannot be removed", detail);
    return rk_io->fsync(dir_fd) == 0 ? RK_OK : fail(name, "its removal cannot be made durable", detail);
}
