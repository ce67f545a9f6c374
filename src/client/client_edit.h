/* Lines from a person at a terminal, over libedit: editing, history, completion of the first word. One at a time. */
#ifndef RK_CLIENT_EDIT_H
#define RK_CLIENT_EDIT_H

#include <stdbool.h>
#include <stddef.h>

struct rk_client_edit;

/* `words` ends with NULL and outlives the editor, as does the prompt. Without a path (NULL) the history ends with the
 * process. NULL where the terminal can't be edited on. */
struct rk_client_edit *rk_client_edit_create(const char *prompt, const char *history_path, const char *const *words);
void rk_client_edit_destroy(struct rk_client_edit **edit);

/* The next line with its size, valid until the next call; NULL at the end of input. It is in the history, and the
 * history in its file, before it is returned. */
const char *rk_client_edit_read(struct rk_client_edit *edit, size_t *size_out);

/* What completes `prefix` (`len` bytes, in any case) among the words: the number of words that begin with it, the first
 * of them in *first_out, and in *common_out how many bytes all of them share. Pure. */
size_t rk_client_edit_complete(const char *const *words, const char *prefix, size_t len, const char **first_out,
                               size_t *common_out);

#endif
