#include "base/base_path.h"

#include "base/base_mem.h"

#include <stdlib.h>

char *rk_path_absolute(const char *path)
{
    char *absolute = realpath(path, NULL);

    return absolute != NULL ? absolute : rk_mem_strdup(path);
}
