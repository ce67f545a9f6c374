#include "client/client_line.h"

#include "base/base_detail.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const char *text;
    size_t size;
    size_t at;
    char *out; /* where the next byte of a word goes */
    struct rk_detail *detail;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum rk_err read_hex(struct reader *reader)
{
    int high = reader->at < reader->size ? hex_digit(reader->text[reader->at]) : -1;
    int low = reader->at + 1 < reader->size ? hex_digit(reader->text[reader->at + 1]) : -1;

    if (high < 0 || low < 0) {
        rk_detail_set(reader->detail, "column %zu: after \\x come two hexadecimal digits", reader->at + 1);
        return RK_ERR_INVALID;
    }
    *reader->out++ = (char)(high << 4 | low);
    reader->at += 2;
    return RK_OK;
}

/* After the backslash. */
static enum rk_err read_escape(struct reader *reader)
{
    static const char names[] = "\"'\\nrt", bytes[] = "\"'\\\n\r\t";
    char c = reader->at < reader->size ? reader->text[reader->at] : '\0';
    const char *name = c != '\0' ? strchr(names, c) : NULL;

    reader->at++;
    if (c == 'x')
        return read_hex(reader);
    if (name == NULL) {
        rk_detail_set(reader->detail, "column %zu: the escapes are \\\" \\' \\\\ \\n \\r \\t and \\xHH",
                      reader->at - 1);
        return RK_ERR_INVALID;
    }
    *reader->out++ = bytes[name - names];
    return RK_OK;
}

/* From the opening quote up to past the closing one, which is the same. */
static enum rk_err read_quoted(struct reader *reader)
{
    char quote = reader->text[reader->at++];
    size_t start = reader->at;

    while (reader->at < reader->size && reader->text[reader->at] != quote) {
        char c = reader->text[reader->at++];

        if (c != '\\' || quote == '\'')
            *reader->out++ = c;
        else if (read_escape(reader) != RK_OK)
            return RK_ERR_INVALID;
    }
    if (reader->at >= reader->size) {
        rk_detail_set(reader->detail, "column %zu: this quote is not closed", start);
        return RK_ERR_INVALID;
    }
    reader->at++;
    if (reader->at < reader->size && !is_blank(reader->text[reader->at])) {
        rk_detail_set(reader->detail, "column %zu: after a closing quote comes a space", reader->at + 1);
        return RK_ERR_INVALID;
    }
    return RK_OK;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static void read_plain(struct reader *reader)
{
    while (reader->at < reader->size && !is_blank(reader->text[reader->at]))
        *reader->out++ = reader->text[reader->at++];
}

/* The next word, which is there. */
static enum rk_err read_word(struct reader *reader, struct rk_client_line *line)
{
    const char *start = reader->out;
    enum rk_err err = RK_OK;
    bool is_quoted = is_quote(reader->text[reader->at]);

    if (is_quoted)
        err = read_quoted(reader);
    else
        read_plain(reader);
    if (err != RK_OK)
        return err;
    if (line->n_words < RK_CLIENT_LINE_WORDS_MAX) {
        line->words[line->n_words] = (struct rk_client_bytes){ start, (size_t)(reader->out - start) };
        line->is_quoted[line->n_words] = is_quoted;
    }
    line->n_words++;
    if (is_quoted)
        line->last_quoted = line->n_words;
    line->end = reader->out;
    *reader->out++ = ' '; /* there is room: in the text, too, something stands between two words, or its end */
    return RK_OK;
}

enum rk_err rk_client_line_parse(struct rk_client_line *line_out, const char *text, size_t size,
                                 struct rk_detail *detail)
{
    struct reader reader = { .text = text, .size = size, .detail = detail };

    *line_out = (struct rk_client_line){ .bytes = malloc(size + 1) }; /* words are no longer than what they stand for */
    if (line_out->bytes == NULL) {
        rk_detail_set(detail, "out of memory");
        return RK_ERR_NO_MEMORY;
    }
    reader.out = line_out->bytes;
    for (;;) {
        while (reader.at < size && is_blank(text[reader.at]))
            reader.at++;
        if (reader.at >= size)
            return RK_OK;
        if (read_word(&reader, line_out) != RK_OK)
            return RK_ERR_INVALID;
    }
}

struct rk_client_bytes rk_client_line_rest(const struct rk_client_line *line, size_t n)
{
    const char *start = line->words[n].bytes;

    return (struct rk_client_bytes){ start, (size_t)(line->end - start) };
}

void rk_client_line_fini(struct rk_client_line *line)
{
    free(line->bytes);
    *line = (struct rk_client_line){ .n_words = 0 };
}
