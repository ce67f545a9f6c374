#include "sim_image.h"

#include "base/base_crc.h"
#include "sim_disk.h"
#include "sim_memory.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void sim_bytes_resize(struct sim_bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        bytes->capacity = size + size / 2;
        bytes->at = realloc(bytes->at, bytes->capacity);
    }
    if (size > bytes->size)
        memset(bytes->at + bytes->size, 0, size - bytes->size);
    bytes->size = size;
}

uint64_t sim_image_hash(const struct sim_image *image)
{
    uint64_t hash = image->has_root;

    for (size_t i = 0; i < image->n_files; i++) {
        const struct sim_file *file = &image->files[i];
        size_t size = strcmp(file->name, "LOCK") != 0 ? file->bytes.size : 0;
        uint64_t state = rk_crc32c(0, file->bytes.at, size);

        state = state << 32 | rk_crc32c((uint32_t)size, file->name, strlen(file->name));
        hash += sim_random(&state); /* the order of names does not matter */
    }
    return hash;
}

static void clear_root(const char *root)
{
    DIR *dir = opendir(root);
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            ck_assert_int_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    ck_assert_int_eq(rmdir(root), 0);
}

void sim_image_write(const struct sim_image *image, const char *root)
{
    int dir_fd;

    if (sim_memory_is_used()) {
        sim_memory_put(image);
        return;
    }
    clear_root(root);
    if (!image->has_root)
        return;
    ck_assert_int_eq(mkdir(root, 0700), 0);
    dir_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < image->n_files; i++) {
        const struct sim_file *file = &image->files[i];
        int fd = openat(dir_fd, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0
            || (file->bytes.size > 0 && write(fd, file->bytes.at, file->bytes.size) != (ssize_t)file->bytes.size))
            ck_abort_msg("%s/%s cannot be written", root, file->name);
        close(fd);
    }
    close(dir_fd);
}

static struct sim_file *add_file(struct sim_image *image, const char *name, size_t size)
{
    struct sim_file *file = &image->files[image->n_files++];

    ck_assert_uint_le(image->n_files, SIM_FILES_MAX);
    ck_assert_uint_lt(strlen(name), SIM_NAME_BYTES);
    strcpy(file->name, name);
    sim_bytes_resize(&file->bytes, size);
    return file;
}

void sim_image_add(struct sim_image *image, const char *name, const struct sim_bytes *bytes)
{
    struct sim_file *file = add_file(image, name, bytes->size);

    if (bytes->size > 0)
        memcpy(file->bytes.at, bytes->at, bytes->size);
}

static void read_file(struct sim_image *image, int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    struct sim_file *file;
    struct stat status;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    file = add_file(image, name, (size_t)status.st_size);
    ck_assert(status.st_size == 0 || read(fd, file->bytes.at, file->bytes.size) == status.st_size);
    close(fd);
}

void sim_image_read(struct sim_image *image, const char *root)
{
    struct dirent *entry;
    DIR *dir;

    if (sim_memory_is_used()) {
        sim_memory_get(image);
        return;
    }
    dir = opendir(root);
    image->has_root = dir != NULL;
    image->n_files = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            read_file(image, dirfd(dir), entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

void sim_image_free(struct sim_image *image)
{
    for (size_t i = 0; i < SIM_FILES_MAX; i++)
        free(image->files[i].bytes.at);
    *image = (struct sim_image){ 0 };
}
