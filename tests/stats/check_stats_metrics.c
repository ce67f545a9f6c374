/* A scrape and the JSON of a block whose every number is another: each is where its row says, once, and the text is one
 * that a scraper takes. */
#include "base/base_err.h"
#include "stats/stats_block.h"
#include "stats/stats_json.h"
#include "stats/stats_metrics.h"
#include "test_main.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define N_SLOTS 3

static struct rk_stats_block *block;
static char *text;

static rk_counter *counter_at(const struct rk_stats_name *name, unsigned slot)
{
    char *part = name->scope == RK_STATS_WRITER  ? (char *)&block->writer
                 : name->scope == RK_STATS_MERGE ? (char *)&block->merge
                                                 : (char *)&block->slots[slot];

    return (rk_counter *)(void *)(part + name->offset);
}

static void setup(void)
{
    uint64_t number = 1000;

    block = aligned_alloc(64, rk_stats_block_bytes(N_SLOTS));
    memset(block, 0, rk_stats_block_bytes(N_SLOTS));
    rk_stats_block_init(block, N_SLOTS);
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++)
        for (unsigned slot = 0; slot < (name->scope == RK_STATS_SLOT ? N_SLOTS : 1); slot++)
            rk_counter_set(counter_at(name, slot), number += 17);
    rk_counter_set(&block->writer.refused, 0);
    rk_counter_set(&block->writer.grace_last_ns, 1500000007);
    block->head.started_ms = 1234567890123;
}

static void teardown(void)
{
    free(block);
    free(text);
    text = NULL;
}

static const char *print(bool is_ready, enum rk_stats_format format)
{
    size_t len;
    FILE *out;

    free(text);
    text = NULL;
    out = open_memstream(&text, &len);
    rk_stats_metrics_print(out, block, is_ready, format);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static unsigned n_lines(const char *line)
{
    size_t len = strlen(line);
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, line)) != NULL; at += len)
        n += (at == text || at[-1] == '\n') && at[len] == '\n';
    return n;
}

static void expect(const char *line)
{
    ck_assert_msg(n_lines(line) == 1, "'%s' %u times in\n%s", line, n_lines(line), text);
}

START_TEST(what_is_told_is_told)
{
    print(true, RK_STATS_PROMETHEUS);
    expect("rackkv_build_info{version=\"" PACKAGE_VERSION "\"} 1");
    expect("rackkv_up 1");
    expect("rackkv_ready 1");
    expect("rackkv_workers 3");
    expect("rackkv_process_start_time_seconds 1234567890.123");
    expect("rackkv_refused{why=\"disk_full\"} 0");
    expect("rackkv_refused{why=\"read_only\"} 0");
    expect("rackkv_keydir_grace_period_seconds 1.500000007");
    print(false, RK_STATS_PROMETHEUS);
    expect("rackkv_ready 0");
    rk_counter_set(&block->writer.refused, (uint64_t)-RK_ERR_NO_SPACE);
    print(true, RK_STATS_PROMETHEUS);
    expect("rackkv_refused{why=\"disk_full\"} 1");
    expect("rackkv_refused{why=\"read_only\"} 0");
    rk_counter_set(&block->writer.refused, (uint64_t)-RK_ERR_READ_ONLY);
    print(true, RK_STATS_PROMETHEUS);
    expect("rackkv_refused{why=\"disk_full\"} 0");
    expect("rackkv_refused{why=\"read_only\"} 1");
}
END_TEST

/* What a row says of all slots together, or of one. */
static void expect_row(const struct rk_stats_name *name, int slot, uint64_t number)
{
    char line[256], worker[32] = "";
    const char *labels = name->labels != NULL ? name->labels : "";

    if (slot >= 0)
        (void)snprintf(worker, sizeof worker, "%sworker=\"%d\"", labels[0] != '\0' ? "," : "", slot);
    (void)snprintf(line, sizeof line, "rackkv_%s%s%s%s%s %" PRIu64, name->metric,
                   labels[0] != '\0' || slot >= 0 ? "{" : "", labels, worker, labels[0] != '\0' || slot >= 0 ? "}" : "",
                   number);
    expect(line);
}

START_TEST(each_row_is_there_once)
{
    print(true, RK_STATS_PROMETHEUS);
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++) {
        uint64_t sum = 0;

        if (name->metric == NULL || name->unit == RK_STATS_NS)
            continue;
        for (unsigned slot = 0; slot < (name->scope == RK_STATS_SLOT ? N_SLOTS : 1); slot++) {
            uint64_t number = rk_counter_get(counter_at(name, slot));

            sum += number;
            if (name->by_worker)
                expect_row(name, (int)slot, number);
        }
        if (!name->by_worker)
            expect_row(name, -1, sum);
    }
}
END_TEST

