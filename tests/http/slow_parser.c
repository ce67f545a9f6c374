#include "slow_parser.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is looked at, and where. */
struct text {
    const char *bytes;
    size_t size, at;
    bool is_over; /* something asked for the byte after the last */
};

#define TOKEN_BYTES "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The next byte, -1 at the end. */
static int peek(struct text *text)
{
    if (text->at < text->size)
        return (unsigned char)text->bytes[text->at];
    text->is_over = true;
    return -1;
}

static bool is_one_of(int byte, const char *set)
{
    return byte > 0 && strchr(set, byte) != NULL;
}

/* The next byte is not what has to come: the reason. */
static enum rk_http_problem wrong(struct text *text, enum rk_http_problem problem)
{
    int byte = peek(text);

    return byte < 0 ? RK_HTTP_UNFINISHED : byte == '\n' ? RK_HTTP_PROBLEM_BARE_LINE_FEED : problem;
}

static enum rk_http_problem line_end(struct text *text, enum rk_http_problem problem)
{
    if (peek(text) != '\r')
        return wrong(text, problem);
    text->at++;
    if (peek(text) < 0)
        return RK_HTTP_UNFINISHED;
    if (peek(text) != '\n')
        return problem;
    text->at++;
    return RK_HTTP_NO_PROBLEM;
}

static char *token(struct text *text)
{
    size_t start = text->at;

    while (is_one_of(peek(text), TOKEN_BYTES))
        text->at++;
    return strndup(text->bytes + start, text->at - start);
}

/* ---- values ---- */

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;
    bool found;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

/* Eight groups of one to four digits; "::" stands for one or more of them; the last two may be an IPv4 address. */
static bool is_ipv6(const char *text)
{
    char copy[64], *last;
    int n_colons = 0, n_double = 0, n_groups = 0;

    if (strlen(text) >= sizeof copy || strstr(text, ":::") != NULL)
        return false;
    strcpy(copy, text);
    last = strrchr(copy, ':');
    if (last != NULL && strchr(last, '.') != NULL) {
        if (!matches(last + 1, "^(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
                               "(\\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}$"))
            return false;
        strcpy(last + 1, "1:1");
    }
    for (const char *at = copy; *at != '\0'; at++) {
        n_colons += *at == ':';
        n_double += at[0] == ':' && at[1] == ':';
        n_groups += *at != ':' && (at == copy || at[-1] == ':');
    }
    if (!matches(copy, "^[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4})+$") || n_double > 1)
        return false;
    if (n_double == 0)
        return n_groups == 8 && n_colons == 7;
    if ((copy[0] == ':' && copy[1] != ':')
        || (strlen(copy) > 1 && copy[strlen(copy) - 1] == ':' && copy[strlen(copy) - 2] != ':'))
        return false;
    return n_groups < 8;
}

static bool is_host(const char *text)
{
    const char *end = strrchr(text, ']');
    const char *port = strchr(end != NULL ? end : text, ':');
    char *address;
    bool is_good;

    if (port != NULL && strlen(port) > 1 && strtod(port + 1, NULL) > 65535)
        return false;
    if (matches(text, "^([A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f][0-9A-Fa-f])+(:[0-9]*)?$"))
        return true;
    if (!matches(text, "^\\[[^]]*\\](:[0-9]*)?$"))
        return false;
    address = strndup(text + 1, (size_t)(end - text) - 1);
    is_good = is_ipv6(address);
    free(address);
    return is_good;
}

