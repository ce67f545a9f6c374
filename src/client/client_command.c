#include "client/client_command.h"

#include "base/base_detail.h"
#include "client/client_buffer.h"
#include "client/client_text.h"

#include <string.h>

static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT); /* rk_client_finish sees whether it arrived */
    (void)fputc('\n', stdout);
    json_decref(object);
}

/* How a command ends: the exit code, and the word for programs. What is not in the table has failed. */
static const struct outcome {
    enum rk_err err;
    enum rk_client_exit code;
    const char *name;
} outcomes[] = {
    { RK_ERR_NOT_FOUND, RK_CLIENT_EXIT_FAILED, "not_found" },
    { RK_ERR_INVALID, RK_CLIENT_EXIT_FAILED, "refused" },
    { RK_ERR_CLOSED, RK_CLIENT_EXIT_UNREACHABLE, "unreachable" },
    { RK_ERR_TIMEOUT, RK_CLIENT_EXIT_UNREACHABLE, "timeout" },
    { RK_ERR_MISMATCH, RK_CLIENT_EXIT_UNREACHABLE, "not_rackkv" },
    { RK_ERR_PRECONDITION, RK_CLIENT_EXIT_CONDITION, "condition_failed" },
    { RK_ERR_DENIED, RK_CLIENT_EXIT_DENIED, "not_allowed" },
};

static struct outcome outcome_of(enum rk_err err)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (outcomes[i].err == err)
            return outcomes[i];
    return (struct outcome){ err, RK_CLIENT_EXIT_FAILED, "failed" };
}

/* Others' words may be in it, a server's or a key: bytes that are no text, or that would move a cursor. */
static void print_error(const struct rk_client_session *session, const struct rk_detail *detail)
{
    if (session->line > 0)
        fprintf(stderr, "rackkv: line %zu: ", session->line);
    else if (!session->shell)
        fputs("rackkv: ", stderr);
    rk_client_text_print(stderr, (struct rk_client_bytes){ detail->text, strlen(detail->text) });
    fputc('\n', stderr);
}

enum rk_client_exit rk_client_report(const struct rk_client_session *session, enum rk_err err,
                                     const struct rk_detail *detail)
{
    json_t *object;

    if (session->json) {
        object = json_pack("{s:s}", "error", outcome_of(err).name);
        rk_client_json_set_bytes(object, "detail", (struct rk_client_bytes){ detail->text, strlen(detail->text) });
        print_json(object);
    } else {
        print_error(session, detail);
    }
    return outcome_of(err).code;
}

static void say_ok(const struct rk_client_session *session)
{
    if (session->shell && !session->json)
        puts("OK");
}

/* {"key":..., "seq":...}: what every answer in JSON begins with. */
static json_t *begin_json(struct rk_client_bytes key, const struct rk_client_answer *answer)
{
    json_t *object = json_object();

    rk_client_json_set_bytes(object, "key", key);
    if (answer->sequence != 0)
        json_object_set_new(object, "seq", json_integer((json_int_t)answer->sequence));
    if (answer->etag[0] != '\0')
        json_object_set_new(object, "etag", json_string(answer->etag));
    return object;
}

enum rk_client_exit rk_client_command_put(const struct rk_client_session *session, struct rk_client_bytes key,
                                          struct rk_client_bytes value)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_put(session->client, key, value, &answer, &detail);
    json_t *object;

    if (err != RK_OK)
        return rk_client_report(session, err, &detail);
    if (session->json) {
        object = begin_json(key, &answer);
        json_object_set_new(object, "created", json_boolean(answer.status == 201));
        print_json(object);
    }
    say_ok(session);
    return RK_CLIENT_EXIT_DONE;
}

static bool write_out(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stdout) == size;
}

/* Bytes as they come, in whatever size. */
static enum rk_client_exit get_raw(const struct rk_client_session *session, struct rk_client_bytes key)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_get(session->client, key, write_out, NULL, &answer, &detail);

    if (err != RK_OK)
        return rk_client_report(session, err, &detail);
    if (session->shell)
        (void)fputc('\n', stdout);
    return RK_CLIENT_EXIT_DONE;
}

static void print_value(struct rk_client_bytes value)
{
    const char *bytes = value.bytes;

    rk_client_text_print(stdout, value);
    if (value.size == 0 || bytes[value.size - 1] != '\n')
        (void)fputc('\n', stdout);
}

static void print_value_json(struct rk_client_bytes key, struct rk_client_bytes value,
                             const struct rk_client_answer *answer)
{
    json_t *object = begin_json(key, answer);

    if (answer->content_type[0] != '\0')
        json_object_set_new(object, "content_type", json_string(answer->content_type));
    rk_client_json_set_bytes(object, "value", value);
    print_json(object);
}

enum rk_client_exit rk_client_command_get(const struct rk_client_session *session, struct rk_client_bytes key)
{
    struct rk_client_buffer value = { .size = 0 };
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_client_exit code = RK_CLIENT_EXIT_DONE;
    enum rk_err err;

    if (!session->json && !session->terminal)
        return get_raw(session, key);
    err = rk_client_get(session->client, key, rk_client_buffer_append, &value, &answer, &detail);
    if (err != RK_OK)
        code = rk_client_report(session, err, &detail);
    else if (session->json)
        print_value_json(key, (struct rk_client_bytes){ value.bytes, value.size }, &answer);
    else
        print_value((struct rk_client_bytes){ value.bytes, value.size });
    rk_client_buffer_fini(&value);
    return code;
}

/* An absent key is an answer in JSON, and exit code 1. */
static enum rk_client_exit answer_json(struct rk_client_bytes key, const char *member, bool present,
                                       const struct rk_client_answer *answer)
{
    json_t *object = begin_json(key, answer);

    json_object_set_new(object, member, json_boolean(present));
    print_json(object);
    return present ? RK_CLIENT_EXIT_DONE : RK_CLIENT_EXIT_FAILED;
}

enum rk_client_exit rk_client_command_delete(const struct rk_client_session *session, struct rk_client_bytes key)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_delete(session->client, key, &answer, &detail);

    if (session->json && (err == RK_OK || err == RK_ERR_NOT_FOUND))
        return answer_json(key, "deleted", err == RK_OK, &answer);
    if (err != RK_OK)
        return rk_client_report(session, err, &detail);
    say_ok(session);
    return RK_CLIENT_EXIT_DONE;
}

/* Says nothing without --json: the exit code is the answer. */
enum rk_client_exit rk_client_command_exists(const struct rk_client_session *session, struct rk_client_bytes key)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_exists(session->client, key, &answer, &detail);

    if (err != RK_OK && err != RK_ERR_NOT_FOUND)
        return rk_client_report(session, err, &detail);
    if (session->json)
        return answer_json(key, "exists", err == RK_OK, &answer);
    return err == RK_OK ? RK_CLIENT_EXIT_DONE : RK_CLIENT_EXIT_FAILED;
}

enum rk_client_exit rk_client_command_open(const struct rk_client_session *session)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_open(session->client, &answer, &detail);

    if (err != RK_OK)
        return rk_client_report(session, err, &detail);
    if (session->json)
        print_json(json_pack("{s:s}", "connected", rk_client_url(session->client)));
    else
        printf("OK: connected to %s\n", rk_client_url(session->client));
    return RK_CLIENT_EXIT_DONE;
}
