#include "conf/conf_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

_Static_assert(RK_CONF_ADDRESS_PATH_MAX == sizeof((struct sockaddr_un *)NULL)->sun_path - 1, "the kernel's limit");

static bool parse_port(const char *text, uint16_t *port_out)
{
    unsigned port = 0;
    size_t len = strlen(text);

    if (len < 1 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    for (size_t i = 0; i < len; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    if (port > UINT16_MAX)
        return false;
    *port_out = (uint16_t)port;
    return true;
}

static const char *check_host(const char *host)
{
    struct in_addr v4;
    size_t len = strlen(host);

    if (len == 0)
        return "has no host before the port (0.0.0.0 is every IPv4 address of the machine)";
    if (strchr(host, ':') != NULL)
        return "has an IPv6 address without brackets: [::1]:8080";
    if (strspn(host, "0123456789.") == len)
        return inet_pton(AF_INET, host, &v4) == 1 ? NULL : "has no valid IPv4 address";
    if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != len)
        return "has a character that no host name has";
    return NULL;
}

static const char *check_v6(const char *host)
{
    struct in6_addr v6;

    return inet_pton(AF_INET6, host, &v6) == 1 ? NULL : "has no valid IPv6 address between the brackets";
}

static const char *parse_unix(struct rk_conf_address *address, const char *path)
{
    size_t len = strlen(path);

    address->kind = RK_CONF_ADDRESS_UNIX;
    if (path[0] != '/' || len < 2)
        return "is a Unix socket whose path does not begin with /";
    if (path[len - 1] == '/')
        return "is a Unix socket whose path ends with /";
    if (len > RK_CONF_ADDRESS_PATH_MAX)
        return "is a Unix socket whose path is longer than 107 bytes";
    memcpy(address->path, path, len);
    return NULL;
}

static const char *parse_tcp(struct rk_conf_address *address, const char *text)
{
    bool bracket = text[0] == '[';
    const char *colon = strrchr(text, ':');
    const char *end = bracket ? strchr(text, ']') : colon;
    const char *host = bracket ? text + 1 : text;
    size_t host_len;

    if (end == NULL || colon == NULL || colon < end)
        return "has no :port at its end";
    if (bracket && colon != end + 1)
        return "has something else than :port after the bracket";
    if (!parse_port(colon + 1, &address->port))
        return "has no port from 0 (the kernel chooses) to 65535";
    host_len = (size_t)(end - host);
    if (host_len > RK_CONF_ADDRESS_HOST_MAX)
        return "has a host longer than 255 bytes";
    memcpy(address->host, host, host_len);
    return bracket ? check_v6(address->host) : check_host(address->host);
}

bool rk_conf_address_parse(struct rk_conf_address *address_out, const char *text, const char **problem_out)
{
    struct rk_conf_address address = { .kind = RK_CONF_ADDRESS_TCP };
    const char *problem;

    problem = strncmp(text, "unix:", 5) == 0 ? parse_unix(&address, text + 5) : parse_tcp(&address, text);
    if (problem != NULL) {
        *problem_out = problem;
        return false;
    }
    *address_out = address;
    return true;
}
