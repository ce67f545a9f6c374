#include "master/master_listeners.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_start_lock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG          4096
#define UNIX_PREFIX      "unix:"
#define URL_BYTES        160
#define SOCKET_BUF_BYTES (1 << 18) /* libh2o reads all that the kernel has before it checks a body's size */

struct listener {
    char url[URL_BYTES];
    const char *unix_path; /* NULL: TCP */
    struct rk_unix_listener unix_listener;
    int *fds; /* one for each slot; the same in all for a Unix socket */
};

struct rk_master_listeners {
    size_t n_addresses;
    unsigned n_slots;
    struct listener *addresses;
};

static enum rk_err fail(struct rk_detail *detail, const char *address, const char *what)
{
    enum rk_err err = errno == EADDRINUSE ? RK_ERR_BUSY : RK_ERR_IO;

    if (err == RK_ERR_BUSY)
        rk_detail_set(detail, "http.listen: %s is in use by another program; stop it or choose another address",
                      address);
    else
        rk_detail_set(detail, "http.listen: %s: %s: %s", address, what, strerror(errno));
    return err;
}

static enum rk_err open_tcp_socket(const struct sockaddr *name, socklen_t name_len, bool is_shared, const char *address,
                                   int *fd_out, struct rk_detail *detail)
{
    int on = 1, share = is_shared, buffer_bytes = SOCKET_BUF_BYTES;
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum rk_err err;

    if (fd < 0)
        return fail(detail, address, "making a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &share, sizeof share) != 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes) != 0
        || (name->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        || bind(fd, name, name_len) != 0 || listen(fd, BACKLOG) != 0) {
        err = fail(detail, address, "listening");
        (void)close(fd); /* nothing came of it */
        return err;
    }
    *fd_out = fd;
    return RK_OK;
}

/* Splits "host:port" and "[v6]:port"; the configuration has checked the form. */
static void split_address(const char *address, char *host, size_t host_size, const char **port_out)
{
    const char *colon = strrchr(address, ':');
    size_t host_len = (size_t)(colon - address);

    if (address[0] == '[') {
        address++;
        host_len -= 2;
    }
    (void)snprintf(host, host_size, "%.*s", (int)host_len, address); /* a name that is too long does not resolve */
    *port_out = colon + 1;
}

static void set_port(struct sockaddr *name, in_port_t port)
{
    if (name->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)name)->sin6_port = port;
    else
        ((struct sockaddr_in *)name)->sin_port = port;
}

static in_port_t get_port(const struct sockaddr *name)
{
    return name->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)name)->sin6_port
                                       : ((const struct sockaddr_in *)name)->sin_port;
}

/* Opens a socket for each slot. The first one settles the port, and that nobody else has it: SO_REUSEPORT would let two
 * servers of one user share it, so it gets that only once it listens. From then on those of the other slots may join,
 * and the first one of another start may not. */
static enum rk_err bind_all_slots(struct listener *listener, unsigned n_slots, struct sockaddr *name,
                                  socklen_t name_len, const char *address, struct rk_detail *detail)
{
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof bound;
    int on = 1, first;
    enum rk_err err = open_tcp_socket(name, name_len, false, address, &listener->fds[0], detail);

    if (err != RK_OK)
        return err;
    first = listener->fds[0];
    if (getsockname(first, (struct sockaddr *)&bound, &bound_len) != 0
        || (n_slots > 1 && setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0))
        return fail(detail, address, "sharing it among the workers");
    set_port(name, get_port((const struct sockaddr *)&bound));
    for (unsigned slot = 1; err == RK_OK && slot < n_slots; slot++)
        err = open_tcp_socket(name, name_len, true, address, &listener->fds[slot], detail);
    return err;
}

/* A name that has several addresses, as localhost often does, stands for its IPv4 one: what clients try. */
static const struct addrinfo *prefer_ipv4(const struct addrinfo *found)
{
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next)
        if (one->ai_family == AF_INET)
            return one;
    return found;
}

