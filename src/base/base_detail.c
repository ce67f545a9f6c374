#include "base/base_detail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rk_detail_set(struct rk_detail *detail, const char *format, ...)
{
    va_list args;

    if (detail == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(detail->text, sizeof detail->text, format, args); /* a text that is cut is still worth printing */
    va_end(args);
}

void rk_detail_wrap(struct rk_detail *detail, const char *format, ...)
{
    char inner[RK_DETAIL_BYTES];
    va_list args;
    size_t used;

    if (detail == NULL)
        return;
    memcpy(inner, detail->text, sizeof inner);
    va_start(args, format);
    (void)vsnprintf(detail->text, sizeof detail->text, format, args);
    va_end(args);
    used = strlen(detail->text);
    (void)snprintf(detail->text + used, sizeof detail->text - used, ": %s", inner);
}
