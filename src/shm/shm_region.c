#include "shm/shm_region.h"

#include "base/base_detail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REGION_MAGIC   0x4d48535f564b4b52ull /* "RKKV_SHM" */
#define REGION_VERSION 1u

struct region_header {
    uint64_t magic;
    uint32_t version;
    uint32_t kind;
    uint64_t layout;
    uint64_t size_bytes;
    uint8_t reserved[32];
};

_Static_assert(sizeof(struct region_header) == RK_SHM_HEADER_BYTES, "the header is one line of the cache");

static enum rk_err map_region(struct rk_shm_region *region, int fd, size_t size_bytes, struct rk_detail *detail)
{
    void *bytes = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (bytes == MAP_FAILED) {
        rk_detail_set(detail, "mapping %zu bytes of shared memory: %s", size_bytes, strerror(errno));
        return rk_err_from_errno(errno);
    }
    region->bytes = bytes;
    region->size_bytes = size_bytes;
    return RK_OK;
}

enum rk_err rk_shm_region_create(struct rk_shm_region *region, enum rk_shm_kind kind, const char *name,
                                 size_t size_bytes, uint64_t layout, struct rk_detail *detail)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct region_header *header;
    enum rk_err err;

    if (fd < 0) {
        rk_detail_set(detail, "making the shared memory %s: %s", name, strerror(errno));
        return rk_err_from_errno(errno);
    }
    /* Sealed: a process that has the descriptor could otherwise cut the memory off under all others. */
    if (ftruncate(fd, (off_t)size_bytes) != 0
        || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        rk_detail_set(detail, "sizing the shared memory %s to %zu bytes: %s", name, size_bytes, strerror(errno));
        err = rk_err_from_errno(errno);
        (void)close(fd); /* nothing is in it */
        return err;
    }
    err = map_region(region, fd, size_bytes, detail);
    if (err != RK_OK) {
        (void)close(fd); /* nothing is in it */
        return err;
    }
    region->fd = fd;
    header = (struct region_header *)region->bytes;
    *header = (struct region_header){
        .magic = REGION_MAGIC, .version = REGION_VERSION, .kind = kind, .layout = layout, .size_bytes = size_bytes
    };
    return RK_OK;
}

static bool header_fits(const struct region_header *header, enum rk_shm_kind kind, uint64_t layout, size_t size_bytes)
{
    return header->magic == REGION_MAGIC && header->version == REGION_VERSION && header->kind == (uint32_t)kind
           && header->layout == layout && header->size_bytes == size_bytes;
}

enum rk_err rk_shm_region_attach(struct rk_shm_region *region, int fd, enum rk_shm_kind kind, uint64_t layout,
                                 struct rk_detail *detail)
{
    struct stat status;
    enum rk_err err;

    if (fstat(fd, &status) != 0 || (size_t)status.st_size < RK_SHM_HEADER_BYTES) {
        rk_detail_set(detail, "descriptor %d is not a region of shared memory", fd);
        return RK_ERR_MISMATCH;
    }
    err = map_region(region, fd, (size_t)status.st_size, detail);
    if (err != RK_OK)
        return err;
    region->fd = -1;
    if (!header_fits((const struct region_header *)region->bytes, kind, layout, region->size_bytes)) {
        rk_detail_set(detail, "the shared memory on descriptor %d was made by another version of rackkvd", fd);
        rk_shm_region_close(region);
        return RK_ERR_MISMATCH;
    }
    return RK_OK;
}

void rk_shm_region_close(struct rk_shm_region *region)
{
    if (region->bytes == NULL)
        return;
    (void)munmap(region->bytes, region->size_bytes); /* fails only for a range that was never mapped */
    if (region->fd >= 0)
        (void)close(region->fd); /* shared memory has nothing to lose at close */
    *region = (struct rk_shm_region){ .fd = -1 };
}
