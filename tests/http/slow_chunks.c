#include "slow_parser.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN      "[!#$%&'*+.^_`|~0-9a-zA-Z-]+"
#define TEXT_BYTE  "[^\001-\010\012-\037\177]"
#define QUOTED     "\"([^\001-\010\012-\037\177\"\\\\]|\\\\" TEXT_BYTE ")*\""
#define SIZE_LINE  "^[0-9a-fA-F]{1,16}([ \t]*;[ \t]*" TOKEN "([ \t]*=[ \t]*(" TOKEN "|" QUOTED "))?)*\r\n$"
#define FIELD_LINE "^(" TOKEN ":" TEXT_BYTE "*)?\r\n$"

static bool line_matches(const char *line, const char *pattern)
{
    static regex_t size_regex, field_regex;
    static bool is_ready;

    if (!is_ready
        && (regcomp(&size_regex, SIZE_LINE, REG_EXTENDED | REG_NOSUB) != 0
            || regcomp(&field_regex, FIELD_LINE, REG_EXTENDED | REG_NOSUB) != 0))
        abort();
    is_ready = true;
    return regexec(strcmp(pattern, SIZE_LINE) == 0 ? &size_regex : &field_regex, line, 0, NULL, 0) == 0;
}

/* Whether something can follow that makes a good line of the text. */
static bool can_become(const char *start, size_t len, const char *pattern)
{
    static const char *const ends[] = { "",       "\n",     "\r\n",    "0\r\n", "a\r\n",
                                        ";a\r\n", "\"\r\n", "a\"\r\n", ":\r\n", "a:\r\n" };
    char *text = malloc(len + 16);
    bool can = false;

    memcpy(text, start, len);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0] && !can; i++) {
        strcpy(text + len, ends[i]);
        can = memchr(text, '\0', len) == NULL && line_matches(text, pattern);
    }
    free(text);
    return can;
}

/* The length of the line at this place with its end; 0: not all of it is there; -1: it is wrong. */
static long line_length(const char *at, size_t size, const char *pattern)
{
    const char *feed = memchr(at, '\n', size);
    size_t len = feed != NULL ? (size_t)(feed - at) + 1 : size;

    if (!can_become(at, len, pattern))
        return -1;
    return feed != NULL ? (long)len : 0;
}

/* What a line has beside what it has to have counts against the bound: all of a trailer, and of a line with a size what
 * comes after it, but for one byte and the line feed. */
static bool is_within_bound(const char *line, size_t len, const char *pattern, size_t *extra)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");

    if (strcmp(pattern, SIZE_LINE) != 0)
        *extra += len;
    else if (len > digits + 1)
        *extra += len - digits - 1 - (line[len - 1] == '\n' ? 1 : 0);
    return *extra <= RK_HTTP_CHUNK_EXTRA_MAX;
}

struct chunks {
    const char *at;
    size_t left;
    size_t extra;
};

/* Takes a line: 1; or what line_length says. */
static long take_line(struct chunks *chunks, const char *pattern, const char **line_out)
{
    char *copy = strndup(chunks->at, chunks->left); /* ends for strspn */
    long len = line_length(chunks->at, chunks->left, pattern);
    const char *feed = memchr(chunks->at, '\n', chunks->left);

    if (len >= 0
        && !is_within_bound(copy, feed != NULL ? (size_t)(feed - chunks->at) + 1 : chunks->left, pattern,
                            &chunks->extra))
        len = -1;
    free(copy);
    *line_out = chunks->at;
    if (len <= 0)
        return len;
    chunks->at += len;
    chunks->left -= (size_t)len;
    return 1;
}

static long take_trailers(struct chunks *chunks)
{
    const char *line;
    long got;

    do {
        got = take_line(chunks, FIELD_LINE, &line);
        if (got <= 0)
            return got == 0 ? -2 : -1;
    } while (*line != '\r');
    return (long)chunks->left;
}

static long take_data(struct chunks *chunks, double length, char *data, size_t *data_len)
{
    size_t n = length < (double)chunks->left ? (size_t)length : chunks->left;

    memcpy(data + *data_len, chunks->at, n);
    *data_len += n;
    chunks->at += n;
    chunks->left -= n;
    if (chunks->left == 0)
        return 0;
    if (chunks->at[0] != '\r' || (chunks->left > 1 && chunks->at[1] != '\n'))
        return -1;
    if (chunks->left < 2)
        return 0;
    chunks->at += 2;
    chunks->left -= 2;
    return 1;
}

long slow_decode_chunks(const char *bytes, size_t size, char **data_out, size_t *len_out)
{
    struct chunks chunks = { bytes, size, 0 };

    *data_out = malloc(size + 1);
    *len_out = 0;
    while (true) {
        const char *line;
        long got = take_line(&chunks, SIZE_LINE, &line);
        double length = got > 0 ? (double)strtoull(line, NULL, 16) : 0;

        if (got > 0 && length == 0)
            return take_trailers(&chunks);
        if (got > 0)
            got = take_data(&chunks, length, *data_out, len_out);
        if (got <= 0)
            return got == 0 ? -2 : -1;
    }
}
