/* A program that does not export the parser: its libh2o calls its own, and no server is started. The linker is told so
 * for this program (local.mk). */
#include "base/base_detail.h"
#include "http/http_backend.h"
#include "http/http_server.h"
#include "test_main.h"

#include <string.h>

START_TEST(a_libh2o_with_its_own_parser_is_not_served_by)
{
    static const struct rk_http_backend no_backend = { .self = NULL };
    struct rk_http_settings settings = {
        .max_connections = 1,
        .max_key_bytes = 100,
        .max_value_bytes = 100,
        .max_head_bytes = 1000,
        .max_fields = 10,
        .request_timeout_ms = 1000,
        .idle_timeout_ms = 1000,
    };
    struct rk_http_server *server = NULL;
    struct rk_detail detail = { "" };

    ck_assert_int_eq(rk_http_server_create(&server, &settings, &no_backend, NULL, &detail), RK_ERR_INVALID);
    ck_assert_ptr_null(server);
    ck_assert_msg(strstr(detail.text, "phr_parse_request") != NULL, "%s", detail.text);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_probe");
    TCase *tcase = tcase_create("probe");

    tcase_add_test(tcase, a_libh2o_with_its_own_parser_is_not_served_by);
    suite_add_tcase(suite, tcase);
    return suite;
}
