/* A table on a terminal: cells are added row by row, columns are as wide as they must be. */
#ifndef RK_CLIENT_TABLE_H
#define RK_CLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct rk_client_table;

/* The heads end with NULL; one that begins with '>' is that of a column whose cells stand at the right. The first row
 * is the heads, unless all of them are empty. */
struct rk_client_table *rk_client_table_create(const char *const *heads);
void rk_client_table_destroy(struct rk_client_table **table);

/* The next cell, from left to right. */
void rk_client_table_add(struct rk_client_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Two spaces between columns; with `bold` the heads are. What no row fills, is left out. */
void rk_client_table_print(const struct rk_client_table *table, FILE *out, bool bold);

#endif
