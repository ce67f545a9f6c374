#include "test_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

char *test_dir_create(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = NULL;

    if (asprintf(&path, "%s/rackkv-test-XXXXXX", parent != NULL ? parent : "/tmp") < 0 || mkdtemp(path) == NULL) {
        perror("test_dir_create");
        abort();
    }
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    return remove(path);
}

void test_dir_remove(char **path)
{
    if (*path == NULL)
        return;
    (void)nftw(*path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); /* what stays behind is seen by whoever looks in /tmp */
    free(*path);
    *path = NULL;
}
