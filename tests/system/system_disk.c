#include "system_disk.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STEP_BYTES (256 << 10)
#define LAST_BYTES 4096

bool system_disk_mount(const char *folder, char *path, size_t size)
{
    snprintf(path, size, "%s/disk", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
        && mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,mode=0700") == 0)
        return true;
    fprintf(stderr, "skipped: a tmpfs cannot be mounted here: %s\n", strerror(errno));
    return false;
}

/* The end of its output says why it did not work. */
static bool run_command(const char *command, const char *kind)
{
    if (system(command) == 0)
        return true;
    fprintf(stderr, "skipped: no %s can be made here: %s\n", kind, command);
    return false;
}

static bool make_image(const char *folder, const char *kind, unsigned mib, const char *path)
{
    const char *options = strcmp(kind, "btrfs") == 0 ? "-q -m single" : "-q";
    char command[1024];

    snprintf(
        command, sizeof command,
        "PATH=$PATH:/usr/sbin:/sbin; image='%s/image'; truncate -s %uM \"$image\" && mkfs.%s %s \"$image\" >/dev/null "
        "2>&1 && mount -o loop \"$image\" '%s' && rm \"$image\"",
        folder, mib, kind, options, path);
    return run_command(command, kind);
}

static bool make_tmpfs(unsigned mib, const char *path)
{
    char command[1024];

    snprintf(command, sizeof command, "PATH=$PATH:/usr/sbin:/sbin; mount -t tmpfs -o size=%um none '%s'", mib, path);
    return run_command(command, "tmpfs");
}

bool system_disk_mount_kind(const char *folder, const char *kind, unsigned mib, char *path, size_t size)
{
    snprintf(path, size, "%s/disk", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        fprintf(stderr, "skipped: nothing can be mounted here: %s\n", strerror(errno));
        return false;
    }
    return strcmp(kind, "tmpfs") == 0 ? make_tmpfs(mib, path) : make_image(folder, kind, mib, path);
}

void system_disk_limit_names(const char *path, unsigned n_more)
{
    struct statvfs status;
    char options[64];

    ck_assert_int_eq(statvfs(path, &status), 0);
    snprintf(options, sizeof options, "nr_inodes=%llu", (unsigned long long)(status.f_files - status.f_ffree) + n_more);
    ck_assert_int_eq(mount(NULL, path, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options), 0);
}

void system_disk_unmount(const char *path)
{
    ck_assert_int_eq(umount(path), 0);
}

void system_disk_fill(const char *ballast)
{
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    off_t size = lseek(fd, 0, SEEK_END);

    ck_assert_int_ge(fd, 0);
    for (off_t step = STEP_BYTES; step >= LAST_BYTES; step /= 8) {
        int err;

        while ((err = posix_fallocate(fd, size, step)) == 0)
            size += step;
        ck_assert_int_eq(err, ENOSPC);
    }
    close(fd);
}
