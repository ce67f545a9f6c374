/* What is in the values of the fields that frame or direct a request. */
#include "http/http_parse_private.h"

#include <arpa/inet.h>
#include <strings.h>

#define PORT_MAX 65535u

bool rk_http_value_is(struct rk_http_span value, const char *text)
{
    return value.len == strlen(text) && strncasecmp(value.at, text, value.len) == 0;
}

static bool is_hex(char byte)
{
    char lower = (char)(byte | 0x20);

    return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'f');
}

/* RFC 3986 section 3.2.2: reg-name, which IPv4 addresses are too. The comma is one of its bytes, but two Host lines
 * that somebody joined into one look like that, and no name that is in use does. */
static size_t name_len(struct rk_http_span value)
{
    const char *at = value.at, *end = value.at + value.len;

    while (true) {
        while (at < end && (rk_http_bytes[(unsigned char)*at] & RK_HTTP_BYTE_OF_HOST) != 0)
            at++;
        if (end - at < 3 || *at != '%' || !is_hex(at[1]) || !is_hex(at[2]))
            return (size_t)(at - value.at);
        at += 3;
    }
}

/* [address of IPv6]; 0 when it is none. */
static size_t literal_len(struct rk_http_span value)
{
    char text[INET6_ADDRSTRLEN] = "";
    const char *end = memchr(value.at, ']', value.len);
    struct in6_addr address;
    size_t len;

    if (end == NULL || (size_t)(end - value.at) > sizeof text)
        return 0;
    len = (size_t)(end - value.at) - 1;
    memcpy(text, value.at + 1, len);
    return strlen(text) == len && inet_pton(AF_INET6, text, &address) == 1 ? len + 2 : 0;
}

static bool is_port(struct rk_http_span digits)
{
    unsigned port = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        port = port * 10 + (unsigned)(digits.at[i] - '0');
        if (port > PORT_MAX)
            return false;
    }
    return true;
}

bool rk_http_value_is_host(struct rk_http_span value, bool may_be_empty)
{
    size_t len;

    if (value.len == 0)
        return may_be_empty;
    len = value.at[0] == '[' ? literal_len(value) : name_len(value);
    if (len == 0 || len == value.len)
        return len > 0;
    return value.at[len] == ':' && is_port((struct rk_http_span){ value.at + len + 1, value.len - len - 1 });
}

bool rk_http_value_is_length(struct rk_http_span *value, uint64_t *length_out)
{
    uint64_t length = 0;

    if (value->len == 0)
        return false;
    for (size_t i = 0; i < value->len; i++) {
        unsigned digit = (unsigned char)value->at[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        length = length > (UINT64_MAX - digit) / 10 ? UINT64_MAX : length * 10 + digit;
    }
    while (value->len > 1 && value->at[0] == '0') {
        value->at++;
        value->len--;
    }
    *length_out = length;
    return true;
}

/* ---- lists ---- */

/* Takes the next member of a list off, without the white space around it; empty ones too. False after the last. */
static bool take_member(struct rk_http_span *rest, struct rk_http_span *member_out)
{
    const char *comma;
    struct rk_http_span member = *rest;

    if (rest->at == NULL)
        return false;
    comma = memchr(rest->at, ',', rest->len);
    if (comma != NULL) {
        member.len = (size_t)(comma - rest->at);
        *rest = (struct rk_http_span){ comma + 1, rest->len - member.len - 1 };
    } else
        *rest = (struct rk_http_span){ NULL, 0 };
    while (member.len > 0 && (member.at[0] == ' ' || member.at[0] == '\t')) {
        member.at++;
        member.len--;
    }
    while (member.len > 0 && (member.at[member.len - 1] == ' ' || member.at[member.len - 1] == '\t'))
        member.len--;
    *member_out = member;
    return true;
}

static bool is_token(struct rk_http_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!rk_http_is_token_byte(text.at[i]))
            return false;
    return text.len > 0;
}

/* A coding that is not known is another thing than a list that makes no sense: chunked before others or twice, members
 * that are no names. */
enum rk_http_problem rk_http_value_check_coding(struct rk_http_span value)
{
    struct rk_http_span member;
    bool was_chunked = false, is_unknown = false;

    while (take_member(&value, &member)) {
        if (was_chunked || !is_token(member))
            return RK_HTTP_PROBLEM_BAD_TRANSFER_ENCODING;
        was_chunked = rk_http_value_is(member, "chunked");
        is_unknown |= !was_chunked;
    }
    return is_unknown ? RK_HTTP_PROBLEM_UNKNOWN_CODING : RK_HTTP_NO_PROBLEM;
}

unsigned rk_http_value_connection(struct rk_http_span value)
{
    struct rk_http_span member;
    unsigned seen = 0;

    while (take_member(&value, &member))
        seen |= rk_http_value_is(member, "close")        ? RK_HTTP_SEEN_CLOSE
                : rk_http_value_is(member, "keep-alive") ? RK_HTTP_SEEN_KEEP_ALIVE
                                                         : 0u;
    return seen;
}
