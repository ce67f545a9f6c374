#include "disk/disk_hole.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

#define BLOCK_BYTES_USUAL 4096u
#define BYTES_OF_STAT     512u

struct punching {
    int fd;
    uint32_t file_number;
    const struct rk_record_secret *secret;
    uint64_t block_bytes;
    struct rk_detail *detail;
};

static enum rk_err fail(const struct punching *punching, const char *what)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, punching->file_number);
    rk_detail_set(punching->detail, "%s: %s: %s", name, what, strerror(errnum));
    return errnum == EOPNOTSUPP || errnum == ENOSYS ? RK_ERR_INVALID : rk_err_from_errno(errnum);
}

uint64_t rk_disk_hole_block_bytes(int dir_fd)
{
    struct stat status;

    return rk_io->fstat(dir_fd, &status) == 0 && status.st_blksize > 0 ? (uint64_t)status.st_blksize
                                                                       : BLOCK_BYTES_USUAL;
}

struct rk_disk_hole rk_disk_hole_find(int fd, const struct rk_record_secret *secret, uint64_t offset_bytes)
{
    uint8_t bytes[RK_RECORD_HEADER_BYTES];
    struct rk_record_header header;

    if (rk_io_pread_full(fd, bytes, sizeof bytes, (off_t)offset_bytes) != (ssize_t)sizeof bytes
        || rk_record_decode_header(bytes, secret, &header) != RK_OK || header.type != RK_RECORD_HOLE)
        return (struct rk_disk_hole){ .n_records = 0 };
    return (struct rk_disk_hole){ .offset_bytes = offset_bytes,
                                  .size_bytes = rk_record_size_of(&header),
                                  .sequence = header.sequence,
                                  .n_records = rk_record_hole_records(&header) };
}

/* Behind the header, which stays. */
static uint64_t first_block(const struct rk_disk_hole *hole, uint64_t block_bytes)
{
    uint64_t end_bytes = hole->offset_bytes + RK_RECORD_HEADER_BYTES;

    return (end_bytes + block_bytes - 1) / block_bytes * block_bytes;
}

static uint64_t last_block(const struct rk_disk_hole *hole, uint64_t block_bytes)
{
    return (hole->offset_bytes + hole->size_bytes) / block_bytes * block_bytes;
}

bool rk_disk_hole_is_worth(const struct rk_disk_hole *hole, uint64_t block_bytes)
{
    return last_block(hole, block_bytes) > first_block(hole, block_bytes);
}

/* The header at the offset; RK_ERR_CORRUPT: there is none. */
static enum rk_err read_header(const struct punching *punching, uint64_t offset_bytes,
                               uint8_t bytes[RK_RECORD_HEADER_BYTES], struct rk_record_header *header_out)
{
    ssize_t n = rk_io_pread_full(punching->fd, bytes, RK_RECORD_HEADER_BYTES, (off_t)offset_bytes);
    char name[RK_DISK_FILE_NAME_BYTES];

    if (n < 0)
        return fail(punching, "cannot be read");
    if (n == (ssize_t)RK_RECORD_HEADER_BYTES && rk_record_decode_header(bytes, punching->secret, header_out) == RK_OK)
        return RK_OK;
    rk_disk_file_name(name, punching->file_number);
    rk_detail_set(punching->detail, "%s: no record at byte %llu, where a hole was to be", name,
                  (unsigned long long)offset_bytes);
    return RK_ERR_CORRUPT;
}

static bool may_become(const struct rk_record_header *header, const struct rk_disk_hole *hole)
{
    return (header->type == RK_RECORD_PUT || header->type == RK_RECORD_TOMBSTONE || header->type == RK_RECORD_HOLE)
           && header->sequence == hole->sequence && rk_record_size_of(header) <= hole->size_bytes;
}

/* Whether a scan that steps over the hole finds what it found before. */
static enum rk_err check_hole(const struct punching *punching, const struct rk_disk_hole *hole)
{
    uint8_t bytes[RK_RECORD_HEADER_BYTES];
    struct rk_record_header header;
    enum rk_err err = read_header(punching, hole->offset_bytes, bytes, &header);

