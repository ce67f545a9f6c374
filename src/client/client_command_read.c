/* get, exists, and the shell's OPEN. */
#include "client/client_command.h"

#include "base/base_detail.h"
#include "client/client_buffer.h"
#include "client/client_text.h"

#include <string.h>

static bool write_out(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stdout) == size;
}

/* Bytes as they come, in whatever size. */
static enum rk_client_exit get_raw(const struct rk_client_session *session, const struct rk_client_words *words)
{
    const struct rk_client_request request = {
        .method = "GET", .key = words->key, .fields = &words->options->fields, .sink = write_out
    };
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_ask(session->client, &request, &answer, &detail);

    if (err != RK_OK)
        return rk_client_report(session, err, &answer, &detail);
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
    json_t *object = rk_client_report_begin(key, answer);

    if (answer->content_type[0] != '\0')
        json_object_set_new(object, "content_type", json_string(answer->content_type));
    rk_client_json_set_bytes(object, "value", value);
    rk_client_report_json(object);
}

static enum rk_client_exit get_whole(const struct rk_client_session *session, const struct rk_client_words *words)
{
    struct rk_client_buffer value = { .size = 0 };
    const struct rk_client_request request = { .method = "GET",
                                               .key = words->key,
                                               .fields = &words->options->fields,
                                               .sink = rk_client_buffer_append,
                                               .context = &value };
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_client_exit code = RK_CLIENT_EXIT_DONE;
    enum rk_err err = rk_client_ask(session->client, &request, &answer, &detail);

    if (err != RK_OK)
        code = rk_client_report(session, err, &answer, &detail);
    else if (session->json)
        print_value_json(words->key, (struct rk_client_bytes){ value.bytes, value.size }, &answer);
    else
        print_value((struct rk_client_bytes){ value.bytes, value.size });
    rk_client_buffer_fini(&value);
    return code;
}

static void collect_field(void *fields, const char *name, const char *value)
{
    rk_client_json_set_bytes(fields, name, (struct rk_client_bytes){ value, strlen(value) });
}

/* What is stored with the value, and not the value. */
static enum rk_client_exit get_head(const struct rk_client_session *session, const struct rk_client_words *words)
{
    struct rk_client_request request = { .method = "HEAD", .key = words->key, .fields = &words->options->fields };
    json_t *fields = json_object(), *object;
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err;

    request.on_field = session->json ? collect_field : rk_client_report_field;
    request.context = session->json ? (void *)fields : (void *)(uintptr_t)session;
    err = rk_client_ask(session->client, &request, &answer, &detail);
    if (err == RK_OK && session->json) {
        object = rk_client_report_begin(words->key, &answer);
        json_object_set(object, "head", fields);
        rk_client_report_json(object);
    }
    json_decref(fields);
    return err == RK_OK ? RK_CLIENT_EXIT_DONE : rk_client_report(session, err, &answer, &detail);
}

enum rk_client_exit rk_client_command_get(const struct rk_client_session *session, const struct rk_client_words *words)
{
    if (!rk_client_options_has(words->options, RK_CLIENT_OPTION_HEAD))
        return session->json || session->terminal ? get_whole(session, words) : get_raw(session, words);
    if (!rk_client_options_has(words->options, RK_CLIENT_OPTION_RANGE))
        return get_head(session, words);
    (void)rk_client_refuse(session,
                           "--range is for a part of the value, and with --head no value comes: one of the two");
    return RK_CLIENT_EXIT_USAGE;
}

/* Says nothing without --json: the exit code is the answer. */
enum rk_client_exit rk_client_command_exists(const struct rk_client_session *session,
                                             const struct rk_client_words *words)
{
    const struct rk_client_request request = { .method = "HEAD", .key = words->key, .fields = &words->options->fields };
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_ask(session->client, &request, &answer, &detail);
    json_t *object;

    if (err != RK_OK && err != RK_ERR_NOT_FOUND)
        return rk_client_report(session, err, &answer, &detail);
    if (session->json) {
        object = rk_client_report_begin(words->key, &answer);
        json_object_set_new(object, "exists", json_boolean(err == RK_OK));
        rk_client_report_json(object);
    } else if (session->shell) {
        puts(err == RK_OK ? "yes" : "no");
    }
    return err == RK_OK ? RK_CLIENT_EXIT_DONE : RK_CLIENT_EXIT_FAILED;
}

enum rk_client_exit rk_client_command_open(const struct rk_client_session *session)
{
    struct rk_client_answer answer;
    struct rk_detail detail;
    enum rk_err err = rk_client_open(session->client, &answer, &detail);

    if (err != RK_OK)
        return rk_client_report(session, err, &answer, &detail);
    if (session->json)
        rk_client_report_json(json_pack("{s:s}", "connected", rk_client_url(session->client)));
    else
        printf("OK: connected to %s\n", rk_client_url(session->client));
    return RK_CLIENT_EXIT_DONE;
}
