#include "http/http_fallback.h"

#include "http/http_answer.h"
#include "http/http_connection.h"
#include "http/http_interpose.h"

struct error_filter {
    h2o_filter_t super;
    struct rk_http_server *server;
};

struct error_stream {
    h2o_ostream_t super;
    h2o_iovec_t body;
};

static void send_error_body(h2o_ostream_t *super, h2o_req_t *req, h2o_iovec_t *bufs, size_t n_bufs,
                            h2o_send_state_t state)
{
    struct error_stream *stream = (struct error_stream *)super;

    h2o_ostream_send_next(super, req, &stream->body, n_bufs > 0 ? 1 : 0, state); /* none for HEAD */
}

static enum rk_http_problem problem_of_status(int status)
{
    if (status == 400 && rk_http_interpose_chunk_is_too_large())
        return RK_HTTP_PROBLEM_VALUE_TOO_LARGE;
    return status == 413   ? RK_HTTP_PROBLEM_VALUE_TOO_LARGE
           : status == 503 ? RK_HTTP_PROBLEM_UPLOAD_MEMORY
                           : RK_HTTP_PROBLEM_BAD_BODY;
}

/* libh2o answers with the fallback path of the host when it gives up before it looks for a handler: chunks that cannot
 * be read, or that are more than it takes. Handlers answer on "/", and heads are refused by ours, so nothing else comes
 * here. */
static void on_setup_error_stream(h2o_filter_t *super, h2o_req_t *req, h2o_ostream_t **slot)
{
    struct rk_http_server *server = ((struct error_filter *)super)->server;
    struct rk_http_request request = { .server = server, .req = req, .op = RK_STATS_HTTP_REFUSED };
    enum rk_http_problem problem = problem_of_status(req->res.status);
    const struct rk_http_problem_text *text = rk_http_problem_text(problem);
    struct error_stream *stream = (struct error_stream *)h2o_add_ostream(req, sizeof *stream, slot);

    rk_http_connection_linger(req);
    stream->super.do_send = send_error_body;
    stream->body.base = h2o_mem_alloc_pool(&req->pool, RK_HTTP_PROBLEM_BYTES);
    stream->body.len = rk_http_problem_format(
        problem, problem == RK_HTTP_PROBLEM_VALUE_TOO_LARGE ? server->settings.max_value_bytes : 0, NULL,
        stream->body.base);
    rk_http_answer_status(&request, text->status, text->reason);
    req->res.headers.size = 0;
    rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT(RK_HTTP_PROBLEM_TYPE));
    if (text->status == 503)
        rk_http_answer_token(req, H2O_TOKEN_RETRY_AFTER, "Retry-After", H2O_STRLIT(RK_HTTP_RETRY_AFTER));
    req->res.content_length = stream->body.len;
    h2o_setup_next_ostream(req, &stream->super.next);
}

void rk_http_fallback_register(struct rk_http_server *server, h2o_hostconf_t *host)
{
    struct error_filter *filter = (struct error_filter *)h2o_create_filter(&host->fallback_path, sizeof *filter);

    filter->super.on_setup_ostream = on_setup_error_stream;
    filter->server = server;
}
