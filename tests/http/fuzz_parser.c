/* Any bytes as what comes on a connection: requests one behind the other. The parser and the slow one beside it read
 * them, and have to agree on every head, every body and where the next request begins; and it must not matter in which
 * pieces the bytes come. Entry as libFuzzer's (make fuzz FUZZ_TARGETS=parser). */
#include "fuzz_parser.h"

#include "base/base_assert.h"
#include "slow_parser.h"

#include <stdlib.h>
#include <string.h>

#define N_REQUESTS_MAX 8

static const struct rk_http_bounds bounds = { .max_head_bytes = 700, .max_fields = 10 };

static bool span_is(struct rk_http_span span, const char *text)
{
    if (span.at == NULL || text == NULL)
        return span.at == text;
    return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static bool has(const struct rk_http_head *head, unsigned bit)
{
    return (head->seen & bit) != 0;
}

static void compare_fields(const struct rk_http_head *head, const struct slow_head *slow)
{
    RK_ASSERT(head->n_fields == slow->n_fields);
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct rk_http_field *field = &head->fields[i];

        RK_ASSERT(span_is((struct rk_http_span){ field->name, field->name_len }, slow->fields[i].name));
        RK_ASSERT(span_is((struct rk_http_span){ field->value, field->value_len }, slow->fields[i].value));
    }
}

static void compare_heads(enum rk_http_problem problem, const struct rk_http_head *head, const struct slow_head *slow)
{
    RK_ASSERT(problem == slow->problem);
    if (problem != RK_HTTP_NO_PROBLEM)
        return;
    RK_ASSERT(head->len == slow->len);
    RK_ASSERT(span_is(head->method, slow->method) && span_is(head->target, slow->target));
    RK_ASSERT(span_is(head->authority, slow->authority));
    RK_ASSERT(head->is_1_0 == slow->is_1_0 && head->framing == slow->framing);
    RK_ASSERT(head->content_length == slow->content_length);
    RK_ASSERT(has(head, RK_HTTP_SEEN_CLOSE) == slow->has_close);
    RK_ASSERT(has(head, RK_HTTP_SEEN_KEEP_ALIVE) == slow->has_keep_alive);
    RK_ASSERT(has(head, RK_HTTP_SEEN_EXPECT) == slow->expects);
    RK_ASSERT(has(head, RK_HTTP_SEEN_TYPE) == slow->has_type);
    RK_ASSERT(has(head, RK_HTTP_SEEN_ASKING) == slow->asks);
    compare_fields(head, slow);
}

/* Sizes of pieces, from the bytes themselves. */
static size_t next_piece(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 24) % 3 == 0 ? 1 : 1 + (*state >> 16) % 60;
}

/* The head as it drips in: the first thing that is said has to be what was said of the whole. */
static void check_pieces(const char *bytes, size_t size, enum rk_http_problem whole, size_t whole_len)
{
    struct rk_http_field fields[10];
    struct rk_http_head head = { .fields = fields };
    enum rk_http_problem problem = RK_HTTP_UNFINISHED;
    uint32_t state = (uint32_t)size * 2654435761u + (size > 0 ? (unsigned char)bytes[size / 2] : 0u);
    size_t last = 0, now = 0;

    while (now < size && problem == RK_HTTP_UNFINISHED) {
        now += next_piece(&state);
        now = now < size ? now : size;
        head.fields = fields;
        if (rk_http_parse_is_due(bytes, now, last, bounds.max_head_bytes))
            problem = rk_http_parse_head(bytes, now, &bounds, &head);
        last = now;
    }
    /* Within a line that has not ended yet, what is wrong may be found only at its end. */
    RK_ASSERT(problem == whole || (problem == RK_HTTP_UNFINISHED && memchr(bytes, '\n', size) != bytes));
    if (problem == RK_HTTP_NO_PROBLEM)
        RK_ASSERT(head.len == whole_len);
    if (problem == RK_HTTP_UNFINISHED && whole != RK_HTTP_UNFINISHED)
        RK_ASSERT(size > 0 && bytes[size - 1] != '\n');
}

/* Decodes in pieces; the data is put together as libh2o does it. */
static ssize_t decode_in_pieces(char *bytes, size_t size, size_t *len_out)
{
    struct rk_http_chunked chunked = { .left = 0 };
    uint32_t state = (uint32_t)size * 40503u;
    size_t at = 0, out = 0;
    ssize_t left = -2;

    while (at < size && left == -2) {
        size_t n = next_piece(&state), decoded;

        n = n < size - at ? n : size - at;
        decoded = n;
        memmove(bytes + out, bytes + at, n);
        left = rk_http_chunked_decode(&chunked, bytes + out, &decoded);
        out += decoded;
        at += n;
    }
    *len_out = out;
    return left < 0 ? left : left + (ssize_t)(size - at);
}

static char *copy(const char *bytes, size_t size)
{
    char *own = malloc(size > 0 ? size : 1); /* of exactly the size, so that overruns are seen */

    if (size > 0)
        memcpy(own, bytes, size);
    return own;
}

/* Returns how many bytes the body has on the connection; SIZE_MAX: it does not end, or is refused. */
static size_t check_chunks(const char *bytes, size_t size)
{
    struct rk_http_chunked chunked = { .left = 0 };
    char *own = copy(bytes, size), *pieces = copy(bytes, size), *data;
    size_t len = size, pieces_len, data_len;
    ssize_t left = rk_http_chunked_decode(&chunked, own, &len);
    long slow = slow_decode_chunks(bytes, size, &data, &data_len);

    RK_ASSERT(left == slow);
    RK_ASSERT(len == data_len && memcmp(own, data, len) == 0);
    if (left >= 0)
        RK_ASSERT(memcmp(own + len, bytes + size - left, (size_t)left) == 0);
    RK_ASSERT(decode_in_pieces(pieces, size, &pieces_len) == left);
    RK_ASSERT(pieces_len == data_len && memcmp(pieces, data, data_len) == 0);
    free(own);
    free(pieces);
    free(data);
    return left >= 0 ? size - (size_t)left : SIZE_MAX;
}

/* Returns the length of the request with its body; 0 when there is nothing to go on with. */
static size_t check_request(const char *bytes, size_t size)
{
    struct rk_http_field fields[10];
    struct rk_http_head head = { .fields = fields };
    struct slow_head slow;
    char *own = copy(bytes, size);
    enum rk_http_problem problem = rk_http_parse_head(own, size, &bounds, &head);
    size_t body = 0;

    slow_parse_head(own, size, &bounds, &slow);
    compare_heads(problem, &head, &slow);
    check_pieces(own, size, problem, head.len);
    if (problem == RK_HTTP_NO_PROBLEM && head.framing == RK_HTTP_CHUNKED)
        body = check_chunks(own + head.len, size - head.len);
    else if (problem == RK_HTTP_NO_PROBLEM && head.framing == RK_HTTP_LENGTH)
        body = head.content_length;
    slow_head_fini(&slow);
    free(own);
    return problem == RK_HTTP_NO_PROBLEM && body <= size - head.len ? head.len + body : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    size_t left = size;

    for (int i = 0; i < N_REQUESTS_MAX && left > 0; i++) {
        size_t len = check_request(at, left);

        if (len == 0)
            break;
        at += len;
        left -= len;
    }
    (void)check_chunks((const char *)bytes, size);
    return 0;
}
