/* The other end of the control socket (src/control): one connection, one request at a time. One thread; the calls
 * block: each for a minute at most, or all of them together for as long as was said. */
#ifndef RK_CLIENT_CONTROL_H
#define RK_CLIENT_CONTROL_H

#include "base/base_err.h"

#include <jansson.h>
#include <stdint.h>

struct rk_client_control;
struct rk_detail;

/* The errors of rk_unix_connect. timeout_ms: from now to the last answer; 0: a minute for each. */
enum rk_err rk_client_control_open(struct rk_client_control **control_out, const char *path, uint64_t timeout_ms,
                                   struct rk_detail *detail);
void rk_client_control_close(struct rk_client_control **control);

/* RK_OK and the answer, an object (a new reference), whatever it says; RK_ERR_CLOSED: the server ended before its
 * answer; RK_ERR_TIMEOUT: it did not answer in time; RK_ERR_MISMATCH: what came is no answer of a RackKV server. */
enum rk_err rk_client_control_ask(struct rk_client_control *control, const json_t *request, json_t **answer_out,
                                  struct rk_detail *detail);

#endif
