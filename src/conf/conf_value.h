/* Values as text: numbers with units, words, strings. A codec: text in, value out, and back. Private to src/conf. */
#ifndef RK_CONF_VALUE_H
#define RK_CONF_VALUE_H

#include "conf/conf_table.h"

/* Enough for any formatted number. */
#define RK_CONF_NUMBER_BYTES 32

/* Enough for what rk_conf_describe writes. */
#define RK_CONF_DESCRIBE_BYTES 256

/* Enough for what rk_conf_quote writes. */
#define RK_CONF_QUOTE_BYTES 128

/* Bool, integer, size, duration, enum, auto: the number that is stored. RK_ERR_INVALID with what is wrong and what is
 * allowed (no position). Pure. */
enum rk_err rk_conf_number_parse(const struct rk_conf_key *key, const char *text, uint64_t *number_out,
                                 struct rk_detail *detail);

/* Back to the shortest text that parses to the same number. Pure. */
void rk_conf_number_format(const struct rk_conf_key *key, uint64_t number, char text_out[RK_CONF_NUMBER_BYTES]);

/* A string, or one item of a list. Pure, but that users and groups are looked up. */
enum rk_err rk_conf_string_check(const struct rk_conf_key *key, const char *text, struct rk_detail *detail);

/* What is allowed: "a size from 1MiB to 1GiB", "always, interval or none". Pure. */
void rk_conf_describe(const struct rk_conf_key *key, char text_out[RK_CONF_DESCRIBE_BYTES]);

/* What somebody wrote, for an error: in quotes, control characters escaped, cut when long. Pure. */
const char *rk_conf_quote(const char *text, char quoted_out[RK_CONF_QUOTE_BYTES]);

#endif
