#include "master/master_probe_listen.h"

#include "base/base_detail.h"
#include "conf/conf.h"
#include "conf/conf_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct resolved {
    struct sockaddr_storage name;
    socklen_t len;
};

/* As the listeners choose: of several addresses an IPv4 one. */
static enum rk_err resolve(const char *text, const struct rk_conf_address *address, struct resolved *resolved_out,
                           struct rk_detail *detail)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *found;
    const struct addrinfo *chosen;
    char port[8];
    int result;

    (void)snprintf(port, sizeof port, "%u", address->port);
    result = getaddrinfo(strcmp(address->host, "*") == 0 ? NULL : address->host, port, &hints, &found);
    if (result != 0) {
        rk_detail_set(detail, "http.listen: %s: %s", text, gai_strerror(result));
        return RK_ERR_INVALID;
    }
    for (chosen = found; chosen->ai_family != AF_INET && chosen->ai_next != NULL;)
        chosen = chosen->ai_next;
    if (chosen->ai_family != AF_INET)
        chosen = found;
    memcpy(&resolved_out->name, chosen->ai_addr, chosen->ai_addrlen);
    resolved_out->len = chosen->ai_addrlen;
    freeaddrinfo(found);
    return RK_OK;
}

static enum rk_err try_to_bind(const char *text, const struct resolved *resolved, struct rk_detail *detail)
{
    int on = 1, error = 0;
    int fd = socket(resolved->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        error = errno;
    else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
             || (resolved->name.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
             || bind(fd, (const struct sockaddr *)&resolved->name, resolved->len) != 0)
        error = errno == EADDRINUSE ? 0 : errno;
    if (fd >= 0)
        (void)close(fd); /* it was a question */
    if (error == 0)
        return RK_OK;
    rk_detail_set(detail, "http.listen: %s: %s%s", text, strerror(error),
                  error == EACCES          ? "; ports below 1024 are for root, or CAP_NET_BIND_SERVICE"
                  : error == EADDRNOTAVAIL ? "; it is no address of this machine"
                                           : "");
    return RK_ERR_IO;
}

/* Two names of one address; port 0 is a new one each time. */
static enum rk_err check_twice(const struct rk_conf *conf, const struct resolved *resolved, size_t at,
                               struct rk_detail *detail)
{
    static const char *const listen[] = { "http", "listen" };

    for (size_t i = 0; i < at; i++) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&resolved[at].name;

        if (resolved[at].len == 0 || v4->sin_port == 0 || resolved[i].len != resolved[at].len
            || memcmp(&resolved[i].name, &resolved[at].name, resolved[at].len) != 0)
            continue;
        rk_detail_set(detail, "http.listen: '%s' and '%s' are one address; each address is listed once",
                      conf->http.listen[i], conf->http.listen[at]);
        return rk_conf_refuse(conf, listen, detail);
    }
    return RK_OK;
}

static enum rk_err probe_unix(const char *text, const char *path, struct rk_detail *detail)
{
    char folder[RK_CONF_ADDRESS_PATH_MAX + 1];
    size_t folder_len = (size_t)(strrchr(path, '/') - path); /* the configuration has seen the slash */
    struct stat status;

    (void)snprintf(folder, sizeof folder, "%.*s", folder_len > 0 ? (int)folder_len : 1, path);
    if (stat(folder, &status) != 0 || access(folder, W_OK | X_OK) != 0) {
        rk_detail_set(detail, "http.listen: %s: no socket can be made in %s: %s", text, folder, strerror(errno));
        return RK_ERR_IO;
    }
    if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
        rk_detail_set(detail, "http.listen: %s exists and is not a socket; choose another path", text);
        return RK_ERR_INVALID;
    }
    return RK_OK;
}

enum rk_err rk_master_probe_listen(const struct rk_conf *conf, struct rk_detail *detail)
{
    struct resolved resolved[RK_CONF_LISTEN_MAX] = { { .len = 0 } };
    enum rk_err err = RK_OK;

    for (size_t i = 0; err == RK_OK && i < conf->http.n_listen; i++) {
        const char *text = conf->http.listen[i], *problem;
        struct rk_conf_address address;

        if (!rk_conf_address_parse(&address, text, &problem)) {
            rk_detail_set(detail, "http.listen: %s %s", text, problem);
            return RK_ERR_INVALID;
        }
        if (address.kind == RK_CONF_ADDRESS_UNIX) {
            err = probe_unix(text, address.path, detail);
            continue;
        }
        err = resolve(text, &address, &resolved[i], detail);
        if (err == RK_OK)
            err = check_twice(conf, resolved, i, detail);
        if (err == RK_OK)
            err = try_to_bind(text, &resolved[i], detail);
    }
    return err;
}
