#include "client/client.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "client/client_url.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000l
#define SILENCE_TIMEOUT_S  60l          /* nothing at all came or went for so long */
#define PROBLEM_BYTES_MAX  (16u * 1024) /* of an error's body; the rest is not needed to say what was wrong */

struct rk_client {
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    struct rk_client_target target;
    char curl_problem[CURL_ERROR_SIZE];
};

/* One request, and what came of it. */
struct exchange {
    const char *method;
    struct rk_client_bytes body; /* of PUT */
    rk_client_sink_fn *sink;     /* of GET */
    void *sink_context;
    bool sink_failed;
    CURL *curl;
    char problem[PROBLEM_BYTES_MAX + 1];
    size_t problem_size;
};

enum rk_err rk_client_create(struct rk_client **client_out, const char *url, struct rk_detail *detail)
{
    struct rk_client *client = rk_mem_calloc(1, sizeof *client);
    enum rk_err err;

    RK_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    client->url = rk_mem_strdup(url);
    client->curl = curl_easy_init();
    /* Without a type of its own, libcurl would call each value a web form, and the server would store that. */
    client->headers = curl_slist_append(NULL, "Content-Type:");
    if (client->curl == NULL || client->headers == NULL) {
        rk_detail_set(detail, "out of memory");
        err = RK_ERR_NO_MEMORY;
    } else
        err = rk_client_target_parse(&client->target, url, detail);
    if (err != RK_OK)
        rk_client_destroy(&client);
    *client_out = client;
    return err;
}

void rk_client_destroy(struct rk_client **client)
{
    if (*client == NULL)
        return;
    curl_easy_cleanup((*client)->curl);
    curl_slist_free_all((*client)->headers);
    rk_client_target_fini(&(*client)->target);
    free((*client)->url);
    free(*client);
    curl_global_cleanup();
    *client = NULL;
}

const char *rk_client_url(const struct rk_client *client)
{
    return client->url;
}

static size_t keep_problem(struct exchange *exchange, const char *bytes, size_t size)
{
    size_t room = PROBLEM_BYTES_MAX - exchange->problem_size;
    size_t kept = size < room ? size : room;

    memcpy(exchange->problem + exchange->problem_size, bytes, kept);
    exchange->problem_size += kept;
    return size;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct exchange *exchange = context;
    long status = 0;

    (void)curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status); /* 0 is no 200 */
    if (status != 200 || exchange->sink == NULL)
        return keep_problem(exchange, bytes, size * n);
    if (exchange->sink(exchange->sink_context, bytes, size * n))
        return size * n;
    exchange->sink_failed = true;
    return 0;
}

/* libcurl refuses an option only if it was built without it; then the request fails and says why. */
static void set_up(struct rk_client *client, struct exchange *exchange, const char *url)
{
    CURL *curl = client->curl;

    curl_easy_reset(curl); /* keeps the connection */
    client->curl_problem[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1l); /* the keys "." and ".." are keys */
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* a store's client talks to its store */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rackkv/" PACKAGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_problem);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1l);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (client->target.socket_path != NULL)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->target.socket_path);
    if (strcmp(exchange->method, "PUT") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, exchange->body.size > 0 ? exchange->body.bytes : "");
    }
    if (strcmp(exchange->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1l);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static const char *header_of(CURL *curl, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : "";
}

static void read_answer(CURL *curl, struct rk_client_answer *answer)
{
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    answer->sequence = strtoull(header_of(curl, "RackKV-Seq"), NULL, 10);
    (void)snprintf(answer->etag, sizeof answer->etag, "%s", header_of(curl, "ETag"));
    (void)snprintf(answer->content_type, sizeof answer->content_type, "%s", header_of(curl, "Content-Type"));
}

static enum rk_err refuse_unanswered(struct rk_client *client, const struct exchange *exchange, CURLcode code,
                                     struct rk_detail *detail)
{
    bool write = strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "DELETE") == 0;
    const char *problem = client->curl_problem[0] != '\0' ? client->curl_problem : curl_easy_strerror(code);
    long os_errno = 0;

    (void)curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
        problem = strerror((int)os_errno);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        rk_detail_set(detail, "%s can't be reached: %s; is the server running? start it with: rackkv open", client->url,
                      problem);
    else
        rk_detail_set(detail, "%s gave no answer: %s%s", client->url, problem,
                      write ? "; the write may have happened" : "");
    return RK_ERR_CLOSED;
}

