#include "http/http_request.h"

#include "base/base_time.h"
#include "http/http_accept.h"

static void unlink_deadline(struct rk_http_request *request)
{
    if (h2o_linklist_is_linked(&request->deadline))
        h2o_linklist_unlink(&request->deadline);
}

static void on_request_end(void *slot)
{
    struct rk_http_request *request = *(struct rk_http_request **)slot;
    struct rk_http_server *server = request->server;

    if (request->ticket != 0)
        server->backend.cancel(server->backend.self, request->ticket);
    if (request->source != NULL)
        server->backend.release(server->backend.self, request->source);
    if (request->listing != NULL)
        server->backend.list_end(server->backend.self, request->listing);
    unlink_deadline(request);
    server->n_requests--;
}

void rk_http_request_hold(struct rk_http_request *request, void (*on_deadline)(struct rk_http_request *request))
{
    struct rk_http_server *server = request->server;

    if (!request->is_held) {
        struct rk_http_request **slot =
            h2o_mem_alloc_shared(&request->req->pool, sizeof(struct rk_http_request *), on_request_end);

        *slot = request;
        request->is_held = true;
        server->n_requests++;
    }
    request->on_deadline = on_deadline;
    request->deadline_ns = rk_time_monotonic_ns() + server->settings.request_timeout_ms * RK_NS_PER_MS;
    unlink_deadline(request);
    h2o_linklist_insert(&server->deadlines, &request->deadline);
}

void rk_http_request_settle(struct rk_http_request *request)
{
    request->ticket = 0;
    unlink_deadline(request);
}

unsigned rk_http_request_weight(const h2o_req_t *req, const char *type)
{
    unsigned best = 0;

    for (ssize_t at = -1; (at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT, at)) >= 0;) {
        h2o_iovec_t list = req->headers.entries[at].value;
        unsigned weight = rk_http_accept_weight(list.base, list.len, type);

        best = weight > best ? weight : best;
    }
    return best;
}

void rk_http_request_expire(struct rk_http_server *server, uint64_t now_ns)
{
    while (!h2o_linklist_is_empty(&server->deadlines)) {
        struct rk_http_request *request =
            H2O_STRUCT_FROM_MEMBER(struct rk_http_request, deadline, server->deadlines.next);

        if (request->deadline_ns > now_ns)
            return;
        if (request->ticket != 0)
            server->backend.cancel(server->backend.self, request->ticket);
        rk_http_request_settle(request);
        request->on_deadline(request);
    }
}
