/* Any bytes as a target and as metadata. Entry as libFuzzer's (make fuzz FUZZ_TARGETS=http).
 * As part of make check it runs over mutations of good and bad requests (check_http_fuzz.c). */
#include "fuzz_http.h"

#include "base/base_assert.h"
#include "http/http_metadata.h"
#include "http/http_target.h"

#include <stdlib.h>
#include <string.h>

/* Room of exactly the size that is promised to be enough, so that a byte more is seen. */
static void check_span(struct rk_http_span span, bool plus_is_space, const char *bytes, size_t size)
{
    struct rk_http_span decoded = span;
    char *room;

    if (span.at == NULL)
        return;
    RK_ASSERT(span.at >= bytes && span.at + span.len <= bytes + size);
    room = malloc(span.len > 0 ? span.len : 1);
    if (rk_http_target_decode(&decoded, plus_is_space, room)) {
        RK_ASSERT(decoded.at == room && decoded.len <= span.len);
        if (rk_http_target_is_plain(span, plus_is_space))
            RK_ASSERT(decoded.len == span.len && memcmp(span.at, room, span.len) == 0);
    } else
        RK_ASSERT(decoded.at == span.at && memchr(span.at, '%', span.len) != NULL);
    free(room);
}

#define PATH(text) .path = (text), .path_len = sizeof(text) - 1

/* As those of the server, without anybody who answers. */
static const struct rk_http_route routes[] = {
    { PATH("/v1/kv/"), .parameters = RK_HTTP_PARAMETER_KEY | RK_HTTP_OPTIONS },
    { PATH("/livez") },
    { PATH("/get"), .is_legacy = true, .takes_bare_key = true, .parameters = RK_HTTP_PARAMETER_KEY },
    { PATH("/put"), .is_legacy = true, .parameters = RK_HTTP_PARAMETER_KEY | RK_HTTP_PARAMETER_VALUE },
    { PATH("/delete"), .is_legacy = true, .parameters = RK_HTTP_PARAMETER_KEY },
    { PATH("/open"), .is_legacy = true, .parameters = RK_HTTP_PARAMETER_RW | RK_HTTP_PARAMETER_SYN },
    { .path = NULL },
};

static void check_target(const char *bytes, size_t size, bool legacy)
{
    struct rk_http_target target;
    bool plus_is_space;

    if (rk_http_target_parse(bytes, size, routes, legacy, &target) != RK_HTTP_NO_PROBLEM)
        return;
    plus_is_space = target.path != NULL && target.path->is_legacy;
    check_span(target.key, plus_is_space, bytes, size);
    check_span(target.value, plus_is_space, bytes, size);
    RK_ASSERT(legacy || !plus_is_space);
    if (target.path == NULL)
        RK_ASSERT(size < 7 || memcmp(bytes, "/v1/kv/", 7) != 0);
}

/* What is read can be written, and is then read the same. */
static void check_metadata(const uint8_t *bytes, size_t size)
{
    struct rk_http_metadata metadata, again;
    uint8_t *room;
    size_t len;

    if (rk_http_metadata_decode(bytes, size, &metadata) != RK_OK)
        return;
    room = malloc(RK_HTTP_METADATA_MAX);
    RK_ASSERT(rk_http_metadata_encode(&metadata, room, &len) == RK_OK && len <= size);
    RK_ASSERT(rk_http_metadata_decode(room, len, &again) == RK_OK);
    RK_ASSERT(again.content_type_len == metadata.content_type_len
              && again.content_encoding_len == metadata.content_encoding_len);
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *own = malloc(size > 0 ? size : 1);

    if (size > 0)
        memcpy(own, bytes, size);
    check_target(own, size, true);
    check_target(own, size, false);
    check_metadata((const uint8_t *)own, size);
    free(own);
    return 0;
}
