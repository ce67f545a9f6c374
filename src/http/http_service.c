#include "http/http_service.h"

#include "http/http_answer.h"

#include <string.h>

static void answer_text(struct rk_http_request *request, const char *text)
{
    rk_http_answer_token(request->req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("text/plain"));
    rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    rk_http_answer_body(request, 200, text, strlen(text));
}

void rk_http_readyz_start(struct rk_http_request *request)
{
    const struct rk_http_backend *backend = &request->server->backend;
    const char *why = NULL;

    if (backend->ready(backend->self, &why))
        answer_text(request, why != NULL ? why : "ready\n");
    else
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_NOT_READY, 0, why != NULL ? why : "");
}

void rk_http_livez_start(struct rk_http_request *request)
{
    answer_text(request, "alive\n");
}

void rk_http_open_start(struct rk_http_request *request)
{
    answer_text(request, "OK");
}
