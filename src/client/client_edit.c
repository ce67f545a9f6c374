#include "client/client_edit.h"

#include "base/base_mem.h"
#include "base/base_open.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES 1000

struct rk_client_edit {
    EditLine *line;
    History *history;
    HistEvent event;
    const char *prompt;
    char *history_path; /* NULL: none */
    const char *const *words;
};

size_t rk_client_edit_complete(const char *const *words, const char *prefix, size_t len, const char **first_out,
                               size_t *common_out)
{
    size_t n_found = 0;

    for (; *words != NULL; words++) {
        if (strncasecmp(*words, prefix, len) != 0)
            continue;
        if (n_found++ == 0) {
            *first_out = *words;
            *common_out = strlen(*words);
        }
        while (strncmp(*words, *first_out, *common_out) != 0)
            (*common_out)--;
    }
    return n_found;
}

static struct rk_client_edit *self_of(EditLine *line)
{
    void *self = NULL;

    (void)el_get(line, EL_CLIENTDATA, &self); /* was set when the line was made */
    return self;
}

static const char *on_prompt(EditLine *line)
{
    return self_of(line)->prompt;
}

static void list_words(const struct rk_client_edit *self, const char *prefix, size_t len)
{
    putchar('\n');
    for (const char *const *word = self->words; *word != NULL; word++)
        if (strncasecmp(*word, prefix, len) == 0)
            printf("%s  ", *word);
    putchar('\n');
    (void)fflush(stdout);
}

/* Puts in what is missing, in the case in which the word was begun. */
static void insert_rest(EditLine *line, const char *word, size_t from, size_t to, bool lower, bool whole)
{
    char rest[32];
    size_t used = 0;

    for (; from < to && used + 2 < sizeof rest; from++)
        rest[used++] = lower ? (char)tolower((unsigned char)word[from]) : word[from];
    if (whole)
        rest[used++] = ' ';
    rest[used] = '\0';
    if (used > 0)
        (void)el_insertstr(line, rest); /* a line without room for it stays as it is */
}

static unsigned char on_complete(EditLine *line, wint_t key)
{
    const struct rk_client_edit *self = self_of(line);
    const LineInfo *info = el_line(line);
    size_t len = (size_t)(info->cursor - info->buffer), common = 0;
    const char *word = NULL;
    size_t n_found;

    if (memchr(info->buffer, ' ', len) != NULL) /* past the command: keys are not known here */
        return CC_ERROR;
    n_found = rk_client_edit_complete(self->words, info->buffer, len, &word, &common);
    if (n_found == 0)
        return CC_ERROR;
    if (n_found > 1 && common == len) {
        list_words(self, info->buffer, len);
        return CC_REDISPLAY;
    }
    insert_rest(line, word, len, common, len > 0 && islower((unsigned char)info->buffer[0]), n_found == 1);
    return CC_REFRESH;
}

/* Whether a history can be kept there; libedit would wait for the other end of a FIFO. */
static bool is_file_or_nothing(const char *path)
{
    int fd = rk_open_file(AT_FDCWD, path, O_RDONLY, 0);

    if (fd >= 0)
        (void)close(fd); /* it was only looked at */
    else if (errno != ENOENT)
        (void)fprintf(stderr, "rackkv: %s: %s; no history is kept\n", path, rk_open_text(errno));
    return fd >= 0 || errno == ENOENT;
}

static void set_up_history(struct rk_client_edit *self, const char *path)
{
    self->history = history_init();
    if (self->history == NULL)
        return;
    (void)history(self->history, &self->event, H_SETSIZE, HISTORY_LINES);
    (void)history(self->history, &self->event, H_SETUNIQUE, 1);
    (void)el_set(self->line, EL_HIST, history, self->history);
    if (path != NULL && is_file_or_nothing(path)) {
        self->history_path = rk_mem_strdup(path);
        (void)history(self->history, &self->event, H_LOAD, path); /* there is none the first time */
    }
}

struct rk_client_edit *rk_client_edit_create(const char *prompt, const char *history_path, const char *const *words)
{
    struct rk_client_edit *self = rk_mem_calloc(1, sizeof *self);

    self->prompt = prompt;
    self->words = words;
    self->line = el_init("rackkv", stdin, stdout, stderr);
    if (self->line == NULL) {
        rk_client_edit_destroy(&self);
        return NULL;
    }
    (void)el_set(self->line, EL_CLIENTDATA, self);
    (void)el_set(self->line, EL_PROMPT, on_prompt);
    (void)el_set(self->line, EL_EDITOR, "emacs");
    (void)el_set(self->line, EL_SIGNAL, 1); /* the terminal is put right before a signal ends us */
    /* The wide form keeps these strings; the narrow one copies them and never frees the copies. */
    (void)el_wset(self->line, EL_ADDFN, L"rackkv-complete", L"complete a command", on_complete);
    (void)el_set(self->line, EL_BIND, "^I", "rackkv-complete", NULL);
    (void)el_set(self->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    set_up_history(self, history_path);
    (void)el_source(self->line, NULL); /* ~/.editrc may bind keys otherwise */
    return self;
}

void rk_client_edit_destroy(struct rk_client_edit **edit)
{
    struct rk_client_edit *self = *edit;

    if (self == NULL)
        return;
    if (self->line != NULL)
        el_end(self->line);
    if (self->history != NULL)
        history_end(self->history);
    free(self->history_path);
    free(self);
    *edit = NULL;
}

const char *rk_client_edit_read(struct rk_client_edit *edit, size_t *size_out)
{
    int size = 0;
    const char *line = el_gets(edit->line, &size);

    if (line == NULL || size <= 0)
        return NULL;
    *size_out = (size_t)size;
    if (edit->history != NULL && strspn(line, " \t\r\n") < (size_t)size) {
        (void)history(edit->history, &edit->event, H_ENTER, line);
        if (edit->history_path != NULL) /* libedit makes it its owner's alone; no history is no reason to stop */
            (void)history(edit->history, &edit->event, H_SAVE, edit->history_path);
    }
    return line;
}
