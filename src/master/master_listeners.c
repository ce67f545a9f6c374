#include "master/master_listeners.h"

#include "base/base_detail.h"
#include "base/base_mem.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG          4096
#define UNIX_PREFIX      "unix:"
#define URL_BYTES        160
#define SOCKET_BUF_BYTES (1 << 18) /* libh2o reads all that the kernel has before it checks a body's size */

struct listener {
    char url[URL_BYTES];
    const char *unix_path; /* NULL: TCP */
    int *fds;              /* one for each slot; the same in all for a Unix socket */
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

static enum rk_err open_tcp_socket(const struct sockaddr *name, socklen_t name_len, const char *address, int *fd_out,
                                   struct rk_detail *detail)
{
    int on = 1, buffer_bytes = SOCKET_BUF_BYTES;
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum rk_err err;

    if (fd < 0)
        return fail(detail, address, "making a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0
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

/* Whether another program listens there already. SO_REUSEPORT alone would let two servers of one user share a port. */
static enum rk_err probe_tcp(const struct sockaddr *name, socklen_t name_len, const char *address,
                             struct rk_detail *detail)
{
    int on = 1;
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    enum rk_err err = RK_OK;

    if (fd < 0)
        return fail(detail, address, "making a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || (name->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        || bind(fd, name, name_len) != 0)
        err = fail(detail, address, "binding");
    (void)close(fd); /* it was a question */
    return err;
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

/* Opens a socket for each slot; the first one settles the port. */
static enum rk_err bind_all_slots(struct listener *listener, unsigned n_slots, struct sockaddr *name,
                                  socklen_t name_len, const char *address, struct rk_detail *detail)
{
    enum rk_err err = probe_tcp(name, name_len, address, detail);

    for (unsigned slot = 0; err == RK_OK && slot < n_slots; slot++) {
        struct sockaddr_storage bound;
        socklen_t bound_len = sizeof bound;

        err = open_tcp_socket(name, name_len, address, &listener->fds[slot], detail);
        if (err == RK_OK && getsockname(listener->fds[slot], (struct sockaddr *)&bound, &bound_len) == 0)
            set_port(name, get_port((const struct sockaddr *)&bound));
    }
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

/* A name that a dead server left behind is taken over; one that answers is not. */
static enum rk_err clear_stale_name(const struct sockaddr_un *name, const char *address, struct rk_detail *detail)
{
    struct stat status;
    int fd, result;

    if (lstat(name->sun_path, &status) != 0)
        return RK_OK;
    if (!S_ISSOCK(status.st_mode)) {
        rk_detail_set(detail, "http.listen: %s exists and is not a socket; choose another path", address);
        return RK_ERR_INVALID;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(detail, address, "making a socket");
    result = connect(fd, (const struct sockaddr *)name, sizeof *name);
    (void)close(fd); /* it was a question */
    if (result == 0) {
        errno = EADDRINUSE;
        return fail(detail, address, "connecting");
    }
    if (unlink(name->sun_path) != 0)
        return fail(detail, address, "removing the socket that a dead server left");
    return RK_OK;
}

static enum rk_err open_unix(struct listener *listener, unsigned n_slots, const char *address, struct rk_detail *detail)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    const char *path = address + strlen(UNIX_PREFIX);
    enum rk_err err;
    int fd;

    if (strlen(path) >= sizeof name.sun_path) {
        rk_detail_set(detail, "http.listen: %s: the path of a Unix socket may have at most %zu bytes", address,
                      sizeof name.sun_path - 1);
        return RK_ERR_INVALID;
    }
    (void)strcpy(name.sun_path, path); /* fits: just checked */
    err = clear_stale_name(&name, address, detail);
    if (err != RK_OK)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(detail, address, "making a socket");
    for (unsigned slot = 0; slot < n_slots; slot++)
        listener->fds[slot] = fd;
    if (bind(fd, (const struct sockaddr *)&name, sizeof name) != 0)
        return fail(detail, address, "binding");
    listener->unix_path = path;
    if (listen(fd, BACKLOG) != 0)
        return fail(detail, address, "listening");
    (void)snprintf(listener->url, sizeof listener->url, "%s", address);
    return RK_OK;
}

enum rk_err rk_master_listeners_open(struct rk_master_listeners **listeners_out, char *const *addresses,
                                     size_t n_addresses, unsigned n_slots, struct rk_detail *detail)
{
    struct rk_master_listeners *listeners = rk_mem_calloc(1, sizeof *listeners);
    enum rk_err err = RK_OK;

    listeners->n_slots = n_slots;
    listeners->addresses = rk_mem_calloc(n_addresses, sizeof *listeners->addresses);
    for (size_t i = 0; err == RK_OK && i < n_addresses; i++) {
        struct listener *listener = &listeners->addresses[i];
        bool is_unix = strncmp(addresses[i], UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;

        listener->fds = rk_mem_calloc(n_slots, sizeof *listener->fds);
        memset(listener->fds, -1, n_slots * sizeof *listener->fds);
        listeners->n_addresses++;
        err = is_unix ? open_unix(listener, n_slots, addresses[i], detail)
                      : open_tcp(listener, n_slots, addresses[i], detail);
    }
    if (err != RK_OK) {
        rk_master_listeners_close(&listeners);
        return err;
    }
    *listeners_out = listeners;
    return RK_OK;
}

static void close_listener(struct listener *listener, unsigned n_slots)
{
    for (unsigned slot = 0; slot < n_slots; slot++)
        if (listener->fds[slot] >= 0 && (slot == 0 || listener->fds[slot] != listener->fds[0]))
            (void)close(listener->fds[slot]); /* a socket has nothing to lose */
    if (listener->unix_path != NULL)
        (void)unlink(listener->unix_path); /* gone already: as it should be */
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
