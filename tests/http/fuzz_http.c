/* Any bytes as a target, as metadata, and as values of the fields that say more about a request. Entry as libFuzzer's
 * (make fuzz FUZZ_TARGETS=http). As part of make check it runs over mutations of good and bad requests
 * (check_http_fuzz.c). */
#include "fuzz_http.h"

#include "base/base_assert.h"
#include "http/http_condition.h"
#include "http/http_list_ask.h"
#include "http/http_metadata.h"
#include "http/http_number.h"
#include "http/http_option.h"
#include "http/http_range.h"
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
    { PATH("/v1/kv/"), .is_listing = true, .parameters = RK_HTTP_LIST_OPTIONS },
    { PATH("/v1/kv/"), .parameters = RK_HTTP_PARAMETER_KEY | RK_HTTP_OPTIONS },
    { PATH("/livez") },
    { PATH("/get"), .is_legacy = true, .takes_bare_key = true, .parameters = RK_HTTP_PARAMETER_KEY },
    { PATH("/put"), .is_legacy = true, .parameters = RK_HTTP_PARAMETER_KEY | RK_HTTP_PARAMETER_VALUE },
    { PATH("/delete"), .is_legacy = true, .parameters = RK_HTTP_PARAMETER_KEY },
    { PATH("/open"), .is_legacy = true, .parameters = RK_HTTP_PARAMETER_RW | RK_HTTP_PARAMETER_SYN },
    { .path = NULL },
};

static void check_in_room(struct rk_list_span span, const char *room, size_t size)
{
    const char *at = (const char *)span.at;

    RK_ASSERT(span.len == 0 || (at >= room && at + span.len <= room + size));
}

/* A listing's parameters, read into room of the size that is promised to be enough. */
static void check_list(const struct rk_http_target *target, size_t size)
{
    struct rk_http_list_ask ask = { .limit = 0 };
    enum rk_http_parameter wrong;
    char *room = malloc(size > 0 ? size : 1);

    if (rk_http_list_ask_read(target, 100, room, &ask, &wrong) == RK_HTTP_NO_PROBLEM) {
        check_in_room(ask.keys.prefix, room, size);
        check_in_room(ask.keys.after, room, size);
        check_in_room(ask.keys.delimiter, room, size);
        RK_ASSERT(ask.keys.prefix.len <= 100 && ask.keys.after.len <= 100);
        RK_ASSERT(ask.limit >= 1 && ask.limit <= RK_HTTP_LIST_LIMIT_MAX);
    } else
        RK_ASSERT(rk_http_parameter_name(wrong) != NULL);
    free(room);
}

static void check_target(const char *bytes, size_t size, bool legacy)
{
    struct rk_http_target target;
    bool plus_is_space;

    if (rk_http_target_parse(bytes, size, routes, legacy, &target) != RK_HTTP_NO_PROBLEM)
        return;
    plus_is_space = target.path != NULL && target.path->is_legacy;
    check_span(target.key, plus_is_space, bytes, size);
    check_span(target.value, plus_is_space, bytes, size);
    check_list(&target, size);
    RK_ASSERT(legacy || !plus_is_space);
    if (target.path == NULL)
        RK_ASSERT(size < 7 || memcmp(bytes, "/v1/kv/", 7) != 0);
}

/* The own fields as lines: "name: value". */
static const struct rk_http_line *lines_of_own(struct rk_http_span own, struct rk_http_line *lines, char *room)
{
    struct rk_http_span name, value;
    size_t n_lines = 0;

    while (rk_http_metadata_next_own(&own, &name, &value)) {
        char *at = room;

        if (n_lines == RK_HTTP_METADATA_OWN_FIELDS_MAX)
            return NULL;
        at = mempcpy(mempcpy(mempcpy(at, name.at, name.len), ":", 1), value.at, value.len);
        lines[n_lines].value = (struct rk_http_span){ room, (size_t)(at - room) };
        lines[n_lines].next = NULL;
        if (n_lines > 0)
            lines[n_lines - 1].next = &lines[n_lines];
        n_lines++;
        room = at;
    }
    return n_lines > 0 ? lines : NULL;
}

