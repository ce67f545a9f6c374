/* What a client is told of a write that failed. Pure. */
#ifndef RK_HTTP_WRITE_PROBLEM_H
#define RK_HTTP_WRITE_PROBLEM_H

#include "base/base_err.h"
#include "http/http_problem.h"

/* Of what backend.write or a result of it says. Any thread. */
enum rk_http_problem rk_http_write_problem(enum rk_err err);

#endif
