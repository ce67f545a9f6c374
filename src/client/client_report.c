#include "client/client_report.h"

#include "base/base_detail.h"
#include "client/client_text.h"

#include <stdarg.h>
#include <string.h>

void rk_client_report_json(json_t *object)
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

static struct rk_client_bytes bytes_of(const char *text)
{
    return (struct rk_client_bytes){ text, strlen(text) };
}

/* Others' words may be in it, a server's or a key: bytes that are no text, or that would move a cursor. */
static void print_error(const struct rk_client_session *session, const struct rk_detail *detail)
{
    if (session->line > 0)
        fprintf(stderr, "rackkv: line %zu: ", session->line);
    else if (!session->shell)
        fputs("rackkv: ", stderr);
    rk_client_text_print(stderr, bytes_of(detail->text));
    fputc('\n', stderr);
}

enum rk_client_exit rk_client_report(const struct rk_client_session *session, enum rk_err err,
                                     const struct rk_client_answer *answer, const struct rk_detail *detail)
{
    json_t *object;

    if (session->json) {
        object = json_pack("{s:s}", "error", outcome_of(err).name);
        rk_client_json_set_bytes(object, "detail", bytes_of(detail->text));
        if (err == RK_ERR_PRECONDITION && answer != NULL && answer->etag[0] != '\0')
            rk_client_json_set_bytes(object, "etag", bytes_of(answer->etag));
        rk_client_report_json(object);
    } else {
        print_error(session, detail);
    }
    return outcome_of(err).code;
}

enum rk_client_exit rk_client_refuse(const struct rk_client_session *session, const char *format, ...)
{
    char text[RK_DETAIL_BYTES];
    struct rk_detail detail;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rk_detail_set(&detail, "%s", text);
    return rk_client_report(session, RK_ERR_INVALID, NULL, &detail);
}

void rk_client_report_ok(const struct rk_client_session *session)
{
    if (session->shell && !session->json)
        puts("OK");
}

json_t *rk_client_report_begin(struct rk_client_bytes key, const struct rk_client_answer *answer)
{
    json_t *object = json_object();

    rk_client_json_set_bytes(object, "key", key);
    if (answer->sequence != 0)
        json_object_set_new(object, "seq", json_integer((json_int_t)answer->sequence));
    if (answer->etag[0] != '\0')
        json_object_set_new(object, "etag", json_string(answer->etag));
    return object;
}

static void print_bytes(const struct rk_client_session *session, const char *text)
{
    if (session->terminal)
        rk_client_text_print(stdout, bytes_of(text));
    else
        (void)fputs(text, stdout); /* rk_client_finish sees whether it arrived */
}

void rk_client_report_field(void *session, const char *name, const char *value)
{
    print_bytes(session, name);
    (void)fputs(": ", stdout);
    print_bytes(session, value);
    (void)fputc('\n', stdout);
}
