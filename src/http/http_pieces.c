/* Large values, or a part of one: piece by piece, each read and checked when the one before has left. Of a part only
 * the pieces are read that it touches. The first is read before the head of the answer is sent, so that damage there is
 * still a 500; later it can only cut the connection. */
#include "http/http_pieces.h"

#include "http/http_answer.h"

/* What of the piece in hand is sent. */
static void send_piece(struct rk_http_request *request)
{
    size_t piece_end = request->offset + request->piece_len;
    size_t skipped = request->first > request->offset ? request->first - request->offset : 0;
    size_t end = request->end < piece_end ? request->end : piece_end;
    h2o_iovec_t piece = h2o_iovec_init(request->piece + skipped, end - request->offset - skipped);

    h2o_send(request->req, &piece, 1, piece_end >= request->end ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

/* Too late for a status: the connection ends before the promised length, which every client takes for a failure. */
static void cut_value(struct rk_http_request *request)
{
    h2o_send(request->req, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void on_next_piece(void *context, enum rk_err err)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    if (err == RK_OK)
        send_piece(request);
    else
        cut_value(request);
}

static enum rk_err read_piece(struct rk_http_request *request, rk_store_piece_done_fn *done)
{
    const struct rk_http_backend *backend = &request->server->backend;
    size_t left = request->value_len - request->offset;

    request->piece_len = left < RK_STORE_PIECE_BYTES ? left : RK_STORE_PIECE_BYTES;
    return backend->read_piece(backend->self, request->source, request->offset, request->piece, request->piece_len,
                               done, request, &request->ticket);
}

/* libh2o has written the piece: its memory is free for the next. */
static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct rk_http_request *request = H2O_STRUCT_FROM_MEMBER(struct rk_http_request, generator, generator);
    enum rk_err err;

    request->offset += request->piece_len;
    err = read_piece(request, on_next_piece);
    if (err == RK_OK)
        send_piece(request);
    else if (err == RK_ERR_AGAIN)
        rk_http_request_hold(request, cut_value);
    else
        cut_value(request);
}

static void on_first_piece(void *context, enum rk_err err)
{
    struct rk_http_request *request = context;

    rk_http_request_settle(request);
    if (err != RK_OK) {
        rk_http_answer_failed_read(request, err);
        return;
    }
    request->generator.proceed = on_proceed;
    rk_http_answer_status(request, request->status, rk_http_answer_reason(request->status));
    request->req->res.content_length = request->end - request->first;
    h2o_start_response(request->req, &request->generator);
    send_piece(request);
}

void rk_http_pieces_start(struct rk_http_request *request, const struct rk_store_value *value, size_t first, size_t len)
{
    enum rk_err err;

    request->source = value->source;
    request->value_len = value->value_len;
    request->first = first;
    request->end = first + len;
    request->offset = first - first % RK_STORE_PIECE_BYTES;
    request->piece = h2o_mem_alloc_pool(&request->req->pool, RK_STORE_PIECE_BYTES);
    rk_http_request_hold(request, rk_http_answer_late_read);
    err = read_piece(request, on_first_piece);
    if (err != RK_ERR_AGAIN)
        on_first_piece(request, err);
}
