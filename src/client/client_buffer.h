/* A value in memory that grows as it comes. Its size is from outside: without memory it says so, and does not die. */
#ifndef RK_CLIENT_BUFFER_H
#define RK_CLIENT_BUFFER_H

#include "client/client.h"

struct rk_client_buffer {
    char *bytes;
    size_t size;
    size_t capacity;
};

/* A zeroed struct is an empty buffer. */
void rk_client_buffer_fini(struct rk_client_buffer *buffer);

/* False without memory. A sink: `buffer` is a struct rk_client_buffer. */
bool rk_client_buffer_append(void *buffer, const void *bytes, size_t size);

/* Appends all that a descriptor gives until its end. RK_ERR_IO, RK_ERR_NO_MEMORY, RK_ERR_TOO_LARGE past 1 GiB (no
 * server takes such a value), with a detail that begins with the name. */
enum rk_err rk_client_buffer_read(struct rk_client_buffer *buffer, int fd, const char *name, struct rk_detail *detail);

#endif
