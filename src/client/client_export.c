/* export: writes all keys with their values, one a line, as the server lists them (client_item.h). The last line says
 * that it is the last: without it the export is no whole one, and has failed. */
#include "client/client_command.h"

#include "base/base_detail.h"
#include "base/base_plural.h"
#include "client/client_item.h"
#include "client/client_progress.h"
#include "client/client_url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_BYTES 128 /* more than the last line has */

struct export
{
    char last[LAST_BYTES]; /* the beginning of the line that comes, or that came last */
    size_t last_size;      /* of the whole line */
    bool is_new;           /* the next byte begins a line */
    struct rk_client_progress progress;
};

static void keep_piece(struct export *export, const char *bytes, size_t size)
{
    size_t room = export->last_size < LAST_BYTES ? LAST_BYTES - export->last_size : 0;

    memcpy(export->last + export->last_size, bytes, size < room ? size : room);
    export->last_size += size;
}

/* Which line is the last one is known only when the next one does not come. */
static bool take_piece(void *context, const void *bytes, size_t size)
{
    struct export *export = context;
    const char *at = bytes, *end = at + size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);

        if (export->is_new) {
            rk_client_progress_add(&export->progress, export->last_size);
            export->last_size = 0;
        }
        keep_piece(export, at, len);
        export->is_new = newline != NULL;
        at += len + (newline != NULL);
    }
    return fwrite(bytes, 1, size, stdout) == size;
}

static enum rk_err ask(const struct rk_client_session *session, const char *query, struct export *export,
                       struct rk_client_answer *answer_out, struct rk_detail *detail)
{
    struct rk_client_fields fields = { .n = 0 };
    static const char type[] = "application/x-ndjson";
    const struct rk_client_request request = {
        .method = "GET", .query = query, .fields = &fields, .sink = take_piece, .context = export
    };
    uint64_t n_lines;
    enum rk_err err =
        rk_client_fields_add(&fields, "Accept", "Accept", (struct rk_client_bytes){ type, sizeof type - 1 }, detail);

    if (err == RK_OK)
        err = rk_client_ask(session->client, &request, answer_out, detail);
    rk_client_fields_fini(&fields);
    if (err != RK_OK || (export->last_size <= LAST_BYTES && rk_client_item_is_end(export->last, export->last_size)))
        return err;
    n_lines = export->progress.n_keys + (export->is_new || export->last_size > 0);
    rk_detail_set(detail,
                  "the server's listing ended without {\"complete\":true}, after %" PRIu64 " line%s: a part is missing",
                  n_lines, rk_plural(n_lines));
    return RK_ERR_CLOSED;
}

enum rk_client_exit rk_client_command_export(const struct rk_client_session *session,
                                             const struct rk_client_words *words)
{
    char *prefix = rk_client_url_encode("values=1&prefix=", words->key);
    struct export export = { .progress = { .verb = "exporting", .is_hidden = session->terminal } };
    struct rk_client_answer answer = { .status = 0 };
    struct rk_detail detail = { "out of memory" };
    enum rk_err err = RK_ERR_NO_MEMORY;

    if (prefix != NULL)
        err = ask(session, prefix, &export, &answer, &detail);
    rk_client_progress_end(&export.progress);
    free(prefix);
    return err == RK_OK ? RK_CLIENT_EXIT_DONE : rk_client_report(session, err, &answer, &detail);
}
