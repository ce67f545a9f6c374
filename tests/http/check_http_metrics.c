/* What the server says of itself to programs: the numbers, in the form that is asked for, and the endpoints that there
 * are, which are those that answer. */
#include "http/http_accept.h"
#include "http/http_routes.h"
#include "http_bed.h"
#include "stats/stats_block.h"
#include "test_main.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET_LINE(path) "GET " path " HTTP/1.1\r\n" HOST

static const char *const type_line = "Content-Type: application/json";

static void start(void)
{
    bed_start();
}

static bool has(const struct raw_answer *answer, const char *line)
{
    return strstr(answer->body, line) != NULL;
}

START_TEST(a_scrape_has_what_was_answered)
{
    struct raw_answer answer;

    bed_expect(PUT_A, 201, NULL);
    bed_expect(GET_A, 200, NULL);
    bed_expect(GET_A, 200, NULL);
    rk_counter_set(&bed.server.block->slots[1].http.requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_200], 5);
    rk_counter_set(&bed.server.block->writer.keys, 4711);
    answer = bed_ask(GET_LINE("/metrics") "\r\n", 200);
    ck_assert(raw_answer_has(&answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    ck_assert(raw_answer_has(&answer, "Cache-Control: no-store"));
    ck_assert(has(&answer, "\nrackkv_http_requests_total{op=\"get\",code=\"200\"} 7\n"));
    ck_assert(has(&answer, "\nrackkv_http_requests_total{op=\"put\",code=\"201\"} 1\n"));
    ck_assert(has(&answer, "\nrackkv_keys 4711\n"));
    ck_assert(has(&answer, "\nrackkv_ready 1\n"));
    ck_assert(!has(&answer, "# EOF"));
    raw_answer_fini(&answer);
    bed.server.control->not_ready = true;
    answer = bed_ask(GET_LINE("/metrics") "Accept: text/plain;q=0.3, application/openmetrics-text;q=0.5\r\n\r\n", 200);
    ck_assert(raw_answer_has(&answer, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"));
    ck_assert(has(&answer, "\nrackkv_ready 0\n"));
    ck_assert(has(&answer, "\nrackkv_http_requests_total{op=\"service\",code=\"200\"} 1\n"));
    ck_assert_str_eq(answer.body + answer.body_len - 6, "# EOF\n");
    raw_answer_fini(&answer);
}
END_TEST

START_TEST(the_same_numbers_as_json)
{
    struct raw_answer answer;
    json_t *all, *worker;

    bed_expect(PUT_A, 201, NULL);
    rk_counter_set(&bed.server.block->writer.puts, 12);
    answer = bed_ask(GET_LINE("/v1/stats") "\r\n", 200);
    ck_assert(raw_answer_has(&answer, type_line));
    all = json_loads(answer.body, 0, NULL);
    worker = json_array_get(json_object_get(all, "workers"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(all, "writer"), "puts")), 12);
    ck_assert_uint_eq(json_array_size(json_object_get(all, "workers")), FAKE_SLOTS);
    worker = json_object_get(json_object_get(worker, "requests"), "put");
    ck_assert_int_eq(json_integer_value(json_object_get(worker, "201")), 1);
    json_decref(all);
    raw_answer_fini(&answer);
    bed_expect_code("GET /v1/stats?x=1 HTTP/1.1\r\n" HOST "\r\n", 400, "unknown-parameter");
}
END_TEST

START_TEST(a_weight_is_read)
{
    static const struct {
        const char *list;
        unsigned weight;
    } rows[] = {
        { "", 0 },
        { "text/plain", 0 },
        { "a/b", 1000 },
        { "A/B", 1000 },
        { "a/bc", 0 },
        { "a/b;q=0.5", 500 },
        { "a/b ; v=1 ; q=0.25 , c/d", 250 },
        { "c/d;q=0.1,a/b;q=0.123", 123 },
        { "c/d;q=0.1;x=\"a/b\"", 0 },
        { "a/b;q=0", 0 },
        { "a/b;q=0.0", 0 },
        { "a/b;Q=0.009", 9 },
        { "a/b;q=1.000", 1000 },
        { "a/b;q=", 1000 },
        { "a/b;q=0.x", 1000 },
        { ",,a/b;;,", 1000 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(rk_http_accept_weight(rows[i].list, strlen(rows[i].list), "a/b") == rows[i].weight, "%s",
                      rows[i].list);
}
END_TEST

/* ---- the endpoints ---- */

static json_t *paths_of(bool legacy)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_answer answer;
    json_t *document, *paths;

    settings.legacy = legacy;
    bed_stop();
    bed_start_with(&settings);
    answer = bed_ask(GET_LINE("/v1/openapi.json") "\r\n", 200);
    ck_assert(raw_answer_has(&answer, type_line));
    document = json_loads(answer.body, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(document != NULL, "%s", answer.body);
    ck_assert_str_eq(json_string_value(json_object_get(document, "openapi")), "3.1.0");
    paths = json_incref(json_object_get(document, "paths"));
    json_decref(document);
    raw_answer_fini(&answer);
    return paths;
}

static void check_says(const json_t *part, const char *text)
{
    char *written = json_dumps(part, JSON_COMPACT);

    ck_assert_msg(strstr(written, text) != NULL, "%s", written);
    free(written);
}

START_TEST(every_route_is_in_the_document)
{
    json_t *paths = paths_of(true), *without = paths_of(false), *path;
    const char *name;
    size_t n = 0;

    for (const struct rk_http_route *route = rk_http_routes; route->path != NULL; route++) {
        static const char *const names[] = { "get", "head", "put", "post", "delete" };
        char key_path[64];

        (void)snprintf(key_path, sizeof key_path, "%s%s", route->path,
                       route->path[route->path_len - 1] == '/' ? "{key}" : "");
        path = json_object_get(paths, key_path);
        ck_assert_int_eq(path != NULL, route->path[0] == '/');
        ck_assert_int_eq(json_object_get(without, key_path) != NULL, route->path[0] == '/' && !route->is_legacy);
        for (unsigned method = 0; path != NULL && method < 5; method++)
            if ((route->methods >> method & 1) != 0)
                ck_assert_ptr_nonnull(
                    json_string_value(json_object_get(json_object_get(path, names[method]), "summary")));
        n += path != NULL && (route == rk_http_routes || strcmp(route->path, route[-1].path) != 0);
    }
    ck_assert_uint_eq(json_object_size(paths), n + 1); /* the one with a key comes twice */
    json_object_foreach(json_object_get(paths, "/v1/kv"), name, path)
    {
        bool lists = strcmp(name, "get") == 0 || strcmp(name, "head") == 0; /* without a key */

        if (strcmp(name, "options") == 0)
            continue;
        check_says(path, lists ? "{\"name\":\"key\",\"in\":\"query\",\"required\":false"
                               : "{\"name\":\"key\",\"in\":\"query\",\"required\":true");
        ck_assert_int_eq(lists,
                         strstr(json_string_value(json_object_get(path, "description")), "Without key=") != NULL);
    }
    check_says(json_object_get(json_object_get(paths, "/v1/kv/{key}"), "post"), "[\"incr\",\"append\",\"touch\"]");
    json_decref(paths);
    json_decref(without);
}
END_TEST

/* The status of a bare request with this method. */
static int status_of(const char *method, const char *path)
{
    struct raw_answer answer;
    char text[256], upper[16] = "";
    int status;

    for (size_t i = 0; method[i] != '\0'; i++)
        upper[i] = (char)toupper((unsigned char)method[i]);
    (void)snprintf(text, sizeof text, "%s %.*s HTTP/1.1\r\n" HOST "\r\n", upper, (int)strcspn(path, "{"), path);
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    ck_assert(raw_client_send_text(&bed.client, text));
    ck_assert(raw_client_receive(&bed.client, strcmp(method, "head") == 0, &answer));
    status = answer.status;
    raw_answer_fini(&answer);
    return status;
}

START_TEST(the_document_says_what_is_answered)
{
    static const char *const methods[] = { "get", "head", "put", "post", "delete", "options" };
    json_t *paths = paths_of(true), *path;
    const char *name;

    json_object_foreach(paths, name, path)
    {
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            int status = status_of(methods[i], name);

            ck_assert_msg(status != 404 || strcmp(methods[i], "options") != 0, "%s %s", methods[i], name);
            ck_assert_msg((status != 405) == (json_object_get(path, methods[i]) != NULL), "%s %s: %d", methods[i], name,
                          status);
        }
    }
    ck_assert_int_eq(status_of("get", "/v1/openapi"), 404);
    json_decref(paths);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_metrics");
    TCase *tcase = tcase_create("metrics");

    tcase_add_checked_fixture(tcase, start, bed_stop);
    tcase_add_test(tcase, a_scrape_has_what_was_answered);
    tcase_add_test(tcase, the_same_numbers_as_json);
    tcase_add_test(tcase, a_weight_is_read);
    tcase_add_test(tcase, every_route_is_in_the_document);
    tcase_add_test(tcase, the_document_says_what_is_answered);
    suite_add_tcase(suite, tcase);
    return suite;
}
