#include "base/base_mem.h"

#include "base/base_diag.h"
#include "base/base_plural.h"

#include <stdlib.h>
#include <string.h>

void *rk_mem_calloc(size_t n, size_t size)
{
    void *memory = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

    if (memory == NULL)
        rk_fatal(1, "out of memory: %zu object%s of %zu byte%s were asked for", n, rk_plural(n), size, rk_plural(size));
    return memory;
}

void *rk_mem_resize(void *memory, size_t n, size_t size)
{
    void *resized = reallocarray(memory, n > 0 ? n : 1, size > 0 ? size : 1);

    if (resized == NULL)
        rk_fatal(1, "out of memory: %zu object%s of %zu byte%s were asked for", n, rk_plural(n), size, rk_plural(size));
    return resized;
}

void *rk_mem_aligned(size_t alignment, size_t size)
{
    void *memory = NULL;

    if (posix_memalign(&memory, alignment, size) != 0)
        rk_fatal(1, "out of memory: %zu byte%s were asked for", size, rk_plural(size));
    return memory;
}

char *rk_mem_strdup(const char *string)
{
    size_t size = strlen(string) + 1;

    return memcpy(rk_mem_calloc(1, size), string, size);
}
