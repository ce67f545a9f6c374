#include "http/http_json.h"

#include <stdint.h>
#include <string.h>

/* ---- UTF-8 ---- */

/* The length of the character that begins here; 0: there is none (RFC 3629: the shortest form, no surrogates). */
static size_t character_len(const uint8_t *at, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4 || left < len)
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool rk_http_json_is_utf8(const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len;

    while (at < end) {
        size_t n = character_len(at, (size_t)(end - at));

        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

static char *put_character(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800)
        *out++ = (char)(0xc0 | code >> 6);
    else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

/* ---- reading ---- */

static void skip_space(struct rk_http_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' || *json->at == '\r' || *json->at == '\n'))
        json->at++;
}

static bool take(struct rk_http_json *json, char what)
{
    skip_space(json);
    if (json->at == json->end || *json->at != what)
        return false;
    json->at++;
    return true;
}

static bool take_hex(struct rk_http_json *json, uint32_t *code_out)
{
    uint32_t code = 0;

    if (json->end - json->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *json->at++;

        if (c >= '0' && c <= '9')
            code = code << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            code = code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *code_out = code;
    return true;
}

/* Behind "\u": one character, of two escapes when it lies beyond 0xffff. */
static bool take_unicode(struct rk_http_json *json)
{
    uint32_t code, second;

    if (!take_hex(json, &code) || (code >= 0xdc00 && code < 0xe000))
        return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u')
            return false;
        json->at += 2;
        if (!take_hex(json, &second) || second < 0xdc00 || second >= 0xe000)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10 | (second - 0xdc00));
    }
    json->room = put_character(json->room, code);
    return true;
}

static bool take_escape(struct rk_http_json *json)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char name;

    if (json->at == json->end)
        return false;
    name = *json->at++;
    if (name == 'u')
        return take_unicode(json);
    found = name != '\0' ? strchr(names, name) : NULL;
    if (found == NULL)
        return false;
    *json->room++ = bytes[found - names];
    return true;
}

/* Up to the next quote, backslash or control byte. */
static struct rk_http_span take_plain(struct rk_http_json *json)
{
    const char *from = json->at;

    while (json->at < json->end && *json->at != '"' && *json->at != '\\' && (unsigned char)*json->at >= ' ')
        json->at++;
    return (struct rk_http_span){ from, (size_t)(json->at - from) };
}

/* Without escapes it stays where it is. */
static bool take_string(struct rk_http_json *json, struct rk_http_span *string_out)
{
    char *from = json->room;
    struct rk_http_span plain;

    if (!take(json, '"'))
        return false;
    plain = take_plain(json);
    if (json->at < json->end && *json->at == '"') {
        json->at++;
        *string_out = plain;
        return rk_http_json_is_utf8(plain.at, plain.len);
    }
    for (;;) {
        memcpy(json->room, plain.at, plain.len);
        json->room += plain.len;
        if (json->at == json->end || (unsigned char)*json->at < ' ')
            return false;
        if (*json->at++ == '"')
            break;
        if (!take_escape(json))
            return false;
        plain = take_plain(json);
    }
    *string_out = (struct rk_http_span){ from, (size_t)(json->room - from) };
    return rk_http_json_is_utf8(string_out->at, string_out->len);
}

static bool take_digits(struct rk_http_json *json)
{
    const char *from = json->at;

    while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
        json->at++;
    return json->at > from;
}

static bool take_one_of(struct rk_http_json *json, char a, char b)
{
    if (json->at == json->end || (*json->at != a && *json->at != b))
        return false;
    json->at++;
    return true;
}

static bool take_number(struct rk_http_json *json, struct rk_http_span *number_out)
{
    const char *from = json->at;

    (void)take_one_of(json, '-', '-');
    if (!take_one_of(json, '0', '0') && !take_digits(json))
        return false;
    if (take_one_of(json, '.', '.') && !take_digits(json))
        return false;
    if (take_one_of(json, 'e', 'E')) {
        (void)take_one_of(json, '+', '-');
        if (!take_digits(json))
            return false;
    }
    *number_out = (struct rk_http_span){ from, (size_t)(json->at - from) };
    return true;
}

static bool take_member(struct rk_http_json *json, struct rk_http_json_member *member)
{
    if (!take_string(json, &member->name) || !take(json, ':'))
        return false;
    skip_space(json);
    member->kind = json->at < json->end && *json->at == '"' ? RK_HTTP_JSON_STRING : RK_HTTP_JSON_NUMBER;
    return member->kind == RK_HTTP_JSON_STRING ? take_string(json, &member->value) : take_number(json, &member->value);
}

bool rk_http_json_begin(struct rk_http_json *json)
{
    return take(json, '{');
}

bool rk_http_json_next(struct rk_http_json *json, bool is_first, struct rk_http_json_member *member_out, bool *good_out)
{
    if (take(json, '}')) {
        skip_space(json);
        *good_out = json->at == json->end;
        return false;
    }
    *good_out = false;
    return (is_first || take(json, ',')) && take_member(json, member_out);
}

/* ---- base64 ---- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool rk_http_json_decode64(struct rk_http_span *text, char *room)
{
    size_t n_pads = 0, n_digits;
    uint32_t bits = 0;
    char *out = room;

    if (text->len % 4 != 0)
        return false;
    while (n_pads < 2 && n_pads < text->len && text->at[text->len - 1 - n_pads] == '=')
        n_pads++;
    n_digits = text->len - n_pads;
    for (size_t i = 0; i < n_digits; i++) {
        int value = value64(text->at[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            *out++ = (char)(bits >> (6 - i % 4 * 2));
    }
    if (n_pads > 0 && (bits & ((1u << n_pads * 2) - 1)) != 0)
        return false; /* two texts for the same bytes */
    *text = (struct rk_http_span){ room, (size_t)(out - room) };
    return true;
}

char *rk_http_json_put_64(char *out, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    *out++ = '"';
    for (; len > 0; at += 3, len -= len < 3 ? len : 3) {
        uint32_t bits = (uint32_t)at[0] << 16 | (len > 1 ? (uint32_t)at[1] << 8 : 0) | (len > 2 ? at[2] : 0u);

        *out++ = digits64[bits >> 18];
        *out++ = digits64[bits >> 12 & 63];
        *out++ = len > 1 ? digits64[bits >> 6 & 63] : '=';
        *out++ = len > 2 ? digits64[bits & 63] : '=';
    }
    *out++ = '"';
    return out;
}

/* ---- writing ---- */

static bool is_plain(unsigned char byte)
{
    return byte >= ' ' && byte != '"' && byte != '\\';
}

size_t rk_http_json_string_bytes(const void *text, size_t len)
{
    const unsigned char *at = text;
    size_t bytes = len + 2;

    for (size_t i = 0; i < len; i++)
        if (!is_plain(at[i]))
            bytes += at[i] < ' ' ? 5 : 1;
    return bytes;
}

char *rk_http_json_put_string(char *out, const void *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = text;

    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (at[i] < ' ') {
            out = mempcpy(out, "\\u00", 4);
            *out++ = digits[at[i] >> 4];
            *out++ = digits[at[i] & 15];
            continue;
        }
        if (!is_plain(at[i]))
            *out++ = '\\';
        *out++ = (char)at[i];
    }
    *out++ = '"';
    return out;
}
