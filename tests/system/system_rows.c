#include "system_rows.h"

#include "test_dir.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bed bed;

void start_bed(void)
{
    static const char *const arguments[] = { "-o", "server.workers=2", NULL };

    bed.dir = test_dir_create();
    bed.server = system_server_start(bed.dir, arguments);
    bed.client = (struct system_client){ .fd = -1, .port = system_server_port(bed.server) };
}

void stop_bed(void)
{
    system_client_close(&bed.client);
    ck_assert_int_eq(system_server_stop(&bed.server, SIGTERM), 0);
    test_dir_remove(&bed.dir);
}

/* ---- one row ---- */

static char *put_text(char *at, const char *text)
{
    static const struct {
        const char *name, *value;
    } words[] = { { "{etag}", bed.etag }, { "{old}", bed.old }, { "{date}", bed.date } };

    while (*text != '\0') {
        size_t i = 0;

        while (i < 3 && strncmp(text, words[i].name, strlen(words[i].name)) != 0)
            i++;
        if (i == 3) {
            *at++ = *text++;
            continue;
        }
        at = stpcpy(at, words[i].value);
        text += strlen(words[i].name);
    }
    *at = '\0';
    return at;
}

static void send_row(const struct row *row)
{
    char *text = malloc(8192 + strlen(row->first) + (row->body != NULL ? strlen(row->body) : 0));
    char *at = text + sprintf(text, "%s HTTP/1.1\r\nHost: h\r\n", row->first);

    for (const char *field = row->fields; *field != '\0'; field = strchr(field, '\n') + 1) {
        char line[4096];

        snprintf(line, sizeof line, "%.*s", (int)(strchr(field, '\n') - field), field);
        at = stpcpy(put_text(at, line), "\r\n");
    }
    if (row->body != NULL)
        at += sprintf(at, "Content-Length: %zu\r\n", strlen(row->body));
    sprintf(at, "\r\n%s", row->body != NULL ? row->body : "");
    if (bed.client.fd < 0)
        ck_assert(system_client_open(&bed.client, bed.client.port));
    ck_assert(system_client_send(&bed.client, text));
    free(text);
}

static void check_headers(const struct row *row, const struct system_response *response)
{
    char wanted[1024], *rest = wanted, *line;

    (void)put_text(wanted, row->has != NULL ? row->has : "");
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *colon = strchr(line, ':'), name[64];
        const char *value;

        snprintf(name, sizeof name, "%.*s", (int)(colon != NULL ? (size_t)(colon - line) : strlen(line)),
                 *line == '!' ? line + 1 : line);
        if (*line == '!')
            name[strlen(line) - 1] = '\0';
        value = system_response_header(response, name);
        if (*line == '!')
            ck_assert_msg(value == NULL, "%s: %s\n%s", row->says, row->first, response->head);
        else
            ck_assert_msg(value != NULL && (colon[1] == '\0' || strcmp(value, colon + 2) == 0), "%s: %s: '%s' in\n%s",
                          row->says, row->first, line, response->head);
    }
}

static void keep(char *out, size_t room, const struct system_response *response, const char *name)
{
    const char *value = system_response_header(response, name);

    if (value == NULL)
        return;
    if (out == bed.etag && strcmp(bed.etag, value) != 0)
        strcpy(bed.old, bed.etag);
    snprintf(out, room, "%s", value);
}

void check_row(const struct row *row)
{
    struct system_response response;
    char method[16];
    const char *connection;

    send_row(row);
    ck_assert_int_eq(sscanf(row->first, "%15s", method), 1);
    ck_assert_msg(system_client_receive(&bed.client, method, &response), "%s: %s: no answer", row->says, row->first);
    ck_assert_msg(response.status == row->status, "%s: %s [%s]\n%s%s", row->says, row->first, row->fields,
                  response.head, response.body);
    check_headers(row, &response);
    if (row->status >= 400 && strcmp(method, "HEAD") != 0) {
        const char *type = system_response_header(&response, "Content-Type");

        ck_assert_msg(type != NULL && strcmp(type, "application/problem+json") == 0, "%s", row->first);
        ck_assert_msg(row->answer == NULL || strstr(response.body, row->answer) != NULL, "%s: %s\n%s", row->says,
                      row->first, response.body);
    } else if (row->answer != NULL)
        ck_assert_msg(strcmp(response.body, row->answer) == 0, "%s: %s\n%s", row->says, row->first, response.body);
    keep(bed.etag, sizeof bed.etag, &response, "ETag");
    keep(bed.date, sizeof bed.date, &response, "Last-Modified");
    connection = system_response_header(&response, "Connection");
    if (connection != NULL && strcmp(connection, "close") == 0)
        system_client_close(&bed.client);
    system_response_fini(&response);
}
