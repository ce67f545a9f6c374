/* Bytes for people: on a terminal nothing may move the cursor or change its colours, elsewhere bytes are bytes. */
#ifndef RK_CLIENT_TEXT_H
#define RK_CLIENT_TEXT_H

#include "client/client.h"

#include <jansson.h>
#include <stdio.h>

/* Writes text that is printable in the locale as it is (with line ends and tabs), and anything else with \xHH for each
 * byte that is not, and \\ for a backslash. */
void rk_client_text_print(FILE *out, struct rk_client_bytes bytes);

/* Sets "name": a string, or "name64": base64 where the bytes are not UTF-8. */
void rk_client_json_set_bytes(json_t *object, const char *name, struct rk_client_bytes bytes);

#endif
