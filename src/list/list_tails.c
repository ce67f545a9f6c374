#include "list/list_tails.h"

#include "base/base_assert.h"

#define SHARE_MIN_BYTES (1u << 20)

void rk_list_tails_init(struct rk_list_tails *tails, size_t bytes_max)
{
    *tails = (struct rk_list_tails){ .bytes_max = bytes_max };
}

void rk_list_tails_fini(struct rk_list_tails *tails)
{
    for (size_t i = 0; i < tails->n; i++)
        rk_list_tail_destroy(&tails->tails[i]);
    free(tails->tails);
    *tails = (struct rk_list_tails){ .n = 0 };
}

static struct rk_list_tail *find(const struct rk_list_tails *tails, uint32_t file_number)
{
    for (size_t i = 0; i < tails->n; i++)
        if (tails->tails[i]->file_number == file_number)
            return tails->tails[i];
    return NULL;
}

/* Mostly there is one, and a second one for a while: the first may take nearly all, and the others what is left, or a
 * little. */
static size_t share_of_new(const struct rk_list_tails *tails)
{
    size_t used = 0, share;

    for (size_t i = 0; i < tails->n; i++)
        used += rk_list_order_bytes(tails->tails[i]->order);
    share = used < tails->bytes_max ? (tails->bytes_max - used) / 8 * 7 : 0;
    return share > SHARE_MIN_BYTES ? share : tails->bytes_max < SHARE_MIN_BYTES ? tails->bytes_max : SHARE_MIN_BYTES;
}

static struct rk_list_tail *add(struct rk_list_tails *tails, uint32_t file_number)
{
    struct rk_list_tail *tail = rk_list_tail_create(file_number, share_of_new(tails));

    tails->tails = rk_mem_resize(tails->tails, tails->n + 1, sizeof *tails->tails);
    tails->tails[tails->n++] = tail;
    return tail;
}

struct rk_list_tail *rk_list_tails_take(struct rk_list_tails *tails, uint32_t file_number, bool is_sealed)
{
    struct rk_list_tail *tail = find(tails, file_number);

    if (tail == NULL)
        tail = add(tails, file_number);
    tail->is_sealed = is_sealed;
    tail->n_users++;
    return tail;
}

void rk_list_tails_give_back(struct rk_list_tails *tails, struct rk_list_tail *tail)
{
    RK_ASSERT(find(tails, tail->file_number) == tail && tail->n_users > 0);
    tail->n_users--;
}

void rk_list_tails_distrust(struct rk_list_tails *tails, uint32_t file_number)
{
    struct rk_list_tail *tail = find(tails, file_number);

    if (tail == NULL)
        tail = add(tails, file_number);
    tail->has_bad_keys = true;
}

bool rk_list_tails_distrusts(const struct rk_list_tails *tails, uint32_t file_number)
{
    const struct rk_list_tail *tail = find(tails, file_number);

    return tail != NULL && tail->has_bad_keys;
}

static bool has_number(const uint32_t *files, size_t n_files, uint32_t file_number)
{
    for (size_t i = 0; i < n_files; i++)
        if (files[i] == file_number)
            return true;
    return false;
}

void rk_list_tails_forget(struct rk_list_tails *tails, const uint32_t *files, size_t n_files)
{
    size_t n_kept = 0;

    for (size_t i = 0; i < tails->n; i++) {
        struct rk_list_tail *tail = tails->tails[i];

        if (tail->n_users > 0 || (tail->has_bad_keys && has_number(files, n_files, tail->file_number)))
            tails->tails[n_kept++] = tail;
        else
            rk_list_tail_destroy(&tail);
    }
    tails->n = n_kept;
}
