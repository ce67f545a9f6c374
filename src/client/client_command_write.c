/* put, delete, incr, append, touch. */
#include "client/client_command.h"

#include "base/base_detail.h"
#include "client/client_buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 24 /* of a decimal number of 64 bits with its sign and its end */

static struct rk_client_request begin_request(const struct rk_client_session *session,
                                              const struct rk_client_words *words, const char *method)
{
    bool wants_head = rk_client_options_has(words->options, RK_CLIENT_OPTION_HEAD) && !session->json;

    return (struct rk_client_request){ .method = method,
                                       .key = words->key,
                                       .fields = &words->options->fields,
                                       .on_field = wants_head ? rk_client_report_field : NULL,
                                       .context = (void *)(uintptr_t)session };
}

/* Which question a command answers in JSON: was the key made by it, or was it there? An absent key is an answer then,
 * and exit code 1. */
struct question {
    const char *member;
    bool of_presence;
};

static enum rk_client_exit perform(const struct rk_client_session *session, const struct rk_client_request *request,
                                   struct question question)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_ask(session->client, request, &answer, &detail);
    json_t *object;

    if (err != RK_OK && (err != RK_ERR_NOT_FOUND || !session->json || !question.of_presence))
        return rk_client_report(session, err, &answer, &detail);
    if (session->json) {
        object = rk_client_report_begin(request->key, &answer);
        json_object_set_new(object, question.member,
                            json_boolean(question.of_presence ? err == RK_OK : answer.status == 201));
        rk_client_report_json(object);
    } else if (request->on_field == NULL) {
        rk_client_report_ok(session);
    }
    return err == RK_OK ? RK_CLIENT_EXIT_DONE : RK_CLIENT_EXIT_FAILED;
}

enum rk_client_exit rk_client_command_put(const struct rk_client_session *session, const struct rk_client_words *words)
{
    struct rk_client_request request = begin_request(session, words, "PUT");

    request.body = words->value;
    return perform(session, &request, (struct question){ "created", false });
}

enum rk_client_exit rk_client_command_append(const struct rk_client_session *session,
                                             const struct rk_client_words *words)
{
    struct rk_client_request request = begin_request(session, words, "POST");

    request.query = "op=append";
    request.body = words->value;
    return perform(session, &request, (struct question){ "created", false });
}

enum rk_client_exit rk_client_command_delete(const struct rk_client_session *session,
                                             const struct rk_client_words *words)
{
    struct rk_client_request request = begin_request(session, words, "DELETE");

    return perform(session, &request, (struct question){ "deleted", true });
}

enum rk_client_exit rk_client_command_touch(const struct rk_client_session *session,
                                            const struct rk_client_words *words)
{
    struct rk_client_request request = begin_request(session, words, "POST");

    request.query = "op=touch";
    return perform(session, &request, (struct question){ "touched", true });
}

/* ---- incr ---- */

/* A whole number of 64 bits, as it is written without ornaments. */
static bool is_number(struct rk_client_bytes text, char number_out[NUMBER_BYTES], long long *value_out)
{
    char *end;

    if (text.size == 0 || text.size >= NUMBER_BYTES)
        return false;
    memcpy(number_out, text.bytes, text.size);
    number_out[text.size] = '\0';
    if (strspn(number_out + (number_out[0] == '-'), "0123456789") != text.size - (number_out[0] == '-'))
        return false;
    errno = 0;
    *value_out = strtoll(number_out, &end, 10);
    return errno == 0 && end != number_out && *end == '\0';
}

static enum rk_client_exit refuse_number(const struct rk_client_session *session, struct rk_client_bytes text)
{
    (void)rk_client_refuse(session, "'%.*s' is no number to add; right is a whole one of 64 bits, as 1 or -20",
                           (int)(text.size < 80 ? text.size : 80), text.size > 0 ? (const char *)text.bytes : "");
    return RK_CLIENT_EXIT_USAGE;
}

static enum rk_client_exit print_number(const struct rk_client_session *session, struct rk_client_bytes key,
                                        const struct rk_client_answer *answer, const struct rk_client_buffer *value)
{
    char number[NUMBER_BYTES];
    long long n;
    struct rk_detail detail;
    json_t *object;

    if (!is_number((struct rk_client_bytes){ value->bytes, value->size }, number, &n)) {
        rk_detail_set(&detail, "the server's answer is no number; the write may have happened");
        return rk_client_report(session, RK_ERR_MISMATCH, answer, &detail);
    }
    if (!session->json) {
        puts(number);
        return RK_CLIENT_EXIT_DONE;
    }
    object = rk_client_report_begin(key, answer);
    json_object_set_new(object, "value", json_integer(n));
    rk_client_report_json(object);
    return RK_CLIENT_EXIT_DONE;
}

enum rk_client_exit rk_client_command_incr(const struct rk_client_session *session, const struct rk_client_words *words)
{
    struct rk_client_request request = begin_request(session, words, "POST");
    struct rk_client_buffer value = { .size = 0 };
    char number[NUMBER_BYTES], query[NUMBER_BYTES + 16];
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_client_exit code;
    enum rk_err err;
    long long by = 1;

    if (words->value.bytes != NULL && !is_number(words->value, number, &by))
        return refuse_number(session, words->value);
    (void)snprintf(query, sizeof query, "op=incr&by=%lld", by);
    request.query = query;
    request.sink = rk_client_buffer_append;
    request.context = &value;
    err = rk_client_ask(session->client, &request, &answer, &detail);
    code = err == RK_OK ? print_number(session, words->key, &answer, &value)
                        : rk_client_report(session, err, &answer, &detail);
    rk_client_buffer_fini(&value);
    return code;
}
