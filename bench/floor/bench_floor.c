/* The floor: a bare libh2o server, the least that any server built on it can cost. A constant value for every GET, a
 * 204 for every other method, nothing parsed, nothing stored. bench/http_bench measures RackKV against it.
 *
 *   bench_floor PORT PROCESSES
 *
 * Each process has its own SO_REUSEPORT listener and its own loop, as RackKV's workers have. */
#include <h2o.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define VALUE "fifteen bytes!!"

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accept_context;

static int on_req(h2o_handler_t *handler, h2o_req_t *req)
{
    if (h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET"))) {
        req->res.status = 200;
        req->res.reason = "OK";
        req->res.content_length = strlen(VALUE);
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, H2O_STRLIT("text/plain"));
        h2o_send_inline(req, H2O_STRLIT(VALUE));
    } else {
        req->res.status = 204;
        req->res.reason = "No Content";
        h2o_send_inline(req, H2O_STRLIT(""));
    }
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    h2o_socket_t *socket;

    while ((socket = h2o_evloop_socket_accept(listener)) != NULL)
        h2o_accept(&accept_context, socket);
}

static int listen_on(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)port),
    };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0
        || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) {
        perror("bench_floor");
        exit(1);
    }
    return fd;
}

static void serve(int port)
{
    h2o_hostconf_t *host;
    h2o_socket_t *listener;

    h2o_config_init(&config);
    config.http1.upgrade_to_http2 = 0;
    host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof(h2o_handler_t))->on_req = on_req;
    h2o_context_init(&context, h2o_evloop_create(), &config);
    accept_context.ctx = &context;
    accept_context.hosts = config.hosts;
    listener = h2o_evloop_socket_create(context.loop, listen_on(port), H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, on_accept);
    while (h2o_evloop_run(context.loop, INT32_MAX) == 0 || errno == EINTR)
        ;
}

int main(int argc, char **argv)
{
    int n_processes = argc == 3 ? atoi(argv[2]) : 0;

    if (n_processes < 1) {
        fprintf(stderr, "usage: bench_floor PORT PROCESSES\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < n_processes; i++)
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(atoi(argv[1]));
            _exit(1);
        }
    while (wait(NULL) > 0)
        ;
    return 1;
}
