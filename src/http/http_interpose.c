#include "http/http_interpose.h"

#include "base/base_assert.h"
#include "base/base_detail.h"

#include <dlfcn.h>
#include <string.h>

/* What libh2o hands over; http_parse_chunked.c has the other. */
_Static_assert(sizeof(struct rk_http_field) == 4 * sizeof(void *), "name, its length, value, its length");

int phr_parse_request(const char *bytes, size_t size, const char **method, size_t *method_len, const char **path,
                      size_t *path_len, int *minor_version, struct rk_http_field *fields, size_t *n_fields_ref,
                      size_t last_size);
ssize_t phr_decode_chunked(struct rk_http_chunked *chunked, char *bytes, size_t *size_ref);
int phr_decode_chunked_is_in_data(struct rk_http_chunked *chunked);

static _Thread_local const struct rk_http_bounds *bounds;
static _Thread_local struct rk_http_refusal refusal;
static _Thread_local struct rk_http_found found;
static _Thread_local const char *found_target; /* of the last head that was good; NULL: none was */
static _Thread_local rk_http_judge_fn *judge_waiting;
static _Thread_local void *judge_context;
static _Thread_local struct rk_http_interpose_calls calls;
static _Thread_local bool is_chunk_too_large; /* of the call that was the last */

/* libh2o writes the names of fields in small letters where they are. */
static _Thread_local char mark_name[] = "rackkv-refused";
static _Thread_local char connection_name[] = "connection";
static _Thread_local char expect_name[] = "expect";
static _Thread_local char whole_name[] = RK_HTTP_FIELD_WHOLE;

void rk_http_interpose_use(const struct rk_http_bounds *own_bounds)
{
    bounds = own_bounds;
}

void rk_http_interpose_judge(rk_http_judge_fn *judge, void *context)
{
    judge_waiting = judge;
    judge_context = context;
}

const struct rk_http_found *rk_http_interpose_found(const char *target)
{
    return target == found_target ? &found : NULL;
}

const struct rk_http_refusal *rk_http_interpose_refusal(const char *field_name)
{
    return field_name == mark_name ? &refusal : NULL;
}

struct rk_http_interpose_calls rk_http_interpose_calls(void)
{
    return calls;
}

enum rk_err rk_http_interpose_check_names(struct rk_detail *detail)
{
    if (dlsym(RTLD_DEFAULT, "phr_parse_request") == (void *)phr_parse_request
        && dlsym(RTLD_DEFAULT, "phr_decode_chunked") == (void *)phr_decode_chunked
        && dlsym(RTLD_DEFAULT, "phr_decode_chunked_is_in_data") == (void *)phr_decode_chunked_is_in_data)
        return RK_OK;
    rk_detail_set(detail, "the dynamic linker does not find this program's HTTP parser for libh2o: phr_parse_request, "
                          "phr_decode_chunked and phr_decode_chunked_is_in_data have to be exported by the program");
    return RK_ERR_INVALID;
}

static void add_field(struct rk_http_head *head, char *name, const char *value)
{
    head->fields[head->n_fields++] = (struct rk_http_field){ name, strlen(name), value, strlen(value) };
}

/* What was said on lines of their own goes to libh2o as it understands it. Their lines have left room for these; the
 * line of a body in chunks stays, so that one needs room for one more (has_room).
 *
 * What comes behind a body in chunks is never taken for a request: where it ends is what two readers of one stream most
 * easily see differently (RFC 9112 section 11.2), and who sends chunks does so seldom. */
static void add_connection(struct rk_http_head *head)
{
    if ((head->seen & RK_HTTP_SEEN_CLOSE) != 0 || head->framing == RK_HTTP_CHUNKED)
        add_field(head, connection_name, "close");
    else if (head->is_1_0 && (head->seen & RK_HTTP_SEEN_KEEP_ALIVE) != 0)
        add_field(head, connection_name, "keep-alive");
}

static bool has_room(const struct rk_http_head *head)
{
    return head->framing != RK_HTTP_CHUNKED || (head->seen & RK_HTTP_SEEN_CLOSE) != 0
           || head->n_fields < bounds->max_fields;
}

/* Without a body nobody waits to be told to go on. */
static bool is_waiting(const struct rk_http_head *head)
{
    return (head->seen & RK_HTTP_SEEN_EXPECT) != 0 && head->framing != RK_HTTP_NO_BODY;
}

static void add_expect(struct rk_http_head *head)
{
    if (is_waiting(head))
        add_field(head, expect_name, "100-continue");
}

