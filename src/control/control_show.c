/* What the answers of several verbs are made of. */
#include "control/control_private.h"

json_t *rk_control_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}

json_t *rk_control_refuse_err(enum rk_err err, const char *text)
{
    const char *name = err == RK_ERR_NOT_FOUND   ? "not_found"
                       : err == RK_ERR_BUSY      ? "busy"
                       : err == RK_ERR_INVALID   ? "invalid"
                       : err == RK_ERR_NO_SPACE  ? "no_space"
                       : err == RK_ERR_READ_ONLY ? "read_only"
                       : err == RK_ERR_CLOSED    ? "stopping"
                                                 : "failed";

    return rk_control_refuse(name, "%s", text[0] != '\0' ? text : rk_err_text(err));
}