/* What is read can be written, unless it is longer than that, and is then read the same. */
static void check_metadata(const uint8_t *bytes, size_t size)
{
    struct rk_http_line stored[RK_HTTP_N_STORED], own[RK_HTTP_METADATA_OWN_FIELDS_MAX];
    struct rk_http_metadata_lines lines = { .own = NULL };
    struct rk_http_metadata metadata, again;
    struct rk_http_span wrong;
    uint8_t *room = malloc(RK_HTTP_METADATA_MAX);
    char *own_room = malloc(2 * RK_HTTP_METADATA_OWN_BYTES);
    size_t len;

    if (rk_http_metadata_decode(bytes, size, &metadata) == RK_OK) {
        for (int i = 0; i < RK_HTTP_N_STORED; i++) {
            stored[i] = (struct rk_http_line){ metadata.stored[i], NULL };
            lines.stored[i] = metadata.stored[i].at != NULL ? &stored[i] : NULL;
        }
        lines.own = lines_of_own(metadata.own, own, own_room);
        if (rk_http_metadata_encode(&lines, room, &len, &wrong) == RK_OK) {
            RK_ASSERT(len <= RK_HTTP_METADATA_MAX && rk_http_metadata_decode(room, len, &again) == RK_OK);
            for (int i = 0; i < RK_HTTP_N_STORED; i++)
                RK_ASSERT(again.stored[i].len == metadata.stored[i].len);
        }
    }
    free(own_room);
    free(room);
}

static void check_conditions(const struct rk_http_line *line)
{
    struct rk_http_conditions conditions = { line, line, line, line };
    struct rk_http_conditions tags = { .if_match = line, .if_none_match = line };
    struct rk_http_key_state state = { true, 1234, 784111777000 };

    (void)rk_http_condition_malformed(&conditions, RK_HTTP_MAKES_KEY);
    (void)rk_http_condition_evaluate(&conditions, RK_HTTP_READS, &state);
    if (rk_http_condition_malformed(&tags, RK_HTTP_READS) == NULL
        && rk_http_condition_evaluate(&tags, RK_HTTP_MAKES_KEY, &state) == RK_HTTP_PROCEED)
        RK_ASSERT(false); /* what matches strongly matches weakly too */
    if (rk_http_condition_if_range_holds(line, 1234))
        RK_ASSERT(rk_http_condition_is_if_range(line) && line->value.len == 6);
}

/* Both ranges lie in the value, whatever was asked for. */
static void check_range(const struct rk_http_line *line)
{
    for (uint64_t size = 0; size < 3; size++) {
        uint64_t first, len;

        if (rk_http_range_find(line, size, &first, &len) == RK_HTTP_RANGE_PART)
            RK_ASSERT(len > 0 && len <= size && first <= size - len);
    }
}

static void check_options(struct rk_http_span text)
{
    char room[RK_HTTP_NUMBER_BYTES];
    int64_t number, again;
    uint64_t ms;

    if (rk_http_option_ttl(text, &ms))
        RK_ASSERT(ms > 0 && ms <= RK_HTTP_TTL_MAX_MS);
    if (rk_http_option_expires(text, &ms))
        RK_ASSERT(ms > 0 && ms % 1000 == 0);
    if (!rk_http_number_parse(text, &number))
        return;
    RK_ASSERT(rk_http_number_parse((struct rk_http_span){ room, rk_http_number_format(number, room) }, &again)
              && again == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *own = malloc(size > 0 ? size : 1);
    struct rk_http_line lines[2] = { { { own, size / 2 }, &lines[1] }, { { own + size / 2, size - size / 2 }, NULL } };

    if (size > 0)
        memcpy(own, bytes, size);
    if (size % 2 == 0)
        lines[0] = (struct rk_http_line){ { own, size }, NULL };
    check_target(own, size, true);
    check_target(own, size, false);
    check_metadata((const uint8_t *)own, size);
    check_conditions(&lines[0]);
    check_range(&lines[0]);
    check_options(lines[1].value);
    free(own);
    return 0;
}
