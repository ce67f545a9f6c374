#include "base/base_detail.h"
#include "client/client_item.h"
#include "client/client_options.h"
#include "client/client_progress.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static struct rk_client_bytes bytes_of(const char *text)
{
    return (struct rk_client_bytes){ text, strlen(text) };
}

START_TEST(an_item_has_its_bytes_and_its_fields)
{
    static const char line[] =
        "{\"value64\":\"AP8=\",\"key\":\"k\\u0000\",\"expires\":5,\"meta\":{\"a\":\"b\"},\"seq\":1}\n";
    struct rk_client_item item;

    ck_assert_int_eq(rk_client_item_parse(&item, line, sizeof line - 1, NULL), RK_OK);
    ck_assert_uint_eq(item.key.size, 2);
    ck_assert_mem_eq(item.key.bytes, "k", 2);
    ck_assert_uint_eq(item.value.size, 2);
    ck_assert_mem_eq(item.value.bytes, "\0\xff", 2);
    ck_assert_uint_eq(item.fields.n, 2);
    ck_assert_str_eq(rk_client_fields_get(&item.fields, "rackkv-expires"), "5");
    ck_assert_str_eq(rk_client_fields_get(&item.fields, "RackKV-Meta-a"), "b");
    ck_assert_ptr_null(rk_client_fields_get(&item.fields, "RackKV-Meta"));
    ck_assert(item.is_listed && !item.is_end);
    rk_client_item_fini(&item);
}
END_TEST

START_TEST(the_end_is_one_line_only)
{
    static const struct {
        const char *line;
        bool is_end;
    } lines[] = { { "{\"complete\":true}", true },
                  { " { \"complete\" : true }\n", true },
                  { "{\"complete\":false}", false },
                  { "{\"complete\":1}", false },
                  { "{\"complete\":true,\"a\":1}", false },
                  { "{\"complete\":tru", false },
                  { "", false },
                  { "true", false } };

    for (size_t i = 0; i < N_OF(lines); i++)
        ck_assert_msg(rk_client_item_is_end(lines[i].line, strlen(lines[i].line)) == lines[i].is_end, "%s",
                      lines[i].line);
}
END_TEST

/* Good lines with a byte changed, taken away, or cut off: whatever they are, they end in an answer. */
START_TEST(spoilt_lines_never_crash)
{
    static const char good[] =
        "{\"key64\":\"/w==\",\"value64\":\"\",\"ttl\":\"1s\",\"content_type\":\"a\",\"meta\":{\"a\":\"\"}}";
    static const char alphabet[] = "\"\\:{},[]=/0aZ\xff\n-.etn";
    uint64_t state = 88172645463325252u;

    for (int round = 0; round < 20000; round++) {
        size_t size = sizeof good - 1, at;
        char *line = malloc(size);
        struct rk_client_item item;
        struct rk_detail detail = { "" };

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        at = state % size;
        memcpy(line, good, size);
        if (state >> 40 & 1)
            line[at] = alphabet[(state >> 20) % (sizeof alphabet - 1)];
        else
            size = at;
        line = realloc(line, size > 0 ? size : 1); /* so that a byte too far is seen by the sanitizer */
        if (rk_client_item_parse(&item, line, size, &detail) != RK_OK)
            ck_assert_str_ne(detail.text, "");
        rk_client_item_fini(&item);
        free(line);
    }
}
END_TEST

START_TEST(fields_end_no_line_and_have_a_limit)
{
    struct rk_client_fields fields = { .n = 0 };
    struct rk_detail detail;

    for (int byte = 0; byte < 256; byte++) {
        char text[2] = { (char)byte, '\0' };
        bool is_good = byte == '\t' || (byte >= ' ' && byte != 0x7f);
        enum rk_err err = rk_client_fields_add(&fields, "--x", "X", (struct rk_client_bytes){ text, 1 }, &detail);

        ck_assert_msg((err == RK_OK) == is_good, "%d", byte);
        rk_client_fields_fini(&fields);
    }
    for (int i = 0; i < RK_CLIENT_FIELDS_MAX; i++)
        ck_assert_int_eq(rk_client_fields_add(&fields, "--x", "X", bytes_of("v"), &detail), RK_OK);
    ck_assert_int_eq(rk_client_fields_add(&fields, "--x", "X", bytes_of("v"), &detail), RK_ERR_LIMIT);
    ck_assert_uint_eq(fields.n, RK_CLIENT_FIELDS_MAX);
    rk_client_fields_fini(&fields);
}
END_TEST

START_TEST(every_option_of_the_table_is_taken)
{
    static const char *const arguments[RK_CLIENT_N_OPTIONS] = {
        [RK_CLIENT_OPTION_IF_MATCH] = "1",
        [RK_CLIENT_OPTION_IF_NONE_MATCH] = "*",
        [RK_CLIENT_OPTION_TTL] = "1h",
        [RK_CLIENT_OPTION_TYPE] = "a/b",
        [RK_CLIENT_OPTION_META] = "a=b",
        [RK_CLIENT_OPTION_RANGE] = "-1",
        [RK_CLIENT_OPTION_DURABILITY] = "synced",
        [RK_CLIENT_OPTION_HEAD] = "",
        [RK_CLIENT_OPTION_DELIMITER] = "/",
        [RK_CLIENT_OPTION_VALUES] = "",
    };
    struct rk_client_options options = { .given = 0 };
    struct rk_detail detail;

    for (unsigned id = 0; id < RK_CLIENT_N_OPTIONS; id++) {
        const char *name = rk_client_options_table[id].name;

        ck_assert_uint_eq(rk_client_options_lookup(bytes_of(name), RK_CLIENT_OPTION_BIT(id)), id);
        ck_assert_uint_eq(rk_client_options_lookup(bytes_of(name), ~RK_CLIENT_OPTION_BIT(id)), RK_CLIENT_N_OPTIONS);
        ck_assert(!rk_client_options_has(&options, id));
        ck_assert_int_eq(rk_client_options_take(&options, id, bytes_of(arguments[id]), &detail), RK_OK);
        ck_assert(rk_client_options_has(&options, id));
    }
    ck_assert_uint_eq(options.fields.n, RK_CLIENT_N_OPTIONS - 3); /* --head, --delimiter and --values are none */
    rk_client_options_fini(&options);
}
END_TEST

START_TEST(a_bar_is_as_full_as_it_should_be)
{
    char cells[RK_CLIENT_PROGRESS_CELLS + 1];

    rk_client_progress_bar(0, cells);
    ck_assert_str_eq(cells, "--------------------------------");
    rk_client_progress_bar(25, cells);
    ck_assert_str_eq(cells, "########------------------------");
    rk_client_progress_bar(250, cells);
    ck_assert_str_eq(cells, "################################");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("client_item");
    TCase *tcase = tcase_create("client_item");

    tcase_add_test(tcase, an_item_has_its_bytes_and_its_fields);
    tcase_add_test(tcase, the_end_is_one_line_only);
    tcase_add_test(tcase, spoilt_lines_never_crash);
    tcase_add_test(tcase, fields_end_no_line_and_have_a_limit);
    tcase_add_test(tcase, every_option_of_the_table_is_taken);
    tcase_add_test(tcase, a_bar_is_as_full_as_it_should_be);
    suite_add_tcase(suite, tcase);
    return suite;
}
