/* list: prints the keys as the server lists them, a line each as they come. The server's last line says that it is the
 * last: without it a part is missing, and the list has failed. */
#include "client/client_command.h"

#include "base/base_detail.h"
#include "client/client_buffer.h"
#include "client/client_item.h"
#include "client/client_text.h"
#include "client/client_url.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
    const struct rk_client_session *session;
    bool with_values;
    struct rk_client_buffer line; /* what has come of it */
    bool is_complete;
    bool is_bad; /* a line is no row of a listing */
};

/* Text from a member of this name, or bytes from the one with 64 behind it, into the buffer. False: there is neither.
 */
static bool take_bytes(const json_t *row, const char *name, struct rk_client_buffer *bytes)
{
    const json_t *text = json_object_get(row, name), *base64;
    char name64[16];

    bytes->size = 0;
    if (json_is_string(text))
        return rk_client_buffer_append(bytes, json_string_value(text), json_string_length(text));
    (void)snprintf(name64, sizeof name64, "%s64", name);
    base64 = json_object_get(row, name64);
    if (!json_is_string(base64)
        || !rk_client_buffer_append(bytes, json_string_value(base64), json_string_length(base64)))
        return false;
    return bytes->size == 0
           || sodium_base642bin((unsigned char *)bytes->bytes, bytes->size, json_string_value(base64), bytes->size,
                                NULL, &bytes->size, NULL, sodium_base64_VARIANT_ORIGINAL)
                  == 0;
}

static void print_bytes(const struct list *list, const struct rk_client_buffer *bytes)
{
    if (list->session->terminal)
        rk_client_text_print(stdout, (struct rk_client_bytes){ bytes->bytes, bytes->size });
    else
        (void)fwrite(bytes->bytes, 1, bytes->size, stdout); /* what did not arrive, rk_client_finish finds */
}

/* False: it is no row. */
static bool print_row(const struct list *list, const json_t *row)
{
    struct rk_client_buffer bytes = { .size = 0 };
    bool is_key = take_bytes(row, "key", &bytes);
    bool is_good = is_key || take_bytes(row, "prefix", &bytes);

    if (is_good)
        print_bytes(list, &bytes);
    if (is_key && list->with_values) {
        is_good = take_bytes(row, "value", &bytes);
        (void)fputc('\t', stdout);
        print_bytes(list, &bytes);
    }
    (void)fputc('\n', stdout);
    rk_client_buffer_fini(&bytes);
    return is_good;
}

static bool take_line(struct list *list)
{
    json_t *row;

    list->is_complete = rk_client_item_is_end(list->line.bytes, list->line.size);
    if (list->is_complete)
        return true;
    row = json_loadb(list->line.bytes, list->line.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    list->is_bad = !json_is_object(row);
    if (!list->is_bad && list->session->json)
        (void)printf("%.*s\n", (int)list->line.size, list->line.bytes);
    else if (!list->is_bad)
        list->is_bad = !print_row(list, row);
    json_decref(row);
    return !list->is_bad;
}

/* A sink. */
static bool take_piece(void *context, const void *bytes, size_t size)
{
    struct list *list = context;
    const char *at = bytes, *end = at + size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);

        if (!rk_client_buffer_append(&list->line, at, len))
            return false;
        if (newline != NULL) {
            if (!take_line(list))
                return false;
            list->line.size = 0;
        }
        at += len + (newline != NULL);
    }
    return !ferror(stdout);
}

static enum rk_err ask(struct list *list, const char *query, struct rk_client_answer *answer_out,
                       struct rk_detail *detail)
{
    struct rk_client_fields fields = { .n = 0 };
    static const char type[] = "application/x-ndjson";
    const struct rk_client_request request = {
        .method = "GET", .query = query, .fields = &fields, .sink = take_piece, .context = list
    };
    enum rk_err err =
        rk_client_fields_add(&fields, "Accept", "Accept", (struct rk_client_bytes){ type, sizeof type - 1 }, detail);

    if (err == RK_OK)
        err = rk_client_ask(list->session->client, &request, answer_out, detail);
    rk_client_fields_fini(&fields);
    if (list->is_bad) {
        rk_detail_set(detail, "%s sent a line that is none of a listing", rk_client_url(list->session->client));
        return RK_ERR_MISMATCH;
    }
    if (err != RK_OK || (list->is_complete && list->line.size == 0))
        return err;
    rk_detail_set(detail, "the server's listing ended without {\"complete\":true}: a part is missing");
    return RK_ERR_CLOSED;
}

/* "values=1&delimiter=%2F&prefix=a"; NULL: no memory. */
static char *make_query(const struct rk_client_words *words)
{
    const struct rk_client_bytes *delimiter = &words->options->delimiter;
    const char *values = rk_client_options_has(words->options, RK_CLIENT_OPTION_VALUES) ? "values=1&" : "";
    char *encoded = rk_client_url_encode(delimiter->size > 0 ? "delimiter=" : "", *delimiter);
    char *before = NULL, *query = NULL;

    if (encoded != NULL && asprintf(&before, "%s%s%sprefix=", values, encoded, delimiter->size > 0 ? "&" : "") >= 0) {
        query = rk_client_url_encode(before, words->key);
        free(before);
    }
    free(encoded);
    return query;
}

enum rk_client_exit rk_client_command_list(const struct rk_client_session *session, const struct rk_client_words *words)
{
    struct list list = { .session = session,
                         .with_values = rk_client_options_has(words->options, RK_CLIENT_OPTION_VALUES) };
    struct rk_client_answer answer = { .status = 0 };
    struct rk_detail detail = { "out of memory" };
    char *query = make_query(words);
    enum rk_err err = query != NULL ? ask(&list, query, &answer, &detail) : RK_ERR_NO_MEMORY;

    free(query);
    rk_client_buffer_fini(&list.line);
    return err == RK_OK ? RK_CLIENT_EXIT_DONE : rk_client_report(session, err, &answer, &detail);
}
