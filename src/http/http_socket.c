#include "http/http_socket.h"

static void on_close(void *context)
{
    struct rk_http_connection *connection = context;

    connection->on_close(connection);
}

void rk_http_socket_bind(h2o_socket_t *socket, struct rk_http_connection *connection)
{
    connection->socket = socket;
    socket->on_close.cb = on_close;
    socket->on_close.data = connection;
}

struct rk_http_connection *rk_http_socket_connection(const h2o_socket_t *socket)
{
    return socket->on_close.cb == on_close ? socket->on_close.data : NULL;
}

/* Where it is in libh2o's connection was seen at the start (rk_http_reading_setup). */
h2o_req_t *rk_http_socket_req(const struct rk_http_connection *connection)
{
    return (h2o_req_t *)((char *)connection->socket->data + connection->server->req_offset);
}
