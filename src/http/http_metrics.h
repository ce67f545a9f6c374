/* What the server says of itself to programs: start functions of http_routes.h. Each prints what is there at that
 * instant, without a lock and without asking another process. */
#ifndef RK_HTTP_METRICS_H
#define RK_HTTP_METRICS_H

struct rk_http_request;

/* All numbers for a scraper: the text format of Prometheus, or OpenMetrics where the Accept header prefers it. */
void rk_http_metrics_start(struct rk_http_request *request);

/* The same numbers as one JSON object. */
void rk_http_stats_start(struct rk_http_request *request);

/* The endpoints that there are, as an OpenAPI document. */
void rk_http_openapi_start(struct rk_http_request *request);

#endif
