/* A small disk of a test's own, that can be filled for real. */
#ifndef RK_SYSTEM_DISK_H
#define RK_SYSTEM_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Mounts a tmpfs of 16 MiB below the folder, in a mount namespace of its own: it is gone with this process. Its path
 * goes to `path`. False, with a line that says so, where that is not permitted: the caller skips its test then. */
bool system_disk_mount(const char *folder, char *path, size_t size);
/* The same of a file system of that kind ("ext4", "xfs", "btrfs", "tmpfs"), of so many MiB, in an image file below the
 * folder. False also where there is no mkfs for it, or no loop device. */
bool system_disk_mount_kind(const char *folder, const char *kind, unsigned mib, char *path, size_t size);

/* Of a tmpfs: lets it have so many more files, sockets and folders than there are. */
void system_disk_limit_names(const char *path, unsigned n_more);

void system_disk_unmount(const char *path);

/* Makes the file, a ballast, as large as the disk allows, to the last page; once more takes what has come free. */
void system_disk_fill(const char *ballast);

#endif
