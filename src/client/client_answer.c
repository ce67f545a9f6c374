#include "client/client_answer.h"

#include "base/base_detail.h"
#include "client/client_fields.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROBLEM_TYPE "application/problem+json"
#define LINES_TYPE   "application/x-ndjson"

static bool method_is(const struct rk_client_exchange *exchange, const char *method)
{
    return strcmp(exchange->request->method, method) == 0;
}

bool rk_client_exchange_writes(const struct rk_client_exchange *exchange)
{
    return !method_is(exchange, "GET") && !method_is(exchange, "HEAD");
}

static bool is_of_a_key(const struct rk_client_exchange *exchange)
{
    return exchange->request->key.size > 0;
}

static bool wants_part(const struct rk_client_exchange *exchange)
{
    return exchange->request->fields != NULL && rk_client_fields_get(exchange->request->fields, "Range") != NULL;
}

static const char *header_of(CURL *curl, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : "";
}

/* How often a header came. */
static size_t count_header(CURL *curl, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->amount : 0;
}

static bool has_sequence(CURL *curl)
{
    const char *text = header_of(curl, "RackKV-Seq");

    return count_header(curl, "RackKV-Seq") == 1 && text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static bool has_length(CURL *curl)
{
    return count_header(curl, "Content-Length") + count_header(curl, "Transfer-Encoding") == 1;
}

static bool type_is(const char *type, const char *expected)
{
    size_t len = strlen(expected);

    return strncasecmp(type, expected, len) == 0 && strchr("; ", type[len]) != NULL; /* the end as well */
}

/* By which RackKV's answers are known. */
static bool is_marked(const struct rk_client_exchange *exchange)
{
    return is_of_a_key(exchange) ? has_sequence(exchange->curl)
                                 : type_is(header_of(exchange->curl, "Content-Type"), LINES_TYPE);
}

static bool is_done(const struct rk_client_exchange *exchange, long status)
{
    if (!rk_client_exchange_writes(exchange))
        return status == (wants_part(exchange) ? 206 : 200);
    return status == 200 || status == 204 || (status == 201 && !method_is(exchange, "DELETE"));
}

static bool is_value(const struct rk_client_exchange *exchange)
{
    long status = 0;

    (void)curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status); /* 0 is never done */
    return exchange->request->sink != NULL && is_done(exchange, status) && is_marked(exchange)
           && has_length(exchange->curl);
}

static size_t keep_problem(struct rk_client_exchange *exchange, const char *bytes, size_t size)
{
    size_t room = RK_CLIENT_PROBLEM_BYTES_MAX - exchange->problem_size;
    size_t kept = size < room ? size : room;

    memcpy(exchange->problem + exchange->problem_size, bytes, kept);
    exchange->problem_size += kept;
    exchange->problem[exchange->problem_size] = '\0';
    return size;
}

size_t rk_client_exchange_on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct rk_client_exchange *exchange = context;

    if (!is_value(exchange))
        return keep_problem(exchange, bytes, size * n);
    if (exchange->request->sink(exchange->request->context, bytes, size * n))
        return size * n;
    exchange->sink_failed = true;
    return 0;
}

void rk_client_answer_read(const struct rk_client_exchange *exchange, struct rk_client_answer *answer_out)
{
    CURL *curl = exchange->curl;
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *answer_out = (struct rk_client_answer){ .status = (int)status };
    answer_out->sequence = strtoull(header_of(curl, "RackKV-Seq"), NULL, 10);
    (void)snprintf(answer_out->etag, sizeof answer_out->etag, "%s", header_of(curl, "ETag"));
    (void)snprintf(answer_out->content_type, sizeof answer_out->content_type, "%s", header_of(curl, "Content-Type"));
}

void rk_client_answer_tell_fields(const struct rk_client_exchange *exchange)
{
    const struct rk_client_request *request = exchange->request;
    struct curl_header *field = NULL;

    while (request->on_field != NULL && (field = curl_easy_nextheader(exchange->curl, CURLH_HEADER, -1, field)) != NULL)
        request->on_field(request->context, field->name, field->value);
}

const char *rk_client_exchange_doubt(const struct rk_client_exchange *exchange)
{
    return rk_client_exchange_writes(exchange) ? "; the write may have happened" : "";
}

static enum rk_err refuse_stranger(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                                   const char *url, struct rk_detail *detail)
{
    const char *location = header_of(exchange->curl, "Location");

    rk_detail_set(detail,
                  "%s is no RackKV server, or something stands before it: it answered %d%s%.80s%s%.200s%s; say where "
                  "one is with --url or RACKKV_URL",
                  url, answer->status, answer->content_type[0] != '\0' ? ", " : "", answer->content_type,
                  location[0] != '\0' ? ", with a redirect to " : "", location, rk_client_exchange_doubt(exchange));
    return RK_ERR_MISMATCH;
}

