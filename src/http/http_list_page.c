#include "http/http_list_page.h"

#include "base/base_time.h"
#include "http/http_json.h"
#include "http/http_list_row.h"

#define PREFIXES64 ",\"prefixes64\":["

struct page {
    struct rk_http_list_settings settings;
    bool has_begun;
    uint64_t worked_ns;
    unsigned n_keys;
    unsigned n_entries;
    bool is_full;                     /* there are as many entries as may be */
    bool is_in_value;                 /* of a large value not all pieces have come */
    struct rk_http_list_large large;  /* is_in_value */
    struct rk_list_buffer body;       /* of a page: what is not handed over yet */
    struct rk_list_buffer after;      /* is_full: its last entry */
    struct rk_list_buffer prefixes;   /* of a page: they stand behind the keys */
    struct rk_list_buffer prefixes64; /* those that are no text */
};

/* ---- entries ---- */

static void end_row(struct page *page, struct rk_list_buffer *out)
{
    if (page->settings.is_stream)
        rk_http_json_raw(out, "\n");
}

static void add_to_prefixes(struct page *page, struct rk_list_span prefix)
{
    bool is_text = rk_http_json_is_text(prefix.at, prefix.len);
    struct rk_list_buffer *list = is_text ? &page->prefixes : &page->prefixes64;

    if (list->len > 0)
        rk_http_json_raw(list, ",");
    if (is_text) {
        rk_http_json_string(list, prefix.at, prefix.len);
        return;
    }
    rk_http_json_raw(list, "\"");
    rk_http_json_base64(list, prefix.at, prefix.len);
    rk_http_json_raw(list, "\"");
}

static enum rk_err add_prefix(struct page *page, const struct rk_list_item *item, struct rk_list_buffer *out)
{
    if (!page->settings.is_stream) {
        add_to_prefixes(page, item->key);
        return RK_OK;
    }
    rk_http_json_raw(out, "{");
    rk_http_json_member(out, "prefix", item->key.at, item->key.len);
    rk_http_json_raw(out, "}\n");
    return RK_OK;
}

static enum rk_err add_key(struct page *page, const struct rk_list_item *item, struct rk_list_buffer *out)
{
    bool with_value = page->settings.with_values;
    enum rk_err err;

    if (!page->settings.is_stream && page->n_keys > 0)
        rk_http_json_raw(out, ",");
    page->n_keys++;
    err = rk_http_list_row(out, item, with_value);
    if (err != RK_OK)
        return err;
    if (with_value && item->value.at == NULL) {
        rk_http_list_row_large_begin(out, &page->large);
        page->is_in_value = true;
        return RK_OK;
    }
    if (with_value)
        rk_http_list_row_value(out, item->value);
    end_row(page, out);
    return RK_OK;
}

static enum rk_err add_piece(struct page *page, const struct rk_list_reader *reader, struct rk_list_buffer *out)
{
    struct rk_list_span piece;
    enum rk_err err = reader->piece(reader->self, &piece);

    if (err == RK_OK)
        rk_http_list_row_large_piece(out, &page->large, piece);
    if (err != RK_ERR_NOT_FOUND)
        return err;
    rk_http_list_row_large_end(out, &page->large);
    end_row(page, out);
    page->is_in_value = false;
    return RK_OK;
}

/* RK_ERR_FULL: the page has its entries, and there is another one behind them. */
static enum rk_err add_next(struct page *page, const struct rk_list_reader *reader, struct rk_list_buffer *out)
{
    struct rk_list_item item;
    enum rk_err err;

    if (!page->settings.is_stream && page->n_entries == page->settings.limit && !page->is_full) {
        struct rk_list_span last = reader->position(reader->self);

        page->is_full = true;
        rk_list_buffer_assign(&page->after, last.at, last.len);
    }
    err = reader->next(reader->self, &item);
    if (err != RK_OK)
        return err;
    if (page->is_full)
        return RK_ERR_FULL;
    page->n_entries++;
    return item.is_prefix ? add_prefix(page, &item, out) : add_key(page, &item, out);
}

/* ---- the body ---- */

static void begin(struct page *page, struct rk_list_buffer *out)
{
    if (!page->settings.is_stream)
        rk_http_json_raw(out, "{\"keys\":[");
    page->has_begun = true;
}

static void end(struct page *page, const struct rk_list_reader *reader, struct rk_list_buffer *out, bool is_complete)
{
    struct rk_list_span after = { page->after.bytes, page->after.len };

    if (page->settings.is_stream) {
        rk_http_json_raw(out, "{\"complete\":true}\n");
        return;
    }
    if (!page->is_full)
        after = reader->position(reader->self);
    rk_http_json_raw(out, "],\"prefixes\":[");
    rk_list_buffer_append(out, page->prefixes.bytes, page->prefixes.len);
    if (page->prefixes64.len > 0) {
        rk_http_json_raw(out, "]" PREFIXES64);
        rk_list_buffer_append(out, page->prefixes64.bytes, page->prefixes64.len);
    }
    rk_http_json_raw(out, is_complete ? "],\"complete\":true," : "],\"complete\":false,");
    rk_http_json_member(out, "after", after.at, after.len);
    rk_http_json_raw(out, "}\n");
}

/* A stream has all the time; a page is not cut in a value. */
static bool is_late(const struct page *page)
{
    return !page->settings.is_stream && !page->is_in_value && page->worked_ns >= page->settings.time_ns;
}

/* RK_ERR_NOT_FOUND: the end is written. */
static enum rk_err fill(struct page *page, const struct rk_list_reader *reader, struct rk_list_buffer *out)
{
    uint64_t begin_ns = rk_time_monotonic_ns();
    enum rk_err err = RK_OK;

    if (!page->has_begun)
        begin(page, out);
    while (err == RK_OK && out->len < RK_LIST_SLICE_BYTES)
        err = page->is_in_value ? add_piece(page, reader, out) : add_next(page, reader, out);
    page->worked_ns += rk_time_monotonic_ns() - begin_ns;
    if (err == RK_ERR_AGAIN)
        err = RK_OK;
    if (err == RK_ERR_NOT_FOUND)
        end(page, reader, out, true);
    else if (err == RK_ERR_FULL || (err == RK_OK && is_late(page)))
        end(page, reader, out, false);
    else
        return err;
    return RK_ERR_NOT_FOUND;
}

/* What there is of a page waits until it is whole, so that its length can be told, or too long to wait. */
static enum rk_err run(void *state, const struct rk_list_reader *reader, struct rk_list_buffer *out)
{
    struct page *page = state;
    enum rk_err err;

    if (page->settings.is_stream)
        return fill(page, reader, out);
    err = fill(page, reader, &page->body);
    if (err == RK_ERR_NOT_FOUND || page->body.len >= RK_LIST_SLICE_BYTES) {
        rk_list_buffer_append(out, page->body.bytes, page->body.len);
        page->body.len = 0;
    }
    return err;
}

static void destroy(void *state)
{
    struct page *page = state;

    rk_list_buffer_fini(&page->body);
    rk_list_buffer_fini(&page->after);
    rk_list_buffer_fini(&page->prefixes);
    rk_list_buffer_fini(&page->prefixes64);
    free(page);
}

struct rk_list_fill rk_http_list_page(const struct rk_http_list_settings *settings)
{
    struct page *page = rk_mem_calloc(1, sizeof *page);

    page->settings = *settings;
    return (struct rk_list_fill){ .run = run, .destroy = destroy, .state = page };
}
