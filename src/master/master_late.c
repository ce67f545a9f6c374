#include "master/master_late.h"

#include "base/base_diag.h"
#include "base/base_time.h"

#include <string.h>

enum rk_err rk_master_late_start(struct rk_master_late *late, struct rk_detail *detail)
{
    enum rk_err err = late->take(late->owner, detail);

    late->is_missing = err == RK_ERR_NO_SPACE;
    if (!late->is_missing)
        return err;
    late->tried_ns = rk_time_monotonic_ns();
    late->told = *detail;
    detail->text[0] = '\0'; /* it is no reason not to start */
    rk_diag(RK_DIAG_ERROR, "%s: the server starts without %s, and tries again every %d s until there is room",
            late->told.text, late->what, RK_MASTER_LATE_EVERY_S);
    return RK_OK;
}

void rk_master_late_tick(struct rk_master_late *late, uint64_t now_ns)
{
    struct rk_detail detail = { .text = "" };

    if (!late->is_missing || now_ns - late->tried_ns < RK_MASTER_LATE_EVERY_S * RK_NS_PER_S)
        return;
    late->tried_ns = now_ns;
    late->is_missing = late->take(late->owner, &detail) != RK_OK;
    if (!late->is_missing) {
        rk_diag(RK_DIAG_INFO, "there is room again for %s: it is there now", late->what);
    } else if (strcmp(detail.text, late->told.text) != 0) {
        late->told = detail;
        rk_diag(RK_DIAG_ERROR, "%s: the server goes on without %s, and tries again every %d s", detail.text, late->what,
                RK_MASTER_LATE_EVERY_S);
    }
}
