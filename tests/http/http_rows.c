#include "http_rows.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *format_row(const struct row *row)
{
    char *text = malloc(4096 + (row->body != NULL ? strlen(row->body) : 0));
    char *at = text + sprintf(text, "%s HTTP/1.1\r\n" HOST, row->first);

    for (const char *field = row->fields; *field != '\0'; field = strchr(field, '\n') + 1)
        at += sprintf(at, "%.*s\r\n", (int)(strchr(field, '\n') - field), field);
    if (row->body != NULL)
        at += sprintf(at, "Content-Length: %zu\r\n", strlen(row->body));
    sprintf(at, "\r\n%s", row->body != NULL ? row->body : "");
    return text;
}

void check_row_headers(const struct row *row, const struct raw_answer *answer)
{
    char *lines = strdup(row->has != NULL ? row->has : ""), *rest = lines, *line;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        bool good = *line == '!' ? !raw_answer_has_name(answer, line + 1) : raw_answer_has(answer, line);

        ck_assert_msg(good, "%s\n%s-> '%s' expected in\n%s", row->first, row->fields, line, answer->head);
    }
    free(lines);
}

void check_row(const struct row *row)
{
    struct raw_answer answer;
    char *text = format_row(row);

    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    ck_assert(raw_client_send_text(&bed.client, text));
    ck_assert_msg(raw_client_receive(&bed.client, strncmp(row->first, "HEAD", 4) == 0, &answer), "%s", text);
    ck_assert_msg(answer.status == row->status, "%s-> %s%s", text, answer.head, answer.body);
    check_row_headers(row, &answer);
    if (row->answer != NULL && row->status >= 400)
        ck_assert_msg(strstr(answer.body, row->answer) != NULL, "%s-> %s", text, answer.body);
    else if (row->answer != NULL)
        ck_assert_msg(strcmp(answer.body, row->answer) == 0, "%s-> %s", text, answer.body);
    raw_answer_fini(&answer);
    free(text);
}

void check_rows(const struct row *rows, size_t n_rows)
{
    bed_start();
    for (size_t i = 0; i < n_rows; i++)
        check_row(&rows[i]);
    bed_stop();
}
