#include "client/client.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "client/client_answer.h"
#include "client/client_fields.h"
#include "client/client_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000l
#define SILENCE_TIMEOUT_S  60l /* nothing at all came or went for so long */

struct rk_client {
    CURL *curl;
    char *url;
    struct rk_client_target target;
    uint64_t timeout_ms; /* of a whole request; 0: as long as something comes or goes */
    char curl_problem[CURL_ERROR_SIZE];
};

enum rk_err rk_client_create(struct rk_client **client_out, const char *url, struct rk_detail *detail)
{
    struct rk_client *client = rk_mem_calloc(1, sizeof *client);
    enum rk_err err;

    RK_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    client->url = rk_mem_strdup(url);
    client->curl = curl_easy_init();
    if (client->curl == NULL) {
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

void rk_client_set_timeout(struct rk_client *client, uint64_t timeout_ms)
{
    client->timeout_ms = timeout_ms;
}

static void set_up_patience(const struct rk_client *client)
{
    CURL *curl = client->curl;

    if (client->timeout_ms != 0) {
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)client->timeout_ms);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1l);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_TIMEOUT_S);
}

/* Adds to the list; NULL, and nothing is left, without memory. */
static struct curl_slist *add_header(struct curl_slist *headers, const char *line)
{
    struct curl_slist *longer = headers != NULL ? curl_slist_append(headers, line) : NULL;

    if (longer == NULL)
        curl_slist_free_all(headers);
    return longer;
}

/* Without a type of its own, libcurl would call each value a web form, and the server would store that. */
static struct curl_slist *make_headers(const struct rk_client_fields *fields)
{
    struct curl_slist *headers = curl_slist_append(NULL, "User-Agent: rackkv/" PACKAGE_VERSION);

    if (fields == NULL || rk_client_fields_get(fields, "Content-Type") == NULL)
        headers = add_header(headers, "Content-Type:");
    for (size_t i = 0; fields != NULL && i < fields->n; i++)
        headers = add_header(headers, fields->lines[i]);
    return headers;
}

static void set_up_method(CURL *curl, const struct rk_client_request *request)
{
    if (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.size > 0 ? request->body.bytes : "");
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1l);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* libcurl refuses an option only if it was built without it; then the request fails and says why. */
static void set_up(struct rk_client *client, struct rk_client_exchange *exchange, const char *url,
                   struct curl_slist *headers)
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
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_problem);
    set_up_patience(client);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, rk_client_exchange_on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (client->target.socket_path != NULL)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->target.socket_path);
    set_up_method(curl, exchange->request);
}

/* Nothing came, or not all of it. */
static enum rk_err refuse_broken(const struct rk_client *client, const struct rk_client_exchange *exchange,
                                 CURLcode code, int status, struct rk_detail *detail)
{
    const char *problem = client->curl_problem[0] != '\0' ? client->curl_problem : curl_easy_strerror(code);
    const char *doubt = rk_client_exchange_doubt(exchange);
    long os_errno = 0;

    (void)curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
        problem = strerror((int)os_errno);
    if (code == CURLE_OPERATION_TIMEDOUT && client->timeout_ms != 0) {
        rk_detail_set(detail, "%s did not answer within %.3g s (--timeout)%s", client->url,
                      (double)client->timeout_ms / 1000, doubt);
        return RK_ERR_TIMEOUT;
    }
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        rk_detail_set(detail, "%s can't be reached: %s; is the server running? start it with: rackkv open", client->url,
                      problem);
    else if (status == 0)
        rk_detail_set(detail, "%s gave no answer: %s%s", client->url, problem, doubt);
    else
        rk_detail_set(detail, "the answer of %s ended early: %s%s", client->url, problem, doubt);
    return RK_ERR_CLOSED;
}

/* A refusal that came counts, even where the connection broke behind it: a server need not read all that it refuses. */
static enum rk_err judge(const struct rk_client *client, const struct rk_client_exchange *exchange, CURLcode code,
                         const struct rk_client_answer *answer, struct rk_detail *detail)
{
    enum rk_err err;

    if (exchange->sink_failed) {
        rk_detail_set(detail, "the value could not be written");
        return RK_ERR_IO;
    }
    if (answer->status == 0)
        return refuse_broken(client, exchange, code, 0, detail);
    err = rk_client_answer_judge(exchange, answer, client->url, detail);
    if (code != CURLE_OK && (err == RK_OK || err == RK_ERR_MISMATCH))
        return refuse_broken(client, exchange, code, answer->status, detail);
    return err;
}

static enum rk_err perform(struct rk_client *client, const struct rk_client_request *request, const char *url,
                           struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    struct rk_client_exchange exchange = { .request = request, .curl = client->curl };
    struct curl_slist *headers = make_headers(request->fields);
    CURLcode code;
    enum rk_err err;

    if (headers == NULL) {
        rk_detail_set(detail, "out of memory");
        return RK_ERR_NO_MEMORY;
    }
    set_up(client, &exchange, url, headers);
    code = curl_easy_perform(client->curl);
    rk_client_answer_read(&exchange, answer_out);
    err = judge(client, &exchange, code, answer_out, detail);
    if (err == RK_OK)
        rk_client_answer_tell_fields(&exchange);
    curl_slist_free_all(headers);
    return err;
}

enum rk_err rk_client_ask(struct rk_client *client, const struct rk_client_request *request,
                          struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    char *url = rk_client_key_url(client->target.base, request->key, request->query);
    enum rk_err err = RK_ERR_NO_MEMORY;

    *answer_out = (struct rk_client_answer){ .status = 0 };
    if (url != NULL)
        err = perform(client, request, url, answer_out, detail);
    else
        rk_detail_set(detail, "out of memory");
    free(url);
    return err;
}

/* Any key will do: only a RackKV server says its sequence, whether the key is there or not. */
enum rk_err rk_client_open(struct rk_client *client, struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    const struct rk_client_request request = { .method = "HEAD", .key = { "rackkv", 6 } };
    enum rk_err err = rk_client_ask(client, &request, answer_out, detail);

    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}