START_TEST(requests_are_summed)
{
    rk_counter_set(&block->slots[0].http.requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_200], 5);
    rk_counter_set(&block->slots[2].http.requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_200], 7);
    rk_counter_set(&block->slots[1].http.requests[RK_STATS_HTTP_DELETE][RK_STATS_HTTP_OTHER], 1);
    print(true, RK_STATS_PROMETHEUS);
    expect("rackkv_http_requests_total{op=\"get\",code=\"200\"} 12");
    expect("rackkv_http_requests_total{op=\"delete\",code=\"other\"} 1");
    ck_assert_ptr_null(strstr(text, "op=\"put\",code"));
}
END_TEST

/* ---- the form ---- */

static size_t name_len(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

/* Each sample stands below the head of its family, which comes once, and no series comes twice. */
static void check_form(enum rk_stats_format format)
{
    char *copy = strdup(print(true, format)), *rest = copy, *line, family[128] = "", type[16] = "";

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char series[256];
        size_t len;

        if (strcmp(line, "# EOF") == 0)
            break;
        if (strncmp(line, "# ", 2) == 0) {
            ck_assert_int_eq(sscanf(line + 7, "%127s %15s", family, type), 2);
            ck_assert_msg(n_lines(line) == 1, "%s", line);
            continue;
        }
        len = name_len(line);
        ck_assert_msg(strncmp(line, family, strlen(family)) == 0, "%s below %s", line, family);
        if (strcmp(type, "counter") == 0)
            ck_assert_msg(strncmp(line + len - 6, "_total", 6) == 0, "%s", line);
        else
            ck_assert_msg(len == strlen(family) && strncmp(line + len - 6, "_total", 6) != 0, "%s", line);
        ck_assert_int_eq(strcmp(type, "counter") == 0 && format == RK_STATS_OPENMETRICS, len == strlen(family) + 6);
        (void)snprintf(series, sizeof series, "\n%.*s ", (int)(strrchr(line, ' ') - line), line);
        ck_assert_msg(strstr(strstr(text, series) + 1, series) == NULL, "%s twice", line);
        ck_assert_msg(strspn(strrchr(line, ' ') + 1, "0123456789.") == strlen(strrchr(line, ' ') + 1), "%s", line);
    }
    ck_assert_int_eq(line != NULL && strcmp(line, "# EOF") == 0, format == RK_STATS_OPENMETRICS);
    ck_assert_msg(rest == NULL || *rest == '\0', "behind the end: %s", rest);
    free(copy);
}

START_TEST(it_has_the_form_of_a_scrape)
{
    check_form(RK_STATS_PROMETHEUS);
    check_form(RK_STATS_OPENMETRICS);
}
END_TEST

/* ---- JSON ---- */

static double number_of(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);

    ck_assert_msg(json_is_number(number), "%s", name);
    return json_number_value(number);
}

START_TEST(the_json_has_the_same_numbers)
{
    size_t len, n = 0;
    FILE *out = open_memstream(&text, &len);
    json_t *all, *workers, *requests;

    rk_counter_set(&block->slots[2].http.requests[RK_STATS_HTTP_PUT][RK_STATS_HTTP_201], 9);
    rk_counter_set(&block->slots[2].http.requests[RK_STATS_HTTP_PUT][RK_STATS_HTTP_204], 8);
    rk_stats_json_print(out, block);
    ck_assert_int_eq(fclose(out), 0);
    all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(all != NULL, "%s", text);
    workers = json_object_get(all, "workers");
    ck_assert_uint_eq(json_array_size(workers), N_SLOTS);
    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++) {
        for (unsigned slot = 0; slot < (name->scope == RK_STATS_SLOT ? N_SLOTS : 1); slot++) {
            json_t *part = name->scope == RK_STATS_WRITER  ? json_object_get(all, "writer")
                           : name->scope == RK_STATS_MERGE ? json_object_get(all, "merge")
                                                           : json_array_get(workers, slot);
            double number = (double)rk_counter_get(counter_at(name, slot));

            if (name->metric == NULL)
                ck_assert_ptr_null(json_object_get(part, name->name));
            else
                ck_assert_double_eq(number_of(part, name->name), name->unit == RK_STATS_NS ? number / 1e9 : number);
            n++;
        }
    }
    ck_assert_uint_gt(n, 50);
    ck_assert_double_eq(number_of(all, "started_seconds"), 1234567890.123);
    requests = json_object_get(json_object_get(json_array_get(workers, 2), "requests"), "put");
    ck_assert_uint_eq(json_object_size(requests), 2);
    ck_assert_double_eq(number_of(requests, "201"), 9);
    ck_assert_double_eq(number_of(requests, "204"), 8);
    json_decref(all);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("stats_metrics");
    TCase *tcase = tcase_create("metrics");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_told_is_told);
    tcase_add_test(tcase, each_row_is_there_once);
    tcase_add_test(tcase, requests_are_summed);
    tcase_add_test(tcase, it_has_the_form_of_a_scrape);
    tcase_add_test(tcase, the_json_has_the_same_numbers);
    suite_add_tcase(suite, tcase);
    return suite;
}
