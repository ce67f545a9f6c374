/* An address of http.listen, taken apart. Pure: names are not looked up. */
#ifndef RK_CONF_ADDRESS_H
#define RK_CONF_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum rk_conf_address_kind { RK_CONF_ADDRESS_TCP, RK_CONF_ADDRESS_UNIX };

#define RK_CONF_ADDRESS_HOST_MAX 255
#define RK_CONF_ADDRESS_PATH_MAX 107 /* sockaddr_un.sun_path with its final zero */

struct rk_conf_address {
    enum rk_conf_address_kind kind;
    uint16_t port;                           /* 0: the kernel chooses */
    char host[RK_CONF_ADDRESS_HOST_MAX + 1]; /* a name, a v4 or (without brackets) a v6 address */
    char path[RK_CONF_ADDRESS_PATH_MAX + 1];
};

/* Parses "host:port", "[v6]:port" or "unix:/path". False: *problem_out is a constant that says what it
 * "has" or "is" that makes it wrong. */
bool rk_conf_address_parse(struct rk_conf_address *address_out, const char *text, const char **problem_out);

#endif
