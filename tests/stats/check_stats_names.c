#include "stats/stats_block.h"
#include "stats/stats_names.h"
#include "test_main.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Every word of each part of the block has one row, but for the tables of requests and what stands between parts. */
static const struct {
    enum rk_stats_scope scope;
    size_t begin, end;
} spans[] = {
    { RK_STATS_WRITER, 0, offsetof(struct rk_stats_writer, refused) + 8 },
    { RK_STATS_MERGE, 0, offsetof(struct rk_stats_merge, expired_records) + 8 },
    { RK_STATS_SLOT, 0, offsetof(struct rk_stats_slot, client.list_reads) + 8 },
    { RK_STATS_SLOT, offsetof(struct rk_stats_slot, http.connections_accepted),
      offsetof(struct rk_stats_slot, http.accept_pauses) + 8 },
    { RK_STATS_SLOT, offsetof(struct rk_stats_slot, starts), offsetof(struct rk_stats_slot, deaths) + 8 },
};

#define N_SPANS (sizeof spans / sizeof spans[0])

static unsigned n_rows(enum rk_stats_scope scope, size_t offset)
{
    unsigned n = 0;

    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++)
        n += name->scope == scope && name->offset == offset;
    return n;
}

/* A member that was added behind the last one moves the end of its struct: the span says where that has to be. */
START_TEST(each_counter_has_one_row)
{
    size_t n = 0, n_all = 0;

    for (size_t i = 0; i < N_SPANS; i++)
        for (size_t at = spans[i].begin; at < spans[i].end; at += sizeof(rk_counter), n++)
            ck_assert_msg(n_rows(spans[i].scope, at) == 1, "scope %d, offset %zu: %u rows", spans[i].scope, at,
                          n_rows(spans[i].scope, at));
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++)
        n_all++;
    ck_assert_uint_eq(n, n_all);
    ck_assert_uint_eq(sizeof(struct rk_stats_writer), (spans[0].end + 63) / 64 * 64);
    ck_assert_uint_eq(sizeof(struct rk_stats_merge), (spans[1].end + 63) / 64 * 64);
    ck_assert_uint_eq(sizeof(struct rk_stats_client), (spans[2].end + 63) / 64 * 64);
    ck_assert_uint_eq(sizeof(struct rk_stats_http), spans[3].end - offsetof(struct rk_stats_slot, http));
}
END_TEST

START_TEST(names_are_names_and_told_once)
{
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++) {
        for (const char *at = name->name; *at != '\0'; at++)
            ck_assert_msg(islower((unsigned char)*at) || *at == '_', "%s", name->name);
        ck_assert_msg(name->help[strlen(name->help) - 1] == '.', "%s", name->name);
        ck_assert_msg((strstr(name->name, "_bytes") != NULL) == (name->unit == RK_STATS_BYTES), "%s", name->name);
        ck_assert_msg((strstr(name->name, "_seconds") != NULL) == (name->unit == RK_STATS_NS), "%s", name->name);
        for (const struct rk_stats_name *other = rk_stats_names; other < name; other++)
            ck_assert_msg(other->scope != name->scope || strcmp(other->name, name->name) != 0, "%s", name->name);
    }
    for (size_t i = 0; i < RK_STATS_HTTP_N_OPS; i++)
        ck_assert_uint_gt(strlen(rk_stats_op_names[i]), 0);
    ck_assert_str_eq(rk_stats_status_names[RK_STATS_HTTP_404], "404");
    ck_assert_str_eq(rk_stats_status_names[RK_STATS_HTTP_OTHER], "other");
}
END_TEST

START_TEST(a_value_is_read_where_the_row_says)
{
    struct rk_stats_slot slot = { .deaths = 0 };

    rk_counter_set(&slot.http.upload_bytes, 4711);
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++)
        if (name->scope == RK_STATS_SLOT)
            ck_assert_uint_eq(rk_stats_value(name, &slot), strcmp(name->name, "upload_bytes") == 0 ? 4711 : 0);
}
END_TEST

#define MAP_BYTES (4096 + sizeof(struct rk_stats_block) + 3 * sizeof(struct rk_stats_slot))

START_TEST(the_block_is_found_in_a_map)
{
    char *map = aligned_alloc(64, (MAP_BYTES + 63) / 64 * 64);
    struct rk_stats_block *block = (struct rk_stats_block *)(void *)(map + 4096);

    memset(map, 0, MAP_BYTES);
    ck_assert_ptr_null(rk_stats_find(map, MAP_BYTES));
    rk_stats_block_init(block, 3);
    ck_assert_ptr_eq(rk_stats_find(map, MAP_BYTES), block);
    ck_assert_ptr_eq(rk_stats_slot_of(block, 2), &block->slots[2]);
    ck_assert_ptr_null(rk_stats_find(map, MAP_BYTES - 1)); /* its last slot is cut */
    ck_assert_ptr_null(rk_stats_find(map, 100));
    block->head.layout = RK_STATS_LAYOUT + 1;
    ck_assert_ptr_null(rk_stats_find(map, MAP_BYTES));
    rk_stats_block_init(block, 3);
    block->head.slot_bytes += 64;
    ck_assert_ptr_null(rk_stats_find(map, MAP_BYTES));
    free(map);
}
END_TEST

/* What the writer refuses, as programs and people are told. */
START_TEST(a_refused_state_has_one_word_error_and_sentence)
{
    static const struct {
        enum rk_err refused, put;
        const char *word, *text;
    } rows[] = {
        { RK_OK, RK_OK, "all", "" },
        { RK_ERR_NO_SPACE, RK_ERR_NO_SPACE, "deletes",
          "puts are refused until there is space, deletes and reads go on" },
        { RK_ERR_READ_ONLY, RK_ERR_READ_ONLY, "none", "writes are refused until a restart" },
        { RK_ERR_IO, RK_ERR_READ_ONLY, "none", "writes are refused until a restart" },
    };
    struct rk_stats_writer writer = { .refused = (uint64_t)-rows[_i].refused };
    enum rk_stats_accepted accepted = rk_stats_accepted(&writer);

    ck_assert_int_eq(rk_stats_accepted_err(accepted), rows[_i].put);
    ck_assert_str_eq(rk_stats_accepted_word(accepted), rows[_i].word);
    ck_assert_str_eq(rk_stats_accepted_text(accepted), rows[_i].text);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("stats");
    TCase *tcase = tcase_create("names");

    tcase_add_loop_test(tcase, a_refused_state_has_one_word_error_and_sentence, 0, 4);
    tcase_add_test(tcase, each_counter_has_one_row);
    tcase_add_test(tcase, names_are_names_and_told_once);
    tcase_add_test(tcase, a_value_is_read_where_the_row_says);
    tcase_add_test(tcase, the_block_is_found_in_a_map);
    suite_add_tcase(suite, tcase);
    return suite;
}
