/* Memory that is there or the process dies: for start-up and control paths, whose sizes are small and known. Never for
 * a size that came from outside. */
#ifndef RK_BASE_MEM_H
#define RK_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for n objects of size bytes; never NULL; the product is checked. Free with free(). */
void *rk_mem_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/* The same memory, moved perhaps, with room for n objects of size bytes; what is new is not zeroed. From NULL: new. */
void *rk_mem_resize(void *memory, size_t n, size_t size) __attribute__((returns_nonnull));

/* Memory that begins at a multiple of the alignment (a power of two, at least 8), not zeroed. Free with free(). */
void *rk_mem_aligned(size_t alignment, size_t size) __attribute__((malloc, returns_nonnull));

/* A copy of the string. */
char *rk_mem_strdup(const char *string) __attribute__((malloc, returns_nonnull));

#endif
