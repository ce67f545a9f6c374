#include "client/client_table.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16u
#define CELL_BYTES  256u

struct rk_client_table {
    size_t n_columns;
    bool at_right[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    bool has_heads;
    char **cells; /* the heads, then row by row */
    size_t n_cells, capacity;
};

static void add_cell(struct rk_client_table *table, const char *text)
{
    size_t column = table->n_cells % table->n_columns;

    if (table->n_cells == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        char **cells = rk_mem_calloc(capacity, sizeof *cells);

        if (table->n_cells > 0)
            memcpy(cells, table->cells, table->n_cells * sizeof *cells);
        free(table->cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    table->cells[table->n_cells++] = rk_mem_strdup(text);
    if (strlen(text) > table->widths[column])
        table->widths[column] = strlen(text);
}

struct rk_client_table *rk_client_table_create(const char *const *heads)
{
    struct rk_client_table *table = rk_mem_calloc(1, sizeof *table);

    while (heads[table->n_columns] != NULL)
        table->n_columns++;
    RK_ASSERT(table->n_columns <= COLUMNS_MAX);
    for (size_t i = 0; i < table->n_columns; i++) {
        table->at_right[i] = heads[i][0] == '>';
        add_cell(table, heads[i] + table->at_right[i]);
        table->has_heads |= table->cells[i][0] != '\0';
    }
    return table;
}

void rk_client_table_destroy(struct rk_client_table **table)
{
    if (*table == NULL)
        return;
    for (size_t i = 0; i < (*table)->n_cells; i++)
        free((*table)->cells[i]);
    free((*table)->cells);
    free(*table);
    *table = NULL;
}

void rk_client_table_add(struct rk_client_table *table, const char *format, ...)
{
    char text[CELL_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* what is too long for a cell is cut */
    va_end(args);
    add_cell(table, text);
}

/* No spaces at the end of a line. */
static void print_row(const struct rk_client_table *table, size_t first, FILE *out)
{
    size_t due = 0; /* spaces that something must follow */

    for (size_t i = 0; i < table->n_columns; i++) {
        const char *cell = table->cells[first + i];
        size_t len = strlen(cell), gap = table->widths[i] - len;

        if (len > 0)
            fprintf(out, "%*s%s", (int)(due + (table->at_right[i] ? gap : 0)), "", cell);
        due = (len > 0 ? 0 : due + (table->at_right[i] ? gap : 0)) + (table->at_right[i] ? 0 : gap) + 2;
    }
}

void rk_client_table_print(const struct rk_client_table *table, FILE *out, bool bold)
{
    for (size_t i = table->has_heads ? 0 : table->n_columns; i + table->n_columns <= table->n_cells;
         i += table->n_columns) {
        bool is_head = i == 0;

        if (is_head && bold)
            fputs("\033[1m", out);
        print_row(table, i, out);
        fputs(is_head && bold ? "\033[0m\n" : "\n", out);
    }
}
