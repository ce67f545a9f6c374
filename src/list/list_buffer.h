/* Bytes that grow: what a listing has written, and keys that it keeps. */
#ifndef RK_LIST_BUFFER_H
#define RK_LIST_BUFFER_H

#include "base/base_mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed: empty. */
struct rk_list_buffer {
    uint8_t *bytes;
    size_t len;
    size_t capacity;
};

/* Room for so many more bytes behind those that are there; whoever writes them adds to len. Never NULL. */
static inline uint8_t *rk_list_buffer_reserve(struct rk_list_buffer *buffer, size_t n)
{
    if (buffer->bytes == NULL || n > buffer->capacity - buffer->len) {
        buffer->capacity = 2 * buffer->len + n + 64;
        buffer->bytes = rk_mem_resize(buffer->bytes, buffer->capacity, 1);
    }
    return buffer->bytes + buffer->len;
}

static inline void rk_list_buffer_append(struct rk_list_buffer *buffer, const void *bytes, size_t n)
{
    uint8_t *at = rk_list_buffer_reserve(buffer, n);

    if (n > 0)
        memcpy(at, bytes, n);
    buffer->len += n;
}

/* In place of what is there; the bytes may be its own. */
static inline void rk_list_buffer_assign(struct rk_list_buffer *buffer, const void *bytes, size_t n)
{
    (void)rk_list_buffer_reserve(buffer, n > buffer->len ? n - buffer->len : 0);
    if (n > 0)
        memmove(buffer->bytes, bytes, n);
    buffer->len = n;
}

static inline void rk_list_buffer_fini(struct rk_list_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct rk_list_buffer){ .len = 0 };
}

#endif
