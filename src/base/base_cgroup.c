#include "base/base_cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whether "a,b,c" has the word. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, ','), at += at != NULL)
        if (strncmp(at, word, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

static FILE *open_below(const char *root, const char *name)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s%s", root, name); /* a path that is cut opens nothing */
    return fopen(path, "re");
}

/* Of the lines "4:memory:/path" (v1) and "0::/path" (v2) the path of this hierarchy. */
static bool find_path(const char *root, unsigned version, const char *controller, char path_out[PATH_MAX])
{
    FILE *file = open_below(root, "/proc/self/cgroup");
    char line[PATH_MAX + 128];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

        if (path == NULL)
            continue;
        *path++ = '\0';
        controllers++;
        path[strcspn(path, "\n")] = '\0';
        found = version == 2 ? controllers[0] == '\0' : has_word(controllers, controller);
        if (found)
            (void)snprintf(path_out, PATH_MAX, "%s", path);
    }
    if (file != NULL)
        (void)fclose(file); /* it was only read */
    return found;
}

struct mount {
    char top[PATH_MAX];   /* the group that is mounted */
    char point[PATH_MAX]; /* where */
};

/* "36 35 0:31 TOP POINT options - cgroup source super-options"; a path has a space as \040, which no hierarchy's has
 * in practice. */
static bool parse_mount(char *line, unsigned version, const char *controller, struct mount *mount_out)
{
    char *behind = strstr(line, " - ");
    char type[32], options[1024];

    if (behind == NULL || sscanf(behind, " - %31s %*s %1023s", type, options) != 2
        || sscanf(line, "%*s %*s %*s %4095s %4095s", mount_out->top, mount_out->point) != 2)
        return false;
    return version == 2 ? strcmp(type, "cgroup2") == 0 : strcmp(type, "cgroup") == 0 && has_word(options, controller);
}

static bool find_mount(const char *root, unsigned version, const char *controller, struct mount *mount_out)
{
    FILE *file = open_below(root, "/proc/self/mountinfo");
    char line[3 * PATH_MAX];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = parse_mount(line, version, controller, mount_out);
    if (file != NULL)
        (void)fclose(file); /* it was only read */
    return found;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* What of the path lies below the mounted group; "" when nothing does, or when the path leads out of it ("/.."). */
static const char *below_top(const char *path, const char *top)
{
    size_t len = strcmp(top, "/") == 0 ? 0 : strlen(top);

    if (strncmp(path, top, len) != 0 || (path[len] != '/' && path[len] != '\0') || strstr(path, "/..") != NULL)
        return "";
    return strcmp(path + len, "/") == 0 ? "" : path + len;
}

bool rk_cgroup_find(struct rk_cgroup *group_out, const char *root, unsigned version, const char *controller)
{
    char path[PATH_MAX];
    struct mount mount;
    int len;

    if (!find_path(root, version, controller, path) || !find_mount(root, version, controller, &mount))
        return false;
    group_out->version = version;
    group_out->mount_len = strlen(root) + strlen(mount.point);
    len =
        snprintf(group_out->folder, sizeof group_out->folder, "%s%s%s", root, mount.point, below_top(path, mount.top));
    if (len < 0 || (size_t)len >= sizeof group_out->folder || group_out->mount_len >= sizeof group_out->folder)
        return false;
    while (!is_folder(group_out->folder))
        if (!rk_cgroup_up(group_out))
            return false;
    return true;
}

bool rk_cgroup_up(struct rk_cgroup *group)
{
    char *slash = strrchr(group->folder, '/');

    if (strlen(group->folder) <= group->mount_len || slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

bool rk_cgroup_read(const char *folder, const char *name, char *text_out, size_t size)
{
    char path[PATH_MAX + 64];
    FILE *file;
    bool ok;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name); /* fits: PATH_MAX and a short name */
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    ok = fgets(text_out, (int)size, file) != NULL;
    (void)fclose(file); /* it was only read */
    return ok;
}

uint64_t rk_cgroup_stat(const char *folder, const char *member)
{
    char path[PATH_MAX + 64], line[128];
    size_t len = strlen(member);
    uint64_t number = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/memory.stat", folder); /* fits */
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, member, len) == 0 && line[len] == ' ')
            number = strtoull(line + len + 1, NULL, 10);
    if (file != NULL)
        (void)fclose(file); /* it was only read */
    return number;
}
