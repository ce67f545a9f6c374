/* What a process may use, by made-up trees of /proc and /sys: the machine itself, v1 and v2, nested groups, containers
 * with and without a namespace of their own. */
#include "base/base_machine.h"
#include "test_dir.h"
#include "test_main.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MIB ((uint64_t)1 << 20)

#define V1_MOUNTS                                                                          \
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"                                    \
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n" \
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"           \
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n"

#define V2_MOUNTS                             \
    "29 23 0:26 / /sys rw - sysfs sysfs rw\n" \
    "30 29 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static char *root;

static void setup(void)
{
    root = test_dir_create();
}

static void teardown(void)
{
    test_dir_remove(&root);
}

/* A file below the root, with the folders that it needs. */
static void put(const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700); /* there already, or the file below cannot be made */
        *slash = '/';
    }
    file = fopen(path, "we");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void put_meminfo(void)
{
    put("/proc/meminfo", "MemTotal:       8388608 kB\nMemFree:         100 kB\nMemAvailable:    4194304 kB\n");
}

static struct rk_machine look(void)
{
    struct rk_machine machine;

    rk_machine_look(&machine, root);
    return machine;
}

static unsigned count_cores(void)
{
    cpu_set_t set;

    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    return (unsigned)CPU_COUNT(&set);
}

START_TEST(a_machine_without_groups_is_its_own)
{
    struct rk_machine machine;

    put_meminfo();
    machine = look();
    ck_assert_uint_eq(machine.memory_bytes, 8192 * MIB);
    ck_assert_str_eq(machine.memory_why, "8192 MiB that the machine has");
    ck_assert_uint_eq(machine.n_cores, count_cores());
    ck_assert_uint_eq(rk_machine_memory_left(root), 4096 * MIB);
}
END_TEST

START_TEST(nobody_says_anything)
{
    struct rk_machine machine = look();

    ck_assert_uint_eq(machine.memory_bytes, 0);
    ck_assert_uint_eq(machine.n_cores, count_cores());
    ck_assert_uint_eq(rk_machine_memory_left(root), UINT64_MAX);
}
END_TEST

START_TEST(the_affinity_counts)
{
    cpu_set_t all, one;
    struct rk_machine machine;

    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    machine = look();
    ck_assert_int_eq(sched_setaffinity(0, sizeof all, &all), 0);
    ck_assert_uint_eq(machine.n_cores, 1);
    ck_assert_str_eq(machine.cores_why, "1 core by affinity");
}
END_TEST

