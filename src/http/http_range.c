#include "http/http_range.h"

#include "http/http_text.h"

#include <string.h>
#include <strings.h>

#define UNIT "bytes="

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct rk_http_span trim(struct rk_http_span span)
{
    while (span.len > 0 && is_blank(span.at[0])) {
        span.at++;
        span.len--;
    }
    while (span.len > 0 && is_blank(span.at[span.len - 1]))
        span.len--;
    return span;
}

/* The only member of the list that is not empty. False when there is none, or more than one. */
static bool find_only(struct rk_http_span list, struct rk_http_span *member_out)
{
    size_t n_members = 0;

    while (list.len > 0) {
        const char *comma = memchr(list.at, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.at) : list.len;
        size_t used = comma != NULL ? len + 1 : len;
        struct rk_http_span member = trim((struct rk_http_span){ list.at, len });

        if (member.len > 0) {
            *member_out = member;
            n_members++;
        }
        list = (struct rk_http_span){ list.at + used, list.len - used };
    }
    return n_members == 1;
}

/* All digits, at least one; a number that is too large for 64 bits is their largest. */
static bool read_saturated(struct rk_http_span digits, uint64_t *number_out)
{
    uint64_t number = 0;

    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned char)digits.at[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    *number_out = number;
    return digits.len > 0;
}

/* "-5": the last bytes, all where there are fewer. Of the empty value these are none, and that is all of it. */
static enum rk_http_range find_suffix(struct rk_http_span digits, uint64_t size, uint64_t *first_out, uint64_t *len_out)
{
    uint64_t wanted;

    if (!read_saturated(digits, &wanted) || (size == 0 && wanted > 0))
        return RK_HTTP_RANGE_WHOLE;
    if (wanted == 0)
        return RK_HTTP_RANGE_NONE;
    *len_out = wanted < size ? wanted : size;
    *first_out = size - *len_out;
    return RK_HTTP_RANGE_PART;
}

/* "5-9", "5-" */
static enum rk_http_range find_from(struct rk_http_span from, struct rk_http_span to, uint64_t size,
                                    uint64_t *first_out, uint64_t *len_out)
{
    uint64_t first, last = UINT64_MAX;

    if (!read_saturated(from, &first) || (to.len > 0 && !read_saturated(to, &last)) || last < first)
        return RK_HTTP_RANGE_WHOLE;
    if (first >= size)
        return RK_HTTP_RANGE_NONE;
    *first_out = first;
    *len_out = (last < size ? last + 1 : size) - first;
    return RK_HTTP_RANGE_PART;
}

enum rk_http_range rk_http_range_find(const struct rk_http_line *lines, uint64_t size, uint64_t *first_out,
                                      uint64_t *len_out)
{
    struct rk_http_span value = lines->value;
    struct rk_http_span from, to, range;
    const char *dash;

    if (lines->next != NULL || value.len < strlen(UNIT) || strncasecmp(value.at, UNIT, strlen(UNIT)) != 0)
        return RK_HTTP_RANGE_WHOLE;
    value = (struct rk_http_span){ value.at + strlen(UNIT), value.len - strlen(UNIT) };
    if (!find_only(value, &range))
        return RK_HTTP_RANGE_WHOLE;
    dash = memchr(range.at, '-', range.len);
    if (dash == NULL)
        return RK_HTTP_RANGE_WHOLE;
    from = (struct rk_http_span){ range.at, (size_t)(dash - range.at) };
    to = (struct rk_http_span){ dash + 1, range.len - from.len - 1 };
    return from.len == 0 ? find_suffix(to, size, first_out, len_out) : find_from(from, to, size, first_out, len_out);
}

size_t rk_http_range_format(uint64_t first, uint64_t len, uint64_t size, char *out)
{
    char *at = mempcpy(out, "bytes ", strlen("bytes "));

    if (len == 0) {
        *at++ = '*';
    } else {
        at += rk_http_text_decimal(first, at);
        *at++ = '-';
        at += rk_http_text_decimal(first + len - 1, at);
    }
    *at++ = '/';
    at += rk_http_text_decimal(size, at);
    return (size_t)(at - out);
}
