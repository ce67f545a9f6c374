#include "http_bed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_bed bed;

void bed_start_with(const struct rk_http_settings *settings)
{
    fake_server_start(&bed.server, settings, NULL);
    raw_client_open(&bed.client, bed.server.port);
}

void bed_start(void)
{
    struct rk_http_settings settings = fake_settings();

    bed_start_with(&settings);
}

void bed_stop(void)
{
    raw_client_close(&bed.client);
    fake_server_stop(&bed.server);
}

struct raw_answer bed_ask(const char *text, int status)
{
    struct raw_answer answer;

    raw_client_exchange(&bed.client, text, &answer);
    ck_assert_msg(answer.status == status, "%s-> %s%s", text, answer.head, answer.body);
    return answer;
}

void bed_expect(const char *text, int status, const char *line)
{
    struct raw_answer answer = bed_ask(text, status);

    ck_assert_msg(line == NULL || raw_answer_has(&answer, line), "%s-> %s", text, answer.head);
    raw_answer_fini(&answer);
}

void bed_expect_code(const char *text, int status, const char *code)
{
    struct raw_answer answer = bed_ask(text, status);
    char *member;

    ck_assert_int_ge(asprintf(&member, "\"code\":\"%s\"", code), 0);
    ck_assert_msg(raw_answer_has(&answer, "Content-Type: application/problem+json"), "%s", answer.head);
    ck_assert_msg(strstr(answer.body, member) != NULL, "%s-> %s", text, answer.body);
    free(member);
    raw_answer_fini(&answer);
}

void bed_expect_body(const char *text, const char *body)
{
    struct raw_answer answer = bed_ask(text, 200);

    ck_assert_str_eq(answer.body, body);
    raw_answer_fini(&answer);
}
