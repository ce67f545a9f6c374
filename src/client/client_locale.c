#include "client/client_locale.h"

#include <langinfo.h>
#include <locale.h>
#include <stddef.h>
#include <string.h>

void rk_client_locale_set_up(void)
{
    if (setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return;
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* a system without it stays with what it has */
}
