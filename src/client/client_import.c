/* import: stores what stands in a file, a key a line (client_item.h).
 *
 * A sync for each line would make its time the disk's, so each line is answered when it is written, and the last one
 * when it is synced, which makes all before it durable as well. So a line is held back until the next one is there, or
 * the end. The first line that is wrong or refused ends it: what stands before is stored, nothing behind it. */
#include "client/client_command.h"

#include "base/base_detail.h"
#include "base/base_open.h"
#include "base/base_plural.h"
#include "client/client_item.h"
#include "client/client_progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct import {
    const struct rk_client_session *session;
    const char *name;       /* of the file */
    const char *durability; /* of every line; NULL: as above */
    size_t line;            /* the one that was read last, from 1 */
    struct rk_client_item held;
    size_t held_line; /* 0: none is */
    size_t held_size;
    uint64_t n_stored;
    bool is_listed, is_ended;
    struct rk_client_answer answer; /* to the last request */
    struct rk_client_progress progress;
};

static enum rk_err store_held(struct import *import, const char *durability, struct rk_detail *detail)
{
    struct rk_client_item *item = &import->held;
    struct rk_client_request request = { .method = "PUT",
                                         .key = { item->key.bytes, item->key.size },
                                         .fields = &item->fields,
                                         .body = { item->value.bytes, item->value.size } };
    const char *said = import->durability != NULL ? import->durability : durability;
    enum rk_err err;

    if (import->held_line == 0)
        return RK_OK;
    err = rk_client_fields_add(&item->fields, "durability", "RackKV-Durability",
                               (struct rk_client_bytes){ said, strlen(said) }, detail);
    if (err == RK_OK)
        err = rk_client_ask(import->session->client, &request, &import->answer, detail);
    if (err != RK_OK) {
        rk_detail_wrap(detail, "%s: line %zu", import->name, import->held_line);
    } else {
        import->n_stored++;
        rk_client_progress_add(&import->progress, import->held_size);
    }
    import->held_line = 0;
    rk_client_item_fini(item);
    return err;
}

/* An item that was read: what was held is stored, and this is held. */
static enum rk_err hold(struct import *import, struct rk_client_item *item, size_t size, struct rk_detail *detail)
{
    enum rk_err err = store_held(import, "written", detail);

    if (err != RK_OK) {
        rk_client_item_fini(item);
        return err;
    }
    import->held = *item;
    import->held_line = import->line;
    import->held_size = size;
    import->is_listed |= item->is_listed;
    return RK_OK;
}

static enum rk_err take_line(struct import *import, const char *line, size_t size, struct rk_detail *detail)
{
    struct rk_client_item item;
    enum rk_err err;

    if (strspn(line, " \t\r\n") == size)
        return RK_OK;
    err = rk_client_item_parse(&item, line, size, detail);
    if (err == RK_OK && import->is_ended) {
        rk_detail_set(detail, "a line behind the end, which is {\"complete\":true}");
        err = RK_ERR_INVALID;
    }
    if (err == RK_OK && !item.is_end)
        return hold(import, &item, size, detail);
    import->is_ended |= item.is_end;
    rk_client_item_fini(&item);
    if (err != RK_OK)
        rk_detail_wrap(detail, "%s: line %zu", import->name, import->line);
    return err;
}

static enum rk_err take_lines(struct import *import, FILE *in, struct rk_detail *detail)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    enum rk_err err = RK_OK;

    while (err == RK_OK && (size = getline(&line, &capacity, in)) >= 0) {
        import->line++;
        err = take_line(import, line, (size_t)size, detail);
    }
    if (err == RK_OK && feof(in) == 0) {
        rk_detail_set(detail, "%s: line %zu: %s", import->name, import->line + 1, strerror(errno));
        err = RK_ERR_IO;
    }
    free(line);
    return err;
}

/* An export that has no end was cut off, and what it lacks nobody knows. */
static enum rk_err check_end(const struct import *import, struct rk_detail *detail)
{
    if (!import->is_listed || import->is_ended)
        return RK_OK;
    rk_detail_set(detail, "%s: the export ends without {\"complete\":true}: a part of it is missing", import->name);
    return RK_ERR_INVALID;
}

static enum rk_client_exit finish(struct import *import, enum rk_err err, struct rk_detail *detail)
{
    struct rk_detail before = *detail;

    rk_client_progress_end(&import->progress);
    if (err != RK_OK) {
        rk_detail_set(detail, "%.600s; %" PRIu64 " key%s stored before that", before.text, import->n_stored,
                      import->n_stored == 1 ? " was" : "s were");
        return rk_client_report(import->session, err, &import->answer, detail);
    }
    if (import->session->json)
        rk_client_report_json(json_pack("{s:I}", "imported", (json_int_t)import->n_stored));
    else if (import->session->terminal)
        printf("%" PRIu64 " key%s imported\n", import->n_stored, rk_plural(import->n_stored));
    return RK_CLIENT_EXIT_DONE;
}

static enum rk_client_exit import_from(struct import *import, FILE *in)
{
    struct rk_detail detail = { "" }, last_detail;
    enum rk_err err = take_lines(import, in, &detail), last_err;

    last_err = store_held(import, "synced", err == RK_OK ? &detail : &last_detail);
    if (err == RK_OK)
        err = last_err;
    if (err == RK_OK)
        err = check_end(import, &detail);
    return finish(import, err, &detail);
}

/* NULL with a detail. */
static FILE *open_input(struct import *import, struct rk_detail *detail)
{
    struct stat status = { .st_size = 0 };
    int fd = rk_open_file(AT_FDCWD, import->name, O_RDONLY, 0);
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;

    if (in == NULL) {
        rk_detail_set(detail, "%s: %s; standard input is -", import->name, rk_open_text(errno));
        return NULL;
    }
    if (fstat(fd, &status) == 0 && status.st_size > 0)
        import->progress.total_bytes = (uint64_t)status.st_size;
    return in;
}

enum rk_client_exit rk_client_command_import(const struct rk_client_session *session,
                                             const struct rk_client_words *words)
{
    struct import import = { .session = session,
                             .name = words->key.bytes,
                             .durability = rk_client_fields_get(&words->options->fields, "RackKV-Durability"),
                             .progress = { .verb = "importing" } };
    struct rk_detail detail;
    enum rk_client_exit code;
    FILE *in;

    if (import.name == NULL || strcmp(import.name, "-") == 0) {
        import.name = "standard input";
        return import_from(&import, stdin);
    }
    in = open_input(&import, &detail);
    if (in == NULL)
        return rk_client_report(session, RK_ERR_IO, NULL, &detail);
    code = import_from(&import, in);
    (void)fclose(in); /* it was only read */
    return code;
}
