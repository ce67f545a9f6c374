#include "system_disk.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

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

void system_disk_unmount(const char *path)
{
    ck_assert_int_eq(umount(path), 0);
}
