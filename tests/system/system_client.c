#include "system_client.h"

#include "system_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

bool system_client_open(struct system_client *client, int port)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = SYSTEM_DEADLINE_MS / 1000 };
    int on = 1;

    client->port = port;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->fd, (struct sockaddr *)&name, sizeof name) == 0)
        return true;
    system_client_close(client);
    return false;
}

void system_client_close(struct system_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

static bool send_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Reads up to and with the empty line, byte for byte more than needed: no pipelining here. Returns the head's length.
 */
static size_t receive_head(int fd, struct system_response *response, size_t *received_out)
{
    size_t used = 0;
    char *end;

    while (used < sizeof response->head - 1) {
        ssize_t n = recv(fd, response->head + used, sizeof response->head - 1 - used, 0);

        if (n <= 0)
            return 0;
        used += (size_t)n;
        response->head[used] = '\0';
        end = memmem(response->head, used, "\r\n\r\n", 4);
        if (end != NULL) {
            *received_out = used;
            return (size_t)(end + 4 - response->head);
        }
    }
    return 0;
}

static bool receive_body(int fd, struct system_response *response, size_t head_len, size_t received, size_t body_len)
{
    size_t have = received - head_len;

    if (have > body_len)
        return false; /* more than one answer */
    response->body = malloc(body_len + 1);
    memcpy(response->body, response->head + head_len, have);
    while (have < body_len) {
        ssize_t n = recv(fd, response->body + have, body_len - have, 0);

        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    response->body[body_len] = '\0';
    response->body_len = body_len;
    return true;
}

static bool receive_response(struct system_client *client, const char *method, struct system_response *response)
{
    size_t received = 0, body_len = 0;
    size_t head_len = receive_head(client->fd, response, &received);
    int status = 0;

    if (head_len == 0 || sscanf(response->head, "HTTP/1.1 %d", &status) != 1)
        return false;
    /* The head alone from here on: what follows it was copied to the body. */
    if (strcmp(method, "HEAD") != 0 && status != 204 && status != 304) {
        const char *length;
        char kept = response->head[head_len - 1];

        response->head[head_len - 1] = '\0';
        length = system_response_header(response, "content-length");
        response->head[head_len - 1] = kept;
        if (length == NULL)
            return false;
        body_len = strtoul(length, NULL, 10);
    }
    if (!receive_body(client->fd, response, head_len, received, body_len))
        return false;
    response->head[head_len] = '\0';
    response->status = status;
    return true;
}

void system_client_request_with(struct system_client *client, const char *method, const char *target,
                                const char *headers, const void *body, size_t body_len,
                                struct system_response *response)
{
    char *head = NULL;
    int head_len;

    memset(response, 0, sizeof *response);
    if (client->fd < 0 && !system_client_open(client, client->port))
        return;
    head_len = body != NULL ? asprintf(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n",
                                       method, target, headers, body_len)
                            : asprintf(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, target, headers);
    if (head_len < 0 || !send_all(client->fd, head, (size_t)head_len)
        || (body_len > 0 && !send_all(client->fd, body, body_len)) || !receive_response(client, method, response)) {
        response->status = 0;
        system_client_close(client);
    } else if (system_response_header(response, "connection") != NULL
               && strcasecmp(system_response_header(response, "connection"), "close") == 0) {
        system_client_close(client);
    }
    free(head);
}

void system_client_request(struct system_client *client, const char *method, const char *target, const void *body,
                           size_t body_len, struct system_response *response)
{
    system_client_request_with(client, method, target, "", body, body_len, response);
}

int system_client_status(struct system_client *client, const char *method, const char *target, const void *body,
                         size_t body_len)
{
    struct system_response response;
    int status;

    system_client_request(client, method, target, body, body_len, &response);
    status = response.status;
    system_response_fini(&response);
    return status;
}

int system_client_status_retry(struct system_client *client, const char *method, const char *target, const void *body,
                               size_t body_len)
{
    int status = system_client_status(client, method, target, body, body_len);

    return status != 0 ? status : system_client_status(client, method, target, body, body_len);
}

bool system_client_send(struct system_client *client, const char *text)
{
    return send_all(client->fd, text, strlen(text));
}

bool system_client_send_bytes(struct system_client *client, const void *bytes, size_t size)
{
    return send_all(client->fd, bytes, size);
}

bool system_client_receive(struct system_client *client, const char *method, struct system_response *response)
{
    memset(response, 0, sizeof *response);
    return receive_response(client, method, response);
}

int system_client_receive_status(struct system_client *client, const char *method)
{
    struct system_response response = { .status = 0 };
    int status = receive_response(client, method, &response) ? response.status : 0;

    system_response_fini(&response);
    return status;
}

void system_client_check(struct system_client *client, const char *target, int status, const char *text)
{
    struct system_response response;

    system_client_request(client, "GET", target, NULL, 0, &response);
    ck_assert_msg(response.status == status && strstr(response.body, text) != NULL,
                  "%s: %d and \"%s\" instead of: %d %s", target, status, text, response.status, response.body);
    system_response_fini(&response);
}

const char *system_response_header(const struct system_response *response, const char *name)
{
    static __thread char value[1024];
    size_t name_len = strlen(name);

    for (const char *line = strstr(response->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *begin = line + name_len + 1 + strspn(line + name_len + 1, " ");

            snprintf(value, sizeof value, "%.*s", (int)strcspn(begin, "\r"), begin);
            return value;
        }
    }
    return NULL;
}

void system_response_fini(struct system_response *response)
{
    free(response->body);
    response->body = NULL;
}

char *system_key_target(const void *key, size_t key_len)
{
    static const char prefix[] = "/v1/kv/";
    const unsigned char *bytes = key;
    char *target = malloc(sizeof prefix + 3 * key_len);
    char *at = target + sprintf(target, "%s", prefix);

    for (size_t i = 0; i < key_len; i++)
        at += isalnum(bytes[i]) ? sprintf(at, "%c", bytes[i]) : sprintf(at, "%%%02X", bytes[i]);
    *at = '\0';
    return target;
}
