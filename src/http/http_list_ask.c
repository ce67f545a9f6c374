#include "http/http_list_ask.h"

#include <string.h>

/* What is read, and where decoded bytes go. */
struct reading {
    const struct rk_http_target *target;
    size_t max_key_bytes;
    char *room;
    enum rk_http_parameter parameter; /* in hand */
};

/* The bytes of a parameter. at NULL: it is not given. */
static enum rk_http_problem read_bytes(struct reading *reading, enum rk_http_parameter parameter,
                                       struct rk_http_span *bytes_out)
{
    struct rk_http_span sent = rk_http_target_option(reading->target, parameter);

    reading->parameter = parameter;
    *bytes_out = sent;
    if (sent.at == NULL)
        return RK_HTTP_NO_PROBLEM;
    if (!rk_http_target_decode(bytes_out, false, reading->room))
        return RK_HTTP_PROBLEM_BAD_ESCAPE;
    reading->room += sent.len;
    return RK_HTTP_NO_PROBLEM;
}

static int digit_of(char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = byte != '\0' ? strchr(digits, byte) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* Decodes in place; false for anything but whole groups of four with their padding, and nothing in the bits that it
 * leaves over, so that the same bytes are written in one way only. */
static bool decode_base64(struct rk_http_span *bytes)
{
    char *out = (char *)(uintptr_t)bytes->at; /* they were decoded into the room, which is ours */
    size_t n_pads = 0, n = 0;
    uint32_t bits = 0;

    if (bytes->len % 4 != 0)
        return false;
    while (n_pads < 2 && n_pads < bytes->len && bytes->at[bytes->len - 1 - n_pads] == '=')
        n_pads++;
    for (size_t i = 0; i < bytes->len; i++) {
        int digit = i < bytes->len - n_pads ? digit_of(bytes->at[i]) : 0;

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 3)
            continue;
        out[n++] = (char)(bits >> 16 & 0xff);
        out[n++] = (char)(bits >> 8 & 0xff);
        out[n++] = (char)(bits & 0xff);
    }
    for (size_t i = 0; i < n_pads; i++)
        if (out[--n] != '\0')
            return false;
    *bytes = (struct rk_http_span){ out, n };
    return true;
}

/* A key or the beginning of one, as text or as base64. */
static enum rk_http_problem read_key(struct reading *reading, enum rk_http_parameter plain,
                                     enum rk_http_parameter base64, struct rk_list_span *key_out)
{
    struct rk_http_span bytes, encoded;
    enum rk_http_problem problem = read_bytes(reading, plain, &bytes);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_bytes(reading, base64, &encoded);
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    if (encoded.at != NULL && bytes.at != NULL)
        return RK_HTTP_PROBLEM_REPEATED_PARAMETER;
    if (encoded.at != NULL && !decode_base64(&encoded))
        return RK_HTTP_PROBLEM_BAD_BASE64;
    reading->parameter = encoded.at != NULL ? base64 : plain;
    if (encoded.at != NULL)
        bytes = encoded;
    *key_out = (struct rk_list_span){ (const uint8_t *)(bytes.at != NULL ? bytes.at : ""), bytes.len };
    return bytes.len > reading->max_key_bytes ? RK_HTTP_PROBLEM_KEY_TOO_LONG : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem read_delimiter(struct reading *reading, struct rk_list_span *delimiter_out)
{
    struct rk_http_span bytes;
    enum rk_http_problem problem = read_bytes(reading, RK_HTTP_PARAMETER_DELIMITER, &bytes);

    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    *delimiter_out = (struct rk_list_span){ (const uint8_t *)(bytes.at != NULL ? bytes.at : ""), bytes.len };
    return bytes.at != NULL && bytes.len == 0 ? RK_HTTP_PROBLEM_BAD_DELIMITER : RK_HTTP_NO_PROBLEM;
}

/* A number that no page has so many entries of is clipped, however many digits it has. */
static enum rk_http_problem read_limit(struct reading *reading, unsigned *limit_out)
{
    struct rk_http_span bytes;
    enum rk_http_problem problem = read_bytes(reading, RK_HTTP_PARAMETER_LIMIT, &bytes);
    unsigned limit = 0;

    *limit_out = RK_HTTP_LIST_LIMIT_MAX;
    if (problem != RK_HTTP_NO_PROBLEM || bytes.at == NULL)
        return problem;
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] < '0' || bytes.at[i] > '9')
            return RK_HTTP_PROBLEM_BAD_LIMIT;
        limit = 10 * limit + (unsigned)(bytes.at[i] - '0');
        limit = limit > RK_HTTP_LIST_LIMIT_MAX ? RK_HTTP_LIST_LIMIT_MAX : limit;
    }
    *limit_out = limit;
    return limit == 0 ? RK_HTTP_PROBLEM_BAD_LIMIT : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem read_values(struct reading *reading, bool *values_out)
{
    struct rk_http_span bytes;
    enum rk_http_problem problem = read_bytes(reading, RK_HTTP_PARAMETER_VALUES, &bytes);

    *values_out = false;
    if (problem != RK_HTTP_NO_PROBLEM || bytes.at == NULL)
        return problem;
    *values_out = bytes.len == 1 && bytes.at[0] == '1';
    return *values_out || (bytes.len == 1 && bytes.at[0] == '0') ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_VALUES;
}

enum rk_http_problem rk_http_list_ask_read(const struct rk_http_target *target, size_t max_key_bytes, char *room,
                                           struct rk_http_list_ask *ask_out, enum rk_http_parameter *wrong_out)
{
    struct reading reading = { .target = target, .max_key_bytes = max_key_bytes, .room = room };
    struct rk_list_ask *keys = &ask_out->keys;
    enum rk_http_problem problem =
        read_key(&reading, RK_HTTP_PARAMETER_PREFIX, RK_HTTP_PARAMETER_PREFIX64, &keys->prefix);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_key(&reading, RK_HTTP_PARAMETER_AFTER, RK_HTTP_PARAMETER_AFTER64, &keys->after);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_delimiter(&reading, &keys->delimiter);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_limit(&reading, &ask_out->limit);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_values(&reading, &keys->with_values);
    *wrong_out = reading.parameter;
    return problem;
}
