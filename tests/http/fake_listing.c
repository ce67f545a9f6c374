#include "fake_listing.h"

#define PIECE_BYTES 65536u

static struct rk_list_span copy(struct rk_list_buffer *buffer, struct rk_list_span span)
{
    rk_list_buffer_assign(buffer, span.at, span.len);
    return (struct rk_list_span){ buffer->bytes, buffer->len };
}

void fake_listing_init(struct fake_listing *listing, const struct rk_list_ask *ask, const struct rk_list_fill *fill)
{
    *listing = (struct fake_listing){ .fill = *fill };
    listing->ask.prefix = copy(&listing->copies[0], ask->prefix);
    listing->ask.after = copy(&listing->copies[1], ask->after);
    listing->ask.delimiter = copy(&listing->copies[2], ask->delimiter);
    listing->ask.with_values = ask->with_values;
    (void)copy(&listing->copies[3], ask->after);
}

void fake_listing_fini(struct fake_listing *listing)
{
    listing->fill.destroy(listing->fill.state);
    for (size_t i = 0; i < 4; i++)
        rk_list_buffer_fini(&listing->copies[i]);
    rk_list_buffer_fini(&listing->out);
}

static bool begins_with(struct rk_list_span key, struct rk_list_span prefix)
{
    return key.len >= prefix.len && memcmp(key.at, prefix.at, prefix.len) == 0;
}

/* Makes a prefix of the item where the delimiter is behind the one that was asked for. */
static void share(const struct fake_listing *listing, struct rk_list_item *item)
{
    const struct rk_list_ask *ask = &listing->ask;
    const uint8_t *found = ask->delimiter.len > 0
                               ? memmem(item->key.at + ask->prefix.len, item->key.len - ask->prefix.len,
                                        ask->delimiter.at, ask->delimiter.len)
                               : NULL;

    item->is_prefix = found != NULL;
    if (found != NULL)
        item->key.len = (size_t)(found - item->key.at) + ask->delimiter.len;
}

static enum rk_err next(void *self, struct rk_list_item *item_out)
{
    struct fake_listing *listing = self;
    struct rk_list_buffer *position = &listing->copies[3];
    struct rk_list_span last = { position->bytes, position->len };

    if (listing->has_moved && listing->n_left == 0)
        return RK_ERR_AGAIN;
    do {
        if (!fake_find_above(last, item_out))
            return RK_ERR_NOT_FOUND;
        last = item_out->key;
        share(listing, item_out);
    } while (!begins_with(item_out->key, listing->ask.prefix)
             || (item_out->is_prefix
                 && begins_with((struct rk_list_span){ position->bytes, position->len }, item_out->key)));
    item_out->key = copy(position, item_out->key);
    listing->has_moved = true;
    listing->n_left--;
    listing->large = item_out->value;
    if (item_out->value.len > PIECE_BYTES)
        item_out->value.at = NULL;
    return RK_OK;
}

static enum rk_err piece(void *self, struct rk_list_span *bytes_out)
{
    struct fake_listing *listing = self;

    if (listing->large.len == 0)
        return RK_ERR_NOT_FOUND;
    *bytes_out = listing->large;
    if (bytes_out->len > PIECE_BYTES)
        bytes_out->len = PIECE_BYTES;
    listing->large.at += bytes_out->len;
    listing->large.len -= bytes_out->len;
    return RK_OK;
}

static struct rk_list_span position(void *self)
{
    const struct fake_listing *listing = self;

    return (struct rk_list_span){ listing->copies[3].bytes, listing->copies[3].len };
}

enum rk_err fake_listing_run(struct fake_listing *listing, unsigned n_entries)
{
    const struct rk_list_reader reader = { .self = listing, .next = next, .piece = piece, .position = position };

    listing->n_left = n_entries == 0 ? (unsigned)-1 : n_entries;
    listing->has_moved = false;
    listing->out.len = 0;
    return listing->fill.run(listing->fill.state, &reader, &listing->out);
}
