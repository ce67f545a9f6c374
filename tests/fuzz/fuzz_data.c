#include "fuzz_data.h"

#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_io.h"
#include "disk/disk_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_FD    1000
#define AT_BODY_CRC 12

const struct rk_disk_identity fuzz_data_identity = { .uuid = "fuzz.fuzz.fuzz.",
                                                     .secret = { .magic = 0x7a7a7566, .crc_seed = 0x12345678 } };

static struct rk_record_stamp make_stamp(uint64_t sequence, size_t offset)
{
    return (struct rk_record_stamp){ .sequence = sequence,
                                     .write_time_ms = 1700000000000 + sequence,
                                     .durable_units = (uint32_t)(offset / 2 / 16) };
}

static size_t add_record(uint8_t *bytes, size_t offset, uint64_t sequence, const struct rk_record_parts *parts)
{
    struct rk_record_stamp stamp = make_stamp(sequence, offset);
    uint64_t size = rk_record_build(bytes + offset, parts);

    rk_record_stamp(bytes + offset, &fuzz_data_identity.secret, &stamp);
    return offset + size;
}

size_t fuzz_data_build(uint8_t *bytes, const struct fuzz_data_options *options)
{
    static const struct rk_record_parts records[] = {
        { .type = RK_RECORD_PUT, .key = "a", .key_len = 1, .value = "one", .value_len = 3 },
        { .type = RK_RECORD_PUT, .key = "bb", .key_len = 2, .metadata = "\1\1x", .metadata_len = 3 },
        { .type = RK_RECORD_TOMBSTONE, .key = "a", .key_len = 1 },
        { .type = RK_RECORD_PUT, .key = "c", .key_len = 1, .value = "23", .value_len = 2, .expiry_ms = 1800000000000 },
    };
    struct rk_disk_file_header header = { .file_number = FUZZ_DATA_FILE,
                                          .format_version = RK_DISK_FORMAT_VERSION,
                                          .kind = options->kind };
    struct rk_disk_file_trailer trailer = { .first_sequence = 1 };
    size_t size = RK_DISK_FILE_FRAME_BYTES;
    struct rk_record_stamp stamp = { .write_time_ms = 1700000000000 };

    memcpy(header.uuid, fuzz_data_identity.uuid, sizeof header.uuid);
    rk_disk_file_header_build(bytes, &header, &stamp);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        size = add_record(bytes, size, ++trailer.n_records, &records[i]);
    if (options->large_value > 0) {
        uint8_t *value = calloc(1, options->large_value);

        size = add_record(bytes, size, ++trailer.n_records,
                          &(struct rk_record_parts){ .type = RK_RECORD_PUT,
                                                     .key = "large",
                                                     .key_len = 5,
                                                     .value = value,
                                                     .value_len = options->large_value });
        free(value);
    }
    if (!options->sealed)
        return size;
    trailer.last_sequence = trailer.n_records;
    trailer.size_bytes = size;
    stamp = make_stamp(trailer.last_sequence, size);
    rk_disk_file_trailer_build(bytes + size, &trailer, &fuzz_data_identity.secret, &stamp);
    return size + RK_DISK_FILE_FRAME_BYTES;
}

static void fix_record(uint8_t *bytes, const struct rk_record_header *header, const struct rk_record_secret *secret)
{
    struct rk_record_stamp stamp = { .sequence = header->sequence,
                                     .write_time_ms = header->write_time_ms,
                                     .durable_units = header->durable_units };
    size_t crc_end = rk_record_value_offset(header) + (rk_record_n_blocks(header) > 0 ? 0 : (size_t)header->value_len);

    rk_bytes_store32(bytes + AT_BODY_CRC,
                     rk_crc32c(0, bytes + RK_RECORD_HEADER_BYTES, crc_end - RK_RECORD_HEADER_BYTES));
    rk_record_stamp(bytes, secret, &stamp);
}

void fuzz_data_fix(uint8_t *bytes, size_t size)
{
    struct rk_record_header header;

    for (size_t at = 0; size - at >= RK_RECORD_HEADER_BYTES; at += rk_record_size_of(&header)) {
        rk_bytes_store32(bytes + at, rk_record_plain.magic);
        if (rk_record_decode_unstamped_header(bytes + at, &header) != RK_OK || rk_record_size_of(&header) > size - at)
            return;
        fix_record(bytes + at, &header, at == 0 ? &rk_record_plain : &fuzz_data_identity.secret);
    }
}

static const struct fuzz_file *served;
static size_t n_served;

static const struct fuzz_file *file_of(int fd)
{
    if (fd < FIRST_FD || (size_t)(fd - FIRST_FD) >= n_served)
        abort();
    return &served[fd - FIRST_FD];
}

static int serve_open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    for (size_t i = 0; i < n_served; i++)
        if (strcmp(served[i].name, name) == 0)
            return FIRST_FD + (int)i;
    errno = ENOENT;
    return -1;
}

static int serve_close(int fd)
{
    (void)file_of(fd);
    return 0;
}

static ssize_t serve_pread(int fd, void *bytes, size_t size, off_t offset)
{
    const struct fuzz_file *file = file_of(fd);

    if (offset < 0 || (size_t)offset >= file->size)
        return 0;
    size = size < file->size - (size_t)offset ? size : file->size - (size_t)offset;
    memcpy(bytes, file->bytes + offset, size);
    return (ssize_t)size;
}

static int serve_fadvise(int fd, off_t offset, off_t size, int advice)
{
    return 0;
}

static int serve_fstat(int fd, struct stat *status)
{
    *status = (struct stat){ .st_mode = S_IFREG, .st_size = (off_t)file_of(fd)->size };
    return 0;
}

void fuzz_data_serve(const struct fuzz_file *files, size_t n_files)
{
    static const struct rk_io_ops ops = { .open_at = serve_open_at,
                                          .close = serve_close,
                                          .pread = serve_pread,
                                          .fadvise = serve_fadvise,
                                          .fstat = serve_fstat };

    served = files;
    n_served = n_files;
    rk_io = &ops;
}
