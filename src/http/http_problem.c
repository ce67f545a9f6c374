#include "http/http_problem.h"

#include "base/base_assert.h"
#include "http/http_text.h"

#include <string.h>

#define BODY_OPEN(status, reason, code, detail)                                                  \
    "{\"type\":\"about:blank\",\"title\":\"" reason "\",\"status\":" #status ",\"code\":\"" code \
    "\",\"detail\":\"" detail "\""
#define BODY_CLOSE "}\n"

static const struct rk_http_problem_text texts[RK_HTTP_N_PROBLEMS] = {
#define TEXT_ENTRY(name, status, reason, code, detail)                                                     \
    [RK_HTTP_PROBLEM_##name] = { status, reason, code, BODY_OPEN(status, reason, code, detail) BODY_CLOSE, \
                                 sizeof(BODY_OPEN(status, reason, code, detail) BODY_CLOSE) - 1 },
    RK_HTTP_PROBLEM_TABLE(TEXT_ENTRY)
#undef TEXT_ENTRY
};

#define LIMIT_MEMBER ",\"limit\":"

#define ASSERT_ROOM(name, status, reason, code, detail)                                                                \
    _Static_assert(sizeof(BODY_OPEN(status, reason, code, detail) LIMIT_MEMBER "," BODY_CLOSE) + RK_HTTP_DECIMAL_BYTES \
                       <= RK_HTTP_PROBLEM_BYTES,                                                                       \
                   "a body fits");
RK_HTTP_PROBLEM_TABLE(ASSERT_ROOM)
#undef ASSERT_ROOM

const struct rk_http_problem_text *rk_http_problem_text(enum rk_http_problem problem)
{
    RK_ASSERT(problem > RK_HTTP_NO_PROBLEM && problem < RK_HTTP_N_PROBLEMS);
    return &texts[problem];
}

size_t rk_http_problem_format(enum rk_http_problem problem, uint64_t limit, const char *members, char *out)
{
    const struct rk_http_problem_text *text = rk_http_problem_text(problem);
    char *at = out;

    at = mempcpy(at, text->body, text->body_len - strlen(BODY_CLOSE));
    if (limit != 0) {
        at = mempcpy(at, LIMIT_MEMBER, strlen(LIMIT_MEMBER));
        at += rk_http_text_decimal(limit, at);
    }
    if (members != NULL && members[0] != '\0') {
        *at++ = ',';
        at = mempcpy(at, members, strlen(members));
    }
    at = mempcpy(at, BODY_CLOSE, strlen(BODY_CLOSE));
    return (size_t)(at - out);
}