static enum rk_err open_tcp(struct listener *listener, unsigned n_slots, const char *address, struct rk_detail *detail)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *found;
    const struct addrinfo *chosen;
    char host[256];
    const char *port;
    enum rk_err err;
    int result;

    split_address(address, host, sizeof host, &port);
    result = getaddrinfo(host[0] == '\0' || strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found);
    if (result != 0) {
        rk_detail_set(detail, "http.listen: %s: %s", address, gai_strerror(result));
        return RK_ERR_INVALID;
    }
    chosen = prefer_ipv4(found);
    err = bind_all_slots(listener, n_slots, chosen->ai_addr, chosen->ai_addrlen, address, detail);
    (void)snprintf(listener->url, sizeof listener->url,
                   chosen->ai_family == AF_INET6 ? "http://[%s]:%u" : "http://%s:%u", host,
                   ntohs(get_port(chosen->ai_addr)));
    freeaddrinfo(found);
    return err;
}

static enum rk_err open_unix(struct listener *listener, unsigned n_slots, const char *address,
                             const struct rk_unix_access *access, struct rk_detail *detail)
{
    const char *path = address + strlen(UNIX_PREFIX);
    enum rk_err err = rk_unix_listen(path, BACKLOG, access, &listener->unix_listener, detail);

    if (err != RK_OK) {
        rk_detail_wrap(detail, err == RK_ERR_NO_SPACE
                                   ? "http.listen: free some space, or choose a path on another file system"
                                   : "http.listen");
        return err;
    }
    listener->unix_path = path;
    for (unsigned slot = 0; slot < n_slots; slot++)
        listener->fds[slot] = listener->unix_listener.fd;
    (void)snprintf(listener->url, sizeof listener->url, "%s", address);
    return RK_OK;
}

static enum rk_err open_all(struct rk_master_listeners *listeners, const struct rk_master_listen *listen,
                            struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    for (size_t i = 0; err == RK_OK && i < listen->n_addresses; i++) {
        struct listener *listener = &listeners->addresses[i];
        const char *address = listen->addresses[i];

        listener->fds = rk_mem_calloc(listen->n_slots, sizeof *listener->fds);
        memset(listener->fds, -1, listen->n_slots * sizeof *listener->fds);
        listener->unix_listener.fd = -1;
        listeners->n_addresses++;
        err = strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0
                  ? open_unix(listener, listen->n_slots, address, &listen->unix_access, detail)
                  : open_tcp(listener, listen->n_slots, address, detail);
    }
    return err;
}

enum rk_err rk_master_listeners_open(struct rk_master_listeners **listeners_out, const struct rk_master_listen *listen,
                                     struct rk_detail *detail)
{
    struct rk_master_listeners *listeners = rk_mem_calloc(1, sizeof *listeners);
    enum rk_err err;

    listeners->n_slots = listen->n_slots;
    listeners->addresses = rk_mem_calloc(listen->n_addresses, sizeof *listeners->addresses);
    rk_start_lock_acquire();
    err = open_all(listeners, listen, detail);
    rk_start_lock_release();
    if (err == RK_OK)
        *listeners_out = listeners;
    else
        rk_master_listeners_close(&listeners);
    return err;
}

static void close_listener(struct listener *listener, unsigned n_slots)
{
    if (listener->unix_path != NULL)
        rk_unix_close(listener->unix_path, &listener->unix_listener);
    else
        for (unsigned slot = 0; slot < n_slots; slot++)
            if (listener->fds[slot] >= 0)
                (void)close(listener->fds[slot]); /* a socket has nothing to lose */
    free(listener->fds);
}

void rk_master_listeners_close(struct rk_master_listeners **listeners)
{
    if (*listeners == NULL)
        return;
    for (size_t i = 0; i < (*listeners)->n_addresses; i++)
        close_listener(&(*listeners)->addresses[i], (*listeners)->n_slots);
    free((*listeners)->addresses);
    free(*listeners);
    *listeners = NULL;
}

size_t rk_master_listeners_count(const struct rk_master_listeners *listeners)
{
    return listeners->n_addresses;
}

int rk_master_listeners_fd(const struct rk_master_listeners *listeners, size_t address, unsigned slot)
{
    return listeners->addresses[address].fds[slot];
}

const char *rk_master_listeners_url(const struct rk_master_listeners *listeners, size_t address)
{
    return listeners->addresses[address].url;
}
