/* A client that waits to be told to go on ("Expect: 100-continue") is told what can be known before its body comes:
 * what the head decides (http_route.c), and here, that the key is not as a condition wants it, or that nothing can be
 * written now. What has to be asked of the disk is not: then it is told to go on, and the condition is decided with the
 * write, which decides in any case. */
#include "http/http_expect.h"

#include "http/http_ask.h"
#include "http/http_state.h"
#include "http/http_watch.h"

#include <stdlib.h>

/* What the lookup allocates, until it is over. */
struct allocation {
    struct allocation *next;
    max_align_t bytes[];
};

static void *allocate(void *list, size_t size)
{
    struct allocation **first = list;
    struct allocation *allocation = h2o_mem_alloc(sizeof *allocation + size);

    allocation->next = *first;
    *first = allocation;
    return allocation->bytes;
}

static void free_all(struct allocation *first)
{
    while (first != NULL) {
        struct allocation *next = first->next;

        free(first);
        first = next;
    }
}

/* Whether it is there is known; `state_out` then has it. */
static bool look_up(struct rk_http_server *server, struct rk_http_span key, struct rk_http_key_state *state_out)
{
    const struct rk_http_backend *backend = &server->backend;
    struct allocation *first = NULL;
    struct rk_store_arena arena = { allocate, &first };
    struct rk_store_value value = { .source = NULL };
    rk_store_ticket ticket = 0;
    enum rk_err err = backend->get(backend->self, key.at, key.len, &arena, &value, NULL, NULL, &ticket);

    *state_out = (struct rk_http_key_state){ .exists = err == RK_OK };
    if (err == RK_OK) {
        state_out->sequence = value.sequence;
        state_out->write_time_ms = value.write_time_ms;
        if (value.source != NULL)
            backend->release(backend->self, value.source);
    } else if (err == RK_ERR_AGAIN)
        backend->cancel(backend->self, ticket);
    free_all(first);
    return err == RK_OK || err == RK_ERR_NOT_FOUND;
}

static enum rk_http_problem judge_conditions(struct rk_http_server *server, const struct rk_http_ask *ask,
                                             struct rk_http_span key, struct rk_http_refusal *refusal)
{
    const struct rk_http_backend *backend = &server->backend;
    uint64_t sequence = backend->last_sequence(backend->self);
    struct rk_http_key_state state;
    enum rk_http_verdict verdict;

    if (!look_up(server, key, &state))
        return RK_HTTP_NO_PROBLEM;
    verdict = rk_http_condition_evaluate(&ask->conditions, refusal->route->need, &state);
    if (verdict == RK_HTTP_PROCEED)
        return RK_HTTP_NO_PROBLEM;
    refusal->sequence = sequence;
    refusal->etag = verdict == RK_HTTP_FAILED ? state.sequence : 0;
    return verdict == RK_HTTP_ABSENT ? RK_HTTP_PROBLEM_NOT_FOUND : RK_HTTP_PROBLEM_CONDITION;
}

static enum rk_http_problem judge_space(struct rk_http_server *server, const struct rk_http_route *route)
{
    enum rk_err err = server->backend.accepts(server->backend.self);

    if (err == RK_ERR_READ_ONLY)
        return RK_HTTP_PROBLEM_READ_ONLY;
    return err == RK_ERR_NO_SPACE && route->need == RK_HTTP_MAKES_KEY ? RK_HTTP_PROBLEM_NO_SPACE : RK_HTTP_NO_PROBLEM;
}

/* The head is good, and so is its target. */
enum rk_http_problem rk_http_expect_judge(void *context, const struct rk_http_head *head,
                                          const struct rk_http_found *found, struct rk_http_refusal *refusal)
{
    struct rk_http_server *server = context;
    const struct rk_http_route *route = found->route;
    struct rk_http_span key = found->target.key;
    struct rk_http_line lines[RK_HTTP_FIELDS_MAX];
    char room[RK_HTTP_TARGET_MAX];
    struct rk_http_fields fields;
    struct rk_http_wrong wrong;
    struct rk_http_ask ask;
    enum rk_http_problem problem;

    if (route == NULL || route->operand == RK_HTTP_TAKES_NOTHING || route->need == RK_HTTP_READS)
        return RK_HTTP_NO_PROBLEM;
    rk_http_watch_note_awake(server);
    rk_http_route_collect(head, lines, &fields);
    if (!rk_http_target_decode(&key, route->is_legacy, room)
        || rk_http_ask_read(&fields, &found->target, route, &ask, &wrong) != RK_HTTP_NO_PROBLEM)
        return RK_HTTP_NO_PROBLEM; /* the handler says it */
    problem = judge_space(server, route);
    if (problem == RK_HTTP_NO_PROBLEM && ask.is_conditional)
        problem = judge_conditions(server, &ask, key, refusal);
    return problem;
}
