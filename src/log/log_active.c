#include "log/log_active.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "disk/disk_location.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A step is some tenths of a millisecond of the writer's time. After one that failed, the next is tried so much later.
 */
#define STEP_BYTES_MIN    (1u << 20)
#define STEP_BYTES_MAX    (32u << 20)
#define RETRY_BYTES       (1u << 20)
#define RESERVE_BYTES_MIN (256u << 10)
#define PARTS             4 /* a step and a reserve are one of so many of what there is */
#define LIMIT_PARTS       8 /* a reserve takes at most one of so many of the file */

static enum rk_err fail(const struct rk_log_active *active, struct rk_detail *detail, const char *what)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, active->file_number);
    rk_detail_set(detail, "%s: %s: %s", name, what, rk_open_text(errnum));
    return errnum == EFBIG ? RK_ERR_NO_SPACE : rk_err_from_errno(errnum);
}

/* Space up to target_bytes. What a failure got is given back: others may need it more than this file's future does. */
static bool allocate(struct rk_log_active *active, uint64_t target_bytes)
{
    uint64_t from = active->preallocated_bytes;
    int errnum;

    if (rk_io->fallocate(active->fd, 0, (off_t)from, (off_t)(target_bytes - from)) == 0) {
        active->preallocated_bytes = target_bytes;
        return true;
    }
    errnum = errno;
    active->is_at_end |= errnum == EFBIG;
    if (errnum == EOPNOTSUPP || errnum == ENOSYS)
        active->cannot_preallocate = true;
    else
        (void)rk_io->ftruncate(active->fd, (off_t)(from > active->end_bytes ? from : active->end_bytes));
    errno = errnum;
    return false;
}

static uint64_t at_most(uint64_t bytes, uint64_t most_bytes)
{
    return bytes < most_bytes ? bytes : most_bytes;
}

static uint64_t at_least(uint64_t bytes, uint64_t least_bytes)
{
    return bytes > least_bytes ? bytes : least_bytes;
}

uint64_t rk_log_active_reserve(const struct rk_log_active *active, uint64_t end_bytes)
{
    uint64_t usual_bytes = at_least((active->sizes.before_bytes + end_bytes) / PARTS, RESERVE_BYTES_MIN);
    uint64_t limit_bytes = active->sizes.limit_bytes / LIMIT_PARTS;

    return at_most(active->sizes.reserve_bytes, at_most(usual_bytes, limit_bytes));
}

/* What is between the end and the limit is as much of a reserve as there is room for in this file. */
static uint64_t end_with_reserve(const struct rk_log_active *active, uint64_t new_end_bytes)
{
    uint64_t end_bytes = new_end_bytes + rk_log_active_reserve(active, new_end_bytes);

    return new_end_bytes <= active->sizes.limit_bytes ? at_most(end_bytes, active->sizes.limit_bytes) : end_bytes;
}

static uint64_t step_target(const struct rk_log_active *active, uint64_t new_end_bytes)
{
    uint64_t step_bytes = at_most(at_least(new_end_bytes / PARTS, STEP_BYTES_MIN), STEP_BYTES_MAX);
    uint64_t needed_bytes = end_with_reserve(active, new_end_bytes);

    return at_least(at_most(needed_bytes + step_bytes, active->sizes.limit_bytes), needed_bytes);
}

/* Whether the disk has the room up to target_bytes beside what is to stay free. */
static bool leaves_spare(const struct rk_log_active *active, uint64_t target_bytes, uint64_t spare_bytes)
{
    uint64_t free_bytes, disk_bytes;

    if (spare_bytes == 0 || !rk_io_disk(active->dir_fd, &free_bytes, &disk_bytes))
        return true;
    if (free_bytes >= spare_bytes && free_bytes - spare_bytes >= target_bytes - active->preallocated_bytes)
        return true;
    errno = ENOSPC;
    return false;
}

/* Sees to it that the file has space up to new_end_bytes, the reserve behind it, and some more. False when it has not
 * even the first two; errno says why. */