/* Names that come back as they were spelled: as the values that libh2o leaves alone. */
static void keep_names(struct rk_http_head *head)
{
    if ((head->seen & RK_HTTP_SEEN_ASKING) == 0)
        return;
    for (size_t i = 0; i < head->n_fields; i++) {
        struct rk_http_field *field = &head->fields[i];

        if (rk_http_field_find(field->name, field->name_len) != RK_HTTP_FIELD_META)
            continue;
        field->value_len += (size_t)(field->value - field->name);
        field->value = field->name;
        field->name = whole_name;
        field->name_len = strlen(whole_name);
    }
}

/* The head cannot be trusted in any part: only whether it was HEAD is kept, for the form of the answer. */
static void refuse_head(struct rk_http_head *head, enum rk_http_problem problem, size_t size)
{
    bool is_head = head->method.at != NULL && rk_http_method_of(head->method) == RK_HTTP_HEAD;

    refusal = (struct rk_http_refusal){
        .problem = problem,
        .closes = true,
        .limit = rk_http_route_limit(problem, bounds),
    };
    head->method = is_head ? (struct rk_http_span){ "HEAD", 4 } : (struct rk_http_span){ "-", 1 };
    head->target = (struct rk_http_span){ "/", 1 };
    head->is_1_0 = false;
    head->len = size;
    head->n_fields = 0;
    add_field(head, mark_name, "head");
}

/* The head is understood, but nothing of the request is done: no field of it matters any more. */
static void refuse_request(struct rk_http_head *head)
{
    head->n_fields = 0;
    add_connection(head);
    add_field(head, mark_name, "request");
}

/* What more can be said before the body. */
static bool is_refused_waiting(const struct rk_http_head *head)
{
    if (!is_waiting(head) || judge_waiting == NULL)
        return false;
    refusal.problem = judge_waiting(judge_context, head, &found, &refusal);
    refusal.closes = true;
    return refusal.problem != RK_HTTP_NO_PROBLEM;
}

static void judge(struct rk_http_head *head, enum rk_http_problem problem, size_t size)
{
    if (problem == RK_HTTP_NO_PROBLEM && !has_room(head))
        problem = RK_HTTP_PROBLEM_TOO_MANY_FIELDS;
    if (problem != RK_HTTP_NO_PROBLEM)
        refuse_head(head, problem, size);
    else if (rk_http_route_check(head, bounds, &found, &refusal) != RK_HTTP_NO_PROBLEM || is_refused_waiting(head))
        refuse_request(head);
    else {
        found_target = head->target.at;
        keep_names(head);
        add_connection(head);
        add_expect(head);
    }
}

int phr_parse_request(const char *bytes, size_t size, const char **method, size_t *method_len, const char **path,
                      size_t *path_len, int *minor_version, struct rk_http_field *fields, size_t *n_fields_ref,
                      size_t last_size)
{
    struct rk_http_head head;
    enum rk_http_problem problem;

    RK_ASSERT(bounds != NULL && *n_fields_ref >= bounds->max_fields && bounds->max_fields >= 2);
    calls.n_heads++;
    if (!rk_http_parse_is_due(bytes, size, last_size, bounds->max_head_bytes))
        return -2;
    head.fields = fields;
    problem = rk_http_parse_head(bytes, size, bounds, &head);
    if (problem == RK_HTTP_UNFINISHED)
        return -2;
    judge(&head, problem, size);
    *method = head.method.at;
    *method_len = head.method.len;
    *path = head.target.at;
    *path_len = head.target.len;
    *minor_version = head.is_1_0 ? 0 : 1;
    *n_fields_ref = head.n_fields;
    return (int)head.len;
}

bool rk_http_interpose_chunk_is_too_large(void)
{
    return is_chunk_too_large;
}

/* The data that are there and what is left of their chunk are more than any value: that is known from its size, and the
 * rest is not waited for. */
ssize_t phr_decode_chunked(struct rk_http_chunked *chunked, char *bytes, size_t *size_ref)
{
    ssize_t rest = rk_http_chunked_decode(chunked, bytes, size_ref);

    calls.n_chunks++;
    is_chunk_too_large = rest == -2 && rk_http_chunked_is_in_data(chunked)
                         && (uint64_t)chunked->left + *size_ref > bounds->max_value_bytes;
    return is_chunk_too_large ? -1 : rest;
}

int phr_decode_chunked_is_in_data(struct rk_http_chunked *chunked)
{
    return rk_http_chunked_is_in_data(chunked);
}