static bool is_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static char *trimmed(const char *text, size_t len)
{
    while (len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return strndup(text, len);
}

/* The members of a list, without white space around them. */
static size_t split(const char *list, char **members, size_t max)
{
    size_t n = 0;

    for (const char *at = list; at != NULL && n < max;) {
        const char *comma = strchr(at, ',');

        members[n++] = trimmed(at, comma != NULL ? (size_t)(comma - at) : strlen(at));
        at = comma != NULL ? comma + 1 : NULL;
    }
    return n;
}

#define MEMBERS_MAX 4096

static enum rk_http_problem judge_coding(const char *list)
{
    static char *members[MEMBERS_MAX];
    size_t n = split(list, members, MEMBERS_MAX);
    enum rk_http_problem problem =
        strcasecmp(list, "chunked") == 0 ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_UNKNOWN_CODING;

    for (size_t i = 0; i < n; i++) {
        bool is_token = members[i][0] != '\0' && strspn(members[i], TOKEN_BYTES) == strlen(members[i]);
        bool is_early = i + 1 < n && strcasecmp(members[i], "chunked") == 0;

        if (!is_token || is_early)
            problem = RK_HTTP_PROBLEM_BAD_TRANSFER_ENCODING;
    }
    for (size_t i = 0; i < n; i++)
        free(members[i]);
    return problem;
}

static void note_connection(struct slow_head *head, const char *list)
{
    static char *members[MEMBERS_MAX];
    size_t n = split(list, members, MEMBERS_MAX);

    for (size_t i = 0; i < n; i++) {
        head->has_close |= strcasecmp(members[i], "close") == 0;
        head->has_keep_alive |= strcasecmp(members[i], "keep-alive") == 0;
        free(members[i]);
    }
}

/* ---- the first line ---- */

static enum rk_http_problem judge_absolute(struct slow_head *head)
{
    char *start = head->target;
    char *rest, *authority;

    start += strncasecmp(start, "http://", 7) == 0 ? 7 : strncasecmp(start, "https://", 8) == 0 ? 8 : 0;
    if (start == head->target)
        return RK_HTTP_PROBLEM_BAD_TARGET;
    authority = strndup(start, strcspn(start, "/?"));
    rest = strdup(start + strlen(authority));
    if (rest[0] != '/') {
        bool is_star = rest[0] == '\0' && strcmp(head->method, "OPTIONS") == 0;

        free(rest);
        rest = strdup(is_star ? "*" : "/");
    }
    free(head->target);
    head->target = rest;
    head->authority = authority;
    return is_host(authority) ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_TARGET;
}

static enum rk_http_problem judge_target(struct slow_head *head)
{
    if (head->target[0] == '/')
        return RK_HTTP_NO_PROBLEM;
    if (strcmp(head->target, "*") == 0 && strcmp(head->method, "OPTIONS") == 0)
        return RK_HTTP_NO_PROBLEM;
    return judge_absolute(head);
}

static enum rk_http_problem read_target(struct text *text, struct slow_head *head)
{
    size_t start = text->at;

    while (peek(text) > ' ' && peek(text) != 0x7f) {
        text->at++;
        if (text->at - start > 16384)
            return RK_HTTP_PROBLEM_TARGET_TOO_LONG;
    }
    if (peek(text) != ' ')
        return wrong(text, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    head->target = strndup(text->bytes + start, text->at - start);
    text->at++;
    return judge_target(head);
}

static enum rk_http_problem read_version(struct text *text, struct slow_head *head)
{
    char version[9] = "";
    enum rk_http_problem problem;

    for (size_t i = 0; i < 8; i++) {
        int byte = peek(text);

        if (!(i == 5 || i == 7 ? is_one_of(byte, "0123456789") : byte == "HTTP/_._"[i]))
            return wrong(text, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
        version[i] = (char)byte;
        text->at++;
    }
    problem = line_end(text, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    head->is_1_0 = strcmp(version, "HTTP/1.0") == 0;
    return head->is_1_0 || strcmp(version, "HTTP/1.1") == 0 ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_VERSION;
}

static enum rk_http_problem read_first_line(struct text *text, struct slow_head *head)
{
    enum rk_http_problem problem;

    if (peek(text) == '\r' && (problem = line_end(text, RK_HTTP_PROBLEM_BAD_REQUEST_LINE)) != RK_HTTP_NO_PROBLEM)
        return problem;
    head->method = token(text);
    if (head->method[0] == '\0' || peek(text) != ' ')
        return wrong(text, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    text->at++;
    problem = read_target(text, head);
    return problem != RK_HTTP_NO_PROBLEM ? problem : read_version(text, head);
}

/* ---- fields ---- */

static size_t count_of(const struct slow_head *head, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < head->n_fields; i++)
        n += strcasecmp(head->fields[i].name, name) == 0;
    return n;
}

static enum rk_http_problem judge_once(const struct slow_head *head, const struct slow_field *field)
{
    if (strcasecmp(field->name, "Host") != 0 && strcasecmp(field->name, "Content-Length") != 0
        && strcasecmp(field->name, "Transfer-Encoding") != 0)
        return RK_HTTP_NO_PROBLEM;
    return count_of(head, field->name) > 1 ? RK_HTTP_PROBLEM_REPEATED_HEADER : RK_HTTP_NO_PROBLEM;
}

/* The field is the last of head->fields. */
static enum rk_http_problem judge_field(struct slow_head *head, const struct slow_field *field)
{
    const char *name = field->name, *value = field->value;
    enum rk_http_problem problem = judge_once(head, field);

    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    if (strcasecmp(name, "Host") == 0 && value[0] != '\0' && !is_host(value))
        return RK_HTTP_PROBLEM_BAD_HOST;
    if (strcasecmp(name, "Content-Length") == 0 && !is_digits(value))
        return RK_HTTP_PROBLEM_BAD_CONTENT_LENGTH;
    if (strcasecmp(name, "Transfer-Encoding") == 0 && judge_coding(value) != RK_HTTP_PROBLEM_UNKNOWN_CODING)
        return judge_coding(value);
    if (strcasecmp(name, "Expect") == 0 && !head->is_1_0 && strcasecmp(value, "100-continue") != 0)
        return RK_HTTP_PROBLEM_EXPECTATION;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem read_field(struct text *text, struct slow_head *head, unsigned max_fields)
{
    struct slow_field *field = &head->fields[head->n_fields];
    size_t start;
    enum rk_http_problem problem = RK_HTTP_NO_PROBLEM;

    if (is_one_of(peek(text), " \t"))
        return RK_HTTP_PROBLEM_FOLDED_HEADER;
    *field = (struct slow_field){ .name = token(text), .value = NULL };
    head->n_fields++;
    if (field->name[0] == '\0' || peek(text) != ':')
        return wrong(text, RK_HTTP_PROBLEM_BAD_FIELD);
    if (head->n_fields > max_fields)
        return RK_HTTP_PROBLEM_TOO_MANY_FIELDS;
    start = ++text->at;
    while (peek(text) == '\t' || (peek(text) >= ' ' && peek(text) != 0x7f))
        text->at++;
    field->value = trimmed(text->bytes + start, text->at - start);
    problem = line_end(text, RK_HTTP_PROBLEM_BAD_FIELD);
    return problem != RK_HTTP_NO_PROBLEM ? problem : judge_field(head, field);
}

/* ---- what all of it means ---- */

static const char *value_of(const struct slow_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_fields; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

static enum rk_http_problem judge_all(struct slow_head *head)
{
    const char *length = value_of(head, "Content-Length");
    const char *coding = value_of(head, "Transfer-Encoding");

    if (length != NULL && coding != NULL)
        return RK_HTTP_PROBLEM_TWO_FRAMINGS;
    if (coding != NULL && head->is_1_0)
        return RK_HTTP_PROBLEM_OLD_TRANSFER_ENCODING;
    if (value_of(head, "Host") == NULL && !head->is_1_0)
        return RK_HTTP_PROBLEM_MISSING_HOST;
    if (coding != NULL && judge_coding(coding) != RK_HTTP_NO_PROBLEM)
        return RK_HTTP_PROBLEM_UNKNOWN_CODING;
    head->framing = coding != NULL ? RK_HTTP_CHUNKED : length != NULL ? RK_HTTP_LENGTH : RK_HTTP_NO_BODY;
    head->content_length = length != NULL ? strtoull(length, NULL, 10) : 0; /* the largest when it is too large */
    head->expects = value_of(head, "Expect") != NULL && !head->is_1_0;
    return RK_HTTP_NO_PROBLEM;
}

static void remove_field(struct slow_head *head, size_t at)
{
    free(head->fields[at].name);
    free(head->fields[at].value);
    head->n_fields--;
    memmove(&head->fields[at], &head->fields[at + 1], (head->n_fields - at) * sizeof head->fields[0]);
}

static void replace(char **text, const char *other)
{
    char *copy = strdup(other);

    free(*text);
    *text = copy;
}

static void note_asking(struct slow_head *head, const struct slow_field *field)
{
    static const char *const asking[] = {
        "Content-Encoding", "Content-Language",  "Content-Disposition", "Content-Range", "Cache-Control", "If-Match",
        "If-None-Match",    "If-Modified-Since", "If-Unmodified-Since", "If-Range",      "Range"
    };

    for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++)
        head->asks |= strcasecmp(field->name, asking[i]) == 0;
    head->asks |= strncasecmp(field->name, "RackKV-", 7) == 0;
    if (strlen(field->name) == 12 && strchr("cC", field->name[0]) != NULL && !head->has_type
        && strlen(field->value) <= 2048)
        head->has_type = true;
    else
        head->asks |= strcasecmp(field->name, "Content-Type") == 0;
}

/* What the parser says otherwise than by its list of fields, or in another form. */
static void settle_fields(struct slow_head *head)
{
    for (size_t i = 0; i < head->n_fields;) {
        struct slow_field *field = &head->fields[i];

        if (strcasecmp(field->name, "Connection") == 0)
            note_connection(head, field->value);
        if (strcasecmp(field->name, "Connection") == 0 || strcasecmp(field->name, "Expect") == 0) {
            remove_field(head, i);
            continue;
        }
        note_asking(head, field);
        if (strcasecmp(field->name, "Host") == 0 && head->authority != NULL)
            replace(&field->value, head->authority);
        if (strcasecmp(field->name, "Content-Length") == 0)
            while (field->value[0] == '0' && field->value[1] != '\0')
                replace(&field->value, field->value + 1);
        i++;
    }
}

void slow_parse_head(const char *bytes, size_t size, const struct rk_http_bounds *bounds, struct slow_head *head)
{
    struct text text = { bytes, size < bounds->max_head_bytes ? size : bounds->max_head_bytes, 0, false };

    memset(head, 0, sizeof *head);
    head->problem = read_first_line(&text, head);
    while (head->problem == RK_HTTP_NO_PROBLEM && peek(&text) >= 0 && peek(&text) != '\r')
        head->problem = read_field(&text, head, bounds->max_fields);
    if (head->problem == RK_HTTP_NO_PROBLEM)
        head->problem = line_end(&text, RK_HTTP_PROBLEM_BAD_FIELD);
    if (head->problem == RK_HTTP_UNFINISHED && size >= bounds->max_head_bytes)
        head->problem = RK_HTTP_PROBLEM_HEAD_TOO_LARGE;
    if (head->problem == RK_HTTP_NO_PROBLEM)
        head->problem = judge_all(head);
    if (head->problem == RK_HTTP_NO_PROBLEM)
        settle_fields(head);
    head->len = text.at;
}

void slow_head_fini(struct slow_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        free(head->fields[i].name);
        free(head->fields[i].value);
    }
    free(head->method);
    free(head->target);
    free(head->authority);
}
