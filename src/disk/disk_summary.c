#include "disk/disk_summary.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static enum rk_err fail(uint32_t file_number, struct rk_detail *detail, const char *what)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    rk_detail_set(detail, "%s: %s: %s", name, what, rk_open_text(errnum));
    return errnum == ENOENT ? RK_ERR_NOT_FOUND : rk_err_from_errno(errnum);
}

static int open_file(int dir_fd, uint32_t file_number)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    return rk_open_file(dir_fd, name, O_RDONLY, 0);
}

/* Reads a record of a header's or trailer's size; false when there is none that is whole. */
static enum rk_err read_frame(int fd, uint64_t offset, const struct rk_record_secret *secret,
                              uint8_t bytes[RK_DISK_FILE_FRAME_BYTES], struct rk_record_view *view_out, bool *whole_out)
{
    ssize_t n = rk_io_pread_full(fd, bytes, RK_DISK_FILE_FRAME_BYTES, (off_t)offset);

    if (n < 0)
        return RK_ERR_IO;
    *whole_out = rk_record_decode(bytes, (size_t)n, secret, view_out) == RK_OK;
    return RK_OK;
}

static enum rk_err summarize(int fd, const struct rk_record_secret *secret, struct rk_disk_file_summary *summary)
{
    uint8_t bytes[RK_DISK_FILE_FRAME_BYTES];
    struct rk_disk_file_header header;
    struct rk_record_view view;
    bool whole = false;

    if (read_frame(fd, 0, &rk_record_plain, bytes, &view, &whole) != RK_OK)
        return RK_ERR_IO;
    if (whole && rk_disk_file_header_decode(&view, &header) == RK_OK) {
        summary->has_header = true;
        summary->kind = header.kind;
        summary->header_sequence = view.header.sequence;
    }
    if (summary->file_bytes < 2 * RK_DISK_FILE_FRAME_BYTES)
        return RK_OK;
    if (read_frame(fd, summary->file_bytes - RK_DISK_FILE_FRAME_BYTES, secret, bytes, &view, &whole) != RK_OK)
        return RK_ERR_IO;
    if (!whole || rk_disk_file_trailer_decode(&view, &summary->trailer) != RK_OK
        || summary->trailer.size_bytes != summary->file_bytes - RK_DISK_FILE_FRAME_BYTES)
        return RK_OK;
    summary->has_trailer = true;
    summary->trailer_sequence = view.header.sequence;
    summary->trailer_crc = rk_record_header_crc(bytes);
    return RK_OK;
}

enum rk_err rk_disk_file_summarize(int dir_fd, uint32_t file_number, const struct rk_record_secret *secret,
                                   struct rk_disk_file_summary *summary_out, struct rk_detail *detail)
{
    struct rk_disk_file_summary summary = { 0 };
    int fd = open_file(dir_fd, file_number);
    enum rk_err err = RK_OK;
    struct stat status;

    if (fd < 0)
        return fail(file_number, detail, "cannot be opened");
    if (rk_io->fstat(fd, &status) != 0) {
        err = fail(file_number, detail, "cannot be examined");
    } else {
        summary.file_bytes = (uint64_t)status.st_size;
        if (summarize(fd, secret, &summary) != RK_OK)
            err = fail(file_number, detail, "cannot be read");
    }
    (void)rk_io->close(fd); /* nothing was written through it */
    if (err == RK_OK)
        *summary_out = summary;
    return err;
}
