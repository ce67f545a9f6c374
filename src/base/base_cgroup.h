/* The control groups that a process is in, as folders: from its own group up to where the hierarchy is mounted. */
#ifndef RK_BASE_CGROUP_H
#define RK_BASE_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_cgroup {
    unsigned version;      /* 1 or 2 */
    size_t mount_len;      /* of `folder`: where the hierarchy is mounted */
    char folder[PATH_MAX]; /* of the group, then of its parents */
};

/* The process's group in the hierarchy of this version that has the controller ("cpu", "memory"; v2 has one for all).
 * What of its path is not visible here (a container's name on the host) is left out: then it is the mount point itself,
 * which stands for that group. False: there is no such hierarchy. */
bool rk_cgroup_find(struct rk_cgroup *group_out, const char *root, unsigned version, const char *controller);

/* Goes to the parent; false at the mount point. */
bool rk_cgroup_up(struct rk_cgroup *group);

/* The beginning of a file of the folder as text; false when it cannot be read. */
bool rk_cgroup_read(const char *folder, const char *name, char *text_out, size_t size);

/* A member of the folder's memory.stat; 0 when there is none. */
uint64_t rk_cgroup_stat(const char *folder, const char *member);

#endif
