/* The mechanism of the control socket: a thread that takes lines from its clients, and answers each with a line. What
 * the lines mean is the business of a function that it is given.
 *
 *   start -> stop
 *
 * 1. A line is one JSON object. What is none is answered with an error, and the connection goes on; a line that is too
 *    long is answered with an error, and the connection is closed.
 * 2. Nobody holds up others: a client is read only when it took its answers, and closed when it does not take them in
 *    time. When there are too many clients, the one that was silent the longest is closed for a new one.
 * 3. Nor does a long request: one whose answer may have to wait is answered on a thread of its own (control_jobs.h).
 *    When all of those are busy, the next such request waits, and only that.
 * 4. Memory is bounded: a line, and one answer, for each client. */
#ifndef RK_CONTROL_SERVER_H
#define RK_CONTROL_SERVER_H

#include "base/base_err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_control_server;

#define RK_CONTROL_CLIENTS_MAX    16
#define RK_CONTROL_LINE_BYTES_MAX ((size_t)256 * 1024)

struct rk_control_server_settings {
    const char *path;
    /* The answer to a request, an object: a new reference. The server's thread; where the answer may have to wait, any,
     * and several at a time. */
    json_t *(*answer)(void *context, const json_t *request);
    bool (*may_wait)(void *context, const json_t *request); /* the server's thread */
    void *context;
    uint64_t patience_ms; /* for a client that does not take its answer */
};

/* The errors of rk_unix_listen and rk_thread_start. Main thread. */
enum rk_err rk_control_server_start(struct rk_control_server **server_out,
                                    const struct rk_control_server_settings *settings, struct rk_detail *detail);

/* Ends the thread after the answers that are about to be given, and removes the socket. NULL inside is fine. Main
 * thread.
 */
void rk_control_server_stop(struct rk_control_server **server);

#define RK_CONTROL_JSON_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12)) /* 0.1, not 0.10000000000000001 */

/* {"ok": false, "error": name, "detail": text}: a new reference. Any thread. */
json_t *rk_control_refuse(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
