#include "client/client_url.h"

#include "base/base_detail.h"
#include "base/base_mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static enum rk_err refuse(const char *url, const char *problem, struct rk_detail *detail)
{
    rk_detail_set(detail, "the URL '%s' %s; needed is http://host:port or unix:/path", url, problem);
    return RK_ERR_INVALID;
}

static enum rk_err parse_unix(struct rk_client_target *target, const char *url, struct rk_detail *detail)
{
    const char *path = url + strlen("unix:");

    if (path[0] == '\0')
        return refuse(url, "has no path", detail);
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return refuse(url, "has a path longer than 107 bytes", detail);
    target->socket_path = rk_mem_strdup(path);
    target->base = rk_mem_strdup("http://localhost");
    return RK_OK;
}

static bool part_is(CURLU *parts, CURLUPart part, const char *expected)
{
    char *text = NULL;
    bool same = curl_url_get(parts, part, &text, 0) == CURLUE_OK ? expected != NULL && strcmp(text, expected) == 0
                                                                 : expected == NULL;

    curl_free(text);
    return same;
}

/* Only a host and a port: what else a URL can have would be lost, and nobody would notice. */
static const char *check_http(const char *url)
{
    CURLU *parts = curl_url();
    const char *problem = NULL;
    size_t len = strlen(url);
    CURLUcode code;

    if (parts == NULL)
        return "could not be read for lack of memory";
    code = curl_url_set(parts, CURLUPART_URL, url, 0);
    if (strncasecmp(url, "http://", 7) != 0)
        problem = "has another scheme";
    else if (code == CURLUE_BAD_PORT_NUMBER)
        problem = "has a port that is no number up to 65535";
    else if (code != CURLUE_OK)
        problem = "is not a URL";
    else if (url[len - 1] == ':' || strcmp(url + len - 2, ":/") == 0)
        problem = "has no port after the colon";
    else if (!part_is(parts, CURLUPART_USER, NULL) || !part_is(parts, CURLUPART_PASSWORD, NULL))
        problem = "has a user";
    else if (!part_is(parts, CURLUPART_PATH, "/") || !part_is(parts, CURLUPART_QUERY, NULL)
             || !part_is(parts, CURLUPART_FRAGMENT, NULL))
        problem = "goes on after the port";
    curl_url_cleanup(parts);
    return problem;
}

enum rk_err rk_client_target_parse(struct rk_client_target *target_out, const char *url, struct rk_detail *detail)
{
    const char *problem;
    size_t len = strlen(url);

    *target_out = (struct rk_client_target){ .base = NULL };
    if (strncmp(url, "unix:", 5) == 0)
        return parse_unix(target_out, url, detail);
    problem = check_http(url);
    if (problem != NULL)
        return refuse(url, problem, detail);
    target_out->base = rk_mem_strdup(url);
    if (url[len - 1] == '/')
        target_out->base[len - 1] = '\0';
    return RK_OK;
}

void rk_client_target_fini(struct rk_client_target *target)
{
    free(target->base);
    free(target->socket_path);
    *target = (struct rk_client_target){ .base = NULL };
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'
           || c == '_' || c == '~';
}

/* Writes the bytes, encoded; returns past them, where there is no zero byte yet. */
static char *encode(char *out, struct rk_client_bytes text)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *bytes = text.bytes;

    for (size_t i = 0; i < text.size; i++) {
        if (is_unreserved(bytes[i])) {
            *out++ = (char)bytes[i];
            continue;
        }
        *out++ = '%';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

char *rk_client_key_url(const char *base, struct rk_client_bytes key, const char *query)
{
    static const char path[] = "/v1/kv";
    size_t base_len = strlen(base), query_len = query != NULL ? strlen(query) : 0;
    char *url = malloc(base_len + sizeof path + 1 + 3 * key.size + 1 + query_len);
    char *end;

    if (url == NULL)
        return NULL;
    (void)sprintf(url, "%s%s%s", base, path, key.size > 0 ? "/" : "");
    end = encode(url + strlen(url), key);
    (void)sprintf(end, "%s%s", query != NULL ? "?" : "", query != NULL ? query : "");
    return url;
}

char *rk_client_url_encode(const char *before, struct rk_client_bytes text)
{
    size_t len = strlen(before);
    char *encoded = malloc(len + 3 * text.size + 1);

    if (encoded == NULL)
        return NULL;
    memcpy(encoded, before, len);
    *encode(encoded + len, text) = '\0';
    return encoded;
}