/* What follows from a refusal: of a condition, what it is that is there; of a write, whether it may have happened. */
static void add_consequence(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                            struct rk_detail *detail)
{
    struct rk_detail before = *detail;

    if (answer->status == 412 && answer->etag[0] != '\0')
        rk_detail_set(detail, "%s; the current ETag is %s", before.text, answer->etag);
    else if (answer->status == 412)
        rk_detail_set(detail, "%s; there is no such key now", before.text);
    else if (strcasecmp(header_of(exchange->curl, "RackKV-Outcome"), "unknown") == 0)
        rk_detail_set(detail, "%s%s", before.text, rk_client_exchange_doubt(exchange));
}

/* Which header or parameter it was, or how much would have been right. */
static void add_place(const json_t *problem, struct rk_detail *detail)
{
    static const char *const members[] = { "header", "parameter" };
    const json_t *limit = json_object_get(problem, "limit");
    struct rk_detail before;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *name = json_string_value(json_object_get(problem, members[i]));

        before = *detail;
        if (name != NULL)
            rk_detail_set(detail, "%s (%s %.80s)", before.text, members[i], name);
    }
    before = *detail;
    if (json_is_integer(limit))
        rk_detail_set(detail, "%s (the limit is %lld)", before.text, (long long)json_integer_value(limit));
}

/* In the words of the server: a code is there, and perhaps a sentence. */
static void add_words(const json_t *problem, int status, struct rk_detail *detail)
{
    const char *words = json_string_value(json_object_get(problem, "detail"));

    rk_detail_set(detail, "the server answered %d %s%s%.480s", status,
                  json_string_value(json_object_get(problem, "code")), words != NULL ? ": " : "",
                  words != NULL ? words : "");
    add_place(problem, detail);
}

/* Whether the refusal is RackKV's; the detail says which one. */
static bool explain_refusal(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                            struct rk_detail *detail)
{
    json_t *problem;
    bool known;

    if (!type_is(answer->content_type, PROBLEM_TYPE) || answer->status < 400)
        return false;
    if (method_is(exchange, "HEAD")) {
        rk_detail_set(detail, "the server answered %d", answer->status);
        return true;
    }
    problem = json_loadb(exchange->problem, exchange->problem_size, 0, NULL);
    known = json_is_string(json_object_get(problem, "code"));
    if (known)
        add_words(problem, answer->status, detail);
    json_decref(problem);
    return known;
}

static enum rk_err judge_refusal(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                                 const char *url, struct rk_detail *detail)
{
    if (!explain_refusal(exchange, answer, detail))
        return refuse_stranger(exchange, answer, url, detail);
    add_consequence(exchange, answer, detail);
    return answer->status == 412                            ? RK_ERR_PRECONDITION
           : answer->status == 401 || answer->status == 403 ? RK_ERR_DENIED
                                                            : RK_ERR_INVALID;
}

/* What RackKV says of a key in other words than done and refused. RK_ERR_INVALID: none of it. */
static enum rk_err judge_other(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                               const char *url, struct rk_detail *detail)
{
    if (answer->status == 404) {
        rk_detail_set(detail, "not found");
        return RK_ERR_NOT_FOUND;
    }
    if (answer->status == 304 && !rk_client_exchange_writes(exchange)) {
        rk_detail_set(detail, "not modified: the current ETag is %s", answer->etag);
        return RK_ERR_PRECONDITION;
    }
    if (answer->status == 200 && wants_part(exchange)) {
        rk_detail_set(detail, "%s sent the whole value, not the range that was asked for", url);
        return RK_ERR_MISMATCH;
    }
    return RK_ERR_INVALID;
}

enum rk_err rk_client_answer_judge(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                                   const char *url, struct rk_detail *detail)
{
    bool wants_body = exchange->request->sink != NULL && answer->status != 204;
    enum rk_err err = RK_ERR_INVALID;

    if (is_marked(exchange) && is_done(exchange, answer->status) && (!wants_body || has_length(exchange->curl)))
        return RK_OK;
    if (is_of_a_key(exchange) && is_marked(exchange))
        err = judge_other(exchange, answer, url, detail);
    if (err != RK_ERR_INVALID)
        return err;
    /* A 404 that is not about the key is no "absent": nothing of RackKV's is served at this address. */
    if (answer->status == 404 && is_of_a_key(exchange))
        return refuse_stranger(exchange, answer, url, detail);
    return judge_refusal(exchange, answer, url, detail);
}
