#include "http/http_number.h"

#include "http/http_text.h"

bool rk_http_number_parse_unsigned(struct rk_http_span text, uint64_t max, uint64_t *number_out)
{
    uint64_t number = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned char)text.at[i] - (unsigned)'0';

        if (digit > 9 || __builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit, &number)
            || number > max)
            return false;
    }
    *number_out = number;
    return true;
}

bool rk_http_number_parse(struct rk_http_span text, int64_t *number_out)
{
    bool is_negative = text.len > 0 && text.at[0] == '-';
    struct rk_http_span digits = { text.at + is_negative, text.len - is_negative };
    uint64_t magnitude;

    if (!rk_http_number_parse_unsigned(digits, (uint64_t)INT64_MAX + is_negative, &magnitude))
        return false;
    *number_out = (int64_t)(is_negative ? -magnitude : magnitude);
    return true;
}

bool rk_http_number_add(int64_t a, int64_t b, int64_t *sum_out)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *sum_out = sum;
    return true;
}

size_t rk_http_number_format(int64_t number, char *out)
{
    if (number >= 0)
        return rk_http_text_decimal((uint64_t)number, out);
    out[0] = '-';
    return 1 + rk_http_text_decimal(-(uint64_t)number, out + 1);
}
