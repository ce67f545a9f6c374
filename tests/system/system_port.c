#include "system_port.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define N_PORTS_MAX 16

static int free_ports[N_PORTS_MAX]; /* a stack */
static int n_free_ports;

static int hold_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* closed by the end of the process */

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

int system_port_take(void)
{
    return n_free_ports > 0 ? free_ports[--n_free_ports] : hold_port();
}

void system_port_give_back(int port)
{
    ck_assert_int_lt(n_free_ports, N_PORTS_MAX);
    free_ports[n_free_ports++] = port;
}
