#include "http/http_routes.h"

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
    /* one key */
    { PATH("/v1/kv/"), .methods = GET, .op = RK_STATS_HTTP_GET, .operand = RK_HTTP_TAKES_KEY, .parameters = KEY,
      .start = rk_http_read_start },
    { PATH("/v1/kv/"), .methods = HEAD, .op = RK_STATS_HTTP_HEAD, .operand = RK_HTTP_TAKES_KEY, .parameters = KEY,
      .start = rk_http_read_start },
    { PATH("/v1/kv/"), .methods = PUT, .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_BODY,
      .need = RK_HTTP_MAKES_KEY, .parameters = KEY | EXPIRY, .own_headers = DURABILITY | OWN_EXPIRY | RK_HTTP_OWN_META,
      .stores_headers = true, .start = rk_http_put_start },
    { PATH("/v1/kv/"), .methods = POST, .operation = "incr", .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_KEY,
      .need = RK_HTTP_MAKES_KEY, .parameters = KEY | RK_HTTP_PARAMETER_OP | RK_HTTP_PARAMETER_BY,
      .own_headers = DURABILITY, .start = rk_http_incr_start },
    { PATH("/v1/kv/"), .methods = POST, .operation = "append", .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_BODY,
      .need = RK_HTTP_MAKES_KEY, .parameters = KEY | RK_HTTP_PARAMETER_OP, .own_headers = DURABILITY,
      .start = rk_http_append_start },
    { PATH("/v1/kv/"), .methods = POST, .operation = "touch", .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_KEY,
      .need = RK_HTTP_NEEDS_KEY, .parameters = KEY | RK_HTTP_PARAMETER_OP | EXPIRY,
      .own_headers = DURABILITY | OWN_EXPIRY, .start = rk_http_touch_start },
    { PATH("/v1/kv/"), .methods = POST, .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_BODY,
      .need = RK_HTTP_MAKES_KEY, .parameters = KEY | EXPIRY, .own_headers = DURABILITY | OWN_EXPIRY | RK_HTTP_OWN_META,
      .stores_headers = true, .start = rk_http_put_start },
    { PATH("/v1/kv/"), .methods = DELETE, .op = RK_STATS_HTTP_DELETE, .operand = RK_HTTP_TAKES_KEY,
      .need = RK_HTTP_NEEDS_KEY, .parameters = KEY, .own_headers = DURABILITY, .start = rk_http_delete_start },

    /* the service */
    { PATH("/livez"), .methods = GET | HEAD, .op = RK_STATS_HTTP_SERVICE, .start = rk_http_livez_start },
    { PATH("/readyz"), .methods = GET | HEAD, .op = RK_STATS_HTTP_SERVICE, .start = rk_http_readyz_start },

    /* the original's endpoints */
    { PATH("/get"), .methods = GET | PUT | POST, .op = RK_STATS_HTTP_GET, .operand = RK_HTTP_TAKES_KEY,
      .is_legacy = true, .takes_bare_key = true, .parameters = KEY, .start = rk_http_read_start },
    { PATH("/get"), .methods = HEAD, .op = RK_STATS_HTTP_HEAD, .operand = RK_HTTP_TAKES_KEY, .is_legacy = true,
      .takes_bare_key = true, .parameters = KEY, .start = rk_http_read_start },
    { PATH("/put"), .methods = ORIGINS, .op = RK_STATS_HTTP_PUT, .operand = RK_HTTP_TAKES_VALUE,
      .need = RK_HTTP_MAKES_KEY, .is_legacy = true, .parameters = KEY | RK_HTTP_PARAMETER_VALUE | EXPIRY,
      .own_headers = DURABILITY | OWN_EXPIRY, .start = rk_http_put_start },
    { PATH("/delete"), .methods = ORIGINS, .op = RK_STATS_HTTP_DELETE, .operand = RK_HTTP_TAKES_KEY,
      .need = RK_HTTP_NEEDS_KEY, .is_legacy = true, .parameters = KEY, .own_headers = DURABILITY,
      .start = rk_http_delete_start },
    { PATH("/open"), .methods = ORIGINS, .op = RK_STATS_HTTP_SERVICE, .is_legacy = true,
      .parameters = RK_HTTP_PARAMETER_RW | RK_HTTP_PARAMETER_SYN, .start = rk_http_open_start },

    /* the server as a whole: OPTIONS alone comes so far (RFC 9110 section 9.3.7) */
    { PATH("*"), .methods = GET | HEAD | PUT | POST | DELETE, .op = RK_STATS_HTTP_SERVICE },
    { .path = NULL },
};
