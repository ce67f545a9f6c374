#include "control/control_client.h"

#include "base/base_assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_CAPACITY 4096u

void rk_control_client_init(struct rk_control_client *client, int fd, uint64_t now_ns)
{
    *client = (struct rk_control_client){ .fd = fd, .active_ns = now_ns };
}

void rk_control_client_fini(struct rk_control_client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd); /* what it did not take is lost to it */
    free(client->input);
    free(client->answer);
    *client = (struct rk_control_client){ .fd = -1 };
}

/* Room for one more byte at least. */
static bool grow(struct rk_control_client *client)
{
    size_t capacity = client->input_capacity == 0 ? FIRST_CAPACITY : 2 * client->input_capacity;
    char *input;

    if (client->input_size < client->input_capacity)
        return true;
    input = realloc(client->input, capacity);
    if (input == NULL)
        return false;
    client->input = input;
    client->input_capacity = capacity;
    return true;
}

bool rk_control_client_read(struct rk_control_client *client, size_t bytes_max, uint64_t now_ns)
{
    size_t room;
    ssize_t n;

    if (client->ended || client->input_size >= bytes_max)
        return true;
    if (!grow(client))
        return false;
    room = client->input_capacity - client->input_size;
    if (room > bytes_max - client->input_size)
        room = bytes_max - client->input_size;
    n = recv(client->fd, client->input + client->input_size, room, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    client->ended = n == 0;
    client->input_size += (size_t)n;
    client->active_ns = now_ns;
    return true;
}

const char *rk_control_client_line(const struct rk_control_client *client, size_t *size_out)
{
    const char *end = client->input_size > 0 ? memchr(client->input, '\n', client->input_size) : NULL;

    if (end == NULL && (!client->ended || client->input_size == 0))
        return NULL;
    *size_out = end != NULL ? (size_t)(end - client->input) : client->input_size;
    return client->input;
}

void rk_control_client_forget_line(struct rk_control_client *client, size_t size)
{
    size_t taken = size < client->input_size ? size + 1 : size; /* with its end, if it had one */

    client->input_size -= taken;
    memmove(client->input, client->input + taken, client->input_size);
}

void rk_control_client_answer(struct rk_control_client *client, char *answer, size_t size)
{
    RK_ASSERT(client->answer == NULL);
    client->answer = answer;
    client->answer_size = size;
    client->answer_taken = 0;
}

bool rk_control_client_send(struct rk_control_client *client, uint64_t now_ns)
{
    while (client->answer != NULL) {
        ssize_t n = send(client->fd, client->answer + client->answer_taken, client->answer_size - client->answer_taken,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        client->active_ns = now_ns;
        client->answer_taken += (size_t)n;
        if (client->answer_taken < client->answer_size)
            continue;
        free(client->answer);
        client->answer = NULL;
    }
    return !client->closing;
}
