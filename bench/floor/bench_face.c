/* RackKV's HTTP face without a store: the same code that a worker runs, over a backend that has one value for every key
 * and forgets every write. What it costs above bench_floor is what the face costs; what rackkvd costs above it is the
 * store's.
 *
 *   bench_face PORT PROCESSES */
#include "base/base_diag.h"
#include "http/http_backend.h"
#include "http/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define VALUE   "fifteen bytes!!"
#define N_SLOTS 4096

/* Writes that wait for the next turn, as they would for the writer: a ring of slots, answered in order. */
static struct {
    rk_store_write_done_fn *done; /* NULL: cancelled */
    void *context;
} slots[N_SLOTS];
static uint64_t n_started, n_finished;
static int event_fd;

static enum rk_err get(void *self, const void *key, size_t key_len, const struct rk_store_arena *arena,
                       struct rk_store_value *value_out, rk_store_get_done_fn *done, void *context,
                       rk_store_ticket *ticket_out)
{
    uint8_t *value = arena->allocate(arena->arena, strlen(VALUE));

    memcpy(value, VALUE, strlen(VALUE));
    *value_out = (struct rk_store_value){
        .sequence = 123456789,
        .write_time_ms = 1795377843123,
        .value = value,
        .value_len = strlen(VALUE),
    };
    return RK_OK;
}

static enum rk_err write_later(void *self, const struct rk_store_write *write_in, rk_store_write_done_fn *done,
                               void *context, rk_store_ticket *ticket_out)
{
    static const uint64_t one = 1;

    if (n_started - n_finished == N_SLOTS)
        return RK_ERR_AGAIN;
    if (n_started == n_finished && write(event_fd, &one, sizeof one) != sizeof one)
        rk_fatal(1, "the eventfd could not be written");
    slots[n_started % N_SLOTS].done = done;
    slots[n_started % N_SLOTS].context = context;
    *ticket_out = ++n_started;
    return RK_OK;
}

static void cancel(void *self, rk_store_ticket ticket)
{
    slots[(ticket - 1) % N_SLOTS].done = NULL;
}

static void on_event(void *context)
{
    static const struct rk_store_write_result result = { .err = RK_OK, .replaced = true, .sequence = 123456789 };
    uint64_t until = n_started;

    for (; n_finished < until; n_finished++)
        if (slots[n_finished % N_SLOTS].done != NULL)
            slots[n_finished % N_SLOTS].done(slots[n_finished % N_SLOTS].context, &result);
}

static bool ready(void *self, const char **why_out)
{
    return true;
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
        || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
        rk_fatal(1, "port %d: cannot listen", port);
    return fd;
}

static void serve(int port)
{
    static const struct rk_http_backend backend = {
        .get = get,
        .write = write_later,
        .cancel = cancel,
        .ready = ready,
    };
    struct rk_http_settings settings = {
        .listener_fds = { listen_on(port) },
        .n_listeners = 1,
        .legacy = true,
        .max_connections = 10000,
        .max_key_bytes = 4096,
        .max_value_bytes = 32 << 20,
        .max_head_bytes = 32768,
        .request_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
    };
    struct rk_http_server *server;

    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd < 0 || rk_http_server_create(&server, &settings, &backend, NULL, NULL) != RK_OK
        || rk_http_server_watch_eventfd(server, event_fd, on_event, NULL) != RK_OK)
        rk_fatal(1, "the server could not be created");
    while (rk_http_server_turn(server, 1000) == RK_OK)
        ;
}

int main(int argc, char **argv)
{
    int n_processes = argc == 3 ? atoi(argv[2]) : 0;

    rk_diag_setup("bench_face", "");
    if (n_processes < 1)
        rk_fatal(2, "usage: bench_face PORT PROCESSES");
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