static bool preallocate(struct rk_log_active *active, uint64_t new_end_bytes, uint64_t spare_bytes)
{
    uint64_t needed = end_with_reserve(active, new_end_bytes);
    uint64_t target = step_target(active, new_end_bytes);

    if (needed <= active->preallocated_bytes || active->cannot_preallocate)
        return true;
    if (new_end_bytes > active->step_at_bytes) {
        if (leaves_spare(active, target, spare_bytes) && (allocate(active, target) || active->cannot_preallocate))
            return true;
        active->step_at_bytes = new_end_bytes + RETRY_BYTES;
    }
    if (!leaves_spare(active, needed, spare_bytes))
        return false;
    if (needed == new_end_bytes && !active->sizes.must_allocate)
        return true;
    return allocate(active, needed) || active->cannot_preallocate;
}

static bool says_full(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

enum rk_err rk_log_active_make_room(struct rk_log_active *active, uint64_t size_bytes)
{
    return preallocate(active, active->end_bytes + size_bytes, active->sizes.spare_bytes) || !says_full(errno)
               ? RK_OK
               : RK_ERR_NO_SPACE;
}

void rk_log_active_take_reserve(struct rk_log_active *active)
{
    (void)preallocate(active, active->end_bytes, 0); /* a delete that does not find it will be refused */
}

static uint64_t used_bytes(const struct rk_log_active *active)
{
    return active->end_bytes + (active->is_sealed ? RK_DISK_FILE_FRAME_BYTES : 0);
}

void rk_log_active_release_room(struct rk_log_active *active)
{
    uint64_t needed_bytes = active->end_bytes + RK_DISK_FILE_FRAME_BYTES;

    if (active->preallocated_bytes > needed_bytes && rk_io->ftruncate(active->fd, (off_t)needed_bytes) == 0)
        active->preallocated_bytes = needed_bytes;
}

/* Back to the last good end, durably: what a failed write left could otherwise be found by a recovery. */
static enum rk_err cut_back(struct rk_log_active *active, enum rk_err err, struct rk_detail *detail)
{
    if (rk_io->ftruncate(active->fd, (off_t)active->end_bytes) != 0) {
        (void)fail(active, detail, "a failed write cannot be cut off");
        return RK_ERR_READ_ONLY;
    }
    active->is_sealed = false;
    active->preallocated_bytes = active->end_bytes;
    active->step_at_bytes = active->end_bytes;
    if (rk_io->fdatasync(active->fd) != 0) {
        (void)fail(active, detail, "cannot be made durable after a failed write");
        return RK_ERR_READ_ONLY;
    }
    return err;
}

/* The trailer goes; so does the hint that was made of the file with it, which recovery and merges would tell from a
 * hint of the next trailer by its CRC. */
static enum rk_err cut_trailer(struct rk_log_active *active, struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    if (rk_io->ftruncate(active->fd, (off_t)active->end_bytes) != 0 || rk_io->fdatasync(active->fd) != 0) {
        (void)fail(active, detail, "its trailer cannot be cut off");
        return RK_ERR_READ_ONLY;
    }
    active->is_sealed = false;
    active->preallocated_bytes = active->step_at_bytes = active->end_bytes;
    rk_disk_hint_name(name, active->file_number);
    (void)rk_io->unlink_at(active->dir_fd, name); /* there may be none */
    return RK_OK;
}

static enum rk_err write_at_end(struct rk_log_active *active, struct iovec *iov, int n_iov, uint64_t size_bytes,
                                struct rk_detail *detail)
{
    enum rk_err err = active->is_sealed ? cut_trailer(active, detail) : RK_OK;

    if (err != RK_OK)
        return err;
    (void)preallocate(active, active->end_bytes + size_bytes, 0); /* the write itself tells whether there is room */
    if (rk_io_pwritev_full(active->fd, iov, n_iov, (off_t)active->end_bytes) != 0) {
        active->is_at_end |= errno == EFBIG;
        return cut_back(active, fail(active, detail, "cannot be written"), detail);
    }
    return RK_OK;
}

static enum rk_err write_header(struct rk_log_active *active, const struct rk_disk_file_header *header,
                                const struct rk_record_stamp *stamp, struct rk_detail *detail)
{
    uint8_t bytes[RK_DISK_FILE_FRAME_BYTES];
    bool needs_reserve = active->sizes.needs_reserve;
    bool has_room = preallocate(active, sizeof bytes, needs_reserve ? active->sizes.spare_bytes : 0);

    if (needs_reserve && !has_room && says_full(errno))
        return fail(active, detail, "cannot be made with the reserve");
    rk_disk_file_header_build(bytes, header, stamp);
    if (rk_io_pwrite_full(active->fd, bytes, sizeof bytes, 0) != 0)
        return fail(active, detail, "cannot be written");
    if (rk_io->fdatasync(active->fd) != 0)
        return fail(active, detail, "cannot be made durable");
    active->end_bytes = sizeof bytes;
    return RK_OK;
}

static struct rk_log_active make_active(int dir_fd, uint32_t file_number, const struct rk_log_active_sizes *sizes)
{
    struct rk_log_active active = { .dir_fd = dir_fd, .file_number = file_number, .sizes = *sizes };

    if (RK_PLANTED(no_reserve))
        active.sizes.reserve_bytes = 0;
    return active;
}

enum rk_err rk_log_active_create(struct rk_log_active *active, int dir_fd, const struct rk_disk_file_header *header,
                                 const struct rk_record_stamp *stamp, const struct rk_log_active_sizes *sizes,
                                 struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    *active = make_active(dir_fd, header->file_number, sizes);
    rk_disk_file_name(name, header->file_number);
    active->fd = rk_io->open_at(dir_fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (active->fd < 0)
        return fail(active, detail, "cannot be made");
    (void)rk_io->write_in_place(active->fd); /* else a full disk has no room for a write to a block that is there */
    err = write_header(active, header, stamp, detail);
    if (err != RK_OK)
        rk_log_active_close(active, true);
    return err;
}

enum rk_err rk_log_active_reopen(struct rk_log_active *active, int dir_fd, const struct rk_log_newest *newest,
                                 const struct rk_log_active_sizes *sizes, struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    *active = make_active(dir_fd, newest->file_number, sizes);
    active->is_sealed = newest->is_sealed;
    active->totals = newest->totals;
    active->end_bytes = newest->totals.size_bytes;
    active->preallocated_bytes = active->step_at_bytes = used_bytes(active);
    rk_disk_file_name(name, newest->file_number);
    active->fd = rk_open_file(dir_fd, name, O_RDWR, 0);
    return active->fd < 0 ? fail(active, detail, "cannot be opened") : RK_OK;
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

enum rk_err rk_log_active_seal(struct rk_log_active *active, const struct rk_record_secret *secret,
                               const struct rk_record_stamp *stamp, struct rk_detail *detail)
{
    struct rk_disk_file_trailer trailer = active->totals;
    uint8_t bytes[RK_DISK_FILE_FRAME_BYTES];
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
    enum rk_err err = RK_OK;

    trailer.size_bytes = active->end_bytes;
    rk_disk_file_trailer_build(bytes, &trailer, secret, stamp);
    if (!active->is_sealed)
        err = write_at_end(active, &iov, 1, sizeof bytes, detail);
    if (err != RK_OK)
        return err;
    if (rk_io->ftruncate(active->fd, (off_t)(active->end_bytes + sizeof bytes)) != 0) {
        err = fail(active, detail, "its preallocated rest cannot be cut off");
        return active->is_sealed ? err : cut_back(active, err, detail);
    }
    if (rk_io->fdatasync(active->fd) != 0) {
        (void)fail(active, detail, "cannot be made durable");
        return RK_ERR_READ_ONLY;
    }
    active->end_bytes += sizeof bytes;
    active->preallocated_bytes = active->end_bytes;
    return RK_OK;
}

enum rk_err rk_log_active_unseal(struct rk_log_active *active, struct rk_detail *detail)
{
    active->end_bytes -= RK_DISK_FILE_FRAME_BYTES;
    return cut_trailer(active, detail);
}

void rk_log_active_close(struct rk_log_active *active, bool remove)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    (void)rk_io->close(active->fd); /* what had to be durable was synced before */
    active->fd = -1;
    if (!remove)
        return;
    rk_disk_file_name(name, active->file_number);
    (void)rk_io->unlink_at(active->dir_fd, name); /* not listed: if it stays, the next start sweeps it */
}
