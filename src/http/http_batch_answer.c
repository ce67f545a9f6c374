#include "http/http_batch_private.h"

#include "http/http_answer.h"
#include "http/http_json.h"
#include "http/http_text.h"

#include <string.h>

#define FIXED_BYTES 192 /* of a line without its strings: names, numbers, signs */

static char *put_text(char *out, const char *text)
{
    return mempcpy(out, text, strlen(text));
}

static size_t line_bytes(const struct batch_item *item)
{
    size_t plain = rk_http_json_string_bytes(item->value.at, item->value.len);
    size_t encoded = (item->value.len + 2) / 3 * 4 + 2;

    return (item->problem != RK_HTTP_NO_PROBLEM ? RK_HTTP_PROBLEM_BYTES : 0) + FIXED_BYTES
           + rk_http_json_string_bytes(item->content_type.at, item->content_type.len)
           + (plain > encoded ? plain : encoded);
}

static char *put_number(char *out, const char *name, uint64_t number)
{
    out = put_text(out, name);
    return out + rk_http_text_decimal(number, out);
}

static char *put_etag(char *out, uint64_t sequence)
{
    out = put_number(out, "\"etag\":\"\\\"", sequence);
    return put_text(out, "\\\"\"");
}

/* The body that a single request would have had, as a line. */
static char *put_problem(char *out, const struct batch_item *item)
{
    char members[96], *at = members;
    int status = rk_http_problem_text(item->problem)->status;

    if (item->etag != 0)
        at = put_etag(at, item->etag);
    else if (status >= 500)
        at = put_text(at, item->unknown && status != 507 ? "\"outcome\":\"unknown\"" : "\"outcome\":\"none\"");
    *at = '\0';
    return out + rk_http_problem_format(item->problem, 0, members, out);
}

static char *put_value(char *out, struct rk_http_span value)
{
    if (rk_http_json_is_utf8(value.at, value.len))
        return rk_http_json_put_string(put_text(out, ",\"value\":"), value.at, value.len);
    return rk_http_json_put_64(put_text(out, ",\"value64\":"), value.at, value.len);
}

static char *put_line(char *out, const struct batch_item *item)
{
    if (item->problem != RK_HTTP_NO_PROBLEM)
        return put_problem(out, item);
    out = put_number(out, "{\"status\":", (uint64_t)item->status);
    out = put_number(out, ",\"seq\":", item->sequence);
    if (item->etag != 0)
        out = put_etag(put_text(out, ","), item->etag);
    if (item->content_type.at != NULL)
        out =
            rk_http_json_put_string(put_text(out, ",\"content_type\":"), item->content_type.at, item->content_type.len);
    if (item->value.at != NULL)
        out = put_value(out, item->value);
    return put_text(out, "}\n");
}

void rk_http_batch_answer(struct rk_http_batch *batch)
{
    h2o_req_t *req = batch->request->req;
    size_t room = 1;
    char *body, *at;

    for (size_t i = 0; i < batch->n_items; i++)
        room += line_bytes(&batch->items[i]);
    at = body = h2o_mem_alloc_pool(&req->pool, room);
    for (size_t i = 0; i < batch->n_items; i++)
        at = put_line(at, &batch->items[i]);
    rk_http_answer_token(req, H2O_TOKEN_CONTENT_TYPE, "Content-Type", H2O_STRLIT("application/x-ndjson"));
    rk_http_answer_body(batch->request, 200, body, (size_t)(at - body));
}
