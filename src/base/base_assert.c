#include "base/base_assert.h"

#include "base/base_diag.h"

#include <stdlib.h>

void rk_assert_failed(const char *file, int line, const char *function, const char *condition)
{
    rk_diag(RK_DIAG_ERROR, "panic at %s:%d in %s(): %s does not hold", file, line, function, condition);
    abort();
}
