#include "linear_probe.h"

#include "linear_driver.h"
#include "system_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000u

/* From the probe's port, or, the first time, from any. What was there before is forgotten at once on both sides, so
 * that the same pair of ports can meet again. */
static void connect_probe(struct linear_probe *probe, int server_port)
{
    struct sockaddr_in own = { .sin_family = AF_INET,
                               .sin_port = htons(probe->own_port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in server = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct linger forget = { .l_onoff = 1 };
    socklen_t own_size = sizeof own;
    int on = 1;

    if (probe->fd >= 0)
        close(probe->fd);
    probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(probe->fd, 0);
    setsockopt(probe->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(probe->fd, SOL_SOCKET, SO_LINGER, &forget, sizeof forget);
    ck_assert_msg(bind(probe->fd, (struct sockaddr *)&own, sizeof own) == 0, "port %u: %s", probe->own_port,
                  strerror(errno));
    ck_assert_msg(connect(probe->fd, (struct sockaddr *)&server, sizeof server) == 0, "connecting from port %u: %s",
                  probe->own_port, strerror(errno));
    ck_assert_int_eq(getsockname(probe->fd, (struct sockaddr *)&own, &own_size), 0);
    probe->own_port = ntohs(own.sin_port);
}

static void send_request(const struct linear_probe *probe)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

    ck_assert_int_eq(send(probe->fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
}

static void receive_answer(const struct linear_probe *probe)
{
    struct pollfd wait = { .fd = probe->fd, .events = POLLIN };
    char answer[1024];
    ssize_t n;

    ck_assert_msg(poll(&wait, 1, SYSTEM_DEADLINE_MS) == 1, "nobody serves slot %d", probe->slot);
    n = recv(probe->fd, answer, sizeof answer - 1, 0);
    ck_assert_msg(n > 12, "slot %d: the connection broke: %s", probe->slot, n < 0 ? strerror(errno) : "ended");
    answer[n] = '\0';
    ck_assert_msg(strncmp(answer, "HTTP/1.1 200", 12) == 0, "slot %d answered: %s", probe->slot, answer);
}

void linear_probes_open(struct linear_probes *probes, int server_port)
{
    probes->server_port = server_port;
    for (unsigned i = 0; i < LINEAR_N_PROBES; i++) {
        probes->all[i] = (struct linear_probe){ .fd = -1, .slot = -1 };
        connect_probe(&probes->all[i], server_port);
        send_request(&probes->all[i]);
        receive_answer(&probes->all[i]);
    }
}

void linear_probes_close(struct linear_probes *probes)
{
    for (unsigned i = 0; i < LINEAR_N_PROBES; i++)
        close(probes->all[i].fd);
}

static int poll_all(const struct linear_probes *probes, struct pollfd *fds, long timeout_ns)
{
    struct timespec timeout = { .tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000 };

    for (unsigned i = 0; i < LINEAR_N_PROBES; i++)
        fds[i] = (struct pollfd){ .fd = probes->all[i].fd, .events = POLLIN };
    return ppoll(fds, LINEAR_N_PROBES, &timeout, NULL);
}

void linear_probes_rest(struct linear_probes *probes, uint64_t until_ns)
{
    struct pollfd fds[LINEAR_N_PROBES];
    uint64_t now = linear_now_ns();

    ck_assert_msg(poll_all(probes, fds, now < until_ns ? (long)(until_ns - now) : 0) == 0,
                  "a connection broke though nobody was killed");
}

/* The first probe that finds its connection broken; LINEAR_N_PROBES: none did. */
static unsigned wait_for_break(const struct linear_probes *probes, long timeout_ns)
{
    struct pollfd fds[LINEAR_N_PROBES];
    unsigned i = 0;

    if (poll_all(probes, fds, timeout_ns) <= 0)
        return LINEAR_N_PROBES;
    while (i < LINEAR_N_PROBES && fds[i].revents == 0)
        i++;
    return i;
}

static bool slot_is_probed(const struct linear_probes *probes, int slot)
{
    for (unsigned i = 0; i < LINEAR_N_PROBES; i++)
        if (probes->all[i].slot == slot || probes->all[i].slot < 0)
            return true;
    return false;
}

static void come_again(struct linear_probes *probes, unsigned i, int slot)
{
    struct linear_probe *probe = &probes->all[i];

    ck_assert_msg(probe->slot < 0 || probe->slot == slot, "the worker of slot %d was killed, and slot %d's broke", slot,
                  probe->slot);
    probe->slot = slot;
    connect_probe(probe, probes->server_port);
    send_request(probe);
    receive_answer(probe);
}

uint64_t linear_probes_kill(struct linear_probes *probes, pid_t pid, int slot)
{
    uint64_t begin = linear_now_ns(), served = 0;

    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    if (!slot_is_probed(probes, slot))
        return 0;
    for (;;) {
        unsigned i = wait_for_break(probes, served == 0 ? SYSTEM_DEADLINE_MS * (long)NS_PER_MS : 0);

        if (i == LINEAR_N_PROBES)
            break;
        come_again(probes, i, slot);
        if (served == 0)
            served = linear_now_ns();
    }
    ck_assert_msg(served != 0, "the worker of slot %d was killed, and no connection broke", slot);
    return served - begin;
}

int linear_worker_slot(pid_t pid)
{
    char path[64], line[256];
    FILE *file;
    size_t n;
    int slot = -1;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return -1;
    n = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[n] = '\0';
    n = strlen(line) + 1; /* behind the program's name */
    if (strcmp(line + n, "--worker") == 0)
        slot = atoi(line + n + strlen("--worker") + 1);
    return slot;
}
