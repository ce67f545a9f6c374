#include "log/log_active.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "log/log_location.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A step is some tenths of a millisecond of the writer's time. After one that failed, the next is tried so much later.
 */
#define STEP_BYTES  (32u << 20)
#define RETRY_BYTES (1u << 20)

static enum rk_err fail(const struct rk_log_active *active, struct rk_detail *detail, const char *what)
{
    int errnum = errno;
    char name[RK_LOG_FILE_NAME_BYTES];

    rk_log_file_name(name, active->file_number);
    rk_detail_set(detail, "%s: %s: %s", name, what, strerror(errnum));
    return rk_err_from_errno(errnum);
}

/* Sees to it that the file has space up to new_end_bytes and some more. Never fails: the write will tell. */
static void preallocate(struct rk_log_active *active, uint64_t new_end_bytes)
{
    uint64_t from = active->preallocated_bytes;
    uint64_t target = new_end_bytes + STEP_BYTES;

    if (new_end_bytes <= active->preallocate_at_bytes)
        return;
    if (target > active->limit_bytes)
        target = active->limit_bytes > new_end_bytes ? active->limit_bytes : new_end_bytes;
    if (target <= from)
        return;
    if (rk_io->fallocate(active->fd, 0, (off_t)from, (off_t)(target - from)) == 0) {
        active->preallocated_bytes = target;
        active->preallocate_at_bytes = target;
    } else if (errno == EOPNOTSUPP || errno == ENOSYS) {
        active->preallocate_at_bytes = UINT64_MAX;
    } else {
        /* What it got before it failed is given back: others may need it more than this file's future does. */
        (void)rk_io->ftruncate(active->fd, (off_t)(from > active->end_bytes ? from : active->end_bytes));
        active->preallocate_at_bytes = new_end_bytes + RETRY_BYTES;
    }
}

/* Back to the last good end, durably: what a failed write left could otherwise be found by a recovery. */
static enum rk_err cut_back(struct rk_log_active *active, enum rk_err err, struct rk_detail *detail)
{
    if (rk_io->ftruncate(active->fd, (off_t)active->end_bytes) != 0) {
        (void)fail(active, detail, "a failed write cannot be cut off");
        return RK_ERR_READ_ONLY;
    }
    active->preallocated_bytes = active->end_bytes;
    active->preallocate_at_bytes = active->end_bytes;
    if (rk_io->fdatasync(active->fd) != 0) {
        (void)fail(active, detail, "cannot be made durable after a failed write");
        return RK_ERR_READ_ONLY;
    }
    return err;
}

static enum rk_err write_at_end(struct rk_log_active *active, struct iovec *iov, int n_iov, uint64_t size_bytes,
                                struct rk_detail *detail)
{
    preallocate(active, active->end_bytes + size_bytes);
    if (rk_io_pwritev_full(active->fd, iov, n_iov, (off_t)active->end_bytes) != 0)
        return cut_back(active, fail(active, detail, "cannot be written"), detail);
    return RK_OK;
}

static enum rk_err write_header(struct rk_log_active *active, const struct rk_log_file_header *header,
                                const struct rk_record_stamp *stamp, struct rk_detail *detail)
{
    uint8_t bytes[RK_LOG_FILE_FRAME_BYTES];

    rk_log_file_header_build(bytes, header, stamp);
    preallocate(active, sizeof bytes);
    if (rk_io_pwrite_full(active->fd, bytes, sizeof bytes, 0) != 0)
        return fail(active, detail, "cannot be written");
    if (rk_io->fdatasync(active->fd) != 0)
        return fail(active, detail, "cannot be made durable");
    active->end_bytes = sizeof bytes;
    return RK_OK;
}

enum rk_err rk_log_active_create(struct rk_log_active *active, int dir_fd, const struct rk_log_file_header *header,
                                 const struct rk_record_stamp *stamp, uint64_t limit_bytes, struct rk_detail *detail)
{
    char name[RK_LOG_FILE_NAME_BYTES];
    enum rk_err err;

    *active =
        (struct rk_log_active){ .dir_fd = dir_fd, .file_number = header->file_number, .limit_bytes = limit_bytes };
    rk_log_file_name(name, header->file_number);
    active->fd = rk_io->open_at(dir_fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (active->fd < 0)
        return fail(active, detail, "cannot be made");
    err = write_header(active, header, stamp, detail);
    if (err != RK_OK)
        rk_log_active_close(active, true);
    return err;
}

enum rk_err rk_log_active_append(struct rk_log_active *active, struct iovec *iov, int n_iov, uint64_t size_bytes,
                                 uint64_t n_records, uint64_t first_sequence, uint64_t last_sequence,
                                 struct rk_detail *detail)
{
    enum rk_err err = write_at_end(active, iov, n_iov, size_bytes, detail);

    if (err != RK_OK)
        return err;
    active->end_bytes += size_bytes;
    if (active->totals.n_records == 0)
        active->totals.first_sequence = first_sequence;
    active->totals.last_sequence = last_sequence;
    active->totals.n_records += n_records;
    return RK_OK;
}

enum rk_err rk_log_active_seal(struct rk_log_active *active, const struct rk_record_stamp *stamp,
                               struct rk_detail *detail)
{
    struct rk_log_file_trailer trailer = active->totals;
    uint8_t bytes[RK_LOG_FILE_FRAME_BYTES];
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
    enum rk_err err;

    trailer.size_bytes = active->end_bytes;
    rk_log_file_trailer_build(bytes, &trailer, stamp);
    err = write_at_end(active, &iov, 1, sizeof bytes, detail);
    if (err != RK_OK)
        return err;
    if (rk_io->ftruncate(active->fd, (off_t)(active->end_bytes + sizeof bytes)) != 0)
        return cut_back(active, fail(active, detail, "its preallocated rest cannot be cut off"), detail);
    if (rk_io->fdatasync(active->fd) != 0) {
        (void)fail(active, detail, "cannot be made durable");
        return RK_ERR_READ_ONLY;
    }
    active->end_bytes += sizeof bytes;
    active->preallocated_bytes = active->end_bytes;
    return RK_OK;
}

void rk_log_active_close(struct rk_log_active *active, bool remove)
{
    char name[RK_LOG_FILE_NAME_BYTES];

    (void)rk_io->close(active->fd); /* what had to be durable was synced before */
    active->fd = -1;
    if (!remove)
        return;
    rk_log_file_name(name, active->file_number);
    (void)rk_io->unlink_at(active->dir_fd, name); /* not listed: if it stays, the next start sweeps it */
}
