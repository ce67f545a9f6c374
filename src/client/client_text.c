#include "client/client_text.h"

#include "base/base_mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* The length of a printable character of the locale, or 0. */
static size_t printable_len(const char *text, size_t size)
{
    mbstate_t state = { 0 };
    wchar_t character;
    size_t len;

    if (text[0] == '\n' || text[0] == '\t')
        return 1;
    len = mbrtowc(&character, text, size, &state);
    if (len == 0 || len > size) /* a zero byte; (size_t)-1 and -2: none, or only half a character */
        return 0;
    return iswprint((wint_t)character) ? len : 0;
}

static bool is_printable(struct rk_client_bytes bytes)
{
    const char *text = bytes.bytes;
    size_t at = 0;

    while (at < bytes.size) {
        size_t len = printable_len(text + at, bytes.size - at);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

void rk_client_text_print(FILE *out, struct rk_client_bytes bytes)
{
    const char *text = bytes.bytes;
    size_t at = 0;

    if (is_printable(bytes)) {
        (void)fwrite(text, 1, bytes.size, out); /* the owner of the stream looks at its error flag */
        return;
    }
    while (at < bytes.size) {
        size_t len = printable_len(text + at, bytes.size - at);

        if (len == 0)
            fprintf(out, "\\x%02x", (unsigned char)text[at]);
        else if (text[at] == '\\')
            fputs("\\\\", out);
        else
            (void)fwrite(text + at, 1, len, out);
        at += len > 0 ? len : 1;
    }
}

void rk_client_json_set_bytes(json_t *object, const char *name, struct rk_client_bytes bytes)
{
    json_t *string = json_stringn(bytes.size > 0 ? bytes.bytes : "", bytes.size);
    size_t size = sodium_base64_ENCODED_LEN(bytes.size, sodium_base64_VARIANT_ORIGINAL);
    char name64[64], *base64;

    if (string != NULL) {
        json_object_set_new(object, name, string);
        return;
    }
    base64 = malloc(size);
    if (base64 == NULL)
        return;
    sodium_bin2base64(base64, size, bytes.bytes, bytes.size, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(name64, sizeof name64, "%s64", name);
    json_object_set_new(object, name64, json_string(base64));
    free(base64);
}