/* The words of the server: the detail of application/problem+json, else the first line of a body that is text. */
static enum rk_err refuse_status(const struct exchange *exchange, const struct rk_client_answer *answer,
                                 struct rk_detail *detail)
{
    json_t *problem = json_loadb(exchange->problem, exchange->problem_size, 0, NULL);
    const char *words = json_string_value(json_object_get(problem, "detail"));
    const char *code = json_string_value(json_object_get(problem, "code"));
    size_t line_len = strcspn(exchange->problem, "\r\n");

    if (words != NULL || code != NULL)
        rk_detail_set(detail, "the server answered %d%s%s%s%s", answer->status, code != NULL ? " " : "",
                      code != NULL ? code : "", words != NULL ? ": " : "", words != NULL ? words : "");
    else if (line_len > 0 && strncmp(answer->content_type, "text/plain", 10) == 0)
        rk_detail_set(detail, "the server answered %d: %.*s", answer->status, (int)line_len, exchange->problem);
    else
        rk_detail_set(detail, "the server answered %d", answer->status);
    json_decref(problem);
    return RK_ERR_INVALID;
}

static enum rk_err judge(struct rk_client *client, const struct exchange *exchange, CURLcode code,
                         const struct rk_client_answer *answer, struct rk_detail *detail)
{
    if (exchange->sink_failed) {
        rk_detail_set(detail, "the value could not be written");
        return RK_ERR_IO;
    }
    if (answer->status == 0)
        return refuse_unanswered(client, exchange, code, detail);
    if (answer->status == 404) {
        rk_detail_set(detail, "not found");
        return RK_ERR_NOT_FOUND;
    }
    if (answer->status < 200 || answer->status > 299)
        return refuse_status(exchange, answer, detail);
    if (code != CURLE_OK) {
        rk_detail_set(detail, "the answer of %s ended early: %s", client->url,
                      client->curl_problem[0] != '\0' ? client->curl_problem : curl_easy_strerror(code));
        return RK_ERR_IO;
    }
    return RK_OK;
}

static enum rk_err perform(struct rk_client *client, struct exchange *exchange, char *url,
                           struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    CURLcode code;
    enum rk_err err;

    *answer_out = (struct rk_client_answer){ .status = 0 };
    if (url == NULL) {
        rk_detail_set(detail, "out of memory");
        return RK_ERR_NO_MEMORY;
    }
    exchange->curl = client->curl;
    set_up(client, exchange, url);
    code = curl_easy_perform(client->curl);
    read_answer(client->curl, answer_out);
    exchange->problem[exchange->problem_size] = '\0';
    err = judge(client, exchange, code, answer_out, detail);
    free(url);
    return err;
}

enum rk_err rk_client_put(struct rk_client *client, struct rk_client_bytes key, struct rk_client_bytes value,
                          struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    struct exchange exchange = { .method = "PUT", .body = value };

    return perform(client, &exchange, rk_client_key_url(client->target.base, key), answer_out, detail);
}

enum rk_err rk_client_get(struct rk_client *client, struct rk_client_bytes key, rk_client_sink_fn *sink, void *context,
                          struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    struct exchange exchange = { .method = "GET", .sink = sink, .sink_context = context };

    return perform(client, &exchange, rk_client_key_url(client->target.base, key), answer_out, detail);
}

enum rk_err rk_client_delete(struct rk_client *client, struct rk_client_bytes key, struct rk_client_answer *answer_out,
                             struct rk_detail *detail)
{
    struct exchange exchange = { .method = "DELETE" };

    return perform(client, &exchange, rk_client_key_url(client->target.base, key), answer_out, detail);
}

enum rk_err rk_client_exists(struct rk_client *client, struct rk_client_bytes key, struct rk_client_answer *answer_out,
                             struct rk_detail *detail)
{
    struct exchange exchange = { .method = "HEAD" };

    return perform(client, &exchange, rk_client_key_url(client->target.base, key), answer_out, detail);
}

enum rk_err rk_client_open(struct rk_client *client, struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    struct exchange exchange = { .method = "GET" };
    char *url = NULL;

    if (asprintf(&url, "%s/open", client->target.base) < 0)
        url = NULL;
    return perform(client, &exchange, url, answer_out, detail);
}
