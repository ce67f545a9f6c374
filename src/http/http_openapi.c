#include "http/http_openapi.h"

#include "http/http_field.h"
#include "http/http_target.h"

#include <string.h>

/* Of a path that takes a key: where the key stands. */
enum key_place { KEY_IN_QUERY, KEY_IN_PATH };

/* One operation of the document: the rows of a path that take a method. */
struct operation {
    const struct rk_http_route *rows; /* of the path */
    enum rk_http_method method;
    enum key_place key_place;
};

static const char *const methods[] = { [RK_HTTP_GET] = "get",
                                       [RK_HTTP_HEAD] = "head",
                                       [RK_HTTP_PUT] = "put",
                                       [RK_HTTP_POST] = "post",
                                       [RK_HTTP_DELETE] = "delete" };

static bool is_same_path(const struct rk_http_route *a, const struct rk_http_route *b)
{
    return b->path != NULL && strcmp(a->path, b->path) == 0;
}

/* The next row of the operation, from this one on; NULL: there is none. */
static const struct rk_http_route *next_row(const struct operation *operation, const struct rk_http_route *row)
{
    for (; is_same_path(operation->rows, row); row++)
        if ((row->methods & 1u << operation->method) != 0 && !(row->is_listing && operation->key_place == KEY_IN_PATH))
            return row;
    return NULL;
}

#define EACH_ROW(row, operation)                                                        \
    for (const struct rk_http_route *row = next_row(operation, (operation)->rows); row; \
         row = next_row(operation, row + 1))

/* ---- what it takes ---- */

static void print_parameter(FILE *out, const char *name, const char *in, bool is_required)
{
    fprintf(out, "{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":{\"type\":\"string\"", name, in,
            is_required ? "true" : "false");
}

/* What op= may say. */
static void print_operations(FILE *out, const struct operation *operation)
{
    const char *separator = "";

    fputs(",\"enum\":[", out);
    EACH_ROW(row, operation)
    {
        if (row->operation == NULL)
            continue;
        fprintf(out, "%s\"%s\"", separator, row->operation);
        separator = ",";
    }
    fputc(']', out);
}

static bool has_listing(const struct operation *operation)
{
    EACH_ROW(row, operation)
    if (row->is_listing)
        return true;
    return false;
}

static void print_query(FILE *out, const struct operation *operation, unsigned parameters, const char **separator)
{
    if (operation->key_place == KEY_IN_PATH)
        parameters &= ~(unsigned)RK_HTTP_PARAMETER_KEY;
    for (unsigned bit = 1; bit <= parameters; bit <<= 1) {
        if ((parameters & bit) == 0)
            continue;
        fputs(*separator, out);
        print_parameter(out, rk_http_parameter_name((enum rk_http_parameter)bit), "query",
                        bit == RK_HTTP_PARAMETER_KEY && !operation->rows->takes_bare_key && !has_listing(operation));
        if (bit == RK_HTTP_PARAMETER_OP)
            print_operations(out, operation);
        fputs("}}", out);
        *separator = ",";
    }
}

/* Not RackKV-Meta-*, which is no one name. */
static void print_headers(FILE *out, unsigned headers, const char *separator)
{
    for (unsigned field = RK_HTTP_FIELD_TTL; field < RK_HTTP_FIELD_META; field++) {
        if ((headers >> (field - RK_HTTP_FIELD_TTL) & 1) == 0)
            continue;
        fputs(separator, out);
        print_parameter(out, rk_http_field_name((enum rk_http_field_id)field), "header", false);
        fputs("}}", out);
        separator = ",";
    }
}

static void print_parameters(FILE *out, const struct operation *operation)
{
    unsigned parameters = 0, headers = 0;
    const char *separator = "";

    EACH_ROW(row, operation)
    {
        parameters |= row->parameters;
        headers |= row->own_headers;
    }
    fputs(",\"parameters\":[", out);
    if (operation->key_place == KEY_IN_PATH) {
        print_parameter(out, "key", "path", true);
        fputs("}}", out);
        separator = ",";
    }
    print_query(out, operation, parameters, &separator);
    print_headers(out, headers, separator);
    fputc(']', out);
}

/* ---- what it does ---- */

/* The sentence of the row that needs no op=, and then those of the others. */
static void print_words(FILE *out, const struct operation *operation)
{
    bool takes_body = false;

    EACH_ROW(row, operation)
    {
        takes_body |= row->operand == RK_HTTP_TAKES_BODY;
        if (row->operation == NULL && !row->is_listing)
            fprintf(out, "\"summary\":\"%s\",", row->summary);
    }
    fputs("\"description\":\"", out);
    EACH_ROW(row, operation)
    if (row->operation != NULL)
        fprintf(out, "op=%s: %s ", row->operation, row->summary);
    else if (row->is_listing)
        fprintf(out, "Without key=: %s ", row->summary);
    fputs("\"", out);
    if (takes_body)
        fputs(",\"requestBody\":{\"content\":{\"*/*\":{}}}", out);
}

static void print_operation(FILE *out, const struct operation *operation)
{
    fprintf(out, "\"%s\":{", methods[operation->method]);
    print_words(out, operation);
    print_parameters(out, operation);
    fputs(",\"responses\":{\"2XX\":{\"description\":\"Done.\"},\"default\":{\"description\":\"Why not.\",\"content\":"
          "{\"" RK_HTTP_PROBLEM_TYPE "\":{}}}}},",
          out);
}

/* Each path takes OPTIONS besides what its rows say. */
static void print_path(FILE *out, const struct rk_http_route *rows, enum key_place key_place)
{
    struct operation operation = { .rows = rows, .key_place = key_place };

    for (unsigned method = 0; method < sizeof methods / sizeof methods[0]; method++) {
        operation.method = (enum rk_http_method)method;
        if (next_row(&operation, rows) != NULL)
            print_operation(out, &operation);
    }
    fputs("\"options\":{\"summary\":\"Say which methods there are.\"", out);
    if (key_place == KEY_IN_PATH) {
        fputs(",\"parameters\":[", out);
        print_parameter(out, "key", "path", true);
        fputs("}}]", out);
    }
    fputs(",\"responses\":{\"204\":{\"description\":\"Allow names them.\"}}}", out);
}

static void print_paths_of(FILE *out, const struct rk_http_route *rows)
{
    size_t len = rows->path_len;

    if (rows->path[len - 1] != '/') {
        fprintf(out, "\"%s\":{", rows->path);
        print_path(out, rows, KEY_IN_QUERY);
    } else {
        fprintf(out, "\"%s{key}\":{", rows->path);
        print_path(out, rows, KEY_IN_PATH);
        fprintf(out, "},\n\"%.*s\":{", (int)len - 1, rows->path);
        print_path(out, rows, KEY_IN_QUERY);
    }
    fputc('}', out);
}

void rk_http_openapi_print(FILE *out, const struct rk_http_route *routes, bool legacy)
{
    const char *separator = "";

    fputs("{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"RackKV\",\"version\":\"" PACKAGE_VERSION "\"},\"paths\":{\n",
          out);
    for (const struct rk_http_route *row = routes; row->path != NULL; row++) {
        if ((row->is_legacy && !legacy) || row->path[0] != '/')
            continue;
        if (row > routes && is_same_path(row, row - 1))
            continue;
        fputs(separator, out);
        print_paths_of(out, row);
        separator = ",\n";
    }
    fputs("\n}}\n", out);
}