    if (err == RK_OK && !may_become(&header, hole)) {
        rk_detail_set(punching->detail, "data file %u: another record than that of the hole at byte %llu",
                      punching->file_number, (unsigned long long)hole->offset_bytes);
        return RK_ERR_CORRUPT;
    }
    return err == RK_OK ? read_header(punching, hole->offset_bytes + hole->size_bytes, bytes, &header) : err;
}

static bool is_marked(const struct rk_record_header *header, const struct rk_disk_hole *hole)
{
    return header->type == RK_RECORD_HOLE && rk_record_size_of(header) == hole->size_bytes;
}

/* The header says so; what is behind it need not be there any more. */
static enum rk_err mark(const struct punching *punching, const struct rk_disk_hole *hole, bool *marked_out)
{
    uint8_t bytes[RK_RECORD_HEADER_BYTES];
    struct rk_record_header header;
    enum rk_err err = read_header(punching, hole->offset_bytes, bytes, &header);

    if (err != RK_OK || is_marked(&header, hole))
        return err;
    *marked_out = true;
    rk_record_make_hole(bytes, punching->secret, hole->n_records, hole->size_bytes);
    return rk_io_pwrite_full(punching->fd, bytes, RK_RECORD_HOLE_HEAD_BYTES, (off_t)hole->offset_bytes) == 0
               ? RK_OK
               : fail(punching, "a hole cannot be marked");
}

static enum rk_err punch(const struct punching *punching, const struct rk_disk_hole *hole)
{
    uint64_t begin = first_block(hole, punching->block_bytes);

    return rk_io->fallocate(punching->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)begin,
                            (off_t)(last_block(hole, punching->block_bytes) - begin))
                   == 0
               ? RK_OK
               : fail(punching, "a hole cannot be punched");
}

static enum rk_err mark_all(const struct punching *punching, const struct rk_disk_hole *holes, size_t n_holes)
{
    bool marked = false;
    enum rk_err err = RK_OK;

    for (size_t i = 0; err == RK_OK && i < n_holes; i++)
        err = check_hole(punching, &holes[i]);
    for (size_t i = 0; err == RK_OK && i < n_holes; i++)
        err = mark(punching, &holes[i], &marked);
    if (err != RK_OK || !marked || RK_PLANTED(hole_before_mark) || rk_io->fdatasync(punching->fd) == 0)
        return err;
    (void)fail(punching, "a hole cannot be made durable");
    return RK_ERR_IO; /* whatever errno says: nothing is known of the marks */
}

/* After a crash, a hole may be marked and not punched: what is marked is punched again. */
static enum rk_err punch_all(const struct punching *punching, const struct rk_disk_hole *holes, size_t n_holes)
{
    enum rk_err err = mark_all(punching, holes, n_holes);

    for (size_t i = 0; err == RK_OK && i < n_holes; i++)
        err = punch(punching, &holes[i]);
    return err;
}

static uint64_t used_bytes(const struct punching *punching)
{
    struct stat status;

    return rk_io->fstat(punching->fd, &status) == 0 ? (uint64_t)status.st_blocks * BYTES_OF_STAT : 0;
}

enum rk_err rk_disk_hole_punch(int dir_fd, uint32_t file_number, const struct rk_record_secret *secret,
                               const struct rk_disk_hole *holes, size_t n_holes, uint64_t *freed_bytes_out,
                               struct rk_detail *detail)
{
    struct punching punching = {
        .file_number = file_number, .secret = secret, .block_bytes = rk_disk_hole_block_bytes(dir_fd), .detail = detail
    };
    char name[RK_DISK_FILE_NAME_BYTES];
    uint64_t before_bytes, after_bytes;
    enum rk_err err;

    rk_disk_file_name(name, file_number);
    punching.fd = rk_io->open_at(dir_fd, name, O_RDWR, 0);
    if (punching.fd < 0)
        return fail(&punching, "cannot be opened");
    before_bytes = used_bytes(&punching);
    err = punch_all(&punching, holes, n_holes);
    after_bytes = used_bytes(&punching);
    *freed_bytes_out = before_bytes > after_bytes ? before_bytes - after_bytes : 0;
    (void)rk_io->close(punching.fd); /* what had to be durable was synced */
    return err;
}
