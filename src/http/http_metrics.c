#include "http/http_metrics.h"

#include "http/http_answer.h"
#include "http/http_openapi.h"
#include "stats/stats_json.h"
#include "stats/stats_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMETHEUS_TYPE  "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define JSON_TYPE        "application/json"

/* One of the pages, and what it is. */
struct page {
    const char *type;
    void (*print)(FILE *out, struct rk_http_request *request);
};

/* The text moves into the request's pool, where the answer is sent from. */
static void answer_page(struct rk_http_request *request, const struct page *page)
{
    char *text = NULL, *body;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out != NULL)
        page->print(out, request);
    if (out == NULL || fclose(out) != 0) {
        free(text);
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_INTERNAL, 0, NULL); /* no memory */
        return;
    }
    body = h2o_mem_alloc_pool(&request->req->pool, len);
    memcpy(body, text, len);
    free(text);
    rk_http_answer_token(request->req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", page->type, strlen(page->type));
    rk_http_answer_token(request->req, H2O_TOKEN_CACHE_CONTROL, "Cache-Control", H2O_STRLIT("no-store"));
    rk_http_answer_body(request, 200, body, len);
}

/* ---- /metrics ---- */

static enum rk_stats_format format_for(const h2o_req_t *req)
{
    unsigned weight = rk_http_request_weight(req, "application/openmetrics-text");

    return weight > 0 && weight >= rk_http_request_weight(req, "text/plain") ? RK_STATS_OPENMETRICS
                                                                             : RK_STATS_PROMETHEUS;
}

static void print_metrics(FILE *out, struct rk_http_request *request)
{
    const struct rk_http_backend *backend = &request->server->backend;
    const char *why;

    rk_stats_metrics_print(out, backend->stats, backend->ready(backend->self, &why), format_for(request->req));
}

void rk_http_metrics_start(struct rk_http_request *request)
{
    static const h2o_iovec_t vary = { H2O_STRLIT("vary") };
    struct page page = { PROMETHEUS_TYPE, print_metrics };

    if (format_for(request->req) == RK_STATS_OPENMETRICS)
        page.type = OPENMETRICS_TYPE;
    rk_http_answer_header(request->req, &vary, "Vary", H2O_STRLIT("Accept"));
    answer_page(request, &page);
}

/* ---- the others ---- */

static void print_stats(FILE *out, struct rk_http_request *request)
{
    rk_stats_json_print(out, request->server->backend.stats);
}

void rk_http_stats_start(struct rk_http_request *request)
{
    static const struct page page = { JSON_TYPE, print_stats };

    answer_page(request, &page);
}

static void print_openapi(FILE *out, struct rk_http_request *request)
{
    const struct rk_http_server *server = request->server;

    rk_http_openapi_print(out, server->bounds.routes, server->settings.legacy);
}

void rk_http_openapi_start(struct rk_http_request *request)
{
    static const struct page page = { JSON_TYPE, print_openapi };

    answer_page(request, &page);
}
