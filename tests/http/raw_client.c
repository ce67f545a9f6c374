#include "raw_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 8000

void raw_client_open(struct raw_client *client, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)port),
    };
    int on = 1;

    *client = (struct raw_client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    ck_assert_int_ge(client->fd, 0);
    ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
}

void raw_client_close(struct raw_client *client)
{
    (void)close(client->fd);
    free(client->bytes);
    *client = (struct raw_client){ .fd = -1 };
}

bool raw_client_send(struct raw_client *client, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(client->fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool raw_client_send_text(struct raw_client *client, const char *text)
{
    return raw_client_send(client, text, strlen(text));
}

/* Reads once; false at the end of the connection. */
static bool receive_some(struct raw_client *client)
{
    struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
    ssize_t n;

    if (client->is_closed)
        return false;
    ck_assert_msg(poll(&poll_fd, 1, PATIENCE_MS) > 0, "nothing came for %d ms", PATIENCE_MS);
    if (client->room - client->len < 65536) {
        client->room = 2 * client->room + 131072;
        client->bytes = realloc(client->bytes, client->room);
        ck_assert_ptr_nonnull(client->bytes);
    }
    n = recv(client->fd, client->bytes + client->len, client->room - client->len - 1, 0);
    client->is_closed = n <= 0;
    client->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void take(struct raw_client *client, size_t len)
{
    client->len -= len;
    memmove(client->bytes, client->bytes + len, client->len);
}

/* The length that the head promises; an answer without one and with a body would be a mistake of the server. */
static size_t body_length(const struct raw_answer *answer, bool to_head)
{
    const char *line = strcasestr(answer->head, "\r\nContent-Length: ");

    if (to_head || answer->status == 204 || answer->status == 304 || answer->status == 100)
        return 0;
    ck_assert_msg(line != NULL, "no length: %s", answer->head);
    return strtoull(line + strlen("\r\nContent-Length: "), NULL, 10);
}

bool raw_client_receive(struct raw_client *client, bool to_head, struct raw_answer *answer)
{
    char *end;
    size_t head_len;

    *answer = (struct raw_answer){ .status = 0 };
    while (client->len == 0 || (end = memmem(client->bytes, client->len, "\r\n\r\n", 4)) == NULL)
        if (!receive_some(client))
            return false;
    head_len = (size_t)(end - client->bytes) + 2;
    answer->head = strndup(client->bytes, head_len);
    ck_assert_int_eq(sscanf(answer->head, "HTTP/1.1 %3d ", &answer->status), 1);
    take(client, head_len + 2);
    answer->body_len = body_length(answer, to_head);
    while (client->len < answer->body_len)
        if (!receive_some(client)) {
            raw_answer_fini(answer);
            return false;
        }
    answer->body = malloc(answer->body_len + 1);
    if (answer->body_len > 0)
        memcpy(answer->body, client->bytes, answer->body_len);
    answer->body[answer->body_len] = '\0';
    if (answer->body_len > 0)
        take(client, answer->body_len);
    return true;
}

void raw_answer_fini(struct raw_answer *answer)
{
    free(answer->head);
    free(answer->body);
    *answer = (struct raw_answer){ .status = 0 };
}

void raw_client_exchange(struct raw_client *client, const char *text, struct raw_answer *answer)
{
    ck_assert_msg(raw_client_send_text(client, text), "not taken: %s", text);
    ck_assert_msg(raw_client_receive(client, strncmp(text, "HEAD ", 5) == 0, answer), "not answered: %s", text);
}

size_t raw_client_receive_end(struct raw_client *client)
{
    while (receive_some(client))
        ;
    return client->len;
}

bool raw_answer_has(const struct raw_answer *answer, const char *line)
{
    char *whole;
    bool found;

    ck_assert_int_ge(asprintf(&whole, "\r\n%s\r\n", line), 0);
    found = strstr(answer->head, whole) != NULL;
    free(whole);
    return found;
}

bool raw_answer_has_name(const struct raw_answer *answer, const char *name)
{
    char *start;
    bool found;

    ck_assert_int_ge(asprintf(&start, "\r\n%s: ", name), 0);
    found = strcasestr(answer->head, start) != NULL;
    free(start);
    return found;
}
