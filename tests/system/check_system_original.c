/* The client of the original project against our server: the requests that it makes of the lines that are typed into
 * it, byte for byte as they leave it, and what it prints of our answers. It puts words into its targets as they are:
 * nothing is escaped, and what its library cuts off (a fragment) is missing. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line and its request, in the order in which they are typed; the body is what the original's client prints. NULL:
 * words of ours. */
static const struct {
    const char *line, *target;
    int status;
    const char *body;
} requests[] = {
    { "OPEN", "/open?rw=false&syn=false", 200, "OK" },
    { "OPEN -rw", "/open?rw=true&syn=false", 200, "OK" },
    { "open -sync", "/open?rw=false&syn=true", 200, "OK" },
    { "OPEN -rw -sync", "/open?rw=true&syn=true", 200, "OK" },
    { "OPEN -RW here", "/open?rw=true&syn=false", 200, "OK" },
    { "PUT a 1", "/put?key=a&value=1", 200, "OK" },
    { "GET a", "/get?key=a", 200, "1" },
    { "put a 2", "/put?key=a&value=2", 200, "OK" },
    { "get a", "/get?key=a", 200, "2" },
    { "PUT city Krak\xc3\xb3w", "/put?key=city&value=Krak\xc3\xb3w", 200, "OK" },
    { "GET city", "/get?key=city", 200, "Krak\xc3\xb3w" },
    { "PUT \xe6\x97\xa5 \xe6\x9c\xac", "/put?key=\xe6\x97\xa5&value=\xe6\x9c\xac", 200, "OK" },
    { "GET \xe6\x97\xa5", "/get?key=\xe6\x97\xa5", 200, "\xe6\x9c\xac" },
    { "PUT sum 1+1", "/put?key=sum&value=1+1", 200, "OK" },
    { "GET sum", "/get?key=sum", 200, "1 1" }, /* as its own server had it */
    { "PUT esc %41%2f", "/put?key=esc&value=%41%2f", 200, "OK" },
    { "GET esc", "/get?key=esc", 200, "A/" },
    { "PUT x/y a/b", "/put?key=x/y&value=a/b", 200, "OK" },
    { "GET x/y", "/get?key=x/y", 200, "a/b" },
    { "PUT link http://h:1/p?q=r", "/put?key=link&value=http://h:1/p?q=r", 200, "OK" },
    { "GET link", "/get?key=link", 200, "http://h:1/p?q=r" },
    { "PUT json {\"a\":[1,2]}", "/put?key=json&value={\"a\":[1,2]}", 200, "OK" },
    { "GET json", "/get?key=json", 200, "{\"a\":[1,2]}" },
    { "PUT odd |\\^`<>'~$!*", "/put?key=odd&value=|\\^`<>'~$!*", 200, "OK" },
    { "GET odd", "/get?key=odd", 200, "|\\^`<>'~$!*" },
    { "PUT note one#two", "/put?key=note&value=one", 200, "OK" },
    { "GET note", "/get?key=note", 200, "one" },
    { "DELETE note", "/delete?key=note", 200, "OK" },
    { "delete a", "/delete?key=a", 200, "OK" },
    { "GET a", "/get?key=a", 404, NULL },
    { "GET note", "/get?key=note", 404, NULL },
    { "DELETE a", "/delete?key=a", 404, NULL },
    { "GET nothing", "/get?key=nothing", 404, NULL },
    { "PUT a 3", "/put?key=a&value=3", 200, "OK" },
    { "GET a", "/get?key=a", 200, "3" },
    { "PUT rate 100%", "/put?key=rate&value=100%", 400, NULL },
    { "GET rate", "/get?key=rate", 404, NULL },
    { "GET %zz", "/get?key=%zz", 400, NULL },
    { "PUT words two words", "/put?key=words&value=two words", 400, NULL }, /* a space ends the target */
    { "GET words", "/get?key=words", 404, NULL },
    { "GET #", "/get?key=", 400, NULL },
    { "DELETE #", "/delete?key=", 400, NULL },
    { "PUT # x", "/put?key=", 400, NULL },
};

#define N_REQUESTS (sizeof requests / sizeof requests[0])

static void send_as_the_original(struct system_client *client, const char *target)
{
    char *request = NULL;

    if (client->fd < 0)
        ck_assert(system_client_open(client, client->port));
    ck_assert_int_gt(asprintf(&request,
                              "GET %s HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: Go-http-client/1.1\r\n"
                              "Accept-Encoding: gzip\r\n\r\n",
                              target),
                     0);
    ck_assert(system_client_send(client, request));
    free(request);
}

static void check_answer(struct system_client *client, size_t i)
{
    struct system_response response;

    ck_assert_msg(system_client_receive(client, "GET", &response), "%s: no answer", requests[i].line);
    ck_assert_msg(response.status == requests[i].status, "%s: %d", requests[i].line, response.status);
    if (requests[i].body != NULL)
        ck_assert_msg(strcmp(response.body, requests[i].body) == 0, "%s: %s", requests[i].line, response.body);
    else
        ck_assert_msg(response.body_len > 0, "%s: %s", requests[i].line, response.head);
    if (system_response_header(&response, "connection") != NULL
        && strcasecmp(system_response_header(&response, "connection"), "close") == 0)
        system_client_close(client);
    system_response_fini(&response);
}

START_TEST(what_the_originals_client_sends_is_answered)
{
    char *dir = test_dir_create();
    struct system_server *server = system_server_start(dir, NULL);
    struct system_client client = { .fd = -1, .port = system_server_port(server) };

    for (size_t i = 0; i < N_REQUESTS; i++) {
        send_as_the_original(&client, requests[i].target);
        check_answer(&client, i);
    }
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_original");
    TCase *tcase = tcase_create("original");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_the_originals_client_sends_is_answered);
    suite_add_tcase(suite, tcase);
    return suite;
}
