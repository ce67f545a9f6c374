#include "client/client_buffer.h"

#include "base/base_detail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES      65536u
#define VALUE_BYTES_MAX ((size_t)1 << 30)

void rk_client_buffer_fini(struct rk_client_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct rk_client_buffer){ .size = 0 };
}

static bool reserve(struct rk_client_buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : READ_BYTES;
    char *bytes;

    if (size <= buffer->capacity - buffer->size)
        return true;
    while (capacity - buffer->size < size) {
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool rk_client_buffer_append(void *buffer, const void *bytes, size_t size)
{
    struct rk_client_buffer *self = buffer;

    if (!reserve(self, size))
        return false;
    if (size > 0) /* an empty buffer has no memory, and an empty value perhaps no address */
        memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    return true;
}

enum rk_err rk_client_buffer_read(struct rk_client_buffer *buffer, int fd, const char *name, struct rk_detail *detail)
{
    for (;;) {
        ssize_t n_read;

        if (!reserve(buffer, READ_BYTES)) {
            rk_detail_set(detail, "%s: out of memory", name);
            return RK_ERR_NO_MEMORY;
        }
        n_read = read(fd, buffer->bytes + buffer->size, READ_BYTES);
        if (n_read == 0)
            return RK_OK;
        if (n_read < 0 && errno == EINTR)
            continue;
        if (n_read < 0) {
            rk_detail_set(detail, "%s: %s", name, strerror(errno));
            return RK_ERR_IO;
        }
        buffer->size += (size_t)n_read;
        if (buffer->size > VALUE_BYTES_MAX) {
            rk_detail_set(detail, "%s: a value is at most 1 GiB", name);
            return RK_ERR_TOO_LARGE;
        }
    }
}
