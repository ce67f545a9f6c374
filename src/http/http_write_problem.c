#include "http/http_write_problem.h"

enum rk_http_problem rk_http_write_problem(enum rk_err err)
{
    switch (err) {
    case RK_ERR_NOT_FOUND:
        return RK_HTTP_PROBLEM_NOT_FOUND;
    case RK_ERR_NO_SPACE:
        return RK_HTTP_PROBLEM_NO_SPACE;
    case RK_ERR_FULL:
        return RK_HTTP_PROBLEM_KEYDIR_FULL;
    case RK_ERR_READ_ONLY:
        return RK_HTTP_PROBLEM_READ_ONLY;
    case RK_ERR_TIMEOUT:
        return RK_HTTP_PROBLEM_TIMEOUT;
    case RK_ERR_BUSY:
        return RK_HTTP_PROBLEM_NOT_READY;
    case RK_ERR_TOO_LARGE:
        return RK_HTTP_PROBLEM_VALUE_TOO_LARGE;
    case RK_ERR_CORRUPT:
        return RK_HTTP_PROBLEM_DAMAGED;
    case RK_ERR_AGAIN:
    case RK_ERR_LIMIT:
    case RK_ERR_NO_MEMORY:
        return RK_HTTP_PROBLEM_BUSY;
    default:
        return RK_HTTP_PROBLEM_WRITE_ERROR;
    }
}
