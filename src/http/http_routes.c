#include "http/http_routes.h"

#include "http/http_list.h"
#include "http/http_metrics.h"
#include "http/http_read.h"
#include "http/http_service.h"
#include "http/http_write.h"

#define PATH(text) .path = (text), .path_len = sizeof(text) - 1

#define GET     (1u << RK_HTTP_GET)
#define HEAD    (1u << RK_HTTP_HEAD)
#define PUT     (1u << RK_HTTP_PUT)
#define POST    (1u << RK_HTTP_POST)
#define DELETE  (1u << RK_HTTP_DELETE)
#define ORIGINS (GET | HEAD | PUT | POST) /* the original looks at the path alone */

#define KEY    RK_HTTP_PARAMETER_KEY
#define EXPIRY (RK_HTTP_PARAMETER_TTL | RK_HTTP_PARAMETER_EXPIRES)

#define DURABILITY RK_HTTP_OWN_DURABILITY
#define OWN_EXPIRY (RK_HTTP_OWN_TTL | RK_HTTP_OWN_EXPIRES)

/* A request takes the first row that has its path, its method and what its op= names. */
const struct rk_http_route rk_http_routes[] = {
    /* many keys */
    { PATH("/v1/kv/"), .methods = GET | HEAD, .summary = "List the keys in their order.", .op = RK_STATS_HTTP_LIST,
      .is_listing = true, .parameters = RK_HTTP_LIST_OPTIONS, .start = rk_http_list_start },

    /* one key */
    { PATH("/v1/kv/"), .methods = GET, .summary = "Read the value of a key.", .op = RK_STATS_HTTP_GET,
      .operand = RK_HTTP_TAKES_KEY, .parameters = KEY, .start = rk_http_read_start },
    { PATH("/v1/kv/"), .methods = HEAD, .summary = "Read what there is to say of a key, without its value.",
      .op = RK_STATS_HTTP_HEAD, .operand = RK_HTTP_TAKES_KEY, .parameters = KEY, .start = rk_http_read_start },
    { PATH("/v1/kv/"), .methods = PUT, .summary = "Write the value of a key.", .op = RK_STATS_HTTP_PUT,
      .operand = RK_HTTP_TAKES_BODY, .need = RK_HTTP_MAKES_KEY, .parameters = KEY | EXPIRY,
      .own_headers = DURABILITY | OWN_EXPIRY | RK_HTTP_OWN_META, .stores_headers = true, .start = rk_http_put_start },
    { PATH("/v1/kv/"), .methods = POST, .operation = "incr", .summary = "Add to the number that the value is.",
      .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_KEY, .need = RK_HTTP_MAKES_KEY,
      .parameters = KEY | RK_HTTP_PARAMETER_OP | RK_HTTP_PARAMETER_BY, .own_headers = DURABILITY,
      .start = rk_http_incr_start },
    { PATH("/v1/kv/"), .methods = POST, .operation = "append", .summary = "Write behind the value.",
      .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_BODY, .need = RK_HTTP_MAKES_KEY,
      .parameters = KEY | RK_HTTP_PARAMETER_OP, .own_headers = DURABILITY, .start = rk_http_append_start },
    { PATH("/v1/kv/"), .methods = POST, .operation = "touch", .summary = "Give the key another expiry, or none.",
      .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_KEY, .need = RK_HTTP_NEEDS_KEY,
      .parameters = KEY | RK_HTTP_PARAMETER_OP | EXPIRY, .own_headers = DURABILITY | OWN_EXPIRY,
      .start = rk_http_touch_start },
    { PATH("/v1/kv/"), .methods = POST, .summary = "Write the value of a key.", .op = RK_STATS_HTTP_PUT,
      .operand = RK_HTTP_TAKES_BODY, .need = RK_HTTP_MAKES_KEY, .parameters = KEY | EXPIRY,
      .own_headers = DURABILITY | OWN_EXPIRY | RK_HTTP_OWN_META, .stores_headers = true, .start = rk_http_put_start },
    { PATH("/v1/kv/"), .methods = DELETE, .summary = "Delete a key.", .op = RK_STATS_HTTP_DELETE,
      .operand = RK_HTTP_TAKES_KEY, .need = RK_HTTP_NEEDS_KEY, .parameters = KEY, .own_headers = DURABILITY,
      .start = rk_http_delete_start },

    /* the service */
    { PATH("/livez"), .methods = GET | HEAD, .summary = "Say that the server is there.", .op = RK_STATS_HTTP_SERVICE,
      .start = rk_http_livez_start },
    { PATH("/readyz"), .methods = GET | HEAD, .summary = "Say whether the server serves, and if not, why.",
      .op = RK_STATS_HTTP_SERVICE, .start = rk_http_readyz_start },

    { PATH("/metrics"), .methods = GET | HEAD, .summary = "All numbers of the server, for a scraper.",
      .op = RK_STATS_HTTP_SERVICE, .start = rk_http_metrics_start },
    { PATH("/v1/stats"), .methods = GET | HEAD, .summary = "All numbers of the server, as JSON.",
      .op = RK_STATS_HTTP_SERVICE, .start = rk_http_stats_start },
    { PATH("/v1/openapi.json"), .methods = GET | HEAD, .summary = "This document.", .op = RK_STATS_HTTP_SERVICE,
      .start = rk_http_openapi_start },

    /* the original's endpoints */
    { PATH("/get"), .methods = GET | PUT | POST, .summary = "Read the value of a key, as the original does.",
      .op = RK_STATS_HTTP_GET, .operand = RK_HTTP_TAKES_KEY, .is_legacy = true, .takes_bare_key = true,
      .parameters = KEY, .start = rk_http_read_start },
    { PATH("/get"), .methods = HEAD, .summary = "Read what there is to say of a key, as the original does.",
      .op = RK_STATS_HTTP_HEAD, .operand = RK_HTTP_TAKES_KEY, .is_legacy = true, .takes_bare_key = true,
      .parameters = KEY, .start = rk_http_read_start },
    { PATH("/put"), .methods = ORIGINS, .summary = "Write the value of a key, as the original does.",
      .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_VALUE, .need = RK_HTTP_MAKES_KEY, .is_legacy = true,
      .parameters = KEY | RK_HTTP_PARAMETER_VALUE | EXPIRY, .own_headers = DURABILITY | OWN_EXPIRY,
      .start = rk_http_put_start },
    { PATH("/delete"), .methods = ORIGINS, .summary = "Delete a key, as the original does.", .op = RK_STATS_HTTP_DELETE,
      .operand = RK_HTTP_TAKES_KEY, .need = RK_HTTP_NEEDS_KEY, .is_legacy = true, .parameters = KEY,
      .own_headers = DURABILITY, .start = rk_http_delete_start },
    { PATH("/open"), .methods = ORIGINS, .summary = "Answer OK, as the original does when it opens a store.",
      .op = RK_STATS_HTTP_SERVICE, .is_legacy = true, .parameters = RK_HTTP_PARAMETER_RW | RK_HTTP_PARAMETER_SYN,
      .start = rk_http_open_start },

    /* the server as a whole: OPTIONS alone comes so far (RFC 9110 section 9.3.7) */
    { PATH("*"), .methods = GET | HEAD | PUT | POST | DELETE, .op = RK_STATS_HTTP_SERVICE },
    { .path = NULL },
};