/* The smallest limit of the group and of those it is in. */
START_TEST(nested_groups_of_v2)
{
    struct rk_machine machine;

    put_meminfo();
    put("/proc/self/cgroup", "0::/a.slice/b.service\n");
    put("/proc/self/mountinfo", V2_MOUNTS);
    put("/sys/fs/cgroup/a.slice/memory.max", "268435456\n");
    put("/sys/fs/cgroup/a.slice/memory.current", "104857600\n");
    put("/sys/fs/cgroup/a.slice/memory.stat", "anon 1\nfile 99\ninactive_file 10485760\nactive_file 20971520\n");
    put("/sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
    put("/sys/fs/cgroup/a.slice/b.service/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a.slice/cpu.max", "50000 100000\n");
    machine = look();
    ck_assert_uint_eq(machine.memory_bytes, 256 * MIB);
    ck_assert_str_eq(machine.memory_why, "256 MiB that the control group may have");
    ck_assert_uint_eq(machine.n_cores, 1); /* half of one, rounded up */
    ck_assert_uint_eq(rk_machine_memory_left(root), (256 - 100 + 10 + 20) * MIB);
}
END_TEST

START_TEST(nested_groups_of_v1)
{
    struct rk_machine machine;

    put_meminfo();
    put("/proc/self/cgroup", "9:name=systemd:/\n4:memory:/a/b\n3:cpuset:/\n2:cpu,cpuacct:/c\n0::/\n");
    put("/proc/self/mountinfo", V1_MOUNTS);
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "536870912\n");
    put("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "536870912\n");
    put("/sys/fs/cgroup/memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 1048576\ntotal_active_file 0\n");
    put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "134217728\n");
    put("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "16777216\n");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    machine = look();
    ck_assert_uint_eq(machine.memory_bytes, 128 * MIB);
    ck_assert_uint_eq(machine.n_cores, 1);
    ck_assert_uint_eq(rk_machine_memory_left(root), MIB); /* of the outer one */
}
END_TEST

/* A quota of many processors is no processor more than the affinity has; -1 is none. */
START_TEST(quotas_that_do_not_bind)
{
    static const char *const quotas[] = { "-1\n", "100000000\n", "0\n", "" };

    put("/proc/self/cgroup", "2:cpu,cpuacct:/\n");
    put("/proc/self/mountinfo", V1_MOUNTS);
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", quotas[_i]);
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(look().n_cores, count_cores());
    ck_assert_ptr_nonnull(strstr(look().cores_why, "by affinity"));
}
END_TEST

/* A container of v1 sees the host's path in /proc/self/cgroup, and only its own group below the mount. */
START_TEST(a_container_whose_group_is_mounted)
{
    put_meminfo();
    put("/proc/self/cgroup", "4:memory:/docker/0123\n");
    put("/proc/self/mountinfo", "35 31 0:32 /docker/0123 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n");
    ck_assert_uint_eq(look().memory_bytes, 64 * MIB);
    put("/proc/self/cgroup", "4:memory:/docker/0123/inner\n");
    put("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "33554432\n");
    ck_assert_uint_eq(look().memory_bytes, 32 * MIB);
    put("/proc/self/cgroup", "4:memory:/docker/01234/inner\n"); /* another one */
    ck_assert_uint_eq(look().memory_bytes, 64 * MIB);
}
END_TEST

/* A path that is not visible here stands for the mount point, or for what of it is visible. */
START_TEST(a_path_that_is_not_visible)
{
    static const char *const paths[] = { "0::/../../elsewhere\n", "0::/gone/service\n", "0::/\n" };

    put_meminfo();
    put("/proc/self/cgroup", paths[_i]);
    put("/proc/self/mountinfo", V2_MOUNTS);
    put("/sys/fs/cgroup/memory.max", "100663296\n");
    put("/sys/fs/cgroup/cpu.max", "10000 100000\n");
    ck_assert_uint_eq(look().memory_bytes, 96 * MIB);
    ck_assert_uint_eq(look().n_cores, 1);
}
END_TEST

/* A limit above the machine's memory is none. */
START_TEST(a_limit_above_the_machine)
{
    put_meminfo();
    put("/proc/self/cgroup", "0::/a\n");
    put("/proc/self/mountinfo", V2_MOUNTS);
    put("/sys/fs/cgroup/a/memory.max", "17179869184\n");
    put("/sys/fs/cgroup/a/memory.current", "1048576\n");
    ck_assert_uint_eq(look().memory_bytes, 8192 * MIB);
    ck_assert_str_eq(look().memory_why, "8192 MiB that the machine has");
    ck_assert_uint_eq(rk_machine_memory_left(root), 4096 * MIB);
}
END_TEST

START_TEST(this_machine_says_something)
{
    struct rk_machine machine;

    rk_machine_look(&machine, "");
    ck_assert_uint_ge(machine.n_cores, 1);
    ck_assert_uint_le(machine.n_cores, count_cores());
    ck_assert_uint_gt(machine.memory_bytes, 16 * MIB);
    ck_assert_uint_lt(rk_machine_memory_left(""), UINT64_MAX);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("base machine");
    TCase *tcase = tcase_create("machine");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_machine_without_groups_is_its_own);
    tcase_add_test(tcase, nobody_says_anything);
    tcase_add_test(tcase, the_affinity_counts);
    tcase_add_test(tcase, nested_groups_of_v2);
    tcase_add_test(tcase, nested_groups_of_v1);
    tcase_add_loop_test(tcase, quotas_that_do_not_bind, 0, 4);
    tcase_add_test(tcase, a_container_whose_group_is_mounted);
    tcase_add_loop_test(tcase, a_path_that_is_not_visible, 0, 3);
    tcase_add_test(tcase, a_limit_above_the_machine);
    tcase_add_test(tcase, this_machine_says_something);
    suite_add_tcase(suite, tcase);
    return suite;
}
