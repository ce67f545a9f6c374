/* Batches over real sockets, to two workers and a store on the disk: a row for each thing that is promised of them. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *says;
    const char *body;
    int status;
    const char *lines; /* parts of the lines of the answer, with "\n" behind each */
};

#define PUT(key, value, more) "{\"op\":\"put\",\"key\":\"" key "\",\"value\":\"" value "\"" more "}\n"
#define GET(key)              "{\"op\":\"get\",\"key\":\"" key "\"}\n"
#define DELETE(key)           "{\"op\":\"delete\",\"key\":\"" key "\"}\n"
#define INCR(key)             "{\"op\":\"incr\",\"key\":\"" key "\"}\n"

static const struct row rows[] = {
    { "a later line sees what an earlier one wrote",
      GET("a") PUT("a", "1", "") GET("a") INCR("a") GET("a") DELETE("a") GET("a"), 200,
      "404\n201\n\"value\":\"1\"\n\"value\":\"2\"\n\"value\":\"2\"\n204\n404\n" },
    { "a malformed line is answered in its place", PUT("b", "1", "") "junk\n" INCR("b"), 200,
      "201\n\"status\":400\n\"value\":\"2\"\n" },
    { "an unknown op is 400", "{\"op\":\"move\",\"key\":\"b\"}\n", 200, "\"status\":400\n" },
    { "bytes are base64, standard and padded",
      "{\"op\":\"put\",\"key64\":\"/wA=\",\"value64\":\"gA==\"}\n{\"op\":\"get\",\"key64\":\"/wA=\"}\n", 200,
      "201\n\"value64\":\"gA==\"\n" },
    { "conditions", PUT("c", "1", ",\"if_none_match\":\"*\"") PUT("c", "2", ",\"if_none_match\":\"*\"") GET("c"), 200,
      "201\n412\n\"value\":\"1\"\n" },
    { "a content type and a time to live", PUT("d", "1", ",\"content_type\":\"text/x\",\"ttl\":\"1h\"") GET("d"), 200,
      "201\n\"content_type\":\"text/x\"\n" },
};

static void check_row(struct system_client *client, const struct row *row)
{
    struct system_response response;
    char *lines = strdup(row->lines), *rest = lines, *part, *at;

    system_client_request(client, "POST", "/v1/batch", row->body, strlen(row->body), &response);
    ck_assert_msg(response.status == row->status, "%s: %d", row->says, response.status);
    at = response.body;
    while ((part = strsep(&rest, "\n")) != NULL && *part != '\0') {
        char *line = strsep(&at, "\n");

        ck_assert_msg(line != NULL && strstr(line, part) != NULL, "%s: '%s' without %s", row->says, line, part);
    }
    ck_assert_msg(at == NULL || *at == '\0', "%s: more: %s", row->says, at);
    system_response_fini(&response);
    free(lines);
}

START_TEST(batches_do_what_is_promised)
{
    static const char *const arguments[] = { "-o", "server.workers=2", NULL };
    char *dir = test_dir_create();
    struct system_server *server = system_server_start(dir, arguments);
    struct system_client client = { .fd = -1, .port = system_server_port(server) };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&client, &rows[i]);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/batch", NULL, 0), 405);
    ck_assert_int_eq(system_client_status(&client, "POST", "/v1/batch?atomic=1", "", 0), 400);
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_batch");
    TCase *tcase = tcase_create("batch");

    tcase_add_test(tcase, batches_do_what_is_promised);
    suite_add_tcase(suite, tcase);
    return suite;
}
