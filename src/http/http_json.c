#include "http/http_json.h"

#include "http/http_text.h"

/* How many bytes of UTF-8 a character has that begins with this one, and which bytes the second may be: the shortest
 * form only, no surrogates, nothing above U+10FFFF. 0: none begins so. */
static size_t length_of(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The length of the character at the begin of the bytes; 0: there is none. */
static size_t character_len(const uint8_t *bytes, size_t len)
{
    uint8_t low, high;
    size_t n = length_of(bytes[0], &low, &high);

    if (n < 2)
        return n;
    if (n > len || bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    return n;
}

bool rk_http_json_is_text(const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = character_len(bytes + at, len - at);

        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void escape(struct rk_list_buffer *out, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };

    if (byte == '"' || byte == '\\') {
        text[1] = (char)byte;
        rk_list_buffer_append(out, text, 2);
    } else
        rk_list_buffer_append(out, text, sizeof text);
}

void rk_http_json_string(struct rk_list_buffer *out, const uint8_t *bytes, size_t len)
{
    rk_list_buffer_append(out, "\"", 1);
    for (size_t at = 0; at < len;) {
        size_t n = 0;

        while (at + n < len && is_plain(bytes[at + n]))
            n++;
        rk_list_buffer_append(out, bytes + at, n);
        at += n;
        if (at == len)
            break;
        n = character_len(bytes + at, len - at);
        if (n == 1)
            escape(out, bytes[at]);
        else if (n > 1)
            rk_list_buffer_append(out, bytes + at, n);
        else
            rk_http_json_raw(out, "\\ufffd");
        at += n > 0 ? n : 1;
    }
    rk_list_buffer_append(out, "\"", 1);
}

void rk_http_json_base64(struct rk_list_buffer *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = rk_list_buffer_reserve(out, (len + 2) / 3 * 4);

    out->len += (len + 2) / 3 * 4;
    for (; len > 0; len -= len < 3 ? len : 3, bytes += 3) {
        uint32_t three = (uint32_t)bytes[0] << 16 | (len > 1 ? (uint32_t)bytes[1] << 8 : 0) | (len > 2 ? bytes[2] : 0);

        *to++ = (uint8_t)digits[three >> 18];
        *to++ = (uint8_t)digits[three >> 12 & 63];
        *to++ = len > 1 ? (uint8_t)digits[three >> 6 & 63] : '=';
        *to++ = len > 2 ? (uint8_t)digits[three & 63] : '=';
    }
}

void rk_http_json_member(struct rk_list_buffer *out, const char *name, const uint8_t *bytes, size_t len)
{
    rk_list_buffer_append(out, "\"", 1);
    rk_http_json_raw(out, name);
    if (rk_http_json_is_text(bytes, len)) {
        rk_http_json_raw(out, "\":");
        rk_http_json_string(out, bytes, len);
        return;
    }
    rk_http_json_raw(out, "64\":\"");
    rk_http_json_base64(out, bytes, len);
    rk_list_buffer_append(out, "\"", 1);
}

void rk_http_json_raw(struct rk_list_buffer *out, const char *text)
{
    rk_list_buffer_append(out, text, strlen(text));
}

void rk_http_json_number(struct rk_list_buffer *out, uint64_t number)
{
    out->len += rk_http_text_decimal(number, (char *)rk_list_buffer_reserve(out, RK_HTTP_DECIMAL_BYTES));
}
