#include "client/client_answer.h"

#include "base/base_detail.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROBLEM_TYPE "application/problem+json"

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

static bool is_value(const struct rk_client_exchange *exchange)
{
    long status = 0;

    (void)curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status); /* 0 is no 200 */
    return exchange->sink != NULL && status == 200 && has_sequence(exchange->curl) && has_length(exchange->curl);
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
    if (exchange->sink(exchange->sink_context, bytes, size * n))
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

const char *rk_client_exchange_doubt(const struct rk_client_exchange *exchange)
{
    bool write = strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "DELETE") == 0;

    return write ? "; the write may have happened" : "";
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

/* In the words of the server: a code is there, and perhaps a sentence. */
static void add_words(const json_t *problem, int status, struct rk_detail *detail)
{
    const char *words = json_string_value(json_object_get(problem, "detail"));

    rk_detail_set(detail, "the server answered %d %s%s%s", status, json_string_value(json_object_get(problem, "code")),
                  words != NULL ? ": " : "", words != NULL ? words : "");
}

/* Whether the refusal is RackKV's; the detail says which one. */
static bool explain_refusal(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                            struct rk_detail *detail)
{
    size_t type_len = strlen(PROBLEM_TYPE);
    bool known = strncasecmp(answer->content_type, PROBLEM_TYPE, type_len) == 0
                 && (answer->content_type[type_len] == '\0' || strchr("; ", answer->content_type[type_len]) != NULL);
    json_t *problem;

    if (!known || answer->status < 400)
        return false;
    if (strcmp(exchange->method, "HEAD") == 0) {
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

static bool is_done(const struct rk_client_exchange *exchange, int status)
{
    bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;

    return status == 200 || (!reads && status == 204) || (strcmp(exchange->method, "PUT") == 0 && status == 201);
}

enum rk_err rk_client_answer_judge(const struct rk_client_exchange *exchange, const struct rk_client_answer *answer,
                                   const char *url, struct rk_detail *detail)
{
    if (is_done(exchange, answer->status) && has_sequence(exchange->curl)
        && (exchange->sink == NULL || has_length(exchange->curl)))
        return RK_OK;
    if (answer->status == 404 && has_sequence(exchange->curl)) {
        rk_detail_set(detail, "not found");
        return RK_ERR_NOT_FOUND;
    }
    /* A 404 that is not about the key is no "absent": nothing of RackKV's is served at this address. */
    if (answer->status == 404 || !explain_refusal(exchange, answer, detail))
        return refuse_stranger(exchange, answer, url, detail);
    return answer->status == 412                            ? RK_ERR_PRECONDITION
           : answer->status == 401 || answer->status == 403 ? RK_ERR_DENIED
                                                            : RK_ERR_INVALID;
}
