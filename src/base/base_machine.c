#include "base/base_machine.h"

#include "base/base_cgroup.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORES_MAX 8192

/* A mask of the size of CPU_SETSIZE is too small for machines of more than 1024 cores. */
static unsigned count_affinity(void)
{
    cpu_set_t *set = CPU_ALLOC(CORES_MAX);
    size_t size = CPU_ALLOC_SIZE(CORES_MAX);
    unsigned n = 1;

    if (set == NULL)
        return 1;
    if (sched_getaffinity(0, size, set) == 0)
        n = (unsigned)CPU_COUNT_S(size, set);
    CPU_FREE(set);
    return n > 0 ? n : 1;
}

/* The quota of one folder in microseconds of processor time for each period; false: none. */
static bool read_quota(const struct rk_cgroup *group, const char *folder, double *cores_out)
{
    char text[64];
    long long quota, period;

    if (group->version == 2) {
        if (!rk_cgroup_read(folder, "cpu.max", text, sizeof text)
            || sscanf(text, "%lld %lld", &quota, &period) != 2) /* "max 100000": no quota */
            return false;
    } else {
        if (!rk_cgroup_read(folder, "cpu.cfs_quota_us", text, sizeof text) || sscanf(text, "%lld", &quota) != 1
            || !rk_cgroup_read(folder, "cpu.cfs_period_us", text, sizeof text) || sscanf(text, "%lld", &period) != 1)
            return false;
    }
    if (quota <= 0 || period <= 0)
        return false;
    *cores_out = (double)quota / (double)period;
    return true;
}

/* The smallest quota from the process's group up, in cores, rounded up; 0: none. */
static unsigned find_quota(const char *root)
{
    struct rk_cgroup group;
    double smallest = 0;

    for (unsigned version = 2; version >= 1; version--) {
        if (!rk_cgroup_find(&group, root, version, "cpu"))
            continue;
        do {
            double cores;

            if (read_quota(&group, group.folder, &cores) && (smallest == 0 || cores < smallest))
                smallest = cores;
        } while (rk_cgroup_up(&group));
    }
    if (smallest == 0 || smallest > CORES_MAX)
        return 0;
    return (unsigned)smallest + ((double)(unsigned)smallest < smallest ? 1 : 0);
}

/* A member of /proc/meminfo in bytes; 0: it is not there. */
static uint64_t read_meminfo(const char *root, const char *name)
{
    char path[PATH_MAX], line[256];
    unsigned long long kib;
    uint64_t bytes = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/proc/meminfo", root); /* a path that is cut opens nothing */
    file = fopen(path, "re");
    while (file != NULL && bytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), ": %llu kB", &kib) == 1)
            bytes = kib << 10;
    if (file != NULL)
        (void)fclose(file); /* it was only read */
    return bytes;
}

static const char *const limit_files[] = { NULL, "memory.limit_in_bytes", "memory.max" };
static const char *const usage_files[] = { NULL, "memory.usage_in_bytes", "memory.current" };

static bool read_number(const char *folder, const char *name, uint64_t *number_out)
{
    char text[64];
    unsigned long long number;

    if (!rk_cgroup_read(folder, name, text, sizeof text) || sscanf(text, "%llu", &number) != 1)
        return false; /* "max" is no number: no limit */
    *number_out = number;
    return true;
}

/* The smallest limit from the process's group up; UINT64_MAX: none. */
static uint64_t find_limit(const char *root)
{
    struct rk_cgroup group;
    uint64_t smallest = UINT64_MAX, limit;

    for (unsigned version = 2; version >= 1; version--) {
        if (!rk_cgroup_find(&group, root, version, "memory"))
            continue;
        do {
            if (read_number(group.folder, limit_files[version], &limit) && limit < smallest)
                smallest = limit;
        } while (rk_cgroup_up(&group));
    }
    return smallest;
}

void rk_machine_look(struct rk_machine *machine_out, const char *root)
{
    unsigned n_affinity = count_affinity(), n_quota = find_quota(root);
    uint64_t memory_bytes = read_meminfo(root, "MemTotal"), limit_bytes = find_limit(root);
    bool by_quota = n_quota != 0 && n_quota < n_affinity;
    bool by_limit = limit_bytes != UINT64_MAX && (memory_bytes == 0 || limit_bytes < memory_bytes);

    *machine_out = (struct rk_machine){ .n_cores = by_quota ? n_quota : n_affinity,
                                        .memory_bytes = by_limit ? limit_bytes : memory_bytes };
    (void)snprintf(machine_out->cores_why, sizeof machine_out->cores_why, "%u core%s by %s", machine_out->n_cores,
                   machine_out->n_cores == 1 ? "" : "s", by_quota ? "the quota of the control group" : "affinity");
    (void)snprintf(machine_out->memory_why, sizeof machine_out->memory_why, "%llu MiB %s",
                   (unsigned long long)machine_out->memory_bytes >> 20,
                   by_limit ? "that the control group may have" : "that the machine has");
}

/* The page cache of a group: pages of files, which the kernel takes away when memory is wanted. Shared memory is not
 * among them. */
static uint64_t read_page_cache(const struct rk_cgroup *group)
{
    static const char *const names[3][2] = { { NULL, NULL },
                                             { "total_inactive_file", "total_active_file" },
                                             { "inactive_file", "active_file" } };

    return rk_cgroup_stat(group->folder, names[group->version][0])
           + rk_cgroup_stat(group->folder, names[group->version][1]);
}

static uint64_t left_in_group(const struct rk_cgroup *group)
{
    uint64_t limit, usage, cache;

    if (!read_number(group->folder, limit_files[group->version], &limit)
        || !read_number(group->folder, usage_files[group->version], &usage))
        return UINT64_MAX;
    cache = read_page_cache(group);
    usage -= cache < usage ? cache : usage;
    return limit > usage ? limit - usage : 0;
}

uint64_t rk_machine_memory_left(const char *root)
{
    uint64_t available = read_meminfo(root, "MemAvailable");
    uint64_t left = available != 0 ? available : UINT64_MAX;
    struct rk_cgroup group;

    for (unsigned version = 2; version >= 1; version--) {
        if (!rk_cgroup_find(&group, root, version, "memory"))
            continue;
        do {
            uint64_t here = left_in_group(&group);

            left = here < left ? here : left;
        } while (rk_cgroup_up(&group));
    }
    return left;
}
