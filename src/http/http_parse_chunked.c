/* The framing of a body in chunks (RFC 9112 section 7.1), byte by byte but for the data, which is moved whole. */
#include "http/http_parse_private.h"

enum state {
    STATE_SIZE, /* before the first digit or among them */
    STATE_SIZE_SPACE,
    STATE_NAME_START,
    STATE_NAME,
    STATE_NAME_SPACE,
    STATE_VALUE_START,
    STATE_VALUE,
    STATE_QUOTED,
    STATE_QUOTED_PAIR,
    STATE_VALUE_END, /* right behind a closing quote */
    STATE_SIZE_LF,
    STATE_DATA,
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_TRAILER_START,
    STATE_TRAILER_NAME,
    STATE_TRAILER_VALUE,
    STATE_TRAILER_LF,
    STATE_END_LF,
    STATE_DONE,
    STATE_WRONG,
};

_Static_assert(sizeof(struct rk_http_chunked) <= 16 && offsetof(struct rk_http_chunked, is_libh2os) == 8,
               "as libh2o has it: a size_t and three bytes");

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* A byte of text: of a quoted string, or of a trailer's value. */
static bool is_text(char byte)
{
    return ((unsigned char)byte >= ' ' && byte != 0x7f) || byte == '\t';
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* After a whole part of the line: what can come next is the end, white space, or another extension. */
static enum state after_part(char byte, enum state at_space)
{
    if (byte == '\r')
        return STATE_SIZE_LF;
    if (byte == ';')
        return STATE_NAME_START;
    return is_space(byte) ? at_space : STATE_WRONG;
}

/* Sizes that no value can have are all the same: whoever counts the data refuses it. */
static enum state take_digit(struct rk_http_chunked *chunked, char byte)
{
    int digit = hex_digit(byte);

    if (digit < 0)
        return chunked->n_digits == 0 ? STATE_WRONG : after_part(byte, STATE_SIZE_SPACE);
    if (chunked->n_digits++ == RK_HTTP_CHUNK_DIGITS_MAX)
        return STATE_WRONG;
    chunked->left = chunked->left > UINT32_MAX >> 4 ? UINT32_MAX : chunked->left << 4 | (uint32_t)digit;
    return STATE_SIZE;
}

/* chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) */
static enum state step_extension(enum state state, char byte)
{
    switch (state) {
    case STATE_SIZE_SPACE: /* white space has to be followed by something */
        return byte == ';' ? STATE_NAME_START : is_space(byte) ? state : STATE_WRONG;
    case STATE_NAME_START:
        return rk_http_is_token_byte(byte) ? STATE_NAME : is_space(byte) ? state : STATE_WRONG;
    case STATE_NAME:
        if (rk_http_is_token_byte(byte))
            return state;
        return byte == '=' ? STATE_VALUE_START : after_part(byte, STATE_NAME_SPACE);
    case STATE_NAME_SPACE:
        return byte == '=' ? STATE_VALUE_START : byte == ';' ? STATE_NAME_START : is_space(byte) ? state : STATE_WRONG;
    case STATE_VALUE_START:
        if (byte == '"')
            return STATE_QUOTED;
        return rk_http_is_token_byte(byte) ? STATE_VALUE : is_space(byte) ? state : STATE_WRONG;
    case STATE_VALUE:
        return rk_http_is_token_byte(byte) ? state : after_part(byte, STATE_SIZE_SPACE);
    case STATE_QUOTED:
        return byte == '"' ? STATE_VALUE_END : byte == '\\' ? STATE_QUOTED_PAIR : is_text(byte) ? state : STATE_WRONG;
    case STATE_QUOTED_PAIR:
        return is_text(byte) ? STATE_QUOTED : STATE_WRONG;
    default:
        return after_part(byte, STATE_SIZE_SPACE);
    }
}

static enum state step_trailer(enum state state, char byte)
{
    switch (state) {
    case STATE_TRAILER_START:
        return byte == '\r' ? STATE_END_LF : rk_http_is_token_byte(byte) ? STATE_TRAILER_NAME : STATE_WRONG;
    case STATE_TRAILER_NAME:
        return byte == ':' ? STATE_TRAILER_VALUE : rk_http_is_token_byte(byte) ? state : STATE_WRONG;
    case STATE_TRAILER_VALUE:
        return byte == '\r' ? STATE_TRAILER_LF : is_text(byte) ? state : STATE_WRONG;
    case STATE_TRAILER_LF:
        return byte == '\n' ? STATE_TRAILER_START : STATE_WRONG;
    default:
        return byte == '\n' ? STATE_DONE : STATE_WRONG;
    }
}

static enum state begin_size(struct rk_http_chunked *chunked)
{
    chunked->left = 0;
    chunked->n_digits = 0;
    return STATE_SIZE;
}

static bool is_extra(enum state state)
{
    return (state > STATE_SIZE && state < STATE_SIZE_LF) || state >= STATE_TRAILER_START;
}

static enum state step(struct rk_http_chunked *chunked, char byte)
{
    enum state state = chunked->state;

    if (is_extra(state) && ++chunked->n_extra > RK_HTTP_CHUNK_EXTRA_MAX)
        return STATE_WRONG;
    if (state >= STATE_TRAILER_START)
        return step_trailer(state, byte);
    switch (state) {
    case STATE_SIZE:
        return take_digit(chunked, byte);
    case STATE_SIZE_LF:
        return byte != '\n' ? STATE_WRONG : chunked->left > 0 ? STATE_DATA : STATE_TRAILER_START;
    case STATE_DATA_CR:
        return byte == '\r' ? STATE_DATA_LF : STATE_WRONG;
    case STATE_DATA_LF:
        return byte == '\n' ? begin_size(chunked) : STATE_WRONG;
    default:
        return step_extension(state, byte);
    }
}

static size_t move_data(struct rk_http_chunked *chunked, char *to, const char *from, size_t size)
{
    size_t n = size < chunked->left ? size : chunked->left;

    if (to != from)
        memmove(to, from, n);
    chunked->left -= (uint32_t)n;
    if (chunked->left == 0)
        chunked->state = STATE_DATA_CR;
    return n;
}

ssize_t rk_http_chunked_decode(struct rk_http_chunked *chunked, char *bytes, size_t *size_ref)
{
    size_t at = 0, size = *size_ref, out = 0;

    while (at < size && chunked->state != STATE_DONE && chunked->state != STATE_WRONG) {
        if (chunked->state == STATE_DATA) {
            size_t n = move_data(chunked, bytes + out, bytes + at, size - at);

            out += n;
            at += n;
        } else
            chunked->state = (uint8_t)step(chunked, bytes[at++]);
    }
    *size_ref = out;
    if (chunked->state == STATE_WRONG)
        return -1;
    if (chunked->state != STATE_DONE)
        return -2;
    memmove(bytes + out, bytes + at, size - at);
    return (ssize_t)(size - at);
}

bool rk_http_chunked_is_in_data(const struct rk_http_chunked *chunked)
{
    return chunked->state == STATE_DATA;
}
