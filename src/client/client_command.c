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

static const char *name_of(enum rk_err err)
{
    return err == RK_ERR_NOT_FOUND ? "not_found"
           : err == RK_ERR_CLOSED  ? "unreachable"
           : err == RK_ERR_INVALID ? "refused"
                                   : "failed";
}

enum rk_client_exit rk_client_report(const struct rk_client_session *session, enum rk_err err,
                                     const struct rk_detail *detail)
{
    if (session->json)
        print_json(json_pack("{s:s, s:s?}", "error", name_of(err), "detail", detail->text));
    else if (session->line > 0)
        fprintf(stderr, "rackkv: line %zu: %s\n", session->line, detail->text);
    else if (session->shell)
        fprintf(stderr, "%s\n", detail->text);
    else
        fprintf(stderr, "rackkv: %s\n", detail->text);
    return err == RK_ERR_CLOSED ? RK_CLIENT_EXIT_UNREACHABLE : RK_CLIENT_EXIT_FAILED;
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

    /* 404: a server with http.legacy: off. It answered, and that is the question. */
    if (err != RK_OK && err != RK_ERR_NOT_FOUND)
        return rk_client_report(session, err, &detail);
    if (session->json)
        print_json(json_pack("{s:s}", "connected", rk_client_url(session->client)));
    else
        printf("OK: connected to %s\n", rk_client_url(session->client));
    return RK_CLIENT_EXIT_DONE;
}
