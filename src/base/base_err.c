#include "base/base_err.h"

#include "base/base_open.h"

#include <errno.h>

const char *rk_err_text(enum rk_err err)
{
    switch (err) {
#define RK_ERR_CASE(name, value, text) \
    case name:                         \
        return text;
        RK_ERR_TABLE(RK_ERR_CASE)
#undef RK_ERR_CASE
    }
    return "unknown error";
}

enum rk_err rk_err_from_errno(int errnum)
{
    switch (errnum) {
    case 0:
        return RK_OK;
    case ENOENT:
        return RK_ERR_NOT_FOUND;
    case ENOMEM:
        return RK_ERR_NO_MEMORY;
    case ENOSPC:
    case EDQUOT:
        return RK_ERR_NO_SPACE;
    case EFBIG:
        return RK_ERR_TOO_LARGE;
    case EAGAIN:
        return RK_ERR_AGAIN;
    case EMFILE:
    case ENFILE:
        return RK_ERR_LIMIT;
    case EINVAL:
        return RK_ERR_INVALID;
    case EPIPE:
    case ECONNRESET:
        return RK_ERR_CLOSED;
    default:
        return rk_open_is_no_file(errnum) ? RK_ERR_MISMATCH : RK_ERR_IO;
    }
}
